/* SPDX-License-Identifier: MIT */
/*
 * A disk that fails when it is told to. The linker puts the functions below in the place of libc's (-Wl,--wrap), so they
 * are called by the code under test. Nothing is synced in earnest; but what should be is kept account of.
 */
#pragma once

#include "txn-tree.h"

#include <linux/magic.h>
#include <sys/vfs.h>

static struct {
	bool armed, forever;
	unsigned at, seen; /* the call that fails, counted from 1 */
	int code;
	bool no_exchange, fat;
	bool slow; /* writes of one byte, and every other call is interrupted first */
	bool interrupted;
	ino_t dirty[32]; /* folders with a change that is not synced */
	size_t n_dirty;
	bool committing; /* the last record is "committed" */
	bool doubtful;	 /* and it may be on the disk, or not */
} disk;

static bool fails(void)
{
	if (!disk.armed)
		return false;
	disk.seen++;
	if (disk.seen != disk.at && !(disk.forever && disk.at && disk.seen > disk.at))
		return false;
	errno = disk.code;
	return true;
}

static bool is_interrupted(void)
{
	disk.interrupted = disk.slow && !disk.interrupted;
	if (disk.interrupted)
		errno = EINTR;
	return disk.interrupted;
}

static ino_t inode_of(int fd)
{
	struct stat st = { 0 };

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* The state directory and what is in it: the journal has its own order. */
static bool is_ours(int dirfd)
{
	sp_autofree char *link = sp_xasprintf("/proc/self/fd/%d", dirfd);
	char path[256] = "";

	return readlink(link, path, sizeof(path) - 1) > 0 && strstr(path, SP_STATE_DIR);
}

static void changed(int dirfd, int result)
{
	if (!disk.armed || result < 0 || is_ours(dirfd))
		return;
	ino_t ino = inode_of(dirfd);
	for (size_t i = 0; i < disk.n_dirty; i++)
		if (disk.dirty[i] == ino)
			return;
	assert_true(disk.n_dirty < SP_ELEMENTS(disk.dirty));
	disk.dirty[disk.n_dirty++] = ino;
}

static void synced(int fd)
{
	ino_t ino = disk.n_dirty ? inode_of(fd) : 0;

	for (size_t i = 0; i < disk.n_dirty; i++)
		if (disk.dirty[i] == ino)
			disk.dirty[i--] = disk.dirty[--disk.n_dirty];
}

/* The journal is about to say that the transaction came to an end. */
static void assert_all_synced(const char *line, size_t len)
{
	static const char *const ends[] = { "\"committed\"", "\"done\"", "\"undone\"" };

	for (size_t i = 0; i < SP_ELEMENTS(ends); i++) {
		if (!disk.armed || !memmem(line, len, ends[i], strlen(ends[i])))
			continue;
		if (disk.n_dirty)
			fail_msg("%s is written before a folder is synced", ends[i]);
	}
}

/* --- in the place of libc's -------------------------------------------------------------------------------------- */

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode)
{
	if (fails())
		return -1;
	int fd = __real_openat(dir, name, flags, flags & O_CREAT ? mode : 0);
	if (flags & O_CREAT && dir >= 0)
		changed(dir, fd);
	return fd;
}

ssize_t __real_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n)
{
	assert_all_synced(data, n);
	disk.committing = disk.committing || (disk.armed && memmem(data, n, "\"committed\"", 11));
	if (is_interrupted())
		return -1;
	if (!fails())
		return __real_write(fd, data, disk.slow && n ? 1 : n);
	if (disk.code == ENOSPC && n > 1) { /* a disk gets full in the middle */
		errno = 0;
		return __real_write(fd, data, n / 2) < 0 ? -1 : (errno = ENOSPC, -1);
	}
	return -1;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	if (is_interrupted())
		return -1;
	const bool failed = fails(), ours = disk.committing && is_ours(fd);
	if (ours) { /* the journal: nothing else is written there until it has said so */
		disk.doubtful = failed;
		disk.committing = failed;
	}
	if (!failed)
		synced(fd);
	return failed ? -1 : 0;
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd)
{
	(void) fd; /* these trees are on one file system */
	if (is_interrupted())
		return -1;
	const bool failed = fails();
	if (!failed)
		disk.n_dirty = 0;
	return failed ? -1 : 0;
}

int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	return is_interrupted() || fails() ? -1 : __real_fallocate(fd, mode, offset, len);
}

int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (disk.no_exchange) {
		errno = EINVAL;
		return -1;
	}
	if (disk.armed && disk.doubtful && !is_ours(from_dir))
		fail_msg("%s is moved while nobody knows whether the transaction is committed", from);
	int r = fails() ? -1 : __real_renameat2(from_dir, from, to_dir, to, flags);
	changed(from_dir, r);
	return r;
}

int __real_fstatat(int dir, const char *name, struct stat *st, int flags);
int __wrap_fstatat(int dir, const char *name, struct stat *st, int flags);
int __wrap_fstatat(int dir, const char *name, struct stat *st, int flags)
{
	return fails() ? -1 : __real_fstatat(dir, name, st, flags);
}

int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int r = fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);

	changed(from_dir, r);
	return r;
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags)
{
	int r = fails() ? -1 : __real_unlinkat(dir, name, flags);

	changed(dir, r);
	return r;
}

int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
	int r = fails() ? -1 : __real_mkdirat(dir, name, mode);

	changed(dir, r);
	return r;
}

int __real_symlinkat(const char *text, int dir, const char *name);
int __wrap_symlinkat(const char *text, int dir, const char *name);
int __wrap_symlinkat(const char *text, int dir, const char *name)
{
	return fails() ? -1 : __real_symlinkat(text, dir, name);
}

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
	return fails() ? -1 : __real_fchmod(fd, mode);
}

int __real_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
int __wrap_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
int __wrap_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	return fails() ? -1 : __real_fsetxattr(fd, name, value, size, flags);
}

int __real_futimens(int fd, const struct timespec *times);
int __wrap_futimens(int fd, const struct timespec *times);
int __wrap_futimens(int fd, const struct timespec *times)
{
	return fails() ? -1 : __real_futimens(fd, times);
}

int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len)
{
	return fails() ? -1 : __real_ftruncate(fd, len);
}

int __real_fstatfs(int fd, struct statfs *st);
int __wrap_fstatfs(int fd, struct statfs *st);
int __wrap_fstatfs(int fd, struct statfs *st)
{
	int r = __real_fstatfs(fd, st);

	if (disk.fat)
		st->f_type = MSDOS_SUPER_MAGIC;
	return r;
}
