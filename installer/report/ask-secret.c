/* SPDX-License-Identifier: MIT */
/* A password from the terminal, which does not show it. */
#include <errno.h>
#include <signal.h>
#include <termios.h>

#include "report/internal.h"

/* Whoever interrupts the question gets the echo back first. */
static void hold(int how)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	sigset_t set;

	(void) sigemptyset(&set);
	for (size_t i = 0; i < SP_ELEMENTS(held); i++)
		(void) sigaddset(&set, held[i]);
	(void) sigprocmask(how, &set, NULL);
}

static int read_unseen(struct sp_secret *ret, struct sp_error **err)
{
	struct termios shown, hidden;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return -ENOTTY;
	hidden = shown;
	hidden.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
		return sp_error_errno(err, -errno, "cannot hide what is typed");
	int rc = sp_secret_read(STDIN_FILENO, ret, err);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown) < 0 && rc == 0) {
		sp_secret_wipe(ret);
		rc = sp_error_errno(err, -errno, "cannot show again what is typed");
	}
	return rc;
}

int sp_report_ask_secret(struct sp_report *r, const char *prompt, struct sp_secret *ret, struct sp_error **err)
{
	if (!sp_report_can_ask(r))
		return -ENOTTY;
	(void) fflush(r->out);
	(void) fprintf(r->err, "\n%s", prompt);
	(void) fflush(r->err);
	hold(SIG_BLOCK);
	int rc = read_unseen(ret, err);
	(void) fputc('\n', r->err);
	hold(SIG_UNBLOCK);
	return rc;
}
