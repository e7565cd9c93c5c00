/* SPDX-License-Identifier: MIT */
/*
 * The boot loader Limine (CachyOS, Omarchy, or by hand): limine.conf has a command line in each entry. Entries that
 * limine-entry-tool wrote are written anew from its own configuration whenever it runs, and ours goes there, too
 * (limine-tool.c). Where the checksum of limine.conf is in Limine's program, a changed file ends in a panic at the next
 * start: then it is refused before anything is written.
 */
#include <errno.h>
#include <stdio.h>

#include "boot/limine.h"

#define TOOL_HINT                                                                                                      \
	"put KERNEL_CMDLINE[default]+=\" ARGUMENTS \", with those that 'strix-provision plan' names, into " SP_LIMINE_OWN \
	" and run 'limine-update', which enrolls the new configuration by itself"

struct reader {
	const struct sp_root *root;
	struct sp_boot *boot;
	struct sp_limine_where where;
	struct sp_limine conf;
	struct sp_limine_layers layers;
	struct sp_strv roots; /* values of root= that are this system's */
	bool proven;	      /* they are known from what the system says of its own command line */
	char *machine_id, *future;
};

static void reader_clear(struct reader *rd)
{
	sp_limine_where_clear(&rd->where);
	sp_limine_clear(&rd->conf);
	sp_limine_layers_clear(&rd->layers);
	sp_strv_clear(&rd->roots);
	free(rd->machine_id);
	free(rd->future);
}

/* --- recognise --------------------------------------------------------------------------------------------------- */

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	sp_cleanup(sp_limine_where_clear) struct sp_limine_where w = { 0 };

	(void) err;
	if (sp_boot_is_ostree(root) || !sp_limine_find(root, NULL, &w))
		return 0;
	sp_strv_copy(seen, &w.confs);
	if (w.programs.n > 0)
		sp_strv_addf(seen, "Limine in %s", w.programs.v[w.programs.n - 1]); /* BOOTX64.EFI is the first */
	if (sp_root_exists(root, "/usr/bin/limine-entry-tool"))
		sp_strv_add(seen, "limine-entry-tool");
	return 1;
}

/* --- refusals ---------------------------------------------------------------------------------------------------- */

static int refuse_checksum(const struct reader *rd, struct sp_error **err)
{
	const char *conf = rd->where.confs.v[0], *program = rd->where.enrolled;

	if (!program && !rd->boot->started.secure_boot)
		return 0;
	if (program)
		(void) sp_error_set(err, -ENOTSUP, "'%s' has the checksum of its configuration in it: with another '%s' this "
				    "system would not start", program, conf);
	else
		(void) sp_error_set(err, -ENOTSUP, "Secure Boot is on, where Limine may want '%s' to have a checksum that is enrolled",
				    conf);
	(void) sp_error_path(err, conf);
	if (rd->layers.tool)
		(void) sp_error_hint(err, TOOL_HINT);
	else if (program)
		(void) sp_error_hint(err, "'limine enroll-config --reset %s' takes it out; then apply, and enroll the new one: "
				     "limine enroll-config %s $(b2sum %s | cut -d ' ' -f 1)", program, program, conf);
	else
		(void) sp_error_hint(err, "add the arguments that 'strix-provision plan' names to its cmdline lines by hand, and enroll "
				     "and sign Limine anew, or turn Secure Boot off");
	return sp_error_exit(err, SP_EXIT_UNSUPPORTED);
}

static int refuse_several(const struct reader *rd, struct sp_error **err)
{
	sp_autofree char *all = sp_strv_join(&rd->where.confs, "' and '");

	if (rd->where.confs.n < 2)
		return 0;
	(void) sp_error_set(err, -ENOTSUP, "it depends on the version of Limine, and on what started it, which of '%s' is read", all);
	(void) sp_error_hint(err, "remove or rename the one that the menu does not come from");
	return sp_error_exit(err, SP_EXIT_UNSUPPORTED);
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

static bool has_text(const struct sp_strv *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcasestr(l->v[i], text))
			return true;
	return false;
}

/* An entry that people go to when the others fail, and snapshots, which limine-snapper-sync writes. */
static bool is_way_out(const struct sp_limine *conf, size_t i)
{
	static const char *const words[] = { "rescue", "fallback", "recovery", "snapshots" };
	const struct sp_limine_entry *e = &conf->v[i];
	bool found = has_text(&e->modules, "-fallback") || (e->line_text && strstr(e->line_text, "/.snapshots/"));

	for (; i != SP_LIMINE_NONE; i = conf->v[i].parent) {
		for (size_t k = 0; k < SP_ELEMENTS(words); k++)
			found = found || strcasestr(conf->v[i].title, words[k]);
		found = found || has_text(&conf->v[i].remarks, "limine-snapper-sync");
	}
	return found;
}

/* "machine-id=..." in a comment of an entry or of one that it is in; NULL: none. Borrowed, not ended. */
static const char *machine_of(const struct sp_limine *conf, size_t i)
{
	for (; i != SP_LIMINE_NONE; i = conf->v[i].parent)
		for (size_t k = 0; k < conf->v[i].remarks.n; k++) {
			const char *at = strstr(conf->v[i].remarks.v[k], "machine-id=");

			if (at)
				return at + strlen("machine-id=");
		}
	return NULL;
}

static const char *const kernel_protocols[] = { "linux", "efi", "uefi", "efi_chainload" };

static bool starts_linux(const struct sp_limine_entry *e)
{
	for (size_t i = 0; i < SP_ELEMENTS(kernel_protocols); i++)
		if (e->protocol && strcasecmp(e->protocol, kernel_protocols[i]) == 0)
			return e->line_text || i == 0;
	return false;
}

/* "boot():/path#checksum" is a file of the partition with the configuration; other paths cannot be looked at. */
static bool has_kernel(const struct reader *rd, const char *kernel)
{
	const char *path = kernel && sp_startswith(kernel, "boot():") ? kernel + strlen("boot():") : NULL;
	sp_autofree char *file = path ? sp_xasprintf("%s/%.*s", rd->where.folder, (int) strcspn(path, "#"), path) : NULL;

	return !file || sp_root_exists(rd->root, file);
}

static void add_entry(const struct reader *rd, size_t i, bool by_default)
{
	const struct sp_limine_entry *from = &rd->conf.v[i];
	const char *machine = machine_of(&rd->conf, i);
	struct sp_boot *boot = rd->boot;

	boot->entries = sp_xrealloc(boot->entries, boot->n_entries + 1, sizeof(*boot->entries));
	struct sp_entry *e = &boot->entries[boot->n_entries++];
	*e = (struct sp_entry){
		.id = sp_xstrdup(from->path), .path = sp_xstrdup(rd->where.confs.v[0]), .title = sp_xstrdup(from->title),
		.linux_path = sp_xstrdup(from->kernel), .options = sp_xstrdup(from->line_text),
		.line = sp_xstrdup(from->line_text ? from->line_text : ""), .why = sp_xstrdup(from->why),
		.rescue = is_way_out(&rd->conf, i), .by_default = by_default, .hidden = !has_kernel(rd, from->kernel),
		.named = machine && rd->machine_id && sp_startswith(machine, rd->machine_id),
	};
	sp_strv_copy(&e->initrd, &from->modules);
	if (e->why)
		return;
	if (!starts_linux(from))
		e->why = sp_xstrdup(from->line_text ? "it does not start a Linux kernel" :
						      "it has no command line of its own in limine.conf");
	else if (machine && rd->machine_id && !e->named)
		e->why = sp_xasprintf("it says that it is the system with the machine-id %.32s", machine);
	else if (e->hidden)
		e->why = sp_xasprintf("its kernel '%s' is not there, so it cannot start", e->linux_path);
}

static int read_entries(struct reader *rd, struct sp_error **err)
{
	const char *conf = rd->where.confs.v[0];
	sp_autobuf struct sp_buf file = { 0 };
	int r = sp_root_read(rd->root, conf, SP_FILE_MAX, &file, err);

	if (r < 0)
		return r;
	r = sp_limine_parse(&file, &rd->conf, err);
	if (r < 0) {
		(void) sp_error_wrap(err, "'%s'", conf);
		(void) sp_error_path(err, conf);
		return sp_error_hint(err, "mend it: Limine does not start anything with it either");
	}
	const size_t first = sp_limine_default(&rd->conf);
	for (size_t i = 0; i < rd->conf.n; i++)
		if (!rd->conf.v[i].folder)
			add_entry(rd, i, i == first);
	return 0;
}

/* --- whose ------------------------------------------------------------------------------------------------------- */

static void add_root(struct reader *rd, const char *line)
{
	sp_autofree char *value = line ? sp_cmdline_value(line, "root") : NULL;

	if (value && *value && !sp_strv_has(&rd->roots, value))
		sp_strv_add(&rd->roots, value);
}

/* The second column of a line of fstab is "/"; the first one is what is mounted there. */
static void add_fstab(struct reader *rd)
{
	sp_autobuf struct sp_buf fstab = { 0 };
	char *save = NULL;

	if (sp_root_read(rd->root, "/etc/fstab", SP_FILE_MAX, &fstab, NULL) < 0)
		return;
	for (char *line = strtok_r(fstab.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char what[256] = "", where[8] = "";

		if (sscanf(line, " %255s %7s", what, where) == 2 && *what != '#' && sp_streq(where, "/"))
			sp_strv_add(&rd->roots, what);
	}
}

/* What the other entries that could be this system's agree on. */
static void add_entries_root(struct reader *rd)
{
	for (size_t i = 0; i < rd->boot->n_entries; i++)
		if (!rd->boot->entries[i].why && !rd->boot->entries[i].rescue)
			add_root(rd, rd->boot->entries[i].line);
	if (rd->roots.n != 1)
		sp_strv_clear(&rd->roots);
}

static void find_roots(struct reader *rd)
{
	sp_autofree char *layers = sp_limine_layers_text(&rd->layers);

	add_root(rd, rd->boot->started.cmdline);
	add_root(rd, layers);
	if (rd->roots.n == 0)
		add_root(rd, rd->future);
	rd->proven = rd->roots.n > 0;
	if (rd->roots.n == 0)
		add_fstab(rd);
	if (rd->roots.n == 0)
		add_entries_root(rd);
}

/* Two systems on one btrfs have the same root=, and differ in this. */
static bool has_other_flags(const struct reader *rd, const struct sp_entry *e)
{
	sp_autofree char *layers = sp_limine_layers_text(&rd->layers);
	const char *line = rd->boot->started.cmdline ? rd->boot->started.cmdline : layers ? layers : rd->future;
	sp_autofree char *here = line ? sp_cmdline_value(line, "rootflags") : NULL;
	sp_autofree char *there = sp_cmdline_value(e->line, "rootflags");

	return line && !e->named && (here && there ? !sp_streq(here, there) : here || there);
}

static char *why_not(const struct reader *rd, const struct sp_entry *e)
{
	sp_autofree char *value = sp_cmdline_value(e->line, "root"), *ours = sp_strv_join(&rd->roots, " or root=");

	if (!value)
		return sp_xstrdup("it has no root=");
	if (!e->named && rd->roots.n == 0)
		return sp_xstrdup("nothing says which root= is this system's");
	if (rd->roots.n > 0 && !sp_strv_has(&rd->roots, value) && (rd->proven || !e->named))
		return sp_xasprintf("its root=%s is not this system's root=%s", value, ours);
	if (has_other_flags(rd, e))
		return sp_xstrdup("its rootflags= are not this system's");
	return NULL;
}

static int none_is_ours(const struct reader *rd, struct sp_error **err)
{
	const struct sp_boot *boot = rd->boot;
	const struct sp_entry *e = NULL;

	for (size_t i = 0; i < boot->n_entries; i++)
		if (boot->entries[i].why && !boot->entries[i].rescue && (!e || (boot->entries[i].named && !e->named)))
			e = &boot->entries[i];
	(void) sp_error_set(err, -ENOENT, "no entry of '%s' is this system's%s%s%s%s", rd->where.confs.v[0], e ? "; '" : "",
			    e ? e->id : "", e ? "': " : "", e ? e->why : "");
	(void) sp_error_path(err, rd->where.confs.v[0]);
	if (rd->layers.tool)
		return sp_error_hint(err, "'limine-update' writes this system's entries anew: run it as root, and see what it says");
	return sp_error_hint(err, "its entries have 'protocol: linux' and a 'cmdline:' with the root= of the running kernel");
}

static int claim(struct reader *rd, struct sp_error **err)
{
	struct sp_boot *boot = rd->boot;
	const struct sp_entry *first = NULL;

	find_roots(rd);
	for (size_t i = 0; i < boot->n_entries; i++) {
		struct sp_entry *e = &boot->entries[i];

		if (!e->why)
			e->why = why_not(rd, e);
		e->ours = !e->why;
		if (sp_entry_changes(e) && (!first || e->by_default))
			first = e;
		if (e->named && e->hidden)
			sp_strv_addf(&boot->warnings, "the entry '%s' is left alone: %s", e->id, e->why);
	}
	if (!first)
		return none_is_ours(rd, err);
	sp_autofree char *value = sp_cmdline_value(first->line, "root");
	boot->root_arg = sp_xasprintf("root=%s", value);
	return sp_limine_add_layers(rd->root, &rd->layers, first->line, boot, err);
}

/* --- read -------------------------------------------------------------------------------------------------------- */

static void add_places(const struct reader *rd)
{
	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		const struct sp_entry *e = &rd->boot->entries[i];
		const struct sp_host host = { .kind = SP_HOST_LIMINE, .var = e->id };

		if (sp_entry_changes(e))
			sp_place_add(rd->root, rd->boot, SP_PLACE_ENTRY, &host, e->path)->line = sp_xstrdup(e->options);
	}
}

static int read_all(struct reader *rd, struct sp_error **err)
{
	if (!sp_limine_find(rd->root, rd->boot->started.loader, &rd->where))
		return sp_error_set(err, -ENOENT, "there is no limine.conf beside Limine");
	int r = refuse_several(rd, err);

	if (r == 0)
		r = sp_limine_layers_read(rd->root, &rd->layers, err);
	if (r == 0)
		r = refuse_checksum(rd, err);
	if (r == 0)
		r = sp_line_read(rd->root, SP_FUTURE, &rd->future, err);
	if (r < 0)
		return r;
	if (sp_root_read_line(rd->root, "/etc/machine-id", &rd->machine_id) < 0)
		rd->machine_id = NULL;
	r = read_entries(rd, err);
	if (r == 0)
		r = claim(rd, err);
	if (r == 0)
		add_places(rd);
	return r;
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_cleanup(reader_clear) struct reader rd = { .root = root, .boot = boot };

	return read_all(&rd, err);
}

const struct sp_boot_ops sp_boot_limine = {
	.name = "limine",
	.title = "Limine",
	.loader = "Limine",
	.images = "limine-mkinitcpio",
	.probe = probe,
	.read = read_setup,
	.check = sp_entries_check,
	.own_file = SP_LIMINE_OWN,
	.render = sp_limine_render,
};
