/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "format/cmdline.h"

/* Tokens as text: "iommu=pt<@0 iommu=soft<iommu=off;quiet" is two tokens, the first with two displaced ones. */
static void read_tokens(const char *text, struct sp_tokens *ret)
{
	sp_autofree char *copy = sp_xstrdup(text);
	char *save = NULL;

	for (char *t = strtok_r(copy, ";", &save); t; t = strtok_r(NULL, ";", &save)) {
		sp_autostrv struct sp_strv displaced = { 0 };
		char *save2 = NULL, *name = strtok_r(t, "<", &save2);

		for (char *d = strtok_r(NULL, "<", &save2); d; d = strtok_r(NULL, "<", &save2))
			sp_strv_add(&displaced, d);
		sp_tokens_add(ret, name, &displaced);
	}
}

static char *show_tokens(const struct sp_tokens *t)
{
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		sp_buf_addf(&b, "%s%s", i ? ";" : "", t->v[i].text);
		for (size_t k = 0; k < t->v[i].displaced.n; k++)
			sp_buf_addf(&b, "<%s", t->v[i].displaced.v[k]);
	}
	return sp_buf_steal(&b);
}

struct step {
	const char *line, *from, *to;
	const char *want, *owned, *changed;
};

static void check_step(const struct step *s)
{
	sp_autotokens struct sp_tokens from = { 0 }, to = { 0 };
	sp_autotransition struct sp_transition t = { 0 };

	read_tokens(s->from, &from);
	read_tokens(s->to, &to);
	sp_cmdline_transition(s->line, &from, &to, &t);
	sp_autofree char *owned = show_tokens(&t.owned), *changed = sp_strv_join(&t.changed, " ");
	if (!sp_streq(t.line, s->want) || !sp_streq(owned, s->owned) || !sp_streq(changed, s->changed))
		fail_msg("'%s' from '%s' to '%s':\n  '%s' owned '%s' changed '%s'", s->line, s->from, s->to, t.line,
			 owned, changed);
}

/* From nothing of ours to something; each is also undone, and must give the bytes back. */
static const struct step firsts[] = {
	{ "ro quiet", "", "iommu=pt", "ro quiet iommu=pt", "iommu=pt", "" },
	{ "", "", "a=1;b=2", "a=1 b=2", "a=1;b=2", "" },
	{ "   ", "", "a=1", "a=1   ", "a=1", "" },
	{ "ro  quiet  ", "", "a=1;b=2", "ro  quiet a=1 b=2  ", "a=1;b=2", "" },
	{ "\tro\t", "", "a=1", "\tro a=1\t", "a=1", "" },
	{ "ro -- single", "", "a=1;b=2", "ro a=1 b=2 -- single", "a=1;b=2", "" },
	{ "-- single", "", "a=1;b=2", "a=1 b=2 -- single", "a=1;b=2", "" },
	{ "  --", "", "a=1", "  a=1 --", "a=1", "" },
	{ "ro a=2 -- a=3", "", "a=1", "ro a=1 -- a=3", "a=1<a=2", "" },
	{ "ro a=1 quiet", "", "a=1", "ro a=1 quiet", "", "" },
	{ "ro \"a=1\" quiet", "", "a=1", "ro \"a=1\" quiet", "", "" },
	{ "a-b=1", "", "a_b=1", "a-b=1", "", "" },
	{ "ro  a-b=2  quiet", "", "a_b=1", "ro  a_b=1  quiet", "a_b=1<a-b=2", "" },
	{ "ro a=\"x y\" quiet", "", "a=1", "ro a=1 quiet", "a=1<a=\"x y\"", "" },
	{ "a=1 ro a=1", "", "a=1", "ro a=1", "a=1<@0 a=1<a=1", "" },
	{ "a=2  ro\ta=3 x a=4 y", "", "a=1", "ro x a=1 y", "a=1<@0  a=2<@1\ta=3<a=4", "" },
	{ "a a= a=2", "", "a=1", "a=1", "a=1<@0 a<@0 a=<a=2", "" },
	{ "a=2 b=2 a=3 b=3", "", "b=1;a=1", "a=1 b=1", "b=1<@1 b=2<b=3;a=1<@0 a=2<a=3", "" },
	{ "ro x=\"open ended", "", "a=1", "ro a=1 x=\"open ended", "a=1", "" },
	{ "x=\"open ended", "", "a=1", "a=1 x=\"open ended", "a=1", "" },
	{ "ro a=\"open ended", "", "a=1;b=1", "ro a=1 b=1", "a=1<a=\"open ended;b=1", "" },
	{ "b c d e f g h i j k l a=2 m a=3", "", "a=1", "b c d e f g h i j k l m a=1", "a=1<@11 a=2<a=3", "" },
	{ "console=ttyS0", "", "console=tty0", "console=ttyS0 console=tty0", "console=tty0", "" },
	{ "console=tty0 ro", "", "console=tty0", "console=tty0 ro", "", "" },
	{ "ro", "", "a=1;a=2", "ro a=2", "a=2", "" },
	{ "ro", "", "--;b c;x=\"y;\"\";a=1", "ro a=1", "a=1", "" },
	{ "ro", "", "", "ro", "", "" },
	/* foreign tokens of other keys that a token is said to displace go with it, and come back with it */
	{ "ro foe=off quiet", "", "a=1<foe=off", "ro quiet a=1", "a=1<@1 foe=off", "" },
	{ "foe=off ro a=2  foe=on", "", "a=1<foe=off<a=*", "ro a=1  foe=on", "a=1<@0 foe=off<a=2", "" },
	{ "ro", "", "a=1<foe=off", "ro a=1", "a=1", "" },
};

static void first_and_back(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(firsts); i++) {
		const struct step *s = &firsts[i];
		struct step back = { s->want, s->owned, "", s->line, "", "" };
		struct step again = { s->want, s->owned, s->to, s->want, s->owned, "" };

		check_step(s);
		check_step(&again);
		check_step(&back);
	}
}

static void later_steps(void **state)
{
	static const struct step steps[] = {
		/* another value: where it stands, keeping what it displaced */
		{ "ro a=1 x", "a=1<a=9", "a=2", "ro a=2 x", "a=2<a=9", "" },
		{ "ro a=1 x", "a=1", "a=1;b=1", "ro a=1 x b=1", "a=1;b=1", "" },
		/* one of two goes */
		{ "ro a=1 b=1", "a=1;b=1", "b=1", "ro b=1", "b=1", "" },
		{ "a=1 ro", "a=1", "", "ro", "", "" },
		{ "ro   a=1   x", "a=1", "", "ro     x", "", "" },
		/* displaced ones as their texts alone are put in a row */
		{ "ro a=1 x", "a=1<a=7<a=8", "", "ro a=7 a=8 x", "", "" },
		/* ours is gone, nothing of the key is left */
		{ "ro x", "a=1", "", "ro x", "", "" },
		{ "ro x", "a=1<@0 a=7<a=8", "", "ro x a=7 a=8", "", "" },
		{ "ro x -- y", "a=1<a=8", "", "ro x a=8 -- y", "", "" },
		{ "ro x", "a=1<a=8", "a=1", "ro x a=1", "a=1<a=8", "" },
		/* somebody changed ours */
		{ "ro a=5", "a=1", "", "ro a=5", "", "a" },
		{ "ro a=5", "a=1<a=8", "", "ro a=5", "", "a" },
		{ "ro a=5", "a=1<a=8", "a=1", "ro a=1", "a=1<a=5", "a" },
		{ "ro a=5", "a=1", "a=2", "ro a=2", "a=2<a=5", "a" },
		/* to the very value that comes next: still the key we own */
		{ "ro a=2", "a=1<a=8", "a=2", "ro a=2", "a=2<a=8", "" },
		/* somebody undid ours by hand */
		{ "ro a=8", "a=1<a=8", "", "ro a=8", "", "" },
		{ "a=7 ro a=8", "a=1<@0 a=7<a=8", "", "a=7 ro a=8", "", "" },
		{ "ro a=8", "a=1<a=8", "a=1", "ro a=1", "a=1<a=8", "" },
		/* a foreign one stands beside ours */
		{ "ro a=1 x a=5", "a=1", "", "ro x a=5", "", "" },
		{ "ro a=1 x a=5 y", "a=1<a=8", "a=1", "ro a=1 x y", "a=1<a=8<@3 a=5", "" },
		{ "a=5 ro a=1", "a=1", "a=1", "ro a=1", "a=1<@0 a=5", "" },
		{ "ro a=1 x y", "a=1<a=8<@3 a=5", "", "ro a=8 x a=5 y", "", "" },
		/* copies of ours go with it */
		{ "ro a=1 x a=1", "a=1", "", "ro x", "", "" },
		{ "ro a=1 x a=1", "a=1", "a=1", "ro a=1 x", "a=1", "" },
		{ "ro a=1 x \"a=1\"", "a=1", "a=2", "ro a=2 x", "a=2", "" },
		/* ours in another spelling is ours */
		{ "ro a-b=1", "a_b=1", "", "ro", "", "" },
		{ "ro \"a=1\"", "a=1", "a=1", "ro \"a=1\"", "a=1", "" },
		/* behind "--" nothing is ours */
		{ "ro -- a=1", "a=1", "", "ro -- a=1", "", "" },
		/* multi-valued: by key and value */
		{ "console=tty0 console=ttyS0", "console=ttyS0", "", "console=tty0", "", "" },
		{ "console=tty0", "console=ttyS0", "", "console=tty0", "", "" },
		{ "console=tty0 console=ttyS0", "console=ttyS0", "console=ttyS1", "console=tty0 console=ttyS1",
		  "console=ttyS1", "" },
		{ "ip=dhcp ro", "ip=dhcp;ip=ibft", "ip=dhcp;ip=ibft", "ip=dhcp ro ip=ibft", "ip=dhcp;ip=ibft", "" },
		/* an open quote comes last */
		{ "ro a=1 x", "a=1<a=\"p q", "", "ro x a=\"p q", "", "" },
		{ "ro x", "a=1<a=\"p q", "", "ro x a=\"p q", "", "" },
		{ "ro a=1  ", "a=1<a=\"p q", "", "ro a=\"p q", "", "" },
		{ "ro a=1 -- x", "a=1<a=\"p q", "", "ro a=\"p q\" -- x", "", "" },
		{ "ro a=1 b=\"x y", "a=1<a=\"p q", "", "ro a=\"p q\" b=\"x y", "", "" },
		/* positions that are not there any more */
		{ "a=1", "a=1<@7  a=5<a=6", "", "a=6  a=5", "", "" },
		{ "a=1 -- y", "a=1<@99999999999999999999999 a=5<a=6", "", "a=6 a=5 -- y", "", "" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(steps); i++)
		check_step(&steps[i]);
	assert_string_equal(sp_displaced_text("@3 a=5"), "a=5");
	assert_string_equal(sp_displaced_text("a=5"), "a=5");
	assert_string_equal(sp_displaced_text("@home"), "@home");
	assert_string_equal(sp_displaced_text("@3"), "@3");
}

static void no_line_is_an_empty_one(void **state)
{
	struct step s = { NULL, "", "a=1", "a=1", "a=1", "" };

	(void) state;
	check_step(&s);
}

/* A small generator with a fixed seed (xorshift64, Marsaglia 2003): every run tests the same lines. */
static uint64_t seed = 0x5eed;

static size_t random_below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t) (seed % n);
}

static const char *const foreign_words[] = {
	"ro",	      "quiet",		"root=UUID=1-2",  "x=\"y z\"",
	"\"w=q  r\"", "rd.luks.uuid=1", "rd.luks.uuid=2", "video=efifb:off",
	"@1",	      "@2=3",		"=odd",		  "\"\"",
	"dash-ed=1",  "dash_ed=1",	"x=y\"z a\"b",	  "ip=dhcp",
};
static const char *const key_words[] = {
	"iommu=off",  "iommu=pt",   "\"iommu=pt\"", "iommu",	      "iommu=",	      "iommu=\"a b\"", "am-d.x_y=1",
	"am_d.x-y=1", "am_d.x_y=2", "thp=always",   "thp=\"always\"", "console=tty0", "console=ttyS0",
};
static const char *const our_words[] = { "iommu=pt",   "iommu=soft",   "am_d.x_y=1",   "am_d.x_y=2",
					 "thp=always", "console=tty0", "console=hvc0", "fresh=1" };
static const char *const gaps[] = { " ", " ", " ", " ", "  ", "\t", " \t ", "     " };

#define PICK(list) ((list)[random_below(SP_ELEMENTS(list))])

static char *random_line(void)
{
	size_t n = random_below(12);
	struct sp_buf b = { 0 };

	if (random_below(4) == 0)
		sp_buf_adds(&b, PICK(gaps));
	for (size_t i = 0; i < n; i++) {
		bool dashes = random_below(20) == 0, open = i + 1 == n && random_below(8) == 0;

		sp_buf_adds(&b, i ? PICK(gaps) : "");
		if (open)
			sp_buf_adds(&b, random_below(2) ? "x=\"op en" : "iommu=\"op en");
		else
			sp_buf_adds(&b, dashes ? "--" : (random_below(2) ? PICK(key_words) : PICK(foreign_words)));
	}
	if (random_below(4) == 0)
		sp_buf_adds(&b, PICK(gaps));
	return sp_buf_steal(&b);
}

static void random_tokens(struct sp_tokens *ret)
{
	for (size_t n = random_below(6); n > 0; n--)
		sp_tokens_add(ret, PICK(our_words), NULL);
}

static bool key_is_ours(const char *key)
{
	for (size_t i = 0; i < SP_ELEMENTS(our_words); i++) {
		sp_autofree char *k = sp_token_key(our_words[i]);

		if (sp_key_eq(k, key))
			return true;
	}
	return false;
}

/* The words of a line, sorted; all of them, or those that no step of ours may touch, with their order. */
static char *words_of(const char *line, bool foreign_only)
{
	sp_autoargs struct sp_args args = { 0 };
	sp_autostrv struct sp_strv list = { 0 };

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n; i++)
		if (!foreign_only || args.v[i].for_init || !key_is_ours(args.v[i].key))
			sp_strv_add(&list, args.v[i].text);
	if (!foreign_only)
		sp_strv_sort(&list);
	return sp_strv_join(&list, "\n");
}

static void assert_same_words(const char *a, const char *b, bool foreign_only)
{
	sp_autofree char *x = words_of(a, foreign_only), *y = words_of(b, foreign_only);

	if (!sp_streq(x, y))
		fail_msg("words differ: '%s' and '%s'", a, b);
}

static void assert_wanted(const char *line, const struct sp_tokens *to)
{
	for (size_t i = 0; i < to->n; i++) {
		sp_autofree char *key = sp_token_key(to->v[i].text);
		const char *last = NULL;

		for (size_t k = 0; k < to->n; k++) {
			sp_autofree char *other = sp_token_key(to->v[k].text);

			if (sp_key_eq(key, other))
				last = to->v[k].text;
		}
		if (sp_key_is_multi(key))
			assert_in_range(sp_cmdline_presence(line, to->v[i].text), SP_PRESENT, SP_EFFECTIVE);
		else if (sp_cmdline_presence(line, last) != SP_PRESENT)
			fail_msg("'%s' is not once and alone on '%s'", last, line);
	}
}

static void random_lines(void **state)
{
	const struct sp_tokens none = { 0 };

	(void) state;
	for (int i = 0; i < 2500; i++) {
		sp_autofree char *line = random_line();
		sp_autotokens struct sp_tokens to = { 0 };
		sp_autotransition struct sp_transition first = { 0 }, again = { 0 }, back = { 0 };

		random_tokens(&to);
		sp_cmdline_transition(line, &none, &to, &first);
		assert_same_words(line, first.line, true);
		assert_wanted(first.line, &to);
		assert_int_equal(first.changed.n, 0);

		sp_cmdline_transition(first.line, &first.owned, &to, &again);
		assert_string_equal(first.line, again.line);
		assert_true(sp_tokens_eq(&first.owned, &again.owned));
		assert_int_equal(again.changed.n, 0);

		sp_cmdline_transition(first.line, &first.owned, &none, &back);
		assert_string_equal(line, back.line);
		assert_int_equal(back.owned.n, 0);
		assert_int_equal(back.changed.n, 0);
	}
}

/* Any row of steps and then nothing of ours: the same words as at first, none lost, none left behind. */
static void random_chains(void **state)
{
	const struct sp_tokens none = { 0 };

	(void) state;
	for (int i = 0; i < 1200; i++) {
		sp_autofree char *line = random_line(), *now = sp_xstrdup(line);
		sp_autotokens struct sp_tokens owned = { 0 };
		size_t steps = 1 + random_below(4);

		for (size_t k = 0; k <= steps; k++) {
			sp_autotokens struct sp_tokens to = { 0 };
			sp_autotransition struct sp_transition t = { 0 };

			if (k < steps)
				random_tokens(&to);
			sp_cmdline_transition(now, &owned, k < steps ? &to : &none, &t);
			assert_wanted(t.line, &to);
			assert_same_words(line, t.line, true);
			free(now);
			now = sp_steal(t.line);
			sp_tokens_clear(&owned);
			sp_tokens_copy(&owned, &t.owned);
		}
		assert_int_equal(owned.n, 0);
		assert_same_words(line, now, false);
	}
}

/* Somebody edits between the steps: what they wrote is never lost. */
static void random_edits(void **state)
{
	const struct sp_tokens none = { 0 };

	(void) state;
	for (int i = 0; i < 1200; i++) {
		sp_autofree char *line = random_line(), *other = random_line();
		sp_autofree char *edited = NULL;
		sp_autotokens struct sp_tokens to = { 0 };
		sp_autotransition struct sp_transition first = { 0 }, second = { 0 }, back = { 0 }, gone = { 0 };

		random_tokens(&to);
		sp_cmdline_transition(line, &none, &to, &first);
		edited = sp_xasprintf("%s %s", other, first.line);
		sp_cmdline_transition(edited, &first.owned, &to, &second);
		assert_same_words(edited, second.line, true);
		sp_cmdline_transition(second.line, &second.owned, &none, &back);
		assert_same_words(edited, back.line, true);
		/* a line that has nothing to do with what was recorded */
		sp_cmdline_transition(other, &first.owned, &none, &gone);
		assert_same_words(other, gone.line, true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_and_back),	   cmocka_unit_test(later_steps),
		cmocka_unit_test(no_line_is_an_empty_one), cmocka_unit_test(random_lines),
		cmocka_unit_test(random_chains),	   cmocka_unit_test(random_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
