/* SPDX-License-Identifier: MIT */
/* Text for people: folding, sizes, and bytes of foreign files that must not reach a terminal as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/internal.h"

static const struct {
	const char *text;
	size_t width;
	const char *expected;
} folds[] = {
	{ "", 10, "" },
	{ "short", 10, "short" },
	{ "exactly te", 10, "exactly te" },
	{ "one two three", 7, "one two\nthree" },
	{ "one two three", 8, "one two\nthree" },
	{ "one two three", 6, "one\ntwo\nthree" },
	{ "unbreakable", 4, "unbr\neaka\nble" },
	{ "a unbreakable", 4, "a\nunbr\neaka\nble" },
	{ "keeps\nnewlines here", 8, "keeps\nnewlines\nhere" },
	{ "\xc3\xa4\xc3\xb6 \xc3\xbc", 2, "\xc3\xa4\xc3\xb6\n\xc3\xbc" }, /* characters, not bytes */
};

static void test_fold(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(folds); i++) {
		sp_autofree char *got = sp_text_fold(folds[i].text, folds[i].width, true);

		assert_string_equal(got, folds[i].expected);
	}
}

/* In prose a word that is too long stays whole. */
static void test_fold_whole(void **state)
{
	sp_autofree char *got = sp_text_fold("see /a/long/path for it", 8, false);

	(void) state;
	assert_string_equal(got, "see\n/a/long/path\nfor it");
}

static const struct {
	uint64_t mib;
	const char *expected;
} sizes[] = {
	{ 0, "0 MiB" },	     { 512, "512 MiB" },    { 1023, "1023 MiB" }, { 1024, "1 GiB" },	 { 1536, "1.5 GiB" },
	{ 60416, "59 GiB" }, { 63549, "62.1 GiB" }, { 65535, "64 GiB" },  { 131072, "128 GiB" }, { 3132, "3.1 GiB" },
};

static void test_sizes(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(sizes); i++) {
		sp_autofree char *got = sp_text_mib(sizes[i].mib);

		assert_string_equal(got, sizes[i].expected);
	}
}

static const struct {
	const char *text;
	bool utf8;
	const char *expected;
} unsafe[] = {
	{ "plain\tand\nlines", true, "plain\tand\nlines" },
	{ "\033[31mred\a\177", true, "^[[31mred^G^?" },
	{ "CRLF\r\n", true, "CRLF^M\n" },
	{ "\xc3\xa4", true, "\xc3\xa4" },
	{ "\xc3\xa4", false, "?" },
	{ "\xff\xfe", true, "??" },
	{ "\xc2\x9b"
	  "2J",
	  true, "?2J" },			     /* a control sequence of one character */
	{ "\xc0\xaf \xe0\x9f\xbf", true, "?? ???" }, /* overlong */
	{ "\xed\xa0\x80", true, "???" },	     /* a surrogate */
	{ "\xf4\x90\x80\x80", true, "????" },	     /* beyond Unicode */
	{ "cut \xe2\x82", true, "cut ??" },
};

static void test_safe(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(unsafe); i++) {
		const struct sp_report r = { .utf8 = unsafe[i].utf8 };
		sp_autofree char *got = sp_text_safe(&r, unsafe[i].text);

		assert_string_equal(got, unsafe[i].expected);
	}
}

/* JSON takes UTF-8 only; a latin-1 comment in somebody's file must not cost the whole object. */
static void test_json_text(void **state)
{
	json_t *null = sp_json_text(NULL), *good = sp_json_text("\xc3\xa4"), *bad = sp_json_text("f\xfcr");

	(void) state;
	assert_true(json_is_null(null));
	assert_string_equal(json_string_value(good), "\xc3\xa4");
	assert_string_equal(json_string_value(bad), "f\xef\xbf\xbdr");
	json_decref(good);
	json_decref(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold), cmocka_unit_test(test_fold_whole), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_safe), cmocka_unit_test(test_json_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
