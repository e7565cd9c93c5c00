/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/refind.h"

static const struct {
	const char *file, *first; /* NULL: see code */
	unsigned n;
	int code;
} files[] = {
	{ "\"a\" \"root=1 ro\"\n\"b\" \"root=1 single\"\n", "root=1 ro", 2, 0 },
	{ "# c\n\n \t\"a\"\t\"root=1\" # d\r\n", "root=1", 1, 0 },
	{ "\"a \"\"b\"\"\" \"x=\"\"1 2\"\" ro\"", "x=\"1 2\" ro", 1, 0 },
	{ "\"a\" \"\"\n", "", 1, 0 },
	{ "\"a\" \"root=1\"\n\n# end", "root=1", 1, 0 },
	{ "", NULL, 0, -ENOENT },
	{ "# only a comment\n", NULL, 0, -ENOENT },
	{ "'Boot' 'root=1'\n", NULL, 0, -EOPNOTSUPP },
	{ "\"a\" root=1\n", NULL, 0, -EOPNOTSUPP },
	{ "\"a\" \"root=1\n", NULL, 0, -EOPNOTSUPP },
	{ "\"a\"\n", NULL, 0, -EOPNOTSUPP },
	{ "\"a\" \"root=1\" \"x\"\n", NULL, 0, -EOPNOTSUPP },
	{ "\"a\" \"root=1\"\n\"b\n", "root=1", 0, -EOPNOTSUPP }, /* its first line is fine, the file is not */
	{ "\"a\" \"ro\x01\"\n", NULL, 0, -EINVAL },
};

static void files_are_read(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autorefind struct sp_refind lines = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, files[i].file);
		int get = sp_refind_get(&file, NULL, &line, NULL), r = sp_refind_parse(&file, &lines, &err);
		if (get != (files[i].first ? 0 : files[i].code) || (files[i].first && !sp_streq(line, files[i].first)))
			fail_msg("%s: %d %s", files[i].file, get, line ? line : "");
		if (r != (files[i].code == -ENOENT ? 0 : files[i].code) || lines.n != files[i].n || (r < 0 && !err))
			fail_msg("%s: %d, %zu lines", files[i].file, r, lines.n);
	}
}

static const struct {
	const char *before, *line, *after;
} edits[] = {
	{ "# c\n\"a\" \"root=1 ro\"\n\"b\" \"x\"\n", "root=1 ro iommu=pt", "# c\n\"a\" \"root=1 ro iommu=pt\"\n\"b\" \"x\"\n" },
	{ "\"a\"  \"root=1\"\r\n", "root=1 x=\"1 2\"", "\"a\"  \"root=1 x=\"\"1 2\"\"\"\r\n" },
	{ "\"a\" \"x=\"\"1 2\"\"\" # c", "x=\"1 2\" y", "\"a\" \"x=\"\"1 2\"\" y\" # c" },
};

static void one_line_is_changed(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(edits); i++) {
		sp_autobuf struct sp_buf file = { 0 }, after = { 0 }, back = { 0 };
		sp_autofree char *line = NULL, *again = NULL;

		sp_buf_adds(&file, edits[i].before);
		assert_int_equal(sp_refind_get(&file, NULL, &line, NULL), 0);
		assert_int_equal(sp_refind_put(&file, NULL, edits[i].line, &after, NULL), 0);
		assert_string_equal(after.data, edits[i].after);
		assert_int_equal(sp_refind_get(&after, NULL, &again, NULL), 0);
		assert_string_equal(again, edits[i].line);
		assert_int_equal(sp_refind_put(&after, NULL, line, &back, NULL), 0);
		assert_string_equal(back.data, edits[i].before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(one_line_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
