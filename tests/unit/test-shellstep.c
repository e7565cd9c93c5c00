/* SPDX-License-Identifier: MIT */
/* What a drop-in does to a variable that was set before it; the shells of this machine are asked, too. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/shellstep.h"
#define VAR "GRUB_CMDLINE_LINUX"
#include "shell-oracle.h"

#define SELF "$" VAR
#define BRACED "${" VAR "}"

static const struct {
	const char *file;
	enum sp_shell_step_kind kind;
	const char *before, *after;
	unsigned line;
	enum who who;
} steps[] = {
	{ "", SP_STEP_NONE, NULL, NULL, 0, EVERY_SHELL },
	{ "# nothing\nGRUB_TIMEOUT=5\n" VAR "_DEFAULT=\"quiet\"\n", SP_STEP_NONE, NULL, NULL, 0, EVERY_SHELL },
	{ VAR "=\"a b\"\n", SP_STEP_SET, "a b", "", 1, EVERY_SHELL },
	{ "X=1\n" VAR "=\n", SP_STEP_SET, "", "", 2, EVERY_SHELL },
	{ VAR "=\"" SELF " a b\"\n", SP_STEP_ADD, "", " a b", 1, EVERY_SHELL },
	{ VAR "=\"" BRACED " a\"\n", SP_STEP_ADD, "", " a", 1, EVERY_SHELL },
	{ VAR "=" SELF "\" a\"\n", SP_STEP_ADD, "", " a", 1, EVERY_SHELL },
	{ VAR "=" BRACED "' a'\n", SP_STEP_ADD, "", " a", 1, EVERY_SHELL },
	{ VAR "=\"x " SELF " a\" # y\n", SP_STEP_ADD, "x ", " a", 1, EVERY_SHELL },
	{ VAR "=\"x " SELF "\"\n", SP_STEP_ADD, "x ", "", 1, EVERY_SHELL },
	{ VAR "=\"" SELF " a=\\\"b c\\\" \\$d\"\n", SP_STEP_ADD, "", " a=\"b c\" $d", 1, EVERY_SHELL },
	{ VAR "=\"" SELF " it's\"\n", SP_STEP_ADD, "", " it's", 1, EVERY_SHELL },
	{ VAR "+=\" a\"\n", SP_STEP_ADD, "", " a", 1, ONLY_BASH },
	{ VAR "+=\" a\"\n" VAR "+=' b'\n", SP_STEP_ADD, "", " a b", 2, ONLY_BASH },
	{ VAR "=\"q\"\n" VAR "+=\" a\"\n", SP_STEP_SET, "q a", "", 2, ONLY_BASH },
	{ VAR "=\"" SELF " a\"\n" VAR "+=\" b\"\n", SP_STEP_ADD, "", " a b", 2, ONLY_BASH },
	{ VAR "=\"" SELF " a\"\nX=1\n" VAR "=\"" SELF " b\"\n", SP_STEP_ADD, "", " a b", 3, EVERY_SHELL },
	{ VAR "=\"1 " SELF " a\"\n" VAR "=\"2 " SELF " b\"\n", SP_STEP_ADD, "2 1 ", " a b", 2, EVERY_SHELL },
	{ VAR "=quiet\n" VAR "=\"1 " SELF " b\"\n", SP_STEP_SET, "1 quiet b", "", 2, EVERY_SHELL },
	{ VAR "=\"" SELF " lost\"\n" VAR "=new\n", SP_STEP_SET, "new", "", 2, EVERY_SHELL },
	{ "export " VAR "=\"" SELF " a\"\n", SP_STEP_ADD, "", " a", 1, EVERY_SHELL },
	{ "if true; then X=1; fi\n" VAR "=\"" SELF " a\"\n", SP_STEP_ADD, "", " a", 2, EVERY_SHELL },
	{ VAR "='" SELF " a'\n", SP_STEP_SET, SELF " a", "", 1, EVERY_SHELL },
	{ VAR "=\"\\" SELF " a\"\n", SP_STEP_SET, SELF " a", "", 1, EVERY_SHELL },
	{ VAR "=\\" SELF "\n", SP_STEP_SET, SELF, "", 1, EVERY_SHELL },
	{ VAR "=\"a \\\n" SELF " \\\nb\"\n", SP_STEP_ADD, "a ", " b", 1, EVERY_SHELL },
};

static char *result(const struct sp_shell_step *step, const char *old)
{
	if (step->kind == SP_STEP_NONE)
		return sp_xstrdup(old);
	return sp_xasprintf("%s%s%s", step->before, step->kind == SP_STEP_ADD ? old : "", step->after);
}

static void test_steps(void **state)
{
	static const char old[] = "was here";

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(steps); i++) {
		sp_autobuf struct sp_buf file = bytes(steps[i].file);
		sp_autoshellstep struct sp_shell_step step = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		if (sp_shellvar_step(&file, VAR, &step, &err) < 0)
			fail_msg("%s: %s", steps[i].file, err->message);
		if (step.kind != steps[i].kind || step.line != steps[i].line ||
		    (step.kind != SP_STEP_NONE &&
		     (!sp_streq(step.before, steps[i].before) || !sp_streq(step.after, steps[i].after))))
			fail_msg("%s: kind %d, line %u, '%s', '%s'", steps[i].file, (int) step.kind, step.line, step.before,
				 step.after);
		sp_autofree char *value = result(&step, old);
		sp_autofree char *chain = sp_xasprintf(VAR "='%s'\n%s", old, steps[i].file);
		check_shells(steps[i].who, chain, value);
	}
}

static const struct {
	const char *file;
	int code;
	const char *message;
} refusals[] = {
	{ VAR "=\"$OTHER a\"\n", -EOPNOTSUPP, "line 1" },
	{ "\n\n" VAR "=\"" SELF " $OTHER\"\n", -EOPNOTSUPP, "line 3" },
	{ VAR "=\"" SELF "_DEFAULT a\"\n", -EOPNOTSUPP, "line 1" },
	{ VAR "=\"${" VAR ":-x} a\"\n", -EOPNOTSUPP, "line 1" },
	{ VAR "=\"${" VAR "_DEFAULT} a\"\n", -EOPNOTSUPP, "line 1" },
	{ VAR "=\"$(cat x) a\"\n", -EOPNOTSUPP, "line 1" },
	{ VAR "=\"" SELF " " SELF "\"\n", -EOPNOTSUPP, "twice" },
	{ "if x; then " VAR "=a; fi\n", -EOPNOTSUPP, "line 1" },
	{ ". /etc/other\n" VAR "=\"" SELF " a\"\n", -EOPNOTSUPP, "line 1" },
	{ "if x; then\n" VAR "=b\nfi\n" VAR "=\"" SELF " a\"\n", -EOPNOTSUPP, "line 2" },
	{ VAR "=\"$X\"\n" VAR "=\"" SELF " a\"\n", -EOPNOTSUPP, "line 1" },
	{ "unset " VAR "\n" VAR "=\"" SELF " a\"\n", -EOPNOTSUPP, "line 1" },
	{ VAR "=\"a\n", -EINVAL, "line 1" },
	{ VAR "=\"" SELF " \001\"\n", -EINVAL, "control" },
};

static void test_refusals(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(refusals); i++) {
		sp_autobuf struct sp_buf file = bytes(refusals[i].file);
		sp_autoshellstep struct sp_shell_step step = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		int r = sp_shellvar_step(&file, VAR, &step, &err);

		if (r != refusals[i].code || !strstr(err->message, refusals[i].message))
			fail_msg("%s: %d, %s", refusals[i].file, r, err ? err->message : "understood");
		assert_null(step.before);
	}
}

/* What needs a shell does no harm in front of an assignment that stands by itself. */
static void test_plain_settles(void **state)
{
	sp_autobuf struct sp_buf file = bytes(". /etc/other\n" VAR "=\"$X\"\n" VAR "=\"a\"\n" VAR "=\"" SELF " b\"\n");
	sp_autoshellstep struct sp_shell_step step = { 0 };

	(void) state;
	assert_int_equal(sp_shellvar_step(&file, VAR, &step, NULL), 0);
	assert_int_equal(step.kind, SP_STEP_SET);
	assert_string_equal(step.before, "a b");
}

static void test_bound(void **state)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_autoshellstep struct sp_shell_step step = { 0 };

	(void) state;
	for (size_t i = 0; i < 1000; i++)
		sp_buf_adds(&file, VAR "=\"" SELF " a\"\n");
	assert_int_equal(sp_shellvar_step(&file, VAR, &step, NULL), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_plain_settles),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
