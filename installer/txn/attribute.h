/* SPDX-License-Identifier: MIT */
/*
 * A value that is kept outside of the tree, such as a setting of the firmware:
 * one write of a text to a file of the machine sets it, and it survives a
 * power cut by itself. Or what a program of the system keeps, and changes when
 * it is asked (sp_keeper). A transaction has at most one.
 *
 *   the journal says what it was and what it will be, durably  -> write -> read back
 *
 * so that an undo, also after a crash, finds out by reading how far it came.
 * The value is set before the first file is published, or after the last one;
 * an undo goes the other way round.
 *
 * Some files take no value before another file was given a password, which
 * counts for one write. A password is never in a journal: recovery has none,
 * and leaves such a value as it is. A keeper is asked again at each recovery
 * until it answers.
 */
#pragma once

#include "base/root.h"
#include "base/secret.h"
#include "txn/txn.h"

void sp_attribute_clear(struct sp_attribute *a);

#define SP_ATTRIBUTE_LINE "cmdline" /* the path of what a keeper has: our part of the kernel command line */

/* A program that keeps the value. Where it fails, err says more than the errno. */
struct sp_keeper {
	int (*read)(const void *data, const struct sp_attribute *a, char **ret, struct sp_error **err);
	int (*write)(const void *data, const char *from, const char *to, struct sp_error **err);
	const void *data;
};

/* How it is reached; all borrowed. */
struct sp_attribute_access {
	const struct sp_root *machine;
	const char *credential;	       /* file of the machine that takes the password; NULL: none is wanted */
	const struct sp_secret *secret; /* NULL: there is none */
	const struct sp_keeper *keeper; /* a program has it, and the rest does not count; NULL: it is a file of the machine */
};

/* Where a write failed: the same errno means something else each time. */
enum sp_attribute_step {
	SP_ATTRIBUTE_READ,	/* what it is now */
	SP_ATTRIBUTE_JOURNAL,
	SP_ATTRIBUTE_OPEN,	/* rights, a read-only /sys */
	SP_ATTRIBUTE_PASSWORD,
	SP_ATTRIBUTE_WRITE,	/* what the driver or the firmware said */
	SP_ATTRIBUTE_READ_BACK, /* it took the write, and has another value */
};

/*
 * How this transaction reaches its attribute, for setting it and for an undo. Without it an undo leaves it as it is.
 * Borrowed until the end.
 */
void sp_txn_reach(struct sp_txn *txn, const struct sp_attribute_access *access);
/*
 * Set it. After sp_txn_stage(); with `last`, when everything is published and was found right. -ESTALE, exit
 * SP_EXIT_CONFLICT: it is no longer what it was. The error says which step failed; the caller can say what that means.
 */
int sp_txn_set(struct sp_txn *txn, const struct sp_attribute *a, enum sp_attribute_step *step,
	       struct sp_error **err) sp_must_check;
/* Of a reopened transaction, too; NULL: none was set, or about to be. */
const struct sp_attribute *sp_txn_attribute(const struct sp_txn *txn);
/* Did an undo leave it with its new value? */
bool sp_txn_attribute_left(const struct sp_txn *txn);

bool sp_attribute_is_line(const struct sp_attribute *a); /* it is what a keeper has */
/* Is it the new value now? -errno: it cannot be read. */
int sp_attribute_is_set(const struct sp_attribute_access *access, const struct sp_attribute *a, bool *ret) sp_must_check;
