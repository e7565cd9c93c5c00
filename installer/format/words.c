/* SPDX-License-Identifier: MIT */
#include "format/words.h"

#include "format/cmdline.h"

static void word_clear(struct sp_word *word)
{
	free(word->gap);
	free(word->text);
	free(word->key);
	free(word->value);
}

static void word_name(struct sp_word *word)
{
	sp_autoargs struct sp_args args = { 0 };

	sp_args_parse(word->text, &args);
	free(word->key);
	free(word->value);
	word->key = args.n > 0 ? sp_steal(args.v[0].key) : sp_xstrdup("");
	word->value = args.n > 0 ? sp_steal(args.v[0].value) : NULL;
}

void sp_words_parse(const char *line, struct sp_words *ret)
{
	sp_autoargs struct sp_args args = { 0 };
	size_t done = 0;

	sp_args_parse(line, &args);
	*ret = (struct sp_words){ .v = sp_xcalloc(args.n, sizeof(*ret->v)), .n = args.n };
	for (size_t i = 0; i < args.n; i++) {
		ret->v[i] = (struct sp_word){
			.gap = sp_xstrndup(line + done, args.v[i].start - done),
			.text = sp_steal(args.v[i].text),
			.key = sp_steal(args.v[i].key),
			.value = sp_steal(args.v[i].value),
		};
		done = args.v[i].start + args.v[i].len;
	}
	ret->tail = sp_xstrdup(line + done);
}

char *sp_words_line(const struct sp_words *w)
{
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < w->n; i++) {
		sp_buf_adds(&b, w->v[i].gap);
		sp_buf_adds(&b, w->v[i].text);
	}
	sp_buf_adds(&b, w->tail);
	return sp_buf_steal(&b);
}

void sp_words_clear(struct sp_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		word_clear(&w->v[i]);
	free(w->v);
	free(w->tail);
	*w = (struct sp_words){ 0 };
}

size_t sp_words_limit(const struct sp_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (sp_token_is_open(w->v[i].text) || (!w->v[i].value && sp_streq(w->v[i].key, "--")))
			return i;
	return w->n;
}

void sp_words_set(struct sp_words *w, size_t at, const char *text)
{
	free(w->v[at].text);
	w->v[at].text = sp_xstrdup(text);
	word_name(&w->v[at]);
}

void sp_words_insert(struct sp_words *w, size_t at, const char *text, const char *gap)
{
	struct sp_word word = { .text = sp_xstrdup(text) };

	word_name(&word);
	if (at > 0) {
		word.gap = sp_xstrdup(gap);
	} else if (w->n > 0) {
		/* The new first word takes over what the line begins with; its own blanks go behind it. */
		word.gap = w->v[0].gap;
		w->v[0].gap = sp_xstrdup(gap);
	} else {
		word.gap = sp_xstrdup("");
	}
	w->v = sp_xrealloc(w->v, w->n + 1, sizeof(*w->v));
	memmove(w->v + at + 1, w->v + at, (w->n - at) * sizeof(*w->v));
	w->v[at] = word;
	w->n++;
}

char *sp_words_take_out(struct sp_words *w, size_t at)
{
	char *gap = sp_steal(w->v[at].gap);

	if (at == 0 && w->n > 1) {
		char *begin = gap;

		gap = w->v[1].gap;
		w->v[1].gap = begin;
	}
	word_clear(&w->v[at]);
	w->n--;
	memmove(w->v + at, w->v + at + 1, (w->n - at) * sizeof(*w->v));
	return gap;
}

static void prepend(char **s, const char *what)
{
	char *joined = sp_xasprintf("%s%s", what, *s);

	free(*s);
	*s = joined;
}

void sp_words_drop(struct sp_words *w, size_t at)
{
	bool only = w->n == 1;
	sp_autofree char *gap = sp_words_take_out(w, at);

	if (only)
		prepend(&w->tail, gap);
	else if (at == 0)
		prepend(&w->v[0].gap, gap[0] ? gap + 1 : gap);
	else
		prepend(at < w->n ? &w->v[at].gap : &w->tail, gap[0] ? gap + 1 : gap);
}
