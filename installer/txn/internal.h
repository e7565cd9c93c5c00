/* SPDX-License-Identifier: MIT */
/* What the files of txn/ share among themselves. */
#pragma once

#include "txn/attribute.h"
#include "txn/txn.h"

#define SP_STATE_DIR "/var/lib/strix-provision"

struct sp_store {
	const struct sp_root *root;
	int dir;      /* the state directory, -1: there is none */
	int tx;	      /* tx/, -1: none or no rights */
	int lock;     /* -1: opened for reading */
	const struct sp_txn *running; /* begun through this handle: what its journal says needs no reading; NULL: none */
	int packages[4]; /* descriptors whose locks keep the package managers out; -1: unused */
};

/* The transaction that the link "open" names: 0, -ENOENT: none is open, other negative errno: the link is damaged. */
int sp_store_open_id(const struct sp_store *store, uint64_t *ret) sp_must_check;

/* --- trust.c: whose it is ---------------------------------------------------------------------------------------- */

/*
 * Make sure that it is ours alone, and take rights away that mode does not have. -EUCLEAN: it belongs to another user; a
 * file is none, has another name, or is open for others to write. A missing file is fine.
 */
int sp_claim_folder(int fd, mode_t mode) sp_must_check;
int sp_claim_file(int dirfd, const char *name, mode_t mode) sp_must_check;
int sp_claim_record(int dirfd) sp_must_check; /* tx/ID and the two files in it */
/* The message for -EUCLEAN; what: in the state directory. */
int sp_not_ours(struct sp_error **err, const char *what);

/* --- journal.c: append-only records, "CRC32C SEQUENCE JSON\n" --------------------------------------------------- */

struct sp_journal {
	int fd;
	uint64_t next; /* sequence number of the next record */
	off_t end;     /* bytes of good records */
	bool torn;     /* there may be something behind them, on disk or not: a record that could not be made durable */
	json_t *records; /* what was appended, from the first on; NULL: the journal was there before us. Owned */
};
void sp_journal_clear(struct sp_journal *j); /* closes it, too */
/* After a failure nothing is known of the record until sp_journal_mend() has cut it off; the next append does so. */
int sp_journal_append(struct sp_journal *j, json_t *record /* borrowed */, bool sync) sp_must_check;
int sp_journal_mend(struct sp_journal *j) sp_must_check;
/* Records up to a torn tail as a JSON array (owned). -EBADMSG: a bad record with good ones behind it. `end`: bytes of
 * good records, where a writer continues. */
int sp_journal_read(int fd, json_t **ret, size_t *end) sp_must_check;

/* --- record.c: edits as JSON, images in the images file --------------------------------------------------------- */

/* What is to be appended to the images file. */
struct sp_images {
	size_t at; /* how long it is, bytes */
	struct sp_buf bytes;
};
/* Describe an edit, and add both its images. */
json_t *sp_record_from_edit(const struct sp_edit *edit, struct sp_images *images, int *ret_error);
int sp_record_to_edit(const json_t *json, int images /* -1: without bytes */, struct sp_edit *ret) sp_must_check;
/* Fold a journal's records into `ret`. */
int sp_record_fold(const json_t *journal, int images, struct sp_record *ret) sp_must_check;
void sp_record_clear(struct sp_record *r);

/* --- attribute.c ------------------------------------------------------------------------------------------------- */

int sp_record_to_attribute(const json_t *json, struct sp_attribute *ret) sp_must_check; /* *ret is replaced */
int sp_undo_attribute(struct sp_txn *txn, struct sp_error **err) sp_must_check;

/* --- stage.c: one file at a time -------------------------------------------------------------------------------- */

enum sp_slot { SP_SLOT_NEW, SP_SLOT_UNDO, SP_SLOT_OLD, SP_SLOT__NONE };
/* ".NAME.strix-new", "-undo", "-old": beside the target, ignored by every reader of these folders; owned. */
char *sp_slot_name(const char *name, enum sp_slot slot);
char *sp_slot_target(const char *slot_name, enum sp_slot slot); /* the inverse, owned; NULL: it is none of this kind */
bool sp_is_slot(const char *name);
/* Remove all of them, but not `kept` (SP_SLOT__NONE: all). */
int sp_drop_slots(int dirfd, const char *name, enum sp_slot kept) sp_must_check;
/* What each file that is made in a folder has to know of it. */
struct sp_ground {
	bool fat; /* it has the owner and mode of its mount, for every file */
	bool acl; /* a default ACL, which every new file is given */
};
struct sp_ground sp_ground_of(int dirfd);
/* Write an image under a temporary name with everything that belongs to it; not synced. mtime is set where exact. */
int sp_stage_image(int dirfd, struct sp_ground ground, const char *temp, const struct sp_image *image, bool exact) sp_must_check;
/* Make the folders above path that are missing; the names of those made are added. */
int sp_stage_parents(const struct sp_root *root, const char *path, struct sp_strv *made) sp_must_check;
/* Which folders above path are missing, outermost first. */
void sp_missing_parents(const struct sp_root *root, const char *path, struct sp_strv *missing);
/* Remove those of these folders that are empty, innermost (last) first. */
int sp_remove_dirs(const struct sp_root *root, const struct sp_strv *dirs) sp_must_check;

/* --- folder.c: the folder of one file after another, opened once for all of its files ----------------------------- */

struct sp_folder {
	int fd;
	char *dir;
	struct sp_ground ground;
	bool seen;	      /* ground is filled */
	bool counted;	      /* its file system is one of the transaction's */
	bool listed;	      /* slots is filled */
	struct sp_strv slots; /* the temporary names there when it was listed, sorted */
};
#define SP_NO_FOLDER { .fd = -1 }
/* The folder of path; its descriptor is borrowed until the next call. *name: the last part of path. -ENOENT, -ENOTDIR. */
int sp_folder_open(struct sp_folder *f, const struct sp_root *root, const char *path, const char **name) sp_must_check;
struct sp_ground sp_folder_ground(struct sp_folder *f);
/* Are any of the temporary names of `name` there? 1, 0. And: remove them. Both list the folder the first time. */
int sp_folder_has_slots(struct sp_folder *f, const char *name) sp_must_check;
int sp_folder_drop_slots(struct sp_folder *f, const char *name) sp_must_check;
void sp_folder_close(struct sp_folder *f);
#define sp_autofolder sp_cleanup(sp_folder_close)

/* --- follow.c ---------------------------------------------------------------------------------------------------- */

void sp_txn_follow_clear(struct sp_txn *txn);

/* --- publish.c --------------------------------------------------------------------------------------------------- */

/* Compare what is on disk with an image: bytes only, so that a touched file is not a changed one. */
int sp_disk_equals(int dirfd, const char *name, const struct sp_image *image, bool *ret) sp_must_check;
/* Bring one file from `from` to `to` where the new content waits under the name of `slot` (unused for a deletion).
 * -ESTALE: something else was there; it still is. The displaced file is left under the slot's name. */
int sp_publish_one(int dirfd, const char *name, enum sp_slot slot, const struct sp_image *from,
		   const struct sp_image *to) sp_must_check;

/* --- settle.c: one sync for all that was written to a file system ------------------------------------------------ */

/*
 * The file systems that a transaction writes to; the first is the state directory's. Each is held open from before the
 * first write to it, so that a write-back that failed meanwhile is told to us.
 */
struct sp_filesystems {
	struct sp_filesystem {
		dev_t device;
		int fd;
		bool loader; /* boot loaders read it */
		char *path;  /* a file there, for messages */
	} *v;
	size_t n;
};
int sp_filesystems_add(struct sp_filesystems *f, int fd, const char *path) sp_must_check;
enum sp_settle {
	SP_SETTLE_DURABLE, /* what was written survives a power cut */
	SP_SETTLE_HOME,	   /* and a boot loader, which replays no journal, finds it */
};
int sp_filesystems_settle(const struct sp_filesystems *f, enum sp_settle how, struct sp_error **err) sp_must_check;
void sp_filesystems_clear(struct sp_filesystems *f);
bool sp_is_fat(int fd);
/* Everything on the file system of fd. On FAT syncfs leaves it in the drive's cache; an fsync of anything empties that. */
int sp_sync_all(int fd) sp_must_check;

struct sp_txn {
	struct sp_store *store;
	uint64_t id;
	enum sp_txn_state state;
	bool known; /* the link "open" leads here */
	int dir, images;
	size_t images_len;
	struct sp_journal journal;
	const struct sp_edit **edits; /* staged, in order; borrowed from the caller or from `record` */
	size_t n_edits, n_prepared, n_published;
	struct sp_filesystems filesystems;
	struct sp_strv made_dirs, drop_dirs;
	const struct sp_attribute_access *access; /* borrowed; NULL: the attribute cannot be reached */
	bool attribute_left;
	struct sp_edit **moved; /* of these edits, those that have another name now: views but for their path, owned */
	size_t n_moved;
	struct sp_record record; /* reopened: what the journal said; its attribute always */
};
