/* SPDX-License-Identifier: MIT */
/* A record as a tree, or as one file. It is not synced: what a crash tears is recorded again. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/durable.h"
#include "engine/record.h"
#include "format/tar.h"

static unsigned mode_of(const struct sp_item *item)
{
	if (item->denied)
		return 0;
	return item->kind == SP_ITEM_FOLDER ? 0755 : item->read_only ? 0444 : 0644;
}

/* --- tree ----------------------------------------------------------------------------------------------------------
 */

static int make_parents(const struct sp_root *out, const char *path)
{
	int r = 0;

	for (const char *slash = strchr(path + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
		sp_autofree char *dir = sp_xstrndup(path, (size_t) (slash - path)), *name = NULL;
		sp_autoclose int fd = sp_root_open_parent(out, dir, &name);
		r = fd < 0 ? fd : sp_durable_mkdir(fd, name, 0755);
	}
	return r;
}

static int write_file(int dir, const char *name, const struct sp_item *item)
{
	sp_autoclose int fd = sp_durable_create(dir, name, mode_of(item));

	if (fd < 0)
		return fd;
	int r = sp_durable_write(fd, item->bytes.data, item->bytes.len);
	int closed = sp_durable_close(&fd);
	return r < 0 ? r : closed;
}

static int write_item(const struct sp_root *out, const struct sp_item *item)
{
	sp_autofree char *name = NULL;
	int r = make_parents(out, item->path);

	if (r < 0)
		return r;
	sp_autoclose int dir = sp_root_open_parent(out, item->path, &name);
	if (dir < 0)
		return dir;
	switch (item->kind) {
	case SP_ITEM_FOLDER:
		return sp_durable_mkdir(dir, name, mode_of(item));
	case SP_ITEM_LINK:
		return sp_durable_symlink(item->link, dir, name);
	case SP_ITEM_FILE:
		break;
	}
	return write_file(dir, name, item);
}

static int write_tree(const char *output, const struct sp_items *items, struct sp_error **err)
{
	sp_autoroot struct sp_root *out = NULL;
	int r = sp_durable_mkdir(AT_FDCWD, output, 0755);

	if (r < 0)
		return sp_error_errno(err, r, "cannot make the folder '%s'", output);
	r = sp_root_open(output, 0, &out, err);
	for (size_t i = 0; i < items->n && r == 0; i++) {
		r = write_item(out, &items->v[i]);
		if (r < 0)
			(void) sp_error_errno(err, r, "cannot write '%s%s'", output, items->v[i].path);
	}
	return r;
}

/* --- tar -----------------------------------------------------------------------------------------------------------
 */

static int put_item(int fd, const char *top, uint64_t now, const struct sp_item *item)
{
	static const enum sp_tar_type types[] = {
		[SP_ITEM_FILE] = SP_TAR_FILE, [SP_ITEM_FOLDER] = SP_TAR_FOLDER, [SP_ITEM_LINK] = SP_TAR_LINK
	};
	sp_autofree char *path = sp_xasprintf("%s%s", top, item->path);
	const struct sp_tar_entry e = { .type = types[item->kind],
					.path = path,
					.link = item->link,
					.mode = item->kind == SP_ITEM_LINK ? 0777 : mode_of(item),
					.size = item->bytes.len,
					.mtime = now };
	sp_autobuf struct sp_buf b = { 0 };
	int r = sp_tar_header(&e, &b);

	if (r < 0)
		return r;
	sp_buf_add(&b, item->bytes.data, item->bytes.len);
	sp_tar_fill(item->bytes.len, &b);
	return sp_durable_write(fd, b.data, b.len);
}

static int fill_tar(int fd, const char *output, const char *top, const struct sp_items *items, struct sp_error **err)
{
	const time_t now = time(NULL);
	sp_autobuf struct sp_buf end = { 0 };

	for (size_t i = 0; i < items->n; i++) {
		int r = put_item(fd, top, now > 0 ? (uint64_t) now : 0, &items->v[i]);
		if (r < 0)
			return sp_error_errno(err, r, "cannot write '%s' to '%s'", items->v[i].path, output);
	}
	sp_tar_end(&end);
	int r = sp_durable_write(fd, end.data, end.len);
	return r < 0 ? sp_error_errno(err, r, "cannot write '%s'", output) : 0;
}

static int write_tar(const char *output, const char *top, const struct sp_items *items, struct sp_error **err)
{
	sp_autoclose int fd = sp_durable_create(AT_FDCWD, output, 0644);

	if (fd < 0)
		return sp_error_errno(err, fd, "cannot make '%s'", output);
	int r = fill_tar(fd, output, top, items, err);
	int closed = sp_durable_close(&fd);
	if (r == 0 && closed < 0)
		r = sp_error_errno(err, closed, "cannot write '%s'", output);
	/* Half of it is of no use to anybody; what failed first is what counts. */
	if (r < 0 && sp_durable_unlink(AT_FDCWD, output) < 0)
		(void) sp_error_hint(err, "remove '%s'", output);
	return r;
}

int sp_record_write(const char *output, bool tar, const char *top, const struct sp_items *items, struct sp_error **err)
{
	struct stat st;

	if (lstat(output, &st) == 0) {
		(void) sp_error_set(err, -EEXIST, "'%s' is there already", output);
		(void) sp_error_path(err, output);
		(void) sp_error_exit(err, SP_EXIT_USAGE);
		return sp_error_hint(err, "name another one with --output, or remove it");
	}
	return tar ? write_tar(output, top, items, err) : write_tree(output, items, err);
}
