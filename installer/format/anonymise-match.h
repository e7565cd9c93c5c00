/* SPDX-License-Identifier: MIT */
/* Inside of the anonymiser: what an identifier looks like, and what stands around it. */
#pragma once

#include "format/anonymise.h"

/* Bytes of the identifier that begins at data[at], by its form or by what stands before it; 0: none does. */
size_t sp_anon_match(const char *data, size_t len, size_t at, enum sp_anon_kind *kind);
/* Is data[at .. at + n) a whole word? strict: '_' belongs to words, too. */
bool sp_anon_is_word(const char *data, size_t len, size_t at, size_t n, bool strict);
/* Not a name that many machines or people have, and long enough to be one. */
bool sp_anon_names_somebody(const char *name);
