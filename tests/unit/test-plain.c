/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/plain.h"

static void gets(void **state)
{
	static const struct {
		const char *file, *want;
	} cases[] = {
		{ "root=UUID=1 ro quiet\n", "root=UUID=1 ro quiet" },
		{ "root=UUID=1 ro", "root=UUID=1 ro" },
		{ " ro\t quiet \r\n", " ro\t quiet " },
		{ "# c\n\nroot=1\n  # d\nro\r\n\r\nquiet", "root=1 ro quiet" },
		{ "", NULL },
		{ "\n \n# only a comment\n", NULL },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, cases[i].file);
		assert_int_equal(sp_plain_get(&file, NULL, &line, NULL), cases[i].want ? 0 : -ENOENT);
		if (cases[i].want)
			assert_string_equal(line, cases[i].want);
	}
}

static const struct {
	const char *before, *line, *after;
	bool one_way; /* putting the old line back does not give the old bytes */
} puts_cases[] = {
	{ .before = "ro quiet\n", .line = "ro quiet a=1", .after = "ro quiet a=1\n" },
	{ .before = "ro  quiet \r\n", .line = "ro  quiet a=1 ", .after = "ro  quiet a=1 \r\n" },
	{ .before = "# c\nro", .line = "a=1", .after = "# c\na=1" },
	{ .before = "", .line = "a=1 b", .after = "a=1 b\n" },
	{ .before = "# c\n", .line = "a=1", .after = "# c\na=1\n" },
	{ .before = "# c", .line = "a=1", .after = "# c\na=1" },
	{ .before = "\n", .line = "a=1", .after = "\na=1\n" },
	/* several lines: each word stays on its line */
	{ .before = "# c\nroot=1\n\nro\n# d\nquiet splash",
	  .line = "root=1 ro quiet splash a=1 b=2",
	  .after = "# c\nroot=1\n\nro\n# d\nquiet splash a=1 b=2" },
	{ .before = "root=1\niommu=off\nquiet\n",
	  .line = "root=1 iommu=pt quiet a=1",
	  .after = "root=1\niommu=pt\nquiet a=1\n" },
	{ .before = "root=1  x\r\nro\ty -- z\r\n",
	  .line = "root=1 x ro y a=1 -- z",
	  .after = "root=1  x\r\nro\ty a=1 -- z\r\n" },
	{ .before = "-- z\ny\n", .line = "a=1 b=2 -- z y", .after = "a=1 b=2 -- z\ny\n" },
	{ .before = "\tb c\nd\n", .line = "a=1 a=2 b c d", .after = "\ta=1 a=2 b c\nd\n" },
	{ .before = "a=1 ro\nx a=2 y\n", .line = "ro x a=3 y", .after = "ro\nx a=3 y\n" },
	{ .before = "x a=1\nro\n", .line = "x ro b=1", .after = "x\nro b=1\n" },
	{ .before = "a=1\nro\n", .line = "ro", .after = "\nro\n", .one_way = true },
	{ .before = "a a a\na a\n", .line = "a a b a a", .after = "a a b\na a\n" },
	{ .before = "a b c\nd e f\n", .line = "b d f", .after = "b\nd f\n" },
	{ .before = "x=\"a\nb\" ro\n", .line = "x=\"a b\" ro a=1", .after = "x=\"a\nb\" ro a=1\n" },
};

static void put(const char *before, const char *line, struct sp_buf *ret)
{
	sp_autobuf struct sp_buf file = { 0 };

	sp_buf_adds(&file, before);
	assert_int_equal(sp_plain_put(&file, NULL, line, ret, NULL), 0);
}

static void puts_lines(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(puts_cases); i++) {
		const char *before = puts_cases[i].before;
		sp_autobuf struct sp_buf file = { 0 }, out = { 0 }, same = { 0 }, back = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, before);
		if (sp_plain_get(&file, NULL, &line, NULL) < 0)
			line = sp_xstrdup("");
		put(before, line, &same);
		assert_true(sp_buf_eq(&same, &file));
		put(before, puts_cases[i].line, &out);
		assert_string_equal(out.data, puts_cases[i].after);
		put(out.data, line, &back);
		assert_int_equal(sp_buf_eq(&back, &file), !puts_cases[i].one_way);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *file;
		size_t len;
		const char *line;
		int code;
	} cases[] = {
		{ "ro\0quiet\n", 9, "ro", -EINVAL },
		{ "ro\n\x1b[1m\n", 8, "ro", -EINVAL },
		{ "ro\n", 3, "ro\nquiet", -EINVAL },
		{ "x=\"a\nb\" ro\n", 11, "x=1 ro", -EOPNOTSUPP },
		/* half of a line end */
		{ "ro\r", 3, "ro a=1", -EINVAL },
		/* what is left would be a comment */
		{ "x\na=1 #y\n", 9, "x #y b=1", -EOPNOTSUPP },
		{ "a=1 #y\n", 7, "#y b=1", -EOPNOTSUPP },
	};
	sp_autobuf struct sp_buf many = { 0 }, out = { 0 };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		sp_buf_add(&file, cases[i].file, cases[i].len);
		assert_int_equal(sp_plain_put(&file, NULL, cases[i].line, &out, &err), cases[i].code);
		assert_int_equal(err->code, cases[i].code);
		assert_int_equal(out.len, 0);
	}
	for (int i = 0; i < 5000; i++)
		sp_buf_addf(&many, "a=%d\n", i);
	sp_autofree char *line = sp_xstrdup(many.data);
	for (char *c = line; *c; c++)
		*c = *c == '\n' ? ' ' : (*c == '=' ? '-' : *c);
	assert_int_equal(sp_plain_put(&many, NULL, line, &out, NULL), -E2BIG);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets),
		cmocka_unit_test(puts_lines),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
