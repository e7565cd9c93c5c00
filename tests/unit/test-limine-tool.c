/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/limine-tool.h"

static const struct {
	const char *file, *line; /* NULL: -ENOENT */
} files[] = {
	{ "ESP_PATH=\"/boot\"\nKERNEL_CMDLINE[default]=\"quiet rw\"\n", "quiet rw" },
	{ "KERNEL_CMDLINE[default]=\"quiet\"\nKERNEL_CMDLINE[default]+=\" splash\"\n", "quiet  splash" },
	{ "KERNEL_CMDLINE[default]+=a\n KERNEL_CMDLINE[default]\t= \"b c\" \t\nKERNEL_CMDLINE[default]+=d", "b c d" },
	{ "KERNEL_CMDLINE[default]+=rw x=\"1 2\" y\n", "rw x=\"1 2\" y" },
	{ "KERNEL_CMDLINE[default]+=\"x=\"1 2\"\"\r\n", "x=\"1 2\"" },
	{ "KERNEL_CMDLINE[default]=\n", "" },
	{ "KERNEL_CMDLINE[default]=\"\n", "" },
	{ "#KERNEL_CMDLINE[default]=\"a\"\nKERNEL_CMDLINE[fallback]=\"b\"\n", NULL },
	{ "KERNEL_CMDLINE[default\nKERNEL_CMDLINE[default]\nKERNEL_CMDLINE[default]+\nKERNEL_CMDLINE=x\n", NULL },
	{ "", NULL },
};

static void files_are_read(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, files[i].file);
		int r = sp_limine_tool_get(&file, "default", &line, NULL);
		if (r != (files[i].line ? 0 : -ENOENT) || (files[i].line && !sp_streq(line, files[i].line)))
			fail_msg("%s: %d '%s'", files[i].file, r, line ? line : "");
	}
}

static void assignments_are_listed(void **state)
{
	sp_autobuf struct sp_buf file = { 0 }, bad = { 0 };
	sp_autolayer struct sp_limine_assigns a = { 0 };
	struct sp_limine_assigns none = { 0 };

	(void) state;
	sp_buf_adds(&file, "# c\nKERNEL_CMDLINE[linux-lts]=\"a\"\nX=1\nKERNEL_CMDLINE[default] += \" b\"\n");
	assert_int_equal(sp_limine_tool_parse(&file, &a, NULL), 0);
	assert_int_equal(a.n, 2);
	assert_string_equal(a.v[0].name, "linux-lts");
	assert_true(a.v[0].anew && !a.v[1].anew && a.v[0].line == 2 && a.v[1].line == 4);
	assert_string_equal(a.v[1].value, " b");
	sp_buf_adds(&bad, "KERNEL_CMDLINE[default]=\x02\n");
	assert_int_equal(sp_limine_tool_parse(&bad, &none, NULL), -EINVAL);
}

static const struct {
	const char *before, *line, *after; /* after NULL: refused */
	bool back, none; /* none: it gives nothing before */
} edits[] = {
	{ "A=1\nKERNEL_CMDLINE[default]+=\"quiet rw\"\nB=2\n", "quiet rw x",
	  "A=1\nKERNEL_CMDLINE[default]+=\"quiet rw x\"\nB=2\n", true, false },
	{ "KERNEL_CMDLINE[default]=\"a\"\nKERNEL_CMDLINE[default]+=\" b\"\n", "a  b x",
	  "KERNEL_CMDLINE[default]=\"a\"\nKERNEL_CMDLINE[default]+=\" b x\"\n", true, false },
	{ "KERNEL_CMDLINE[default]=a\r\n", "a x", "KERNEL_CMDLINE[default]=a x\r\n", true, false },
	{ "KERNEL_CMDLINE[default]=\"a\"\nKERNEL_CMDLINE[default]+=\"\"\n", "x a",
	  "KERNEL_CMDLINE[default]=\"x a\"\nKERNEL_CMDLINE[default]+=\"\"\n", false, false },
	{ "", "x y", "KERNEL_CMDLINE[default]+=\" x y \"", false, true }, /* see below for the line end */
	{ "A=1\n", "x", "A=1\nKERNEL_CMDLINE[default]+=\" x \"\n", false, true },
	{ "A=1\nKERNEL_CMDLINE[default]+=\" x \"\n", "", "A=1\n", false, false },
	{ "KERNEL_CMDLINE[default]=\"\"\n", "x", "KERNEL_CMDLINE[default]=\"x\"\n", false, false },
	{ "KERNEL_CMDLINE[default]=a\n", "a x=\"1 2\"", NULL, false, false }, /* its last quote would be taken away */
	{ "KERNEL_CMDLINE[default]=a\n", "a\nb", NULL, false, false },
};

static void one_value_is_changed(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(edits); i++) {
		sp_autobuf struct sp_buf file = { 0 }, after = { 0 }, back = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, edits[i].before);
		assert_int_equal(sp_limine_tool_get(&file, "default", &line, NULL), edits[i].none ? -ENOENT : 0);
		int r = sp_limine_tool_put(&file, "default", edits[i].line, &after, NULL);
		if ((r == 0) != !!edits[i].after || (r == 0 && strncmp(after.data, edits[i].after, strlen(edits[i].after)) != 0))
			fail_msg("%s: %d %s", edits[i].before, r, after.data ? after.data : "");
		if (!edits[i].back)
			continue;
		assert_int_equal(sp_limine_tool_put(&after, "default", line, &back, NULL), 0);
		assert_string_equal(back.data, edits[i].before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(assignments_are_listed),
		cmocka_unit_test(one_value_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
