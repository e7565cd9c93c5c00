/* SPDX-License-Identifier: MIT */
/*
 * Words for the completion scripts, one a line, with what they mean behind a tab:
 *
 *   __complete commands            NAME, summary
 *   __complete options [COMMAND]   --NAME, argument or nothing, help; -L where there is a letter
 *   __complete ids                 what explain takes: settings and entries of the log
 *   __complete firmware            what firmware takes
 *   __complete values NAME         what the argument of an option may be (file names are the shell's business)
 */
#include <errno.h>

#include "cmd/cmd.h"

static void put_commands(FILE *out)
{
	for (const struct sp_cmd *c = sp_commands; c->name; c++) {
		if (!(c->flags & SP_CMD_HIDDEN))
			(void) fprintf(out, "%s\t%s\n", c->name, c->summary);
	}
}

static void put_options(FILE *out, const char *command)
{
	const struct sp_cmd *cmd = command ? sp_cmd_find(command) : NULL;

	for (const struct sp_option *o = sp_options; o->name; o++) {
		if (o->hidden || !sp_option_is_for(o, cmd))
			continue;
		(void) fprintf(out, "--%s\t%s\t%s\n", o->name, o->arg ? o->arg : "", o->help);
		if (o->letter)
			(void) fprintf(out, "-%c\t\t%s\n", o->letter, o->help);
	}
}

static void put_boot_setups(FILE *out)
{
	for (const struct sp_boot_ops *const *ops = sp_boot_table; *ops; ops++)
		(void) fprintf(out, "%s\t%s\n", (*ops)->name, (*ops)->title);
}

static void put_catalogue(FILE *out, const struct sp_catalog *c, bool profiles)
{
	for (size_t i = 0; profiles && i < c->n_profiles; i++)
		(void) fprintf(out, "%s\t%s\n", c->profiles[i].name, c->profiles[i].summary);
	for (size_t i = 0; !profiles && i < c->n_settings; i++) {
		if (!c->settings[i].follows)
			(void) fprintf(out, "%s\t%s\n", c->settings[i].id, c->settings[i].summary);
	}
}

static void put_ids(FILE *out, const char *data_dir)
{
	sp_autocatalog struct sp_catalog *c = NULL;
	sp_autoerror struct sp_error *ignored = NULL;

	if (sp_catalog_load(data_dir, &c, &ignored) < 0)
		return;
	for (size_t i = 0; i < c->n_settings; i++)
		(void) fprintf(out, "%s\t%s\n", c->settings[i].id, c->settings[i].summary);
	for (size_t i = 0; i < c->n_entries; i++)
		(void) fprintf(out, "%s\t%s\n", c->entries[i].id, c->entries[i].summary);
}

static int put_values(FILE *out, const char *word, const char *data_dir)
{
	const struct sp_option *o = word ? sp_option_find(word, strlen(word)) : NULL;
	sp_autocatalog struct sp_catalog *catalog = NULL;
	sp_autoerror struct sp_error *ignored = NULL; /* a completion says nothing */

	if (!o)
		return 0;
	for (size_t i = 0; o->words && o->words[i]; i++)
		(void) fprintf(out, "%s\n", o->words[i]);
	if (sp_streq(o->name, "boot"))
		put_boot_setups(out);
	else if (sp_streq(o->name, "profile") || sp_streq(o->arg, "ID")) {
		if (sp_catalog_load(data_dir, &catalog, &ignored) == 0)
			put_catalogue(out, catalog, sp_streq(o->name, "profile"));
		if (sp_streq(o->name, "with") || sp_streq(o->name, "without"))
			(void) fputs(SP_WITH_INITRAMFS "\tbuild the initramfs image anew where its copy of modprobe.d is another\n", out);
	}
	return 0;
}

int sp_cmd_complete(const struct sp_call *call, struct sp_error **err)
{
	const char *const *args = call->cli->args;
	FILE *out = call->report->out;

	if (sp_streq(args[0], "commands"))
		put_commands(out);
	else if (sp_streq(args[0], "options"))
		put_options(out, args[1]);
	else if (sp_streq(args[0], "ids"))
		put_ids(out, call->cli->data);
	else if (sp_streq(args[0], "firmware"))
		(void) fputs("uma\tshow or set the carve-out\nsetup\tgo to the setup screen at the next start\n", out);
	else if (sp_streq(args[0], "values"))
		return put_values(out, args[1], call->cli->data);
	else {
		(void) sp_error_set(err, -EINVAL, "__complete takes commands, options, ids, firmware or values");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	return SP_EXIT_OK;
}
