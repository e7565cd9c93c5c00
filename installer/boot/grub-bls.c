/* SPDX-License-Identifier: MIT */
/*
 * GRUB with Boot Loader Specification entries: Fedora, RHEL, CentOS Stream. The line lives in every entry's options
 * (or, in an older scheme, in grubenv's `kernelopts`, which entries name); kernel-install gives new kernels what
 * /etc/kernel/cmdline says; grub2-mkconfig writes GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT into all entries,
 * and into /etc/kernel/cmdline where that is older than /etc/default/grub. So all of them are kept in step, and
 * /etc/default/grub is published first. (grub2: 10_linux.in, blscfg.c; 20-grub.install)
 */
#include <errno.h>

#include "boot/internal.h"
#include "format/bls.h"

#define ENTRIES "/boot/loader/entries"

/* --- recognise --------------------------------------------------------------------------------------------------- */

static bool is_dir(const struct sp_root *root, const char *path)
{
	struct stat st;

	return sp_root_stat(root, path, &st) == 0 && S_ISDIR(st.st_mode);
}

/*
 * grubenv's `blsdir` is a path of GRUB's: from the top of the file system that holds /boot, perhaps through a btrfs
 * subvolume. Its longest end that is a folder below /boot here is meant.
 */
static int find_entries_dir(const struct sp_root *root, const struct sp_grub *grub, char **ret, struct sp_error **err)
{
	sp_autofree char *blsdir = sp_grub_env(grub, "blsdir");

	if (!blsdir || !*blsdir) {
		*ret = sp_xstrdup(ENTRIES);
		return 0;
	}
	for (const char *end = blsdir; end; end = strchr(end + 1, '/')) {
		sp_autofree char *path = sp_xasprintf("%s%s%s", sp_startswith(end, "/boot/") ? "" : "/boot",
						      *end == '/' ? "" : "/", end);

		if (!is_dir(root, path))
			continue;
		*ret = sp_steal(path);
		return 0;
	}
	return sp_error_set(err, -ENOENT, "%s: blsdir='%s' is no folder of this tree", grub->env_path, blsdir);
}

static bool see_blscfg(const struct sp_grub *grub, struct sp_strv *seen)
{
	bool enabled = sp_grub_enables_blscfg(grub), called = sp_grub_calls_blscfg(grub);

	if (enabled)
		sp_strv_add(seen, "GRUB_ENABLE_BLSCFG=true in " SP_GRUB_DEFAULTS);
	if (called)
		sp_strv_addf(seen, "blscfg in %s", grub->cfg_path);
	return enabled || called;
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	sp_autofree char *dir = NULL;

	if (sp_boot_is_ostree(root))
		return 0;
	int r = sp_grub_open(root, &grub, err);
	if (r < 0)
		return r;
	if (find_entries_dir(root, &grub, &dir, NULL) < 0)
		dir = sp_xstrdup(ENTRIES); /* reading it says what is wrong */
	r = sp_entries_count(root, dir, err);
	if (r <= 0)
		return r;
	sp_strv_addf(seen, "%d %s in %s", r, r == 1 ? "entry" : "entries", dir);
	return see_blscfg(&grub, seen);
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

/* GRUB's blscfg sorts by name. */
static int in_menu_order(const void *a, const void *b)
{
	const struct sp_entry *x = a, *y = b;
	int c = sp_bls_compare(x->id, y->id);

	return c != 0 ? c : strcmp(x->id, y->id);
}

static const struct sp_entry_rules rules = { .compare = in_menu_order };

/* An entry without options gets the variable default_kernelopts. */
static void expand_lines(const struct sp_grub_bls *rd)
{
	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		struct sp_entry *e = &rd->boot->entries[i];
		const char *inherited = e->options ? NULL : sp_grub_lookup(rd->grub, "default_kernelopts");

		free(e->line);
		e->line = e->options ? sp_bls_expand(e->options, sp_grub_lookup, rd->grub) :
				       sp_xstrdup(inherited ? inherited : "");
	}
}

/* grubenv's saved_entry, else the first of the menu. */
static void mark_default(const struct sp_grub_bls *rd)
{
	sp_autofree char *saved = sp_grub_env(rd->grub, "saved_entry");
	struct sp_entry *e = saved && *saved ? sp_entries_by_name(rd->boot, saved) : NULL;
	bool lost = saved && *saved && !e;

	if (!e)
		e = sp_entries_by_name(rd->boot, "0");
	if (e)
		e->by_default = true;
	if (lost && e)
		sp_strv_addf(&rd->boot->warnings, "%s: saved_entry='%s' is no entry of %s; '%s' is taken for the default",
			     rd->grub->env_path, saved, rd->dir, e->id);
}

static char *find_root(const struct sp_grub_bls *rd)
{
	char *value = rd->future ? sp_cmdline_value(rd->future, "root") : NULL;
	const struct sp_entry *e = sp_entries_own(rd->boot);

	if (!value && e)
		value = sp_cmdline_value(e->line, "root");
	return value;
}

/* Of those that were refused, the one that is most likely meant. */
static const struct sp_entry *nearest_entry(const struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_entries; i++)
		if (boot->entries[i].named && !boot->entries[i].rescue && boot->entries[i].why)
			return &boot->entries[i];
	for (size_t i = 0; i < boot->n_entries; i++)
		if (boot->entries[i].why)
			return &boot->entries[i];
	return NULL;
}

static int no_entry(const struct sp_grub_bls *rd, struct sp_error **err)
{
	const struct sp_entry *e = nearest_entry(rd->boot);

	if (e)
		(void) sp_error_set(err, -ENOENT, "no boot entry in '%s' is this system's; '%s': %s", rd->dir, e->id, e->why);
	else
		(void) sp_error_set(err, -ENOENT, "only a rescue entry in '%s' is this system's", rd->dir);
	(void) sp_error_path(err, rd->dir);
	return sp_error_hint(err, "this system's begin with the id in /etc/machine-id or /etc/kernel/entry-token, and have "
			     "the root= of " SP_FUTURE);
}

static int empty_folder(const struct sp_grub_bls *rd, struct sp_error **err)
{
	(void) sp_error_set(err, -ENOTSUP, "there is no boot entry in '%s'", rd->dir);
	(void) sp_error_path(err, rd->dir);
	(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	return sp_error_hint(err, "'kernel-install add-all' writes the entries of the kernels that are installed");
}

static int claim(const struct sp_grub_bls *rd, struct sp_error **err)
{
	sp_autofree char *value = find_root(rd);
	bool any = false;

	sp_entries_claim(rd->boot, value);
	for (size_t i = 0; i < rd->boot->n_entries; i++)
		any |= rd->boot->entries[i].ours && !rd->boot->entries[i].rescue;
	if (!any)
		return no_entry(rd, err);
	rd->boot->root_arg = value ? sp_xasprintf("root=%s", value) : NULL;
	return 0;
}

static int read_entries(const struct sp_grub_bls *rd, struct sp_error **err)
{
	int r = sp_entries_read(rd->root, rd->dir, &rules, rd->boot, err);

	if (r == 0 && rd->boot->n_entries == 0)
		return empty_folder(rd, err);
	if (r < 0)
		return r;
	expand_lines(rd);
	mark_default(rd);
	return claim(rd, err);
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	sp_autofree char *dir = NULL, *future = NULL;
	int r = sp_grub_open(root, &grub, err);

	if (r == 0)
		r = sp_grub_check_env(&grub, err);
	if (r == 0)
		r = find_entries_dir(root, &grub, &dir, err);
	if (r == 0)
		r = sp_line_read(root, SP_FUTURE, &future, err);
	const struct sp_grub_bls rd = { root, boot, &grub, dir, future };
	if (r == 0)
		r = read_entries(&rd, err);
	return r < 0 ? r : sp_grub_bls_read_places(&rd, err);
}

const struct sp_boot_ops sp_boot_grub_bls = {
	.name = "grub-bls",
	.title = "GRUB with Boot Loader Specification entries",
	.loader = "GRUB",
	.probe = probe,
	.read = read_setup,
	.check = sp_entries_check,
	.once = &sp_once_grub,
};
