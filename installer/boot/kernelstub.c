/* SPDX-License-Identifier: MIT */
/*
 * Pop!_OS: kernelstub copies the newest kernel and the one before it onto the ESP, at each of their updates, and writes the
 * two entries of systemd-boot for them anew, NAME-current.conf and NAME-oldkern.conf: "root=UUID=... ro" and what the list
 * user.kernel_options of its configuration says. So ours goes into the entries as they stand, and into that list.
 * (kernelstub: application.py, installer.py, opsys.py)
 */
#include <errno.h>

#include "boot/internal.h"

#define CONFIGURATION "/etc/kernelstub/configuration"
#define TOOL	      "/usr/bin/kernelstub"

static const char *const endings[] = { "-current", "-oldkern" };

/* --- recognise --------------------------------------------------------------------------------------------------- */

/* "Pop!_OS" becomes "Pop_OS"; the other signs that it takes out are in no distribution's name. */
static char *clean_name(const char *name)
{
	struct sp_buf b = { 0 };

	sp_buf_adds(&b, "");
	for (; *name; name++) {
		if (*name == ' ')
			sp_buf_adds(&b, "_");
		else if (!strchr("!'<>:\"/\\|?*", *name))
			sp_buf_addf(&b, "%c", *name == '~' ? '-' : *name);
	}
	return sp_buf_steal(&b);
}

/* The NAME of os-release as kernelstub spells it; NULL: there is none. */
static char *system_name(const struct sp_root *root)
{
	static const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) "NAME" };
	sp_autobuf struct sp_buf file = { 0 };
	sp_autofree char *name = NULL;

	if (sp_root_read(root, "/etc/os-release", SP_FILE_MAX, &file, NULL) < 0 || sp_host_get(&host, &file, &name, NULL) < 0)
		return NULL;
	return clean_name(name);
}

static bool is_its_own(const char *id, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i < SP_ELEMENTS(endings); i++)
		if (strncmp(id, name, n) == 0 && sp_streq(id + n, endings[i]))
			return true;
	return false;
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	sp_autostrv struct sp_strv folders = { 0 };
	sp_autofree char *name = system_name(root);

	(void) err;
	if (!name || !sp_root_exists(root, CONFIGURATION))
		return 0;
	sp_sd_boot_folders(root, &folders);
	for (size_t i = 0; i < folders.n; i++) {
		sp_autofree char *entry = sp_xasprintf("%s/loader/entries/%s-current.conf", folders.v[i], name);
		sp_autofree char *loader = sp_xasprintf("%s/loader", folders.v[i]);
		struct stat st;

		if (!sp_root_exists(root, entry) && sp_root_stat(root, loader, &st) != -EACCES)
			continue;
		sp_strv_add(seen, CONFIGURATION);
		sp_strv_add(seen, sp_root_exists(root, entry) ? entry : loader);
		return 1;
	}
	return 0;
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

/* Its entries, and the root= that it gave them. Recovery starts a system of its own, and other entries are not its. */
static int claim(const struct sp_sd_boot *rd, struct sp_error **err)
{
	sp_autofree char *name = system_name(rd->root);
	struct sp_boot *boot = rd->boot;
	const struct sp_entry *own = NULL;

	for (size_t i = 0; i < boot->n_entries; i++) {
		struct sp_entry *e = &boot->entries[i];

		e->named = name && is_its_own(e->id, name);
		if (!e->named && !e->why)
			e->why = sp_xstrdup("kernelstub did not write it");
		if (e->named && (!own || sp_endswith(e->id, endings[0])))
			own = e;
	}
	sp_autofree char *value = own ? sp_cmdline_value(own->line, "root") : NULL;
	if (own && value && !own->why) {
		sp_entries_claim(boot, value);
		boot->root_arg = sp_xasprintf("root=%s", value);
		return 0;
	}
	if (own)
		(void) sp_error_set(err, -ENOENT, "'%s': %s", own->path, own->why ? own->why : "it has no root=");
	else
		(void) sp_error_set(err, -ENOENT, "no boot entry is kernelstub's: '%s%s.conf' is not there", name ? name : "?", endings[0]);
	(void) sp_error_path(err, own ? own->path : boot->entries[0].path);
	return sp_error_hint(err, "'kernelstub' writes them anew: run it as root, and see what it says");
}

/* --- places ------------------------------------------------------------------------------------------------------ */

static int add_configuration(const struct sp_sd_boot *rd, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_KERNELSTUB };
	sp_autoerror struct sp_error *why = NULL;
	sp_autobuf struct sp_buf file = { 0 };
	sp_autofree char *line = NULL;
	int r = sp_root_read(rd->root, CONFIGURATION, SP_FILE_MAX, &file, &why);

	if (r == 0) {
		r = sp_host_get(&host, &file, &line, &why);
		if (r < 0)
			(void) sp_error_wrap(&why, "'" CONFIGURATION "'");
	}
	if (r < 0) {
		(void) sp_error_path(&why, CONFIGURATION);
		if (!why->hint)
			(void) sp_error_hint(&why, "mend it: the next kernel could not be installed with it either");
		(void) sp_error_exit(&why, r == -EOPNOTSUPP ? SP_EXIT_UNSUPPORTED : why->exit);
		return sp_boot_fail(err, &why);
	}
	struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_FUTURE, &host, CONFIGURATION);
	p->line = sp_steal(line);
	p->extra = strlen(rd->boot->root_arg) + strlen(" ro ");
	if (!sp_root_exists(rd->root, TOOL))
		sp_strv_add(&rd->boot->warnings, "'" TOOL "' is not there: new kernels do not come into the menu");
	return 0;
}

static void add_entries(const struct sp_sd_boot *rd)
{
	static const struct sp_host host = { .kind = SP_HOST_BLS_ALL };

	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		const struct sp_entry *e = &rd->boot->entries[i];

		if (!sp_entry_changes(e))
			continue;
		struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_ENTRY, &host, e->path);
		p->line = sp_xstrdup(e->options);
		for (size_t k = 0; k < e->initrd.n; k++)
			p->extra += strlen(" initrd=") + strlen(e->initrd.v[k]);
	}
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_cleanup(sp_sd_boot_clear) struct sp_sd_boot rd = { .root = root, .boot = boot, .old_ids = true };

	sp_sd_boot_folders(root, &rd.folders);
	int r = sp_sd_boot_read_entries(&rd, err);
	if (r == 0)
		r = sp_sd_boot_mark_default(&rd, err);
	if (r == 0)
		r = claim(&rd, err);
	if (r == 0)
		r = add_configuration(&rd, err);
	if (r == 0)
		add_entries(&rd);
	return r;
}

const struct sp_boot_ops sp_boot_kernelstub = {
	.name = "kernelstub",
	.title = "systemd-boot with entries of kernelstub (Pop!_OS)",
	.loader = "systemd-boot",
	.probe = probe,
	.read = read_setup,
	.check = sp_entries_check,
	.once = &sp_once_sd_boot,
};
