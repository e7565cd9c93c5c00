/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/durable.h"
#include "txn/internal.h"

struct sp_ground sp_ground_of(int dirfd)
{
	return (struct sp_ground){
		.fat = sp_is_fat(dirfd),
		.acl = fgetxattr(dirfd, "system.posix_acl_default", NULL, 0) >= 0,
	};
}

/* One listing instead of three looks for each file. */
static int look_for_slots(struct sp_folder *f)
{
	sp_autostrv struct sp_strv names = { 0 };
	int r = f->listed ? 0 : sp_fd_list(f->fd, &names);

	for (size_t i = 0; i < names.n; i++)
		if (sp_is_slot(names.v[i]))
			sp_strv_add(&f->slots, names.v[i]);
	sp_strv_sort(&f->slots);
	f->listed = r == 0;
	return r;
}

int sp_folder_open(struct sp_folder *f, const struct sp_root *root, const char *path, const char **name)
{
	const size_t n = (size_t) (strrchr(path, '/') - path);
	sp_autofree char *last = NULL;

	*name = path + n + 1;
	if (f->dir && strncmp(f->dir, path, n) == 0 && f->dir[n] == '\0')
		return f->fd;
	sp_folder_close(f);
	int fd = sp_root_open_parent(root, path, &last);
	if (fd < 0)
		return fd;
	f->fd = fd;
	f->dir = sp_xstrndup(path, n);
	return fd;
}

struct sp_ground sp_folder_ground(struct sp_folder *f)
{
	if (!f->seen)
		f->ground = sp_ground_of(f->fd);
	f->seen = true;
	return f->ground;
}

int sp_folder_has_slots(struct sp_folder *f, const char *name)
{
	int r = look_for_slots(f);

	for (enum sp_slot s = SP_SLOT_NEW; s <= SP_SLOT_OLD && r == 0; s++) {
		sp_autofree char *temp = sp_slot_name(name, s);
		r = sp_strv_finds(&f->slots, temp);
	}
	return r;
}

int sp_folder_drop_slots(struct sp_folder *f, const char *name)
{
	int r = look_for_slots(f);

	for (enum sp_slot s = SP_SLOT_NEW; s <= SP_SLOT_OLD && r == 0; s++) {
		sp_autofree char *temp = sp_slot_name(name, s);
		if (sp_strv_finds(&f->slots, temp))
			r = sp_durable_unlink(f->fd, temp);
	}
	return r;
}

void sp_folder_close(struct sp_folder *f)
{
	sp_cleanup_close_(&f->fd);
	free(f->dir);
	sp_strv_clear(&f->slots);
	*f = (struct sp_folder)SP_NO_FOLDER;
}
