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
