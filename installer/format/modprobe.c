/* SPDX-License-Identifier: MIT */
/* modprobe.d(5), as libkmod reads it; the parameters as the kernel splits them. */
#include <ctype.h>

#include "format/cmdline.h"
#include "format/dropin.h"

/*
 * One line, with its continuations; returns how many bytes it takes. A backslash continues comments, too, and none
 * stands in front of "\r\n".
 */
static size_t logical_line(const char *s, size_t len, struct sp_buf *line, unsigned *lines)
{
	size_t i = 0;

	for (; i < len && s[i] != '\n'; i++) {
		if (s[i] == '\\' && i + 1 < len && s[i + 1] == '\n') {
			i++;
			++*lines;
		} else {
			sp_buf_add(line, s + i, 1);
		}
	}
	++*lines;
	return i + (i < len);
}

/* '-' and '_' are the same in the names of modules and parameters. */
static char *make_key(const char *module, const char *parameter)
{
	char *key = sp_xasprintf("%s.%s", module, parameter);

	for (char *c = key; *c; c++)
		if (*c == '-')
			*c = '_';
	return key;
}

static void parse_line(char *line, unsigned number, struct sp_assigns *ret)
{
	char *rest = NULL, *command = strtok_r(line, "\t ", &rest), *module = strtok_r(NULL, "\t ", &rest);
	sp_autoargs struct sp_args args = { 0 };

	if (!sp_streq(command, "options") || !module)
		return;
	sp_args_parse(rest, &args);
	for (size_t i = 0; i < args.n; i++) {
		const struct sp_arg *a = &args.v[i];

		if (!a->for_init && (isalnum((unsigned char) *a->key) || *a->key == '_'))
			sp_assigns_take(ret, make_key(module, a->key), sp_xstrdup(a->value), number, false);
	}
}

void sp_modprobe_parse(const struct sp_buf *file, struct sp_assigns *ret)
{
	unsigned next = 1;

	*ret = (struct sp_assigns){ 0 };
	for (size_t i = 0; i < file->len;) {
		sp_autobuf struct sp_buf line = { 0 };
		unsigned number = next;

		i += logical_line(file->data + i, file->len - i, &line, &next);
		if (line.len > 0) /* a comment is no `options` */
			parse_line(line.data, number, ret);
	}
}

static void add_line(const struct sp_dropin_line *line, struct sp_buf *b)
{
	const char *dot = strchrnul(line->key, '.'), *parameter = *dot ? dot + 1 : dot;
	const char *quote = line->value && line->value[strcspn(line->value, " \t")] ? "\"" : "";

	sp_buf_addf(b, "options %.*s %s", (int) (dot - line->key), line->key, parameter);
	if (line->value)
		sp_buf_addf(b, "=%s%s%s", quote, line->value, quote);
	sp_buf_adds(b, "\n");
}

void sp_modprobe_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret)
{
	sp_dropin_render(lines, n, add_line, ret);
}
