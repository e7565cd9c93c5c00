/* SPDX-License-Identifier: MIT */
/*
 * JSON as bytes: where a value stands, so that it can be changed where it is. Strict (RFC 8259) but for what numbers look
 * like. For the files of this folder only. Pure.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_json_span {
	size_t start, end;
};
/* The value of a file, which is one, with nothing but blanks around it. -EINVAL: it is none; err has the line. */
int sp_json_scan(const struct sp_buf *file, struct sp_json_span *ret, struct sp_error **err) sp_must_check;
/* The value of a key of an object, the last one of that name. 0, or -ENOENT: no object, or no such key. */
int sp_json_member(const struct sp_buf *file, struct sp_json_span object, const char *key, struct sp_json_span *ret);
/*
 * The next item of an array: *at starts as the array's start, and is then behind the item. *gap: where the blanks in
 * front of it begin. False: there is none; *gap is then where those in front of the bracket begin.
 */
bool sp_json_item(const struct sp_buf *file, struct sp_json_span array, size_t *at, size_t *gap, struct sp_json_span *ret);
/* A string without its quotes and escapes, owned; NULL: it is no string, or one with a control byte or half a character. */
char *sp_json_string(const struct sp_buf *file, struct sp_json_span s);
