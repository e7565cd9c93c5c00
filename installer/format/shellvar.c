/* SPDX-License-Identifier: MIT */
#include "format/shellvar.h"

#include <errno.h>

#include "format/shellvar-scan.h"

/* In front of an assignment that put() added: how a later put() knows that it may take the line out again. */
#define MARKER "# Added by strix-provision, taken out again by 'strix-provision rollback'\n"

static void value_clear(struct sp_shell_value *v)
{
	sp_buf_clear(&v->text);
	free(v->v);
	free(v->site);
}

static int needs_shell(const char *s, size_t at, struct sp_error **err)
{
	unsigned line = sp_shell_line(s, at);

	if (s[at] == '\r')
		return sp_error_set(err, -EOPNOTSUPP, "line %u: a carriage return inside the value", line);
	return sp_error_set(err, -EOPNOTSUPP, "line %u: the value is computed by the shell ('%c')", line, s[at]);
}

static void add_piece(struct sp_shell_value *v, const char *s, size_t at, size_t end, char quote)
{
	v->v[v->text.len] = (struct sp_shell_piece){ .at = at, .end = end, .quote = quote };
	sp_buf_add(&v->text, s + end - 1, 1);
}

/* Does the byte make the shell compute something? before: the byte of the value in front of it, 0 for none. */
static bool is_special(char c, char quote, char before)
{
	if (c == '\r')
		return true;
	if (quote == '\'')
		return false;
	if (c == '$' || c == '`')
		return true;
	return !quote && (c == '{' || (c == '~' && (!before || before == ':')));
}

static int decode_site(const char *s, const struct sp_shell_site *site, struct sp_shell_value *ret,
		       struct sp_error **err)
{
	size_t first = ret->text.len;
	char quote = 0;

	for (size_t i = site->start; i < site->end; i++) {
		bool escapes = s[i] == '\\' && i + 1 < site->end && quote != '\'';
		char before = ret->text.len > first ? ret->text.data[ret->text.len - 1] : '\0';

		if (is_special(s[i], quote, before))
			return needs_shell(s, i, err);
		if (s[i] == quote || (!quote && (s[i] == '\'' || s[i] == '"'))) {
			quote = quote ? 0 : s[i];
		} else if (escapes && s[i + 1] == '\n') {
			i++;
		} else if (escapes && (!quote || strchr("\"\\$`", s[i + 1]))) {
			if (s[i + 1] == '\r')
				return needs_shell(s, i + 1, err);
			add_piece(ret, s, i, i + 2, quote);
			i++;
		} else {
			add_piece(ret, s, i, i + 1, quote);
		}
	}
	return 0;
}

static int decode(const char *s, const struct sp_shell_sites *sites, struct sp_shell_value *ret, struct sp_error **err)
{
	size_t max = 0;

	for (size_t i = 0; i < sites->n; i++)
		max += sites->v[i].end - sites->v[i].start;
	ret->v = sp_xcalloc(max, sizeof(*ret->v));
	ret->site = sp_xcalloc(sites->n + 1, sizeof(*ret->site));
	sp_buf_adds(&ret->text, "");
	for (size_t i = 0; i < sites->n; i++) {
		int r = decode_site(s, &sites->v[i], ret, err);

		if (r < 0)
			return r;
		ret->site[i + 1] = ret->text.len;
	}
	return 0;
}

int sp_shellvar_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	sp_cleanup(sp_shell_sites_clear) struct sp_shell_sites sites = { 0 };
	sp_cleanup(value_clear) struct sp_shell_value value = { 0 };
	int r = sp_shell_scan(file, var, &sites, err);

	if (r < 0)
		return r;
	if (sites.n == 0)
		return sp_error_set(err, -ENOENT, "'%s' is not assigned", var);
	r = decode(file->data, &sites, &value, err);
	if (r < 0)
		return r;
	*ret = sp_buf_steal(&value.text);
	return 0;
}

/* Take out the line that append() added, if that is what stands there and nobody wrote behind it. */
static bool take_out(const struct sp_buf *file, const struct sp_shell_sites *sites, struct sp_buf *ret)
{
	const struct sp_shell_site *site = &sites->v[0];
	size_t n = strlen(MARKER), end = site->end;

	if (sites->n != 1 || site->append || site->word < n || memcmp(file->data + site->word - n, MARKER, n) != 0)
		return false;
	size_t start = site->word - n;
	if (start > 0 && file->data[start - 1] != '\n')
		return false;
	if (end < file->len && file->data[end] != '\n')
		return false;
	if (end < file->len)
		end++;
	else if (start > 0)
		start--;
	sp_buf_add(ret, file->data, start);
	sp_buf_add(ret, file->data + end, file->len - end);
	return true;
}

/* A file without a final newline stays one, so that take_out() finds the way back. */
static int append(const struct sp_buf *file, const struct sp_shell_sites *sites, const char *var, const char *value,
		  struct sp_buf *ret, struct sp_error **err)
{
	bool newline = file->len == 0 || file->data[file->len - 1] == '\n';

	if (sites->stops)
		return sp_error_set(err, -EOPNOTSUPP, "'%s' is not assigned, and a 'return' or 'exit' keeps the end "
				    "of the file from being reached", var);
	if (sites->joins)
		return sp_error_set(err, -EOPNOTSUPP, "line %u: the last line goes on with a backslash",
				    sp_shell_line(file->data, file->len - newline));
	sp_buf_add(ret, file->data, file->len);
	sp_buf_adds(ret, newline ? "" : "\n");
	sp_buf_addf(ret, MARKER "%s=\"", var);
	sp_shell_escape(ret, value, strlen(value));
	sp_buf_adds(ret, newline ? "\"\n" : "\"");
	return 0;
}

static int put(const struct sp_buf *file, const char *var, const char *value, struct sp_buf *ret, struct sp_error **err)
{
	sp_cleanup(sp_shell_sites_clear) struct sp_shell_sites sites = { 0 };
	sp_cleanup(value_clear) struct sp_shell_value old = { 0 };
	int r = sp_shell_scan(file, var, &sites, err);

	if (r < 0)
		return r;
	if (sites.n == 0 && *value)
		return append(file, &sites, var, value, ret, err);
	if (sites.n > 0)
		r = decode(file->data, &sites, &old, err);
	if (r < 0)
		return r;
	if (sites.n == 0 || (sp_streq(old.text.data, value) && *value))
		sp_buf_add(ret, file->data, file->len);
	else if (*value || !take_out(file, &sites, ret))
		sp_shell_edit(file, &sites, &old, value, ret);
	return 0;
}

int sp_shellvar_put(const struct sp_buf *file, const char *var, const char *value, struct sp_buf *ret,
		    struct sp_error **err)
{
	sp_autobuf struct sp_buf new = { 0 };
	sp_autofree char *back = NULL;
	int r = put(file, var, value, &new, err);

	if (r < 0)
		return r;
	r = sp_shellvar_get(&new, var, &back, NULL);
	const bool gone = r == -ENOENT && !*value;
	if (!gone && (r < 0 || !sp_streq(back, value)))
		return sp_error_set(err, -EOPNOTSUPP, "'%s' cannot be given this value in a shell file", var);
	sp_buf_clear(ret);
	*ret = new;
	new = (struct sp_buf){ 0 };
	return 0;
}
