/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/cmdline.h"

/* Each argument as "key", "key=value", a leading '!' for what is init's. */
static char *describe(const char *line)
{
	sp_autoargs struct sp_args args = { 0 };
	sp_autostrv struct sp_strv list = { 0 };

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n; i++) {
		const struct sp_arg *a = &args.v[i];

		assert_memory_equal(line + a->start, a->text, a->len);
		assert_int_equal(strlen(a->text), a->len);
		sp_strv_addf(&list, "%s[%s]%s%s%s", a->for_init ? "!" : "", a->key, a->value ? "[" : "",
			     a->value ? a->value : "", a->value ? "]" : "");
	}
	return sp_strv_join(&list, " ");
}

static void parses(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "", "" },
		{ "  \t ", "" },
		{ "quiet", "[quiet]" },
		{ " ro\tquiet  rhgb ", "[ro] [quiet] [rhgb]" },
		{ "root=UUID=1 x=", "[root][UUID=1] [x][]" },
		{ "a=\"b c\" d", "[a][b c] [d]" },
		{ "\"a=b c\" d", "[a][b c] [d]" },
		{ "\"quiet\"", "[quiet]" },
		{ "dyndbg=\"file a.c +p; file b.c +p\" x", "[dyndbg][file a.c +p; file b.c +p] [x]" },
		{ "a=\"open b c", "[a][open b c]" },
		{ "a=b\"c d\"e f", "[a][b\"c d\"e] [f]" },
		{ "a=\"", "[a][]" },
		{ "\"", "[]" },
		{ "=x", "[=x]" },
		{ "a -- b=c", "[a] ![--] ![b][c]" },
		{ "a --x b", "[a] [--x] [b]" },
		{ "a --=1 b", "[a] [--][1] [b]" },
		{ "x=\"a -- b\" c", "[x][a -- b] [c]" },
		{ "a=1\nb=2\r\n", "[a][1] [b][2]" },
		{ "name=gr\xc3\xa0\xc3\xbc x", "[name][gr\xc3\xa0\xc3\xbc] [x]" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autofree char *got = describe(cases[i].line);

		assert_string_equal(got, cases[i].want);
	}
}

static void values(void **state)
{
	static const struct {
		const char *line, *key, *want;
	} cases[] = {
		{ "iommu=off iommu=pt", "iommu", "pt" },
		{ "a_b-c=1", "a-b_c", "1" },
		{ "quiet", "quiet", "" },
		{ "quiet", "qui", NULL },
		{ "qui", "quiet", NULL },
		{ "a=1 -- a=2", "a", "1" },
		{ "-- a=2", "a", NULL },
		{ "a=\"x y\"", "a", "x y" },
		{ "", "a", NULL },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autofree char *got = sp_cmdline_value(cases[i].line, cases[i].key);

		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		else
			assert_null(got);
	}
}

static void presence(void **state)
{
	static const struct {
		const char *line, *token;
		enum sp_presence want;
	} cases[] = {
		{ "ro iommu=pt quiet", "iommu=pt", SP_PRESENT },
		{ "ro \"iommu=pt\" quiet", "iommu=pt", SP_PRESENT },
		{ "transparent-hugepage=always", "transparent_hugepage=always", SP_PRESENT },
		{ "iommu=off iommu=pt", "iommu=pt", SP_EFFECTIVE },
		{ "iommu=pt iommu=pt", "iommu=pt", SP_EFFECTIVE },
		{ "iommu=pt ro iommu=off", "iommu=pt", SP_OVERRIDDEN },
		{ "iommu=off", "iommu=pt", SP_OTHER },
		{ "iommu", "iommu=pt", SP_OTHER },
		{ "iommu=", "iommu", SP_OTHER },
		{ "quiet", "quiet", SP_PRESENT },
		{ "ro", "iommu=pt", SP_ABSENT },
		{ "ro -- iommu=pt", "iommu=pt", SP_ABSENT },
		{ "", "iommu=pt", SP_ABSENT },
		{ "console=tty0 console=ttyS0", "console=tty0", SP_PRESENT },
		{ "console=tty0 x console=tty0", "console=tty0", SP_EFFECTIVE },
		{ "console=ttyS0", "console=tty0", SP_ABSENT },
		{ "ro", "", SP_ABSENT },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++)
		if (sp_cmdline_presence(cases[i].line, cases[i].token) != cases[i].want)
			fail_msg("'%s' on '%s': %d", cases[i].token, cases[i].line,
				 (int) sp_cmdline_presence(cases[i].line, cases[i].token));
}

static void multi_keys(void **state)
{
	static const char *const multi[] = {
		"console",     "rd.luks.uuid",	"rd.driver.blacklist", "ip",
		"initrd",      "hugepages",	"hugepagesz",	       "modprobe.blacklist",
		"crashkernel", "amdgpu.dyndbg", "systemd.swap-extra"
	};
	static const char *const single[] = { "iommu", "amdgpu.gttsize",    "ttm.pages_limit", "root",
					      "rd",    "console2",	    "rdx.y",	       "",
					      "ipv6",  "default_hugepagesz" };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(multi); i++)
		if (!sp_key_is_multi(multi[i]))
			fail_msg("'%s' not taken for a key with several values", multi[i]);
	for (size_t i = 0; i < SP_ELEMENTS(single); i++)
		if (sp_key_is_multi(single[i]))
			fail_msg("'%s' taken for a key with several values", single[i]);
}

static void tokens(void **state)
{
	static const struct {
		const char *a, *b;
		bool eq;
	} pairs[] = {
		{ "a-b=1", "a_b=1", true },  { "a=1", "\"a=1\"", true }, { "a=1", "a=\"1\"", true },
		{ "a=1-2", "a=1_2", false }, { "a", "a=", false },	 { "a=1", "a=2", false },
		{ "a=1", "a=1 b=2", false }, { "", "", false },
	};
	sp_autofree char *key = sp_token_key("\"amdgpu.gttsize=1\""), *none = sp_token_key("");

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(pairs); i++)
		assert_int_equal(sp_token_eq(pairs[i].a, pairs[i].b), pairs[i].eq);
	assert_string_equal(key, "amdgpu.gttsize");
	assert_string_equal(none, "");
	assert_true(sp_token_is_open("a=\"b c"));
	assert_false(sp_token_is_open("a=\"b c\""));
}

static void safe_tokens(void **state)
{
	static const char *const safe[] = { "iommu=pt", "ttm.pages_limit=15466496", "quiet",
					    "a=b=c,d:e/f+g@h%i[0]^-_" };
	static const char *const unsafe[] = { "",	 "=x",	       "--",	 "-x",	 "a b",	 "a\tb",
					      "a=\"b\"", "a='b'",      "a=#b",	 "a=$b", "a=\\", "a;b",
					      "a&b",	 "a|b",	       "a={b",	 "a=b}", "a=`b", "a\nb",
					      "a=\x7f",	 "a=\xc3\xbc", "a=\x01", "a=<b", "a=(b", "a=*" };
	char big[SP_CMDLINE_MAX + 1];

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(safe); i++)
		if (!sp_token_is_safe(safe[i]))
			fail_msg("'%s' refused", safe[i]);
	for (size_t i = 0; i < SP_ELEMENTS(unsafe); i++)
		if (sp_token_is_safe(unsafe[i]))
			fail_msg("'%s' let through", unsafe[i]);
	memset(big, 'a', sizeof(big));
	big[SP_CMDLINE_MAX] = '\0';
	assert_false(sp_token_is_safe(big));
	assert_true(sp_token_is_safe(big + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),     cmocka_unit_test(values), cmocka_unit_test(presence),
		cmocka_unit_test(multi_keys), cmocka_unit_test(tokens), cmocka_unit_test(safe_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
