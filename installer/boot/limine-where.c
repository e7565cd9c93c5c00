/* SPDX-License-Identifier: MIT */
/*
 * Which limine.conf is read. Limine looks on the partition that it was started from, and the first one counts: since version
 * 10.3 beside its own program, in /boot/limine, /boot, /limine and at the top; earlier versions at the top, in /limine, /boot,
 * /boot/limine and /EFI/BOOT. (Limine: CONFIG.md, common/lib/config.c)
 */
#include "boot/limine.h"

/* Larger ones are kernels. */
#define PROGRAM_MAX ((size_t) 4 * 1024 * 1024)
#define CONF	    "/limine.conf"

static const char *const mounts[] = { "/efi", "/boot", "/boot/efi", "/limine" };
static const char *const new_order[] = { "/boot/limine", "/boot", "/limine", "" };
static const char *const old_order[] = { "", "/limine", "/boot", "/boot/limine", "/EFI/BOOT" };
static const char *const bios_files[] = { "/limine-bios.sys", "/limine/limine-bios.sys", "/boot/limine-bios.sys",
					  "/boot/limine/limine-bios.sys" };
static const char *const other_folders[] = { "Microsoft", "Linux", "systemd" };

void sp_limine_where_clear(struct sp_limine_where *w)
{
	free(w->folder);
	free(w->enrolled);
	sp_strv_clear(&w->confs);
	sp_strv_clear(&w->programs);
	*w = (struct sp_limine_where){ 0 };
}

/* --- programs ---------------------------------------------------------------------------------------------------- */

static void look_at_program(const struct sp_root *root, const char *path, struct sp_limine_where *w)
{
	sp_autobuf struct sp_buf bytes = { 0 };
	struct stat st;

	if (sp_root_stat(root, path, &st) < 0 || st.st_size > (off_t) PROGRAM_MAX ||
	    sp_root_read(root, path, PROGRAM_MAX, &bytes, NULL) < 0)
		return;
	const int enrolled = sp_limine_enrolled(&bytes);
	if (enrolled >= 0)
		sp_strv_add(&w->programs, path);
	if (enrolled > 0 && !w->enrolled)
		w->enrolled = sp_xstrdup(path);
}

static bool is_other(const char *folder)
{
	for (size_t i = 0; i < SP_ELEMENTS(other_folders); i++)
		if (strcasecmp(folder, other_folders[i]) == 0)
			return true;
	return false;
}

static void find_programs(const struct sp_root *root, struct sp_limine_where *w)
{
	sp_autofree char *efi = sp_xasprintf("%s/EFI", w->folder);
	sp_autostrv struct sp_strv folders = { 0 };

	if (sp_root_list(root, efi, &folders) < 0)
		return; /* not there */
	sp_strv_sort(&folders);
	for (size_t i = 0; i < folders.n; i++) {
		sp_autofree char *dir = sp_xasprintf("%s/%s", efi, folders.v[i]);
		sp_autostrv struct sp_strv files = { 0 };

		if (is_other(folders.v[i]) || sp_root_list(root, dir, &files) < 0)
			continue;
		sp_strv_sort(&files);
		for (size_t k = 0; k < files.n; k++) {
			sp_autofree char *path = sp_xasprintf("%s/%s", dir, files.v[k]);
			const size_t n = strlen(files.v[k]);

			if (n > 4 && strcasecmp(files.v[k] + n - 4, ".efi") == 0)
				look_at_program(root, path, w);
		}
	}
}

static bool has_bios(const struct sp_root *root, const char *folder)
{
	for (size_t i = 0; i < SP_ELEMENTS(bios_files); i++) {
		sp_autofree char *path = sp_xasprintf("%s%s", folder, bios_files[i]);

		if (sp_root_exists(root, path))
			return true;
	}
	return false;
}

/* --- configurations ---------------------------------------------------------------------------------------------- */

/* The first that is there, of these folders of the partition; NULL: none. Owned. */
static char *first_of(const struct sp_root *root, const char *folder, const char *const *order, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sp_autofree char *path = sp_xasprintf("%s%s" CONF, folder, order[i]);

		if (sp_root_exists(root, path))
			return sp_steal(path);
	}
	return NULL;
}

static void add_once(struct sp_strv *l, const char *path)
{
	if (path && !sp_strv_has(l, path))
		sp_strv_add(l, path);
}

/* "Limine 12.9.0": is the order the one since 10.3? 1, 0, or -1: not known. */
static int is_new(const char *loader)
{
	static const char name[] = "Limine ";
	const char *version = loader && sp_startswith(loader, name) ? loader + strlen(name) : "";
	char *dot = NULL, *end = NULL;
	const unsigned long major = strtoul(version, &dot, 10);
	const unsigned long minor = dot != version && *dot == '.' ? strtoul(dot + 1, &end, 10) : 0;

	if (!end || end == dot + 1)
		return -1;
	return major > 10 || (major == 10 && minor >= 3);
}

static void find_confs(const struct sp_root *root, const char *loader, struct sp_limine_where *w)
{
	sp_autofree char *newer = first_of(root, w->folder, new_order, SP_ELEMENTS(new_order));
	sp_autofree char *older = first_of(root, w->folder, old_order, SP_ELEMENTS(old_order));
	const int order = is_new(loader);

	for (size_t i = 0; i < w->programs.n && order != 0; i++) {
		const char *program = w->programs.v[i];
		sp_autofree char *beside = sp_xasprintf("%.*s" CONF, (int) (strrchr(program, '/') - program), program);

		add_once(&w->confs, sp_root_exists(root, beside) ? beside : newer);
	}
	if (w->programs.n == 0 && order != 0)
		add_once(&w->confs, newer);
	if (order <= 0)
		add_once(&w->confs, older);
}

int sp_limine_find(const struct sp_root *root, const char *loader, struct sp_limine_where *ret)
{
	sp_autostrv struct sp_strv seen = { 0 };

	*ret = (struct sp_limine_where){ 0 };
	for (size_t i = 0; i < SP_ELEMENTS(mounts); i++) {
		struct sp_limine_where w = { 0 };

		if (sp_root_resolve(root, mounts[i], &w.folder) < 0 || sp_strv_has(&seen, w.folder)) {
			sp_limine_where_clear(&w);
			continue;
		}
		sp_strv_add(&seen, w.folder);
		find_programs(root, &w);
		if (w.programs.n > 0 || has_bios(root, w.folder))
			find_confs(root, loader, &w);
		if (w.confs.n > 0 && !ret->folder) {
			*ret = w;
			continue;
		}
		sp_strv_copy(&ret->confs, &w.confs); /* several partitions: it cannot be told which */
		sp_limine_where_clear(&w);
	}
	return ret->folder != NULL;
}
