/* SPDX-License-Identifier: MIT */
/* One file, without a journal: txn.h, sp_replace_durably(). */
#include <errno.h>
#include <fcntl.h>

#include "base/durable.h"
#include "txn/internal.h"

static int stage(int dir, const char *name, const struct sp_edit *e)
{
	sp_autofree char *temp = sp_slot_name(name, SP_SLOT_NEW);
	int r = sp_drop_slots(dir, name, SP_SLOT__NONE); /* of a run that was cut short; nothing counts on them */

	return r < 0 ? r : sp_stage_image(dir, sp_ground_of(dir), temp, &e->after, e->exact_meta);
}

static int replace(int dir, const char *name, const struct sp_edit *e, const struct sp_filesystems *fs, struct sp_error **err)
{
	int r = stage(dir, name, e);

	if (r == 0)
		r = sp_filesystems_settle(fs, SP_SETTLE_HOME, err);
	if (r == 0)
		r = sp_publish_one(dir, name, SP_SLOT_NEW, &e->before, &e->after);
	int dropped = sp_drop_slots(dir, name, SP_SLOT__NONE);
	if (r == 0)
		r = dropped;
	return r == 0 ? sp_filesystems_settle(fs, SP_SETTLE_HOME, err) : r;
}

int sp_replace_durably(const struct sp_root *root, const struct sp_edit *e, struct sp_error **err)
{
	struct sp_filesystems fs = { 0 };
	sp_autofree char *name = NULL;
	sp_autoclose int dir = sp_root_open_parent(root, e->path, &name);
	const bool keep = e->op == SP_OP_KEEP;
	int r = dir < 0 ? dir : keep ? sp_drop_slots(dir, name, SP_SLOT__NONE) : sp_filesystems_add(&fs, dir, e->path);

	if (r == 0 && !keep)
		r = replace(dir, name, e, &fs, err);
	sp_filesystems_clear(&fs);
	if (r == -ESTALE) {
		(void) sp_error_set(err, r, "'%s' was changed by somebody else just now", e->path);
		(void) sp_error_exit(err, SP_EXIT_CONFLICT);
		return sp_error_hint(err, "repeat the command");
	}
	return r < 0 ? sp_error_errno(err, r, "cannot replace '%s'", e->path) : 0;
}
