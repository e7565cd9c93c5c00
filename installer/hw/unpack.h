/* SPDX-License-Identifier: MIT */
/*
 * Compressed bytes in pieces: gzip, xz and lzma, zstd, bzip2, by the libraries that are there on every system (libkmod
 * brings most of them along). Few runs unpack anything, so a library is loaded when it is needed.
 */
#pragma once

#include "base/str.h"

#define SP_UNPACK_MAGIC ((size_t) 6) /* bytes that tell how something is compressed */

struct sp_unpacker;
/*
 * By the first bytes. -ENOTSUP: it is not known what they are, or not how to unpack it; -ELIBACC: the library cannot be
 * loaded. *why is owned then.
 */
int sp_unpacker_open(const void *magic, size_t n, struct sp_unpacker **ret, char **why) sp_must_check;
/*
 * Unpack from `in` what fits in `out`; *used and *made say how much. 1: that was its end; 0: there is more, and where *made
 * is less than cap, more has to come in; -EBADMSG: it is damaged, or wants more memory than 256 MiB.
 */
int sp_unpack(struct sp_unpacker *u, const void *in, size_t n, size_t *used, void *out, size_t cap, size_t *made) sp_must_check;
void sp_unpacker_close(struct sp_unpacker *u);

static inline void sp_cleanup_unpacker_(struct sp_unpacker **u)
{
	sp_unpacker_close(*u);
}
#define sp_autounpacker sp_cleanup(sp_cleanup_unpacker_)
