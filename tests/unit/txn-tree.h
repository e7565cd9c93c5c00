/* SPDX-License-Identifier: MIT */
/* A small tree, one transaction on it, and what the tree is when that is done or undone: for the tests of txn/. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
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

static inline void put(const struct tree *t, const char *path, const char *text, mode_t mode)
{
	sp_autofree char *full = sp_xasprintf("%s%s", t->dir, path);
	FILE *f = fopen(full, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(full, mode), 0);
}

static inline char *get(const struct tree *t, const char *path)
{
	sp_autobuf struct sp_buf b = { 0 };

	return sp_root_read(t->root, path, SP_FILE_MAX, &b, NULL) < 0 ? NULL : sp_buf_steal(&b);
}

static inline void add(struct tree *t, const char *path, const char *text)
{
	sp_autobuf struct sp_buf b = { 0 };

	sp_buf_adds(&b, text ? text : "");
	assert_int_equal(sp_edits_add(&t->edits, t->root, path, text ? &b : NULL, NULL, NULL), 0);
}

static inline int setup(void **state)
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
	sp_autofree char *boot = sp_xasprintf("%s/boot", t->dir);
	assert_int_equal(mkdir(boot, 0755), 0);
	put(t, "/boot/e", "e old\n", 0644);
	sp_autofree char *a = sp_xasprintf("%s/etc/a", t->dir);
	(void) setxattr(a, "user.who", "me", 2, 0); /* a file system without them tests the rest */
	assert_int_equal(utimensat(AT_FDCWD, a, old, 0), 0);
	add(t, "/etc/a", "a new, and longer\n");
	add(t, "/etc/b", NULL);
	add(t, "/etc/new.d/deep/c", "c new\n");
	add(t, "/etc/kept", "kept\n");
	add(t, "/boot/e", "e new\n");
	*state = t;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void) st;
	(void) type;
	(void) at;
	return remove(path);
}

static inline int teardown(void **state)
{
	struct tree *t = *state;

	sp_edits_clear(&t->edits);
	sp_root_close(t->root);
	int r = nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(t);
	return r;
}

static inline void assert_text(const struct tree *t, const char *path, const char *expected)
{
	sp_autofree char *text = get(t, path);

	if (expected)
		assert_string_equal(text ? text : "(absent)", expected);
	else
		assert_null(text);
}

static inline void assert_no_leftovers(const struct tree *t)
{
	static const char *const folders[] = { "/etc", "/etc/new.d", "/etc/new.d/deep", "/boot" };

	for (size_t f = 0; f < SP_ELEMENTS(folders); f++) {
		sp_autostrv struct sp_strv names = { 0 };
		int r = sp_root_list(t->root, folders[f], &names);
		assert_true(r == 0 || r == -ENOENT);
		for (size_t i = 0; i < names.n; i++)
			assert_null(strstr(names.v[i], ".strix-"));
	}
}

static inline void assert_old(const struct tree *t)
{
	struct sp_image a = { 0 };

	assert_text(t, "/etc/a", "a old\n");
	assert_text(t, "/etc/b", "b old\n");
	assert_text(t, "/boot/e", "e old\n");
	assert_false(sp_root_exists(t->root, "/etc/new.d"));
	assert_int_equal(sp_image_read(t->root, "/etc/a", &a, NULL), 0);
	assert_true(sp_meta_eq(&a.meta, &t->edits.v[0].before.meta));
	sp_image_clear(&a);
	assert_no_leftovers(t);
}

static inline void assert_new(const struct tree *t)
{
	struct sp_image a = { 0 };

	assert_text(t, "/etc/a", "a new, and longer\n");
	assert_text(t, "/etc/b", NULL);
	assert_text(t, "/etc/new.d/deep/c", "c new\n");
	assert_text(t, "/boot/e", "e new\n");
	assert_int_equal(sp_image_read(t->root, "/etc/a", &a, NULL), 0);
	assert_int_equal(a.meta.mode, 0640);
	assert_int_equal(a.meta.n_xattrs, t->edits.v[0].before.meta.n_xattrs);
	sp_image_clear(&a);
	assert_no_leftovers(t);
}

enum { BEGIN, STAGE, PUBLISH, COMMIT, FINISH };

static inline struct sp_txn *run_until(struct sp_store *store, const struct tree *t, int last)
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

static inline void settle(struct sp_store *store)
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
