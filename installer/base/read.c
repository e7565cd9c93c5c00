/* SPDX-License-Identifier: MIT */
/*
 * Whole files of a tree. What is not a regular file is not even opened: opening a device can do things (a watchdog
 * starts, a tape winds), and who wrote the tree may have put one where a file belongs.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/memory.h"
#include "base/root.h"

/* Of a descriptor opened with O_PATH, which opens nothing, where the tree is not ours. */
static int check_regular(int fd, struct stat *ret)
{
	if (fstat(fd, ret) < 0)
		return -errno;
	if (S_ISREG(ret->st_mode))
		return 0;
	return S_ISDIR(ret->st_mode) ? -EISDIR : S_ISLNK(ret->st_mode) ? -ELOOP : -ENXIO;
}

/* Where there is no /proc the name is looked up again, and may have become another's meanwhile. Closes that one. */
static int same_file(int fd, const struct stat *as)
{
	struct stat st;

	if (fd < 0)
		return fd;
	int r = fstat(fd, &st) < 0 ? -errno : st.st_dev == as->st_dev && st.st_ino == as->st_ino ? fd : -ESTALE;
	if (r < 0)
		(void) close(fd);
	return r;
}

static int open_ours(const struct sp_root *root, const char *path, struct stat *ret)
{
	sp_autoclose int fd = sp_root_openat(root, path, O_RDONLY);
	int r = fd < 0 ? fd : check_regular(fd, ret);

	return r < 0 ? r : sp_steal_fd(&fd);
}

/* The very file that was looked at, whatever its name leads to by now. */
static int open_regular(const struct sp_root *root, const char *path, struct stat *ret)
{
	if (sp_root_is_ours(root))
		return open_ours(root, path, ret);
	sp_autoclose int found = sp_root_openat(root, path, O_PATH);
	int r = found < 0 ? found : check_regular(found, ret);

	if (r < 0)
		return r;
	r = sp_root_reopen(root, found, O_RDONLY);
	return r == -EBADF || r == -ENOENT ? same_file(sp_root_openat(root, path, O_RDONLY), ret) : r;
}

int sp_root_open_file(const struct sp_root *root, const char *path)
{
	struct stat st;

	return open_regular(root, path, &st);
}

int sp_root_open_file_at(const struct sp_root *root, int dirfd, const char *name, int flags)
{
	sp_autoclose int found = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = found < 0 ? -errno : check_regular(found, &st);

	if (r < 0)
		return r;
	r = sp_root_reopen(root, found, flags);
	if (r != -EBADF && r != -ENOENT)
		return r;
	r = openat(dirfd, name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	return same_file(r < 0 ? -errno : r, &st);
}

int sp_fd_read_sized(int fd, off_t size, size_t max, struct sp_buf *ret)
{
	char chunk[16384];
	size_t n = sizeof(chunk);

	do {
		ssize_t got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		n = (size_t) got;
		if (ret->len + n > max)
			return -EFBIG;
		sp_buf_add(ret, chunk, n);
	} while (size > 0 ? n == sizeof(chunk) : n > 0); /* those of /proc say 0 */
	return 0;
}

int sp_fd_read(int fd, size_t max, struct sp_buf *ret)
{
	return sp_fd_read_sized(fd, 0, max, ret);
}

static int read_regular(const struct sp_root *root, const char *path, size_t max, struct sp_buf *ret)
{
	const struct sp_buf *known = sp_memory_find(sp_root_memory(root), path);
	struct stat st;

	if (known) {
		sp_buf_add(ret, known->data, known->len);
		return known->len > max ? -EFBIG : 0;
	}
	sp_autoclose int fd = open_regular(root, path, &st);
	if (fd < 0)
		return fd;
	int r = sp_fd_read_sized(fd, st.st_size, max, ret);
	if (r == 0)
		sp_memory_keep(sp_root_memory(root), path, ret);
	return r;
}

int sp_root_read(const struct sp_root *root, const char *path, size_t max, struct sp_buf *ret, struct sp_error **err)
{
	sp_autobuf struct sp_buf b = { 0 };
	int r = read_regular(root, path, max, &b);

	if (r < 0) {
		if (r == -EFBIG)
			(void) sp_error_set(err, r, "'%s' is larger than %zu bytes", path, max);
		else if (r == -ENXIO)
			(void) sp_error_set(err, r, "'%s' is not a regular file", path);
		else
			(void) sp_error_errno(err, r, "cannot read '%s'", path);
		(void) sp_error_path(err, path);
		return r;
	}
	sp_buf_clear(ret);
	*ret = b;
	b = (struct sp_buf){ 0 };
	return 0;
}

static int read_part(int fd, uint64_t offset, size_t n, struct sp_buf *ret)
{
	char chunk[16384];

	while (ret->len < n) {
		const size_t left = n - ret->len;
		ssize_t got = pread(fd, chunk, left < sizeof(chunk) ? left : sizeof(chunk), (off_t) (offset + ret->len));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		sp_buf_add(ret, chunk, (size_t) got);
	}
	return 0;
}

int sp_root_read_part(const struct sp_root *root, const char *path, uint64_t offset, size_t n, struct sp_buf *ret,
		      struct sp_error **err)
{
	sp_autoclose int fd = sp_root_open_file(root, path);

	sp_buf_clear(ret);
	int r = fd < 0 ? fd : read_part(fd, offset, n, ret);
	if (r == 0)
		return 0;
	sp_buf_clear(ret);
	(void) sp_error_errno(err, r, "cannot read '%s'", path);
	(void) sp_error_path(err, path);
	return r;
}

int sp_root_read_line(const struct sp_root *root, const char *path, char **ret)
{
	sp_autobuf struct sp_buf b = { 0 };
	int r = read_regular(root, path, 65536, &b);

	if (r < 0)
		return r;
	b.data[strcspn(b.data, "\n")] = '\0';
	*ret = sp_xstrdup(b.data);
	return 0;
}
