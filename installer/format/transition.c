/* SPDX-License-Identifier: MIT */
/*
 * How a line moves from one set of our tokens to another; the rules are in
 * cmdline.h. What makes it invertible:
 *
 * Every step (append, set, take out) has an exact inverse, and what the
 * inverse needs is kept with the token that the step was made for: the old
 * text where a token of ours replaced one, and the position with the blanks
 * where one was taken out. Undoing walks the tokens of `from` backwards, and
 * each token's records backwards, so that a position is looked up on the same
 * row of words that it was counted on. Hence `owned` is in the order in which
 * the tokens came to be ours. When somebody edited the line in between, a
 * position may be off by a word: nothing is lost by that, because the order of
 * different keys means nothing to the kernel.
 */
#include "format/cmdline.h"

#include "format/words.h"

/* A displaced token as it is recorded; see struct sp_token. */
struct record {
	bool taken_out; /* else it stood where ours stands */
	size_t index;	/* words in front of it */
	char *gap;
	const char *text; /* borrowed */
};

static size_t blanks_at(const char *s)
{
	return strspn(s, " \t\n\v\f\r");
}

static void record_parse(const char *displaced, struct record *ret)
{
	size_t digits = displaced[0] == '@' ? strspn(displaced + 1, "0123456789") : 0;
	size_t gap = digits ? blanks_at(displaced + 1 + digits) : 0;

	*ret = (struct record){ .text = displaced };
	if (!gap)
		return;
	ret->taken_out = true;
	for (size_t i = 1; i <= digits && ret->index < SIZE_MAX / 100; i++)
		ret->index = ret->index * 10 + (size_t) (displaced[i] - '0');
	ret->gap = sp_xstrndup(displaced + 1 + digits, gap);
	ret->text = displaced + 1 + digits + gap;
}

const char *sp_displaced_text(const char *displaced)
{
	struct record r;

	record_parse(displaced, &r);
	free(r.gap);
	return r.text;
}

/* One word that can be told apart again on any line. What is not is never written. */
static bool is_token(const char *text)
{
	sp_autoargs struct sp_args args = { 0 };

	sp_args_parse(text, &args);
	return args.n == 1 && args.v[0].len == strlen(text) && *args.v[0].key && !args.v[0].for_init &&
	       !sp_token_is_open(text);
}

/* Most tokens are told apart by this, without taking them to pieces. */
static char first_of_key(const char *token)
{
	char c = token[strspn(token, "\"")];

	return c == '-' ? '_' : c;
}

/* Do two tokens want the same place? Values of a multi-valued key stand side by side. */
static bool same_slot(const char *a, const char *b)
{
	if (first_of_key(a) != first_of_key(b))
		return false;
	sp_autofree char *x = sp_token_key(a), *y = sp_token_key(b);

	return sp_key_eq(x, y) && (!sp_key_is_multi(x) || sp_token_eq(a, b));
}

static const struct sp_token *find_slot(const struct sp_tokens *t, const char *text)
{
	for (size_t i = t->n; i-- > 0;)
		if (is_token(t->v[i].text) && same_slot(t->v[i].text, text))
			return &t->v[i];
	return NULL;
}

static bool word_is(const struct sp_words *w, size_t at, const char *text)
{
	return sp_token_eq(w->v[at].text, text);
}

/* Words in which the kernel looks for parameters: all before "--", and one with an open quote, too. */
static size_t kernel_words(const struct sp_words *w)
{
	size_t n = sp_words_limit(w);

	return n < w->n && sp_token_is_open(w->v[n].text) ? n + 1 : n;
}

/* How many words stand in the slot of text, and the last of them. */
static size_t count_slot(const struct sp_words *w, const char *text, size_t *last)
{
	size_t count = 0;

	for (size_t i = 0, n = kernel_words(w); i < n; i++)
		if (same_slot(w->v[i].text, text)) {
			count++;
			*last = i;
		}
	return count;
}

/*
 * Our token, the first one equal to it. Further equal ones are copies that a tool made (a generator that joins two
 * variables, for instance) and go at once: they would stay behind when ours is taken out.
 */
static bool find_ours(struct sp_words *w, const char *text, size_t *at)
{
	bool found = false;

	for (size_t i = 0, n = kernel_words(w); i < n;) {
		if (!word_is(w, i, text)) {
			i++;
		} else if (found) {
			sp_words_drop(w, i);
			n--;
		} else {
			found = true;
			*at = i++;
		}
	}
	return found;
}

/*
 * Put a word in, in front of what must stay last; returns where. One with an open quote swallows what stands behind
 * it: it goes to the end, or, where the end is taken, its quote is closed, which gives the kernel the same value.
 */
static size_t insert(struct sp_words *w, size_t wanted, const char *text, const char *gap)
{
	size_t limit = sp_words_limit(w);
	bool open = sp_token_is_open(text);
	size_t at = wanted < limit && !(open && limit == w->n) ? wanted : limit;
	sp_autofree char *word = sp_xasprintf("%s%s", text, open && at < w->n ? "\"" : "");

	sp_words_insert(w, at, word, gap);
	return at;
}

static void append(struct sp_words *w, const char *text)
{
	(void) insert(w, w->n, text, " ");
}

/* Put text in the place of a word, or at the end if it must be there. */
static void set_word(struct sp_words *w, size_t at, const char *text)
{
	if (!sp_token_is_open(text) || at + 1 == w->n) {
		sp_words_set(w, at, text);
		return;
	}
	sp_words_drop(w, at);
	append(w, text);
}

/* Are all tokens in this slot ones that we once displaced? Then somebody has put the line back already. */
static bool all_displaced(const struct sp_words *w, const struct sp_token *t)
{
	for (size_t i = 0, n = kernel_words(w); i < n; i++) {
		bool known = false;

		if (!same_slot(w->v[i].text, t->text))
			continue;
		for (size_t k = 0; k < t->displaced.n && !known; k++)
			known = sp_streq(sp_displaced_text(t->displaced.v[k]), w->v[i].text);
		if (!known)
			return false;
	}
	return true;
}

static void note_changed(struct sp_strv *changed, const char *text)
{
	sp_strv_take(changed, sp_token_key(text));
}

/* Our token stands at `at`: put back what it displaced, or take it out. */
static void give_back(struct sp_words *w, const struct sp_token *t, size_t at)
{
	const char *in_place = NULL;

	for (size_t i = t->displaced.n; i-- > 0;) {
		struct record r;

		record_parse(t->displaced.v[i], &r);
		if (!r.taken_out && !in_place) {
			in_place = r.text;
		} else {
			size_t wanted = r.taken_out ? r.index : at;

			if (insert(w, wanted, r.text, r.taken_out ? r.gap : " ") <= at)
				at++;
		}
		free(r.gap);
	}
	if (in_place)
		set_word(w, at, in_place);
	else
		sp_words_drop(w, at);
}

static void disown(struct sp_words *w, const struct sp_token *t, struct sp_strv *changed)
{
	size_t at = 0;

	if (find_ours(w, t->text, &at)) {
		give_back(w, t, at);
	} else if (count_slot(w, t->text, &at) == 0) {
		/* Positions mean little now, the order does: the last one of a key is in effect. */
		for (size_t i = 0; i < t->displaced.n; i++)
			append(w, sp_displaced_text(t->displaced.v[i]));
	} else if (!all_displaced(w, t)) {
		note_changed(changed, t->text);
	}
}

/* Must a word go for `wanted` to stand: one of its slot, or a foreign one that it is said to displace? */
static bool is_in_the_way(const struct sp_token *wanted, const char *word)
{
	for (size_t i = 0; i < wanted->displaced.n; i++)
		if (sp_token_eq(sp_displaced_text(wanted->displaced.v[i]), word))
			return true;
	return same_slot(word, wanted->text);
}

/* Take every other word that is in the way out and record it; returns where the word at `at` stands afterwards. */
static size_t take_out_others(struct sp_words *w, const struct sp_token *wanted, size_t at, struct sp_strv *displaced)
{
	for (size_t i = 0, n = kernel_words(w); i < n;) {
		if (i == at || !is_in_the_way(wanted, w->v[i].text)) {
			i++;
			continue;
		}
		sp_autofree char *was = sp_xstrdup(w->v[i].text);
		sp_autofree char *gap = sp_words_take_out(w, i);

		n--;
		sp_strv_addf(displaced, "@%zu%s%s", i, gap, was);
		if (i < at)
			at--;
	}
	return at;
}

/* Make a token stand on the line, once and alone in its slot. old: what was ours in the slot, or NULL. */
static void claim(struct sp_words *w, const struct sp_token *wanted, const struct sp_token *old, struct sp_transition *ret)
{
	const char *text = wanted->text;
	sp_autostrv struct sp_strv displaced = { 0 };
	size_t at = 0;
	bool ours = old && find_ours(w, old->text, &at);
	size_t last = 0, count = count_slot(w, text, &last);

	if (!old && count == 1 && word_is(w, last, text))
		return; /* the administrator wants the same: it is not ours to take out again */
	if (old && !ours && count > 0 && word_is(w, last, text)) {
		ours = true; /* the key was ours, and somebody gave it the very value that we are about to give */
		at = last;
	}
	if (ours || count == 0) {
		if (old)
			sp_strv_copy(&displaced, &old->displaced);
	} else if (old && !all_displaced(w, old)) {
		note_changed(&ret->changed, text);
	}
	if (count == 0) {
		(void) take_out_others(w, wanted, insert(w, w->n, text, " "), &displaced);
	} else {
		at = take_out_others(w, wanted, ours ? at : last, &displaced);
		if (!ours)
			sp_strv_add(&displaced, w->v[at].text);
		if (!word_is(w, at, text))
			sp_words_set(w, at, text);
	}
	sp_tokens_add(&ret->owned, text, &displaced);
}

void sp_cmdline_transition(const char *line, const struct sp_tokens *from, const struct sp_tokens *to,
			   struct sp_transition *ret)
{
	sp_autowords struct sp_words w = { 0 };

	*ret = (struct sp_transition){ 0 };
	sp_words_parse(line ? line : "", &w);
	for (size_t i = from->n; i-- > 0;)
		if (!find_slot(to, from->v[i].text))
			disown(&w, &from->v[i], &ret->changed);
	/* What is ours already comes first, so that `owned` stays in the order in which it came to be ours. */
	for (size_t i = 0; i < from->n; i++) {
		const struct sp_token *wanted = find_slot(to, from->v[i].text);

		if (wanted && !find_slot(&ret->owned, wanted->text))
			claim(&w, wanted, &from->v[i], ret);
	}
	for (size_t i = 0; i < to->n; i++)
		if (is_token(to->v[i].text) && find_slot(to, to->v[i].text) == &to->v[i] &&
		    !find_slot(from, to->v[i].text))
			claim(&w, &to->v[i], NULL, ret);
	if (w.n > 0 && sp_token_is_open(w.v[w.n - 1].text))
		*w.tail = '\0'; /* put back to the end, it would take these blanks for its own */
	ret->line = sp_words_line(&w);
}

void sp_transition_clear(struct sp_transition *t)
{
	free(t->line);
	sp_tokens_clear(&t->owned);
	sp_strv_clear(&t->changed);
	*t = (struct sp_transition){ 0 };
}
