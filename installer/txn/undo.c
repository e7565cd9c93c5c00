/* SPDX-License-Identifier: MIT */
/*
 * Back to before: of a transaction that failed, or that a crash left behind.
 * Every step looks at the disk first, so a crash in here is followed by the
 * same steps again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/durable.h"
#include "txn/internal.h"

/*
 * What waits under the temporary name after a swap is the file that was there. If it is neither the old nor the new
 * one, somebody's edit came between our look and the swap, and we died before taking the swap back.
 */
static int give_back_foreign(int dir, const char *name, const struct sp_edit *e, bool *ret)
{
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_NEW);
	bool ours = false, old = false;
	struct stat st;

	*ret = false;
	if (fstatat(dir, temp, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	int r = sp_disk_equals(dir, temp, &e->after, &ours);
	if (r == 0)
		r = sp_disk_equals(dir, temp, &e->before, &old);
	if (r < 0 || ours || old)
		return r;
	*ret = true;
	r = e->after.exists ? sp_durable_exchange(dir, temp, name) : sp_durable_rename_new(dir, temp, name);
	return r == -EEXIST ? 0 : r;
}

/* Put the old file in the place of ours, with its owner, mode, attributes and mtime. */
static int restore(int dir, const char *name, const struct sp_edit *e)
{
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_UNDO);
	int r = sp_durable_unlink(dir, temp); /* of an undo that was cut short */

	if (r == 0 && e->before.exists)
		r = sp_stage_image(dir, temp, &e->before, true);
	if (r == 0)
		r = sp_publish_one(dir, name, SP_SLOT_UNDO, &e->after, &e->before);
	if (r == 0)
		r = sp_durable_sync(dir);
	if (r == 0 && sp_is_fat(dir))
		r = sp_durable_sync_fs(dir);
	return r;
}

static bool meta_differs(int dir, const char *name, const struct sp_image *image)
{
	struct stat st;

	return image->exists && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mtim.tv_sec != image->meta.mtime.tv_sec || st.st_mtim.tv_nsec != image->meta.mtime.tv_nsec ||
		(st.st_mode & 07777) != image->meta.mode);
}

/* -ESTALE: the file is neither old nor ours. */
static int undo_published(int dir, const char *name, const struct sp_edit *e)
{
	bool foreign = false, old = false, ours = false;
	int r = give_back_foreign(dir, name, e, &foreign);

	if (r < 0 || foreign)
		return r < 0 ? r : -ESTALE;
	r = sp_disk_equals(dir, name, &e->before, &old);
	if (r == 0)
		r = sp_disk_equals(dir, name, &e->after, &ours);
	if (r < 0)
		return r;
	if (ours && (!old || meta_differs(dir, name, &e->before)))
		return restore(dir, name, e);
	return old ? 0 : -ESTALE;
}

static int drop_slots(int dir, const char *name)
{
	bool any = false;
	struct stat st;
	int r = 0;

	for (enum sp_slot s = SP_SLOT_NEW; s <= SP_SLOT_OLD && r == 0; s++) {
		sp_autofree char *temp = sp_slot_name(name, s);
		any = any || fstatat(dir, temp, &st, AT_SYMLINK_NOFOLLOW) == 0;
		r = sp_durable_unlink(dir, temp);
	}
	return r < 0 || !any ? r : sp_durable_sync(dir);
}

static int undo_one(struct sp_txn *t, const struct sp_edit *e, bool was_prepared)
{
	sp_autofree char *name = NULL;
	sp_autoclose int dir = sp_root_open_parent(t->store->root, e->path, &name);

	if (dir == -ENOENT && !e->before.exists)
		return 0; /* its folder was not made yet, or is gone again */
	if (dir < 0)
		return dir;
	int r = was_prepared ? undo_published(dir, name, e) : 0;
	if (r < 0 && r != -ESTALE)
		return r;
	int dropped = drop_slots(dir, name);
	return dropped < 0 ? dropped : r;
}

int sp_remove_dirs(const struct sp_root *root, const struct sp_strv *dirs)
{
	int r = 0;

	for (size_t i = dirs->n; i > 0 && r == 0; i--) { /* innermost first */
		sp_autofree char *name = NULL;
		sp_autoclose int dir = sp_root_open_parent(root, dirs->v[i - 1], &name);
		if (dir == -ENOENT || dir == -ENOTDIR)
			continue;
		r = dir < 0 ? dir : sp_durable_rmdir(dir, name);
		if (r == 0)
			r = sp_durable_sync(dir);
	}
	return r;
}

static int mark_undone(struct sp_txn *t, struct sp_error **err)
{
	json_t *record = json_pack("{s:s}", "type", "undone");
	int r = sp_journal_append(&t->journal, record, true);

	json_decref(record);
	if (r == 0)
		r = sp_durable_unlink(t->store->dir, "open");
	if (r < 0)
		return sp_error_errno(err, r, "cannot end the journal of transaction %" PRIu64, t->id);
	t->state = SP_TXN_UNDONE;
	return 0;
}

/* Of the edits, how many may have been published: all that a "prepared" covers. */
static size_t n_prepared(const struct sp_txn *t)
{
	if (t->state == SP_TXN_OPEN)
		return 0;
	return t->record.n_prepared ? t->record.n_prepared : t->n_edits;
}

static int quiesce_all(struct sp_txn *t, struct sp_error **err)
{
	struct sp_edits all = { 0 };

	if (t->state == SP_TXN_OPEN)
		return 0;
	for (size_t i = 0; i < t->n_edits; i++) { /* a view: nothing in it is owned */
		all.v = sp_xrealloc(all.v, all.n + 1, sizeof(*all.v));
		all.v[all.n++] = *t->edits[i];
	}
	int r = sp_quiesce(t->store, &all, err);
	free(all.v);
	return r;
}

int sp_txn_undo(struct sp_txn *t, struct sp_error **err)
{
	sp_autostrv struct sp_strv stuck = { 0 };
	int r = 0;

	for (size_t i = t->n_edits; i > 0; i--) {
		const struct sp_edit *e = t->edits[i - 1];
		int one = undo_one(t, e, i - 1 < n_prepared(t));
		if (one == -ESTALE) {
			sp_strv_addf(&stuck, "'%s'", e->path);
		} else if (one < 0 && r == 0) { /* the others are put back all the same */
			(void) sp_error_errno(err, one, "cannot put back '%s'", e->path);
			r = one;
		}
	}
	if (r == 0)
		r = quiesce_all(t, err);
	if (r == 0) {
		r = sp_remove_dirs(t->store->root, &t->made_dirs);
		if (r < 0)
			(void) sp_error_errno(err, r, "cannot remove a folder that was made");
	}
	if (r == 0)
		r = mark_undone(t, err);
	if (r < 0) {
		(void) sp_error_exit(err, SP_EXIT_RECOVER);
		(void) sp_error_hint(err, "mend what it names, then run: strix-provision recover");
		return r;
	}
	if (stuck.n == 0)
		return 0;
	sp_autofree char *names = sp_strv_join(&stuck, ", ");
	(void) sp_error_set(err, -EUCLEAN, "the rest is put back, but somebody else has changed %s meanwhile", names);
	(void) sp_error_exit(err, SP_EXIT_RECOVER);
	return sp_error_hint(err, "what was there before is in %s/tx/%" PRIu64 "/images", SP_STATE_DIR, t->id);
}

/* --- after a crash --------------------------------------------------------------------------------------------- */

static int reopen_files(struct sp_txn *t)
{
	json_t *journal = NULL;
	size_t end = 0;
	int r;

	t->journal.fd = sp_durable_open_append(t->dir, "journal", 0600);
	if (t->journal.fd < 0)
		return t->journal.fd;
	t->images = sp_durable_open_append(t->dir, "images", 0600);
	if (t->images < 0)
		return t->images;
	r = sp_journal_read(t->journal.fd, &journal, &end);
	if (r < 0)
		return r;
	t->journal.next = json_array_size(journal);
	if (ftruncate(t->journal.fd, (off_t) end) < 0) /* the torn tail: new records must not stand behind it */
		r = -errno;
	if (r == 0)
		r = sp_record_fold(journal, t->images, &t->record);
	json_decref(journal);
	return r;
}

static int reopen(struct sp_store *store, const char *id, struct sp_txn *t)
{
	int r = sp_parse_u64(id, &t->id);

	if (r < 0)
		return -EBADMSG;
	t->dir = openat(store->tx, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->dir < 0)
		return -errno;
	r = reopen_files(t);
	if (r < 0)
		return r;
	t->state = t->record.state;
	t->n_edits = t->record.edits.n;
	t->edits = sp_xcalloc(t->n_edits, sizeof(*t->edits));
	for (size_t i = 0; i < t->n_edits; i++)
		t->edits[i] = &t->record.edits.v[i];
	sp_strv_copy(&t->made_dirs, &t->record.made_dirs);
	sp_strv_copy(&t->drop_dirs, &t->record.drop_dirs);
	return 0;
}

int sp_txn_reopen(struct sp_store *store, struct sp_txn **ret, struct sp_error **err)
{
	char text[64] = { 0 };
	struct sp_txn *t = NULL;

	*ret = NULL;
	if (readlinkat(store->dir, "open", text, sizeof(text) - 1) < 0)
		return errno == ENOENT ? 0 : sp_error_errno(err, -errno, "cannot read '%s/open'", SP_STATE_DIR);
	t = sp_xcalloc(1, sizeof(*t));
	*t = (struct sp_txn){ .store = store, .dir = -1, .images = -1, .journal.fd = -1 };
	int r = sp_startswith(text, "tx/") ? reopen(store, text + 3, t) : -EBADMSG;
	if (r < 0) {
		sp_txn_free(t);
		(void) sp_error_errno(err, r, "the journal of the interrupted transaction '%s/%s' cannot be used", SP_STATE_DIR,
				      text);
		(void) sp_error_exit(err, SP_EXIT_RECOVER);
		return sp_error_hint(err, "keep a copy of %s, check the files it lists, then remove %s/open", SP_STATE_DIR,
				     SP_STATE_DIR);
	}
	if (t->state != SP_TXN_DONE && t->state != SP_TXN_UNDONE) {
		*ret = t;
		return 0;
	}
	sp_txn_free(t);
	r = sp_durable_unlink(store->dir, "open"); /* died between the last record and this */
	return r < 0 ? sp_error_errno(err, r, "cannot remove '%s/open'", SP_STATE_DIR) : 0;
}
