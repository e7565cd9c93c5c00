/* SPDX-License-Identifier: MIT */
/*
 * Scope-bound release of what a function owns, and attributes that make the
 * compiler check how functions are used.
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define sp_must_check __attribute__((warn_unused_result))
#define sp_printf(f, a) __attribute__((format(printf, f, a)))
#define sp_cleanup(fn) __attribute__((cleanup(fn)))

static inline void sp_cleanup_free_(void *p)
{
	free(*(void **) p);
}

static inline void sp_cleanup_close_(int *fd)
{
	if (*fd >= 0)
		(void) close(*fd); /* read side only: writers close by hand and look */
}

static inline void sp_cleanup_dir_(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

static inline void sp_cleanup_file_(FILE **f)
{
	if (*f)
		(void) fclose(*f);
}

#define sp_autofree sp_cleanup(sp_cleanup_free_)
#define sp_autoclose sp_cleanup(sp_cleanup_close_)
#define sp_autodir sp_cleanup(sp_cleanup_dir_)
#define sp_autofile sp_cleanup(sp_cleanup_file_)

/* Hand the value over to the caller; what is left is NULL and frees nothing. */
#define sp_steal(p)                                                                                                    \
	({                                                                                                             \
		__auto_type steal_p_ = &(p);                                                                           \
		__auto_type steal_v_ = *steal_p_;                                                                      \
		*steal_p_ = NULL;                                                                                      \
		steal_v_;                                                                                              \
	})

/* The same for a file descriptor. */
static inline int sp_steal_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

#define SP_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))
