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
 * What waits under the first temporary name tells how far the file came. Until the swap it is the new file; from the
 * swap on what came out: the old file, or an edit that somebody made between our look and the swap. A removal has
 * nothing waiting until the file is moved there.
 */
enum waiting { WAITS_NOTHING, WAITS_NEW, WAITS_OLD, WAITS_FOREIGN };

static int look_at_waiting(int dir, const char *name, const struct sp_edit *e, enum waiting *ret)
{
	static const struct sp_image absent;
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_NEW);
	bool none = false, is_new = false, is_old = false;
	int r = sp_disk_equals(dir, temp, &absent, &none);

	if (r == 0 && !none && e->after.exists)
		r = sp_disk_equals(dir, temp, &e->after, &is_new);
	if (r == 0 && !none && e->before.exists)
		r = sp_disk_equals(dir, temp, &e->before, &is_old);
	*ret = none ? WAITS_NOTHING : is_new ? WAITS_NEW : is_old ? WAITS_OLD : WAITS_FOREIGN;
	return r;
}

/* One at a time on FAT; elsewhere all of them are made durable before the journal says that it is undone. */
static int sync_if_fat(int dir)
{
	return sp_is_fat(dir) ? sp_sync_all(dir) : 0;
}

/* The displaced file itself goes back: no space is needed for that, and nothing about it can have changed. */
static int swap_back(int dir, const char *name, const struct sp_edit *e)
{
	int r = sp_publish_one(dir, name, SP_SLOT_NEW, &e->after, &e->before);

	return r < 0 ? r : sync_if_fat(dir);
}

/* From the image, with owner, mode, attributes and mtime, in the place of `now`. */
static int restore(int dir, const char *name, const struct sp_edit *e, const struct sp_image *now)
{
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_UNDO);
	int r = sp_durable_unlink(dir, temp); /* of an undo that was cut short */

	if (r == 0 && e->before.exists) {
		r = sp_stage_image(dir, sp_ground_of(dir), temp, &e->before, true);
		if (r == 0)
			r = sp_sync_all(dir); /* complete before it has its name */
	}
	if (r == 0)
		r = sp_publish_one(dir, name, SP_SLOT_UNDO, now, &e->before);
	return r < 0 ? r : sync_if_fat(dir);
}

static bool meta_differs(int dir, const char *name, const struct sp_image *image)
{
	const struct sp_meta *m = &image->meta;
	struct stat st;

	if (!image->exists)
		return false;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return true; /* rather once too often than not at all */
	if (st.st_mtim.tv_sec != m->mtime.tv_sec || st.st_mtim.tv_nsec != m->mtime.tv_nsec)
		return true;
	return !sp_is_fat(dir) && ((st.st_mode & 07777) != m->mode || st.st_uid != m->uid || st.st_gid != m->gid);
}

/* Somebody's edit goes back to its place. -EEXIST: there is another one; both stay where they are. */
static int give_back(int dir, const char *name, const struct sp_edit *e)
{
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_NEW);
	static const struct sp_image absent;
	bool ours = false, none = false;
	int r = sp_disk_equals(dir, name, &absent, &none);

	if (r == 0 && e->after.exists)
		r = sp_disk_equals(dir, name, &e->after, &ours);
	if (r < 0)
		return r;
	if (!none && !ours)
		return -EEXIST;
	r = none ? sp_durable_rename_new(dir, temp, name) : sp_durable_exchange(dir, temp, name);
	if (r == -EINVAL || r == -ENOSYS) /* no exchange here: ours is lost with it, as it would be anyway */
		r = sp_durable_rename_over(dir, temp, name);
	return r < 0 ? r : sync_if_fat(dir);
}

/*
 * An exchange on FAT is two sectors, and the power may fail between them: both names then have one content and share its
 * space, and to remove the one takes it from the other. fsck.fat, which comes before us where it is set up, empties one of
 * the two. Either way the image has what was there; it gets space of its own. *ret: nothing else is to be done.
 */
static int mend_torn(int dir, const char *name, const struct sp_edit *e, enum waiting *waiting, bool *ret)
{
	static const struct sp_image empty = { .exists = true };
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_NEW);
	bool old = false, ours = false, emptied = false, temp_emptied = false;
	int r = sp_disk_equals(dir, name, &e->before, &old);

	if (r == 0)
		r = sp_disk_equals(dir, name, &e->after, &ours);
	if (r == 0)
		r = sp_disk_equals(dir, name, &empty, &emptied);
	if (r == 0)
		r = sp_disk_equals(dir, temp, &empty, &temp_emptied);
	if (r < 0 || (old && ours))
		return r;
	if (*waiting == WAITS_FOREIGN && temp_emptied)
		*waiting = WAITS_NOTHING;
	const bool shared = (old && *waiting == WAITS_OLD) || (ours && *waiting == WAITS_NEW);
	*ret = shared || (emptied && !old && !ours && *waiting != WAITS_FOREIGN);
	return *ret ? restore(dir, name, e, old ? &e->before : ours ? &e->after : &empty) : 0;
}

/* -ESTALE: the file is neither old nor ours. */
static int put_back(int dir, const char *name, const struct sp_edit *e, enum waiting waiting)
{
	static const struct sp_image absent;
	bool old = false, ours = false, none = false;
	int r = sp_disk_equals(dir, name, &e->before, &old);

	if (r == 0)
		r = sp_disk_equals(dir, name, &e->after, &ours);
	if (r == 0)
		r = sp_disk_equals(dir, name, &absent, &none);
	if (r < 0)
		return r;
	if (ours && old)
		return meta_differs(dir, name, &e->before) ? restore(dir, name, e, &e->after) : 0;
	if (ours)
		return waiting == WAITS_OLD ? swap_back(dir, name, e) : restore(dir, name, e, &e->after);
	if (none && !old && sp_is_fat(dir)) /* a power cut there can lose both names */
		return restore(dir, name, e, &absent);
	return old ? 0 : -ESTALE;
}

/* -EEXIST: as -ESTALE, and what waits is somebody's, too. */
static int undo_prepared(int dir, const char *name, const struct sp_edit *e, enum sp_slot *kept)
{
	const bool same_bytes = e->before.exists && e->after.exists && sp_buf_eq(&e->before.bytes, &e->after.bytes);
	enum waiting waiting = WAITS_NOTHING;
	struct stat st;
	int r = look_at_waiting(dir, name, e, &waiting);

	bool mended = false;
	if (r == 0 && sp_is_fat(dir))
		r = mend_torn(dir, name, e, &waiting, &mended);
	if (r < 0 || mended)
		return r;
	if (waiting == WAITS_NEW && !same_bytes)
		return 0; /* it was never published, or taken back */
	if (waiting == WAITS_NOTHING && e->op == SP_OP_DELETE && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (waiting != WAITS_FOREIGN)
		return put_back(dir, name, e, waiting);
	r = give_back(dir, name, e);
	*kept = r < 0 ? SP_SLOT_NEW : SP_SLOT__NONE;
	return r;
}

/* What is neither old nor ours is told in `stuck`. */
static int undo_one(struct sp_txn *t, const struct sp_edit *e, bool was_prepared, struct sp_strv *stuck)
{
	sp_autofree char *name = NULL;
	sp_autoclose int dir = sp_root_open_parent(t->store->root, e->path, &name);
	enum sp_slot kept = SP_SLOT__NONE;

	if (dir == -ENOENT && !e->before.exists)
		return 0; /* its folder was not made yet, or is gone again */
	int r = dir < 0 ? dir : sp_filesystems_add(&t->filesystems, dir, e->path);
	if (r == 0 && was_prepared)
		r = undo_prepared(dir, name, e, &kept);
	if (r == -ESTALE)
		sp_strv_addf(stuck, "'%s'", e->path);
	else if (r == -EEXIST)
		sp_strv_addf(stuck, "'%s' (twice: what stood there first is '.%s.strix-new' beside it)", e->path, name);
	else if (r < 0)
		return r;
	return sp_drop_slots(dir, name, kept);
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
	}
	return r;
}

/* Also where making it was said to have failed. Another transaction's stays. */
static int drop_link(const struct sp_txn *t)
{
	uint64_t id = 0;

	return sp_store_open_id(t->store, &id) == 0 && id != t->id ? 0 : sp_durable_unlink(t->store->dir, "open");
}

static int mark_undone(struct sp_txn *t, struct sp_error **err)
{
	json_t *record = json_pack("{s:s}", "type", "undone");
	int r = sp_journal_append(&t->journal, record, true);

	json_decref(record);
	if (r == 0)
		r = drop_link(t);
	if (r < 0)
		return sp_error_errno(err, r, "cannot end the journal of transaction %" PRIu64, t->id);
	t->state = SP_TXN_UNDONE;
	return 0;
}

int sp_txn_undo(struct sp_txn *t, struct sp_error **err)
{
	sp_autostrv struct sp_strv stuck = { 0 };
	/* A record that we do not know to be on disk: "committed" must not be found there when all is put back. */
	int r = sp_journal_mend(&t->journal);

	if (r < 0) {
		(void) sp_error_errno(err, r, "cannot write the journal of transaction %" PRIu64, t->id);
		(void) sp_error_exit(err, SP_EXIT_RECOVER);
		return sp_error_hint(err, "mend its file system, then run: strix-provision recover");
	}
	const bool last = t->record.attribute.last;
	if (last)
		r = sp_undo_attribute(t, err);
	for (size_t i = r < 0 ? 0 : t->n_edits; i > 0; i--) {
		const struct sp_edit *e = t->edits[i - 1];
		int one = undo_one(t, e, i - 1 < t->n_prepared, &stuck);
		if (one < 0 && r == 0) { /* the others are put back all the same */
			(void) sp_error_errno(err, one, "cannot put back '%s'", e->path);
			r = one;
		}
	}
	if (r == 0) {
		r = sp_remove_dirs(t->store->root, &t->made_dirs);
		if (r < 0)
			(void) sp_error_errno(err, r, "cannot remove a folder that was made");
	}
	if (r == 0)
		r = sp_filesystems_settle(&t->filesystems, t->n_prepared ? SP_SETTLE_HOME : SP_SETTLE_DURABLE, err);
	if (r == 0 && !last)
		r = sp_undo_attribute(t, err);
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
	int r = sp_claim_record(t->dir);

	if (r < 0)
		return r;
	t->journal.fd = sp_durable_reopen(t->dir, "journal");
	if (t->journal.fd < 0)
		return t->journal.fd;
	t->images = sp_durable_reopen(t->dir, "images");
	if (t->images < 0)
		return t->images;
	r = sp_journal_read(t->journal.fd, &journal, &end);
	if (r < 0)
		return r;
	t->journal.next = json_array_size(journal);
	t->journal.end = (off_t) end;
	t->journal.torn = true; /* new records must not stand behind a torn tail */
	r = t->journal.next ? sp_journal_mend(&t->journal) : -EBADMSG;
	if (r == 0)
		r = sp_record_fold(journal, t->images, &t->record);
	json_decref(journal);
	return r;
}

static int reopen(struct sp_store *store, struct sp_txn *t)
{
	sp_autofree char *id = sp_xasprintf("%" PRIu64, t->id);
	int r = sp_filesystems_add(&t->filesystems, store->dir, SP_STATE_DIR);

	if (r < 0)
		return r;
	t->dir = openat(store->tx, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->dir < 0)
		return -errno;
	r = reopen_files(t);
	if (r < 0)
		return r;
	t->known = true;
	t->state = t->record.state;
	t->n_prepared = t->record.n_prepared;
	t->n_edits = t->record.edits.n;
	t->edits = sp_xcalloc(t->n_edits, sizeof(*t->edits));
	for (size_t i = 0; i < t->n_edits; i++)
		t->edits[i] = &t->record.edits.v[i];
	sp_strv_copy(&t->made_dirs, &t->record.made_dirs);
	sp_strv_copy(&t->drop_dirs, &t->record.drop_dirs);
	return 0;
}

/* On a full or read-only disk the journal is good, and must not be given up. */
static int still_open(struct sp_error **err, int r)
{
	(void) sp_error_exit(err, SP_EXIT_RECOVER);
	if (r != -EBADMSG && r != -ENOENT && r != -ENOTDIR && r != -ELOOP && r != -EFBIG)
		return sp_error_hint(err, "mend its file system, then run: strix-provision recover");
	return sp_error_hint(err, "keep a copy of %s, check the files it lists, then remove %s/open", SP_STATE_DIR,
			     SP_STATE_DIR);
}

int sp_txn_reopen(struct sp_store *store, struct sp_txn **ret, struct sp_error **err)
{
	struct sp_txn *t = sp_xcalloc(1, sizeof(*t));

	*ret = NULL;
	*t = (struct sp_txn){ .store = store, .dir = -1, .images = -1, .journal.fd = -1 };
	int r = sp_store_open_id(store, &t->id);
	if (r == -ENOENT) {
		sp_txn_free(t);
		return 0;
	}
	if (r == 0)
		r = reopen(store, t);
	if (r == -EUCLEAN) {
		sp_autofree char *what = sp_xasprintf("tx/%" PRIu64, t->id);
		sp_txn_free(t);
		return sp_not_ours(err, what);
	}
	if (r < 0) {
		sp_txn_free(t);
		(void) sp_error_errno(err, r, "the journal of the interrupted transaction '%s/open' cannot be used",
				      SP_STATE_DIR);
		return still_open(err, r);
	}
	if (t->state != SP_TXN_DONE && t->state != SP_TXN_UNDONE) {
		*ret = t;
		return 0;
	}
	sp_txn_free(t);
	r = sp_durable_unlink(store->dir, "open"); /* died between the last record and this */
	if (r == 0)
		return 0;
	(void) sp_error_errno(err, r, "cannot remove '%s/open'", SP_STATE_DIR);
	return still_open(err, r);
}
