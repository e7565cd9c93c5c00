/* SPDX-License-Identifier: MIT */
#include "txn/scratch.h"

#include <fcntl.h>

#include "base/durable.h"
#include "txn/internal.h"

#define FOLDER "scratch"
#define FILE_NAME "out"
#define FOLDER_PATH SP_STATE_DIR "/" FOLDER
#define FILE_PATH FOLDER_PATH "/" FILE_NAME

static int open_folder(const struct sp_root *root, const char *path)
{
	return sp_root_openat(root, path, O_RDONLY | O_DIRECTORY);
}

int sp_scratch_open(const struct sp_root *root, struct sp_scratch *ret, struct sp_error **err)
{
	sp_autoclose int dir = open_folder(root, SP_STATE_DIR);
	int r = dir < 0 ? dir : sp_durable_mkdir(dir, FOLDER, 0700);
	sp_autoclose int made = r == 0 ? open_folder(root, FOLDER_PATH) : r;

	r = made < 0 ? made : sp_durable_unlink(made, FILE_NAME);
	if (r < 0)
		return sp_error_errno(err, r, "cannot make the folder '%s'", FOLDER_PATH);
	*ret = (struct sp_scratch){ .root = root, .file = sp_root_join(root, FILE_PATH) };
	return 0;
}

int sp_scratch_read(const struct sp_scratch *s, size_t max, struct sp_buf *ret, struct sp_error **err)
{
	return sp_root_read(s->root, FILE_PATH, max, ret, err);
}

void sp_scratch_close(struct sp_scratch *s)
{
	sp_autoclose int dir = s->root ? open_folder(s->root, SP_STATE_DIR) : -1;
	sp_autoclose int made = s->root ? open_folder(s->root, FOLDER_PATH) : -1;

	/* What cannot be removed, the next one takes. */
	if (dir >= 0 && made >= 0 && sp_durable_unlink(made, FILE_NAME) == 0 && sp_durable_rmdir(dir, FOLDER) == 0)
		s->root = NULL;
	free(s->file);
	*s = (struct sp_scratch){ 0 };
}
