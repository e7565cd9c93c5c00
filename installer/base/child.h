/* SPDX-License-Identifier: MIT */
/*
 * Run another program to its end: by its full path and an argument vector, with an environment that the caller gives
 * whole, in "/", with no signal held or ignored, in a process group of its own. There is no shell and no search in
 * PATH. Standard input is what the caller gives, or /dev/null; both outputs come back as bytes.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_child {
	const char *const *argv; /* argv[0] is the full path; NULL at the end */
	const char *const *env;	 /* "NAME=value"; NULL at the end */
	const struct sp_buf *input; /* NULL: nothing */
	size_t max_output;	    /* bytes of standard output; more is an error */
	unsigned seconds;	    /* time limit, for the program and all that it starts */
};

/*
 * 0 when it ended with exit status 0; then `out` (starts empty) holds its standard output, all of it. Else out is
 * empty, and the message says how it ended and what it said last on standard error: -ENOENT, -EACCES, ... it cannot
 * be started; -EIO an exit status or a signal; -ETIMEDOUT and -EFBIG: it was killed, with its process group.
 */
int sp_child_run(const struct sp_child *child, struct sp_buf *out, struct sp_error **err) sp_must_check;
