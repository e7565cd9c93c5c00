/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"
#include "cmd/cli.h"

#include <errno.h>

#include "cmd/cmd.h"

void sp_cli_clear(struct sp_cli *cli)
{
	sp_selection_clear(&cli->selection);
}

const struct sp_option *sp_option_find(const char *name, size_t len)
{
	for (const struct sp_option *o = sp_options; o->name; o++) {
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

/* A command's own option goes before a global one of the same name: record --boot. */
static const struct sp_option *find_own(const struct sp_cmd *cmd, const char *name, size_t len)
{
	for (const struct sp_option *o = sp_options; cmd && o->name; o++) {
		if (o->group & cmd->options && strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

static const struct sp_option *find_letter(char letter)
{
	for (const struct sp_option *o = sp_options; o->name; o++) {
		if (o->letter && o->letter == letter)
			return o;
	}
	return NULL;
}

bool sp_option_is_for(const struct sp_option *o, const struct sp_cmd *cmd)
{
	const struct sp_option *own = find_own(cmd, o->name, strlen(o->name));

	return own ? own == o : (o->group & SP_OPTIONS_GLOBAL) != 0;
}

static void option_names(struct sp_strv *ret)
{
	for (const struct sp_option *o = sp_options; o->name; o++)
		if (!o->hidden)
			sp_strv_add(ret, o->name);
}

static void command_names(struct sp_strv *ret)
{
	for (const struct sp_cmd *c = sp_commands; c->name; c++)
		if (!(c->flags & SP_CMD_HIDDEN))
			sp_strv_add(ret, c->name);
}

static int usage_error(struct sp_error **err, const char *before, const char *word, const char *behind)
{
	(void) sp_error_set(err, -EINVAL, "%s'%s'%s", before, word, behind);
	return sp_error_exit(err, SP_EXIT_USAGE);
}

static int option_error(struct sp_error **err, const struct sp_option *o, const char *behind)
{
	(void) sp_error_set(err, -EINVAL, "option '--%s'%s", o->name, behind);
	return sp_error_exit(err, SP_EXIT_USAGE);
}

static int unknown_option(const char *word, size_t len, struct sp_error **err)
{
	sp_autofree char *shown = sp_xasprintf("--%.*s", (int) len, word);
	sp_autostrv struct sp_strv names = { 0 };

	option_names(&names);
	const char *near = sp_nearest(shown + 2, &names);
	(void) usage_error(err, "unknown option ", shown, "");
	return near ? sp_error_hint(err, "did you mean '--%s'?", near)
		    : sp_error_hint(err, "strix-provision --help lists the options");
}

static int unknown_command(const char *word, struct sp_error **err)
{
	sp_autostrv struct sp_strv names = { 0 };

	command_names(&names);
	const char *near = sp_nearest(word, &names);
	(void) usage_error(err, "unknown command ", word, "");
	return near ? sp_error_hint(err, "did you mean '%s'?", near)
		    : sp_error_hint(err, "strix-provision --help lists the commands");
}

static int store(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	cli->given |= UINT64_C(1) << (o - sp_options);
	if (o->group & SP_OPTIONS_SELECT)
		cli->selection.given = true;
	return o->set(o, value, cli, err);
}

/* "--name", "--name=value" or "--name value"; *next is the argument behind it and is taken where needed. */
static int parse_long(const char *word, char *const **next, struct sp_cli *cli, struct sp_error **err)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t) (equals - name) : strlen(name);
	const struct sp_option *own = find_own(cli->cmd, name, len), *o = own ? own : sp_option_find(name, len);
	const char *value = equals ? equals + 1 : NULL;

	if (!o)
		return unknown_option(name, len, err);
	if (!o->arg && value)
		return option_error(err, o, " takes no argument");
	if (o->arg && !value && **next && !sp_startswith(**next, "--"))
		value = *(*next)++;
	if (o->arg && (!value || !*value)) {
		(void) option_error(err, o, " needs an argument");
		return sp_error_hint(err, "--%s %s: %s", o->name, o->arg, o->help);
	}
	return store(o, value, cli, err);
}

/* "-qv": letters without arguments. */
static int parse_letters(const char *word, struct sp_cli *cli, struct sp_error **err)
{
	for (const char *p = word + 1; *p; p++) {
		const struct sp_option *o = find_letter(*p);

		if (!o) {
			(void) usage_error(err, "unknown option ", word, "");
			return sp_error_hint(err, "strix-provision --help lists the options");
		}
		int rc = store(o, NULL, cli, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int parse_word(const char *word, struct sp_cli *cli, struct sp_error **err)
{
	if (!cli->cmd) {
		cli->cmd = sp_cmd_find(word);
		return cli->cmd ? 0 : unknown_command(word, err);
	}
	if (cli->n_args >= cli->cmd->max_args || cli->n_args >= SP_ELEMENTS(cli->args)) {
		(void) usage_error(err, "unexpected argument ", word, "");
		return sp_error_hint(err, "strix-provision %s --help shows what it takes", cli->cmd->name);
	}
	cli->args[cli->n_args++] = word;
	return 0;
}

/* Each option that was given belongs to the command. */
static int check_groups(const struct sp_cli *cli, struct sp_error **err)
{
	for (size_t i = 0; cli->cmd && sp_options[i].name; i++) {
		if (!(cli->given & UINT64_C(1) << i) || sp_option_is_for(&sp_options[i], cli->cmd))
			continue;
		(void) option_error(err, &sp_options[i], " is not for this command");
		return sp_error_hint(err, "strix-provision %s --help lists its options", cli->cmd->name);
	}
	return 0;
}

/* --json anywhere counts even where something before it is wrong: the error is to be an object. */
static void look_for_json(char *const *argv, struct sp_cli *cli)
{
	for (; *argv && !sp_streq(*argv, "--"); argv++) {
		if (sp_streq(*argv, "--json"))
			cli->json = true;
	}
}

int sp_cli_parse(int argc, char *const *argv, struct sp_cli *ret, struct sp_error **err)
{
	char *const *next = argc > 0 ? argv + 1 : argv;
	bool only_words = false;
	int rc = 0;

	look_for_json(next, ret);
	while (rc >= 0 && *next) {
		const char *word = *next++;

		if (!only_words && sp_streq(word, "--"))
			only_words = true;
		else if (!only_words && sp_startswith(word, "--"))
			rc = parse_long(word, &next, ret, err);
		else if (!only_words && word[0] == '-' && word[1])
			rc = parse_letters(word, ret, err);
		else
			rc = parse_word(word, ret, err);
	}
	return rc < 0 ? rc : check_groups(ret, err);
}
