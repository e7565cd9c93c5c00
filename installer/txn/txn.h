/* SPDX-License-Identifier: MIT */
/*
 * The transaction: many files become new together, or stay old together,
 * whatever is killed or unplugged on the way. It knows files, not settings.
 *
 * Below ROOT/var/lib/strix-provision (0755):
 *   lock               OFD write lock for the time of a write
 *   state.json         0644, what users may see; written by the engine after COMMITTED, rebuilt from tx/ if lost
 *   open               symbolic link to tx/ID while a transaction is neither DONE nor UNDONE
 *   tx/ID/journal      0600 in a 0700 folder: one JSON record a line, "CRC32C SEQUENCE JSON\n"; a torn tail is ignored
 *   tx/ID/images       before- and after-images, one behind the other; the journal has offset, length, CRC32C
 *
 * Protocol, and what a crash leaves at each point:
 *   BEGIN FILES journal and images, one sync; then the link: a list of what     -> undone: temporaries removed
 *               will be touched is durable before anything is touched
 *   stage       ".NAME.strix-new" beside each target; one sync a file system    -> the same
 *   PREPARED    durable: undo is possible from here on                          -> undone
 *  (ATTRIBUTE   durable; then a value outside of the tree is set, here or      -> undone: it is set back)
 *               behind the check: txn/attribute.h
 *   publish     RENAME_EXCHANGE, look at what came out; one sync a file system  -> undone: what came out goes back, or
 *               (it waits under the temporary name until the end)                  the image where it is lost
 *   COMMITTED   durable                                                         -> finished
 *   tidy up     temporaries removed, state.json; one sync a file system         -> the same
 *   DONE | UNDONE
 * More files can be staged after a publish (generated products): another FILES and PREPARED record.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/root.h"
#include "txn/edit.h"

/* A value outside of the tree: txn/attribute.h. */
struct sp_attribute {
	char *path;	      /* in the machine; firmware attributes and the carve-out of amdgpu alone */
	char *before, *after; /* its text, one line, without the line end */
	bool last;	      /* set after the files; they do not fit what it was */
};

struct sp_store; /* the state directory of a root */

/* Open for reading (needs no rights; a missing directory is an empty store), or for writing: made, locked. -EBUSY:
 * somebody else holds the lock. */
int sp_store_open(const struct sp_root *root, bool write, struct sp_store **ret, struct sp_error **err) sp_must_check;
void sp_store_close(struct sp_store *store); /* unlocks */

/* state.json; *ret NULL when there is none yet. -EBADMSG: damaged. */
int sp_store_read_state(const struct sp_store *store, json_t **ret, struct sp_error **err) sp_must_check;
/* Durable with the next sp_txn_finish() or sp_store_sync(). */
int sp_store_write_state(struct sp_store *store, json_t *state, struct sp_error **err) sp_must_check;
int sp_store_sync(const struct sp_store *store, struct sp_error **err) sp_must_check;

/* What became of a transaction, as its journal says. */
enum sp_txn_state {
	SP_TXN_OPEN,	  /* BEGIN or staged: nothing published, undo by removing temporaries */
	SP_TXN_PREPARED,  /* may be half published */
	SP_TXN_COMMITTED, /* published and checked; not tidied up */
	SP_TXN_DONE,
	SP_TXN_UNDONE,
	SP_TXN_DAMAGED, /* the journal cannot be read */
};

/* A transaction as read from its journal. Images are read from `images` and their CRC is checked. */
struct sp_record {
	uint64_t id;
	enum sp_txn_state state;
	json_t *about; /* the engine's, as given to sp_txn_begin */
	struct sp_edits edits;
	size_t n_prepared;	  /* of these edits have images; the rest was still being staged */
	struct sp_strv made_dirs; /* folders that it created */
	struct sp_strv drop_dirs; /* folders that it removes at the end where they are empty */
	struct sp_attribute attribute; /* path NULL: none */
};
/* All transactions, by rising id; needs root rights where tx/ is 0700. with_images false: edits carry no bytes. */
int sp_store_list(const struct sp_store *store, bool with_images, struct sp_record **ret, size_t *ret_n,
		  struct sp_error **err) sp_must_check;
void sp_records_free(struct sp_record *records, size_t n);
/* What the next transaction will be called: one more than there ever was here. */
int sp_store_next_id(const struct sp_store *store, uint64_t *ret, struct sp_error **err) sp_must_check;
/* Is a transaction open? The link "open" says so, also to who may not read tx/. */
bool sp_store_interrupted(const struct sp_store *store);

struct sp_txn;
/* Next id, and BEGIN with `about` (borrowed). Durable, and known to others, with the first stage. */
int sp_txn_begin(struct sp_store *store, json_t *about, struct sp_txn **ret, struct sp_error **err) sp_must_check;
uint64_t sp_txn_id(const struct sp_txn *txn);
/*
 * Check that every before-image still is what is on disk (-ESTALE, exit SP_EXIT_CONFLICT), stage, make images and
 * PREPARED durable. May be called again after a publish, with other files. Edits are borrowed until the end.
 */
int sp_txn_stage(struct sp_txn *txn, const struct sp_edits *edits, struct sp_error **err) sp_must_check;
/* Folders (outermost first) that sp_txn_finish() removes where they are empty. Before sp_txn_stage(), which makes it durable. */
int sp_txn_drop_dirs(struct sp_txn *txn, const struct sp_strv *dirs, struct sp_error **err) sp_must_check;
/* Publish what was staged and not yet published, in order. -ESTALE: a file was changed under us; nothing is lost. */
int sp_txn_publish(struct sp_txn *txn, struct sp_error **err) sp_must_check;
/* COMMITTED is durable when this returns 0. Before: any error is followed by sp_txn_undo(). */
int sp_txn_commit(struct sp_txn *txn, struct sp_error **err) sp_must_check;
/* After COMMITTED, and after the engine has written state.json: remove leftovers, DONE. Safe to repeat. */
int sp_txn_finish(struct sp_txn *txn, struct sp_error **err) sp_must_check;
/*
 * Put everything back, UNDONE. A file that somebody changed before we published it is theirs, and no error; one that
 * was changed since stays and is named: -EUCLEAN, exit SP_EXIT_RECOVER. Nothing is done (the transaction stays open,
 * and the next run reads which way it goes) where it cannot be made sure that the journal does not say COMMITTED.
 */
int sp_txn_undo(struct sp_txn *txn, struct sp_error **err) sp_must_check;
/*
 * Before sp_txn_undo(): files that their owner has renamed since (a boot loader that counts in their names) are undone under
 * the name that they have now. The rule: are these two names, of one folder, names of the edit's file?
 */
typedef bool sp_same_name(const struct sp_edit *edit, const char *was, const char *now);
int sp_txn_follow(struct sp_txn *txn, sp_same_name *same, struct sp_error **err) sp_must_check;
void sp_txn_free(struct sp_txn *txn); /* an unfinished one stays open and is recovered by the next run */

/*
 * The transaction that a crash left open, or NULL. The caller undoes it (state before SP_TXN_COMMITTED) or writes
 * state.json and finishes it. -EBADMSG, exit SP_EXIT_RECOVER: its journal is damaged.
 */
int sp_txn_reopen(struct sp_store *store, struct sp_txn **ret, struct sp_error **err) sp_must_check;
enum sp_txn_state sp_txn_state(const struct sp_txn *txn);

/*
 * One file that is there, replaced durably and at once, without a journal: for what its owner writes at every start, such
 * as GRUB its environment block, so that no before-image of ours could ever be put back. A crash leaves the old or the new
 * one, and perhaps a temporary that the next call takes away. -ESTALE, exit SP_EXIT_CONFLICT: it is not what was read.
 */
int sp_replace_durably(const struct sp_root *root, const struct sp_edit *e, struct sp_error **err) sp_must_check;

/*
 * Wait for apt/dpkg, rpm/dnf, pacman to be idle; seconds 0: do not wait. The first two are kept out until
 * sp_store_close(). pacman's lock is a file that would outlive a crash of ours and stop it for good: it is looked at only.
 */
int sp_store_lock_packages(struct sp_store *store, unsigned seconds, struct sp_error **err) sp_must_check;
