/* SPDX-License-Identifier: MIT */
/*
 * /etc/kernel/cmdline: a file that is nothing but a command line. Tools differ
 * in what they make of comments and of several lines (boot-loader tools before
 * systemd 261 pass '#' through), so both are kept where they are, and we never
 * add any. Pure, bytes to bytes.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

/* Host functions of kind plain: lines that are no comments and not empty, joined by one blank; see format/host.h. */
int sp_plain_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
/*
 * Put a line back whose difference to what get() gave is spread over the file's lines where possible: tokens that
 * stay are not moved to another line; appended ones go to the last line that is no comment. Blanks between tokens
 * are taken from `line` only when the file has one line. -EOPNOTSUPP: a token that changes runs over a line end, or one
 * with a '#' in front would begin a line. What was written is read back before it is returned.
 */
int sp_plain_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		 struct sp_error **err) sp_must_check;
