/* SPDX-License-Identifier: MIT */
/*
 * A disk that fails: each call that changes it fails in turn, once or from then on, with each errno that a disk has.
 * Afterwards the tree is the old or the new one, in full, and what was said is true: 0 from commit is the new tree, an
 * error with an undo that succeeded is the old one, and the journal says the same. The linker puts the functions below
 * in the place of libc's (-Wl,--wrap). Nothing is synced in earnest here; but a record that ends a transaction may
 * only become durable when every folder that was changed before is.
 */
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
	if (is_interrupted() || fails())
		return -1;
	synced(fd);
	return 0;
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd)
{
	(void) fd;
	return is_interrupted() || fails() ? -1 : 0;
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
	int r = fails() ? -1 : __real_renameat2(from_dir, from, to_dir, to, flags);
	changed(from_dir, r);
	return r;
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

/* --- one run ----------------------------------------------------------------------------------------------------- */

struct outcome {
	bool began, committed, finished, undone;
};

static struct outcome apply(struct sp_store *store, const struct tree *t)
{
	struct outcome o = { 0 };
	json_t *about = json_pack("{s:s}", "kind", "apply");
	struct sp_txn *txn = NULL;

	o.began = sp_txn_begin(store, about, &txn, NULL) == 0;
	json_decref(about);
	if (!o.began)
		return o;
	o.committed = sp_txn_stage(txn, &t->edits, NULL) == 0 && sp_txn_publish(txn, NULL) == 0 &&
		      sp_txn_commit(txn, NULL) == 0;
	o.finished = o.committed && sp_txn_finish(txn, NULL) == 0;
	o.undone = !o.committed && sp_txn_undo(txn, NULL) == 0;
	sp_txn_free(txn);
	return o;
}

/* On FAT there are no rights to compare, and times of two seconds. */
static void assert_tree(const struct tree *t, bool is_new)
{
	assert_text(t, "/etc/a", is_new ? "a new, and longer\n" : "a old\n");
	if (disk.fat)
		assert_no_leftovers(t);
	else if (is_new)
		assert_new(t);
	else
		assert_old(t);
}

/* What the journal says of the last transaction. SP_TXN_UNDONE where there is none, or one that never began. */
static enum sp_txn_state last_state(const struct sp_store *store)
{
	struct sp_record *records = NULL;
	size_t n = 0;

	assert_int_equal(sp_store_list(store, true, &records, &n, NULL), 0);
	enum sp_txn_state state = n ? records[n - 1].state : SP_TXN_UNDONE;
	sp_records_free(records, n);
	return state;
}

static void judge(struct sp_store *store, const struct tree *t, const struct outcome *o)
{
	disk.armed = false;
	if (!o->began && !disk.forever)
		assert_false(sp_store_interrupted(store));
	if (o->finished || o->undone || !o->began)
		assert_tree(t, o->finished);
	if (o->finished || o->undone) /* "done", and yet the link was left: is seen as such */
		assert_int_equal(last_state(store), o->finished ? SP_TXN_DONE : SP_TXN_UNDONE);
	settle(store);
	enum sp_txn_state state = last_state(store);
	assert_true(state == SP_TXN_DONE || state == SP_TXN_UNDONE);
	assert_tree(t, state == SP_TXN_DONE);
	if (o->committed)
		assert_int_equal(state, SP_TXN_DONE);
}

static bool run_once(void **state, unsigned at, int code, bool forever)
{
	struct sp_store *store = NULL;

	assert_int_equal(setup(state), 0);
	struct tree *t = *state;
	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	disk.at = at;
	disk.code = code;
	disk.forever = forever;
	disk.seen = 0;
	disk.n_dirty = 0;
	disk.armed = true;
	const struct outcome o = apply(store, t);
	const bool reached = disk.seen >= at;
	judge(store, t, &o);
	sp_store_close(store);
	assert_int_equal(teardown(state), 0);
	return reached;
}

static void every_call(void **state, bool forever)
{
	static const int codes[] = { EIO, ENOSPC, EROFS, EDQUOT };

	for (size_t c = 0; c < SP_ELEMENTS(codes); c++) {
		unsigned at = 1;
		while (run_once(state, at, codes[c], forever))
			at++;
		assert_true(at > 40);
	}
}

static void test_once(void **state)
{
	every_call(state, false);
}

static void test_from_then_on(void **state)
{
	every_call(state, true);
}

static void test_no_exchange(void **state)
{
	disk.no_exchange = true;
	every_call(state, false);
	every_call(state, true);
	disk.no_exchange = false;
}

static void test_fat(void **state)
{
	disk.fat = true;
	every_call(state, false);
	disk.no_exchange = true;
	every_call(state, false);
	every_call(state, true);
	disk.no_exchange = false;
	disk.fat = false;
}

/* Signals and short writes are no faults. */
static void test_slow(void **state)
{
	disk.slow = true;
	assert_false(run_once(state, 100000, EIO, false));
	disk.slow = false;
}

int main(void)
{
	(void) umask(022);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),	    cmocka_unit_test(test_from_then_on), cmocka_unit_test(test_slow),
		cmocka_unit_test(test_no_exchange), cmocka_unit_test(test_fat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
