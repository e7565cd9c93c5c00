/* SPDX-License-Identifier: MIT */
/*
 * Where the initramfs images of entries are in the tree. An entry names them from the top of the file system that its loader
 * reads, which may be mounted anywhere, or be a subvolume.
 */
#include "boot/internal.h"

#define ENTRIES "/loader/entries/"

/* "boot():/path#checksum" of Limine, backslashes of the ESP: as a path of a file system. Owned; NULL: it is none. */
static char *plain(const char *name)
{
	const char *path = strstr(name, "():") ? strstr(name, "():") + 3 : name;
	char *s = sp_xasprintf("/%.*s", (int) strcspn(path, "#"), path);

	for (char *c = s; *c; c++)
		if (*c == '\\')
			*c = '/';
	if (*name != '$' && s[1] && !strstr(s, "-ucode."))
		return s;
	free(s);
	return NULL; /* a variable of the loader, or microcode alone */
}

static bool take_if_there(const struct sp_root *root, const char *folder, size_t n, const char *path, char **ret)
{
	sp_autofree char *whole = sp_xasprintf("%.*s%s", (int) n, folder, path);

	return !*ret && sp_root_exists(root, whole) && sp_root_resolve(root, whole, ret) == 0;
}

/* Owned; NULL: it is not there. */
static char *find(const struct sp_root *root, const struct sp_entry *e, const char *name)
{
	static const char *const folders[] = { "/boot", "", "/efi", "/boot/efi" };
	sp_autofree char *path = plain(name);
	const char *entries = e->path ? strstr(e->path, ENTRIES) : NULL;
	char *found = NULL;

	if (path && entries)
		(void) take_if_there(root, e->path, (size_t) (entries - e->path), path, &found);
	for (size_t i = 0; path && i < SP_ELEMENTS(folders); i++)
		(void) take_if_there(root, folders[i], strlen(folders[i]), path, &found);
	if (path) /* below a subvolume: "/@/boot/initramfs-linux.img" */
		(void) take_if_there(root, "/boot", strlen("/boot"), strrchr(path, '/'), &found);
	return found;
}

const char *sp_entry_images_by(const struct sp_root *root, const struct sp_boot *boot, const struct sp_entry *e)
{
	const char *command = boot->ops->images;
	sp_autofree char *program = command ? sp_xasprintf("/usr/bin/%.*s", (int) strcspn(command, " "), command) : NULL;

	if (program && sp_root_exists(root, program))
		return command;
	for (size_t i = 0; i < e->initrd.n; i++)
		if (strchr(e->initrd.v[i], '#'))
			return "limine-update";
	return NULL;
}

static void add(struct sp_strv *ret, char *path)
{
	if (path && !sp_strv_has(ret, path))
		sp_strv_add(ret, path);
	free(path);
}

void sp_entry_images(const struct sp_root *root, const struct sp_entry *e, struct sp_strv *ret)
{
	sp_autofree char *named = e->line ? sp_cmdline_value(e->line, "initrd") : NULL;

	for (size_t i = 0; i < e->initrd.n; i++)
		add(ret, find(root, e, e->initrd.v[i]));
	if (e->initrd.n == 0 && named)
		add(ret, find(root, e, named));
	if (e->initrd.n == 0 && e->path && sp_endswith(e->path, ".efi"))
		add(ret, sp_xstrdup(e->path));
}
