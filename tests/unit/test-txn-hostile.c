/* SPDX-License-Identifier: MIT */
/* A state directory made by somebody who means us harm, or that a disk has eaten at: links, forged journals, numbers. */
#include "txn-tree.h"

#define STATE "/var/lib/strix-provision"

static char *full_path(const struct tree *t, const char *path)
{
	return sp_xasprintf("%s%s", t->dir, path);
}

static void drop(const struct tree *t, const char *path)
{
	sp_autofree char *full = full_path(t, path);

	assert_int_equal(remove(full), 0);
}

static void make_link(const struct tree *t, const char *text, const char *path)
{
	sp_autofree char *full = full_path(t, path);

	(void) remove(full);
	assert_int_equal(symlink(text, full), 0);
}

/* A transaction that died after `last`. */
static struct sp_store *interrupted(struct tree *t, int last)
{
	struct sp_store *store = NULL;

	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	sp_txn_free(run_until(store, t, last));
	return store;
}

static void assert_unusable(struct sp_store *store)
{
	sp_autoerror struct sp_error *err = NULL;
	struct sp_txn *txn = NULL;

	assert_true(sp_txn_reopen(store, &txn, &err) < 0);
	assert_null(txn);
	assert_int_equal(err->exit, SP_EXIT_RECOVER);
	assert_non_null(err->hint);
	assert_true(sp_store_interrupted(store));
}

/* --- the link "open" ---------------------------------------------------------------------------------------------- */

static void test_open_link(void **state)
{
	static const char *const texts[] = { "tx/../../etc", "tx/7", "tx/", "tx/0", "tx/01", "tx/0x1", "tx/1/", "/etc", "1",
					     "tx/99999999999999999999999999999999999999999999999999999999999999999999" };
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, PUBLISH);

	for (size_t i = 0; i < SP_ELEMENTS(texts); i++) {
		make_link(t, texts[i], STATE "/open");
		assert_unusable(store);
	}
	drop(t, STATE "/open");
	put(t, STATE "/open", "tx/1", 0644);
	assert_unusable(store);
	sp_store_close(store);
}

/* --- files of the state directory --------------------------------------------------------------------------------- */

static void make_fifo(const struct tree *t, const char *path)
{
	sp_autofree char *full = full_path(t, path);

	(void) remove(full);
	assert_int_equal(mkfifo(full, 0600), 0);
}

static void test_links(void **state)
{
	static const char *const names[] = { STATE "/tx/1/journal", STATE "/tx/1/images" };

	for (size_t i = 0; i < SP_ELEMENTS(names); i++) {
		struct tree *t = *state;
		sp_autofree char *theirs = full_path(t, "/etc/theirs"), *ours = full_path(t, names[i]);
		struct sp_store *store = interrupted(t, PUBLISH);
		put(t, "/etc/theirs", "one line", 0644);
		make_link(t, "../../../../../etc/theirs", names[i]);
		assert_unusable(store);
		drop(t, names[i]);
		assert_int_equal(link(theirs, ours), 0);
		assert_unusable(store);
		make_fifo(t, names[i]);
		assert_unusable(store);
		drop(t, names[i]);
		assert_unusable(store); /* nothing is put in its place, either */
		assert_text(t, "/etc/theirs", "one line");
		sp_store_close(store);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void test_lock(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, FINISH);

	sp_store_close(store);
	make_link(t, "../../../etc/a", STATE "/lock");
	assert_true(sp_store_open(t->root, true, &store, NULL) < 0);
	drop(t, STATE "/lock");
	sp_autofree char *tx = full_path(t, STATE "/tx"), *moved = full_path(t, STATE "/moved");
	assert_int_equal(rename(tx, moved), 0);
	make_link(t, "moved", STATE "/tx");
	assert_true(sp_store_open(t->root, true, &store, NULL) < 0);
}

static void test_state_json(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, FINISH);
	json_t *json = NULL, *new = json_pack("{s:i}", "x", 1);

	make_link(t, "../../../etc/a", STATE "/state.json");
	assert_true(sp_store_read_state(store, &json, NULL) < 0);
	make_fifo(t, STATE "/state.json");
	assert_true(sp_store_read_state(store, &json, NULL) < 0);
	make_link(t, "../../../etc/a", STATE "/state.json");
	assert_int_equal(sp_store_write_state(store, new, NULL), 0);
	assert_text(t, "/etc/a", "a new, and longer\n");
	assert_int_equal(sp_store_read_state(store, &json, NULL), 0);
	assert_true(json_equal(json, new));
	json_decref(json);
	json_decref(new);
	sp_store_close(store);
}

/* Only names that we give count; none of them brings the next number to an end. */
static void test_names_in_tx(void **state)
{
	static const char *const names[] = { "18446744073709551615", "99999999999999999999", "007", "0x10", "2 ", "-1", "0" };
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, FINISH);

	for (size_t i = 0; i < SP_ELEMENTS(names); i++) {
		sp_autofree char *path = sp_xasprintf("%s" STATE "/tx/%s", t->dir, names[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	struct sp_txn *txn = run_until(store, t, BEGIN);
	assert_int_equal(sp_txn_id(txn), 2);
	sp_txn_free(txn);
	sp_store_close(store);
}

static enum sp_txn_state state_of(const struct sp_store *store, bool with_images)
{
	struct sp_record *records = NULL;
	size_t n = 0;

	assert_int_equal(sp_store_list(store, with_images, &records, &n, NULL), 0);
	assert_int_equal(n, 1);
	enum sp_txn_state state = records[0].state;
	sp_records_free(records, n);
	return state;
}

static void test_images_lost(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, FINISH);

	assert_int_equal(state_of(store, true), SP_TXN_DONE);
	drop(t, STATE "/tx/1/images");
	assert_int_equal(state_of(store, true), SP_TXN_DAMAGED);
	assert_int_equal(state_of(store, false), SP_TXN_DONE);
	sp_store_close(store);
}

/* It died before the link was made: nothing was done, and nothing waits to be recovered. */
static void test_never_began(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, BEGIN);

	assert_false(sp_store_interrupted(store));
	assert_int_equal(state_of(store, true), SP_TXN_UNDONE);
	drop(t, STATE "/tx/1/journal");
	assert_int_equal(state_of(store, true), SP_TXN_UNDONE);
	sp_store_close(store);
}

/* --- forged journals ----------------------------------------------------------------------------------------------- */

/* A journal of these records instead of the one there is. */
static void forge(const struct tree *t, const char *const *records, size_t n)
{
	sp_autofree char *path = full_path(t, STATE "/tx/1/journal");
	struct sp_journal j = { .fd = open(path, O_RDWR | O_TRUNC | O_APPEND | O_CLOEXEC) };

	assert_true(j.fd >= 0);
	for (size_t i = 0; i < n; i++) {
		json_t *record = json_loads(records[i], JSON_DECODE_ANY, NULL);
		assert_non_null(record);
		assert_int_equal(sp_journal_append(&j, record, false), 0);
		json_decref(record);
	}
	assert_int_equal(close(j.fd), 0);
}

#define BEGIN_RECORD "{\"type\": \"begin\", \"about\": {}}"
#define META(mode, ns, xattrs)                                                                                         \
	"{\"mode\": " mode ", \"uid\": 0, \"gid\": 0, \"mtime\": 1, \"mtime_ns\": " ns ", \"xattrs\": " xattrs "}"
#define IMAGE(offset, length, meta) "{\"offset\": " offset ", \"length\": " length ", \"crc\": 0, \"meta\": " meta "}"
#define FILES(path, op, image)                                                                                         \
	"{\"type\": \"files\", \"dirs\": [], \"files\": [{\"path\": \"" path "\", \"op\": \"" op                               \
	"\", \"exact\": false, \"before\": " image ", \"after\": null}]}"
#define GOOD IMAGE("0", "0", META("420", "0", "{}"))

static const char *const forgeries[] = {
	FILES("/etc/x", "create", IMAGE("0", "0", META("2541", "0", "{}"))), /* set-id */
	FILES("/etc/x", "create", IMAGE("0", "0", META("420", "0", "{\"security.capability\": \"0100\"}"))),
	FILES("/etc/x", "create", IMAGE("0", "0", META("420", "0", "{\"user.x\": \"0\"}"))),
	FILES("/etc/x", "create", IMAGE("0", "0", META("420", "0", "{\"user.x\": 7}"))),
	FILES("/etc/x", "create", IMAGE("0", "0", META("420", "1000000000", "{}"))),
	FILES("/etc/x", "create", IMAGE("0", "0", META("-1", "0", "{}"))),
	FILES("/etc/x", "create", IMAGE("0", "9223372036854775807", META("420", "0", "{}"))),
	FILES("/etc/x", "create", IMAGE("-1", "1", META("420", "0", "{}"))),
	FILES("/etc/x", "create", IMAGE("9223372036854775807", "1", META("420", "0", "{}"))),
	FILES("/etc/x", "create", IMAGE("0", "-1", META("420", "0", "{}"))),
	FILES("/etc/x", "create", "7"),
	FILES("/etc/x", "chmod", GOOD),
	FILES("etc/x", "create", GOOD),
	FILES("", "create", GOOD),
	"{\"type\": \"files\", \"files\": [7]}",
	"{\"type\": \"files\", \"files\": [{}]}",
};

static void test_forged_files(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, PUBLISH);

	for (size_t i = 0; i < SP_ELEMENTS(forgeries); i++) {
		const char *const records[] = { BEGIN_RECORD, forgeries[i], "{\"type\": \"prepared\"}" };
		print_message("# %s\n", forgeries[i]);
		forge(t, records, SP_ELEMENTS(records));
		assert_unusable(store);
	}
	sp_store_close(store);
}

static void test_forged_order(void **state)
{
	static const char *const orders[][3] = {
		{ FILES("/etc/a", "delete", GOOD), "{\"type\": \"prepared\"}", "{\"type\": \"x\"}" }, /* no begin */
		{ "[]", "{}", "[7]" },
		{ "{\"type\": \"prepared\"}", BEGIN_RECORD, "{\"type\": 7}" },
	};
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, PUBLISH);

	for (size_t i = 0; i < SP_ELEMENTS(orders); i++) {
		forge(t, orders[i], 3);
		assert_unusable(store);
	}
	forge(t, NULL, 0);
	assert_unusable(store);
	sp_store_close(store);
}

static void test_too_many(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, PUBLISH);
	json_t *file = json_loads("{\"path\": \"/etc/x\", \"op\": \"create\", \"exact\": false, \"before\": null, "
				  "\"after\": null}", 0, NULL);
	json_t *files = json_array();

	for (size_t i = 0; i < 100000; i++)
		json_array_append(files, file);
	json_decref(file);
	json_t *record = json_pack("{s:s, s:o}", "type", "files", "files", files);
	sp_autofree char *text = json_dumps(record, JSON_COMPACT);
	json_decref(record);
	const char *const records[] = { BEGIN_RECORD, text, "{\"type\": \"prepared\"}" };
	forge(t, records, SP_ELEMENTS(records));
	assert_unusable(store);
	sp_store_close(store);
}

/* Paths lead nowhere outside, whatever they say; folders are removed only where they are empty. */
static void test_forged_paths(void **state)
{
	static const char *const records[] = {
		BEGIN_RECORD,
		"{\"type\": \"files\", \"dirs\": [\"/../../../../../../tmp\", \"/etc\", \"/\", \"/etc/..\", \"\", 7], \"files\": ["
		"{\"path\": \"/../../../outside/a\", \"op\": \"create\", \"exact\": false, \"before\": null, \"after\": null},"
		"{\"path\": \"/out/a\", \"op\": \"create\", \"exact\": false, \"before\": null, \"after\": null}]}",
	};
	struct tree *t = *state;
	struct sp_store *store = interrupted(t, PUBLISH);
	char outside[] = "/tmp/sp-outside-XXXXXX";
	struct sp_txn *txn = NULL;

	assert_non_null(mkdtemp(outside));
	sp_autofree char *theirs = sp_xasprintf("%s/.a.strix-new", outside);
	FILE *f = fopen(theirs, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	make_link(t, outside, "/out"); /* absolute: means a folder in the tree */
	forge(t, records, SP_ELEMENTS(records));
	assert_int_equal(sp_txn_reopen(store, &txn, NULL), 0);
	assert_int_equal(sp_txn_undo(txn, NULL), -EINVAL); /* of "/etc/.." */
	sp_txn_free(txn);
	assert_int_equal(access(theirs, F_OK), 0);
	assert_int_equal(remove(theirs), 0);
	assert_int_equal(remove(outside), 0);
	assert_text(t, "/etc/kept", "kept\n");
	sp_store_close(store);
}

/* --- what cannot be told in JSON is refused before anything is written ---------------------------------------------- */

static void test_not_utf8(void **state)
{
	struct tree *t = *state;
	struct sp_store *store = NULL;
	sp_autoerror struct sp_error *err = NULL;

	put(t, "/etc/\xff", "old\n", 0644);
	add(t, "/etc/\xff", "new\n");
	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	struct sp_txn *txn = run_until(store, t, BEGIN);
	assert_int_equal(sp_txn_stage(txn, &t->edits, &err), -EILSEQ);
	assert_int_equal(sp_txn_undo(txn, NULL), 0);
	sp_txn_free(txn);
	assert_text(t, "/etc/\xff", "old\n");
	assert_old(t);
	sp_store_close(store);
}

static void test_set_id(void **state)
{
	struct tree *t = *state;
	struct sp_image image = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	put(t, "/etc/kept", "kept\n", 04755);
	assert_int_equal(sp_image_read(t->root, "/etc/kept", &image, &err), -EPERM);
	assert_false(image.exists);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	(void) umask(022);
	const struct CMUnitTest tests[] = {
		TEST(test_open_link),	 TEST(test_links),	  TEST(test_lock),	    TEST(test_state_json),
		TEST(test_names_in_tx),	 TEST(test_images_lost),  TEST(test_never_began), TEST(test_forged_files),
		TEST(test_forged_order), TEST(test_forged_paths), TEST(test_too_many),	    TEST(test_not_utf8),
		TEST(test_set_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
