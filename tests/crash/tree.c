/* SPDX-License-Identifier: MIT */
/* A tree in memory: small, loaded in one go, put back where it differs. */
#include "crash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/root.h"

enum { NAMES_MAX = 4096, VALUE_MAX = 4096 };

void tree_clear(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].path);
		sp_buf_clear(&t->v[i].bytes);
		sp_buf_clear(&t->v[i].xattrs);
	}
	free(t->v);
	*t = (struct tree){ 0 };
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct node *) a)->path, ((const struct node *) b)->path);
}

const struct node *tree_find(const struct tree *t, const char *path)
{
	const struct node key = { .path = (char *) path };

	return t->n ? bsearch(&key, t->v, t->n, sizeof(*t->v), by_path) : NULL;
}

/* --- load -------------------------------------------------------------------------------------------------------- */

/* "name\0length\nvalue", sorted by name. */
static void load_xattrs(const char *full, struct sp_buf *ret)
{
	char names[NAMES_MAX], value[VALUE_MAX];
	sp_autostrv struct sp_strv sorted = { 0 };
	ssize_t len = llistxattr(full, names, sizeof(names));

	for (char *p = names; len > 0 && p < names + len; p += strlen(p) + 1)
		sp_strv_add(&sorted, p);
	sp_strv_sort(&sorted);
	for (size_t i = 0; i < sorted.n; i++) {
		ssize_t n = lgetxattr(full, sorted.v[i], value, sizeof(value));
		if (n < 0)
			die("%s: %s", full, sorted.v[i]);
		sp_buf_add(ret, sorted.v[i], strlen(sorted.v[i]) + 1);
		sp_buf_addf(ret, "%zd\n", n);
		sp_buf_add(ret, value, (size_t) n);
	}
}

static void load_bytes(const char *full, struct node *n)
{
	char text[4096];

	if (S_ISLNK(n->mode)) {
		ssize_t len = readlink(full, text, sizeof(text));
		if (len < 0)
			die("%s", full);
		sp_buf_add(&n->bytes, text, (size_t) len);
	} else if (S_ISREG(n->mode)) {
		sp_autoclose int fd = open(full, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || sp_fd_read(fd, 1 << 26, &n->bytes) < 0)
			die("%s", full);
	}
}

static void load_node(struct tree *t, const char *full, const char *path)
{
	struct stat st;

	if (lstat(full, &st) < 0)
		die("%s", full);
	if (t->n % 64 == 0)
		t->v = sp_xrealloc(t->v, t->n + 64, sizeof(*t->v));
	struct node *n = &t->v[t->n++];
	*n = (struct node){
		.path = sp_xstrdup(path), .mode = st.st_mode, .uid = st.st_uid, .gid = st.st_gid, .mtime = st.st_mtim,
	};
	load_bytes(full, n);
	load_xattrs(full, &n->xattrs);
}

static void load_below(struct tree *t, const char *root, const char *path)
{
	sp_autofree char *full = sp_xasprintf("%s%s", root, path);
	sp_autodir DIR *d = opendir(full);

	if (!d)
		die("%s", full);
	for (const struct dirent *e; (e = readdir(d));) {
		if (sp_streq(e->d_name, ".") || sp_streq(e->d_name, ".."))
			continue;
		sp_autofree char *child = sp_xasprintf("%s/%s", path, e->d_name);
		sp_autofree char *child_full = sp_xasprintf("%s%s", root, child);
		load_node(t, child_full, child);
		if (S_ISDIR(t->v[t->n - 1].mode))
			load_below(t, root, child);
	}
}

void tree_load(const char *dir, struct tree *ret)
{
	*ret = (struct tree){ 0 };
	load_below(ret, dir, "");
	if (ret->n > 0)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_path);
}

/* --- compare ----------------------------------------------------------------------------------------------------- */

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_meta(const struct node *a, const struct node *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && sp_buf_eq(&a->xattrs, &b->xattrs);
}

static bool same_node(const struct node *a, const struct node *b)
{
	return same_meta(a, b) && sp_buf_eq(&a->bytes, &b->bytes) && (S_ISDIR(a->mode) || same_time(&a->mtime, &b->mtime));
}

bool tree_same(const struct tree *a, const struct tree *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (!sp_streq(a->v[i].path, b->v[i].path) || !same_node(&a->v[i], &b->v[i]))
			return false;
	return a->n == b->n;
}

/* What an administrator does not count as the system; /host and /dev are mounted over. */
static bool is_outside(const char *path)
{
	static const char *const outside[] = { STATE_DIR, "/sys", "/proc", "/host", "/dev" };

	for (size_t i = 0; i < SP_ELEMENTS(outside); i++) {
		size_t n = strlen(outside[i]);
		if (strncmp(path, outside[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return true;
	}
	return false;
}

static const char *difference(const struct node *now, const struct node *want, const struct tree *base,
			      const struct timespec *since)
{
	const struct node *was = base ? tree_find(base, want->path) : NULL;
	const bool written = base && (!was || !same_node(was, want));

	if (now->mode != want->mode)
		return "mode";
	if (now->uid != want->uid || now->gid != want->gid)
		return "owner";
	if (!sp_buf_eq(&now->xattrs, &want->xattrs))
		return "attributes";
	if (!sp_buf_eq(&now->bytes, &want->bytes))
		return "bytes";
	if (S_ISDIR(now->mode) || same_time(&now->mtime, &want->mtime))
		return NULL;
	if (written && (now->mtime.tv_sec > since->tv_sec ||
			(now->mtime.tv_sec == since->tv_sec && now->mtime.tv_nsec >= since->tv_nsec)))
		return NULL;
	return "mtime";
}

static void differ(struct sp_strv *diff, bool *equal, const char *path, const char *what)
{
	*equal = false;
	if (diff)
		sp_strv_addf(diff, "%s: %s", path, what);
}

bool tree_equal(const struct tree *now, const struct tree *want, const struct tree *base, const struct timespec *since,
		struct sp_strv *diff)
{
	bool equal = true;

	for (size_t i = 0, k = 0; i < now->n || k < want->n;) {
		const int c = i == now->n ? 1 : k == want->n ? -1 : strcmp(now->v[i].path, want->v[k].path);
		const char *path = c <= 0 ? now->v[i].path : want->v[k].path, *what = NULL;

		if (is_outside(path))
			what = NULL;
		else if (c != 0)
			what = c < 0 ? "should not be there" : "is missing";
		else
			what = difference(&now->v[i], &want->v[k], base, since);
		if (what)
			differ(diff, &equal, path, what);
		i += c <= 0;
		k += c >= 0;
	}
	return equal;
}

/* --- put back ---------------------------------------------------------------------------------------------------- */

static void open_folder_above(const char *full)
{
	sp_autofree char *dir = sp_xstrdup(full);

	*strrchr(dir, '/') = '\0';
	if (chmod(dir, 0755) < 0)
		die("%s", dir);
}

static void remove_node(const char *root, const struct node *n)
{
	sp_autofree char *full = sp_xasprintf("%s%s", root, n->path);

	open_folder_above(full);
	if ((S_ISDIR(n->mode) ? rmdir(full) : unlink(full)) < 0)
		die("%s", full);
}

static void write_file(const char *full, const struct node *n)
{
	int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || (n->bytes.len && write(fd, n->bytes.data, n->bytes.len) != (ssize_t) n->bytes.len) || close(fd) < 0)
		die("%s", full);
}

static void make_node(const char *root, const struct node *n)
{
	sp_autofree char *full = sp_xasprintf("%s%s", root, n->path);

	open_folder_above(full);
	if (S_ISDIR(n->mode) && mkdir(full, 0755) < 0)
		die("%s", full);
	if (S_ISLNK(n->mode) && symlink(n->bytes.data, full) < 0)
		die("%s", full);
	if (S_ISREG(n->mode))
		write_file(full, n);
}

static void set_xattrs(const char *full, const struct sp_buf *b)
{
	for (size_t at = 0; at < b->len;) {
		const char *name = b->data + at;
		char *end = NULL;
		size_t len = strtoul(name + strlen(name) + 1, &end, 10);

		if (lsetxattr(full, name, end + 1, len, 0) < 0)
			die("%s: %s", full, name);
		at = (size_t) (end + 1 - b->data) + len;
	}
}

static void set_meta(const char *root, const struct node *n)
{
	sp_autofree char *full = sp_xasprintf("%s%s", root, n->path);
	const struct timespec times[2] = { n->mtime, n->mtime };

	if (geteuid() == 0 && lchown(full, n->uid, n->gid) < 0)
		die("%s", full);
	if (!S_ISLNK(n->mode)) {
		set_xattrs(full, &n->xattrs);
		if (chmod(full, n->mode & 07777) < 0)
			die("%s", full);
	}
	if (!S_ISDIR(n->mode) && utimensat(AT_FDCWD, full, times, AT_SYMLINK_NOFOLLOW) < 0)
		die("%s", full);
}

void tree_restore(const struct tree *t, const char *dir)
{
	sp_autofree bool *right = sp_xcalloc(t->n + 1, sizeof(*right));
	autotree struct tree now = { 0 };

	tree_load(dir, &now);
	for (size_t i = now.n; i > 0; i--) { /* what is below a folder comes first */
		const struct node *n = &now.v[i - 1], *want = tree_find(t, n->path);
		if (want && S_ISDIR(n->mode) && S_ISDIR(want->mode))
			right[want - t->v] = true;
		else if (want && same_node(n, want))
			right[want - t->v] = true;
		else
			remove_node(dir, n);
	}
	for (size_t i = 0; i < t->n; i++)
		if (!right[i])
			make_node(dir, &t->v[i]);
	for (size_t i = t->n; i > 0; i--)
		if (!right[i - 1] || S_ISDIR(t->v[i - 1].mode))
			set_meta(dir, &t->v[i - 1]);
}
