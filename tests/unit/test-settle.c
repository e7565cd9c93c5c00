/* SPDX-License-Identifier: MIT */
/*
 * Bringing file systems to rest: which calls are made on which kind, in which order, and that nothing stays frozen. The
 * linker puts the functions below in the place of libc's (-Wl,--wrap); what they note is in memory that children share.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "txn-tree.h"

#define XFS_MAGIC 0x58465342

enum { STATE_FD = 1000, LOADER_FD }; /* no real ones; what is done with the first is not noted */

static struct disk {
	char calls[256];
	bool frozen;
	long magic;
	int freeze, thaw, sync, pipe, fork; /* errno of the call; 0: it works */
	bool killed_frozen, impatient;
} *disk;

static int call(const char *name, int code)
{
	strcat(strcat(disk->calls, *disk->calls ? " " : ""), name);
	errno = code;
	return code ? -1 : 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void) fd;
	if (request == FIFREEZE) {
		disk->frozen = !disk->freeze;
		int r = call("freeze", disk->freeze);
		return disk->killed_frozen ? raise(SIGKILL) : r;
	}
	if (request != FITHAW)
		return call("checkpoint", EPERM);
	bool was_frozen = disk->frozen;
	if (!disk->thaw)
		disk->frozen = false;
	return call("thaw", disk->thaw ? disk->thaw : was_frozen ? 0 : EINVAL);
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd)
{
	return fd == STATE_FD ? 0 : call("syncfs", disk->sync);
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	return fd == STATE_FD ? 0 : call("fsync", 0);
}

int __wrap_fstatfs(int fd, struct statfs *st);
int __wrap_fstatfs(int fd, struct statfs *st)
{
	(void) fd;
	*st = (struct statfs){ .f_type = disk->magic };
	return 0;
}

int __real_pipe2(int p[2], int flags);
int __wrap_pipe2(int p[2], int flags);
int __wrap_pipe2(int p[2], int flags)
{
	errno = disk->pipe;
	return disk->pipe ? -1 : __real_pipe2(p, flags);
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
	errno = disk->fork;
	return disk->fork ? -1 : __real_fork();
}

int __real_poll(struct pollfd *p, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
	return disk->impatient ? 0 : __real_poll(p, n, timeout);
}

/* The state directory's file system, then the one under test, unless that is the same. */
static int bring_to_rest(bool own, bool loader, enum sp_settle how, struct sp_error **err)
{
	struct sp_filesystem v[] = {
		{ .device = 1, .fd = STATE_FD, .path = (char *) "/var/lib/strix-provision" },
		{ .device = 2, .fd = LOADER_FD, .loader = loader, .path = (char *) "/boot/loader/entries/a.conf" },
	};
	struct sp_filesystems all = { .v = own ? v + 1 : v, .n = own ? 1 : 2 };

	return sp_filesystems_settle(&all, how, err);
}

static const struct {
	const char *what;
	struct disk disk;
	bool own, foreign;
	enum sp_settle how;
	int r;
	const char *calls;
} rows[] = {
	{ "xfs", { .magic = XFS_MAGIC }, .how = SP_SETTLE_HOME, .calls = "freeze thaw" },
	{ "ext4", { .magic = EXT4_SUPER_MAGIC }, .how = SP_SETTLE_HOME, .calls = "freeze thaw" },
	{ "no rights to freeze", { .magic = XFS_MAGIC, .freeze = EPERM }, .how = SP_SETTLE_HOME, .calls = "freeze syncfs" },
	{ "the same on ext4: its log is emptied", { .magic = EXT4_SUPER_MAGIC, .freeze = EPERM }, .how = SP_SETTLE_HOME,
	  .calls = "freeze syncfs checkpoint" },
	{ "FAT: the drive's cache, too", { .magic = MSDOS_SUPER_MAGIC, .freeze = EOPNOTSUPP }, .how = SP_SETTLE_HOME,
	  .calls = "freeze syncfs fsync" },
	{ "btrfs is never frozen", { .magic = BTRFS_SUPER_MAGIC }, .how = SP_SETTLE_HOME, .calls = "syncfs" },
	{ "nor is the one with our journal", { .magic = XFS_MAGIC }, .own = true, .how = SP_SETTLE_HOME, .calls = "syncfs" },
	{ "which ext4 can do without", { .magic = EXT4_SUPER_MAGIC }, .own = true, .how = SP_SETTLE_HOME,
	  .calls = "syncfs checkpoint" },
	{ "no boot loader reads it", { .magic = XFS_MAGIC }, .foreign = true, .how = SP_SETTLE_HOME, .calls = "syncfs" },
	{ "durable is enough", { .magic = XFS_MAGIC }, .how = SP_SETTLE_DURABLE, .calls = "syncfs" },
	{ "somebody else thawed it", { .magic = XFS_MAGIC, .thaw = EINVAL }, .how = SP_SETTLE_HOME, .calls = "freeze thaw" },
	{ "it cannot be thawed", { .magic = XFS_MAGIC, .thaw = EIO }, .how = SP_SETTLE_HOME, .r = -EIO, .calls = "freeze thaw" },
	{ "a disk that fails", { .magic = XFS_MAGIC, .sync = EIO }, .own = true, .how = SP_SETTLE_HOME, .r = -EIO,
	  .calls = "syncfs" },
	{ "one that fails when ext4 is not frozen", { .magic = EXT4_SUPER_MAGIC, .sync = EIO }, .own = true,
	  .how = SP_SETTLE_HOME, .r = -EIO, .calls = "syncfs" },
	{ "nobody could thaw it if we die: no freezing", { .magic = XFS_MAGIC, .fork = EAGAIN }, .how = SP_SETTLE_HOME,
	  .r = -EAGAIN, .calls = "" },
	{ "the same", { .magic = XFS_MAGIC, .pipe = EMFILE }, .how = SP_SETTLE_HOME, .r = -EMFILE, .calls = "" },
};

static void test_calls(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
		sp_autoerror struct sp_error *err = NULL;
		*disk = rows[i].disk;
		int r = bring_to_rest(rows[i].own, !rows[i].foreign, rows[i].how, &err);
		if (r != rows[i].r || strcmp(disk->calls, rows[i].calls) != 0)
			fail_msg("%s: %d after '%s', not %d after '%s'", rows[i].what, r, disk->calls, rows[i].r,
				 rows[i].calls);
		if (rows[i].r < 0)
			assert_non_null(strstr(err->message, "/boot/loader/entries/a.conf"));
	}
}

/* Killed between freezing and thawing: the child thaws. Its end of the pipe closes when it is done. */
static void test_killed_while_frozen(void **state)
{
	int p[2], status = 0;
	char none = 0;

	(void) state;
	*disk = (struct disk){ .magic = XFS_MAGIC, .killed_frozen = true };
	assert_int_equal(__real_pipe2(p, 0), 0);
	pid_t program = __real_fork();
	assert_true(program >= 0);
	if (program == 0) {
		(void) bring_to_rest(false, true, SP_SETTLE_HOME, NULL);
		_exit(0);
	}
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(waitpid(program, &status, 0), program);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(read(p[0], &none, 1), 0);
	assert_int_equal(close(p[0]), 0);
	assert_false(disk->frozen);
	assert_non_null(strstr(disk->calls, "freeze thaw"));
}

/* A program that hangs between the two: the child does not wait for ever. */
static void test_time_limit(void **state)
{
	(void) state;
	*disk = (struct disk){ .magic = XFS_MAGIC, .impatient = true };
	assert_int_equal(bring_to_rest(false, true, SP_SETTLE_HOME, NULL), 0);
	assert_false(disk->frozen);
}

static void test_one_of_each(void **state)
{
	const struct tree *t = *state;
	struct sp_filesystems all = { 0 };
	sp_autoclose int fd = open(t->dir, O_RDONLY | O_CLOEXEC);

	assert_int_equal(sp_filesystems_add(&all, fd, "/etc/a"), 0);
	assert_false(all.v[0].loader);
	assert_int_equal(sp_filesystems_add(&all, fd, "/boot/e"), 0);
	assert_int_equal(all.n, 1);
	assert_true(all.v[0].loader);
	assert_int_equal(sp_filesystems_add(&all, fd, "/etc/b"), 0);
	assert_true(all.v[0].loader);
	assert_int_equal(sp_filesystems_add(&all, -1, "/etc/b"), -EBADF);
	sp_filesystems_clear(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_killed_while_frozen),
		cmocka_unit_test(test_time_limit),
		cmocka_unit_test_setup_teardown(test_one_of_each, setup, teardown),
	};

	disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return disk == MAP_FAILED ? 99 : cmocka_run_group_tests(tests, NULL, NULL);
}
