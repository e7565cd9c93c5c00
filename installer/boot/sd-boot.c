/* SPDX-License-Identifier: MIT */
/*
 * systemd-boot with type #1 entries: one file an entry on the ESP or on the XBOOTLDR partition, whose menus are one. The
 * line lives in every entry's options (all of them, joined); kernel-install gives new kernels what /etc/kernel/cmdline
 * says. The loader renames entries that have a boot counter, so names are read anew each time and never remembered.
 * loader.conf is measured, and not touched. (systemd: boot.c, 90-loaderentry.install; Boot Loader Specification)
 */
#include <errno.h>

#include "boot/internal.h"
#include "format/bls.h"

#define ENTRIES "/loader/entries"

/* --- where ------------------------------------------------------------------------------------------------------- */

/* kernel-install can be told where $BOOT is. */
static void add_boot_root(const struct sp_root *root, struct sp_strv *ret)
{
	static const char *const files[] = { "/etc/kernel/install.conf", "/usr/lib/kernel/install.conf" };
	static const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) "BOOT_ROOT" };

	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autofree char *folder = NULL;

		if (sp_root_read(root, files[i], SP_FILE_MAX, &file, NULL) < 0)
			continue; /* the next one counts where this is not there */
		if (sp_host_get(&host, &file, &folder, NULL) == 0 && *folder == '/')
			sp_strv_add(ret, folder);
		return;
	}
}

static bool has(const struct sp_root *root, const char *folder, const char *what)
{
	sp_autofree char *path = sp_xasprintf("%s%s", folder, what);

	return sp_root_exists(root, path);
}

/* What only root may look at may be there. */
static bool may_have(const struct sp_root *root, const char *folder, const char *what)
{
	sp_autofree char *path = sp_xasprintf("%s%s", folder, what);
	struct stat st;
	int r = sp_root_stat(root, path, &st);

	return r == 0 || r == -EACCES || r == -EPERM;
}

/* Where the partitions are mounted by custom, and by the user's choice; each once, however many names lead there. */
void sp_sd_boot_folders(const struct sp_root *root, struct sp_strv *ret)
{
	static const char *const usual[] = { "/efi", "/boot", "/boot/efi" };
	sp_autostrv struct sp_strv names = { 0 };

	add_boot_root(root, &names);
	for (size_t i = 0; i < SP_ELEMENTS(usual); i++)
		sp_strv_add(&names, usual[i]);
	for (size_t i = 0; i < names.n; i++) {
		sp_autofree char *folder = NULL;

		if (sp_root_resolve(root, names.v[i], &folder) == 0 && !sp_strv_has(ret, folder) &&
		    (may_have(root, folder, "/loader") || has(root, folder, "/EFI/systemd") ||
		     has(root, folder, SP_UKI_FOLDER)))
			sp_strv_add(ret, folder);
	}
}

/* --- recognise --------------------------------------------------------------------------------------------------- */

/* These write the entries themselves, and from sources of their own. */
static bool belongs_to_a_tool(const struct sp_root *root)
{
	static const char *const tools[] = { "/usr/bin/sdbootutil", "/etc/kernelstub/configuration" };

	for (size_t i = 0; i < SP_ELEMENTS(tools); i++)
		if (sp_root_exists(root, tools[i]))
			return true;
	return false;
}

static void see_loader(const struct sp_root *root, const char *folder, struct sp_strv *seen)
{
	static const char *const signs[] = { "/EFI/systemd/systemd-bootx64.efi", "/loader/loader.conf" };

	for (size_t i = 0; i < SP_ELEMENTS(signs); i++)
		if (has(root, folder, signs[i]))
			sp_strv_addf(seen, "%s%s", folder, signs[i]);
}

/* Is the kernel of an entry there? Without it, the loader does not show the entry. Paths may have backslashes. */
static bool has_kernel(const struct sp_root *root, const char *entry, const char *kernel)
{
	sp_autofree char *path = sp_xasprintf("%.*s/%s", (int) (strstr(entry, ENTRIES "/") - entry), entry, kernel);

	for (char *c = path; *c; c++)
		if (*c == '\\')
			*c = '/';
	return sp_root_exists(root, path);
}

/* One that cannot be read counts, so that reading it gives the error. */
static bool is_shown(const struct sp_root *root, const char *path)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_autobls struct sp_bls bls = { 0 };

	return sp_root_read(root, path, SP_FILE_MAX, &file, NULL) < 0 || sp_bls_parse(&file, &bls, NULL) < 0 ||
	       (bls.linux_path && has_kernel(root, path, bls.linux_path));
}

/* What only root may look into tells nothing. */
static size_t count_shown(const struct sp_root *root, const char *folder)
{
	sp_autofree char *dir = sp_xasprintf("%s" ENTRIES, folder);
	sp_autostrv struct sp_strv files = { 0 };
	size_t n = 0;

	if (sp_entries_list(root, dir, &files, NULL) < 0)
		return 0;
	for (size_t i = 0; i < files.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", dir, files.v[i]);

		n += is_shown(root, path);
	}
	return n;
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	sp_autostrv struct sp_strv folders = { 0 }, entries = { 0 };

	(void) err;
	if (sp_boot_is_ostree(root) || belongs_to_a_tool(root))
		return 0;
	sp_sd_boot_folders(root, &folders);
	for (size_t i = 0; i < folders.n; i++) {
		const size_t n = count_shown(root, folders.v[i]);

		see_loader(root, folders.v[i], seen);
		if (n > 0)
			sp_strv_addf(&entries, "%zu %s in %s" ENTRIES, n, n == 1 ? "entry" : "entries", folders.v[i]);
	}
	bool found = seen->n > 0 && entries.n > 0;
	sp_strv_copy(seen, &entries);
	return found;
}

/* --- read -------------------------------------------------------------------------------------------------------- */

/* Its own entries begin so; a file of that name is passed over. */
static bool is_auto(const struct sp_entry *e)
{
	return strncasecmp(e->id, "auto-", strlen("auto-")) == 0;
}

/*
 * An entry that people go to when the others fail stays as it is: one that is called so, or whose image is the one for any
 * hardware, which mkinitcpio calls "-fallback".
 */
bool sp_sd_boot_is_way_out(const struct sp_entry *e)
{
	static const char *const words[] = { "rescue", "fallback", "recovery" };
	bool found = false;

	for (size_t i = 0; i < SP_ELEMENTS(words); i++)
		found = found || strcasestr(e->id, words[i]) || (e->title && strcasestr(e->title, words[i]));
	for (size_t i = 0; i < e->initrd.n; i++)
		found = found || strstr(e->initrd.v[i], "-fallback");
	return found;
}

static void look_at(const struct sp_sd_boot *rd, struct sp_entry *e)
{
	free(e->line);
	e->line = sp_xstrdup(e->options ? e->options : "");
	e->rescue = e->rescue || sp_sd_boot_is_way_out(e);
	e->hidden = is_auto(e) || (e->linux_path && !has_kernel(rd->root, e->path, e->linux_path));
	if (!e->hidden || e->why)
		return;
	e->why = is_auto(e) ? sp_xstrdup("systemd-boot passes over names that begin with auto-") :
			      sp_xasprintf("its kernel '%s' is not there, so systemd-boot does not show it", e->linux_path);
	if (e->named)
		sp_strv_addf(&rd->boot->warnings, "'%s' is left alone: %s", e->path, e->why);
}

int sp_sd_boot_read_entries(const struct sp_sd_boot *rd, struct sp_error **err)
{
	sp_autofree char *dirs = sp_strv_join(&rd->folders, "', '");
	int r = 0;

	for (size_t i = 0; i < rd->folders.n && r == 0; i++) {
		sp_autofree char *dir = sp_xasprintf("%s" ENTRIES, rd->folders.v[i]);

		if (may_have(rd->root, dir, ""))
			r = sp_entries_read(rd->root, dir, &sp_sd_boot_rules, rd->boot, err);
	}
	for (size_t i = 0; i < rd->boot->n_entries && r == 0; i++)
		look_at(rd, &rd->boot->entries[i]);
	if (r < 0 || rd->boot->n_entries > 0)
		return r;
	(void) sp_error_set(err, -ENOTSUP, "there is no boot entry in '%s'", rd->folders.n ? dirs : "/efi', '/boot', '/boot/efi");
	(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	return sp_error_hint(err, "is the partition that systemd-boot reads mounted there?");
}

/* They are in the same menu, and have command lines of their own. */
static void note_images(const struct sp_sd_boot *rd)
{
	for (size_t i = 0; i < rd->folders.n; i++) {
		sp_autofree char *dir = sp_xasprintf("%s" SP_UKI_FOLDER, rd->folders.v[i]);
		sp_autostrv struct sp_strv names = { 0 };
		size_t n = 0;

		if (sp_root_list(rd->root, dir, &names) < 0)
			continue; /* not there */
		for (size_t k = 0; k < names.n; k++)
			n += sp_endswith(names.v[k], ".efi");
		if (n > 0)
			sp_strv_addf(&rd->boot->warnings, "%zu unified kernel image%s in %s %s left alone: the command line is "
				     "inside of %s", n, n == 1 ? "" : "s", dir, n == 1 ? "is" : "are", n == 1 ? "it" : "them");
	}
}

void sp_sd_boot_clear(struct sp_sd_boot *rd)
{
	sp_strv_clear(&rd->folders);
	sp_strv_clear(&rd->roots);
	free(rd->future);
	free(rd->machine_id);
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_cleanup(sp_sd_boot_clear) struct sp_sd_boot rd = { .root = root, .boot = boot };

	sp_sd_boot_folders(root, &rd.folders);
	int r = sp_line_read(root, SP_FUTURE, &rd.future, err);
	if (r == 0)
		r = sp_sd_boot_read_entries(&rd, err);
	if (r == 0)
		r = sp_sd_boot_mark_default(&rd, err);
	if (r == 0)
		r = sp_sd_boot_claim(&rd, err);
	if (r == 0)
		note_images(&rd);
	return r < 0 ? r : sp_sd_boot_add_places(&rd, err);
}

const struct sp_boot_ops sp_boot_systemd_boot = {
	.name = "systemd-boot",
	.title = "systemd-boot with Boot Loader Specification entries",
	.loader = "systemd-boot",
	.probe = probe,
	.read = read_setup,
	.check = sp_entries_check,
	.once = &sp_once_sd_boot,
};
