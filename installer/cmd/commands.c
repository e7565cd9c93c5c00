/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

const struct sp_cmd sp_commands[] = {
	{
		.name = "detect",
		.summary = "show what this machine is",
		.about = "Show platform, processors, memory and carve-out, firmware, boot setup and kernels. What "
			 "cannot be read is \"unknown\", with the reason. Writes nothing.",
		.flags = SP_CMD_LOOKS,
		.run = sp_cmd_detect,
	},
	{
		.name = "plan",
		.summary = "show every change that apply would make",
		.about = "Show each setting with its reason and evidence, a diff of each file and every action. Writes "
			 "nothing. With --check the exit status tells whether changes are pending.",
		.options = SP_OPTIONS_SELECT | SP_OPTIONS_PLAN,
		.flags = SP_CMD_LOOKS,
		.run = sp_cmd_plan,
	},
	{
		.name = "apply",
		.summary = "make the changes, as one transaction",
		.about = "Show the plan, ask, and carry it out: all of it or nothing. Without options that select "
			 "settings the selection of the last apply is repeated.",
		.options = SP_OPTIONS_SELECT | SP_OPTIONS_REBOOT | SP_OPTIONS_TRIAL | SP_OPTIONS_CONSENT | SP_OPTIONS_PASSWORD,
		.flags = SP_CMD_WRITES,
		.run = sp_cmd_apply,
	},
	{
		.name = "verify",
		.summary = "check that what was applied is in force",
		.about = "Check each setting on disk, in the boot entries, on the running kernel's command line, live "
			 "and by its effect. Writes nothing.",
		.flags = SP_CMD_LOOKS,
		.run = sp_cmd_verify,
	},
	{
		.name = "confirm",
		.summary = "make a trial permanent if it is good, else end it",
		.about = "After a start with what `apply --trial` put into the menu: check what the boot arguments do, and apply "
			 "all of it for good, or take the trial back. Where there is no trial, verify, and take the old line out "
			 "of the menu.",
		.options = SP_OPTIONS_CONFIRM,
		.flags = SP_CMD_WRITES,
		.run = sp_cmd_confirm,
	},
	{
		.name = "rollback",
		.args = "[ID]",
		.max_args = 1,
		.summary = "undo the last transaction, or ID and all later ones",
		.about = "Ask, and put back every byte. When something of ours was changed by hand since, nothing is "
			 "touched.",
		.options = SP_OPTIONS_ROLLBACK | SP_OPTIONS_CONSENT | SP_OPTIONS_PASSWORD,
		.flags = SP_CMD_WRITES,
		.run = sp_cmd_rollback,
	},
	{
		.name = "status",
		.summary = "show transactions and what waits for a reboot",
		.about = "Show the transactions so far, what is applied, whether a reboot is pending and whether work "
			 "was interrupted. Writes nothing.",
		.flags = SP_CMD_LOOKS,
		.run = sp_cmd_status,
	},
	{
		.name = "recover",
		.summary = "finish or undo an interrupted transaction",
		.about =
			"After a crash or a power cut: finish the transaction that was interrupted if it was complete, "
			"else undo it. apply and rollback do this first by themselves.",
		.flags = SP_CMD_WRITES,
		.run = sp_cmd_recover,
	},
	{
		.name = "explain",
		.args = "[ID]",
		.max_args = 1,
		.summary = "show what each setting does, and why",
		.about = "Show one setting, or all of them and what was tried besides: what it does, its value on this "
			 "machine and why, the evidence with its numbers, the verdict, what speaks against it, how it is "
			 "verified and how to undo it. Works on any machine. Writes nothing.",
		.options = SP_OPTIONS_EXPLAIN,
		.flags = SP_CMD_LOOKS,
		.run = sp_cmd_explain,
	},
	{
		.name = "firmware",
		.args = "uma [SIZE] | setup",
		.max_args = 2,
		.summary = "show or set the carve-out; go to the setup screen",
		.about = "uma: show the memory that the firmware keeps for graphics, now and at the next start, and what it "
			 "offers; with a SIZE set it, as a transaction that rollback undoes. setup: stop in the firmware's "
			 "setup screen at the next start.",
		.options = SP_OPTIONS_CONSENT | SP_OPTIONS_PASSWORD | SP_OPTIONS_REBOOT,
		.run = sp_cmd_firmware,
	},
	{
		.name = "record",
		.summary = "write this machine's facts as a folder or a tar",
		.about = "Write what the facts of this machine come from, for a report or for --machine: by default "
			 "strix-record-PLATFORM.tar in the current folder. UUIDs, serial numbers, hardware addresses and "
			 "names of hosts and people are replaced, the same always by the same. Nothing is overwritten.",
		.options = SP_OPTIONS_RECORD,
		.run = sp_cmd_record,
	},
	{
		.name = "help",
		.args = "[COMMAND]",
		.max_args = 1,
		.summary = "show help for a command",
		.about = "Show the help of the program or of one command.",
		.flags = SP_CMD_PLAIN,
		.run = sp_cmd_help,
	},
	{
		.name = "__complete",
		.args = "WHAT [WORD]",
		.max_args = 2,
		.summary = "words for the completion scripts",
		.about = "Print words for the completion scripts.",
		.flags = SP_CMD_PLAIN | SP_CMD_HIDDEN,
		.run = sp_cmd_complete,
	},
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
