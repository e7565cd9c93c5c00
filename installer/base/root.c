/* SPDX-License-Identifier: MIT */
#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/memory.h"

struct sp_root {
	int fd;
	int self; /* /proc/self/fd of the running kernel, -1: it is not there; for sp_root_reopen() */
	char *display;
	bool host;
	bool walk, ours;
	struct sp_memory *memory; /* NULL: nothing is remembered */
};

enum { MAX_LINKS = 40 };

int sp_root_open(const char *dir, unsigned flags, struct sp_root **ret, struct sp_error **err)
{
	sp_autoclose int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, host;

	if (fd < 0)
		return sp_error_errno(err, -errno, "cannot open the directory '%s'", dir);
	if (fstat(fd, &st) < 0 || stat("/", &host) < 0)
		return sp_error_errno(err, -errno, "cannot look at the directory '%s'", dir);
	struct sp_root *root = sp_xcalloc(1, sizeof(*root));
	root->fd = sp_steal_fd(&fd);
	root->self = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	root->display = sp_xstrdup(dir);
	root->host = st.st_dev == host.st_dev && st.st_ino == host.st_ino;
	root->walk = flags & SP_ROOT_WALK;
	root->ours = flags & SP_ROOT_OURS;
	*ret = root;
	return 0;
}

void sp_root_close(struct sp_root *root)
{
	if (!root)
		return;
	(void) close(root->fd);
	sp_cleanup_close_(&root->self);
	sp_memory_free(root->memory);
	free(root->display);
	free(root);
}

bool sp_root_remember(struct sp_root *root)
{
	if (root->memory)
		return false;
	root->memory = sp_memory_new();
	return true;
}

void sp_root_forget(struct sp_root *root)
{
	sp_memory_free(root->memory);
	root->memory = NULL;
}

struct sp_memory *sp_root_memory(const struct sp_root *root)
{
	return root->memory;
}

void sp_root_keep(const struct sp_root *root, const char *path, const struct sp_buf *bytes)
{
	sp_memory_keep(root->memory, path, bytes);
}

const char *sp_root_display(const struct sp_root *root)
{
	return root->display;
}

bool sp_root_is_host(const struct sp_root *root)
{
	return root->host;
}

bool sp_root_is_ours(const struct sp_root *root)
{
	return root->ours;
}

static const char *relative(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

char *sp_root_join(const struct sp_root *root, const char *path)
{
	size_t n = strlen(root->display);

	while (n > 0 && root->display[n - 1] == '/')
		n--;
	return sp_xasprintf("%.*s/%s", (int) n, root->display, relative(path));
}

/* Drop the last component of an absolute, clean path; "/" stays. */
static void up(struct sp_buf *at)
{
	while (at->len > 0 && at->data[at->len - 1] != '/')
		at->len--;
	if (at->len > 0)
		at->len--;
	if (at->data)
		at->data[at->len] = '\0';
}

/*
 * One step of the walk: open "name" below dir without following a link. A link's
 * text comes back in *link instead.
 */
static int step(int dir, const char *name, char **link)
{
	char text[PATH_MAX];
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode))
		return 0;
	ssize_t n = readlinkat(dir, name, text, sizeof(text));
	if (n < 0)
		return -errno;
	if ((size_t) n == sizeof(text))
		return -ENAMETOOLONG;
	*link = sp_xstrndup(text, (size_t) n);
	return 0;
}

static int open_dir_at(int fd, const char *name)
{
	int next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return next < 0 ? -errno : next;
}

/* Open the directory `at` (already free of links) component by component. */
static int open_clean_dir(const struct sp_root *root, const char *at)
{
	sp_autofree char *copy = sp_xstrdup(at);
	char *save = NULL;
	int fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	for (char *c = strtok_r(copy, "/", &save); c; c = strtok_r(NULL, "/", &save)) {
		int next = open_dir_at(fd, c);
		(void) close(fd);
		if (next < 0)
			return next;
		fd = next;
	}
	return fd;
}

/* Put one link's text in front of what is still to be walked. */
static void expand_link(struct sp_buf *at, char **todo, const char *link, const char *rest)
{
	char *joined = sp_xasprintf("%s/%s", link, rest);

	if (*link == '/')
		sp_buf_clear(at);
	free(*todo);
	*todo = joined;
}

/* Absolute, and without what a walk would leave out. */
static bool is_clean(const char *path)
{
	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		size_t n = strcspn(slash + 1, "/");

		if (*slash != '/' || n == 0 || strncmp(slash + 1, ".", n) == 0 || strncmp(slash + 1, "..", n) == 0)
			return false;
	}
	return true;
}

/* The usual cases in a call or two: a clean path with no link on the way, to something that is there or to a free name. */
static bool is_resolved(const struct sp_root *root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };
	struct stat st;

	if (root->walk || !is_clean(path))
		return false;
	if (sp_memory_is_direct(root->memory, path))
		return true;
	sp_autoclose int fd = (int) syscall(SYS_openat2, root->fd, relative(path), &how, sizeof(how));
	if (fd >= 0 || errno != ENOENT)
		return fd >= 0;
	sp_autofree char *above = sp_xstrdup(relative(path));
	char *slash = strrchr(above, '/');
	if (!slash)
		return false;
	*slash = '\0';
	how.flags |= O_DIRECTORY;
	sp_autoclose int dir = (int) syscall(SYS_openat2, root->fd, above, &how, sizeof(how));
	return dir >= 0 && fstatat(dir, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

int sp_root_resolve(const struct sp_root *root, const char *path, char **ret)
{
	if (is_resolved(root, path)) {
		*ret = sp_xstrdup(path);
		return 0;
	}
	sp_autobuf struct sp_buf at = { 0 };
	sp_autofree char *todo = sp_xstrdup(path);
	int links = 0;

	for (;;) {
		const char *name = relative(todo);
		size_t n = strcspn(name, "/");
		sp_autofree char *rest = sp_xstrdup(relative(name + n));
		sp_autofree char *link = NULL;
		sp_autofree char *one = sp_xstrndup(name, n);

		if (n == 0)
			break;
		if (strcmp(one, ".") != 0 && strcmp(one, "..") != 0) {
			sp_autoclose int dir = open_clean_dir(root, at.data ? at.data : "");
			if (dir < 0)
				return dir;
			int r = step(dir, one, &link);
			if (r < 0 && (r != -ENOENT || *rest))
				return r;
		}
		if (link && ++links > MAX_LINKS)
			return -ELOOP;
		if (link) {
			expand_link(&at, &todo, link, rest);
			continue;
		}
		if (strcmp(one, "..") == 0)
			up(&at);
		else if (strcmp(one, ".") != 0)
			sp_buf_addf(&at, "/%s", one);
		free(todo);
		todo = sp_steal(rest);
	}
	*ret = at.len ? sp_buf_steal(&at) : sp_xstrdup("/");
	return 0;
}

static int open_walk(const struct sp_root *root, const char *path, int flags)
{
	sp_autofree char *clean = NULL, *name = NULL;
	int r = 0;

	if (flags & O_NOFOLLOW) {
		sp_autoclose int dir = sp_root_open_parent(root, path, &name);
		if (dir < 0)
			return dir;
		int fd = openat(dir, name, flags);
		return fd < 0 ? -errno : fd;
	}
	r = sp_root_resolve(root, path, &clean);
	if (r < 0)
		return r;
	sp_autofree char *base = sp_xstrdup(strrchr(clean, '/') + 1);
	clean[strlen(clean) - strlen(base)] = '\0';
	sp_autoclose int dir = open_clean_dir(root, clean);
	if (dir < 0)
		return dir;
	int fd = openat(dir, *base ? base : ".", flags | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int open_how(const struct sp_root *root, const char *rel, struct open_how *how)
{
	long fd = syscall(SYS_openat2, root->fd, rel, how, sizeof(*how));

	return fd < 0 ? -errno : (int) fd;
}

/* Where things are remembered, that no link is on the way is learnt by the way. -ELOOP: there is one, or nobody asks. */
static int look_up_direct(const struct sp_root *root, const char *path, const char *rel, struct open_how how)
{
	if (!root->memory || (how.flags & (O_NOFOLLOW | O_DIRECTORY)))
		return -ELOOP;
	how.resolve |= RESOLVE_NO_SYMLINKS;
	int fd = open_how(root, rel, &how);
	if (fd >= 0)
		sp_memory_keep_direct(root->memory, path);
	return fd;
}

static int look_up(const struct sp_root *root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t) (flags | O_CLOEXEC | O_NOCTTY | ((flags & O_PATH) ? 0 : O_NONBLOCK)),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	const char *rel = *relative(path) ? relative(path) : ".";

	if (flags & O_PATH) /* openat2 is strict about what goes with O_PATH */
		how.flags &= O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;
	if (!root->walk) {
		int fd = look_up_direct(root, path, rel, how);
		if (fd == -ELOOP)
			fd = open_how(root, rel, &how);
		if (fd != -ENOSYS && fd != -EPERM && fd != -EAGAIN)
			return fd;
	}
	return open_walk(root, path, (int) how.flags);
}

int sp_root_openat(const struct sp_root *root, const char *path, int flags)
{
	if (sp_memory_is_absent(root->memory, path))
		return -ENOENT;
	int fd = look_up(root, path, flags);
	if (fd == -ENOENT)
		sp_memory_keep_absent(root->memory, path);
	return fd;
}

int sp_root_open_parent(const struct sp_root *root, const char *path, char **ret_name)
{
	sp_autofree char *dir = sp_xstrdup(path);
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		dir[--n] = '\0';
	char *slash = strrchr(dir, '/');
	const char *name = slash ? slash + 1 : dir;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	sp_autofree char *last = sp_xstrdup(name);
	dir[name - dir] = '\0';
	int fd = sp_root_openat(root, dir, O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		*ret_name = sp_steal(last);
	return fd;
}

int sp_root_reopen(const struct sp_root *root, int fd, int flags)
{
	char name[3 * sizeof(fd) + 1];

	(void) snprintf(name, sizeof(name), "%d", fd);
	fd = openat(root->self, name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}
