/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "txn/internal.h"

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

void sp_folder_close(struct sp_folder *f)
{
	sp_cleanup_close_(&f->fd);
	free(f->dir);
	f->dir = NULL;
}
