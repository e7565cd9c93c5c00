/* SPDX-License-Identifier: MIT */
/* The command line: what is understood, what is refused with which hint, and that help and man page name it all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/cmd.h"

#define MAX_WORDS 8

/* What was understood, as text: command, arguments, then each thing that was set. */
static char *describe(const struct sp_cli *cli)
{
	struct sp_buf b = { 0 };
	const struct sp_selection *s = &cli->selection;
	sp_autofree char *with = sp_strv_join(&s->with, ","), *without = sp_strv_join(&s->without, ","),
			 *replace = sp_strv_join(&s->replace, ",");
	const struct {
		const char *name;
		bool on;
	} flags[] = {
		{ "json", cli->json },
		{ "quiet", cli->quiet },
		{ "verbose", cli->verbose },
		{ "help", cli->help },
		{ "version", cli->version },
		{ "check", cli->check },
		{ "yes", cli->yes },
		{ "reboot", cli->reboot },
		{ "all", cli->all },
		{ "given", s->given },
		{ "any-platform", s->any_platform },
		{ "keep-conflicts", cli->keep_conflicts },
		{ "uma-keep", s->uma == SP_UMA_KEEP },
		{ "uma-512", s->uma == SP_UMA_SIZE && s->uma_mib == 512 },
		{ "uma-by-hand-2048", s->uma == SP_UMA_BY_HAND && s->uma_mib == 2048 },
		{ "password-fd-0", cli->has_password_fd && cli->password_fd == 0 },
		{ "with-boot", cli->with_boot },
	};
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "root", cli->root },
		{ "machine", cli->machine },
		{ "config", cli->config },
		{ "data", cli->data },
		{ "boot", cli->boot },
		{ "log", cli->log },
		{ "output", cli->output },
		{ "profile", s->profile },
		{ "with", *with ? with : NULL },
		{ "without", *without ? without : NULL },
		{ "replace", *replace ? replace : NULL },
	};

	sp_buf_adds(&b, cli->cmd ? cli->cmd->name : "none");
	for (size_t i = 0; i < cli->n_args; i++)
		sp_buf_addf(&b, " (%s)", cli->args[i]);
	for (size_t i = 0; i < SP_ELEMENTS(flags); i++)
		sp_buf_addf(&b, "%s%s", flags[i].on ? " " : "", flags[i].on ? flags[i].name : "");
	for (size_t i = 0; i < SP_ELEMENTS(texts); i++) {
		if (texts[i].text)
			sp_buf_addf(&b, " %s=%s", texts[i].name, texts[i].text);
	}
	if (s->gtt_mib || s->host_reserve_mib)
		sp_buf_addf(&b, " gtt=%ju host=%ju", (uintmax_t) s->gtt_mib, (uintmax_t) s->host_reserve_mib);
	if (cli->color)
		sp_buf_addf(&b, " color=%u", cli->color);
	return sp_buf_steal(&b);
}

static const struct {
	const char *words[MAX_WORDS];
	const char *expected;
} good[] = {
	{ { NULL }, "none" },
	{ { "detect" }, "detect" },
	{ { "--json", "detect" }, "detect json" },
	{ { "detect", "--json" }, "detect json" },
	{ { "-qv", "plan", "-h" }, "plan quiet verbose help" },
	{ { "-V" }, "none version" },
	{ { "--root", "/mnt", "--machine=/m", "status" }, "status root=/mnt machine=/m" },
	{ { "--root=/a", "--root=/b", "status" }, "status root=/b" },
	{ { "--config", "-", "--data", "d", "--boot", "grub-bls", "--log=l" },
	  "none config=- data=d boot=grub-bls log=l" },
	{ { "--color=always", "status" }, "status color=1" },
	{ { "--color", "never", "status" }, "status color=2" },
	{ { "apply", "-y", "--reboot" }, "apply yes reboot" },
	{ { "--yes", "apply" }, "apply yes" },
	{ { "plan", "--check" }, "plan check" },
	{ { "plan", "--profile", "headroom" }, "plan given profile=headroom" },
	{ { "plan", "--with", "noretry,thp", "--with=iommu", "--with=thp" }, "plan given with=noretry,thp,iommu" },
	{ { "plan", "--without=a", "--replace=b, c" }, "plan given without=a replace=b,c" },
	{ { "apply", "--gtt", "59G", "--host-reserve", "4096M" }, "apply given gtt=60416 host=4096" },
	{ { "apply", "--gtt", "59G", "--gtt=auto" }, "apply given" },
	{ { "apply", "--uma", "512M" }, "apply given uma-512" },
	{ { "apply", "--uma-by-hand=2G", "--password-fd=0" }, "apply given uma-by-hand-2048 password-fd-0" },
	{ { "apply", "--uma=512M", "--uma", "keep" }, "apply given uma-keep" },
	{ { "apply", "--uma", "keep", "--any-platform" }, "apply given any-platform uma-keep" },
	{ { "rollback", "3", "--keep-conflicts" }, "rollback (3) keep-conflicts" },
	{ { "rollback", "--all" }, "rollback all" },
	{ { "rollback", "--", "--all" }, "rollback (--all)" },
	{ { "record", "--boot" }, "record with-boot" }, /* its own, not the global --boot NAME */
	{ { "record", "--boot", "--output", "x.tar" }, "record with-boot output=x.tar" },
	{ { "plan", "--boot", "grub-bls" }, "plan boot=grub-bls" },
	{ { "help", "apply" }, "help (apply)" },
	{ { "__complete", "options", "apply" }, "__complete (options) (apply)" },
};

static const struct {
	const char *words[MAX_WORDS];
	const char *message, *hint; /* hint: a part of it; NULL: none */
} bad[] = {
	{ { "aply" }, "unknown command 'aply'", "did you mean 'apply'?" },
	{ { "roll" }, "unknown command 'roll'", "did you mean 'rollback'?" },
	{ { "frobnicate" }, "unknown command 'frobnicate'", "--help" },
	{ { "__complet" }, "unknown command '__complet'", "--help" },
	{ { "" }, "unknown command ''", "--help" },
	{ { "--jsn", "plan" }, "unknown option '--jsn'", "did you mean '--json'?" },
	{ { "plan", "--withot=a" }, "unknown option '--withot'", "did you mean '--without'?" },
	{ { "plan", "--uma-by-han" }, "unknown option '--uma-by-han'", "'--uma-by-hand'" },
	{ { "plan", "--verb" }, "unknown option '--verb'", "did you mean '--verbose'?" },
	{ { "plan", "-x" }, "unknown option '-x'", "--help" },
	{ { "plan", "--json=yes" }, "option '--json' takes no argument", NULL },
	{ { "plan", "--root" }, "option '--root' needs an argument", "--root DIR" },
	{ { "plan", "--root=" }, "option '--root' needs an argument", "--root DIR" },
	{ { "plan", "--root", "--json" }, "option '--root' needs an argument", "--root DIR" },
	{ { "plan", "--color=blue" }, "option '--color': bad value 'blue'", "auto, always, never" },
	{ { "plan", "--with=a,,b" }, "option '--with': bad value 'a,,b'", "iommu,thp" },
	{ { "apply", "--uma=small" }, "option '--uma': 'small' is not a size", "59G" },
	{ { "apply", "--uma-by-hand", "keep" }, "option '--uma-by-hand': 'keep' is not a size", "59G" },
	{ { "apply", "--password-fd", "x" }, "option '--password-fd': bad value 'x'", "--password-fd 3 3<file" },
	{ { "apply", "--password-fd", "1000" }, "option '--password-fd': bad value '1000'", "--password-fd 3 3<file" },
	{ { "plan", "--password-fd", "0" }, "option '--password-fd' is not for this command", "plan --help" },
	{ { "detect", "--yes" }, "option '--yes' is not for this command", "detect --help" },
	{ { "--check", "apply" }, "option '--check' is not for this command", "apply --help" },
	{ { "--boot", "grub-bls", "record" }, "option '--boot' is not for this command", "record --help" },
	{ { "record", "--boot=grub-bls" }, "option '--boot' takes no argument", NULL },
	{ { "status", "--gtt=1G" }, "option '--gtt' is not for this command", "status --help" },
	{ { "verify", "3" }, "unexpected argument '3'", "verify --help" },
	{ { "rollback", "3", "4" }, "unexpected argument '4'", "rollback --help" },
};

static int parse(const char *const *words, struct sp_cli *cli, struct sp_error **err)
{
	char *argv[MAX_WORDS + 2] = { (char *) "strix-provision" };
	int argc = 1;

	while (words[argc - 1]) {
		argv[argc] = (char *) words[argc - 1];
		argc++;
	}
	return sp_cli_parse(argc, argv, cli, err);
}

static void test_good(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(good); i++) {
		sp_autocli struct sp_cli cli = { 0 };
		sp_autoerror struct sp_error *error = NULL;

		assert_int_equal(parse(good[i].words, &cli, &error), 0);
		sp_autofree char *got = describe(&cli);
		assert_string_equal(got, good[i].expected);
	}
}

static void test_bad(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(bad); i++) {
		sp_autocli struct sp_cli cli = { 0 };
		sp_autoerror struct sp_error *error = NULL;

		assert_true(parse(bad[i].words, &cli, &error) < 0);
		assert_string_equal(error->message, bad[i].message);
		assert_int_equal(error->exit, SP_EXIT_USAGE);
		if (bad[i].hint)
			assert_non_null(strstr(error->hint ? error->hint : "", bad[i].hint));
		else
			assert_null(error->hint);
	}
}

/* A size that cannot be read: the message is the catalogue's, the option and the exit status are ours. */
static void test_bad_size(void **state)
{
	static const char *const texts[] = { "banana", "0", "0G", "-1G", "59" };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(texts); i++) {
		const char *const words[] = { "apply", "--gtt", texts[i], NULL };
		sp_autocli struct sp_cli cli = { 0 };
		sp_autoerror struct sp_error *error = NULL;

		assert_true(parse(words, &cli, &error) < 0);
		assert_true(sp_startswith(error->message, "option '--gtt': "));
		assert_non_null(strstr(error->message, texts[i]));
		assert_int_equal(error->exit, SP_EXIT_USAGE);
	}
}

/* An error is told as an object even where --json stands behind the mistake. */
static void test_json_is_seen(void **state)
{
	static const char *const words[] = { "--nonsense", "--json", NULL };
	sp_autocli struct sp_cli cli = { 0 };
	sp_autoerror struct sp_error *error = NULL;

	(void) state;
	assert_true(parse(words, &cli, &error) < 0);
	assert_true(cli.json);
}

static void test_tables(void **state)
{
	size_t n = 0;

	(void) state;
	for (const struct sp_option *o = sp_options; o->name; o++, n++) {
		const struct sp_option *first = sp_option_find(o->name, strlen(o->name));

		/* No name twice, but for a command's own in the place of a global one. */
		assert_true(first == o || (first->group == SP_OPTIONS_GLOBAL && o->group != SP_OPTIONS_GLOBAL));
		assert_non_null(o->set);
		assert_true(o->group != 0);
	}
	assert_true(n < 64); /* bits of sp_cli.given */
	for (const struct sp_cmd *c = sp_commands; c->name; c++) {
		assert_ptr_equal(sp_cmd_find(c->name), c);
		assert_non_null(c->run);
		assert_true(c->max_args <= SP_ELEMENTS(((struct sp_cli *) 0)->args));
		assert_true((c->max_args > 0) == (c->args != NULL));
	}
}

static char *help_text(const struct sp_cmd *cmd)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	sp_help_print(out, cmd);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void check_width(const char *text)
{
	for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
		assert_true(strcspn(p, "\n") <= 80);
}

static bool is_offered(const char *name, const struct sp_cmd *cmd)
{
	for (const struct sp_option *o = sp_options; o->name; o++)
		if (!o->hidden && sp_streq(o->name, name) && sp_option_is_for(o, cmd))
			return true;
	return false;
}

static void test_help(void **state)
{
	sp_autofree char *all = help_text(NULL);

	(void) state;
	check_width(all);
	for (const struct sp_cmd *c = sp_commands; c->name; c++) {
		sp_autofree char *one = help_text(c), *in_list = sp_xasprintf("\n  %s ", c->name);

		check_width(one);
		assert_true(!strstr(all, in_list) == !!(c->flags & SP_CMD_HIDDEN));
		for (const struct sp_option *o = sp_options; o->name; o++) {
			sp_autofree char *option = sp_xasprintf(" --%s ", o->name);

			assert_int_equal(!!strstr(one, option), is_offered(o->name, c));
		}
	}
}

static void read_source(const char *name, struct sp_buf *ret)
{
	const char *dir = getenv("SP_SRCDIR");
	sp_autoroot struct sp_root *root = NULL;
	sp_autoerror struct sp_error *error = NULL;

	assert_int_equal(sp_root_open(dir ? dir : ".", 0, &root, &error), 0);
	assert_int_equal(sp_root_read(root, name, SP_FILE_MAX, ret, &error), 0);
}

/* The man page is written by hand; it must name what the tables have: ".It Fl -name", ".It Ic name". */
static void test_man_page(void **state)
{
	sp_autobuf struct sp_buf page = { 0 };

	(void) state;
	read_source("man/strix-provision.8", &page);
	for (const struct sp_option *o = sp_options; o->name; o++) {
		sp_autofree char *item = sp_xasprintf("Fl -%s", o->name);

		if (!o->hidden && !strstr(page.data, item))
			fail_msg("the man page lacks --%s", o->name);
	}
	for (const struct sp_cmd *c = sp_commands; c->name; c++) {
		sp_autofree char *item = sp_xasprintf(".It Ic %s", c->name);

		if (!(c->flags & SP_CMD_HIDDEN) && !strstr(page.data, item))
			fail_msg("the man page lacks the command %s", c->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	     cmocka_unit_test(test_bad),    cmocka_unit_test(test_bad_size),
		cmocka_unit_test(test_json_is_seen), cmocka_unit_test(test_tables), cmocka_unit_test(test_help),
		cmocka_unit_test(test_man_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
