/* SPDX-License-Identifier: MIT */
#include "txn/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

void sp_meta_clear(struct sp_meta *meta)
{
	for (size_t i = 0; i < meta->n_xattrs; i++) {
		free(meta->xattrs[i].name);
		sp_buf_clear(&meta->xattrs[i].value);
	}
	free(meta->xattrs);
	*meta = (struct sp_meta){ 0 };
}

void sp_meta_copy(struct sp_meta *to, const struct sp_meta *from)
{
	*to = *from;
	to->xattrs = sp_xcalloc(from->n_xattrs, sizeof(*to->xattrs));
	for (size_t i = 0; i < from->n_xattrs; i++) {
		to->xattrs[i].name = sp_xstrdup(from->xattrs[i].name);
		sp_buf_add(&to->xattrs[i].value, from->xattrs[i].value.data, from->xattrs[i].value.len);
	}
}

bool sp_meta_same_rights(const struct sp_meta *a, const struct sp_meta *b)
{
	if (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid || a->n_xattrs != b->n_xattrs)
		return false;
	for (size_t i = 0; i < a->n_xattrs; i++)
		if (!sp_streq(a->xattrs[i].name, b->xattrs[i].name) ||
		    !sp_buf_eq(&a->xattrs[i].value, &b->xattrs[i].value))
			return false;
	return true;
}

bool sp_meta_eq(const struct sp_meta *a, const struct sp_meta *b)
{
	return a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec && sp_meta_same_rights(a, b);
}

void sp_image_clear(struct sp_image *image)
{
	sp_buf_clear(&image->bytes);
	sp_meta_clear(&image->meta);
	*image = (struct sp_image){ 0 };
}

void sp_image_copy(struct sp_image *to, const struct sp_image *from)
{
	*to = (struct sp_image){ .exists = from->exists };
	sp_buf_add(&to->bytes, from->bytes.data, from->bytes.len);
	sp_meta_copy(&to->meta, &from->meta);
}

static int read_xattr(int fd, const char *name, struct sp_meta *meta)
{
	char value[65536]; /* XATTR_SIZE_MAX */
	ssize_t n = fgetxattr(fd, name, value, sizeof(value));

	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	meta->xattrs = sp_xrealloc(meta->xattrs, meta->n_xattrs + 1, sizeof(*meta->xattrs));
	struct sp_xattr *x = &meta->xattrs[meta->n_xattrs++];
	*x = (struct sp_xattr){ .name = sp_xstrdup(name) };
	sp_buf_add(&x->value, value, (size_t) n);
	return 0;
}

static int read_xattrs(int fd, struct sp_meta *meta)
{
	char names[65536]; /* XATTR_LIST_MAX */
	ssize_t n = flistxattr(fd, names, sizeof(names));
	int r = 0;

	if (n < 0)
		return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
	for (const char *p = names; p < names + n && r == 0; p += strlen(p) + 1)
		r = read_xattr(fd, p, meta);
	return r;
}

/* Is the file one that a rename may replace at all? */
static int check_replaceable(int fd, const struct stat *st, const char *path, struct sp_error **err)
{
	int flags = 0;

	if (!S_ISREG(st->st_mode))
		return sp_error_set(err, S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL, "'%s' is %s, not a regular file", path,
				    S_ISDIR(st->st_mode) ? "a directory" : "a special file");
	if (st->st_nlink > 1) {
		(void) sp_error_set(err, -EMLINK, "'%s' has %ju hard links: replacing it would tear the names apart", path,
				    (uintmax_t) st->st_nlink);
		return sp_error_hint(err, "make it a file of its own: cp -p %s %s.copy && mv %s.copy %s", path, path, path,
				     path);
	}
	if (st->st_mode & 07000 || fgetxattr(fd, SP_XATTR_CAPABILITY, NULL, 0) >= 0) {
		(void) sp_error_set(err, -EPERM, "'%s' has set-id bits or capabilities, which no configuration file has", path);
		return sp_error_hint(err, "find out who gave it them; chmod 644 %s takes the bits away", path);
	}
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL))) {
		bool fixed = flags & FS_IMMUTABLE_FL;
		(void) sp_error_set(err, -EPERM, "'%s' is %s", path, fixed ? "immutable" : "append-only");
		return sp_error_hint(err, "chattr -%c %s allows the change", fixed ? 'i' : 'a', path);
	}
	return 0;
}

static int fill_image(int fd, const char *path, size_t max, struct sp_image *ret, struct sp_error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return sp_error_errno(err, -errno, "cannot look at '%s'", path);
	int r = check_replaceable(fd, &st, path, err);
	if (r < 0)
		return r;
	ret->exists = true;
	ret->meta = (struct sp_meta){ .mode = st.st_mode & 07777, .uid = st.st_uid, .gid = st.st_gid, .mtime = st.st_mtim };
	r = sp_fd_read_sized(fd, st.st_size, max, &ret->bytes);
	if (r == -EFBIG)
		return sp_error_set(err, r, "'%s' is larger than %zu bytes", path, max);
	if (r == 0 && ret->bytes.len != (size_t) st.st_size)
		return sp_error_set(err, -ESTALE, "'%s' was written to while it was read", path);
	if (r == 0)
		r = read_xattrs(fd, &ret->meta);
	return r < 0 ? sp_error_errno(err, r, "cannot read '%s'", path) : 0;
}

int sp_image_read(const struct sp_root *root, const char *path, struct sp_image *ret, struct sp_error **err)
{
	return sp_image_read_max(root, path, SP_FILE_MAX, ret, err);
}

int sp_image_read_max(const struct sp_root *root, const char *path, size_t max, struct sp_image *ret, struct sp_error **err)
{
	sp_autoclose int fd = sp_root_openat(root, path, O_RDONLY);
	int r;

	*ret = (struct sp_image){ 0 };
	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		r = sp_error_errno(err, fd, "cannot open '%s'", path);
	} else {
		r = fill_image(fd, path, max, ret, err);
	}
	if (r == 0)
		sp_root_keep(root, path, &ret->bytes);
	if (r < 0) {
		sp_image_clear(ret);
		(void) sp_error_path(err, path);
	}
	return r;
}

const char *sp_op_name(enum sp_op op)
{
	static const char *const names[] = { "keep", "create", "replace", "delete" };

	return names[op];
}

static enum sp_op decide(const struct sp_image *before, const struct sp_buf *after)
{
	if (!after)
		return before->exists ? SP_OP_DELETE : SP_OP_KEEP;
	if (!before->exists)
		return SP_OP_CREATE;
	return sp_buf_eq(&before->bytes, after) ? SP_OP_KEEP : SP_OP_REPLACE;
}

int sp_edits_add(struct sp_edits *edits, const struct sp_root *root, const char *path, const struct sp_buf *after,
		 struct sp_edit **ret, struct sp_error **err)
{
	struct sp_edit e = { 0 };
	int r = sp_root_resolve(root, path, &e.path);

	if (r == -ENOENT) /* a folder on the way is missing: it will be made, so there is no link in it */
		e.path = sp_xstrdup(path);
	else if (r < 0)
		return sp_error_errno(err, r, "cannot look up '%s'", path);
	r = sp_image_read_max(root, e.path, edits->max ? edits->max : SP_FILE_MAX, &e.before, err);
	if (r < 0) {
		free(e.path);
		return r;
	}
	e.op = decide(&e.before, after);
	e.after.exists = after != NULL;
	if (after)
		sp_buf_add(&e.after.bytes, after->data, after->len);
	if (e.before.exists)
		sp_meta_copy(&e.after.meta, &e.before.meta);
	else
		e.after.meta.mode = 0644;
	edits->v = sp_xrealloc(edits->v, edits->n + 1, sizeof(*edits->v));
	edits->v[edits->n++] = e;
	if (ret)
		*ret = &edits->v[edits->n - 1];
	return 0;
}

bool sp_edits_pending(const struct sp_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++)
		if (edits->v[i].op != SP_OP_KEEP)
			return true;
	return false;
}

struct sp_edit *sp_edits_find(const struct sp_edits *edits, const char *path)
{
	for (size_t i = 0; i < edits->n; i++)
		if (sp_streq(edits->v[i].path, path))
			return &edits->v[i];
	return NULL;
}

void sp_edits_clear(struct sp_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		free(edits->v[i].path);
		sp_image_clear(&edits->v[i].before);
		sp_image_clear(&edits->v[i].after);
		json_decref(edits->v[i].note);
	}
	free(edits->v);
	*edits = (struct sp_edits){ 0 };
}
