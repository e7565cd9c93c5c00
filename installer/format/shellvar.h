/* SPDX-License-Identifier: MIT */
/*
 * One variable of a file that a shell sources (/etc/default/grub and its
 * drop-ins), read and changed without a shell. Understood: NAME=value with
 * single, double or no quotes, mixed quoting, backslash continuation, `export`,
 * +=, comments behind the value, CRLF, no final newline, the last assignment
 * wins. What needs a shell to be understood (expansion of variables or
 * commands in this value, the variable assigned inside if/for/case/functions/
 * here-documents, a file sourced after it, several assignments on one line) is never rewritten: -EOPNOTSUPP with the
 * line number and the reason. A change touches only the bytes of the value. Pure.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

/* Host functions of kind shell: see format/host.h. get() gives the value with quotes removed, += joined. */
int sp_shellvar_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
int sp_shellvar_put(const struct sp_buf *file, const char *var, const char *value, struct sp_buf *ret,
		    struct sp_error **err) sp_must_check;
