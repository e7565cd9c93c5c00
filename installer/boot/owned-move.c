/* SPDX-License-Identifier: MIT */
/* How a line moves from one record to another, forwards and backwards; the rules are in owned.h. */
#include "boot/owned.h"

#include "format/bls.h"

/* --- lines where keys are only taken out ------------------------------------------------------------------------- */

static bool is_removal(const struct sp_tokens *t)
{
	return t->n == 1 && !*t->v[0].text;
}

/* Does a token stand in the way of `text`? Values of a multi-valued key stand side by side. */
static bool same_slot(const char *token, const char *text)
{
	sp_autofree char *a = sp_token_key(token), *b = sp_token_key(text);

	return sp_key_eq(a, b) && (!sp_key_is_multi(a) || sp_token_eq(token, text));
}

static bool any_same_slot(const struct sp_strv *list, const char *token)
{
	for (size_t i = 0; i < list->n; i++)
		if (same_slot(token, sp_displaced_text(list->v[i])))
			return true;
	return false;
}

/* bytes [start, end) of *line replaced */
static void splice(char **line, size_t start, size_t end, const char *gap_before, const char *text, const char *gap_behind)
{
	char *changed = sp_xasprintf("%.*s%s%s%s%s", (int) start, *line, gap_before, text, gap_behind, *line + end);

	free(*line);
	*line = changed;
}

/* Take token i out with the blanks in front of it (the first one: behind it, unless it stands alone) and record it. */
static void take_out(char **line, const struct sp_args *args, size_t i, struct sp_strv *displaced)
{
	const struct sp_arg *arg = &args->v[i];
	size_t end = arg->start + arg->len;
	size_t from = i > 0 ? args->v[i - 1].start + args->v[i - 1].len : arg->start, to = end;

	if (i == 0 && args->n > 1)
		to = args->v[1].start;
	else if (i == 0)
		from = 0;
	size_t gap_start = i == 0 && args->n > 1 ? end : from;
	size_t gap_end = i == 0 && args->n > 1 ? to : arg->start;
	if (gap_end > gap_start)
		sp_strv_addf(displaced, "@%zu%.*s%s", i, (int) (gap_end - gap_start), *line + gap_start, arg->text);
	else
		sp_strv_add(displaced, arg->text);
	splice(line, from, to, "", "", "");
}

static void take_out_all(char **line, const struct sp_strv *barred, struct sp_strv *displaced)
{
	for (size_t i = 0;;) {
		sp_autoargs struct sp_args args = { 0 };

		sp_args_parse(*line, &args);
		while (i < args.n && !any_same_slot(barred, args.v[i].text))
			i++;
		if (i == args.n || args.v[i].for_init)
			return;
		take_out(line, &args, i, displaced);
	}
}

/* "@N", blanks and text apart; a text alone stood by itself. */
static void parse_record(const char *record, size_t *at, char **gap)
{
	const char *text = sp_displaced_text(record);

	*at = 0;
	*gap = NULL;
	if (text == record)
		return;
	for (record++; *record >= '0' && *record <= '9'; record++)
		*at = *at * 10 + (size_t) (*record - '0');
	*gap = sp_xstrndup(record, (size_t) (text - record));
}

static void put_back(char **line, const char *record)
{
	sp_autoargs struct sp_args args = { 0 };
	sp_autofree char *gap = NULL;
	const char *text = sp_displaced_text(record);
	size_t at = 0, limit = 0;

	sp_args_parse(*line, &args);
	parse_record(record, &at, &gap);
	while (limit < args.n && !args.v[limit].for_init && !sp_token_is_open(args.v[limit].text))
		limit++;
	if (at > limit || (args.n > 0 && !gap))
		at = limit;
	const char *blanks = gap ? gap : " ";
	if (args.n == 0)
		splice(line, 0, 0, gap ? gap : "", text, "");
	else if (at == 0)
		splice(line, args.v[0].start, args.v[0].start, "", text, blanks);
	else
		splice(line, args.v[at - 1].start + args.v[at - 1].len, args.v[at - 1].start + args.v[at - 1].len, blanks,
		       text, "");
}

/* The same key again on the line as it was found: somebody put it there, and that stands. */
static bool is_there_again(const char *found, const char *record)
{
	sp_autoargs struct sp_args args = { 0 };

	sp_args_parse(found, &args);
	for (size_t i = 0; i < args.n; i++)
		if (!args.v[i].for_init && same_slot(args.v[i].text, sp_displaced_text(record)))
			return true;
	return false;
}

static void move_removal(const char *found, const struct sp_tokens *from, const struct sp_tokens *to,
			 struct sp_transition *ret)
{
	sp_autostrv struct sp_strv displaced = { 0 };

	ret->line = sp_xstrdup(found);
	if (is_removal(from))
		for (size_t i = from->v[0].displaced.n; i-- > 0;)
			if (!is_there_again(found, from->v[0].displaced.v[i]))
				put_back(&ret->line, from->v[0].displaced.v[i]);
	if (is_removal(to))
		take_out_all(&ret->line, &to->v[0].displaced, &displaced);
	if (displaced.n > 0)
		sp_tokens_add(&ret->owned, "", &displaced);
}

void sp_owned_bar(const struct sp_tokens *wanted, struct sp_tokens *ret)
{
	sp_autostrv struct sp_strv barred = { 0 };

	for (size_t i = 0; i < wanted->n; i++)
		sp_strv_add(&barred, wanted->v[i].text);
	if (barred.n > 0)
		sp_tokens_add(ret, "", &barred);
}

/* --- lengths that cannot boot ------------------------------------------------------------------------------------ */

static void avoid_bad_length(const char *linux_path, char **line)
{
	sp_autoargs struct sp_args args = { 0 };

	if (!sp_bls_bad_length(linux_path, *line))
		return;
	sp_args_parse(*line, &args);
	if (args.n > 1)
		splice(line, args.v[args.n - 1].start, args.v[args.n - 1].start, " ", "", "");
}

void sp_owned_move(const char *line, const struct sp_tokens *from, const struct sp_tokens *to, const char *linux_path,
		   struct sp_transition *ret)
{
	*ret = (struct sp_transition){ 0 };
	if (is_removal(from) || is_removal(to)) {
		move_removal(line ? line : "", from, to, ret);
		return;
	}
	sp_cmdline_transition(line, from, to, ret);
	if (linux_path)
		avoid_bad_length(linux_path, &ret->line);
}
