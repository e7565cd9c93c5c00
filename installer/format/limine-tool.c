/* SPDX-License-Identifier: MIT */
#include "format/limine-tool.h"

#include <errno.h>

#include "format/joined.h"
#include "format/lines.h"

#define KEY "KERNEL_CMDLINE["

/* One assignment: where its name and its value stand. */
struct found {
	size_t name, name_end, value, value_end;
	bool anew;
};

static size_t skip_blanks(const struct sp_buf *file, size_t i, size_t end)
{
	while (i < end && sp_text_is_blank(file->data[i]))
		i++;
	return i;
}

static bool find_name(const struct sp_buf *file, const struct sp_textline *l, struct found *ret)
{
	size_t i = sp_text_skip(file, l);

	if (l->end - i <= strlen(KEY) || memcmp(file->data + i, KEY, strlen(KEY)) != 0)
		return false;
	ret->name = i + strlen(KEY);
	const char *close = memchr(file->data + ret->name, ']', l->end - ret->name);
	if (!close)
		return false;
	ret->name_end = (size_t) (close - file->data);
	return true;
}

/* The line as an assignment; false: it is none. */
static bool find(const struct sp_buf *file, const struct sp_textline *l, struct found *ret)
{
	if (!find_name(file, l, ret))
		return false;
	size_t i = skip_blanks(file, ret->name_end + 1, l->end), end = l->end;
	ret->anew = i < end && file->data[i] != '+';
	i += !ret->anew;
	if (i >= end || file->data[i] != '=')
		return false;
	i = skip_blanks(file, i + 1, end);
	while (end > i && sp_text_is_blank(file->data[end - 1]))
		end--;
	if (end > i && file->data[end - 1] == '"')
		end--;
	if (end > i && file->data[i] == '"')
		i++;
	ret->value = i;
	ret->value_end = end;
	return true;
}

int sp_limine_tool_parse(const struct sp_buf *file, struct sp_limine_assigns *ret, struct sp_error **err)
{
	struct sp_textline l = { 0 };
	struct found f;
	int r = sp_text_check(file, err);

	*ret = (struct sp_limine_assigns){ 0 };
	while (r == 0 && sp_text_next(file, &l)) {
		if (!find(file, &l, &f))
			continue;
		ret->v = sp_xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = (struct sp_limine_assign){
			.line = l.number, .name = sp_xstrndup(file->data + f.name, f.name_end - f.name), .anew = f.anew,
			.value = sp_xstrndup(file->data + f.value, f.value_end - f.value),
		};
	}
	return r;
}

void sp_limine_tool_clear(struct sp_limine_assigns *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].name);
		free(a->v[i].value);
	}
	free(a->v);
	*a = (struct sp_limine_assigns){ 0 };
}

/* --- host -------------------------------------------------------------------------------------------------------- */

/* What the file gives to one name: the values from the last '=' on, and the last line of them. */
struct given {
	struct sp_joined joined;
	struct sp_textline at, end; /* of the last one; of the file (number 0: it is empty) */
	struct found last;
};

static void given_clear(struct given *g)
{
	sp_joined_clear(&g->joined);
}

static int read_given(const struct sp_buf *file, const char *var, struct given *ret, struct sp_error **err)
{
	struct sp_textline l = { 0 };
	struct found f;
	int r = sp_text_check(file, err);

	*ret = (struct given){ 0 };
	while (r == 0 && sp_text_next(file, &l)) {
		ret->end = l;
		if (!find(file, &l, &f) || strlen(var) != f.name_end - f.name || memcmp(file->data + f.name, var, strlen(var)) != 0)
			continue;
		if (f.anew) {
			sp_joined_clear(&ret->joined);
			ret->joined = (struct sp_joined){ 0 };
		}
		sp_joined_add(&ret->joined, file, f.value, f.value_end);
		ret->at = l;
		ret->last = f;
	}
	return r;
}

int sp_limine_tool_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	sp_cleanup(given_clear) struct given g = { 0 };
	int r = read_given(file, var, &g, err);

	if (r < 0)
		return r;
	if (g.joined.n_parts == 0)
		return sp_error_set(err, -ENOENT, "it gives '%s' no command line", var);
	*ret = sp_buf_steal(&g.joined.line);
	return 0;
}

/* A line of our own, with a blank at both ends: what stands before and behind it is joined to it as it is. */
static void add_line(const struct sp_buf *file, const struct given *g, const char *var, const char *line, struct sp_buf *ret)
{
	sp_autofree char *text = *line ? sp_xasprintf(KEY "%s]+=\" %s \"", var, line) : NULL;

	if (text)
		sp_text_add_line(file, &g->end, text, ret);
	else
		sp_text_splice(file, 0, 0, "", ret);
}

/* The last value has no word: the blank keeps it from what stands in front of it. */
static void fill(const struct sp_buf *file, const struct given *g, const char *line, struct sp_buf *ret)
{
	sp_autofree char *text = sp_xasprintf("%s%s", *line && !g->last.anew ? " " : "", line);

	sp_text_splice(file, g->last.value, g->last.value_end, text, ret);
}

static int put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret, struct sp_error **err)
{
	sp_cleanup(given_clear) struct given g = { 0 };
	int r = read_given(file, var, &g, err);

	if (r < 0)
		return r;
	if (strpbrk(line, "\r\n"))
		return sp_error_set(err, -EINVAL, "a command line cannot hold a line end");
	const char *text = g.joined.line.data ? g.joined.line.data : "";
	const bool empty = text[strspn(text, " \t")] == '\0';
	if (g.joined.n_parts == 0)
		add_line(file, &g, var, line, ret);
	else if (g.joined.n_parts == 1 && !line[strspn(line, " \t")] && !g.last.anew)
		sp_text_drop_line(file, &g.at, ret);
	else if (empty)
		fill(file, &g, line, ret);
	else
		return sp_joined_rewrite(file, &g.joined, line, ret, err);
	return 0;
}

/* A quote mark at the end of what had none, or at both ends, would be taken away. */
int sp_limine_tool_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret, struct sp_error **err)
{
	sp_cleanup(given_clear) struct given g = { 0 };
	sp_autobuf struct sp_buf new = { 0 };
	int r = put(file, var, line, &new, err);

	if (r == 0)
		r = read_given(&new, var, &g, err);
	if (r < 0)
		return r;
	if (!sp_joined_says(&g.joined, line))
		return sp_error_set(err, -EOPNOTSUPP, "the quotes of the value do not let it be written there");
	sp_buf_clear(ret);
	*ret = new;
	new = (struct sp_buf){ 0 };
	return 0;
}
