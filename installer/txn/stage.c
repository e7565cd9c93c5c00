/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/durable.h"
#include "txn/internal.h"

static const char *const slot_ends[] = { ".strix-new", ".strix-undo", ".strix-old" };

char *sp_slot_name(const char *name, enum sp_slot slot)
{
	return sp_xasprintf(".%s%s", name, slot_ends[slot]);
}

char *sp_slot_target(const char *slot_name, enum sp_slot slot)
{
	const size_t n = strlen(slot_name), end = strlen(slot_ends[slot]);

	if (slot_name[0] != '.' || n <= 1 + end || !sp_streq(slot_name + n - end, slot_ends[slot]))
		return NULL;
	return sp_xstrndup(slot_name + 1, n - 1 - end);
}

/* What cannot be looked at may be there. */
static bool is_there(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

bool sp_is_slot(const char *name)
{
	for (enum sp_slot s = SP_SLOT_NEW; s <= SP_SLOT_OLD; s++) {
		sp_autofree char *target = sp_slot_target(name, s);
		if (target)
			return true;
	}
	return false;
}

int sp_drop_slots(int dirfd, const char *name, enum sp_slot kept)
{
	int r = 0;

	for (enum sp_slot s = SP_SLOT_NEW; s <= SP_SLOT_OLD && r == 0; s++) {
		sp_autofree char *temp = sp_slot_name(name, s);
		if (s == kept || !is_there(dirfd, temp))
			continue;
		r = sp_durable_unlink(dirfd, temp);
	}
	return r;
}

static int set_xattrs(int fd, const struct sp_meta *meta)
{
	for (size_t i = 0; i < meta->n_xattrs; i++) {
		const struct sp_xattr *x = &meta->xattrs[i];
		if (fsetxattr(fd, x->name, x->value.data ? x->value.data : "", x->value.len, 0) < 0)
			return -errno;
	}
	return 0;
}

static int set_owner(int fd, const struct sp_meta *meta)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == meta->uid && st.st_gid == meta->gid)
		return 0; /* nothing to ask rights for */
	return fchown(fd, meta->uid, meta->gid) < 0 ? -errno : 0;
}

/* A folder's default ACL is given to every file that is made in it; the one that is replaced may have none. */
static int drop_inherited_acl(int fd, const struct sp_meta *meta)
{
	static const char acl[] = "system.posix_acl_access";

	for (size_t i = 0; i < meta->n_xattrs; i++)
		if (sp_streq(meta->xattrs[i].name, acl))
			return 0;
	if (fgetxattr(fd, acl, NULL, 0) < 0)
		return 0;
	return fremovexattr(fd, acl) < 0 ? -errno : 0;
}

/* Owner before mode (chown clears set-id bits), both before the attributes (an ACL goes with the mode). */
static int set_meta(int fd, struct sp_ground ground, const struct sp_meta *meta)
{
	int r = set_owner(fd, meta);

	if (r == 0 && ground.acl)
		r = drop_inherited_acl(fd, meta);
	if (r == 0 && fchmod(fd, meta->mode) < 0)
		r = -errno;
	if (r == 0)
		r = set_xattrs(fd, meta);
	return r;
}

static int set_mtime(int fd, const struct sp_meta *meta)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, meta->mtime };

	return futimens(fd, times) < 0 ? -errno : 0;
}

static int write_image(int fd, struct sp_ground ground, const struct sp_image *image, bool exact)
{
	int r = sp_durable_reserve(fd, image->bytes.len);

	if (r == 0)
		r = sp_durable_write(fd, image->bytes.data, image->bytes.len);
	if (r == 0 && !ground.fat)
		r = set_meta(fd, ground, &image->meta);
	if (r == 0 && exact)
		r = set_mtime(fd, &image->meta);
	return r;
}

int sp_stage_image(int dirfd, struct sp_ground ground, const char *temp, const struct sp_image *image, bool exact)
{
	sp_autoclose int fd = sp_durable_create(dirfd, temp, 0600);

	if (fd < 0)
		return fd;
	int r = write_image(fd, ground, image, exact);
	int closed = sp_durable_close(&fd);
	return r < 0 ? r : closed;
}

void sp_missing_parents(const struct sp_root *root, const char *path, struct sp_strv *missing)
{
	sp_autofree char *name = NULL;
	sp_autoclose int there = sp_root_open_parent(root, path, &name);
	struct stat st;

	if (there >= 0)
		return; /* the usual case */
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		sp_autofree char *dir = sp_xstrndup(path, (size_t) (slash - path));
		/* A link that leads nowhere is there all the same, and is not ours to mend. */
		if (sp_root_lstat(root, dir, &st) == -ENOENT && !sp_strv_has(missing, dir))
			sp_strv_add(missing, dir);
	}
}

int sp_stage_parents(const struct sp_root *root, const char *path, struct sp_strv *made)
{
	struct sp_strv missing = { 0 };
	int r = 0;

	sp_missing_parents(root, path, &missing);
	for (size_t i = 0; i < missing.n && r == 0; i++) {
		sp_autofree char *name = NULL;
		sp_autoclose int dir = sp_root_open_parent(root, missing.v[i], &name);
		r = dir < 0 ? dir : sp_durable_mkdir(dir, name, 0755);
		if (r == 0 && made)
			sp_strv_add(made, missing.v[i]);
	}
	sp_strv_clear(&missing);
	return r;
}
