/* SPDX-License-Identifier: MIT */
/*
 * The command line of the program. Options are rows of one table and may stand before or behind the command;
 * "--name=value" and "--name value" are the same, names are never abbreviated, "--" ends the options.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "catalog/config.h"
#include "report/report.h"

struct sp_cmd;

/* Strings are borrowed from argv; lists and the selection are owned. */
struct sp_cli {
	const struct sp_cmd *cmd; /* NULL: none was given */
	const char *args[2];	  /* behind the command */
	size_t n_args;
	uint64_t given; /* bit i: row i of sp_options */

	const char *root, *machine, *config, *data, *boot, *log, *output;
	bool json, quiet, verbose, help, version;
	enum sp_color color;
	struct sp_selection selection;
	int password_fd;
	bool has_password_fd;
	bool check, yes, reboot, all, keep_conflicts, markdown, with_boot, trial, if_armed, cancel, first_boot, requested, in_hook;
};
void sp_cli_clear(struct sp_cli *cli);
#define sp_autocli sp_cleanup(sp_cli_clear)

/*
 * Parse. -EINVAL with exit SP_EXIT_USAGE and, for a wrong name, the nearest right one as hint. What was understood up
 * to the error is in *ret, so that the error can be told as asked for (--json).
 */
int sp_cli_parse(int argc, char *const *argv, struct sp_cli *ret, struct sp_error **err) sp_must_check;

enum sp_option_group {
	SP_OPTIONS_GLOBAL = 1 << 0,
	SP_OPTIONS_SELECT = 1 << 1,  /* plan, apply */
	SP_OPTIONS_CONSENT = 1 << 2, /* apply, rollback, firmware */
	SP_OPTIONS_PLAN = 1 << 3,
	SP_OPTIONS_REBOOT = 1 << 4,
	SP_OPTIONS_ROLLBACK = 1 << 5,
	SP_OPTIONS_EXPLAIN = 1 << 6,
	SP_OPTIONS_RECORD = 1 << 7,
	SP_OPTIONS_PASSWORD = 1 << 8, /* what may write firmware */
	SP_OPTIONS_TRIAL = 1 << 9,    /* apply */
	SP_OPTIONS_CONFIRM = 1 << 10,
};

struct sp_option {
	const char *name; /* without the dashes */
	char letter;	  /* '\0': none */
	const char *arg;  /* "DIR", "FILE", ...; NULL: takes none */
	const char *help;
	unsigned group;
	bool hidden;		  /* understood, but not offered */
	const char *const *words; /* what the argument may be, for completion; NULL: anything */
	/* Store the value in the cli, at offset where the kind of option is a plain one. */
	int (*set)(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err);
	size_t offset;
};
extern const struct sp_option sp_options[];			      /* ends with a row without a name */
const struct sp_option *sp_option_find(const char *name, size_t len); /* NULL: none */
bool sp_option_is_for(const struct sp_option *o, const struct sp_cmd *cmd /* NULL: the program */);
