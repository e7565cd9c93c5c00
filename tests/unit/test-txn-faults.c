/* SPDX-License-Identifier: MIT */
/*
 * A disk that fails: each call that changes it fails in turn, once or from then on, with each errno that a disk has.
 * Afterwards the tree is the old or the new one, in full, and what was said is true: 0 from commit is the new tree, an
 * error with an undo that succeeded is the old one, and the journal says the same. A record that ends a transaction may
 * only become durable when every folder that was changed before is.
 */
#include "failing-disk.h"

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
	disk.committing = disk.doubtful = false;
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

/* A power cut can take both names of a rename on FAT. Elsewhere a file that is gone was removed by somebody. */
static void test_both_names_lost(void **state)
{
	static const char *const lost[] = { "/etc/a", "/etc/.a.strix-new", "/boot/e", "/boot/.e.strix-new" };

	for (int fat = 0; fat <= 1; fat++) {
		struct sp_store *store = NULL;
		struct sp_txn *txn = NULL;
		sp_autoerror struct sp_error *err = NULL;
		assert_int_equal(setup(state), 0);
		struct tree *t = *state;
		assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
		sp_txn_free(run_until(store, t, PUBLISH));
		for (size_t i = 0; i < SP_ELEMENTS(lost); i++) {
			sp_autofree char *path = sp_xasprintf("%s%s", t->dir, lost[i]);
			assert_int_equal(remove(path), 0);
		}
		disk.fat = fat;
		assert_int_equal(sp_txn_reopen(store, &txn, NULL), 0);
		assert_int_equal(sp_txn_undo(txn, &err), fat ? 0 : -EUCLEAN);
		sp_txn_free(txn);
		assert_text(t, "/etc/a", fat ? "a old\n" : NULL);
		assert_text(t, "/boot/e", fat ? "e old\n" : NULL);
		assert_text(t, "/etc/b", "b old\n");
		disk.fat = false;
		sp_store_close(store);
		assert_int_equal(teardown(state), 0);
	}
}

/*
 * A power cut in the middle of an exchange on FAT: both names have one content; and what fsck.fat makes of that, one of them
 * is empty. Elsewhere an empty file is somebody's.
 */
struct torn {
	const char *name, *temp; /* what is there; NULL: nothing */
	bool fat;
	int undo;
	const char *after;
};

static const struct torn torn[] = {
	{ "e new\n", "e new\n", true, 0, "e old\n" }, { "e old\n", "e old\n", true, 0, "e old\n" },
	{ "e new\n", "", true, 0, "e old\n" },	       { "e old\n", "", true, 0, "e old\n" },
	{ "", "e new\n", true, 0, "e old\n" },	       { "", "e old\n", true, 0, "e old\n" },
	{ "", NULL, true, 0, "e old\n" },	       { "", "", true, 0, "e old\n" },
	{ "theirs\n", "", true, -EUCLEAN, "theirs\n" }, { "e new\n", "theirs\n", true, 0, "theirs\n" },
	{ "", "theirs\n", true, -EUCLEAN, "" },	       { "e new\n", "", false, 0, "" },
	{ "", "e old\n", false, -EUCLEAN, "" },
};

static void put_or_remove(const struct tree *t, const char *path, const char *text)
{
	sp_autofree char *full = sp_xasprintf("%s%s", t->dir, path);

	if (text)
		put(t, path, text, 0644);
	else
		(void) remove(full);
}

static void test_torn_exchange(void **state)
{
	for (size_t i = 0; i < 2 * SP_ELEMENTS(torn); i++) {
		const struct torn *c = &torn[i / 2];
		sp_autoerror struct sp_error *err = NULL;
		struct sp_store *store = NULL;
		struct sp_txn *txn = NULL;
		assert_int_equal(setup(state), 0);
		struct tree *t = *state;
		disk.no_exchange = i % 2;
		disk.fat = c->fat;
		assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
		sp_txn_free(run_until(store, t, PUBLISH));
		put_or_remove(t, "/boot/e", c->name);
		put_or_remove(t, "/boot/.e.strix-new", c->temp);
		assert_int_equal(sp_txn_reopen(store, &txn, NULL), 0);
		assert_int_equal(sp_txn_undo(txn, &err), c->undo);
		sp_txn_free(txn);
		disk.fat = disk.no_exchange = false;
		assert_text(t, "/boot/e", c->after);
		assert_text(t, "/etc/a", "a old\n");
		sp_store_close(store);
		assert_int_equal(teardown(state), 0);
	}
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
		cmocka_unit_test(test_both_names_lost), cmocka_unit_test(test_torn_exchange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
