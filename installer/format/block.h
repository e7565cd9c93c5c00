/* SPDX-License-Identifier: MIT */
/*
 * A block of ours in a text file that belongs to somebody else, between two marks, such as a menu entry in GRUB's
 * custom.cfg. Pure, bytes to bytes; everything outside of the marks is kept, and taking the block out gives the bytes
 * of before, also where the file had no line end at its end, or was not there at all.
 *
 *   ### BEGIN strix-provision NAME ###
 *   ...
 *   ### END strix-provision NAME ###
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

/* What stands between the marks, owned; *ret NULL: there is no such block. -EINVAL: a mark without the other. */
int sp_block_get(const struct sp_buf *file, const char *name, char **ret, struct sp_error **err) sp_must_check;
/*
 * Put a block of that name where the old one stands, or at the end; text NULL takes it out. Text is whole lines. file NULL:
 * it is not there. *gone: nothing is left of it, and there was no such file before our blocks. -EINVAL as above, and for text
 * with a mark in it.
 */
int sp_block_put(const struct sp_buf *file, const char *name, const char *text, struct sp_buf *ret, bool *gone,
		 struct sp_error **err) sp_must_check;
