/* SPDX-License-Identifier: MIT */
/* The protocol of txn.h, top to bottom: begin, stage, publish, commit, finish. */
#include "txn/txn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/durable.h"
#include "txn/internal.h"

static int journal_event(struct sp_txn *t, const char *type, bool sync)
{
	json_t *record = json_pack("{s:s}", "type", type);
	int r = sp_journal_append(&t->journal, record, sync);

	json_decref(record);
	return r;
}

static int open_files(struct sp_txn *t)
{
	sp_autofree char *id = sp_xasprintf("%" PRIu64, t->id);
	int r = sp_durable_mkdir(t->store->tx, id, 0700);

	if (r < 0)
		return r;
	t->dir = openat(t->store->tx, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->dir < 0)
		return -errno;
	r = sp_claim_record(t->dir); /* it should be ours, and empty: we have just made it */
	if (r < 0)
		return r;
	t->journal.records = json_array();
	t->journal.fd = sp_durable_create(t->dir, "journal", 0600);
	if (t->journal.fd < 0)
		return t->journal.fd;
	t->images = sp_durable_open_append(t->dir, "images", 0600);
	return t->images < 0 ? t->images : 0;
}

static int journal_begin(struct sp_txn *t, json_t *about)
{
	json_t *begin = json_pack("{s:s, s:O}", "type", "begin", "about", about);
	int r = sp_journal_append(&t->journal, begin, false);

	json_decref(begin);
	return r;
}

int sp_txn_begin(struct sp_store *store, json_t *about, struct sp_txn **ret, struct sp_error **err)
{
	if (sp_store_interrupted(store)) { /* there is one link, and whoever recovers must find that one */
		(void) sp_error_set(err, -EBUSY, "another transaction is not finished");
		(void) sp_error_exit(err, SP_EXIT_RECOVER);
		return sp_error_hint(err, "strix-provision recover");
	}
	struct sp_txn *t = sp_xcalloc(1, sizeof(*t));

	*t = (struct sp_txn){ .store = store, .dir = -1, .images = -1, .journal.fd = -1 };
	int r = sp_store_next_id(store, &t->id, err);
	if (r < 0) {
		sp_txn_free(t);
		return r;
	}
	r = sp_filesystems_add(&t->filesystems, store->dir, SP_STATE_DIR);
	if (r == 0)
		r = open_files(t);
	if (r == 0)
		r = journal_begin(t, about);
	if (r < 0) { /* what is in its folder counts for nothing while no link leads there */
		(void) sp_error_errno(err, r, "cannot begin a journal in '%s/tx/%" PRIu64 "'", SP_STATE_DIR, t->id);
		sp_txn_free(t);
		return r;
	}
	store->running = t;
	*ret = t;
	return 0;
}

uint64_t sp_txn_id(const struct sp_txn *t)
{
	return t->id;
}

enum sp_txn_state sp_txn_state(const struct sp_txn *t)
{
	return t->state;
}

void sp_txn_free(struct sp_txn *t)
{
	if (!t)
		return;
	if (t->store->running == t)
		t->store->running = NULL;
	sp_journal_clear(&t->journal);
	sp_cleanup_close_(&t->images);
	sp_cleanup_close_(&t->dir);
	free(t->edits);
	sp_txn_follow_clear(t);
	sp_filesystems_clear(&t->filesystems);
	sp_strv_clear(&t->made_dirs);
	sp_strv_clear(&t->drop_dirs);
	sp_record_clear(&t->record);
	free(t);
}

/* --- stage ----------------------------------------------------------------------------------------------------- */

static bool same_folder(const char *a, const char *b)
{
	size_t n = (size_t) (strrchr(a, '/') - a);

	return n == (size_t) (strrchr(b, '/') - b) && strncmp(a, b, n) == 0;
}

static int changed_under_us(struct sp_error **err, const char *path)
{
	(void) sp_error_set(err, -ESTALE, "'%s' was changed by somebody else just now", path);
	(void) sp_error_path(err, path);
	(void) sp_error_exit(err, SP_EXIT_CONFLICT);
	return sp_error_hint(err, "nothing of it is lost; repeat the command to plan with its new content");
}

static int write_failed(struct sp_error **err, int r, const struct sp_edit *e)
{
	(void) sp_error_errno(err, r, "cannot %s '%s'", sp_op_name(e->op), e->path);
	if (r == -EROFS)
		(void) sp_error_hint(err, "its file system is mounted read-only; mount it writable, then repeat");
	else if (r == -ENOSPC || r == -EDQUOT)
		(void) sp_error_hint(err, "make room on its file system, then repeat");
	else if (r == -EEXIST)
		(void) sp_error_hint(err, "remove the file '.*.strix-*' that is in the way beside it");
	return sp_error_path(err, e->path);
}

/* Also a file that is kept: what was decided about it was decided on what was read. */
static int check_before(struct sp_txn *t, const struct sp_edit *e, struct sp_folder *folder, struct sp_error **err)
{
	const char *name = NULL;
	int dir = sp_folder_open(folder, t->store->root, e->path, &name);
	bool same = false;

	if (dir == -ENOENT)
		return e->before.exists ? changed_under_us(err, e->path) : 0;
	int r = dir < 0 ? dir : sp_disk_equals(dir, name, &e->before, &same);
	if (r < 0)
		return sp_error_errno(err, r, "cannot read '%s'", e->path);
	if (!same)
		return changed_under_us(err, e->path);
	/* Before it is our list, so that an undo leaves what is not ours. */
	r = e->op == SP_OP_KEEP ? 0 : sp_folder_has_slots(folder, name);
	return r == 0 ? 0 : write_failed(err, r > 0 ? -EEXIST : r, e);
}

/*
 * The list of what will be touched is durable before anything is: one sync for the journal, the images and their folders.
 * Then the link, by which whoever comes after a crash finds them.
 */
static int make_known(struct sp_txn *t)
{
	sp_autofree char *text = sp_xasprintf("tx/%" PRIu64, t->id);
	int r = sp_durable_sync_fs(t->store->dir);

	if (r < 0 || t->known)
		return r;
	r = sp_durable_symlink(text, t->store->dir, "open");
	t->known = r == 0;
	return r == 0 ? sp_durable_sync(t->store->dir) : r;
}

static int journal_files(struct sp_txn *t, size_t first, struct sp_error **err)
{
	json_t *files = json_array(), *dirs = json_array();
	struct sp_images images = { .at = t->images_len };
	struct sp_strv missing = { 0 };
	int r = 0;

	for (size_t i = first; i < t->n_edits; i++) {
		json_array_append_new(files, sp_record_from_edit(t->edits[i], &images, &r));
		if (i == first || !same_folder(t->edits[i - 1]->path, t->edits[i]->path))
			sp_missing_parents(t->store->root, t->edits[i]->path, &missing);
	}
	for (size_t i = 0; i < missing.n; i++)
		json_array_append_new(dirs, json_string(missing.v[i]));
	sp_strv_copy(&t->made_dirs, &missing);
	sp_strv_clear(&missing);
	json_t *record = json_pack("{s:s, s:o, s:o}", "type", "files", "files", files, "dirs", dirs);
	if (r == 0)
		r = sp_durable_write(t->images, images.bytes.data, images.bytes.len);
	t->images_len += images.bytes.len;
	sp_buf_clear(&images.bytes);
	if (r == 0)
		r = sp_journal_append(&t->journal, record, false);
	json_decref(record);
	if (r == 0)
		r = make_known(t);
	return r < 0 ? sp_error_errno(err, r, "cannot write the journal of transaction %" PRIu64, t->id) : 0;
}

static int count_filesystem(struct sp_txn *t, struct sp_folder *folder, const char *path)
{
	int r = folder->counted ? 0 : sp_filesystems_add(&t->filesystems, folder->fd, path);

	folder->counted = r == 0;
	return r;
}

static int stage_one(struct sp_txn *t, const struct sp_edit *e, struct sp_folder *folder)
{
	const char *name = NULL;
	int dir = sp_folder_open(folder, t->store->root, e->path, &name);

	if (dir == -ENOENT) {
		dir = sp_stage_parents(t->store->root, e->path, NULL);
		if (dir == 0)
			dir = sp_folder_open(folder, t->store->root, e->path, &name);
	}
	int r = dir < 0 ? dir : count_filesystem(t, folder, e->path);
	if (r < 0 || e->op == SP_OP_DELETE)
		return r;
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_NEW);
	if (e->before.exists || e->exact_meta)
		return sp_stage_image(dir, sp_folder_ground(folder), temp, &e->after, e->exact_meta);
	/* A new file has the owner of its folder: root's in /etc, the builder's in an image tree. */
	struct sp_image image = e->after;
	struct stat st;
	if (fstat(dir, &st) < 0)
		return -errno;
	image.meta.uid = st.st_uid;
	image.meta.gid = st.st_gid;
	return sp_stage_image(dir, sp_folder_ground(folder), temp, &image, false);
}

static int prepared(struct sp_txn *t, struct sp_error **err)
{
	int r = sp_filesystems_settle(&t->filesystems, SP_SETTLE_HOME, err);

	if (r < 0)
		return r;
	r = journal_event(t, "prepared", true);
	if (r < 0)
		return sp_error_errno(err, r, "cannot write the journal of transaction %" PRIu64, t->id);
	t->state = SP_TXN_PREPARED;
	t->n_prepared = t->n_edits;
	return 0;
}

int sp_txn_stage(struct sp_txn *t, const struct sp_edits *edits, struct sp_error **err)
{
	const size_t first = t->n_edits;
	sp_autofolder struct sp_folder folder = SP_NO_FOLDER;
	int r = 0;

	t->edits = sp_xrealloc(t->edits, t->n_edits + edits->n, sizeof(*t->edits));
	for (size_t i = 0; i < edits->n; i++) {
		r = check_before(t, &edits->v[i], &folder, err);
		if (r < 0)
			return r;
		if (edits->v[i].op != SP_OP_KEEP)
			t->edits[t->n_edits++] = &edits->v[i];
	}
	r = journal_files(t, first, err);
	if (r < 0)
		return r;
	for (size_t i = first; i < t->n_edits; i++) {
		r = stage_one(t, t->edits[i], &folder);
		if (r < 0)
			return write_failed(err, r, t->edits[i]);
	}
	return prepared(t, err);
}

int sp_txn_drop_dirs(struct sp_txn *t, const struct sp_strv *dirs, struct sp_error **err)
{
	json_t *names = json_array();

	for (size_t i = 0; i < dirs->n; i++)
		json_array_append_new(names, json_string(dirs->v[i]));
	json_t *record = json_pack("{s:s, s:o}", "type", "drop", "dirs", names);
	int r = sp_journal_append(&t->journal, record, false);
	json_decref(record);
	if (r < 0)
		return sp_error_errno(err, r, "cannot write the journal of transaction %" PRIu64, t->id);
	sp_strv_copy(&t->drop_dirs, dirs);
	return 0;
}

/* --- publish --------------------------------------------------------------------------------------------------- */

/*
 * A run of files of one folder: each swap is complete by itself. On FAT they are made durable one at a time, so that at
 * every instant all entries but one are there in one piece.
 */
static int publish_run(struct sp_txn *t, size_t from, size_t *ret_to)
{
	sp_autofree char *unused = NULL;
	sp_autoclose int dir = sp_root_open_parent(t->store->root, t->edits[from]->path, &unused);
	size_t to = from;
	int r = dir < 0 ? dir : 0;
	const bool fat = dir >= 0 && sp_is_fat(dir);

	while (r == 0 && to < t->n_edits && same_folder(t->edits[from]->path, t->edits[to]->path) && !(fat && to > from)) {
		const struct sp_edit *e = t->edits[to];
		r = sp_publish_one(dir, strrchr(e->path, '/') + 1, SP_SLOT_NEW, &e->before, &e->after);
		*ret_to = to;
		if (r == 0)
			*ret_to = ++to;
	}
	return r == 0 && fat ? sp_sync_all(dir) : r;
}

int sp_txn_publish(struct sp_txn *t, struct sp_error **err)
{
	while (t->n_published < t->n_edits) {
		size_t to = t->n_published;
		int r = publish_run(t, t->n_published, &to);
		if (r == -ESTALE)
			return changed_under_us(err, t->edits[to]->path);
		if (r < 0)
			return write_failed(err, r, t->edits[to < t->n_edits ? to : t->n_edits - 1]);
		t->n_published = to;
	}
	return sp_filesystems_settle(&t->filesystems, SP_SETTLE_HOME, err);
}

/* --- commit ---------------------------------------------------------------------------------------------------- */

/* Whoever had a file open when it was displaced may have written to it since: nobody would see that any more. */
static int check_displaced(struct sp_txn *t, const struct sp_edit *e, struct sp_folder *folder, struct sp_error **err)
{
	const char *name = NULL;
	int dir = sp_folder_open(folder, t->store->root, e->path, &name);
	bool same = false, none = false;

	if (dir < 0)
		return sp_error_errno(err, dir, "cannot open the folder of '%s'", e->path);
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_NEW);
	int r = sp_disk_equals(dir, temp, &e->before, &same);
	if (r == 0 && !same)
		r = sp_disk_equals(dir, temp, &(struct sp_image){ 0 }, &none);
	if (r < 0)
		return sp_error_errno(err, r, "cannot read what '%s' was", e->path);
	return same || none ? 0 : changed_under_us(err, e->path);
}

int sp_txn_commit(struct sp_txn *t, struct sp_error **err)
{
	sp_autofolder struct sp_folder folder = SP_NO_FOLDER;

	for (size_t i = 0; i < t->n_published; i++) {
		int r = check_displaced(t, t->edits[i], &folder, err);
		if (r < 0)
			return r;
	}
	int r = journal_event(t, "committed", true);
	if (r < 0)
		return sp_error_errno(err, r, "cannot write the journal of transaction %" PRIu64, t->id);
	t->state = SP_TXN_COMMITTED;
	return 0;
}

/* Whatever was left beside the targets. */
static int remove_leftovers(struct sp_txn *t, const struct sp_edit *e, struct sp_folder *folder)
{
	const char *name = NULL;
	int dir = sp_folder_open(folder, t->store->root, e->path, &name);

	if (dir == -ENOENT || dir == -ENOTDIR)
		return 0;
	int r = dir < 0 ? dir : count_filesystem(t, folder, e->path);
	return r < 0 ? r : sp_folder_drop_slots(folder, name);
}

int sp_txn_finish(struct sp_txn *t, struct sp_error **err)
{
	sp_autofolder struct sp_folder folder = SP_NO_FOLDER;

	for (size_t i = 0; i < t->n_edits; i++) {
		int r = remove_leftovers(t, t->edits[i], &folder);
		if (r < 0)
			return sp_error_errno(err, r, "cannot remove what was left beside '%s'", t->edits[i]->path);
	}
	int r = sp_remove_dirs(t->store->root, &t->drop_dirs);
	if (r < 0)
		return sp_error_errno(err, r, "cannot remove an empty folder that was made by us");
	r = sp_filesystems_settle(&t->filesystems, SP_SETTLE_DURABLE, err);
	if (r < 0)
		return r;
	r = journal_event(t, "done", false); /* lost in a crash, it is said again */
	if (r == 0)
		r = sp_durable_unlink(t->store->dir, "open");
	if (r < 0)
		return sp_error_errno(err, r, "cannot end the journal of transaction %" PRIu64, t->id);
	t->state = SP_TXN_DONE;
	return 0;
}
