/* SPDX-License-Identifier: MIT */
/* What is there in a tree, and of what kind, without its content. */
#include <errno.h>
#include <fcntl.h>

#include "base/memory.h"
#include "base/root.h"

int sp_fd_list(int fd, struct sp_strv *ret)
{
	_Alignas(struct dirent64) char chunk[16384];
	ssize_t n = 1;

	while (n > 0) { /* without a DIR: many small folders are listed, and it asks for more than this needs */
		n = getdents64(fd, chunk, sizeof(chunk));
		if (n < 0)
			return -errno;
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *e = (const void *) (chunk + at);
			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
				sp_strv_add(ret, e->d_name);
			at += e->d_reclen;
		}
	}
	return 0;
}

int sp_root_list(const struct sp_root *root, const char *path, struct sp_strv *ret)
{
	sp_autoclose int fd = sp_root_openat(root, path, O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : sp_fd_list(fd, ret);

	sp_strv_sort(ret);
	return r;
}

static int stat_with(const struct sp_root *root, const char *path, int flags, struct stat *ret)
{
	sp_autoclose int fd = sp_root_openat(root, path, O_PATH | flags);

	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

int sp_root_stat(const struct sp_root *root, const char *path, struct stat *ret)
{
	return stat_with(root, path, 0, ret);
}

int sp_root_lstat(const struct sp_root *root, const char *path, struct stat *ret)
{
	return stat_with(root, path, O_NOFOLLOW, ret);
}

bool sp_root_exists(const struct sp_root *root, const char *path)
{
	if (sp_memory_is_direct(sp_root_memory(root), path) || sp_memory_find(sp_root_memory(root), path))
		return true;
	sp_autoclose int fd = sp_root_openat(root, path, O_PATH);
	return fd >= 0;
}
