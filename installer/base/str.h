/* SPDX-License-Identifier: MIT */
/*
 * Strings, byte buffers and string lists. Allocation never returns NULL: a
 * provisioning run that is out of memory ends before it has touched anything.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

void *sp_xmalloc(size_t n);
void *sp_xcalloc(size_t n, size_t size);
void *sp_xrealloc(void *p, size_t n, size_t size);
char *sp_xstrdup(const char *s);	      /* NULL stays NULL */
char *sp_xstrndup(const char *s, size_t n);
char *sp_xasprintf(const char *fmt, ...) sp_printf(1, 2);
char *sp_xvasprintf(const char *fmt, va_list ap) sp_printf(1, 0);

static inline bool sp_streq(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}
bool sp_startswith(const char *s, const char *prefix);
bool sp_endswith(const char *s, const char *suffix);
/* Cut blanks and line ends off both ends, in place; returns the new start. */
char *sp_strip(char *s);
/* Decimal or 0x number, the whole string; 0, -EINVAL or -ERANGE. */
int sp_parse_u64(const char *s, uint64_t *ret) sp_must_check;

/* A growable run of bytes; data is always followed by a NUL that does not count. */
struct sp_buf {
	char *data;
	size_t len, cap;
};
void sp_buf_add(struct sp_buf *b, const void *data, size_t len);
void sp_buf_adds(struct sp_buf *b, const char *s);
void sp_buf_addf(struct sp_buf *b, const char *fmt, ...) sp_printf(2, 3);
void sp_buf_clear(struct sp_buf *b); /* frees, leaves it empty and usable */
/* The text as an owned string ("" when empty); the buffer is empty afterwards. */
char *sp_buf_steal(struct sp_buf *b);
bool sp_buf_eq(const struct sp_buf *a, const struct sp_buf *b);
#define sp_autobuf sp_cleanup(sp_buf_clear)

/* A list of owned strings; v[n] is NULL once anything was added. */
struct sp_strv {
	char **v;
	size_t n;
};
void sp_strv_add(struct sp_strv *l, const char *s); /* copies */
void sp_strv_take(struct sp_strv *l, char *s);	    /* owns s from now on */
void sp_strv_addf(struct sp_strv *l, const char *fmt, ...) sp_printf(2, 3);
void sp_strv_copy(struct sp_strv *to, const struct sp_strv *from);
bool sp_strv_has(const struct sp_strv *l, const char *s);
bool sp_strv_finds(const struct sp_strv *l, const char *s); /* the same in a sorted list */
void sp_strv_sort(struct sp_strv *l); /* byte order (C locale) */
char *sp_strv_join(const struct sp_strv *l, const char *between); /* owned, "" when empty */
void sp_strv_clear(struct sp_strv *l);
#define sp_autostrv sp_cleanup(sp_strv_clear)
