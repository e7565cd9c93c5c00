/* SPDX-License-Identifier: MIT */
/*
 * A folder for what another program writes and we read, below ours in the tree (0700): it is gone when it is closed. What
 * a crash leaves of it, the next one takes. One at a time, so under the lock.
 */
#pragma once

#include "base/error.h"
#include "base/root.h"

struct sp_scratch {
	const struct sp_root *root; /* NULL: not open */
	char *file; /* where the other program writes, a path outside of the tree; there is nothing yet */
};
/* The folder of transactions must be there. */
int sp_scratch_open(const struct sp_root *root, struct sp_scratch *ret, struct sp_error **err) sp_must_check;
/* What was written there, at most max bytes. */
int sp_scratch_read(const struct sp_scratch *s, size_t max, struct sp_buf *ret, struct sp_error **err) sp_must_check;
void sp_scratch_close(struct sp_scratch *s);
#define sp_autoscratch sp_cleanup(sp_scratch_close)
