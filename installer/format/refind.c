/* SPDX-License-Identifier: MIT */
#include "format/refind.h"

#include <errno.h>

#include "format/lines.h"

/* A quoted string in the file: from the byte behind the first quote to the last quote. */
struct span {
	size_t start, end;
};

/* At *at, behind blanks; *at is then behind it. */
static bool find_string(const struct sp_buf *file, size_t line_end, size_t *at, struct span *ret)
{
	size_t i = *at;

	while (i < line_end && sp_text_is_blank(file->data[i]))
		i++;
	if (i == line_end || file->data[i] != '"')
		return false;
	ret->start = ++i;
	for (; i < line_end; i++) {
		if (file->data[i] != '"')
			continue;
		if (i + 1 < line_end && file->data[i + 1] == '"') {
			i++;
			continue;
		}
		ret->end = i;
		*at = i + 1;
		return true;
	}
	return false;
}

/* Two strings and nothing behind them but a comment. */
static bool split(const struct sp_buf *file, const struct sp_textline *l, size_t at, struct span *label, struct span *options)
{
	if (!find_string(file, l->end, &at, label) || !find_string(file, l->end, &at, options))
		return false;
	while (at < l->end && sp_text_is_blank(file->data[at]))
		at++;
	return at == l->end || file->data[at] == '#';
}

static char *unquoted(const struct sp_buf *file, const struct span *s)
{
	struct sp_buf b = { 0 };

	for (size_t i = s->start; i < s->end; i++) {
		sp_buf_add(&b, &file->data[i], 1);
		i += file->data[i] == '"';
	}
	return sp_buf_steal(&b);
}

static int not_understood(unsigned number, struct sp_error **err)
{
	return sp_error_set(err, -EOPNOTSUPP, "line %u is not a label and its options, each in double quotes", number);
}

/* The next line that counts; 0: there is none. */
static int next(const struct sp_buf *file, struct sp_textline *l, struct span *label, struct span *options,
		struct sp_error **err)
{
	while (sp_text_next(file, l)) {
		size_t first = sp_text_skip(file, l);

		if (first == l->end || file->data[first] == '#')
			continue;
		return split(file, l, first, label, options) ? 1 : not_understood(l->number, err);
	}
	return 0;
}

int sp_refind_parse(const struct sp_buf *file, struct sp_refind *ret, struct sp_error **err)
{
	struct sp_textline l = { 0 };
	struct span label = { 0 }, options = { 0 };
	int r = sp_text_check(file, err);

	*ret = (struct sp_refind){ 0 };
	if (r < 0)
		return r;
	while ((r = next(file, &l, &label, &options, err)) > 0) {
		ret->v = sp_xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = (struct sp_refind_line){ l.number, unquoted(file, &label), unquoted(file, &options) };
	}
	if (r < 0)
		sp_refind_clear(ret);
	return r;
}

void sp_refind_clear(struct sp_refind *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].label);
		free(r->v[i].options);
	}
	free(r->v);
	*r = (struct sp_refind){ 0 };
}

static int first_options(const struct sp_buf *file, struct span *ret, struct sp_error **err)
{
	struct sp_textline l = { 0 };
	struct span label = { 0 };
	int r = sp_text_check(file, err);

	if (r == 0)
		r = next(file, &l, &label, ret, err);
	return r == 0 ? sp_error_set(err, -ENOENT, "it has no line with options") : r < 0 ? r : 0;
}

int sp_refind_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	struct span options = { 0 };
	int r = first_options(file, &options, err);

	(void) var;
	if (r == 0)
		*ret = unquoted(file, &options);
	return r;
}

int sp_refind_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret, struct sp_error **err)
{
	struct span options = { 0 };
	int r = first_options(file, &options, err);

	sp_autobuf struct sp_buf quoted = { 0 };

	(void) var;
	if (r < 0)
		return r;
	sp_buf_add(&quoted, "", 0);
	for (const char *c = line; *c; c++)
		sp_buf_add(&quoted, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
	sp_text_splice(file, options.start, options.end, quoted.data, ret);
	return 0;
}
