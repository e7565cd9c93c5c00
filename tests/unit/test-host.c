/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/grubenv.h"
#include "format/host.h"

static void names(void **state)
{
	static const char *const want[SP_HOST__COUNT] = { "bls", "plain", "shell", "grubenv", "refind", "bls-all",
						      "limine", "limine-tool", "kernelstub" };
	enum sp_host_kind kind;

	(void) state;
	for (size_t i = 0; i < SP_HOST__COUNT; i++) {
		assert_string_equal(sp_host_name((enum sp_host_kind) i), want[i]);
		assert_int_equal(sp_host_by_name(want[i], &kind), 0);
		assert_int_equal(kind, i);
	}
	assert_int_equal(sp_host_by_name("uki", &kind), -ENOENT);
}

static void every_kind(void **state)
{
	static char var[] = "kernelopts", shell_var[] = "GRUB_CMDLINE_LINUX", entry[] = "a/b", name[] = "default";
	const struct {
		struct sp_host host;
		const char *before, *line, *put, *after;
	} cases[] = {
		{ { SP_HOST_BLS, NULL }, "linux /a\noptions ro\n", "ro", "ro a=1", "linux /a\noptions ro a=1\n" },
		{ { SP_HOST_BLS_ALL, NULL }, "linux /a\noptions ro\noptions b\n", "ro b", "ro b a=1",
		  "linux /a\noptions ro\noptions b a=1\n" },
		{ { SP_HOST_PLAIN, NULL }, "ro\n", "ro", "ro a=1", "ro a=1\n" },
		{ { SP_HOST_SHELL, shell_var },
		  "X=1\nGRUB_CMDLINE_LINUX=\"ro\"\n",
		  "ro",
		  "ro a=1",
		  "X=1\nGRUB_CMDLINE_LINUX=\"ro a=1\"\n" },
		{ { SP_HOST_GRUBENV, var },
		  "# GRUB Environment Block\nkernelopts=ro\n",
		  "ro",
		  "ro a=1",
		  "# GRUB Environment Block\nkernelopts=ro a=1\n" },
		{ { SP_HOST_REFIND, NULL }, "\"a\" \"ro\"\n", "ro", "ro a=1", "\"a\" \"ro a=1\"\n" },
		{ { SP_HOST_LIMINE, entry }, "/a\n//b\ncmdline: ro\n", "ro", "ro a=1", "/a\n//b\ncmdline: ro a=1\n" },
		{ { SP_HOST_LIMINE_TOOL, name },
		  "KERNEL_CMDLINE[default]=\"ro\"\n",
		  "ro",
		  "ro a=1",
		  "KERNEL_CMDLINE[default]=\"ro a=1\"\n" },
		{ { SP_HOST_KERNELSTUB, NULL },
		  "{\"user\":{\"kernel_options\":[\"ro\"]}}",
		  "ro",
		  "ro a=1",
		  "{\"user\":{\"kernel_options\":[\"ro\", \"a=1\"]}}" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 }, out = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, cases[i].before);
		while (cases[i].host.kind == SP_HOST_GRUBENV && file.len < SP_GRUBENV_SIZE)
			sp_buf_adds(&file, "#");
		assert_int_equal(sp_host_get(&cases[i].host, &file, &line, NULL), 0);
		assert_string_equal(line, cases[i].line);
		assert_int_equal(sp_host_put(&cases[i].host, &file, cases[i].put, &out, NULL), 0);
		assert_memory_equal(out.data, cases[i].after, strlen(cases[i].after));
	}
}

static void refuses(void **state)
{
	static char var[] = "kernelopts";
	const struct sp_host with = { SP_HOST_BLS, var }, without = { SP_HOST_GRUBENV, NULL },
			     plain = { SP_HOST_PLAIN, NULL };
	sp_autobuf struct sp_buf file = { 0 }, out = { 0 };
	sp_autofree char *line = NULL;
	sp_autoerror struct sp_error *err = NULL;

	(void) state;
	assert_int_equal(sp_host_get(&with, &file, &line, NULL), -EINVAL);
	assert_int_equal(sp_host_put(&without, &file, "ro", &out, NULL), -EINVAL);
	while (file.len <= SP_HOST_LINE_MAX)
		sp_buf_adds(&file, "garbage ");
	assert_int_equal(sp_host_get(&plain, &file, &line, &err), -EINVAL);
	assert_string_equal(err->message, "a line of 32776 bytes cannot be a kernel command line");
	assert_null(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(every_kind),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
