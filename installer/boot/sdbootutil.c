/* SPDX-License-Identifier: MIT */
/*
 * openSUSE's sdbootutil, which installs kernels and their entries on the ESP, for systemd-boot or for a GRUB that reads
 * such entries ("grub2-bls"). It writes the line of an entry, also of one that is there, from /etc/kernel/cmdline (or
 * what stands for it) and the files of /etc/kernel/cmdline.d behind it; with snapshots there is an entry for each kernel
 * of each snapshot. Ours goes into the entries of the snapshot that boots, and into a file of ours in that folder. (sdbootutil)
 */
#include <errno.h>

#include "boot/internal.h"
#include "boot/sdbootutil.h"

#define TOOL	  "/usr/bin/sdbootutil"
#define GRUB	  "/usr/share/grub2/x86_64-efi/grubbls.efi"
#define SYSCONFIG "/etc/sysconfig/bootloader"

/* --- recognise --------------------------------------------------------------------------------------------------- */

/* LOADER_TYPE where the administrator set it, else systemd-boot where it alone is installed, else GRUB. */
static bool is_systemd_boot(const struct sp_root *root)
{
	static const char *const loaders[] = { "/usr/lib/systemd-boot/systemd-bootx64.efi",
					       "/usr/lib/systemd/boot/efi/systemd-bootx64.efi" };
	static const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) "LOADER_TYPE" };
	sp_autobuf struct sp_buf file = { 0 };
	sp_autofree char *type = NULL;
	bool found = false;

	if (sp_root_read(root, SYSCONFIG, SP_FILE_MAX, &file, NULL) == 0 && sp_host_get(&host, &file, &type, NULL) == 0 && *type)
		return sp_streq(type, "systemd-boot");
	for (size_t i = 0; i < SP_ELEMENTS(loaders); i++)
		found = found || sp_root_exists(root, loaders[i]);
	return found && !sp_root_exists(root, GRUB);
}

/* What only root may look into may have some. */
static bool may_have_entries(const struct sp_root *root, const char *folder)
{
	sp_autofree char *dir = sp_xasprintf("%s/loader/entries", folder);
	struct stat st;
	int r = sp_root_stat(root, dir, &st);

	return r == -EACCES || (r == 0 && sp_entries_count(root, dir, NULL) != 0);
}

static int probe_for(const struct sp_root *root, bool systemd_boot, struct sp_strv *seen)
{
	sp_autostrv struct sp_strv folders = { 0 };

	if (sp_boot_is_ostree(root) || !sp_root_exists(root, TOOL) || is_systemd_boot(root) != systemd_boot)
		return 0;
	sp_sd_boot_folders(root, &folders);
	for (size_t i = 0; i < folders.n; i++) {
		if (!may_have_entries(root, folders.v[i]))
			continue;
		sp_strv_addf(seen, "%s with entries in %s/loader/entries", TOOL, folders.v[i]);
		sp_strv_add(seen, systemd_boot ? "systemd-boot is its boot loader" : "GRUB is its boot loader");
		return 1;
	}
	return 0;
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	(void) err;
	return probe_for(root, true, seen);
}

static int probe_grub(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	(void) err;
	return probe_for(root, false, seen);
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

/* What names may begin with: /etc/kernel/entry-token, else the first of these that there is. */
static void add_tokens(const struct sp_root *root, struct sp_strv *ret)
{
	static const char *const keys[] = { "IMAGE_ID", "ID" };
	static const char *const files[] = { "/etc/kernel/entry-token", "/etc/machine-id" };
	sp_autobuf struct sp_buf file = { 0 };

	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autofree char *line = NULL;

		if (sp_root_read_line(root, files[i], &line) == 0 && *sp_strip(line))
			sp_strv_add(ret, sp_strip(line));
	}
	if (sp_root_read(root, "/etc/os-release", SP_FILE_MAX, &file, NULL) < 0)
		return;
	for (size_t i = 0; i < SP_ELEMENTS(keys); i++) {
		const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) keys[i] };
		sp_autofree char *id = NULL;

		if (sp_host_get(&host, &file, &id, NULL) == 0 && *id)
			sp_strv_add(ret, id);
	}
}

/* "TOKEN-VERSION...", and for GRUB "system-TOKEN-..." or, of a snapshot that is read-only, "snapper-TOKEN-...". */
static bool is_named(const struct sp_strv *tokens, const char *id)
{
	id += sp_startswith(id, "system-") ? strlen("system-") : sp_startswith(id, "snapper-") ? strlen("snapper-") : 0;
	for (size_t i = 0; i < tokens->n; i++)
		if (sp_startswith(id, tokens->v[i]) && id[strlen(tokens->v[i])] == '-')
			return true;
	return false;
}

/* An older state of the system, to go back to. */
static bool is_snapshot(const struct sp_entry *e)
{
	return sp_startswith(e->id, "snapper-") || (e->sort_key && sp_startswith(e->sort_key, "snapper-"));
}

/* "1@6.19.8-1-default", which sorts by snapshots: the kernel's own version is behind it. */
static void without_snapshot(char *version)
{
	const size_t digits = version ? strspn(version, "0123456789") : 0;

	if (digits > 0 && version[digits] == '@')
		memmove(version, version + digits + 1, strlen(version + digits + 1) + 1);
}

static void name_entries(struct sp_sd_boot *rd)
{
	sp_autostrv struct sp_strv tokens = { 0 };

	add_tokens(rd->root, &tokens);
	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		struct sp_entry *e = &rd->boot->entries[i];

		e->named = is_named(&tokens, e->id) && !strstr(e->id, SP_EXTRA_MARK);
		e->rescue = e->rescue || is_snapshot(e);
		without_snapshot(e->version);
	}
}

/* The line that tells this system's root file system and its snapshot. */
static const char *reference(const struct sp_boot *boot)
{
	const struct sp_entry *own = NULL;

	if (boot->started.cmdline)
		return boot->started.cmdline;
	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];

		if (e->named && !e->rescue && !e->why && !e->hidden && (!own || (e->by_default && !own->by_default)))
			own = e;
	}
	return own ? own->line : NULL;
}

/* Entries of other snapshots keep the line that these booted with. */
static void claim_snapshot(struct sp_boot *boot, const char *line)
{
	sp_autofree char *flags = sp_cmdline_value(line, "rootflags");

	for (size_t i = 0; i < boot->n_entries; i++) {
		struct sp_entry *e = &boot->entries[i];
		sp_autofree char *its = sp_cmdline_value(e->line, "rootflags");

		if (!e->ours || (flags ? sp_streq(its, flags) : !its))
			continue;
		e->ours = false;
		e->why = sp_xasprintf("its rootflags=%s are those of another snapshot", its ? its : "");
	}
}

static int none_is_ours(const struct sp_boot *boot, struct sp_error **err)
{
	const struct sp_entry *e = NULL;

	for (size_t i = 0; i < boot->n_entries; i++)
		if (boot->entries[i].why && (!e || (boot->entries[i].named && !e->named)))
			e = &boot->entries[i];
	(void) sp_error_set(err, -ENOENT, "no boot entry is this system's%s%s%s%s", e ? "; '" : "", e ? e->path : "", e ? "': " : "",
			    e ? e->why : "");
	(void) sp_error_path(err, e ? e->path : boot->entries[0].path);
	return sp_error_hint(err, "'sdbootutil list-entries' shows what it takes for this system's, 'sdbootutil add-all-kernels' "
			     "writes them");
}

static int claim(struct sp_sd_boot *rd, struct sp_error **err)
{
	struct sp_boot *boot = rd->boot;

	name_entries(rd);
	const char *line = reference(boot);
	sp_autofree char *root = line ? sp_cmdline_value(line, "root") : NULL;
	if (!root)
		return none_is_ours(boot, err);
	sp_entries_claim(boot, root);
	claim_snapshot(boot, line);
	for (size_t i = 0; i < boot->n_entries; i++)
		if (sp_entry_changes(&boot->entries[i])) {
			boot->root_arg = sp_xasprintf("root=%s", root);
			return 0;
		}
	return none_is_ours(boot, err);
}

/* --- read -------------------------------------------------------------------------------------------------------- */

static void add_entries(const struct sp_sd_boot *rd, const struct sp_host *host, bool bad_length)
{
	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		const struct sp_entry *e = &rd->boot->entries[i];

		if (!sp_entry_changes(e))
			continue;
		struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_ENTRY, host, e->path);
		p->line = sp_xstrdup(e->options);
		p->linux_path = sp_xstrdup(e->linux_path);
		p->bad_length = bad_length;
		for (size_t k = 0; k < e->initrd.n; k++)
			p->extra += strlen(" initrd=") + strlen(e->initrd.v[k]);
	}
}

static int read_for(const struct sp_root *root, struct sp_boot *boot, enum sp_host_kind kind, struct sp_error **err)
{
	sp_cleanup(sp_sd_boot_clear) struct sp_sd_boot rd = { .root = root, .boot = boot };
	const struct sp_host host = { .kind = kind };
	int r = sp_check_fixed_root(root, "put a file with the arguments that 'strix-provision plan' names into " SP_CMDLINE_D ", then "
				    "run 'sdbootutil update-all-entries'", err);

	if (r < 0)
		return r;
	sp_sd_boot_folders(root, &rd.folders);
	r = sp_sd_boot_read_entries(&rd, err);
	if (r == 0)
		r = sp_sd_boot_mark_default(&rd, err);
	if (r == 0)
		r = claim(&rd, err);
	if (r == 0)
		r = sp_sdbootutil_add_sources(&rd, err);
	if (r == 0)
		add_entries(&rd, &host, kind == SP_HOST_BLS && sp_grub_has_length_bug(root));
	return r;
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	return read_for(root, boot, SP_HOST_BLS_ALL, err);
}

static int read_grub(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	return read_for(root, boot, SP_HOST_BLS, err);
}

const struct sp_boot_ops sp_boot_sdbootutil = {
	.name = "sdbootutil",
	.title = "systemd-boot with entries of sdbootutil (openSUSE)",
	.loader = "systemd-boot",
	.images = "sdbootutil mkinitrd",
	.probe = probe,
	.read = read_setup,
	.check = sp_entries_check,
	.once = &sp_once_sd_boot,
	.own_file = SP_CMDLINE_D_OWN,
	.render = sp_sdbootutil_render,
};

const struct sp_boot_ops sp_boot_sdbootutil_grub = {
	.name = "sdbootutil-grub",
	.title = "GRUB with entries of sdbootutil (openSUSE's grub2-bls)",
	.loader = "GRUB",
	.images = "sdbootutil mkinitrd",
	.probe = probe_grub,
	.read = read_grub,
	.check = sp_entries_check,
	.own_file = SP_CMDLINE_D_OWN,
	.render = sp_sdbootutil_render,
};
