/* SPDX-License-Identifier: MIT */
#include "base/scratch.h"

#include <fcntl.h>

#include "base/durable.h"

#define PLACE "/run"

int sp_scratch_open(const struct sp_root *root, struct sp_scratch *ret, struct sp_error **err)
{
	sp_autoclose int dir = sp_root_openat(root, PLACE, O_RDONLY | O_DIRECTORY);
	sp_autofree char *name = sp_xasprintf(".strix-provision-%ld", (long) getpid());
	sp_autofree char *path = sp_xasprintf(PLACE "/%s", name), *file = sp_xasprintf("%s/" SP_SCRATCH_FILE, path);
	int r = dir < 0 ? dir : sp_durable_mkdir(dir, name, 0700);
	sp_autoclose int made = r == 0 ? sp_root_openat(root, path, O_RDONLY | O_DIRECTORY) : r;

	r = made < 0 ? made : sp_durable_unlink(made, SP_SCRATCH_FILE); /* of one that had this number and died */
	if (r < 0)
		return sp_error_errno(err, r, "cannot make a folder in '" PLACE "'");
	*ret = (struct sp_scratch){ .root = root, .file = sp_root_join(root, file), .name = sp_steal(name) };
	return 0;
}

int sp_scratch_read(const struct sp_scratch *s, size_t max, struct sp_buf *ret, struct sp_error **err)
{
	sp_autofree char *path = sp_xasprintf(PLACE "/%s/" SP_SCRATCH_FILE, s->name);

	return sp_root_read(s->root, path, max, ret, err);
}

void sp_scratch_close(struct sp_scratch *s)
{
	sp_autofree char *path = s->name ? sp_xasprintf(PLACE "/%s", s->name) : NULL;
	sp_autoclose int run = s->name ? sp_root_openat(s->root, PLACE, O_RDONLY | O_DIRECTORY) : -1;
	sp_autoclose int dir = s->name ? sp_root_openat(s->root, path, O_RDONLY | O_DIRECTORY) : -1;

	/* What cannot be removed is gone at the next start. */
	if (run >= 0 && dir >= 0 && sp_durable_unlink(dir, SP_SCRATCH_FILE) == 0 && sp_durable_rmdir(run, s->name) == 0)
		s->root = NULL;
	free(s->name);
	free(s->file);
	*s = (struct sp_scratch){ 0 };
}
