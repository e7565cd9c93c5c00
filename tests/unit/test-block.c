/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/block.h"

#define B(name, how) "### BEGIN strix-provision " name " " how "###\n"
#define E(name)	     "### END strix-provision " name " ###\n"

static void fill(struct sp_buf *b, const char *text)
{
	sp_buf_clear(b);
	sp_buf_adds(b, text ? text : "");
}

static void puts_and_takes_out(void **state)
{
	static const struct {
		const char *before; /* NULL: no file */
		const char *after;
	} cases[] = {
		{ NULL, B("trial", "") "x\n" E("trial") },
		{ "", B("trial", "(was empty) ") "x\n" E("trial") },
		{ "menuentry a {\n}\n", "menuentry a {\n}\n" B("trial", "") "x\n" E("trial") },
		{ "menuentry a {\n}", "menuentry a {\n}\n" B("trial", "(line end added) ") "x\n" E("trial") },
		{ "a\n" B("before", "") "y\n" E("before") "b\n",
		  "a\n" B("before", "") "y\n" E("before") "b\n" B("trial", "") "x\n" E("trial") },
		{ "a\r\n\n", "a\r\n\n" B("trial", "") "x\n" E("trial") },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 }, with = { 0 }, again = { 0 }, without = { 0 };
		sp_autofree char *text = NULL;
		bool gone = true;

		fill(&file, cases[i].before);
		assert_int_equal(sp_block_put(cases[i].before ? &file : NULL, "trial", "x\n", &with, &gone, NULL), 0);
		assert_false(gone);
		assert_string_equal(with.data, cases[i].after);
		assert_int_equal(sp_block_get(&with, "trial", &text, NULL), 0);
		assert_string_equal(text, "x\n");
		assert_int_equal(sp_block_put(&with, "trial", "x\n", &again, &gone, NULL), 0);
		assert_true(sp_buf_eq(&with, &again));
		assert_int_equal(sp_block_put(&with, "trial", NULL, &without, &gone, NULL), 0);
		assert_int_equal(gone, !cases[i].before);
		assert_true(sp_buf_eq(&without, &file));
	}
}

static void takes_turns(void **state)
{
	static const char *const before[] = { NULL, "", "a\n", "a" };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(before); i++)
		for (int first = 0; first < 2; first++) { /* which of the two goes first */
			struct sp_buf v[5] = { { 0 } };
			bool gone = false;

			fill(&v[0], before[i]);
			assert_int_equal(sp_block_put(before[i] ? &v[0] : NULL, "a", "1\n", &v[1], &gone, NULL), 0);
			assert_int_equal(sp_block_put(&v[1], "b", "2\n", &v[2], &gone, NULL), 0);
			assert_int_equal(sp_block_put(&v[2], first ? "b" : "a", NULL, &v[3], &gone, NULL), 0);
			assert_false(gone);
			assert_int_equal(sp_block_put(&v[3], first ? "a" : "b", NULL, &v[4], &gone, NULL), 0);
			assert_int_equal(gone, !before[i]);
			assert_true(sp_buf_eq(&v[0], &v[4]));
			for (size_t k = 0; k < SP_ELEMENTS(v); k++)
				sp_buf_clear(&v[k]);
		}
}

static void changes_in_place(void **state)
{
	sp_autobuf struct sp_buf file = { 0 }, ret = { 0 };
	bool gone = false;

	(void) state;
	fill(&file, "a\n" B("trial", "") "x\n" E("trial") "b");
	assert_int_equal(sp_block_put(&file, "trial", "1\n2\n", &ret, &gone, NULL), 0);
	assert_string_equal(ret.data, "a\n" B("trial", "") "1\n2\n" E("trial") "b");
}

/* What others put behind the block stays in a line of its own. */
static void others_go_on(void **state)
{
	sp_autobuf struct sp_buf file = { 0 }, with = { 0 }, ret = { 0 };
	bool gone = false;

	(void) state;
	fill(&file, "a");
	assert_int_equal(sp_block_put(&file, "trial", "x\n", &with, &gone, NULL), 0);
	sp_buf_adds(&with, "theirs\n");
	assert_int_equal(sp_block_put(&with, "trial", NULL, &ret, &gone, NULL), 0);
	assert_string_equal(ret.data, "a\ntheirs\n");
}

static void refuses(void **state)
{
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ B("trial", "") "x\n", "y\n" },
		{ "x\n" E("trial"), "y\n" },
		{ B("trial", "") B("trial", "") E("trial"), "y\n" },
		{ B("trial", "") "x\n", NULL },
		{ "", "" },
		{ "", "no line end" },
		{ "", B("other", "") },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 }, ret = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		bool gone = false;

		fill(&file, cases[i].file);
		assert_int_equal(sp_block_put(&file, "trial", cases[i].text, &ret, &gone, &err), -EINVAL);
		assert_non_null(err);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_and_takes_out),
		cmocka_unit_test(takes_turns),
		cmocka_unit_test(changes_in_place),
		cmocka_unit_test(others_go_on),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
