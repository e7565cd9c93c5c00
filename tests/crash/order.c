/* SPDX-License-Identifier: MIT */
/*
 * What is on disk for certain? Content of a file, and names in a folder, are durable once an fsync of it, or a syncfs (or
 * freeze) of its file system, has succeeded after the last change. From that these rules are checked, call by call:
 *
 *   listed     the link to a journal is made when its first record is durable, and a temporary name or a folder in the
 *              tree when the journal that lists it and the link are
 *   content    a file gets its final name when its content is durable
 *   prepared   PREPARED is written when the images it speaks of are durable, and a final name changes when it is
 *   committed  COMMITTED is written when every published file and its folder are durable; nothing is tidied up, and
 *              state.json does not tell of it, before it is; nothing is put back while it may be on disk
 *   home       where a boot loader reads, which replays no journal, a syncfs or freeze comes before the first publish and
 *              after the last
 *   ended      DONE or UNDONE is written when everything in the tree is durable; the link to the journal goes when
 *              UNDONE is durable, or state.json that tells of COMMITTED
 *   in-place   nothing in the tree is written under its final name
 *
 * The record is what counts: whether one sync a file or one a file system does it is not asked.
 */
#include "crash.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "disk.h"
#include "journal-text.h"

struct order {
	struct disk disk;
	size_t at, publishes;
	bool open; /* the link to the journal is there */
	struct journal_text journal;
	struct sp_strv listed, prepared; /* of the journal, what is durable */
	bool maybe_committed;		 /* COMMITTED was written, and may be on disk though it was taken back */
	struct sp_strv broken;
};

struct order *order_new(void)
{
	return sp_xcalloc(1, sizeof(struct order));
}

void order_free(struct order *o)
{
	disk_clear(&o->disk);
	journal_text_clear(&o->journal);
	sp_strv_clear(&o->listed);
	sp_strv_clear(&o->prepared);
	sp_strv_clear(&o->broken);
	free(o);
}

const struct sp_strv *order_broken(const struct order *o)
{
	return &o->broken;
}

size_t order_publishes(const struct order *o)
{
	return o->publishes;
}

static void broken(struct order *o, const char *rule, const char *path, const char *what)
{
	sp_strv_addf(&o->broken, "call %zu: %s: %s: %s", o->at + 1, rule, path ? path : "?", what);
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static bool is_state(const char *path)
{
	const size_t n = strlen(STATE_DIR);

	return strncmp(path, STATE_DIR, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* What another program writes for us: nothing depends on it, and its coming and going makes no other name less durable. */
static bool is_scratch(const char *path)
{
	return path && sp_startswith(path, STATE_DIR "/scratch");
}

static bool is_above_state(const char *path)
{
	return sp_startswith(STATE_DIR, path) && STATE_DIR[strlen(path)] == '/';
}

static bool is_tree(const char *path)
{
	return path && !is_state(path) && !is_above_state(path) && !sp_startswith(path, "/proc/") &&
	       !sp_startswith(path, "/sys/");
}

/* "/etc/.grub.strix-new" -> "/etc/grub"; NULL: it is no temporary name. Owned. */
static char *slot_target(const char *path)
{
	static const char *const ends[] = { ".strix-new", ".strix-undo", ".strix-old" };
	const char *name = strrchr(path, '/');

	for (size_t i = 0; name && name[1] == '.' && i < SP_ELEMENTS(ends); i++)
		if (sp_endswith(name, ends[i]))
			return sp_xasprintf("%.*s/%.*s", (int) (name - path), path,
					    (int) (strlen(name) - strlen(ends[i]) - 2), name + 2);
	return NULL;
}

static bool is_final(const char *path)
{
	sp_autofree char *target = is_tree(path) ? slot_target(path) : NULL;

	return is_tree(path) && !target;
}

/* --- what is durable --------------------------------------------------------------------------------------------- */

static bool last_record_is_durable(const struct order *o)
{
	return !o->journal.path || !disk_is_dirty(&o->disk, o->journal.path);
}

static bool is_images(const char *path)
{
	return sp_startswith(path, STATE_DIR "/tx/") && sp_endswith(path, "/images");
}

/* A sync has succeeded; if it was of the journal, what it says now stays. */
static void note_journal(struct order *o)
{
	if (!last_record_is_durable(o))
		return;
	sp_strv_clear(&o->listed);
	sp_strv_clear(&o->prepared);
	sp_strv_copy(&o->listed, &o->journal.listed);
	sp_strv_copy(&o->prepared, &o->journal.prepared);
	o->maybe_committed = o->journal.last == RECORD_COMMITTED;
}

/* The names of the journal and of the images; with `link` also of the link to it. */
static bool journal_has_names(const struct order *o, bool link)
{
	for (size_t i = 0; i < o->disk.n; i++) {
		const char *path = o->disk.v[i].path;
		bool part = is_above_state(path) || sp_startswith(path, STATE_DIR "/tx") || (link && sp_streq(path, STATE_DIR));
		if (o->disk.v[i].dirty && part && !is_images(path) && !sp_streq(path, o->journal.path))
			return false;
	}
	return true;
}

static bool images_are_durable(const struct order *o)
{
	for (size_t i = 0; i < o->disk.n; i++)
		if (o->disk.v[i].dirty && is_images(o->disk.v[i].path))
			return false;
	return true;
}

/* The first thing in the tree that is not on disk; NULL: all is. */
static const char *pending(const struct order *o, bool only_placed)
{
	for (size_t i = 0; i < o->disk.n; i++)
		if (o->disk.v[i].dirty && o->disk.v[i].path && is_tree(o->disk.v[i].path) && (!only_placed || o->disk.v[i].placed))
			return o->disk.v[i].path;
	return NULL;
}

/* --- rules ------------------------------------------------------------------------------------------------------- */

static void check_listed(struct order *o, const char *path)
{
	sp_autofree char *target = slot_target(path);

	if (!is_tree(path))
		return;
	if (!sp_strv_has(&o->listed, target ? target : path) || !journal_has_names(o, true))
		broken(o, "listed", path, "is made before a journal that lists it is durable");
}

/* A final name changes: a new file gets it, or the old one loses it. */
static void check_publish(struct order *o, const char *final)
{
	o->publishes++;
	if (!sp_strv_has(&o->prepared, final) || !journal_has_names(o, true))
		broken(o, "prepared", final, "changes before a PREPARED that covers it is durable");
	if (o->maybe_committed)
		broken(o, "committed", final, "changes while COMMITTED may be on disk");
	if (disk_is_loader(final) && disk_any_staged(&o->disk) && !disk_any_away(&o->disk))
		broken(o, "home", disk_any_staged(&o->disk), "is used before it is home where boot loaders read");
}

static void check_record(struct order *o, enum record type)
{
	const bool end = type == RECORD_DONE || type == RECORD_UNDONE;
	const char *path = pending(o, type == RECORD_COMMITTED);

	if (type == RECORD_PREPARED && !images_are_durable(o))
		broken(o, "prepared", "the images", "are not durable when PREPARED is written");
	if (type != RECORD_COMMITTED && !end)
		return;
	if (path)
		broken(o, end ? "ended" : "committed", path, "is not durable when the record is written");
	if (disk_any_away(&o->disk))
		broken(o, "home", "/boot", "is not home where boot loaders read when the record is written");
}

static void check_end_of_link(struct order *o, const char *path)
{
	const enum record last = o->journal.last;

	if (last != RECORD_DONE && last != RECORD_UNDONE && (o->journal.prepared.n > 0 || pending(o, false)))
		broken(o, "ended", path, "is removed before the transaction has ended");
	else if (last != RECORD_DONE && !last_record_is_durable(o)) /* without DONE it is COMMITTED, and tidied up */
		broken(o, "ended", path, "is removed before the last record is durable");
	else if (last == RECORD_DONE && (disk_is_dirty(&o->disk, STATE_DIR "/state.json") || disk_is_dirty(&o->disk, STATE_DIR)))
		broken(o, "ended", path, "is removed before state.json is durable");
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

/* Something got this name. */
static void place(struct order *o, const char *path, uint64_t dev)
{
	struct thing *moved = disk_find(&o->disk, path), *folder;

	if (is_final(path) && moved && moved->dirty)
		broken(o, "content", path, "gets its name before its content is durable");
	if (moved)
		moved->placed = moved->placed || is_final(path);
	folder = disk_soil_folder(&o->disk, path, dev);
	folder->placed = folder->placed || is_tree(path);
}

static void on_rename(struct order *o, const struct call *c)
{
	const char *final = is_final(c->path2) ? c->path2 : is_final(c->path) ? c->path : NULL;

	if (final)
		check_publish(o, final);
	disk_move(&o->disk, c->path, c->path2, c->fresh);
	place(o, c->path2, c->dev);
	if (c->fresh)
		place(o, c->path, c->dev);
	struct thing *from = disk_soil_folder(&o->disk, c->path, c->dev);
	from->away = from->away || (final && disk_is_loader(final));
	if (sp_streq(c->path2, STATE_DIR "/state.json") && o->journal.last == RECORD_COMMITTED && !last_record_is_durable(o))
		broken(o, "committed", c->path2, "tells of it before COMMITTED is durable");
}

static void on_data(struct order *o, const struct call *c)
{
	const size_t known = o->journal.n;

	disk_soil(&o->disk, c->path, c->dev);
	if (is_final(c->path))
		broken(o, "in-place", c->path, "is written under its final name");
	if (c->type->kind == CALL_CUT && o->journal.path && sp_streq(c->path, o->journal.path))
		journal_text_cut(&o->journal, c->size);
	if (!c->text)
		return;
	journal_text_add(&o->journal, c->path, c->text);
	if (o->journal.n > known)
		check_record(o, o->journal.last);
	o->maybe_committed = o->maybe_committed || o->journal.last == RECORD_COMMITTED;
}

static void on_create(struct order *o, const struct call *c)
{
	if (!c->fresh)
		return;
	check_listed(o, c->path);
	disk_soil(&o->disk, c->path, c->dev);
	disk_soil_folder(&o->disk, c->path, c->dev);
}

static void on_name(struct order *o, const struct call *c)
{
	const bool link = sp_streq(c->path, STATE_DIR "/open");

	if (link && (o->journal.n == 0 || !last_record_is_durable(o) || !journal_has_names(o, false)))
		broken(o, "listed", c->path, "leads to a journal that is not durable");
	o->open = o->open || link;
	check_listed(o, c->path);
	disk_soil_folder(&o->disk, c->path, c->dev);
}

static void on_unlink(struct order *o, const struct call *c)
{
	sp_autofree char *target = slot_target(c->path);

	if (is_tree(c->path) && target && o->journal.last == RECORD_COMMITTED && !last_record_is_durable(o))
		broken(o, "committed", c->path, "is removed before COMMITTED is durable");
	if (sp_streq(c->path, STATE_DIR "/open")) {
		if (o->journal.last != RECORD_NONE)
			check_end_of_link(o, c->path);
		o->open = false;
	}
	disk_forget(&o->disk, c->path);
	disk_soil_folder(&o->disk, c->path, c->dev);
}

static void on_call(struct order *o, const struct call *c)
{
	struct thing *t = c->type->kind == CALL_SYNC ? disk_find(&o->disk, c->path) : NULL;

	switch (c->type->kind) {
	case CALL_CREATE:
		on_create(o, c);
		break;
	case CALL_DATA:
	case CALL_CUT:
		on_data(o, c);
		break;
	case CALL_SYNC:
		if (t)
			t->dirty = false;
		note_journal(o);
		break;
	case CALL_SYNCFS:
		if (c->type->nr != SYS_ioctl || c->size == FIFREEZE)
			disk_wash(&o->disk, c->dev, c->type->fd < 0);
		note_journal(o);
		break;
	case CALL_RENAME:
		on_rename(o, c);
		break;
	case CALL_NAME:
		on_name(o, c);
		break;
	case CALL_UNLINK:
		on_unlink(o, c);
		break;
	case CALL_CLOSE:
		break;
	}
}

void order_feed(struct order *o, const struct calls *c, size_t without)
{
	for (size_t i = 0; i < c->n; i++, o->at++)
		if (i != without && c->v[i].result >= 0 && !is_scratch(c->v[i].path))
			on_call(o, &c->v[i]);
}

void order_end(struct order *o)
{
	const char *path = pending(o, false);

	if (path)
		broken(o, "ended", path, "is not durable at the end");
	if (o->open)
		broken(o, "ended", STATE_DIR "/open", "is still there at the end");
}
