/* SPDX-License-Identifier: MIT */
/* The targets, one file each; targets.c is the table. */
#pragma once

#include "base/error.h"
#include "format/cmdline.h"
#include "format/host.h"
#include "fuzz.h"

extern const struct fuzz_target fuzz_cmdline, fuzz_bls, fuzz_block, fuzz_plain, fuzz_shellvar, fuzz_grubcfg, fuzz_dropins, fuzz_anonymise,
	fuzz_values, fuzz_catalogue, fuzz_journal, fuzz_state, fuzz_luks2, fuzz_machine, fuzz_pe, fuzz_cpio;

/* --- lines.c: what several targets check of command lines --------------------------------------------------------- */

/* Tokens from text, one a line: "iommu=pt", "iommu=pt<amd_iommu=off" with what it displaces. They get along. */
void fuzz_tokens(const char *text, struct sp_tokens *ret);
/* The tokens of these that can be on a line: all that is one token and not overruled by a later one of its key. */
void fuzz_check_wanted(const char *line, const struct sp_tokens *to);
/* The same words in the same order, but for those of the keys of `to` and what they displace. */
void fuzz_check_foreign(const char *before, const char *after, const struct sp_tokens *to, const struct sp_tokens *more);
/* The same words, in any order. */
void fuzz_check_words(const char *before, const char *after);

/*
 * What a file that holds a command line promises: the line put back gives the same bytes; our tokens put in are there
 * and nothing else has changed; a second time changes nothing; taken out again the bytes are those of the beginning.
 * exact false: the value, but not always the bytes. The file with the tokens in it is added to *ret; false: it is
 * refused.
 */
bool fuzz_check_host(const struct sp_host *host, const struct sp_buf *file, const struct sp_tokens *to, bool exact,
		     struct sp_buf *ret);
