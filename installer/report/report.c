/* SPDX-License-Identifier: MIT */
#include "report/internal.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <time.h>

void sp_report_setup(struct sp_report *r, bool plain)
{
	struct winsize size = { 0 };
	int fd = fileno(r->out);

	r->width = 80;
	if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		r->width = size.ws_col < 120 ? size.ws_col : 120;
	if (r->color == SP_COLOR_AUTO)
		r->color = isatty(fd) && !plain ? SP_COLOR_ALWAYS : SP_COLOR_NEVER;
	r->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int sp_report_finish(struct sp_report *r, struct sp_error **err)
{
	errno = 0;
	if (fflush(r->out) == 0 && !ferror(r->out))
		return 0;
	if (errno > 0)
		return sp_error_errno(err, -errno, "cannot write to standard output");
	return sp_error_set(err, -EIO, "cannot write to standard output"); /* an earlier write failed */
}

static void put_log(struct sp_report *r, const char *text)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];

	if (!r->log || !gmtime_r(&now, &tm) || strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return;
	sp_autofree char *line = sp_text_safe(r, text);
	for (char *p = line; *p; p++) {
		if (*p == '\n')
			*p = ' ';
	}
	(void) fprintf(r->log, "%s %s\n", stamp, line);
	(void) fflush(r->log); /* so that it tells how far a run came that was cut short */
}

void sp_report_log(struct sp_report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_autofree char *text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	put_log(r, text);
}

static void talk(struct sp_report *r, const char *text, bool to_terminal)
{
	put_log(r, text);
	if (!to_terminal)
		return;
	sp_autofree char *safe = sp_text_safe(r, text);
	(void) fflush(r->out); /* keeps the order where both go to one place */
	(void) fprintf(r->err, "%s\n", safe);
}

void sp_report_note(struct sp_report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_autofree char *text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	talk(r, text, !r->quiet);
}

void sp_report_progress(void *report, const char *step)
{
	struct sp_report *r = report;
	sp_autofree char *text = sp_xasprintf("%s ...", step);

	talk(r, text, !r->quiet && !r->json && isatty(fileno(r->err)));
}

void sp_report_error(struct sp_report *r, const struct sp_error *error)
{
	const char *between = r->command ? ": " : "", *command = r->command ? r->command : "";
	sp_autofree char *line = sp_xasprintf("%s%s%s: %s", r->program, between, command, error->message);

	talk(r, line, true);
	if (error->hint) {
		sp_autofree char *hint = sp_xasprintf("hint: %s", error->hint);
		talk(r, hint, true);
	}
	if (r->json && !r->object_done) {
		json_t *object = sp_json_open(r, error->exit, NULL);

		sp_json_error(object, error);
		(void) sp_json_print(r, object); /* a failure is seen in sp_report_finish() */
	}
}

void sp_report_warnings(struct sp_report *r, const struct sp_strv *warnings)
{
	sp_section(r, "Warnings", warnings);
	for (size_t i = 0; i < warnings->n; i++)
		sp_report_log(r, "warning: %s", warnings->v[i]);
}

void sp_report_firmware(struct sp_report *r, const struct sp_plan *plan)
{
	if (!plan->firmware_text)
		return;
	sp_heading(r, "Firmware");
	sp_paragraph(r, "", 2, plan->firmware_text);
}

bool sp_report_can_ask(const struct sp_report *r)
{
	return !r->json && isatty(STDIN_FILENO);
}

int sp_report_ask(struct sp_report *r, const char *question, bool *ret_yes)
{
	sp_autofree char *answer = NULL;
	size_t cap = 0;

	*ret_yes = false;
	if (!sp_report_can_ask(r))
		return -ENOTTY;
	(void) fflush(r->out);
	(void) fprintf(r->err, "\n%s [y/N] ", question);
	(void) fflush(r->err);
	if (getline(&answer, &cap, stdin) < 0) { /* end of input is no */
		(void) fputc('\n', r->err);
		return 0;
	}
	char *word = sp_strip(answer);
	*ret_yes = strcasecmp(word, "y") == 0 || strcasecmp(word, "yes") == 0;
	sp_report_log(r, "answer: %s", *ret_yes ? "yes" : "no");
	return 0;
}
