/* SPDX-License-Identifier: MIT */
/*
 * A folder in the tree's /run for what another program writes and we read: only its owner can look into it, and it is
 * gone when it is closed, or with the next start at the latest.
 */
#pragma once

#include "base/error.h"
#include "base/root.h"

#define SP_SCRATCH_FILE "out"

struct sp_scratch {
	const struct sp_root *root;
	char *name; /* of the folder in /run; NULL: not open */
	char *file; /* where the other program writes, a path outside of the tree; there is nothing yet */
};
int sp_scratch_open(const struct sp_root *root, struct sp_scratch *ret, struct sp_error **err) sp_must_check;
/* What was written there, at most max bytes. */
int sp_scratch_read(const struct sp_scratch *s, size_t max, struct sp_buf *ret, struct sp_error **err) sp_must_check;
void sp_scratch_close(struct sp_scratch *s);
#define sp_autoscratch sp_cleanup(sp_scratch_close)
