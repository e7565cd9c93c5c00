/* SPDX-License-Identifier: MIT */
/*
 * The verbs. One table row and one file each; a verb parses nothing itself,
 * asks the engine, hands the answer to a report and returns an exit status.
 * --help, the completions and the check of the man page come from the tables.
 */
#pragma once

#include "cmd/cli.h"
#include "engine/engine.h"
#include "report/report.h"

/* What a verb gets; everything is borrowed. session is NULL for a plain command. */
struct sp_call {
	const struct sp_cli *cli;
	struct sp_session *session;
	struct sp_report *report;
};

enum sp_cmd_flags {
	SP_CMD_WRITES = 1 << 0, /* to the root: not with a recorded machine on the running system */
	SP_CMD_PLAIN = 1 << 1,	/* needs no root and no machine */
	SP_CMD_HIDDEN = 1 << 2,
	SP_CMD_LOOKS = 1 << 3, /* changes nothing at all: each file is read once */
};

struct sp_cmd {
	const char *name;
	const char *args;    /* as in "[ID]"; NULL: takes none */
	const char *summary; /* for the list of commands */
	const char *about;   /* for its own --help: a few sentences */
	size_t max_args;
	unsigned options; /* groups besides the global one: enum sp_option_group */
	unsigned flags;
	/* An exit status, or a negative errno with err set (its exit status counts then). */
	int (*run)(const struct sp_call *call, struct sp_error **err);
};
extern const struct sp_cmd sp_commands[];	    /* ends with a row without a name */
const struct sp_cmd *sp_cmd_find(const char *name); /* NULL: none */

int sp_cmd_detect(const struct sp_call *call, struct sp_error **err);
int sp_cmd_plan(const struct sp_call *call, struct sp_error **err);
int sp_cmd_apply(const struct sp_call *call, struct sp_error **err);
int sp_cmd_confirm(const struct sp_call *call, struct sp_error **err);
int sp_cmd_verify(const struct sp_call *call, struct sp_error **err);
int sp_cmd_rollback(const struct sp_call *call, struct sp_error **err);
int sp_cmd_status(const struct sp_call *call, struct sp_error **err);
int sp_cmd_firmware(const struct sp_call *call, struct sp_error **err);
int sp_cmd_record(const struct sp_call *call, struct sp_error **err);
int sp_cmd_recover(const struct sp_call *call, struct sp_error **err);
int sp_cmd_explain(const struct sp_call *call, struct sp_error **err);
int sp_cmd_help(const struct sp_call *call, struct sp_error **err);
int sp_cmd_complete(const struct sp_call *call, struct sp_error **err);

/* What a verb's answer means for the exit status, before anything else is known. */
static inline enum sp_exit sp_cmd_exit(int rc, const struct sp_error *error)
{
	if (rc >= 0)
		return SP_EXIT_OK;
	return error ? error->exit : SP_EXIT_FAILED;
}

/* Usage of one command, or of the program (cmd NULL). */
void sp_help_print(FILE *out, const struct sp_cmd *cmd);

/*
 * --- what writing verbs share (consent.c)
 *
 * Before anything is planned: recover interrupted work. Where nobody can be asked and --yes was not given, nothing may
 * be written, so interrupted work is an error (SP_EXIT_RECOVER) there.
 */
int sp_consent_settle(const struct sp_call *call, struct sp_result *ret, struct sp_error **err) sp_must_check;
/* --yes, or a yes on the terminal. -ECANCELED: no. Nobody to ask: -ENOTTY, exit SP_EXIT_USAGE. */
int sp_consent_ask(const struct sp_call *call, const char *question, struct sp_error **err) sp_must_check;

/*
 * A size that the firmware does not offer: is the nearest meant? Asked on a terminal only, and never answered by --yes;
 * true: *mib is that one.
 */
bool sp_consent_propose(const struct sp_call *call, const struct sp_gate *gate, uint64_t *mib);

/* The password of the firmware, when the engine asks for one (password.c). The asker must outlive the session's use. */
struct sp_asker {
	const struct sp_call *call;
};
void sp_password_offer(struct sp_asker *asker);

/*
 * --- what can restart the machine (reboot.c)
 *
 * Ask the system's manager to restart; returns once it has accepted.
 */
int sp_reboot(struct sp_error **err) sp_must_check;
int sp_check_reboot_option(const struct sp_call *call, struct sp_error **err) sp_must_check;
/*
 * With --reboot, where something waits for it: restart, and give the exit status. A gate that is red lets no restart pass,
 * but for --uma-by-hand, which goes into the setup screen. One that fails is a warning, and what was done stays done.
 */
enum sp_exit sp_restart(const struct sp_call *call, struct sp_result *res, const struct sp_gate *gate /* or NULL */,
			enum sp_exit status);

/* Open what the options name and find out whether it is the running system (session.c). */
int sp_session_open(const struct sp_cli *cli, struct sp_session *ret, struct sp_error **err) sp_must_check;
void sp_session_close(struct sp_session *session);
