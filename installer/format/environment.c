/* SPDX-License-Identifier: MIT */
/*
 * environment.d(5), as systemd's generator reads it. Not a shell: quotes count only at the start of a value or behind
 * another quoted part, '#' begins a comment only at the start of a line, and an assignment of nothing is an error.
 * Expansions such as ${NAME:+word} are left as written.
 */
#include <ctype.h>

#include "format/dropin.h"

struct reader {
	const char *s;
	size_t len, i;
	unsigned line;
};

static bool at_end(const struct reader *r)
{
	return r->i == r->len;
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static char take(struct reader *r)
{
	char c = r->s[r->i++];

	r->line += c == '\n';
	return c;
}

/* Up to and with the line end; false: an '=' came first, and the key is complete. */
static bool pass_line(struct reader *r, struct sp_buf *key)
{
	while (!at_end(r)) {
		char c = take(r);

		if (is_line_end(c))
			return true;
		if (key && c == '=')
			return false;
		if (key)
			sp_buf_add(key, &c, 1);
	}
	return true;
}

/* Up to the closing quote. In double quotes a backslash hides what a shell would act on, and continues a line. */
static void take_quoted(struct reader *r, char quote, struct sp_buf *value)
{
	while (!at_end(r)) {
		char c = take(r);

		if (c == quote)
			return;
		if (c == '\\' && quote == '"' && !at_end(r)) {
			c = take(r);
			if (c == '\n')
				continue;
			if (!strchr("\"\\`$", c))
				sp_buf_adds(value, "\\");
		}
		sp_buf_add(value, &c, 1);
	}
}

/* The rest of an assignment; the buffer stays without data when there is none. */
static void take_value(struct reader *r, struct sp_buf *value)
{
	bool bare = false; /* quotes are text from here on */
	size_t keep = 0;   /* blanks behind this are not part of the value */

	while (!at_end(r)) {
		char c = take(r);

		if (is_line_end(c))
			break;
		if (!bare && (c == '"' || c == '\'')) {
			take_quoted(r, c, value);
			keep = value->len;
		} else if (c == '\\') {
			bare = true;
			keep = value->len;
			if (!at_end(r) && is_line_end(c = take(r)))
				continue;
			sp_buf_add(value, &c, 1);
			keep = value->len;
		} else if (bare || !strchr(" \t", c)) {
			bare = true;
			sp_buf_add(value, &c, 1);
			if (!strchr(" \t", c))
				keep = value->len;
		}
	}
	if (value->data) {
		value->len = keep;
		value->data[keep] = '\0';
	}
}

static bool is_name(const char *s)
{
	if (!*s || isdigit((unsigned char) *s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char) *s) && *s != '_')
			return false;
	return true;
}

void sp_environment_parse(const struct sp_buf *file, struct sp_assigns *ret)
{
	struct reader r = { .s = file->data, .len = file->len, .line = 1 };

	*ret = (struct sp_assigns){ 0 };
	if (file->len > 0 && memchr(file->data, '\0', file->len))
		return; /* the generator refuses the whole file */
	while (!at_end(&r)) {
		sp_autobuf struct sp_buf key = { 0 }, value = { 0 };

		if (strchr(" \t\r\n", r.s[r.i])) {
			(void) take(&r);
			continue;
		}
		unsigned line = r.line;
		if (pass_line(&r, strchr("#;", r.s[r.i]) ? NULL : &key))
			continue;
		take_value(&r, &value);
		char *name = key.data ? sp_strip(key.data) : NULL;
		if (name && is_name(name) && value.data)
			sp_assigns_take(ret, sp_xstrdup(name), sp_buf_steal(&value), line, false);
	}
}

static void add_line(const struct sp_dropin_line *line, struct sp_buf *b)
{
	const char *v = line->value ? line->value : "";
	size_t n = strlen(v);
	bool quote = n > 0 && (strchr(" \t\"'", v[0]) || strchr(" \t", v[n - 1]) || strpbrk(v, "\\\r\n"));

	sp_buf_addf(b, "%s=%s", line->key, quote ? "\"" : "");
	for (; *v; v++) {
		if (quote && strchr("\"\\`", *v))
			sp_buf_adds(b, "\\");
		sp_buf_add(b, v, 1);
	}
	sp_buf_adds(b, quote ? "\"\n" : "\n");
}

void sp_environment_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret)
{
	sp_dropin_render(lines, n, add_line, ret);
}
