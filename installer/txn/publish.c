/* SPDX-License-Identifier: MIT */
/*
 * One file becomes another. The swap is a compare-and-swap: both names are
 * exchanged in one step, and what came out is looked at; if it is not what
 * was expected, somebody wrote in between, and the exchange is taken back.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/durable.h"
#include "txn/internal.h"

int sp_disk_equals(int dirfd, const char *name, const struct sp_image *image, bool *ret)
{
	sp_autobuf struct sp_buf bytes = { 0 };
	struct stat st;
	int found = fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;

	*ret = found == -ENOENT && !image->exists;
	if (found < 0)
		return found == -ENOENT ? 0 : found;
	if (!image->exists || !S_ISREG(st.st_mode)) /* a device is not even opened */
		return 0;
	sp_autoclose int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (size_t) st.st_size != image->bytes.len)
		return 0;
	int r = sp_fd_read_sized(fd, st.st_size, image->bytes.len + 1, &bytes);
	*ret = r == 0 && sp_buf_eq(&bytes, &image->bytes);
	return r == -EFBIG ? 0 : r;
}

/* On a file system without exchange: the window between looking and renaming is as small as it gets. */
static int rename_over(int dirfd, const char *name, const char *temp, const struct sp_image *from)
{
	sp_autofree char *old = sp_slot_name(name, SP_SLOT_OLD);
	bool same = false;
	int r = sp_disk_equals(dirfd, name, from, &same);

	if (r == 0 && !same)
		return -ESTALE;
	if (r == 0 && sp_is_fat(dirfd)) { /* no journal there: a complete old copy outlives a torn rename */
		r = sp_durable_unlink(dirfd, old);
		if (r == 0)
			r = sp_stage_image(dirfd, sp_ground_of(dirfd), old, from, false);
		if (r == 0)
			r = sp_sync_all(dirfd);
	}
	return r < 0 ? r : sp_durable_rename_over(dirfd, temp, name);
}

static int replace(int dirfd, const char *name, const char *temp, const struct sp_image *from)
{
	bool same = false;
	int r = sp_durable_exchange(dirfd, temp, name);

	if (r == -EINVAL || r == -ENOSYS)
		return rename_over(dirfd, name, temp, from);
	if (r == -ENOENT)
		return -ESTALE;
	if (r < 0)
		return r;
	r = sp_disk_equals(dirfd, temp, from, &same);
	if (r == 0 && same)
		return 0;
	int back = sp_durable_exchange(dirfd, temp, name);
	if (back < 0)
		return back;
	return r < 0 ? r : -ESTALE;
}

static int create(int dirfd, const char *name, const char *temp)
{
	int r = sp_durable_rename_new(dirfd, temp, name);

	return r == -EEXIST ? -ESTALE : r;
}

static int take_away(int dirfd, const char *name, const char *temp, const struct sp_image *from)
{
	bool same = false;
	int r = sp_durable_rename_new(dirfd, name, temp);

	if (r == -ENOENT)
		return -ESTALE;
	if (r == 0)
		r = sp_disk_equals(dirfd, temp, from, &same);
	if (r == 0 && same)
		return 0;
	int back = sp_durable_rename_new(dirfd, temp, name);
	if (back < 0)
		return back;
	return r < 0 ? r : -ESTALE;
}

int sp_publish_one(int dirfd, const char *name, enum sp_slot slot, const struct sp_image *from,
		   const struct sp_image *to)
{
	sp_autofree char *temp = sp_slot_name(name, slot);

	if (!to->exists)
		return from->exists ? take_away(dirfd, name, temp, from) : 0;
	return from->exists ? replace(dirfd, name, temp, from) : create(dirfd, name, temp);
}
