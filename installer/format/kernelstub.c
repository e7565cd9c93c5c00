/* SPDX-License-Identifier: MIT */
#include "format/kernelstub.h"

#include <errno.h>

#include "format/cmdline.h"
#include "format/json-scan.h"

struct item {
	size_t gap;		  /* where the blanks in front of it begin */
	struct sp_json_span span; /* with its quotes */
	char *text;
};
struct list {
	struct sp_json_span span; /* with its brackets */
	struct item *v;
	size_t n;
	size_t end; /* where the blanks in front of the closing bracket begin */
};

static void list_clear(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].text);
	free(l->v);
	*l = (struct list){ 0 };
}

static int not_a_list(struct sp_error **err)
{
	(void) sp_error_set(err, -EOPNOTSUPP, "user.kernel_options is not a list of texts");
	return sp_error_hint(err, "run 'kernelstub' once as root: it brings its configuration up to date");
}

static int read_list(const struct sp_buf *file, struct list *ret, struct sp_error **err)
{
	struct sp_json_span all, user, item;
	size_t at, gap;
	int r = sp_json_scan(file, &all, err);

	*ret = (struct list){ 0 };
	if (r < 0)
		return r;
	if (sp_json_member(file, all, "user", &user) < 0 || sp_json_member(file, user, "kernel_options", &ret->span) < 0 ||
	    file->data[ret->span.start] != '[')
		return not_a_list(err);
	at = ret->span.start;
	while (sp_json_item(file, ret->span, &at, &gap, &item)) {
		ret->v = sp_xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = (struct item){ gap, item, sp_json_string(file, item) };
		if (!ret->v[ret->n - 1].text)
			return not_a_list(err);
	}
	ret->end = gap;
	return 0;
}

static char *joined(const struct list *l)
{
	struct sp_buf b = { 0 };

	sp_buf_adds(&b, "");
	for (size_t i = 0; i < l->n; i++)
		sp_buf_addf(&b, "%s%s", i > 0 ? " " : "", l->v[i].text);
	return sp_buf_steal(&b);
}

int sp_kernelstub_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	sp_cleanup(list_clear) struct list l = { 0 };
	int r = read_list(file, &l, err);

	(void) var;
	if (r == 0)
		*ret = joined(&l);
	return r;
}

/* --- put --------------------------------------------------------------------------------------------------------- */

/* The list as it grows. */
struct writer {
	const struct sp_buf *file;
	const struct list *l;
	struct sp_buf out;
	size_t n;
};

static void add_gap(struct writer *w, size_t from, size_t to)
{
	sp_buf_add(&w->out, w->file->data + from, to - from);
}

/* The blanks at the start of the line of the list, and more of them. */
static void add_margin(struct writer *w, const char *more)
{
	size_t start = w->l->span.start, end;

	while (start > 0 && w->file->data[start - 1] != '\n')
		start--;
	for (end = start; w->file->data[end] == ' ' || w->file->data[end] == '\t';)
		end++;
	sp_buf_adds(&w->out, "\n");
	add_gap(w, start, end);
	sp_buf_adds(&w->out, more);
}

/* What stands in front of an item: of an old one that stays where it is its own, else what others of its kind have. */
static void begin_item(struct writer *w, const struct item *old)
{
	const struct item *v = w->l->v;
	const bool first = w->n++ == 0;

	if (!first)
		sp_buf_adds(&w->out, ",");
	if (w->l->n == 0)
		add_margin(w, "  ");
	else if (old && (old == v) == first)
		add_gap(w, old->gap, old->span.start);
	else if (!first && w->l->n > 1)
		add_gap(w, v[1].gap, v[1].span.start);
	else if (first || memchr(w->file->data + v[0].gap, '\n', v[0].span.start - v[0].gap))
		add_gap(w, v[0].gap, v[0].span.start);
	else
		sp_buf_adds(&w->out, " ");
}

static void add_old(struct writer *w, const struct item *item)
{
	begin_item(w, item);
	add_gap(w, item->span.start, item->span.end);
}

static void add_new(struct writer *w, const char *text)
{
	begin_item(w, NULL);
	sp_buf_adds(&w->out, "\"");
	for (; *text; text++)
		sp_buf_addf(&w->out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	sp_buf_adds(&w->out, "\"");
}

static bool stands_at(const struct sp_args *words, const struct sp_args *now, size_t at)
{
	if (words->n > now->n - at)
		return false;
	for (size_t i = 0; i < words->n; i++)
		if (!sp_streq(words->v[i].text, now->v[at + i].text))
			return false;
	return true;
}

/* Items whose words are there stay, with what is new in front of them; the others go. */
static void merge(struct writer *w, const struct sp_args *now)
{
	size_t done = 0;

	for (size_t i = 0; i < w->l->n; i++) {
		sp_autoargs struct sp_args words = { 0 };
		size_t at = done;

		sp_args_parse(w->l->v[i].text, &words);
		while (at <= now->n && !stands_at(&words, now, at))
			at++;
		if (at > now->n)
			continue;
		for (; done < at; done++)
			add_new(w, now->v[done].text);
		add_old(w, &w->l->v[i]);
		done += words.n;
	}
	for (; done < now->n; done++)
		add_new(w, now->v[done].text);
}

static bool same_words(const struct sp_args *a, const struct sp_args *b)
{
	return a->n == b->n && stands_at(a, b, 0);
}

static void write_list(const struct sp_buf *file, const struct list *l, const struct sp_args *now, struct sp_buf *ret)
{
	struct writer w = { .file = file, .l = l };

	sp_buf_add(&w.out, file->data, l->span.start + 1);
	merge(&w, now);
	if (w.n > 0 && l->n == 0)
		add_margin(&w, "");
	else if (w.n > 0)
		add_gap(&w, l->end, l->span.end - 1);
	add_gap(&w, l->span.end - 1, file->len);
	sp_buf_clear(ret);
	*ret = w.out;
}

int sp_kernelstub_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret, struct sp_error **err)
{
	sp_cleanup(list_clear) struct list l = { 0 };
	sp_autoargs struct sp_args was = { 0 }, now = { 0 }, is = { 0 };
	sp_autofree char *before = NULL, *after = NULL;
	int r = read_list(file, &l, err);

	(void) var;
	if (r < 0)
		return r;
	for (const char *c = line; *c; c++)
		if ((unsigned char) *c < 0x20 || *c == 0x7f)
			return sp_error_set(err, -EINVAL, "a command line cannot hold control bytes");
	before = joined(&l);
	sp_args_parse(before, &was);
	sp_args_parse(line, &now);
	if (same_words(&was, &now)) {
		sp_buf_clear(ret);
		sp_buf_add(ret, file->data, file->len);
		return 0;
	}
	write_list(file, &l, &now, ret);
	r = sp_kernelstub_get(ret, NULL, &after, err);
	if (r == 0)
		sp_args_parse(after, &is);
	if (r == 0 && !same_words(&is, &now))
		r = sp_error_set(err, -EOPNOTSUPP, "its list cannot be brought to say that");
	if (r < 0)
		sp_buf_clear(ret);
	return r;
}
