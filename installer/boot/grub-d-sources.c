/* SPDX-License-Identifier: MIT */
/*
 * The setup grub-d: what /etc/default/grub and the files of its folder give to the line, without a shell. Nothing
 * depends on understanding all of it: our file adds to whatever comes out of them. What is understood is used to say
 * where another value stands, to leave out what the administrator has already, and to see what takes ours away again.
 */
#include <errno.h>

#include "boot/internal.h"
#include "format/shellstep.h"

#define FOR_ALL	   "GRUB_CMDLINE_LINUX"
#define FOR_NORMAL "GRUB_CMDLINE_LINUX_DEFAULT"

struct reader {
	const struct sp_root *root;
	struct sp_boot *boot;
	struct sp_strv files; /* in the order in which they are read; ours is always among them */
	struct sp_buf line;   /* what the generator makes of one variable, as far as it is understood */
};

static int list_files(struct reader *rd, struct sp_error **err)
{
	sp_autostrv struct sp_strv names = { 0 };
	const char *own = strrchr(SP_GRUB_D_OWN, '/') + 1;
	int r = sp_root_list(rd->root, SP_GRUB_D, &names);

	if (r < 0 && r != -ENOENT) {
		(void) sp_error_errno(err, r, "cannot list '%s'", SP_GRUB_D);
		return sp_error_path(err, SP_GRUB_D);
	}
	sp_strv_add(&rd->files, SP_GRUB_DEFAULTS);
	if (!sp_strv_has(&names, own))
		sp_strv_add(&names, own);
	sp_strv_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.' && sp_endswith(names.v[i], ".cfg")) /* what the shell's pattern finds */
			sp_strv_addf(&rd->files, "%s/%s", SP_GRUB_D, names.v[i]);
	return 0;
}

/* --- one file ---------------------------------------------------------------------------------------------------- */

/* What is assigned anew makes all that was in front of it not count: no source, and no doubt about one. */
static void forget_from(struct sp_boot *boot, size_t first)
{
	for (size_t i = first; i < boot->n_sources; i++) {
		free(boot->sources[i].path);
		free(boot->sources[i].text);
		free(boot->sources[i].why);
	}
	boot->n_sources = first;
}

static void extend_line(struct reader *rd, const struct sp_shell_step *step)
{
	sp_autofree char *was = sp_buf_steal(&rd->line);

	sp_buf_addf(&rd->line, "%s%s%s", step->before, step->kind == SP_STEP_SET ? "" : was, step->after);
}

/* A place from which a foreign token can be taken that stands against ours; only plain values can be edited. */
static void add_place(struct reader *rd, const char *path, const char *var, const struct sp_buf *file)
{
	const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) var };
	sp_autofree char *line = NULL;

	if (sp_host_get(&host, file, &line, NULL) < 0)
		return;
	struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_GENERATOR, &host, path);
	p->only_remove = p->only_displaced = true;
	p->line = sp_steal(line);
}

/* first: of this variable's sources. behind: it is read after our file, and that counts for this variable. */
static void read_file(struct reader *rd, const char *path, const char *var, size_t first, bool behind)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_autoshellstep struct sp_shell_step step = { 0 };
	sp_autoerror struct sp_error *why = NULL;
	const bool own = sp_streq(path, SP_GRUB_D_OWN);
	int r = sp_root_read(rd->root, path, SP_FILE_MAX, &file, &why);

	if (r == -ENOENT)
		return;
	if (r == 0)
		r = sp_shellvar_step(&file, var, &step, &why);
	if (r < 0) {
		if (!own) {
			struct sp_source *s = sp_source_add(rd->boot, path);
			s->why = sp_xstrdup(why->message);
			s->behind = behind;
		}
		return;
	}
	if (step.kind == SP_STEP_NONE)
		return;
	extend_line(rd, &step);
	if (own)
		return;
	if (step.kind == SP_STEP_SET && !behind)
		forget_from(rd->boot, first);
	struct sp_source *s = sp_source_add(rd->boot, path);
	s->text = sp_xasprintf("%s %s", step.before, step.after);
	s->line = step.line;
	s->behind = behind;
	s->anew = behind && step.kind == SP_STEP_SET;
	add_place(rd, path, var, &file);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

static char *read_variable(struct reader *rd, const char *var)
{
	const size_t first = rd->boot->n_sources;
	bool behind = false;

	for (size_t i = 0; i < rd->files.n; i++) {
		read_file(rd, rd->files.v[i], var, first, behind);
		if (sp_streq(rd->files.v[i], SP_GRUB_D_OWN) && sp_streq(var, FOR_NORMAL))
			behind = true;
	}
	return sp_buf_steal(&rd->line);
}

static bool said_before(const struct sp_boot *boot, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (boot->sources[i].why && sp_streq(boot->sources[i].path, boot->sources[at].path))
			return true;
	return false;
}

static void warn_of_doubts(struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_sources; i++)
		if (boot->sources[i].why && !said_before(boot, i))
			sp_strv_addf(&boot->warnings, "'%s' is not understood without a shell (%s); ours %s what it says",
				     boot->sources[i].path, boot->sources[i].why,
				     boot->sources[i].behind ? "stands in front of" : "is added behind");
}

int sp_grub_d_read_sources(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) FOR_NORMAL };
	struct reader rd = { .root = root, .boot = boot };
	int r = list_files(&rd, err);

	if (r == 0) {
		sp_autofree char *for_all = read_variable(&rd, FOR_ALL), *for_normal = read_variable(&rd, FOR_NORMAL);
		struct sp_place *own = sp_place_add(root, boot, SP_PLACE_GENERATOR, &host, SP_GRUB_D_OWN);

		own->whole = true;
		own->line = sp_xasprintf("%s %s", for_all, for_normal);
		warn_of_doubts(boot);
	}
	sp_strv_clear(&rd.files);
	sp_buf_clear(&rd.line);
	return r;
}
