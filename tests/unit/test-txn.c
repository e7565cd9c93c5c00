/* SPDX-License-Identifier: MIT */
/* The transaction: every point where it can stop, what a second writer does to it, what a bad journal does. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/str.h"
#include "txn/internal.h"

struct tree {
	char dir[64];
	struct sp_root *root;
	struct sp_edits edits;
};

static void put(const struct tree *t, const char *path, const char *text, mode_t mode)
{
	sp_autofree char *full = sp_xasprintf("%s%s", t->dir, path);
	FILE *f = fopen(full, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(full, mode), 0);
}

static char *get(const struct tree *t, const char *path)
{
	sp_autobuf struct sp_buf b = { 0 };

	return sp_root_read(t->root, path, SP_FILE_MAX, &b, NULL) < 0 ? NULL : sp_buf_steal(&b);
}

static void add(struct tree *t, const char *path, const char *text)
{
	sp_autobuf struct sp_buf b = { 0 };

	sp_buf_adds(&b, text ? text : "");
	assert_int_equal(sp_edits_add(&t->edits, t->root, path, text ? &b : NULL, NULL, NULL), 0);
}

static int setup(void **state)
{
	static const struct timespec old[2] = { { .tv_sec = 1000000000, .tv_nsec = 5 }, { .tv_sec = 1000000000, .tv_nsec = 5 } };
	struct tree *t = sp_xcalloc(1, sizeof(*t));

	strcpy(t->dir, "/tmp/sp-txn-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(sp_root_open(t->dir, 0, &t->root, NULL), 0);
	sp_autofree char *etc = sp_xasprintf("%s/etc", t->dir);
	assert_int_equal(mkdir(etc, 0755), 0);
	put(t, "/etc/a", "a old\n", 0640);
	put(t, "/etc/b", "b old\n", 0600);
	put(t, "/etc/kept", "kept\n", 0644);
	sp_autofree char *a = sp_xasprintf("%s/etc/a", t->dir);
	(void) setxattr(a, "user.who", "me", 2, 0); /* a file system without them tests the rest */
	assert_int_equal(utimensat(AT_FDCWD, a, old, 0), 0);
	add(t, "/etc/a", "a new, and longer\n");
	add(t, "/etc/b", NULL);
	add(t, "/etc/new.d/deep/c", "c new\n");
	add(t, "/etc/kept", "kept\n");
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct tree *t = *state;
	sp_autofree char *command = sp_xasprintf("rm -rf %s", t->dir);

	sp_edits_clear(&t->edits);
	sp_root_close(t->root);
	int r = system(command);
	free(t);
	return r;
}

static void assert_text(const struct tree *t, const char *path, const char *expected)
{
	sp_autofree char *text = get(t, path);

	if (expected)
		assert_string_equal(text ? text : "(absent)", expected);
	else
		assert_null(text);
}

static void assert_no_leftovers(const struct tree *t)
{
	sp_autostrv struct sp_strv names = { 0 };

	assert_int_equal(sp_root_list(t->root, "/etc", &names), 0);
	for (size_t i = 0; i < names.n; i++)
		assert_null(strstr(names.v[i], ".strix-"));
}

static void assert_old(const struct tree *t)
{
	struct sp_image a = { 0 };

	assert_text(t, "/etc/a", "a old\n");
	assert_text(t, "/etc/b", "b old\n");
	assert_false(sp_root_exists(t->root, "/etc/new.d"));
	assert_int_equal(sp_image_read(t->root, "/etc/a", &a, NULL), 0);
	assert_true(sp_meta_eq(&a.meta, &t->edits.v[0].before.meta));
	sp_image_clear(&a);
	assert_no_leftovers(t);
}

static void assert_new(const struct tree *t)
{
	struct sp_image a = { 0 };

	assert_text(t, "/etc/a", "a new, and longer\n");
	assert_text(t, "/etc/b", NULL);
	assert_text(t, "/etc/new.d/deep/c", "c new\n");
	assert_int_equal(sp_image_read(t->root, "/etc/a", &a, NULL), 0);
	assert_int_equal(a.meta.mode, 0640);
	assert_int_equal(a.meta.n_xattrs, t->edits.v[0].before.meta.n_xattrs);
	sp_image_clear(&a);
	assert_no_leftovers(t);
}

enum { BEGIN, STAGE, PUBLISH, COMMIT, FINISH };

static struct sp_txn *run_until(struct sp_store *store, const struct tree *t, int last)
{
	json_t *about = json_pack("{s:s}", "kind", "apply");
	struct sp_txn *txn = NULL;

	assert_int_equal(sp_txn_begin(store, about, &txn, NULL), 0);
	json_decref(about);
	if (last >= STAGE)
		assert_int_equal(sp_txn_stage(txn, &t->edits, NULL), 0);
	if (last >= PUBLISH)
		assert_int_equal(sp_txn_publish(txn, NULL), 0);
	if (last >= COMMIT)
		assert_int_equal(sp_txn_commit(txn, NULL), 0);
	if (last >= FINISH)
		assert_int_equal(sp_txn_finish(txn, NULL), 0);
	return txn;
}

static void settle(struct sp_store *store)
{
	struct sp_txn *txn = NULL;

	assert_int_equal(sp_txn_reopen(store, &txn, NULL), 0);
	if (!txn)
		return;
	if (sp_txn_state(txn) == SP_TXN_COMMITTED)
		assert_int_equal(sp_txn_finish(txn, NULL), 0);
	else
		assert_int_equal(sp_txn_undo(txn, NULL), 0);
	sp_txn_free(txn);
	assert_false(sp_store_interrupted(store));
}

/* Die after each step; whoever comes next finds the old or the new state, and doing it again changes nothing. */
static void test_every_step(void **state)
{
	static const struct { int last; bool is_new, open; } rows[] = {
		{ BEGIN, false, true }, { STAGE, false, true }, { PUBLISH, false, true },
		{ COMMIT, true, true }, { FINISH, true, false },
	};

	for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
		struct sp_store *store = NULL;
		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
		struct tree *t = *state;
		assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
		struct sp_txn *txn = run_until(store, t, rows[i].last);
		assert_int_equal(sp_store_interrupted(store), rows[i].open);
		sp_txn_free(txn);
		settle(store);
		settle(store);
		if (rows[i].is_new)
			assert_new(t);
		else
			assert_old(t);
		sp_store_close(store);
	}
}

static void test_undo_in_process(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	struct sp_txn *txn = run_until(store, t, PUBLISH);
	assert_int_equal(sp_txn_undo(txn, NULL), 0);
	sp_txn_free(txn);
	assert_old(t);
	sp_store_close(store);
}

/* An editor saves the file between our look and our write: it is never lost. */
static void test_changed_before_stage(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;
	sp_autoerror struct sp_error *err = NULL;
	json_t *about = json_object();
	struct sp_txn *txn = NULL;

	put(t, "/etc/a", "somebody's\n", 0640);
	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	assert_int_equal(sp_txn_begin(store, about, &txn, NULL), 0);
	json_decref(about);
	assert_int_equal(sp_txn_stage(txn, &t->edits, &err), -ESTALE);
	assert_int_equal(err->exit, SP_EXIT_CONFLICT);
	assert_int_equal(sp_txn_undo(txn, NULL), 0);
	sp_txn_free(txn);
	assert_text(t, "/etc/a", "somebody's\n");
	assert_text(t, "/etc/b", "b old\n");
	assert_no_leftovers(t);
	sp_store_close(store);
}

static void test_changed_before_publish(void **state)
{
	static const char *const paths[] = { "/etc/a", "/etc/b", "/etc/new.d/deep/c" };

	for (size_t i = 0; i < SP_ELEMENTS(paths); i++) {
		struct sp_store *store = NULL;
		sp_autoerror struct sp_error *err = NULL;
		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
		struct tree *t = *state;
		assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
		struct sp_txn *txn = run_until(store, t, STAGE);
		put(t, paths[i], "somebody's\n", 0644);
		assert_int_equal(sp_txn_publish(txn, &err), -ESTALE);
		assert_int_equal(err->exit, SP_EXIT_CONFLICT);
		sp_autoerror struct sp_error *undo = NULL;
		int r = sp_txn_undo(txn, &undo);
		assert_true(r == 0 || r == -EUCLEAN);
		sp_txn_free(txn);
		assert_text(t, paths[i], "somebody's\n");
		if (i != 0)
			assert_text(t, "/etc/a", "a old\n");
		assert_no_leftovers(t);
		sp_store_close(store);
	}
}

/* We died between the swap and the look at what came out: the foreign file waits under our temporary name. */
static void test_foreign_displaced(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;
	struct sp_txn *txn = NULL;
	sp_autoerror struct sp_error *err = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, STAGE));
	put(t, "/etc/a", "a new, and longer\n", 0640);
	put(t, "/etc/.a.strix-new", "somebody's\n", 0640);
	assert_int_equal(sp_txn_reopen(store, &txn, NULL), 0);
	assert_int_equal(sp_txn_undo(txn, &err), -EUCLEAN);
	assert_int_equal(err->exit, SP_EXIT_RECOVER);
	sp_txn_free(txn);
	assert_text(t, "/etc/a", "somebody's\n");
	assert_no_leftovers(t);
	sp_store_close(store);
}

static void test_second_writer(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL, *other = NULL;
	sp_autoerror struct sp_error *err = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	assert_int_equal(sp_store_open(t->root, true, &other, &err), -EBUSY);
	assert_non_null(err->hint);
	sp_store_close(store);
	assert_int_equal(sp_store_open(t->root, true, &other, NULL), 0);
	sp_store_close(other);
}

static void append(const struct tree *t, const char *text)
{
	sp_autofree char *path = sp_xasprintf("%s/var/lib/strix-provision/tx/1/journal", t->dir);
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_torn_tail(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, PUBLISH));
	append(t, "0badc0de 3 {\"type\": \"commit");
	settle(store);
	assert_old(t);
	sp_store_close(store);
}

static void test_damaged_journal(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;
	struct sp_txn *txn = NULL;
	sp_autoerror struct sp_error *err = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, PUBLISH));
	append(t, "0badc0de 3 {}\nnonsense\n");
	assert_int_equal(sp_txn_reopen(store, &txn, &err), -EBADMSG);
	assert_int_equal(err->exit, SP_EXIT_RECOVER);
	sp_store_close(store);
}

static void test_rights(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;
	struct stat st;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, FINISH));
	assert_int_equal(sp_root_stat(t->root, SP_STATE_DIR "/tx", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(sp_root_stat(t->root, SP_STATE_DIR "/tx/1/journal", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sp_root_stat(t->root, SP_STATE_DIR "/tx/1/images", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	sp_store_close(store);
}

static void test_refused_files(void **state)
{
	struct tree *t = *state;
	sp_autofree char *a = sp_xasprintf("%s/etc/a", t->dir), *l = sp_xasprintf("%s/etc/hard", t->dir);
	sp_autofree char *fifo = sp_xasprintf("%s/etc/fifo", t->dir);
	static const struct { const char *path; int code; } rows[] = {
		{ "/etc/a", -EMLINK }, { "/etc", -EISDIR }, { "/etc/fifo", -EINVAL },
	};
	struct sp_image image = { 0 };

	assert_int_equal(link(a, l), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
		sp_autoerror struct sp_error *err = NULL;
		assert_int_equal(sp_image_read(t->root, rows[i].path, &image, &err), rows[i].code);
		assert_non_null(strstr(err->message, rows[i].path));
	}
}

int main(void)
{
	(void) umask(022);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_step, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undo_in_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_before_stage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_before_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_displaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_tail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
