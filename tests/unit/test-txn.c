/* SPDX-License-Identifier: MIT */
/* The transaction: every point where it can stop, what a second writer does to it, what a bad journal does. */
#include "txn-tree.h"

/* Die after each step; whoever comes next finds the old or the new state, and doing it again changes nothing. */
static void test_every_step(void **state)
{
	static const struct { int last; bool is_new, open; } rows[] = {
		{ BEGIN, false, false }, { STAGE, false, true }, { PUBLISH, false, true },
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
		assert_int_equal(sp_txn_undo(txn, NULL), 0); /* nothing of ours stood there: it is a conflict, not a failed undo */
		sp_txn_free(txn);
		assert_text(t, paths[i], "somebody's\n");
		if (i != 0)
			assert_text(t, "/etc/a", "a old\n");
		assert_no_leftovers(t);
		sp_store_close(store);
	}
}

/* Somebody had the file open when it was displaced, and wrote to it afterwards. */
static void test_late_writer(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;
	sp_autoerror struct sp_error *err = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_autofree char *path = sp_xasprintf("%s/etc/a", t->dir);
	sp_autofile FILE *theirs = fopen(path, "a");
	assert_non_null(theirs);
	struct sp_txn *txn = run_until(store, t, PUBLISH);
	assert_true(fputs("theirs\n", theirs) >= 0);
	assert_int_equal(fflush(theirs), 0);
	assert_int_equal(sp_txn_commit(txn, &err), -ESTALE);
	assert_int_equal(err->exit, SP_EXIT_CONFLICT);
	assert_int_equal(sp_txn_undo(txn, NULL), 0);
	sp_txn_free(txn);
	assert_text(t, "/etc/a", "a old\ntheirs\n");
	assert_text(t, "/etc/b", "b old\n");
	assert_no_leftovers(t);
	sp_store_close(store);
}

/* What has the name of one of our temporaries, but is not ours, is neither used nor removed. */
static void test_in_the_way(void **state)
{
	static const char *const names[] = { "/etc/.a.strix-new", "/etc/.b.strix-new", "/etc/.a.strix-undo", "/etc/.b.strix-old" };

	for (size_t i = 0; i < SP_ELEMENTS(names); i++) {
		struct sp_store *store = NULL;
		sp_autoerror struct sp_error *err = NULL;
		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
		struct tree *t = *state;
		put(t, names[i], "theirs\n", 0600);
		assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
		struct sp_txn *txn = run_until(store, t, BEGIN);
		assert_int_equal(sp_txn_stage(txn, &t->edits, &err), -EEXIST);
		assert_non_null(strstr(err->hint, "in the way"));
		assert_int_equal(sp_txn_undo(txn, NULL), 0);
		sp_txn_free(txn);
		assert_text(t, names[i], "theirs\n");
		assert_text(t, "/etc/a", "a old\n");
		sp_store_close(store);
	}
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
		cmocka_unit_test_setup_teardown(test_late_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_tail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
