/* SPDX-License-Identifier: MIT */
/* What somebody meant who mistyped a name: for hints. */
#pragma once

#include "base/str.h"

/* The name that begins with the word, or of which a third of the letters at most differ; NULL: none is near. Borrowed. */
const char *sp_nearest(const char *word, const struct sp_strv *names);
