/* SPDX-License-Identifier: MIT */
/*
 * Walking the lines of a text file that is edited in place: offsets into its
 * bytes, so that line ends and everything between edits stay as they are. For
 * the files of this folder only. Pure.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_textline {
	size_t start, end; /* bytes of the file; end excludes "\n" and "\r\n" */
	size_t next;	   /* where the next line starts */
	unsigned number;   /* 1-based; 0: before the first */
};
/* Step to the next line; l starts zeroed. False behind the last one. */
bool sp_text_next(const struct sp_buf *file, struct sp_textline *l);
bool sp_text_is_blank(char c); /* space or tab */
/* First byte of the line that is no blank, or its end. */
size_t sp_text_skip(const struct sp_buf *file, const struct sp_textline *l);

/* -EINVAL with the line number when the file has NUL or control bytes other than tab and line ends. */
int sp_text_check(const struct sp_buf *file, struct sp_error **err) sp_must_check;

/* The bytes [start, end) of the file replaced by text; ret is a new buffer. */
void sp_text_splice(const struct sp_buf *file, size_t start, size_t end, const char *text, struct sp_buf *ret);
/*
 * Add a line behind l (number 0: at the start), with the line end that l has; the first line's where l has none, and the
 * file ends without one then, too.
 */
void sp_text_add_line(const struct sp_buf *file, const struct sp_textline *l, const char *text, struct sp_buf *ret);
/* The inverse: the line with its line end, or with the one before it when it has none. */
void sp_text_drop_line(const struct sp_buf *file, const struct sp_textline *l, struct sp_buf *ret);
