/* SPDX-License-Identifier: MIT */
/* Undo after a crash: trees as a crash leaves them, and what others did before anybody came to recover. */
#include "txn-tree.h"

/* A tree whose transaction died after `last`; others then write `files` (bytes NULL: they remove it). */
struct crash {
	const char *what;
	int last;
	struct { const char *path, *text; } files[4];
	int undo; /* what the undo returns */
	struct { const char *path, *text; } after[4];
};

static char *full_path(const struct tree *t, const char *path)
{
	return sp_xasprintf("%s%s", t->dir, path);
}

static void drop(const struct tree *t, const char *path)
{
	sp_autofree char *full = full_path(t, path);

	assert_int_equal(remove(full), 0);
}

static void crash_and_undo(struct tree *t, const struct crash *c)
{
	sp_autoerror struct sp_error *err = NULL;
	struct sp_store *store = NULL;
	struct sp_txn *txn = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, c->last));
	for (size_t i = 0; i < SP_ELEMENTS(c->files) && c->files[i].path; i++) {
		if (c->files[i].text)
			put(t, c->files[i].path, c->files[i].text, 0644);
		else
			drop(t, c->files[i].path);
	}
	assert_int_equal(sp_txn_reopen(store, &txn, NULL), 0);
	assert_int_equal(sp_txn_undo(txn, &err), c->undo);
	if (c->undo < 0)
		assert_int_equal(err->exit, SP_EXIT_RECOVER);
	sp_txn_free(txn);
	for (size_t i = 0; i < SP_ELEMENTS(c->after) && c->after[i].path; i++)
		assert_text(t, c->after[i].path, c->after[i].text);
	assert_false(sp_store_interrupted(store));
	sp_store_close(store);
}

static const struct crash crashes[] = {
	{ "edited before it was published: nothing to undo there",
	  STAGE, { { "/etc/a", "theirs\n" } }, 0,
	  { { "/etc/a", "theirs\n" }, { "/etc/b", "b old\n" }, { "/etc/.a.strix-new", NULL } } },
	{ "removed before it was published",
	  STAGE, { { "/etc/a", NULL } }, 0, { { "/etc/a", NULL }, { "/etc/b", "b old\n" } } },
	{ "what was to be removed was edited before",
	  STAGE, { { "/etc/b", "theirs\n" } }, 0, { { "/etc/b", "theirs\n" }, { "/etc/a", "a old\n" } } },
	{ "a new file was made by somebody else before",
	  STAGE, { { "/etc/new.d/deep/c", "theirs\n" } }, 0, { { "/etc/new.d/deep/c", "theirs\n" } } },
	{ "edited after it was published: theirs stays, and is told",
	  PUBLISH, { { "/etc/a", "theirs\n" } }, -EUCLEAN, { { "/etc/a", "theirs\n" }, { "/etc/b", "b old\n" } } },
	{ "made again after it was removed",
	  PUBLISH, { { "/etc/b", "theirs\n" } }, -EUCLEAN, { { "/etc/b", "theirs\n" }, { "/etc/a", "a old\n" } } },
	{ "died between swap and look: the edit that came out goes back",
	  PUBLISH, { { "/etc/.a.strix-new", "theirs\n" } }, 0,
	  { { "/etc/a", "theirs\n" }, { "/etc/.a.strix-new", NULL }, { "/etc/b", "b old\n" } } },
	{ "the same, and then somebody edited ours: neither edit is lost",
	  PUBLISH, { { "/etc/.a.strix-new", "first\n" }, { "/etc/a", "second\n" } }, -EUCLEAN,
	  { { "/etc/a", "second\n" }, { "/etc/.a.strix-new", "first\n" }, { "/etc/b", "b old\n" } } },
	{ "a removal took an edit away, died before giving it back",
	  PUBLISH, { { "/etc/.b.strix-new", "theirs\n" } }, 0,
	  { { "/etc/b", "theirs\n" }, { "/etc/.b.strix-new", NULL }, { "/etc/a", "a old\n" } } },
	{ "the same, and then somebody made it again: neither is lost",
	  PUBLISH, { { "/etc/.b.strix-new", "first\n" }, { "/etc/b", "second\n" } }, -EUCLEAN,
	  { { "/etc/b", "second\n" }, { "/etc/.b.strix-new", "first\n" }, { "/etc/a", "a old\n" } } },
	{ "an undo that died left its temporary",
	  PUBLISH, { { "/etc/.a.strix-undo", "half" } }, 0, { { "/etc/a", "a old\n" }, { "/etc/.a.strix-undo", NULL } } },
};

static void test_crashes(void **state)
{
	for (size_t i = 0; i < SP_ELEMENTS(crashes); i++) {
		print_message("# %s\n", crashes[i].what);
		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
		crash_and_undo(*state, &crashes[i]);
	}
}

/* The undo itself died, after it removed the folders that were made: the next one finds nothing there, and ends. */
static void test_folders_gone(void **state)
{
	static const char *const made[] = { "/boot/new/x", "/boot/new", "/etc/new.d/deep/c", "/etc/new.d/deep", "/etc/new.d" };
	struct tree *t = *state;
	struct sp_store *store = NULL;

	add(t, "/boot/new/x", "x new\n");
	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, PUBLISH));
	for (size_t i = 0; i < SP_ELEMENTS(made); i++)
		drop(t, made[i]);
	settle(store);
	assert_old(t);
	sp_store_close(store);
}

static ino_t inode(const struct tree *t, const char *path)
{
	struct stat st = { 0 };

	assert_int_equal(sp_root_lstat(t->root, path, &st), 0);
	return st.st_ino;
}

/* The displaced file itself comes back: an undo needs no space, and what is attached to the inode stays. */
static void test_same_file_comes_back(void **state)
{
	static const char *const paths[] = { "/etc/a", "/etc/b", "/boot/e" };
	struct tree *t = *state;
	struct sp_store *store = NULL;
	ino_t before[SP_ELEMENTS(paths)];

	for (size_t i = 0; i < SP_ELEMENTS(paths); i++)
		before[i] = inode(t, paths[i]);
	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, PUBLISH));
	settle(store);
	assert_old(t);
	for (size_t i = 0; i < SP_ELEMENTS(paths); i++)
		assert_int_equal(inode(t, paths[i]), before[i]);
	sp_store_close(store);
}

/* The displaced file is lost as well: the image has it. */
static void test_from_the_image(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, PUBLISH));
	for (size_t i = 0; i < 2; i++) {
		sp_autofree char *displaced = full_path(t, i ? "/etc/.b.strix-new" : "/etc/.a.strix-new");
		(void) remove(displaced);
	}
	settle(store);
	assert_old(t);
	sp_store_close(store);
}

/* A folder's default ACL is not what the file had: version 2; user::rw, user 5: r, group::r, mask r, other::r */
static const unsigned char acl[] = {
	2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 5, 0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
	16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255,
};

static void test_inherited_acl(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;
	sp_autofree char *etc = full_path(t, "/etc");
	struct sp_image now = { 0 };

	if (setxattr(etc, "system.posix_acl_default", acl, sizeof(acl), 0) < 0)
		skip();
	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, FINISH));
	assert_int_equal(sp_image_read(t->root, "/etc/a", &now, NULL), 0);
	assert_true(sp_meta_same_rights(&now.meta, &t->edits.v[0].before.meta));
	sp_image_clear(&now);
	sp_store_close(store);
}

int main(void)
{
	(void) umask(022);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_crashes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folders_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_file_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_the_image, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inherited_acl, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
