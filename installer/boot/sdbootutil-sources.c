/* SPDX-License-Identifier: MIT */
/*
 * What sdbootutil makes the line of an entry of: the first of some files that there is, then those of
 * /usr/kernel/cmdline.d that /etc/kernel/cmdline.d has not under the same name, then those of the latter, in the order of
 * their names; then root= and rootflags= are set to those of the snapshot. Versions before March 2026 have no such
 * folders: there ours goes into the first file. Comments are known since April 2026 only, so there is none in ours.
 */
#include <errno.h>

#include "boot/internal.h"
#include "boot/sdbootutil.h"

#define TOOL	   "/usr/bin/sdbootutil"
#define VENDOR_DIR "/usr/kernel/cmdline.d"
#define TOOL_MAX   ((size_t) 4 * 1024 * 1024)

static const char *const bases[] = { SP_FUTURE, "/usr/lib/kernel/cmdline" };

struct reader {
	const struct sp_root *root;
	struct sp_boot *boot;
	struct sp_buf line; /* what comes out of the files so far */
};

/* The script itself says whether it reads the folder; where it cannot be read, it is taken for one of now. */
static bool reads_folder(const struct sp_root *root)
{
	sp_autobuf struct sp_buf script = { 0 };

	return sp_root_read(root, TOOL, TOOL_MAX, &script, NULL) < 0 ||
	       memmem(script.data, script.len, "cmdline.d", strlen("cmdline.d"));
}

static void add_text(struct reader *rd, const char *text)
{
	sp_buf_addf(&rd->line, "%s%s", rd->line.len > 0 ? " " : "", text);
}

static void add_source(struct reader *rd, const char *path, const char *text, bool behind)
{
	struct sp_source *s = sp_source_add(rd->boot, path);

	s->text = sp_xstrdup(text);
	s->line = 1;
	s->behind = behind;
	add_text(rd, text);
}

/* One from which --replace can take a foreign argument that stands against ours. */
static struct sp_place *add_place(struct reader *rd, const char *path, const char *line)
{
	static const struct sp_host host = { .kind = SP_HOST_PLAIN };
	struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_GENERATOR, &host, path);

	p->only_remove = p->only_displaced = true;
	p->line = sp_xstrdup(line);
	return p;
}

/* --- the base ---------------------------------------------------------------------------------------------------- */

/* The entry that this system boots. */
static const struct sp_entry *booted(const struct sp_boot *boot)
{
	const struct sp_entry *found = NULL;

	for (size_t i = 0; i < boot->n_entries; i++)
		if (sp_entry_changes(&boot->entries[i]) && (!found || boot->entries[i].by_default))
			found = &boot->entries[i];
	return found;
}

/*
 * Without any of the files the line of the running kernel would count, and after a reboot ours would be in that, and once
 * more behind it. So the first file is made, with the line that the entry has now (rule R0).
 */
static void make_base(struct reader *rd)
{
	struct sp_place *p = add_place(rd, SP_FUTURE, NULL);

	p->create = sp_line_without_loader(booted(rd->boot)->line, NULL);
	add_text(rd, p->create);
}

static int read_base(struct reader *rd, struct sp_error **err)
{
	for (size_t i = 0; i < SP_ELEMENTS(bases); i++) {
		sp_autofree char *line = NULL;
		int r = sp_line_read(rd->root, bases[i], &line, err);

		if (r < 0)
			return r;
		if (!line)
			continue;
		add_source(rd, bases[i], line, false);
		(void) add_place(rd, bases[i], line);
		return 0;
	}
	make_base(rd);
	return 0;
}

/* --- the folders ------------------------------------------------------------------------------------------------- */

static int list(const struct sp_root *root, const char *dir, struct sp_strv *ret, struct sp_error **err)
{
	int r = sp_root_list(root, dir, ret);

	if (r < 0 && r != -ENOENT) {
		(void) sp_error_errno(err, r, "cannot list '%s'", dir);
		return sp_error_path(err, dir);
	}
	sp_strv_sort(ret);
	return 0;
}

static int read_file(struct reader *rd, const char *dir, const char *name, struct sp_error **err)
{
	sp_autofree char *path = sp_xasprintf("%s/%s", dir, name), *line = NULL;
	const bool ours = sp_streq(path, SP_CMDLINE_D_OWN);
	int r = name[0] == '.' ? 0 : sp_line_read(rd->root, path, &line, err);

	if (r < 0 || !line)
		return r;
	if (ours)
		add_text(rd, line);
	else
		add_source(rd, path, line, sp_streq(dir, SP_CMDLINE_D) && strcmp(path, SP_CMDLINE_D_OWN) > 0);
	if (!ours)
		(void) add_place(rd, path, line);
	return 0;
}

static int read_folders(struct reader *rd, struct sp_error **err)
{
	sp_autostrv struct sp_strv vendor = { 0 }, local = { 0 };
	int r = list(rd->root, VENDOR_DIR, &vendor, err);

	if (r == 0)
		r = list(rd->root, SP_CMDLINE_D, &local, err);
	for (size_t i = 0; i < vendor.n && r == 0; i++)
		if (!sp_strv_has(&local, vendor.v[i]))
			r = read_file(rd, VENDOR_DIR, vendor.v[i], err);
	for (size_t i = 0; i < local.n && r == 0; i++)
		r = read_file(rd, SP_CMDLINE_D, local.v[i], err);
	return r;
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

static int add_future(const struct sp_sd_boot *rd, struct sp_error **err)
{
	sp_autofree char *line = NULL;
	int r = sp_line_read(rd->root, SP_FUTURE, &line, err);
	const struct sp_future f = { .line = line, .booted = booted(rd->boot)->line };

	rd->boot->own_file_idle = true;
	return r < 0 ? r : sp_future_add(rd->root, rd->boot, &f, err);
}

int sp_sdbootutil_add_sources(const struct sp_sd_boot *rd, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_PLAIN };
	struct reader reader = { .root = rd->root, .boot = rd->boot };

	if (!reads_folder(rd->root))
		return add_future(rd, err);
	int r = read_base(&reader, err);
	if (r == 0)
		r = read_folders(&reader, err);
	if (r == 0) {
		struct sp_place *own = sp_place_add(rd->root, rd->boot, SP_PLACE_GENERATOR, &host, SP_CMDLINE_D_OWN);

		own->whole = true;
		own->line = sp_buf_steal(&reader.line);
	}
	sp_buf_clear(&reader.line);
	return r;
}

void sp_sdbootutil_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret)
{
	for (size_t i = 0; i < n; i++)
		sp_buf_addf(ret, "%s%s=%s", i > 0 ? " " : "", lines[i].key, lines[i].value);
	if (n > 0)
		sp_buf_adds(ret, "\n");
}
