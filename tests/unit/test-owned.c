/* SPDX-License-Identifier: MIT */
/* What is ours: the list, its JSON, and how a line moves from one record to another. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/owned.h"
#include "format/bls.h"

/* "iommu=pt quiet" as tokens without anything displaced */
static void add_tokens(struct sp_tokens *t, const char *text)
{
	sp_autoargs struct sp_args args = { 0 };

	sp_args_parse(text, &args);
	for (size_t i = 0; i < args.n; i++)
		sp_tokens_add(t, args.v[i].text, NULL);
}

/* --- the list ---------------------------------------------------------------------------------------------------- */

static void list_knows_lines_of_one_file_apart(void **state)
{
	const struct sp_host a = { SP_HOST_SHELL, (char *) "A" }, b = { SP_HOST_SHELL, (char *) "B" };
	sp_autoowned struct sp_owned_list list = { 0 };
	sp_autotokens struct sp_tokens one = { 0 }, two = { 0 }, none = { 0 };

	(void) state;
	add_tokens(&one, "iommu=pt");
	add_tokens(&two, "iommu=pt quiet");
	sp_owned_set_tokens(&list, "/etc/default/grub", &a, &one);
	sp_owned_set_tokens(&list, "/etc/default/grub", &b, &none);
	assert_int_equal(list.n, 2);
	sp_owned_set_tokens(&list, "/etc/default/grub", &a, &two);
	assert_int_equal(list.n, 2);
	assert_int_equal(sp_owned_find(&list, "/etc/default/grub", "A")->tokens.n, 2);
	assert_non_null(sp_owned_find(&list, "/etc/default/grub", "B"));
	assert_int_equal(sp_owned_find(&list, "/etc/default/grub", "B")->tokens.n, 0);
	assert_null(sp_owned_find(&list, "/etc/default/grub", NULL));
	assert_null(sp_owned_find(&list, "/etc/kernel/cmdline", "A"));
	/* A record may be set from itself. */
	struct sp_owned *self = sp_owned_find(&list, "/etc/default/grub", "A");
	sp_owned_set_tokens(&list, self->path, &self->host, &self->tokens);
	assert_int_equal(sp_owned_find(&list, "/etc/default/grub", "A")->tokens.n, 2);
}

static void whole_files_come_and_go(void **state)
{
	sp_autoowned struct sp_owned_list list = { 0 };

	(void) state;
	sp_owned_set_whole(&list, "/etc/a", "1\n");
	sp_owned_set_whole(&list, "/etc/b", "2\n");
	sp_owned_set_whole(&list, "/etc/a", "3\n");
	assert_string_equal(sp_owned_find(&list, "/etc/a", NULL)->text, "3\n");
	sp_owned_set_whole(&list, "/etc/a", NULL);
	sp_owned_set_whole(&list, "/etc/never", NULL);
	assert_int_equal(list.n, 1);
	assert_true(sp_owned_find(&list, "/etc/b", NULL)->whole);
}

/* --- JSON -------------------------------------------------------------------------------------------------------- */

static const char *const odd_tokens[] = {
	"iommu=pt", "", "key=\"a b\"", "\xff=\x80", "key=\xc3\xa4", "a\\b", "@3 iommu=soft", "key=\t",
};

static void tokens_survive_json(void **state)
{
	sp_autotokens struct sp_tokens tokens = { 0 }, back = { 0 };
	sp_autostrv struct sp_strv displaced = { 0 };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(odd_tokens); i++) {
		sp_tokens_add(&tokens, odd_tokens[i], &displaced);
		sp_strv_add(&displaced, odd_tokens[i]);
	}
	json_t *json = sp_tokens_to_json(&tokens);
	char *text = json_dumps(json, JSON_COMPACT);
	json_t *read = json_loads(text, 0, NULL);
	assert_int_equal(sp_tokens_from_json(read, &back, NULL), 0);
	assert_int_equal(back.n, SP_ELEMENTS(odd_tokens));
	assert_true(sp_tokens_eq(&tokens, &back));
	free(text);
	json_decref(json);
	json_decref(read);
}

static void owned_survives_json(void **state)
{
	const struct sp_host shell = { SP_HOST_SHELL, (char *) "A" }, bls = { SP_HOST_BLS, NULL };
	sp_autoowned struct sp_owned_list list = { 0 }, back = { 0 };
	sp_autotokens struct sp_tokens tokens = { 0 }, none = { 0 };

	(void) state;
	add_tokens(&tokens, "iommu=pt ttm.pages_limit=1");
	sp_owned_set_tokens(&list, "/etc/default/grub", &shell, &tokens);
	sp_owned_set_tokens(&list, "/boot/loader/entries/\xe9.conf", &bls, &none);
	sp_owned_set_whole(&list, "/etc/sysctl.d/x.conf", "vm.swappiness = 1\n");
	json_t *json = sp_owned_to_json(&list);
	assert_int_equal(sp_owned_from_json(json, &back, NULL), 0);
	assert_int_equal(back.n, 3);
	assert_true(sp_tokens_eq(&sp_owned_find(&back, "/etc/default/grub", "A")->tokens, &tokens));
	assert_int_equal(sp_owned_find(&back, "/boot/loader/entries/\xe9.conf", NULL)->host.kind, SP_HOST_BLS);
	assert_string_equal(sp_owned_find(&back, "/etc/sysctl.d/x.conf", NULL)->text, "vm.swappiness = 1\n");
	json_decref(json);
}

static void note_survives_json(void **state)
{
	const struct sp_host shell = { SP_HOST_SHELL, (char *) "A" }, bls = { SP_HOST_BLS, NULL };
	sp_autonote struct sp_note note = { 0 }, back = { 0 }, whole = { .whole = true }, whole_back = { 0 };
	sp_autotokens struct sp_tokens one = { 0 }, none = { 0 };

	(void) state;
	add_tokens(&one, "iommu=pt");
	sp_note_add(&note, &shell, &none, &one);
	sp_note_add(&note, &bls, &one, &none);
	note.lines[1].linux_path = sp_xstrdup("/vmlinuz");
	json_t *json = sp_note_to_json(&note), *json_whole = sp_note_to_json(&whole);
	assert_int_equal(sp_note_from_json(json, &back, NULL), 0);
	assert_int_equal(sp_note_from_json(json_whole, &whole_back, NULL), 0);
	assert_true(whole_back.whole);
	assert_false(back.whole);
	assert_int_equal(back.n_lines, 2);
	assert_string_equal(back.lines[0].host.var, "A");
	assert_null(back.lines[0].linux_path);
	assert_true(sp_tokens_eq(&back.lines[0].to, &one));
	assert_string_equal(back.lines[1].linux_path, "/vmlinuz");
	assert_int_equal(back.lines[1].host.kind, SP_HOST_BLS);
	assert_int_equal(back.lines[1].to.n, 0);
	json_decref(json);
	json_decref(json_whole);
}

static const char *const damaged_owned[] = {
	"{}",
	"[1]",
	"[{}]",
	"[{\"path\": \"/a\"}]",
	"[{\"path\": \"/a\", \"host\": \"nonsense\", \"tokens\": []}]",
	"[{\"path\": \"/a\", \"host\": \"bls\"}]",
	"[{\"path\": \"/a\", \"host\": \"bls\", \"tokens\": {}}]",
	"[{\"path\": \"/a\", \"host\": \"bls\", \"tokens\": [1]}]",
	"[{\"path\": \"/a\", \"host\": \"bls\", \"tokens\": [{\"text\": \"x\"}]}]",
	"[{\"path\": \"/a\", \"host\": \"bls\", \"tokens\": [{\"text\": \"x\", \"displaced\": [7]}]}]",
	"[{\"path\": \"/a\", \"host\": \"shell\", \"var\": 3, \"tokens\": []}]",
	"[{\"path\": \"/a\", \"whole\": true}]",
	"[{\"path\": {\"hex\": \"f\"}, \"whole\": true, \"text\": \"\"}]",
	"[{\"path\": {\"hex\": \"00\"}, \"whole\": true, \"text\": \"\"}]",
	"[{\"path\": {\"hex\": \"zz\"}, \"whole\": true, \"text\": \"\"}]",
};
static const char *const damaged_notes[] = {
	"{}", "[]", "{\"lines\": 1}", "{\"lines\": [1]}", "{\"lines\": [{\"host\": \"bls\", \"from\": []}]}",
	"{\"lines\": [{\"host\": \"bls\", \"to\": []}]}",
};

static void damage_is_an_error(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(damaged_owned); i++) {
		sp_autoowned struct sp_owned_list list = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		json_t *json = json_loads(damaged_owned[i], 0, NULL);
		assert_non_null(json);
		if (sp_owned_from_json(json, &list, &err) != -EBADMSG || list.n != 0)
			fail_msg("taken for good: %s", damaged_owned[i]);
		json_decref(json);
	}
	for (size_t i = 0; i < SP_ELEMENTS(damaged_notes); i++) {
		sp_autonote struct sp_note note = { 0 };
		json_t *json = json_loads(damaged_notes[i], 0, NULL);
		assert_non_null(json);
		if (sp_note_from_json(json, &note, NULL) != -EBADMSG || note.n_lines != 0)
			fail_msg("taken for good: %s", damaged_notes[i]);
		json_decref(json);
	}
}

/* --- lines where keys are only taken out ------------------------------------------------------------------------- */

static const struct {
	const char *line, *wanted, *after;
} removals[] = {
	{ "quiet", "iommu=pt", "quiet" },
	{ "", "iommu=pt", "" },
	{ "quiet iommu=soft rhgb", "iommu=pt", "quiet rhgb" },
	{ "iommu=soft", "iommu=pt", "" },
	{ "  iommu=soft   ", "iommu=pt", "   " },
	{ "iommu=soft quiet", "iommu=pt", "quiet" },
	{ " iommu=soft   quiet ", "iommu=pt", " quiet " },
	{ "quiet  iommu=soft ", "iommu=pt", "quiet " },
	{ "iommu=a quiet iommu=b rhgb iommu=c", "iommu=pt", "quiet rhgb" },
	{ "iommu=a iommu=b", "iommu=pt", "" },
	{ "a ttm.pages-limit=5  b iommu", "iommu=pt ttm.pages_limit=7", "a  b" },
	{ "a -- iommu=soft", "iommu=pt", "a -- iommu=soft" },
	{ "iommu=soft -- iommu=x", "iommu=pt", "-- iommu=x" },
	{ "console=tty0 quiet", "console=ttyS0", "console=tty0 quiet" },
	{ "a \"iommu=so ft\" b", "iommu=pt", "a b" },
	{ "a iommu=\"open b", "iommu=pt", "a" },
};

static void removal_is_exact_and_idempotent(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(removals); i++) {
		sp_autotokens struct sp_tokens wanted = { 0 }, barred = { 0 }, none = { 0 };
		sp_autotransition struct sp_transition there = { 0 }, again = { 0 }, back = { 0 };

		add_tokens(&wanted, removals[i].wanted);
		sp_owned_bar(&wanted, &barred);
		sp_owned_move(removals[i].line, &none, &barred, NULL, &there);
		assert_string_equal(there.line, removals[i].after);
		sp_owned_move(there.line, &there.owned, &barred, NULL, &again);
		assert_string_equal(again.line, there.line);
		assert_true(sp_tokens_eq(&again.owned, &there.owned));
		sp_owned_move(there.line, &there.owned, &none, NULL, &back);
		assert_string_equal(back.line, removals[i].line);
		assert_int_equal(back.owned.n, 0);
	}
}

/* Somebody edited the line in between. */
static const struct {
	const char *line, *edited, *after;
} edited[] = {
	{ "quiet iommu=soft rhgb", "quiet", "quiet iommu=soft" },
	{ "quiet iommu=soft", "a b c", "a iommu=soft b c" },
	{ "iommu=soft", "quiet splash", "quiet splash iommu=soft" },
	{ "quiet iommu=soft rhgb", "quiet rhgb iommu=other", "quiet rhgb iommu=other" },
	{ "a b c iommu=soft", "a", "a iommu=soft" },
	{ "quiet iommu=soft", "quiet -- 3", "quiet iommu=soft -- 3" },
};

static void removal_loses_nothing_on_edited_lines(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(edited); i++) {
		sp_autotokens struct sp_tokens wanted = { 0 }, barred = { 0 }, none = { 0 };
		sp_autotransition struct sp_transition there = { 0 }, back = { 0 };

		add_tokens(&wanted, "iommu=pt");
		sp_owned_bar(&wanted, &barred);
		sp_owned_move(edited[i].line, &none, &barred, NULL, &there);
		sp_owned_move(edited[i].edited, &there.owned, &none, NULL, &back);
		assert_string_equal(back.line, edited[i].after);
	}
}

/* Rollback of a later transaction goes back to a record, not to nothing. */
static void removal_goes_back_to_an_earlier_record(void **state)
{
	sp_autotokens struct sp_tokens few = { 0 }, many = { 0 }, bar_few = { 0 }, bar_many = { 0 }, none = { 0 };
	sp_autotransition struct sp_transition first = { 0 }, second = { 0 }, back = { 0 };

	(void) state;
	add_tokens(&few, "iommu=pt");
	add_tokens(&many, "iommu=pt transparent_hugepage=always");
	sp_owned_bar(&few, &bar_few);
	sp_owned_bar(&many, &bar_many);
	sp_owned_move("a iommu=soft b transparent_hugepage=never c", &none, &bar_few, NULL, &first);
	sp_owned_move(first.line, &first.owned, &bar_many, NULL, &second);
	assert_string_equal(second.line, "a b c");
	sp_owned_move(second.line, &second.owned, &first.owned, NULL, &back);
	assert_string_equal(back.line, first.line);
	assert_true(sp_tokens_eq(&back.owned, &first.owned));
}

/* --- lengths that cannot boot ------------------------------------------------------------------------------------ */

static void bad_lengths_get_a_blank_once(void **state)
{
	sp_autotokens struct sp_tokens wanted = { 0 }, none = { 0 };
	size_t padded = 0;

	(void) state;
	add_tokens(&wanted, "iommu=pt");
	for (int n = 1; n <= 64; n++) {
		sp_autofree char *line = sp_xasprintf("root=%0*d quiet", n, 0);
		sp_autofree char *plain = sp_xasprintf("%s iommu=pt", line), *more = sp_xasprintf("%s  iommu=pt", line);
		sp_autotransition struct sp_transition there = { 0 }, again = { 0 }, elsewhere = { 0 };

		sp_owned_move(line, &none, &wanted, "/vmlinuz", &there);
		assert_false(sp_bls_bad_length("/vmlinuz", there.line));
		bool bad = sp_bls_bad_length("/vmlinuz", plain);
		padded += bad;
		assert_string_equal(there.line, bad ? more : plain);
		sp_owned_move(there.line, &there.owned, &wanted, "/vmlinuz", &again);
		assert_string_equal(again.line, there.line);
		sp_owned_move(line, &none, &wanted, NULL, &elsewhere);
		assert_string_equal(elsewhere.line, plain);
	}
	assert_int_equal(padded, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_knows_lines_of_one_file_apart),
		cmocka_unit_test(whole_files_come_and_go),
		cmocka_unit_test(tokens_survive_json),
		cmocka_unit_test(owned_survives_json),
		cmocka_unit_test(note_survives_json),
		cmocka_unit_test(damage_is_an_error),
		cmocka_unit_test(removal_is_exact_and_idempotent),
		cmocka_unit_test(removal_loses_nothing_on_edited_lines),
		cmocka_unit_test(removal_goes_back_to_an_earlier_record),
		cmocka_unit_test(bad_lengths_get_a_blank_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
