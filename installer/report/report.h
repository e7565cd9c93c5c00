/* SPDX-License-Identifier: MIT */
/*
 * The only place that prints. Data goes to standard output, talk to standard
 * error; with --json exactly one object goes to standard output, also on
 * failure. Tables and trees by libsmartcols, JSON by jansson. Readable on 80
 * columns and without colour.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "engine/engine.h"

enum sp_color { SP_COLOR_AUTO, SP_COLOR_ALWAYS, SP_COLOR_NEVER };

struct sp_report {
	FILE *out, *err, *log; /* log: --log FILE, NULL; gets everything that is talk, with the time in front */
	bool json, quiet, verbose;
	enum sp_color color;
	bool utf8;	     /* the locale can show it */
	bool object_done;    /* --json: the one object has been printed */
	bool begun;	     /* text has been printed: a new part begins with an empty line */
	const char *command; /* "apply"; NULL: there is none yet */
	const char *program; /* "strix-provision" */
	size_t width;	     /* columns; 80 where it is no terminal */
};

/*
 * Settle width, character set and SP_COLOR_AUTO by what `out` is; plain: the environment asks for no colour. Fields
 * out, err, program and the options must be set before. The locale must be set before, too.
 */
void sp_report_setup(struct sp_report *r, bool plain);
/* Flush; -errno when anything that was printed could not be written (a full disk, a closed pipe). */
int sp_report_finish(struct sp_report *r, struct sp_error **err) sp_must_check;

/* Each prints the result of its command as text or as JSON (whose common keys come from status, warnings). */
int sp_report_detect(struct sp_report *r, const struct sp_detect *d, enum sp_exit status);
int sp_report_plan(struct sp_report *r, const struct sp_plan *p, enum sp_exit status);
/* What apply is about to do, as text, shorter than sp_report_plan(); nothing with --json or --quiet. */
int sp_report_preview(struct sp_report *r, const struct sp_plan *p);
/*
 * error NULL: it went well. plan NULL: it failed before there was one. With an error only --json prints all of it;
 * the text of an error is sp_report_error()'s. res is what happened up to then.
 */
int sp_report_first_boot(struct sp_report *r, bool left); /* apply that writes no setting: it is left to it, or nothing was */
int sp_report_apply(struct sp_report *r, const struct sp_plan *p, const struct sp_result *res, enum sp_exit status,
		    const struct sp_error *error);
int sp_report_verify(struct sp_report *r, const struct sp_verify *v);
/* c may be NULL where it failed at once. */
int sp_report_confirm(struct sp_report *r, const struct sp_confirm *c, enum sp_exit status, const struct sp_error *error);
int sp_report_rollback(struct sp_report *r, const struct sp_result *res, enum sp_exit status,
		       const struct sp_error *error);
int sp_report_recover(struct sp_report *r, const struct sp_result *res, enum sp_exit status,
		      const struct sp_error *error);
/* whole: all entries, with an overview; markdown: as a page instead of as text. */
int sp_report_explain(struct sp_report *r, const struct sp_explain *x, bool whole, bool markdown);
/* firmware uma; firmware uma SIZE; firmware setup. */
int sp_report_uma(struct sp_report *r, const struct sp_firmware *fw);
int sp_report_firmware_set(struct sp_report *r, const struct sp_firmware *fw /* or NULL */, const struct sp_result *res,
			   enum sp_exit status, const struct sp_error *error);
int sp_report_setup_screen(struct sp_report *r, const struct sp_firmware *fw, const struct sp_result *res,
			   enum sp_exit status);
int sp_report_record(struct sp_report *r, const struct sp_recording *res, enum sp_exit status);
int sp_report_status(struct sp_report *r, const struct sp_status *st, enum sp_exit status);

/* The line "strix-provision: apply: message" and the hint; with --json also the object, if none was printed yet. */
void sp_report_error(struct sp_report *r, const struct sp_error *error);
void sp_report_note(struct sp_report *r, const char *fmt, ...) sp_printf(2, 3); /* talk; silent with --quiet */
void sp_report_log(struct sp_report *r, const char *fmt, ...) sp_printf(2, 3);	/* to the log alone */
void sp_report_progress(void *report, const char *step);			/* for sp_session.progress */
/* Can a question be answered? Standard input is a terminal, and the user has seen what it is about (no --json). */
bool sp_report_can_ask(const struct sp_report *r);
/* Ask on the terminal; true for yes, anything else is no. Without a terminal: -ENOTTY. */
int sp_report_ask(struct sp_report *r, const char *question, bool *ret_yes) sp_must_check;

/* Ask for a password on the terminal, unseen. -ENOTTY, without a message: there is none. The caller wipes it. */
int sp_report_ask_secret(struct sp_report *r, const char *prompt, struct sp_secret *ret,
			 struct sp_error **err) sp_must_check;

/*
 * A unified diff of two files with three lines of context ("--- a/path", "+++ b/path"); "" when equal; owned. A file
 * that is not there is NULL and shows as /dev/null. Files with NUL bytes: one line that says they differ.
 */
char *sp_diff(const char *path, const struct sp_buf *before, const struct sp_buf *after);
