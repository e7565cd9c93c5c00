/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "targets.h"

static bool is_one(const char *text)
{
	sp_autoargs struct sp_args args = { 0 };

	sp_args_parse(text, &args);
	return args.n == 1 && sp_streq(args.v[0].text, text) && *args.v[0].key && !args.v[0].for_init && !sp_token_is_open(text);
}

static void read_tokens(const char *text, struct sp_tokens *ret)
{
	sp_autostrv struct sp_strv lines = { 0 };

	fuzz_lines(text, &lines);
	for (size_t i = 0; i < lines.n; i++) {
		sp_autostrv struct sp_strv displaced = { 0 };
		char *rest = lines.v[i], *token = strsep(&rest, "<");

		for (char *one; (one = strsep(&rest, "<"));)
			sp_strv_add(&displaced, one);
		sp_tokens_add(ret, token, &displaced);
	}
}

static bool is_displaced(const struct sp_tokens *to, const char *text)
{
	for (size_t i = 0; i < to->n; i++)
		for (size_t k = 0; k < to->v[i].displaced.n; k++)
			if (sp_token_eq(sp_displaced_text(to->v[i].displaced.v[k]), text))
				return true;
	return false;
}

/* A token that another one displaces cannot stand beside it: no catalogue asks for both. */
void fuzz_tokens(const char *text, struct sp_tokens *ret)
{
	sp_autotokens struct sp_tokens all = { 0 };

	read_tokens(text, &all);
	for (size_t i = 0; i < all.n; i++)
		if (!is_displaced(&all, all.v[i].text))
			sp_tokens_add(ret, all.v[i].text, &all.v[i].displaced);
}

/* Does one of these tokens have the key, or displace something of it? */
static bool concerns(const struct sp_tokens *tokens, const char *key)
{
	for (size_t i = 0; i < tokens->n; i++) {
		const struct sp_token *t = &tokens->v[i];

		for (size_t k = 0; k <= t->displaced.n; k++) {
			sp_autofree char *own = sp_token_key(k ? sp_displaced_text(t->displaced.v[k - 1]) : t->text);

			if (sp_key_eq(own, key))
				return true;
		}
	}
	return false;
}

/* The last of them with this key; tokens of a multi-valued key stand beside each other. */
static bool counts(const struct sp_tokens *to, size_t i)
{
	sp_autofree char *key = sp_token_key(to->v[i].text);

	for (size_t k = i + 1; k < to->n; k++) {
		sp_autofree char *other = sp_token_key(to->v[k].text);

		if (is_one(to->v[k].text) && sp_key_eq(key, other) && !sp_key_is_multi(key))
			return false;
	}
	return true;
}

void fuzz_check_wanted(const char *line, const struct sp_tokens *to)
{
	for (size_t i = 0; i < to->n; i++) {
		const char *text = to->v[i].text;

		if (!is_one(text) || !counts(to, i))
			continue;
		enum sp_presence p = sp_cmdline_presence(line, text);
		sp_autofree char *key = sp_token_key(text);
		fuzz_check(p == SP_PRESENT || (p == SP_EFFECTIVE && sp_key_is_multi(key)), "'%s' is not once and alone on '%s'",
			   fuzz_shows(text), fuzz_shows(line));
	}
}

static char *words_of(const char *line, const struct sp_tokens *a, const struct sp_tokens *b, bool sort)
{
	sp_autoargs struct sp_args args = { 0 };
	sp_autostrv struct sp_strv list = { 0 };

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n; i++)
		if (args.v[i].for_init || ((!a || !concerns(a, args.v[i].key)) && (!b || !concerns(b, args.v[i].key))))
			sp_strv_add(&list, args.v[i].text);
	if (sort)
		sp_strv_sort(&list);
	return sp_strv_join(&list, "\n");
}

void fuzz_check_foreign(const char *before, const char *after, const struct sp_tokens *to, const struct sp_tokens *more)
{
	sp_autofree char *x = words_of(before, to, more, false), *y = words_of(after, to, more, false);

	fuzz_check(sp_streq(x, y), "words of others changed: '%s' became '%s'", fuzz_shows(before), fuzz_shows(after));
}

void fuzz_check_words(const char *before, const char *after)
{
	sp_autofree char *x = words_of(before, NULL, NULL, true), *y = words_of(after, NULL, NULL, true);

	fuzz_check(sp_streq(x, y), "not the same words: '%s' and '%s'", fuzz_shows(before), fuzz_shows(after));
}

/* --- files ------------------------------------------------------------------------------------------------------- */

/* Several lines of a file are one. */
static bool is_joined(const struct sp_host *host)
{
	return host->kind == SP_HOST_PLAIN || host->kind == SP_HOST_BLS_ALL;
}

/* The line is moved to `to`; false: refused, which only the first step may be. */
static bool move(const struct sp_host *host, const struct sp_buf *file, const struct sp_tokens *from,
		 const struct sp_tokens *to, struct sp_buf *ret, struct sp_tokens *owned)
{
	sp_autofree char *line = NULL, *now = NULL;
	sp_autotransition struct sp_transition t = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	int r = sp_host_get(host, file, &line, &err);

	fuzz_check(r == 0 || (err && err->message && err->code == r), "an error of get says nothing");
	if (r < 0 && r != -ENOENT)
		return false;
	sp_error_free(sp_steal(err));
	sp_cmdline_transition(line, from, to, &t);
	r = sp_host_put(host, file, t.line, ret, &err);
	fuzz_check(r == 0 || (err && err->message && err->code == r), "an error of put says nothing");
	if (r < 0)
		return false;
	r = sp_host_get(host, ret, &now, NULL);
	fuzz_check(r == 0 || (r == -ENOENT && !*t.line), "what was written cannot be read: %d", r);
	if (is_joined(host)) /* the blanks between words are those of the file */
		fuzz_check_words(t.line, now ? now : "");
	else
		fuzz_check(sp_streq(now ? now : "", t.line), "'%s' was written and '%s' is read", fuzz_shows(t.line),
			   fuzz_shows(now));
	fuzz_tighten(ret);
	sp_tokens_copy(owned, &t.owned);
	return true;
}

static void check_same(const struct sp_host *host, const struct sp_buf *file)
{
	sp_autofree char *line = NULL;
	sp_autobuf struct sp_buf out = { 0 };

	if (sp_host_get(host, file, &line, NULL) < 0)
		return;
	fuzz_check(sp_host_put(host, file, line, &out, NULL) == 0, "its own line is refused");
	fuzz_check(sp_buf_eq(file, &out), "its own line changes it:\n'%s'\n'%s'", fuzz_show(file->data, file->len),
		   fuzz_show(out.data, out.len));
}

/* Bytes, or the words where they may differ. */
static void check_back(const struct sp_host *host, const struct sp_buf *file, const struct sp_buf *back, bool exact)
{
	sp_autofree char *was = NULL, *is = NULL;

	if (sp_buf_eq(file, back))
		return;
	int r = sp_host_get(host, file, &was, NULL), now = sp_host_get(host, back, &is, NULL);
	fuzz_check(!exact && r == now, "not the same bytes when undone:\n'%s'\n'%s'", fuzz_show(file->data, file->len),
		   fuzz_show(back->data, back->len));
	if (r == 0)
		fuzz_check_foreign(was, is, NULL, NULL);
}

/* In a file of several lines a token that was taken out comes back in its place on the whole line, not on its own. */
static bool is_spread(const struct sp_host *host, const struct sp_buf *file, const struct sp_tokens *owned)
{
	const char *nl = memchr(file->data, '\n', file->len);
	bool taken_out = false;

	for (size_t i = 0; i < owned->n; i++)
		for (size_t k = 0; k < owned->v[i].displaced.n; k++)
			taken_out |= sp_displaced_text(owned->v[i].displaced.v[k]) != owned->v[i].displaced.v[k];
	return is_joined(host) && nl && nl + 1 < file->data + file->len && taken_out;
}

/* What is written to files is safe everywhere; the catalogue sees to that. */
static void take_safe(const struct sp_tokens *all, struct sp_tokens *ret)
{
	for (size_t i = 0; i < all->n; i++)
		if (sp_token_is_safe(all->v[i].text))
			sp_tokens_add(ret, all->v[i].text, &all->v[i].displaced);
}

bool fuzz_check_host(const struct sp_host *host, const struct sp_buf *file, const struct sp_tokens *all, bool exact,
		     struct sp_buf *ret)
{
	const struct sp_tokens none = { 0 };
	sp_autotokens struct sp_tokens safe = { 0 };
	const struct sp_tokens *to = &safe;
	sp_autobuf struct sp_buf again = { 0 }, back = { 0 };
	sp_autotokens struct sp_tokens owned = { 0 }, owned2 = { 0 }, left = { 0 };
	sp_autofree char *was = NULL, *is = NULL;

	take_safe(all, &safe);
	check_same(host, file);
	if (!move(host, file, &none, to, ret, &owned))
		return false;
	if (sp_host_get(host, file, &was, NULL) == 0 && sp_host_get(host, ret, &is, NULL) == 0)
		fuzz_check_foreign(was, is, to, NULL);
	fuzz_check(move(host, ret, &owned, to, &again, &owned2), "a second time is refused");
	fuzz_check(sp_buf_eq(ret, &again) && sp_tokens_eq(&owned, &owned2), "a second time changes it:\n'%s'\n'%s'", fuzz_show(ret->data, ret->len),
		   fuzz_show(again.data, again.len));
	fuzz_check(move(host, ret, &owned, &none, &back, &left), "the way back is refused");
	fuzz_check(left.n == 0, "something of ours is left");
	check_back(host, file, &back, exact && !is_spread(host, file, &owned));
	return true;
}
