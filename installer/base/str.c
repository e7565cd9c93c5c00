/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>

static void *or_die(void *p)
{
	if (!p)
		abort();
	return p;
}

void *sp_xmalloc(size_t n)
{
	return or_die(malloc(n ? n : 1));
}

void *sp_xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *sp_xrealloc(void *p, size_t n, size_t size)
{
	return or_die(reallocarray(p, n ? n : 1, size));
}

char *sp_xstrdup(const char *s)
{
	return s ? or_die(strdup(s)) : NULL;
}

char *sp_xstrndup(const char *s, size_t n)
{
	return or_die(strndup(s, n));
}

char *sp_xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	return s;
}

char *sp_xasprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = sp_xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

bool sp_startswith(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool sp_endswith(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

char *sp_strip(char *s)
{
	size_t n;

	while (isspace((unsigned char) *s))
		s++;
	n = strlen(s);
	while (n > 0 && isspace((unsigned char) s[n - 1]))
		s[--n] = '\0';
	return s;
}

int sp_parse_u64(const char *s, uint64_t *ret)
{
	char *end = NULL;

	if (!isdigit((unsigned char) *s))
		return -EINVAL;
	errno = 0;
	unsigned long long v = strtoull(s, &end, sp_startswith(s, "0x") ? 16 : 10);
	if (errno)
		return -errno;
	if (*end)
		return -EINVAL;
	*ret = v;
	return 0;
}

void sp_buf_add(struct sp_buf *b, const void *data, size_t len)
{
	if (len >= SIZE_MAX / 2 - b->len)
		abort();
	if (!b->data || b->len + len + 1 > b->cap) {
		b->cap = (b->len + len + 1) * 2;
		b->data = sp_xrealloc(b->data, b->cap, 1);
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void sp_buf_adds(struct sp_buf *b, const char *s)
{
	sp_buf_add(b, s, strlen(s));
}

void sp_buf_addf(struct sp_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_autofree char *s = sp_xvasprintf(fmt, ap);
	va_end(ap);
	sp_buf_adds(b, s);
}

void sp_buf_clear(struct sp_buf *b)
{
	free(b->data);
	*b = (struct sp_buf){ 0 };
}

char *sp_buf_steal(struct sp_buf *b)
{
	char *s = b->data ? b->data : sp_xstrdup("");

	*b = (struct sp_buf){ 0 };
	return s;
}

bool sp_buf_eq(const struct sp_buf *a, const struct sp_buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

void sp_strv_take(struct sp_strv *l, char *s)
{
	l->v = sp_xrealloc(l->v, l->n + 2, sizeof(*l->v));
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void sp_strv_add(struct sp_strv *l, const char *s)
{
	sp_strv_take(l, sp_xstrdup(s));
}

void sp_strv_addf(struct sp_strv *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_strv_take(l, sp_xvasprintf(fmt, ap));
	va_end(ap);
}

void sp_strv_copy(struct sp_strv *to, const struct sp_strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		sp_strv_add(to, from->v[i]);
}

bool sp_strv_has(const struct sp_strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (sp_streq(l->v[i], s))
			return true;
	return false;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

void sp_strv_sort(struct sp_strv *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_bytes);
}

bool sp_strv_finds(const struct sp_strv *l, const char *s)
{
	return l->n > 0 && bsearch(&s, l->v, l->n, sizeof(*l->v), by_bytes);
}

char *sp_strv_join(const struct sp_strv *l, const char *between)
{
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		if (i > 0)
			sp_buf_adds(&b, between);
		sp_buf_adds(&b, l->v[i]);
	}
	return sp_buf_steal(&b);
}

void sp_strv_clear(struct sp_strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct sp_strv){ 0 };
}
