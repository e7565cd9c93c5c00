/* SPDX-License-Identifier: MIT */
/*
 * Boot loaders do not replay journals: what is only in the log of /boot does
 * not exist for them (XFS: not even after syncfs). Freezing a file system
 * writes everything home; it is thawed at once, by a child if we die in
 * between. The file system that we keep our own journal on is never frozen;
 * nor is btrfs, where /boot may be another subvolume of that one: its trees
 * are complete on disk after syncfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/durable.h"
#include "txn/internal.h"

enum { THAW_AFTER_MS = 10000 };

/* Folders that boot loaders read. */
static const char *const loader_folders[] = { "/boot/", "/efi/" };

static bool is_read_by_loader(const char *path)
{
	for (size_t i = 0; i < SP_ELEMENTS(loader_folders); i++)
		if (sp_startswith(path, loader_folders[i]))
			return true;
	return false;
}

/* The child: wait for "done" from the parent, its death, or the time limit; thaw in the last two cases. */
static void watch_and_thaw(int fd, int pipe_fd) __attribute__((noreturn));
static void watch_and_thaw(int fd, int pipe_fd)
{
	struct pollfd p = { .fd = pipe_fd, .events = POLLIN };
	char done = 0;
	sigset_t all;

	(void) sigfillset(&all);
	(void) sigprocmask(SIG_BLOCK, &all, NULL);
	if (poll(&p, 1, THAW_AFTER_MS) == 1 && read(pipe_fd, &done, 1) == 1)
		_exit(0);
	_exit(ioctl(fd, FITHAW, 0) < 0 ? 1 : 0);
}

/* 1: frozen and thawed; 0: not possible here; negative errno: it is serious. */
static int freeze_and_thaw(int fd)
{
	int p[2] = { -1, -1 }, status = 0;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	sp_autoclose int reader = p[0], writer = p[1];
	pid_t child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		(void) close(writer);
		watch_and_thaw(fd, reader);
	}
	int frozen = ioctl(fd, FIFREEZE, 0) == 0 ? 1 : 0;
	int thaw = frozen && ioctl(fd, FITHAW, 0) < 0 && errno != EINVAL ? -errno : 0;
	int told = sp_durable_write(writer, "d", 1);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (thaw < 0)
		return thaw;
	return told < 0 && told != -EPIPE ? told : frozen;
}

static bool is_btrfs(int fd)
{
	struct statfs s;

	return fstatfs(fd, &s) == 0 && s.f_type == BTRFS_SUPER_MAGIC;
}

static int quiesce_fd(const struct sp_store *store, int fd)
{
	struct stat st, own;

	if (fstat(fd, &st) < 0 || fstat(store->dir, &own) < 0)
		return -errno;
	int r = st.st_dev == own.st_dev || is_btrfs(fd) ? 0 : freeze_and_thaw(fd);
	return r == 0 ? sp_durable_sync_fs(fd) : r;
}

int sp_quiesce(const struct sp_store *store, const struct sp_edits *edits, struct sp_error **err)
{
	dev_t seen[8];
	size_t n = 0;

	for (size_t i = 0; i < edits->n; i++) {
		const char *path = edits->v[i].path;
		sp_autofree char *name = NULL;
		bool known = false;
		struct stat st;
		if (edits->v[i].op == SP_OP_KEEP || !is_read_by_loader(path))
			continue;
		sp_autoclose int dir = sp_root_open_parent(store->root, path, &name);
		if (dir == -ENOENT || dir == -ENOTDIR)
			continue; /* an undo that died had come as far as removing it */
		if (dir < 0 || fstat(dir, &st) < 0)
			return sp_error_errno(err, dir < 0 ? dir : -errno, "cannot open the folder of '%s'", path);
		for (size_t k = 0; k < n; k++)
			known = known || seen[k] == st.st_dev;
		if (known)
			continue;
		if (n < SP_ELEMENTS(seen))
			seen[n++] = st.st_dev;
		int r = quiesce_fd(store, dir);
		if (r < 0)
			return sp_error_errno(err, r, "cannot bring the file system of '%s' to rest", path);
	}
	return 0;
}
