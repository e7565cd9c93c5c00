/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/bls.h"

static const char fedora[] = "title Fedora Linux (6.14.0-63.fc42.x86_64) 42 (Workstation Edition)\n"
			     "version 6.14.0-63.fc42.x86_64\n"
			     "linux /vmlinuz-6.14.0-63.fc42.x86_64\n"
			     "initrd /initramfs-6.14.0-63.fc42.x86_64.img $tuned_initrd\n"
			     "options root=UUID=0a ro rootflags=subvol=root rhgb quiet $tuned_params\n"
			     "grub_users $grub_users\n"
			     "grub_arg --unrestricted\n"
			     "grub_class fedora\n";

static void buf_set(struct sp_buf *b, const char *text, size_t len)
{
	sp_buf_clear(b);
	sp_buf_add(b, text, len);
}

static void parses_entry(void **state)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_autobls struct sp_bls bls = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	(void) state;
	buf_set(&file, fedora, strlen(fedora));
	assert_int_equal(sp_bls_parse(&file, &bls, &err), 0);
	assert_string_equal(bls.title, "Fedora Linux (6.14.0-63.fc42.x86_64) 42 (Workstation Edition)");
	assert_string_equal(bls.version, "6.14.0-63.fc42.x86_64");
	assert_string_equal(bls.linux_path, "/vmlinuz-6.14.0-63.fc42.x86_64");
	assert_string_equal(bls.grub_class, "fedora");
	assert_null(bls.machine_id);
	assert_null(bls.sort_key);
	assert_int_equal(bls.initrd.n, 2);
	assert_string_equal(bls.initrd.v[0], "/initramfs-6.14.0-63.fc42.x86_64.img");
	assert_string_equal(bls.initrd.v[1], "$tuned_initrd");
	assert_int_equal(bls.options.n, 1);
}

static void parses_odd_entry(void **state)
{
	static const char text[] =
		"# comment\r\n\r\n  linux\t/a \r\nlinux /b\r\noptions one\r\noptions\r\noptions\ttwo  x";
	sp_autobuf struct sp_buf file = { 0 };
	sp_autobls struct sp_bls bls = { 0 };

	(void) state;
	buf_set(&file, text, strlen(text));
	assert_int_equal(sp_bls_parse(&file, &bls, NULL), 0);
	assert_string_equal(bls.linux_path, "/a");
	assert_int_equal(bls.options.n, 2);
	assert_string_equal(bls.options.v[0], "one");
	assert_string_equal(bls.options.v[1], "two  x");
}

static void refuses_damage(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *message;
	} cases[] = {
		{ "", 0, "none of its 0 lines says what to boot (linux, efi or uki)" },
		{ "title x\noptions y\n", 18, "none of its 2 lines says what to boot (linux, efi or uki)" },
		{ "linux\noptions y\n", 16, "none of its 2 lines says what to boot (linux, efi or uki)" },
		{ "title x\nlinux /a\0b\n", 19, "line 2: control byte 0x00" },
		{ "title \x1b[1m\nlinux /a\n", 20, "line 1: control byte 0x1b" },
		{ "linux /a\nti\rtle\n", 16, "line 2: control byte 0x0d" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autobls struct sp_bls bls = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		buf_set(&file, cases[i].text, cases[i].len);
		assert_int_equal(sp_bls_parse(&file, &bls, &err), -EINVAL);
		assert_string_equal(err->message, cases[i].message);
		assert_null(bls.linux_path);
	}
}

static void puts_options(void **state)
{
	static const struct {
		const char *before, *get, *put, *after;
	} cases[] = {
		{ "linux /a\noptions ro\n", "ro", "ro a=1", "linux /a\noptions ro a=1\n" },
		{ "linux /a\r\noptions \t ro \r\nx y\r\n", "ro ", "a=1 ", "linux /a\r\noptions \t a=1 \r\nx y\r\n" },
		{ "linux /a\noptions ro", "ro", "ro a=1", "linux /a\noptions ro a=1" },
		{ "options one\noptions two\n", "one", "1", "options 1\noptions two\n" },
		{ "#options no\n optionsx no\n\toptions yes\n", "yes", "1",
		  "#options no\n optionsx no\n\toptions 1\n" },
		/* a bare one is none: GRUB stops reading there, so ours goes in front of it */
		{ "linux /a\noptions\noptions x\n", "x", "x a=1", "linux /a\noptions\noptions x a=1\n" },
		{ "linux /a\noptions \t\nversion 1\n", NULL, "a=1", "linux /a\noptions a=1\noptions \t\nversion 1\n" },
		/* wrapped lines are not part of the format: what follows is another, unknown line */
		{ "efi /a\noptions ro lsm=x\n,y quiet\n", "ro lsm=x", "ro lsm=x a=1",
		  "efi /a\noptions ro lsm=x a=1\n,y quiet\n" },
		/* none yet */
		{ "linux /a\n", NULL, "a=1", "linux /a\noptions a=1\n" },
		{ "linux /a", NULL, "a=1", "linux /a\noptions a=1" },
		{ "linux /a\r\n", NULL, "a=1", "linux /a\r\noptions a=1\r\n" },
		{ "title x\nefi /a\n\n", NULL, "a=1", "title x\nefi /a\noptions a=1\n\n" },
		{ "title x\n# c\nefi /a\n# d\ndevicetree\nx y\n", NULL, "a=1",
		  "title x\n# c\nefi /a\noptions a=1\n# d\ndevicetree\nx y\n" },
		{ "", NULL, "a=1", "options a=1\n" },
		{ "title x\r\nlinux /a", NULL, "a=1", "title x\r\nlinux /a\r\noptions a=1" },
		{ "\r\nlinux /a\r\n", NULL, "a=1", "options a=1\r\n\r\nlinux /a\r\n" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 }, out = { 0 }, back = { 0 };
		sp_autofree char *line = NULL;
		sp_autoerror struct sp_error *err = NULL;
		int r;

		buf_set(&file, cases[i].before, strlen(cases[i].before));
		r = sp_bls_get_options(&file, NULL, &line, &err);
		assert_int_equal(r, cases[i].get ? 0 : -ENOENT);
		if (cases[i].get)
			assert_string_equal(line, cases[i].get);
		assert_int_equal(sp_bls_put_options(&file, NULL, cases[i].put, &out, NULL), 0);
		assert_string_equal(out.data, cases[i].after);
		assert_int_equal(sp_bls_put_options(&out, NULL, cases[i].get ? cases[i].get : "", &back, NULL), 0);
		assert_true(sp_buf_eq(&back, &file));
	}
}

static void putting_the_same_changes_nothing(void **state)
{
	static const char *const files[] = { fedora, "options\ta  b\t\r\n", "options x" };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 }, out = { 0 };
		sp_autofree char *line = NULL;

		buf_set(&file, files[i], strlen(files[i]));
		assert_int_equal(sp_bls_get_options(&file, NULL, &line, NULL), 0);
		assert_int_equal(sp_bls_put_options(&file, NULL, line, &out, NULL), 0);
		assert_true(sp_buf_eq(&file, &out));
	}
}

static void an_empty_line_takes_options_out(void **state)
{
	static const char *const files[][2] = {
		{ "linux /a\r\noptions x", "linux /a" },
		{ "linux /a\noptions x", "linux /a" },
		{ "linux /a\r\noptions x\r\nversion 1\r\n", "linux /a\r\nversion 1\r\n" },
		{ "options x", "" },
		/* where there is none, nothing is done */
		{ "linux /a\n", "linux /a\n" },
		{ "linux /a\noptions\n", "linux /a\noptions\n" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 }, out = { 0 };

		buf_set(&file, files[i][0], strlen(files[i][0]));
		assert_int_equal(sp_bls_put_options(&file, NULL, "", &out, NULL), 0);
		assert_string_equal(out.data, files[i][1]);
	}
}

static void refuses_to_put(void **state)
{
	sp_autobuf struct sp_buf file = { 0 }, out = { 0 };
	sp_autofree char *line = NULL;

	(void) state;
	buf_set(&file, "options x\n", 10);
	assert_int_equal(sp_bls_put_options(&file, NULL, "a\nlinux /evil", &out, NULL), -EINVAL);
	buf_set(&file, "options \0\n", 10);
	assert_int_equal(sp_bls_put_options(&file, NULL, "a", &out, NULL), -EINVAL);
	assert_int_equal(sp_bls_get_options(&file, NULL, &line, NULL), -EINVAL);
	assert_int_equal(out.len, 0);
}

static const char *variable(void *data, const char *name)
{
	(void) data;
	if (sp_streq(name, "kernelopts"))
		return "root=/dev/sda1 ro";
	if (sp_streq(name, "empty"))
		return "";
	return sp_streq(name, "n1") ? "one" : NULL;
}

static void expands(void **state)
{
	static const struct {
		const char *options, *want;
	} cases[] = {
		{ "", "" },
		{ "ro quiet", "ro quiet" },
		{ "$kernelopts quiet", "root=/dev/sda1 ro quiet" },
		{ "$kernelopts", "root=/dev/sda1 ro" },
		{ "a $unknown b", "a b" },
		{ "a $unknown", "a " },
		{ "a$n1,b", "aone ,b" },
		{ "a${n1}b ${unknown}c", "aoneb c" },
		{ "$n1$n1", "one one" },
		{ "a=\\$n1 b", "a=$n1 b" },
		{ "a=$ b", "a=b" },
		{ "$empty x", " x" },
		{ "a ${n1", "a {n1" },
		{ "a\\b", "a\\b" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autofree char *got = sp_bls_expand(cases[i].options, variable, NULL);

		assert_string_equal(got, cases[i].want);
	}
}

#define MID "3a5c0f1e2d4b4c6f8a9b0c1d2e3f4a5b"

/* Each pair: the first comes first in the menu. */
static void sorts_like_grub(void **state)
{
	static const char *const pairs[][2] = {
		{ MID "-6.14.1-1.fc42.x86_64.conf", MID "-6.14.0-63.fc42.x86_64.conf" },
		{ MID "-6.14.10-1.fc42.x86_64", MID "-6.14.9-1.fc42.x86_64" },
		{ MID "-6.14.0-63.fc42.x86_64", MID "-6.14.0-9.fc42.x86_64" },
		{ MID "-6.14.0-63.fc42.x86_64", MID "-0-rescue" },
		/* a trial entry: below every kernel, but one dash more and it would be the default */
		{ MID "-6.14.0-63.fc42.x86_64.conf", MID "-0-strixtrial.conf" },
		{ MID "-2.6.0-1", MID "-0-strixtrial" },
		{ MID "-0-strix-trial.conf", MID "-6.14.0-63.fc42.x86_64.conf" },
		/* names that do not begin with the machine-id win or lose by its first character */
		{ MID "-6.14.0-63", "strix-trial" },
		{ MID "-6.14.0-63", "0-strix-trial" },
		{ "0-strix-trial", "a" MID "-6.14.0-63" },
		{ "strix-trial", "a" MID "-6.14.0-63" },
		/* suffixes */
		{ MID "-6.14.0-63.fc42.x86_64", MID "-6.14.0-63.fc42.x86_64~x" },
		{ MID "-6.14.0-63.fc42.x86_64+x", MID "-6.14.0-63.fc42.x86_64" },
		{ MID "-6.14.0-63.fc42.x86_64.x", MID "-6.14.0-63.fc42.x86_64" },
		{ MID "-6.14.0-63.fc42.x86_64+debug.conf", MID "-6.14.0-63.fc42.x86_64.conf" },
		{ MID "-6.14.0-0.rc5", MID "-6.14.0-0.rc4" },
		{ MID "-6.14.0-1", MID "-6.14.0~rc4-1" },
		{ MID "-6.14.0.1-1", MID "-6.14.0+git-1" },
		{ "1.2.3", "1.2.a" },
		{ "arch-lts", "arch" },
		{ "b", "a" },
		{ "ab", "a" },
		{ "a", "" },
	};
	static const char *const equal[][2] = {
		{ "a-1-1", "a-1-1.conf" }, { "a-01-1", "a-1-1" }, { "a-1.0-1", "a-1_0-1" }, { "", "" }
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(pairs); i++) {
		const char *a = pairs[i][0], *b = pairs[i][1];

		if (sp_bls_compare(a, b) >= 0 || sp_bls_compare(b, a) <= 0 || sp_bls_compare(a, a) != 0)
			fail_msg("'%s' is not before '%s'", a, b);
	}
	for (size_t i = 0; i < SP_ELEMENTS(equal); i++)
		assert_int_equal(sp_bls_compare(equal[i][0], equal[i][1]), 0);
}

/* Booted: with a linux path of 32 characters, options of 88, 120 and 152 broke, 87 and 89 did not. */
static void bad_lengths(void **state)
{
	static const char path[] = "/vmlinuz-6.14.0-63.fc42.x86_64.x";
	char options[200];

	(void) state;
	assert_int_equal(strlen(path), 32);
	for (size_t n = 80; n < 160; n++) {
		memset(options, 'o', n);
		options[n] = '\0';
		assert_int_equal(sp_bls_bad_length(path, options), n == 88 || n == 120 || n == 152);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_entry),
		cmocka_unit_test(parses_odd_entry),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(puts_options),
		cmocka_unit_test(putting_the_same_changes_nothing),
		cmocka_unit_test(an_empty_line_takes_options_out),
		cmocka_unit_test(refuses_to_put),
		cmocka_unit_test(expands),
		cmocka_unit_test(sorts_like_grub),
		cmocka_unit_test(bad_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
