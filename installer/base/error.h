/* SPDX-License-Identifier: MIT */
/*
 * The error object. A function that can fail takes `struct sp_error **err` as
 * its last argument and returns 0 or a negative errno; on failure it has set
 * *err, so that failing is one statement: return sp_error_set(err, -EINVAL, ...).
 * Callers add context outwards with sp_error_wrap(); main prints it once.
 * err may be NULL where only "it failed" matters: which number comes back is then not promised.
 *
 * Messages are lower case, without a full stop, with values in quotes.
 */
#pragma once

#include "base/cleanup.h"

/* Exit statuses of the program; the contract is in strix-provision(8). Never 77. */
enum sp_exit {
	SP_EXIT_OK = 0,
	SP_EXIT_FAILED = 1,
	SP_EXIT_USAGE = 2,
	SP_EXIT_DIFFERS = 3,
	SP_EXIT_CONFLICT = 4,
	SP_EXIT_RECOVER = 5,
	SP_EXIT_UNSUPPORTED = 6,
	SP_EXIT_FIRMWARE = 7,
	SP_EXIT_REBOOT = 8,
};

struct sp_error {
	int code;	   /* negative errno */
	enum sp_exit exit; /* what main exits with; SP_EXIT_FAILED unless said otherwise */
	char *message;
	char *hint; /* NULL, or one sentence that works when followed */
	char *path; /* NULL, or the file it is about, as the user names it */
};

/* Set a new error; returns code. */
int sp_error_set(struct sp_error **err, int code, const char *fmt, ...) sp_printf(3, 4);
/* The same, ending in ": " and the system's text for code; missing rights get the hint that helps. */
int sp_error_errno(struct sp_error **err, int code, const char *fmt, ...) sp_printf(3, 4);
/* Put "text: " in front; returns the code that is in it. */
int sp_error_wrap(struct sp_error **err, const char *fmt, ...) sp_printf(2, 3);
/* Replace hint, path or exit status; returns the code that is in it. */
int sp_error_hint(struct sp_error **err, const char *fmt, ...) sp_printf(2, 3);
int sp_error_path(struct sp_error **err, const char *path);
int sp_error_exit(struct sp_error **err, enum sp_exit status);

void sp_error_free(struct sp_error *err);

static inline void sp_cleanup_error_(struct sp_error **err)
{
	sp_error_free(*err);
}
#define sp_autoerror sp_cleanup(sp_cleanup_error_)
