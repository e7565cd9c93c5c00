/* SPDX-License-Identifier: MIT */
/*
 * Keeping package managers out: whose lock is seen, what is held and what is let go. Nothing sleeps: the linker puts
 * the function below in the place of nanosleep().
 */
#include "txn-tree.h"

#define DPKG "/var/lib/dpkg/lock-frontend"
#define RPM_NEW "/usr/lib/sysimage/rpm/.rpm.lock"
#define RPM_OLD "/var/lib/rpm/.rpm.lock"
#define PACMAN "/var/lib/pacman/db.lck"

static struct {
	const struct tree *tree;
	unsigned sleeps, until; /* the other one ends in the sleep with this number */
	int other;
	const char *path;
} wait_for;

static bool lock(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

/* What another program sees: an open file of its own. */
static int lock_as_other(const struct tree *t, const char *path)
{
	sp_autofree char *full = sp_xasprintf("%s%s", t->dir, path);
	int fd = open(full, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	if (lock(fd))
		return fd;
	assert_int_equal(close(fd), 0);
	return -1;
}

static void assert_free(const struct tree *t, const char *path, bool expected)
{
	int fd = lock_as_other(t, path);

	if ((fd >= 0) != expected)
		fail_msg("%s: is %s", path, expected ? "held" : "free");
	if (fd >= 0)
		assert_int_equal(close(fd), 0);
}

int __wrap_nanosleep(const struct timespec *want, struct timespec *left);
int __wrap_nanosleep(const struct timespec *want, struct timespec *left)
{
	(void) left;
	assert_true(want->tv_sec == 0 && want->tv_nsec == 500000000);
	assert_free(wait_for.tree, RPM_NEW, true); /* nothing is held while we wait */
	if (++wait_for.sleeps == wait_for.until)
		assert_int_equal(close(wait_for.other), 0);
	return 0;
}

static void make_lock_file(const struct tree *t, const char *path)
{
	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		sp_autofree char *dir = sp_xasprintf("%s%.*s", t->dir, (int) (p - path), path);
		assert_true(mkdir(dir, 0755) == 0 || errno == EEXIST);
	}
	put(t, path, "", 0640);
}

static struct sp_store *open_store(const struct tree *t)
{
	struct sp_store *store = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	return store;
}

static const struct {
	const char *what, *files[3], *held, *message;
} rows[] = {
	{ "no package manager", { NULL }, NULL, NULL },
	{ "dpkg is idle", { DPKG }, NULL, NULL },
	{ "dpkg works", { DPKG }, DPKG, "apt or dpkg is at work ('" DPKG "' is locked)" },
	{ "rpm is idle", { RPM_NEW }, NULL, NULL },
	{ "rpm works", { RPM_NEW }, RPM_NEW, "rpm or dnf is at work ('" RPM_NEW "' is locked)" },
	{ "rpm at its old place", { RPM_OLD }, RPM_OLD, "rpm or dnf is at work ('" RPM_OLD "' is locked)" },
	{ "both are there, and idle", { DPKG, RPM_NEW, RPM_OLD }, NULL, NULL },
	{ "the last of them works", { DPKG, RPM_NEW, RPM_OLD }, RPM_OLD, "rpm or dnf is at work ('" RPM_OLD "' is locked)" },
};

static void test_locks(void **state)
{
	for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
		assert_int_equal(setup(state), 0);
		const struct tree *t = *state;
		sp_autoerror struct sp_error *err = NULL;
		for (size_t f = 0; f < SP_ELEMENTS(rows[i].files) && rows[i].files[f]; f++)
			make_lock_file(t, rows[i].files[f]);
		struct sp_store *store = open_store(t);
		int other = rows[i].held ? lock_as_other(t, rows[i].held) : -1;
		int r = sp_store_lock_packages(store, 0, &err);
		if (r != (rows[i].message ? -EBUSY : 0) || (err && strcmp(err->message, rows[i].message) != 0))
			fail_msg("%s: %d, %s", rows[i].what, r, err ? err->message : "no error");
		assert_true(!err || err->hint);
		if (other >= 0)
			assert_int_equal(close(other), 0);
		for (size_t f = 0; f < SP_ELEMENTS(rows[i].files) && rows[i].files[f]; f++)
			assert_free(t, rows[i].files[f], r < 0); /* all or nothing */
		sp_store_close(store);
		for (size_t f = 0; f < SP_ELEMENTS(rows[i].files) && rows[i].files[f]; f++)
			assert_free(t, rows[i].files[f], true);
		assert_int_equal(teardown(state), 0);
	}
	*state = NULL;
}

/* A lock file that is not there is not made, for then the package manager would be there for others. */
static void test_makes_nothing(void **state)
{
	const struct tree *t = *state;
	sp_autofree char *folder = sp_xasprintf("%s/var/lib/dpkg", t->dir);
	struct sp_store *store = open_store(t);

	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(sp_store_lock_packages(store, 0, NULL), 0);
	assert_false(sp_root_exists(t->root, DPKG));
	assert_int_equal(rmdir(folder), 0);
	put(t, "/var/lib/dpkg", "a file where a folder should be", 0644);
	assert_int_equal(sp_store_lock_packages(store, 0, NULL), 0);
	sp_store_close(store);
}

/* Fedora: the old place is a link to the new one. Two locks of ours on one file would keep ourselves out. */
static void test_two_names(void **state)
{
	const struct tree *t = *state;
	struct sp_store *store = open_store(t);
	sp_autofree char *link = sp_xasprintf("%s/var/lib/rpm", t->dir);

	make_lock_file(t, RPM_NEW);
	assert_int_equal(symlink("../../usr/lib/sysimage/rpm", link), 0);
	assert_int_equal(sp_store_lock_packages(store, 0, NULL), 0);
	assert_free(t, RPM_NEW, false);
	assert_int_equal(sp_store_lock_packages(store, 0, NULL), 0); /* nothing new the second time */
	sp_store_close(store);
	assert_free(t, RPM_NEW, true);
}

/* pacman's lock is that its file exists; we look, and let go of the others. */
static void test_pacman(void **state)
{
	const struct tree *t = *state;
	sp_autoerror struct sp_error *err = NULL;
	struct sp_store *store = open_store(t);

	make_lock_file(t, DPKG);
	make_lock_file(t, PACMAN);
	assert_int_equal(sp_store_lock_packages(store, 0, &err), -EBUSY);
	assert_non_null(strstr(err->message, "pacman is at work"));
	assert_free(t, DPKG, true);
	sp_store_close(store);
	assert_true(sp_root_exists(t->root, PACMAN));
}

static void test_waiting(void **state)
{
	static const struct {
		unsigned seconds, until, sleeps;
		int r;
	} waits[] = { { 5, 3, 3, 0 }, { 2, 4, 4, 0 }, { 2, 0, 4, -EBUSY } };
	const struct tree *t = *state;

	make_lock_file(t, DPKG);
	make_lock_file(t, RPM_NEW);
	make_lock_file(t, RPM_OLD);
	for (size_t i = 0; i < SP_ELEMENTS(waits); i++) {
		sp_autoerror struct sp_error *err = NULL;
		struct sp_store *store = open_store(t);
		wait_for.tree = t;
		wait_for.sleeps = 0;
		wait_for.until = waits[i].until;
		wait_for.other = lock_as_other(t, RPM_OLD);
		assert_int_equal(sp_store_lock_packages(store, waits[i].seconds, &err), waits[i].r);
		assert_int_equal(wait_for.sleeps, waits[i].sleeps);
		if (!waits[i].until)
			assert_int_equal(close(wait_for.other), 0);
		assert_free(t, DPKG, waits[i].r < 0);
		sp_store_close(store);
	}
}

/* What is no lock file is no reason to go on without one. */
static void test_cannot_lock(void **state)
{
	const struct tree *t = *state;
	sp_autoerror struct sp_error *err = NULL;
	sp_autofree char *folder = sp_xasprintf("%s" DPKG, t->dir);
	struct sp_store *store = open_store(t);

	make_lock_file(t, DPKG);
	assert_int_equal(unlink(folder), 0);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_true(sp_store_lock_packages(store, 3, &err) < 0);
	assert_non_null(strstr(err->message, "cannot lock '" DPKG "'"));
	sp_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locks),
		cmocka_unit_test_setup_teardown(test_makes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pacman, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_lock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
