/* SPDX-License-Identifier: MIT */
/* --help, made of the tables. */
#include <errno.h>

#include "cmd/cmd.h"

static const struct {
	unsigned group;
	const char *heading;
} headings[] = {
	{ ~(unsigned) (SP_OPTIONS_GLOBAL | SP_OPTIONS_SELECT), "Options" },
	{ SP_OPTIONS_SELECT, "Selection" },
	{ SP_OPTIONS_GLOBAL, "Global options" },
};

static void put_paragraph(FILE *out, const char *text)
{
	size_t used = 0;

	for (const char *word = text; *word;) {
		size_t len = strcspn(word, " ");

		if (used && used + 1 + len > 78) {
			(void) fputc('\n', out);
			used = 0;
		}
		(void) fprintf(out, "%s%.*s", used ? " " : "", (int) len, word);
		used += len + (used ? 1 : 0);
		word += len + strspn(word + len, " ");
	}
	(void) fputc('\n', out);
}

static void put_option(FILE *out, const struct sp_option *o)
{
	char letter[] = { '-', o->letter, ',', '\0' };
	sp_autofree char *left = sp_xasprintf("%-3s --%s%s%s", o->letter ? letter : "", o->name, o->arg ? " " : "",
					      o->arg ? o->arg : "");

	(void) fprintf(out, "  %-24s %s\n", left, o->help);
}

static void put_options(FILE *out, const struct sp_cmd *cmd)
{
	for (size_t h = 0; h < SP_ELEMENTS(headings); h++) {
		bool first = true;

		for (const struct sp_option *o = sp_options; o->name; o++) {
			if (o->hidden || !(o->group & headings[h].group) || !sp_option_is_for(o, cmd))
				continue;
			if (first)
				(void) fprintf(out, "\n%s:\n", headings[h].heading);
			first = false;
			put_option(out, o);
		}
	}
}

static void put_commands(FILE *out)
{
	(void) fprintf(out, "\nCommands:\n");
	for (const struct sp_cmd *c = sp_commands; c->name; c++) {
		sp_autofree char *left = sp_xasprintf("%s%s%s", c->name, c->args ? " " : "", c->args ? c->args : "");

		if (!(c->flags & SP_CMD_HIDDEN))
			(void) fprintf(out, "  %-24s %s\n", left, c->summary);
	}
}

void sp_help_print(FILE *out, const struct sp_cmd *cmd)
{
	if (cmd) {
		(void) fprintf(out, "Usage: strix-provision [GLOBAL OPTIONS] %s%s%s%s\n\n", cmd->name,
			       cmd->options ? " [OPTIONS]" : "", cmd->args ? " " : "", cmd->args ? cmd->args : "");
		put_paragraph(out, cmd->about);
		put_options(out, cmd);
		return;
	}
	(void) fprintf(out, "Usage: strix-provision [GLOBAL OPTIONS] COMMAND [OPTIONS]\n\n");
	put_paragraph(out,
		      "Prepare an AMD Strix Halo machine for large local language models: every change is shown first, "
		      "made as one transaction, checked after the reboot, and can be undone.");
	put_commands(out);
	put_options(out, NULL);
	(void) fprintf(out, "\n`strix-provision COMMAND --help` lists a command's options.\n"
			    "strix-provision(8) explains them, and the exit statuses.\n");
}

int sp_cmd_help(const struct sp_call *call, struct sp_error **err)
{
	const struct sp_cmd *about = NULL;

	if (call->cli->n_args && !(about = sp_cmd_find(call->cli->args[0]))) {
		(void) sp_error_set(err, -EINVAL, "unknown command '%s'", call->cli->args[0]);
		(void) sp_error_hint(err, "strix-provision --help lists the commands");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	sp_help_print(call->report->out, about);
	return SP_EXIT_OK;
}
