/* SPDX-License-Identifier: MIT */
/*
 * All that a transaction wrote becomes durable with one syncfs for each file
 * system, however many files there are.
 *
 * Boot loaders do not replay journals: what is only in the log of /boot does
 * not exist for them (XFS: not even after syncfs). Freezing a file system
 * writes everything home; it is thawed at once, by a child if we die in
 * between. The file system that we keep our own journal on is never frozen:
 * ext4 can be told to empty its log (EXT4_IOC_CHECKPOINT, since Linux 5.14).
 * btrfs is not frozen, as /boot may be another subvolume of that one: its
 * trees are complete on disk after syncfs.
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

#define CHECKPOINT _IOW('f', 43, uint32_t) /* EXT4_IOC_CHECKPOINT, which <linux/ext4.h> of old headers lacks */

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

static bool is_of_kind(int fd, long magic)
{
	struct statfs s;

	return fstatfs(fd, &s) == 0 && s.f_type == magic;
}

bool sp_is_fat(int fd)
{
	return is_of_kind(fd, MSDOS_SUPER_MAGIC);
}

int sp_sync_all(int fd)
{
	int r = sp_durable_sync_fs(fd);

	return r == 0 && sp_is_fat(fd) ? sp_durable_sync(fd) : r;
}

static int bring_home(int fd, bool own)
{
	const uint32_t checkpoint = 0;
	int r = own || is_of_kind(fd, BTRFS_SUPER_MAGIC) ? 0 : freeze_and_thaw(fd);

	if (r != 0)
		return r < 0 ? r : 0;
	r = sp_sync_all(fd);
	if (r == 0 && is_of_kind(fd, EXT4_SUPER_MAGIC))
		(void) ioctl(fd, CHECKPOINT, &checkpoint); /* no rights, no log, an old kernel: it is durable all the same */
	return r;
}

int sp_filesystems_add(struct sp_filesystems *f, int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].device == st.st_dev) {
			f->v[i].loader = f->v[i].loader || is_read_by_loader(path);
			return 0;
		}
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	f->v = sp_xrealloc(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = (struct sp_filesystem){
		.device = st.st_dev, .fd = copy, .loader = is_read_by_loader(path), .path = sp_xstrdup(path)
	};
	return 0;
}

int sp_filesystems_settle(const struct sp_filesystems *f, enum sp_settle how, struct sp_error **err)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct sp_filesystem *fs = &f->v[i];
		int r = how == SP_SETTLE_HOME && fs->loader ? bring_home(fs->fd, i == 0) : sp_sync_all(fs->fd);
		if (r < 0)
			return sp_error_errno(err, r, "cannot bring the file system of '%s' to rest", fs->path);
	}
	return 0;
}

void sp_filesystems_clear(struct sp_filesystems *f)
{
	for (size_t i = 0; i < f->n; i++) {
		sp_cleanup_close_(&f->v[i].fd);
		free(f->v[i].path);
	}
	free(f->v);
	*f = (struct sp_filesystems){ 0 };
}
