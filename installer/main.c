/* SPDX-License-Identifier: MIT */
/* The frame of every run: a sane process, the options, one verb, one exit status. The environment is read here only. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/rights.h"
#include "cmd/cmd.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* A closed standard descriptor would be given to the next file that is opened, and talk would be written into it. */
static int hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue; /* the usual case, and a chroot may have no /dev/null */
		if (open("/dev/null", O_RDWR) < 0)
			return -errno;
	}
	return 0;
}

static int prepare_process(void)
{
	static char output[1024 * 1024];

	sp_rights_begin();
	(void) setlocale(LC_CTYPE, ""); /* which characters can be shown; all else stays in the C locale */
	/* A closed pipe and a limit of file sizes are write errors like any other. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	/* Large enough for any report, so that the reason of a failed write is seen where it is told. */
	if (setvbuf(stdout, output, _IOFBF, sizeof(output)) != 0)
		return -ENOMEM;
	return hold_standard_descriptors();
}

static int open_log(const char *path, struct sp_report *r, struct sp_error **err)
{
	if (!path)
		return 0;
	int fd = sp_durable_open_append(AT_FDCWD, path, 0644);
	int rc = fd < 0 ? fd : 0;
	if (rc == 0) {
		r->log = fdopen(fd, "a");
		if (r->log)
			return 0;
		rc = -errno;
		(void) close(fd);
	}
	(void) sp_error_errno(err, rc, "cannot open the log '%s'", path);
	(void) sp_error_path(err, path);
	return sp_error_exit(err, SP_EXIT_USAGE);
}

static int run(const struct sp_cli *cli, struct sp_report *r, struct sp_error **err)
{
	struct sp_session session = { .data_dir = cli->data, .progress = sp_report_progress, .progress_data = r };
	struct sp_call call = { .cli = cli, .report = r };
	int rc;

	if (cli->cmd->flags & SP_CMD_PLAIN)
		return cli->cmd->run(&call, err);
	rc = sp_session_open(cli, &session, err);
	call.session = &session;
	if (rc == 0) {
		sp_rights_limit(sp_root_is_host(session.root), sp_root_is_host(session.machine));
		rc = cli->cmd->run(&call, err);
	}
	sp_session_close(&session);
	return rc;
}

static int no_command(struct sp_report *r, struct sp_error **err)
{
	if (!r->json)
		sp_help_print(r->err, NULL);
	(void) sp_error_set(err, -EINVAL, "no command was given");
	(void) sp_error_hint(err, "strix-provision plan shows what would be done");
	return sp_error_exit(err, SP_EXIT_USAGE);
}

static int dispatch(const struct sp_cli *cli, struct sp_report *r, struct sp_error **err)
{
	int rc = open_log(cli->log, r, err);

	if (rc < 0)
		return rc;
	sp_report_log(r, "%s %s: %s", r->program, PACKAGE_VERSION, r->command ? r->command : "no command");
	if (cli->help) {
		sp_help_print(r->out, cli->cmd);
		return SP_EXIT_OK;
	}
	if (cli->version) {
		(void) fprintf(r->out, "strix-provision %s\n", PACKAGE_VERSION);
		return SP_EXIT_OK;
	}
	return cli->cmd ? run(cli, r, err) : no_command(r, err);
}

/* The error as the one line, and what the process ends with. */
static int conclude(struct sp_report *r, int rc, struct sp_error **err)
{
	int status = rc;

	if (rc < 0) {
		if (!*err)
			(void) sp_error_errno(err, rc, "failed");
		sp_report_error(r, *err);
		status = (int) (*err)->exit;
	}
	sp_autoerror struct sp_error *lost = NULL;
	if (sp_report_finish(r, &lost) < 0) {
		r->object_done = true; /* there is nowhere to print one */
		sp_report_error(r, lost);
		status = status ? status : SP_EXIT_FAILED;
	}
	sp_report_log(r, "exit status %d", status);
	return status;
}

static const char *data_directory(const char *option)
{
	const char *environment = secure_getenv("STRIX_PROVISION_DATADIR");

	if (option)
		return option;
	return environment && *environment ? environment : SP_DATADIR;
}

static bool plain_terminal(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return (no_color && *no_color) || !term || sp_streq(term, "dumb");
}

int main(int argc, char **argv)
{
	sp_autocli struct sp_cli cli = { 0 };
	sp_autoerror struct sp_error *error = NULL;
	struct sp_report report = { .out = stdout, .err = stderr, .program = "strix-provision" };

	if (prepare_process() < 0) {
		(void) fputs("strix-provision: cannot set up standard input and output\n", stderr);
		return SP_EXIT_FAILED;
	}
	int rc = sp_cli_parse(argc, argv, &cli, &error);
	cli.data = data_directory(cli.data);
	report.json = cli.json;
	report.quiet = cli.quiet;
	report.verbose = cli.verbose;
	report.color = cli.color;
	report.command = cli.cmd ? cli.cmd->name : NULL;
	sp_report_setup(&report, plain_terminal());
	if (rc == 0)
		rc = dispatch(&cli, &report, &error);
	int status = conclude(&report, rc, &error);
	if (report.log && fclose(report.log) != 0) {
		(void) fprintf(stderr, "strix-provision: cannot write the log '%s': %s\n", cli.log, strerror(errno));
		status = status ? status : SP_EXIT_FAILED;
	}
	return status;
}
