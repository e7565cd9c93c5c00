/* SPDX-License-Identifier: MIT */
#include "format/shellvar-scan.h"

/* Does this line look as if it assigned the variable? */
static bool line_assigns(const char *line, const char *var)
{
	size_t n = strlen(var);

	line += strspn(line, " \t");
	if (sp_startswith(line, "export ") || sp_startswith(line, "export\t"))
		line += 7 + strspn(line + 7, " \t");
	return strncmp(line, var, n) == 0 && (line[n] == '=' || sp_startswith(line + n, "+="));
}

/* ${var=word} and ${var:=word} assign here, too, unless the delimiter is quoted. */
static bool text_expands(const char *s, size_t len, const char *var)
{
	sp_autofree char *unset = sp_xasprintf("{%s=", var), *empty = sp_xasprintf("{%s:=", var);

	return memmem(s, len, unset, strlen(unset)) || memmem(s, len, empty, strlen(empty));
}

/* The line goes on at the next one: an odd number of backslashes at its end. */
static bool goes_on(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && line[len - n - 1] == '\\')
		n++;
	return n % 2 == 1;
}

int sp_shell_skip_here(struct sp_shell_lex *l, size_t i)
{
	sp_autofree char *delimiter = sp_shell_unquote(l->s, l->here[i].start, l->here[i].end);
	bool quoted = strlen(delimiter) < l->here[i].end - l->here[i].start, joined = false;
	size_t from = l->pos;

	while (l->s[l->pos]) {
		const char *line = l->s + l->pos, *text = line;
		size_t len = strcspn(line, "\n");

		l->pos += len + (line[len] == '\n');
		if (l->here[i].tabs)
			text += strspn(text, "\t");
		len -= (size_t) (text - line);
		len -= len > 0 && text[len - 1] == '\r';
		if (!joined && len == strlen(delimiter) && memcmp(text, delimiter, len) == 0) {
			if (!quoted && text_expands(l->s + from, l->pos - from, l->var))
				l->sets = "may be set by an expansion";
			return 0;
		}
		joined = !quoted && goes_on(text, len);
		if (line_assigns(text, l->var))
			l->sets = "is assigned inside a here-document";
	}
	return sp_shell_unclosed(l, l->here[i].start, "a here-document");
}
