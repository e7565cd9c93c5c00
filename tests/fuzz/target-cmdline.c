/* SPDX-License-Identifier: MIT */
/*
 * The command line: line, our tokens (one a line, "token<displaced"), other tokens of ours that come later, the line
 * as somebody edits it, records of displaced tokens as they may stand in a damaged state.
 */
#include "format/words.h"
#include "targets.h"

static void check_parse(const char *line)
{
	sp_autoargs struct sp_args args = { 0 };
	sp_autowords struct sp_words words = { 0 };
	size_t done = 0;

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n; i++) {
		const struct sp_arg *a = &args.v[i];

		fuzz_check(a->start >= done && a->len > 0 && a->start + a->len <= strlen(line), "token %zu is out of place", i);
		fuzz_check(strlen(a->text) == a->len && memcmp(line + a->start, a->text, a->len) == 0, "token %zu is not the line's",
			   i);
		fuzz_check(sp_token_eq(a->text, a->text), "'%s' is not itself", fuzz_shows(a->text));
		done = a->start + a->len;
	}
	sp_words_parse(line, &words);
	sp_autofree char *same = sp_words_line(&words);
	fuzz_check(sp_streq(line, same), "'%s' is put together as '%s'", fuzz_shows(line), fuzz_shows(same));
	fuzz_check(words.n == args.n && sp_words_limit(&words) <= words.n, "the number of words");
}

/* The token that is in effect is the last of its key. */
static void check_value(const char *line)
{
	sp_autoargs struct sp_args args = { 0 };

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n && i < 8; i++) {
		sp_autofree char *value = sp_cmdline_value(line, args.v[i].key);
		const struct sp_arg *last = NULL;

		for (size_t k = 0; k < args.n; k++)
			if (!args.v[k].for_init && sp_key_eq(args.v[k].key, args.v[i].key))
				last = &args.v[k];
		fuzz_check(last ? sp_streq(value, last->value ? last->value : "") : !value, "the value of '%s' on '%s' is '%s'",
			   fuzz_shows(args.v[i].key), fuzz_shows(line), fuzz_shows(value));
		fuzz_check(last || sp_cmdline_presence(line, args.v[i].text) == SP_ABSENT, "'%s' is there", args.v[i].text);
	}
}

static void there_and_back(const char *line, const struct sp_tokens *to)
{
	const struct sp_tokens none = { 0 };
	sp_autotransition struct sp_transition there = { 0 }, again = { 0 }, back = { 0 };

	sp_cmdline_transition(line, &none, to, &there);
	fuzz_check_foreign(line, there.line, to, NULL);
	fuzz_check_wanted(there.line, to);
	fuzz_check(there.changed.n == 0, "something of nobody was changed");
	for (size_t i = 0; i < there.owned.n; i++)
		fuzz_check(sp_cmdline_presence(line, there.owned.v[i].text) != SP_PRESENT, "'%s' of the administrator became ours",
			   fuzz_shows(there.owned.v[i].text));
	sp_cmdline_transition(there.line, &there.owned, to, &again);
	fuzz_check(sp_streq(there.line, again.line) && sp_tokens_eq(&there.owned, &again.owned) && again.changed.n == 0,
		   "a second time changes '%s' to '%s'", fuzz_shows(there.line), fuzz_shows(again.line));
	sp_cmdline_transition(there.line, &there.owned, &none, &back);
	fuzz_check(sp_streq(line, back.line) && back.owned.n == 0 && back.changed.n == 0, "'%s' comes back from '%s' as '%s'",
		   fuzz_shows(line), fuzz_shows(there.line), fuzz_shows(back.line));
}

/* One set of tokens, then another, then none: no word is lost and none left behind. */
static void chain(const char *line, const struct sp_tokens *one, const struct sp_tokens *two)
{
	const struct sp_tokens none = { 0 };
	sp_autotransition struct sp_transition a = { 0 }, b = { 0 }, back = { 0 };

	sp_cmdline_transition(line, &none, one, &a);
	sp_cmdline_transition(a.line, &a.owned, two, &b);
	fuzz_check_foreign(line, b.line, one, two);
	fuzz_check_wanted(b.line, two);
	sp_cmdline_transition(b.line, &b.owned, &none, &back);
	fuzz_check(back.owned.n == 0, "something of ours is left");
	fuzz_check_words(line, back.line);
}

/* Somebody edits the line in between; and what was recorded meets a line that it has nothing to do with. */
static void edited(const char *line, const char *edit, const struct sp_tokens *to)
{
	const struct sp_tokens none = { 0 };
	sp_autotransition struct sp_transition a = { 0 }, b = { 0 }, back = { 0 };

	sp_cmdline_transition(line, &none, to, &a);
	sp_cmdline_transition(edit, &a.owned, to, &b);
	fuzz_check_foreign(edit, b.line, to, &a.owned);
	fuzz_check_wanted(b.line, to);
	sp_cmdline_transition(b.line, &b.owned, &none, &back);
	fuzz_check_foreign(edit, back.line, to, &a.owned);
	fuzz_check(back.owned.n == 0, "something of ours is left");
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };
	sp_autotokens struct sp_tokens to = { 0 }, later = { 0 }, damaged = { 0 };
	sp_autotransition struct sp_transition t = { 0 };

	fuzz_cut(data, size, &f);
	const char *line = fuzz_text(&f, 0, "");
	fuzz_tokens(fuzz_text(&f, 1, "iommu=pt<amd_iommu=off\namdgpu.gttsize=60416\nconsole=tty0\nnosmt"), &to);
	fuzz_tokens(fuzz_text(&f, 2, "iommu=soft\ntransparent_hugepage=always"), &later);
	fuzz_tokens(fuzz_text(&f, 4, ""), &damaged);
	check_parse(line);
	check_value(line);
	there_and_back(line, &to);
	chain(line, &to, &later);
	edited(line, fuzz_text(&f, 3, "ro iommu=off amdgpu.gttsize=1 nosmt -- x"), &to);
	sp_cmdline_transition(line, &damaged, &to, &t); /* what it says may be anything, "--" in the place of a token */
	check_parse(t.line);
}

static const char *const known[] = { " iommu=pt ", "iommu=off", "\niommu=pt", "amd_iommu=off", "<amd_iommu=off", " -- ", "--",
				     "\"", " x=\"y z\" ", "console=tty0 ", "console=ttyS0", "root=UUID=1 ", "amdgpu.gttsize=60416",
				     "amdgpu.gttsize=1 ", "<@0 ", "<@12  ", "@1 ", "a-b=1 ", "a_b=1", "rd.luks.uuid=1 ", "ip=dhcp ",
				     "\x1e", "=", "  ", NULL };

static const struct fuzz_files files[] = {
	{ "tests/machines/*/proc/cmdline", NULL },
	{ "tests/machines/*/etc/kernel/cmdline", NULL },
	{ "corpus/kernel-cmdline/*", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_cmdline = { .name = "cmdline", .run = run, .words = known, .files = files, .max = 1000 };
