/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/limine.h"

#define FILE_A                                                                                                         \
	"timeout: 3\nDefault_Entry: 2\n\n/+CachyOS\ncomment: machine-id=1 order-priority=50\n  //linux-cachyos\n"      \
	"  ### made by a tool\n  comment: Kernel version: 6.19\n  protocol: linux\n  module_path: boot():/a/initramfs#12\n" \
	"  kernel_path: boot():/a/vmlinuz\n  CMDLINE: quiet root=UUID=1 rw  \n\n  //Snapshots\n  comment: 2\n"          \
	"    ///1\n      ////linux\n      cmdline: root=UUID=1 snap\n/Windows\nprotocol: efi\npath: boot():/w.efi\n"

static void entries_are_read(void **state)
{
	static const struct {
		const char *path, *protocol, *kernel, *line;
		bool folder, open;
	} want[] = {
		{ "CachyOS", NULL, NULL, NULL, true, true },
		{ "CachyOS/linux-cachyos", "linux", "boot():/a/vmlinuz", "quiet root=UUID=1 rw", false, false },
		{ "CachyOS/Snapshots", NULL, NULL, NULL, true, false },
		{ "CachyOS/Snapshots/1", NULL, NULL, NULL, true, false },
		{ "CachyOS/Snapshots/1/linux", NULL, NULL, "root=UUID=1 snap", false, false },
		{ "Windows", "efi", "boot():/w.efi", NULL, false, false },
	};
	sp_autobuf struct sp_buf file = { 0 };
	sp_autolimine struct sp_limine l = { 0 };

	(void) state;
	sp_buf_adds(&file, FILE_A);
	assert_int_equal(sp_limine_parse(&file, &l, NULL), 0);
	assert_int_equal(l.n, SP_ELEMENTS(want));
	for (size_t i = 0; i < l.n; i++) {
		assert_string_equal(l.v[i].path, want[i].path);
		assert_true(want[i].protocol ? sp_streq(l.v[i].protocol, want[i].protocol) : !l.v[i].protocol);
		assert_true(want[i].kernel ? sp_streq(l.v[i].kernel, want[i].kernel) : !l.v[i].kernel);
		assert_true(want[i].line ? sp_streq(l.v[i].line_text, want[i].line) : !l.v[i].line_text);
		assert_true(l.v[i].folder == want[i].folder && l.v[i].open == want[i].open);
	}
	assert_int_equal(l.v[1].modules.n, 1);
	assert_string_equal(l.v[1].remarks.v[0], "### made by a tool");
	assert_string_equal(l.default_entry, "2");
	assert_int_equal(sp_limine_default(&l), 1);
}

static const struct {
	const char *file, *path, *line; /* line NULL: see code */
	int code;
} lines[] = {
	{ "/a\ncmdline: x\n", "a", "x", 0 },
	{ "/a\ncmdline:x\n", "a", "x", 0 },
	{ "/a\r\n\tKernel_CmdLine:\t x y \t\r\n", "a", "x y", 0 },
	{ "/a\ncmdline:\n", "a", "", 0 },
	{ "/a\ncmdline: first\ncmdline: second\n", "a", "first", 0 },
	{ "/a\n/a\ncmdline: second", "a#1", "second", 0 },
	{ "/a b\n//c/d\ncmdline: x", "a b/c\\/d", "x", 0 },
	{ "/a#1\ncmdline: x", "a\\#1", "x", 0 },
	{ "/a\ncmdline : x\n", "a", NULL, -ENOENT }, /* no blank may stand there */
	{ "/a\n# cmdline: x\n", "a", NULL, -ENOENT },
	{ "cmdline: x\n/a\n", "a", NULL, -ENOENT },
	{ "/a\n//b\ncmdline: x\n", "a", NULL, -ENOENT },
	{ "/a\ncmdline: x\n", "b", NULL, -ENOENT },
	{ "/a\ncmdline: x\nkernel_cmdline: y\n", "a", NULL, -EOPNOTSUPP },
	{ "${X}=root=1\n/a\ncmdline: ${X} ro\n", "a", NULL, -EOPNOTSUPP },
	{ "//a\ncmdline: x\n", "a", NULL, -EINVAL },
	{ "/a\n///b\n", "a", NULL, -EINVAL },
	{ "/a\ncmdline: \x01\n", "a", NULL, -EINVAL },
	{ "", "a", NULL, -ENOENT },
	{ "/", "", NULL, -ENOENT },
	{ "/\ncmdline: x", "", "x", 0 },
};

static void lines_are_found(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(lines); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, lines[i].file);
		int r = sp_limine_get(&file, lines[i].path, &line, &err);
		if (r != lines[i].code || (lines[i].line && !sp_streq(line, lines[i].line)) || (r < 0 && !err))
			fail_msg("%s: %d %s", lines[i].file, r, line ? line : "");
	}
}

static void one_line_is_changed(void **state)
{
	static const struct {
		const char *before, *path, *line, *after; /* after NULL: refused */
	} edits[] = {
		{ "/a\n cmdline:  ro \n/b\n cmdline: ro\n", "b", "ro x", "/a\n cmdline:  ro \n/b\n cmdline: ro x\n" },
		{ "/a\r\n cmdline: ro\r\n\r\n", "a", "ro x", "/a\r\n cmdline: ro x\r\n\r\n" },
		{ "/a\ncmdline: ro", "a", "x", "/a\ncmdline: x" },
		{ "/a\ncmdline: ro\n", "a", "x\n/b", NULL },
		{ "/a\ncmdline: ro\n", "a", "${X}", NULL },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(edits); i++) {
		sp_autobuf struct sp_buf file = { 0 }, after = { 0 }, back = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, edits[i].before);
		assert_int_equal(sp_limine_get(&file, edits[i].path, &line, NULL), 0);
		int r = sp_limine_put(&file, edits[i].path, edits[i].line, &after, NULL);
		assert_int_equal(r, edits[i].after ? 0 : -EINVAL);
		if (r < 0)
			continue;
		assert_string_equal(after.data, edits[i].after);
		assert_int_equal(sp_limine_put(&after, edits[i].path, line, &back, NULL), 0);
		assert_string_equal(back.data, edits[i].before);
	}
}

static void the_default_is_that_of_limine(void **state)
{
	static const struct {
		const char *file, *path; /* NULL: none */
	} cases[] = {
		{ "/a\n/b\n", "a" },
		{ "default_entry: 2\n/a\n/b\n", "b" },
		{ "default_entry: 2\n/+a\n//c\n/b\n", "a/c" },
		{ "default_entry: 2\n/a\n//c\n/b\n", "b" }, /* the folder is shut */
		{ "default_entry: 1\n/a\n//c\n///d\n/b\n", "a/c/d" },
		{ "default_entry: a/c\n/a\n//d\n//c\n/b\n", "a/c" },
		{ "default_entry: 9\n/a\n/b\n", "a" },
		{ "default_entry: nowhere\n/a\n/b\n", "a" },
		{ "/a\ndefault_entry: 2\n/b\n", "a" }, /* behind the first entry it is one of an entry's */
		{ "timeout: 1\n", NULL },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autolimine struct sp_limine l = { 0 };

		sp_buf_adds(&file, cases[i].file);
		assert_int_equal(sp_limine_parse(&file, &l, NULL), 0);
		const size_t at = sp_limine_default(&l);
		if (cases[i].path ? at == SP_LIMINE_NONE || !sp_streq(l.v[at].path, cases[i].path) : at != SP_LIMINE_NONE)
			fail_msg("%s: %s", cases[i].file, at == SP_LIMINE_NONE ? "none" : l.v[at].path);
	}
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void an_enrolled_checksum_is_seen(void **state)
{
	static const struct {
		const char *program;
		int want;
	} cases[] = {
		{ "MZ ++CONFIG_B2SUM_SIGNATURE++" ZEROS ZEROS " ", 0 },
		{ "MZ ++CONFIG_B2SUM_SIGNATURE++" ZEROS "0000000000000000000000000000000000000000000000000000000000000001", 1 },
		{ "MZ ++CONFIG_B3SUM_SIGNATURE++a" ZEROS ZEROS, 1 },
		{ "++CONFIG_++CONFIG_B2SUM_SIGNATURE++" ZEROS ZEROS, 0 },
		{ "++CONFIG_B2SUM_SIGNATURE++" ZEROS, -ENOENT }, /* cut off */
		{ "++CONFIG_B2SUM", -ENOENT },
		{ "MZ something else", -ENOENT },
		{ "", -ENOENT },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 };

		sp_buf_adds(&file, cases[i].program);
		if (sp_limine_enrolled(&file) != cases[i].want)
			fail_msg("%s: %d", cases[i].program, sp_limine_enrolled(&file));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_read),
		cmocka_unit_test(lines_are_found),
		cmocka_unit_test(one_line_is_changed),
		cmocka_unit_test(the_default_is_that_of_limine),
		cmocka_unit_test(an_enrolled_checksum_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
