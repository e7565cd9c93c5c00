/* SPDX-License-Identifier: MIT */
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int sp_durable_create(int dirfd, const char *name, mode_t mode)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd;
}

int sp_durable_open_append(int dirfd, const char *name, mode_t mode)
{
	int fd = openat(dirfd, name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd;
}

int sp_durable_reopen(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int sp_durable_write(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		len -= (size_t) n;
	}
	return 0;
}

int sp_durable_reserve(int fd, size_t len)
{
	int r;

	if (len == 0)
		return 0;
	do
		r = fallocate(fd, 0, 0, (off_t) len) < 0 ? -errno : 0;
	while (r == -EINTR);
	return r == -EOPNOTSUPP || r == -ENOSYS ? 0 : r;
}

int sp_durable_sync(int fd)
{
	int r;

	do
		r = fsync(fd) < 0 ? -errno : 0;
	while (r == -EINTR);
	return r;
}

int sp_durable_sync_fs(int fd)
{
	int r;

	do
		r = syncfs(fd) < 0 ? -errno : 0;
	while (r == -EINTR);
	return r;
}

int sp_durable_close(int *fd)
{
	int r = close(*fd) < 0 ? -errno : 0;

	*fd = -1;
	return r == -EINTR ? 0 : r; /* Linux has closed it all the same */
}

int sp_durable_exchange(int dirfd, const char *a, const char *b)
{
	return renameat2(dirfd, a, dirfd, b, RENAME_EXCHANGE) < 0 ? -errno : 0;
}

int sp_durable_rename_new(int dirfd, const char *from, const char *to)
{
	if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (faccessat(dirfd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(dirfd, from, dirfd, to) < 0 ? -errno : 0;
}

int sp_durable_rename_over(int dirfd, const char *from, const char *to)
{
	return renameat(dirfd, from, dirfd, to) < 0 ? -errno : 0;
}

int sp_durable_unlink(int dirfd, const char *name)
{
	int r = unlinkat(dirfd, name, 0) < 0 ? -errno : 0;

	/* A read-only file system says so before it looks whether the name is there. */
	if (r == -EROFS && faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	return r == -ENOENT ? 0 : r;
}

int sp_durable_rmdir(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY) /* EBUSY: something is mounted there */
		return 0;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int sp_durable_mkdir(int dirfd, const char *name, mode_t mode)
{
	if (mkdirat(dirfd, name, mode) == 0)
		return 0;
	return errno == EEXIST ? 0 : -errno;
}

int sp_durable_symlink(const char *text, int dirfd, const char *name)
{
	return symlinkat(text, dirfd, name) < 0 ? -errno : 0;
}

static int fill(int fd, const void *data, size_t len, mode_t mode, enum sp_sync sync)
{
	int r = fchmod(fd, mode) < 0 ? -errno : 0; /* whatever the umask is */

	if (r == 0)
		r = sp_durable_write(fd, data, len);
	return r == 0 && sync == SP_SYNC_NOW ? sp_durable_sync(fd) : r;
}

int sp_durable_replace(int dirfd, const char *name, const void *data, size_t len, mode_t mode, enum sp_sync sync)
{
	sp_autofree char *temp = sp_xasprintf(".%s.strix-tmp", name);
	int r = sp_durable_unlink(dirfd, temp); /* left by a crash; only we use the name, under our lock */

	if (r < 0)
		return r;
	sp_autoclose int fd = sp_durable_create(dirfd, temp, mode);
	if (fd < 0)
		return fd;
	r = fill(fd, data, len, mode, sync);
	int closed = sp_durable_close(&fd);
	if (r == 0)
		r = closed;
	if (r == 0)
		r = sp_durable_rename_over(dirfd, temp, name);
	if (r == 0)
		return sync == SP_SYNC_NOW ? sp_durable_sync(dirfd) : 0;
	int gone = sp_durable_unlink(dirfd, temp);
	return r < 0 ? r : gone;
}

int sp_durable_poke(const struct sp_root *root, const char *path, const char *text)
{
	sp_autofree char *name = NULL;
	sp_autoclose int dir = sp_root_open_parent(root, path, &name);

	if (dir < 0)
		return dir;
	sp_autoclose int fd = openat(dir, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC); /* as a shell does */
	if (fd < 0)
		return -errno;
	int r = sp_durable_write(fd, text, strlen(text));
	int closed = sp_durable_close(&fd);
	return r < 0 ? r : closed;
}
