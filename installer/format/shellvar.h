/* SPDX-License-Identifier: MIT */
/*
 * One variable of a file that a shell sources (/etc/default/grub and its
 * drop-ins), read and changed without a shell. Understood: NAME=value with
 * single, double or no quotes, mixed quoting, backslash continuation, `export`,
 * +=, comments behind the value, CRLF, no final newline, the last assignment
 * wins. What needs a shell to be understood (expansion of variables or
 * commands in this value, the variable assigned inside if/for/case/functions/
 * here-documents, a file sourced after it, several assignments on one line) is
 * never rewritten: -EOPNOTSUPP with the line number and the reason. Any of
 * these in front of a plain assignment does no harm: that one settles the
 * value. NUL bytes, open quotes and open compound commands: -EINVAL with the
 * line. A change touches only the bytes of the value. Pure.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

/*
 * Host functions of kind shell: see format/host.h. get() gives the value with quotes removed, += joined. The carriage
 * return of a line end is no part of it. -ENOENT: the file does not assign var.
 */
int sp_shellvar_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
/*
 * The last assignment (with the += behind it) is changed, earlier ones stay. put(get()) is the same bytes. Words put in
 * and taken out again later leave the same bytes, too, where the value stands in quotes; an unquoted value that once
 * needed quotes keeps them.
 *
 * Not assigned yet: a comment that names us and the assignment are added at the end, and an empty value adds nothing.
 * An empty value for an assignment below that comment takes both out again, with the newline that had to be added in
 * front of them. What was written is read back before it is returned.
 */
int sp_shellvar_put(const struct sp_buf *file, const char *var, const char *value, struct sp_buf *ret,
		    struct sp_error **err) sp_must_check;
