/* SPDX-License-Identifier: MIT */
/*
 * A password: in one fixed place that is never copied or moved by an
 * allocator, and wiped with explicit_bzero() when its scope ends. It is never
 * printed, logged, put into a journal, or taken from arguments or environment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define SP_SECRET_MAX 256 /* bytes; HP's firmware takes at most 64 */

struct sp_secret {
	char text[SP_SECRET_MAX + 1];
	size_t len;
};

/*
 * The first line of a descriptor, without its end; nothing behind it is kept. -ENODATA: the line is empty; -EMSGSIZE:
 * it is longer than SP_SECRET_MAX. Exit SP_EXIT_USAGE.
 */
int sp_secret_read(int fd, struct sp_secret *ret, struct sp_error **err) sp_must_check;
void sp_secret_wipe(struct sp_secret *s);
#define sp_autosecret sp_cleanup(sp_secret_wipe)
