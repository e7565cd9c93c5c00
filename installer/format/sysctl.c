/* SPDX-License-Identifier: MIT */
/* sysctl.d(5), as systemd-sysctl reads it. */
#include "format/dropin.h"

/*
 * The first separator decides (sysctl.d(5)): behind a dot, dots separate and a slash is a dot within a name; behind a
 * slash it is the other way round. Slashes that separate nothing do not count.
 */
static char *normalise(const char *key)
{
	const char *first = strpbrk(key, "/.");
	bool swap = first && *first == '/';
	char *ret = sp_xcalloc(strlen(key) + 1, 1), *end = ret;

	for (; *key; key++) {
		char c = *key;

		if (swap && (c == '/' || c == '.'))
			c = c == '/' ? '.' : '/';
		if (c == '.' && (end == ret || end[-1] == '.'))
			continue;
		*end++ = c;
	}
	if (end > ret && end[-1] == '.')
		*--end = '\0';
	return ret;
}

static void parse_line(char *line, unsigned number, struct sp_assigns *ret)
{
	char *key = sp_strip(line), *equals = strchr(key, '=');
	bool minus = *key == '-';

	if (!*key || strchr("#;", *key) || (!equals && !minus))
		return;
	if (equals)
		*equals = '\0';
	char *name = normalise(sp_strip(key + minus));
	if (*name)
		sp_assigns_take(ret, name, equals ? sp_xstrdup(sp_strip(equals + 1)) : NULL, number,
				strpbrk(name, "*?["));
	else
		free(name);
}

/* systemd takes each of these for the end of a line. */
static bool is_line_end(char c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

void sp_sysctl_parse(const struct sp_buf *file, struct sp_assigns *ret)
{
	unsigned number = 1;

	*ret = (struct sp_assigns){ 0 };
	for (size_t i = 0, n; i < file->len; i += n + 1) {
		for (n = 0; i + n < file->len && !is_line_end(file->data[i + n]); n++)
			;
		sp_autofree char *line = sp_xstrndup(file->data + i, n);

		parse_line(line, number, ret);
		number += i + n < file->len && file->data[i + n] == '\n';
	}
}

static void add_line(const struct sp_dropin_line *line, struct sp_buf *b)
{
	sp_buf_addf(b, "%s = %s\n", line->key, line->value ? line->value : "");
}

void sp_sysctl_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret)
{
	sp_dropin_render(lines, n, add_line, ret);
}
