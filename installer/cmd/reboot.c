/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "cmd/cmd.h"

static const char *const managers[] = { "/usr/bin/systemctl", "/bin/systemctl" };

/* The child gets the default signals back: some are ignored or blocked in this process. */
static int spawn(const char *program, pid_t *pid)
{
	char *const argv[] = { (char *) "systemctl", (char *) "reboot", NULL };
	char *const environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *) "LC_ALL=C", NULL };
	posix_spawnattr_t attr;
	sigset_t all, none;
	int rc = posix_spawnattr_init(&attr);

	if (rc)
		return rc;
	if (sigfillset(&all) < 0 || sigemptyset(&none) < 0)
		rc = errno;
	if (!rc)
		rc = posix_spawnattr_setsigdefault(&attr, &all);
	if (!rc)
		rc = posix_spawnattr_setsigmask(&attr, &none);
	if (!rc)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (!rc)
		rc = posix_spawn(pid, program, NULL, &attr, argv, environment);
	(void) posix_spawnattr_destroy(&attr);
	return rc;
}

int sp_reboot(struct sp_error **err)
{
	int rc = ENOENT, status = 0;
	pid_t pid = -1, got;

	for (size_t i = 0; i < SP_ELEMENTS(managers) && rc == ENOENT; i++)
		rc = spawn(managers[i], &pid);
	if (rc)
		return sp_error_errno(err, -rc, "cannot run 'systemctl reboot'");
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return sp_error_errno(err, -errno, "cannot wait for 'systemctl reboot'");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return sp_error_set(err, -EIO, "'systemctl reboot' failed with status %d",
				    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

int sp_check_reboot_option(const struct sp_call *call, struct sp_error **err)
{
	if (!call->cli->reboot || call->session->live)
		return 0;
	(void) sp_error_set(err, -EINVAL,
			    "--reboot is for the running system, not for another root and not for a chroot");
	(void) sp_error_hint(err, "leave --reboot out");
	return sp_error_exit(err, SP_EXIT_USAGE);
}

/* Whether this run or an earlier one left something that takes effect at the next boot only. */
static bool reboot_needed(const struct sp_call *call, const struct sp_result *res)
{
	sp_autoerror struct sp_error *ignored = NULL;
	struct sp_status *st = NULL;
	bool pending = res->reboot_required;

	if (sp_status_read(call->session, &st, &ignored) == 0)
		pending = pending || st->reboot_pending;
	sp_status_free(st);
	return pending;
}

/* Into the setup screen, or not at all. */
static int enter_setup(const struct sp_call *call, const struct sp_gate *gate, struct sp_error **err)
{
	struct sp_firmware *fw = NULL;

	if (gate->state != SP_GATE_BY_HAND)
		return sp_error_set(err, -EPERM, "the firmware's carve-out is to be settled first");
	int rc = sp_firmware_setup(call->session, &fw, err);
	sp_firmware_free(fw);
	return rc;
}

enum sp_exit sp_restart(const struct sp_call *call, struct sp_result *res, const struct sp_gate *gate, enum sp_exit status)
{
	const bool red = gate && gate->state != SP_GATE_GREEN;
	sp_autoerror struct sp_error *error = NULL;

	if (!call->cli->reboot || !reboot_needed(call, res))
		return status;
	int rc = red ? enter_setup(call, gate, &error) : 0;
	if (rc == 0)
		rc = sp_reboot(&error);
	if (rc == 0) {
		sp_report_note(call->report, red ? "restarting the machine, into the firmware's setup screen"
						 : "restarting the machine");
		return status;
	}
	sp_strv_addf(&res->warnings, "the machine was not restarted: %s%s%s", error->message, error->hint ? "; " : "",
		     error->hint ? error->hint : "");
	return status == SP_EXIT_OK ? SP_EXIT_REBOOT : status;
}
