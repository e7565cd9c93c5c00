/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

const struct sp_cmd sp_commands[] = {
	{ "detect", NULL, "show what this machine is",
	  "Show platform, processors, memory and carve-out, firmware, boot setup and kernels. What cannot be read is "
	  "\"unknown\", with the reason. Writes nothing.",
	  0, 0, 0, sp_cmd_detect },
	{ "plan", NULL, "show every change that apply would make",
	  "Show each setting with its reason and evidence, a diff of each file and every action. Writes nothing. With "
	  "--check the exit status tells whether changes are pending.",
	  0, SP_OPTIONS_SELECT | SP_OPTIONS_PLAN, 0, sp_cmd_plan },
	{ "apply", NULL, "make the changes, as one transaction",
	  "Show the plan, ask, and carry it out: all of it or nothing. Without options that select settings the selection "
	  "of the last apply is repeated.",
	  0, SP_OPTIONS_SELECT | SP_OPTIONS_APPLY | SP_OPTIONS_CONSENT, SP_CMD_WRITES, sp_cmd_apply },
	{ "verify", NULL, "check that what was applied is in force",
	  "Check each setting on disk, in the boot entries, on the running kernel's command line, live and by its effect. "
	  "Writes nothing.",
	  0, 0, 0, sp_cmd_verify },
	{ "rollback", "[ID]", "undo the last transaction, or ID and all later ones",
	  "Show what would be undone, ask, and put back every byte. When something was changed by hand since, nothing is "
	  "touched.",
	  1, SP_OPTIONS_ROLLBACK | SP_OPTIONS_CONSENT, SP_CMD_WRITES, sp_cmd_rollback },
	{ "status", NULL, "show transactions and what waits for a reboot",
	  "Show the transactions so far, what is applied, whether a reboot is pending and whether work was interrupted.", 0,
	  0, 0, sp_cmd_status },
	{ "recover", NULL, "finish or undo an interrupted transaction",
	  "After a crash or a power cut: finish the transaction that was interrupted if it was complete, else undo it. apply "
	  "and rollback do this first by themselves.",
	  0, 0, SP_CMD_WRITES, sp_cmd_recover },
	{ "help", "[COMMAND]", "show help for a command", "Show the help of the program or of one command.", 1, 0,
	  SP_CMD_PLAIN, sp_cmd_help },
	{ "__complete", "WHAT [WORD]", "words for the completion scripts", "", 2, 0, SP_CMD_PLAIN | SP_CMD_HIDDEN,
	  sp_cmd_complete },
	{ 0 },
};

const struct sp_cmd *sp_cmd_find(const char *name)
{
	for (const struct sp_cmd *c = sp_commands; c->name; c++) {
		if (sp_streq(c->name, name))
			return c;
	}
	return NULL;
}
