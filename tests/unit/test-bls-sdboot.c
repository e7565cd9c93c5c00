/* SPDX-License-Identifier: MIT */
/* Entries as systemd-boot reads them: counters in names, the order of versions, options of several lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/bls.h"
#include "format/host.h"

/* --- names ------------------------------------------------------------------------------------------------------- */

static void names_are_compared_without_their_counter(void **state)
{
	static const struct {
		const char *name, *plain;
		long left, done;
	} names[] = {
		{ "a.conf", "a.conf", -1, -1 },		      { "a+3.conf", "a.conf", 3, 0 },
		{ "a+2-1.conf", "a.conf", 2, 1 },	      { "a+0-3.CONF", "a.conf", 0, 3 },
		{ "a+1+3.conf", "a+1.conf", 3, 0 },	      { "a+.conf", "a+.conf", -1, -1 },
		{ "a+3-.conf", "a+3-.conf", -1, -1 },	      { "a+3x.conf", "a+3x.conf", -1, -1 },
		{ "a+3-1-1.conf", "a+3-1-1.conf", -1, -1 },   { "+3.conf", "+3.conf", -1, -1 },
		{ "6.19.0+.conf", "6.19.0+.conf", -1, -1 },   { "a+3.efi", "a+3.efi", -1, -1 },
		{ "a+3.conf.bak", "a+3.conf.bak", -1, -1 },   { ".conf", ".conf", -1, -1 },
		{ "a+9999999999.conf", "a+9999999999.conf", -1, -1 },
	};
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{ "a+3.conf", "a+2-1.conf", true },   { "a+3.conf", "a.conf", true }, { "a.conf", "a.conf", true },
		{ "a+3.conf", "b+3.conf", false },    { "a.conf", "a.efi", false },   { "a+1+3.conf", "a+2+3.conf", false },
		{ "aa+3.conf", "a+3.conf", false },   { "a", "a", false },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(names); i++) {
		const struct sp_bls_tries t = sp_bls_tries(names[i].name);
		sp_autofree char *plain = sp_bls_plain_name(names[i].name);

		if (!sp_streq(plain, names[i].plain) || t.left != names[i].left || t.done != names[i].done)
			fail_msg("%s: %s %ld %ld", names[i].name, plain, t.left, t.done);
	}
	for (size_t i = 0; i < SP_ELEMENTS(pairs); i++)
		if (sp_bls_same_name(pairs[i].a, pairs[i].b) != pairs[i].same ||
		    sp_bls_same_name(pairs[i].b, pairs[i].a) != pairs[i].same)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
}

/* --- versions: each is older than the next ----------------------------------------------------------------------- */

static const char *const versions[] = {
	"~", "~1", "", "ab", "abb", "abc", "0001", "002", "12", "122", "122.9", "123~rc1", "123", "123-a", "123-a.1", "123-a1",
	"123-a1.1", "123-3", "123-3.1", "123^patch1", "123^1", "123.a-1", "123.1-1", "123a-1", "124",
};

/* What the system's own tool says (it exits with 11, 0 or 12); 2: it is not there. */
static int ask_systemd(const char *a, const char *b)
{
	static const char tool[] = "/usr/bin/systemd-analyze";
	int status = 0;

	if (access(tool, X_OK) < 0)
		return 2;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (!freopen("/dev/null", "we", stdout) || !freopen("/dev/null", "we", stderr))
			_exit(126);
		execl(tool, tool, "compare-versions", a, b, (char *) NULL);
		_exit(126);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	switch (WIFEXITED(status) ? WEXITSTATUS(status) : 126) {
	case 0:
		return 0;
	case 11:
		return 1;
	case 12:
		return -1;
	default:
		return 2;
	}
}

static void versions_have_the_order_of_systemd(void **state)
{
	static const char *const pairs[][2] = {
		{ "00123", "123" },	      { "6.19.8-arch1-1", "6.18.16-1-lts" }, { "6.19.10", "6.19.9" },
		{ "6.9.1", "6.10.1" },	      { "6.19.8-200.fc43", "6.19.8-300.fc43" }, { "6.19.0-rc1", "6.19.0" },
		{ "6.19.0~rc1", "6.19.0" },   { "a_b", "a.b" },	 { "1_0", "10" },	 { "1.+", "1." },
		{ "1-", "1" },		      { "1.a", "1.1" },	 { "A", "a" },		 { "7c4d-6.1+2-1.conf", "7c4d-6.1.conf" },
		{ "1.0^", "1.0" },	      { "1..0", "1.0" }, { "\xc3\xa4", "" },	 { "1.~", "1." },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(versions); i++)
		for (size_t k = 0; k < SP_ELEMENTS(versions); k++)
			if (sp_bls_compare_versions(versions[i], versions[k]) != (i > k) - (i < k))
				fail_msg("'%s' and '%s': %d", versions[i], versions[k],
					 sp_bls_compare_versions(versions[i], versions[k]));
	for (size_t i = 0; i < SP_ELEMENTS(pairs); i++) {
		const int ours = sp_bls_compare_versions(pairs[i][0], pairs[i][1]);
		const int theirs = ask_systemd(pairs[i][0], pairs[i][1]);

		if (theirs != 2 && ours != theirs)
			fail_msg("'%s' and '%s': %d, and systemd says %d", pairs[i][0], pairs[i][1], ours, theirs);
		assert_int_equal(ours, -sp_bls_compare_versions(pairs[i][1], pairs[i][0]));
	}
	assert_int_equal(sp_bls_compare_versions(NULL, ""), 0);
	assert_int_equal(sp_bls_compare_versions(NULL, "1"), -1);
	assert_int_equal(sp_bls_compare_versions("1", NULL), 1);
}

/* --- all options lines ------------------------------------------------------------------------------------------- */

static const struct {
	const char *file, *line; /* line NULL: refused */
	const char *put, *after; /* NULL: refused */
} options[] = {
	{ "linux /a\noptions a\noptions b\n", "a b", "a b x", "linux /a\noptions a\noptions b x\n" },
	{ "linux /a\noptions a\r\noptions  b c\r\n", "a b c", "a x c", "linux /a\noptions a\r\noptions  x c\r\n" },
	{ "options a\nlinux /a\noptions b", "a b", "b", "options \nlinux /a\noptions b" },
	{ "options a b\nlinux /a\noptions c d\n", "a b c d", "b d", "options b\nlinux /a\noptions d\n" },
	{ "linux /a\noptions\noptions a\n", "a", "a x", "linux /a\noptions\noptions a x\n" },
	{ "linux /a\noptions a\noptions\n", "a", "a x", "linux /a\noptions a x\noptions\n" },
	{ "linux /a\n", NULL, "x", "linux /a\noptions x\n" },
	{ "linux /a\noptions \"a b\"\n", NULL, "x", NULL },
	{ "linux /a\noptions a\noptions \"b\" \n", NULL, "x", NULL },
	{ "linux /a\noptions \"a b\" c\n", "\"a b\" c", "\"a b\" c x", "linux /a\noptions \"a b\" c x\n" },
	{ "linux /a\noptions \"a b\" c d=\"e\" f\n", "\"a b\" c d=\"e\" f", "\"a b\" c d=\"e\"", NULL },
	{ "linux /a\noptions a\noptions b\n", "a b", "a b\n", NULL },
};

static void all_options_are_one_line(void **state)
{
	static const struct sp_host host = { .kind = SP_HOST_BLS_ALL };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(options); i++) {
		sp_autobuf struct sp_buf file = { 0 }, after = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, options[i].file);
		int r = sp_host_get(&host, &file, &line, NULL), w = sp_host_put(&host, &file, options[i].put, &after, NULL);
		if (options[i].line ? r < 0 || !sp_streq(line, options[i].line) : r == 0)
			fail_msg("%zu: reads '%s'", i, line);
		if (options[i].after ? w < 0 || !sp_streq(after.data, options[i].after) : w == 0)
			fail_msg("%zu: writes '%s'", i, after.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_compared_without_their_counter),
		cmocka_unit_test(versions_have_the_order_of_systemd),
		cmocka_unit_test(all_options_are_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
