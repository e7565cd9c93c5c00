/* SPDX-License-Identifier: MIT */
/*
 * Package managers write the same files from their scriptlets. They are kept
 * out with their own locks: dpkg and rpm hold record locks on a lock file
 * (dpkg: lib/dpkg/dpkg-db lock-frontend first; rpm: .rpm.lock), pacman makes a
 * file. A lock file that is not there is not made.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/durable.h"
#include "txn/internal.h"

static const struct {
	const char *who, *path;
	bool by_existence;
} managers[] = {
	{ "apt or dpkg", "/var/lib/dpkg/lock-frontend", false },
	{ "rpm or dnf", "/usr/lib/sysimage/rpm/.rpm.lock", false },
	{ "rpm or dnf", "/var/lib/rpm/.rpm.lock", false },
	{ "pacman", "/var/lib/pacman/db.lck", true },
};

/* /var/lib/rpm is often a link to the other folder: our own lock would then keep us out. */
static bool have_already(const struct sp_store *s, int fd)
{
	struct stat st, held;

	for (size_t i = 0; i < SP_ELEMENTS(s->packages) && fstat(fd, &st) == 0; i++)
		if (s->packages[i] >= 0 && fstat(s->packages[i], &held) == 0 && held.st_dev == st.st_dev &&
		    held.st_ino == st.st_ino)
			return true;
	return false;
}

/* -EAGAIN: busy. */
static int try_lock(struct sp_store *s, const char *path, int *ret_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	sp_autofree char *name = NULL;
	sp_autoclose int dir = sp_root_open_parent(s->root, path, &name);

	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR ? 0 : dir;
	sp_autoclose int fd = sp_root_open_file_at(s->root, dir, name, O_RDWR);
	if (fd < 0) /* nobody installs on a read-only file system */
		return fd == -ENOENT || fd == -EROFS ? 0 : fd;
	if (have_already(s, fd))
		return 0;
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EACCES ? -EAGAIN : -errno;
	*ret_fd = sp_steal_fd(&fd);
	return 0;
}

static int lock_all(struct sp_store *s, size_t *who)
{
	for (size_t i = 0; i < SP_ELEMENTS(managers); i++) {
		int r = 0;
		*who = i;
		if (managers[i].by_existence)
			r = sp_root_exists(s->root, managers[i].path) ? -EAGAIN : 0;
		else if (s->packages[i] < 0)
			r = try_lock(s, managers[i].path, &s->packages[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static void release(struct sp_store *s)
{
	for (size_t i = 0; i < SP_ELEMENTS(s->packages); i++) {
		sp_cleanup_close_(&s->packages[i]);
		s->packages[i] = -1;
	}
}

int sp_store_lock_packages(struct sp_store *s, unsigned seconds, struct sp_error **err)
{
	const struct timespec pause = { .tv_nsec = 500000000 };
	size_t who = 0;
	int r = lock_all(s, &who);

	/* Nothing is held while waiting: two that wait for each other's second lock would never end. */
	for (uint64_t tries = (uint64_t) seconds * 2; r == -EAGAIN && tries > 0; tries--) {
		release(s);
		(void) nanosleep(&pause, NULL);
		r = lock_all(s, &who);
	}
	if (r == 0)
		return 0;
	release(s);
	if (r != -EAGAIN)
		return sp_error_errno(err, r, "cannot lock '%s'", managers[who].path);
	(void) sp_error_set(err, -EBUSY, "%s is at work ('%s' is locked)", managers[who].who, managers[who].path);
	return sp_error_hint(err, "let it finish, then repeat the command");
}
