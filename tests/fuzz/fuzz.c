/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

const struct fuzz_target *fuzz_target(const char *name)
{
	for (size_t i = 0; fuzz_targets[i]; i++)
		if (sp_streq(fuzz_targets[i]->name, name))
			return fuzz_targets[i];
	return NULL;
}

size_t fuzz_max(const struct fuzz_target *t)
{
	return t->max ? t->max : FUZZ_MAX;
}

void fuzz_fail(const char *fmt, ...)
{
	va_list ap;

	(void) fputs("# violation: ", stderr);
	va_start(ap, fmt);
	(void) vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void) fputc('\n', stderr);
	abort();
}

const char *fuzz_show(const void *data, size_t len)
{
	const unsigned char *s = data;
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < len; i++)
		if (s[i] == '\n')
			sp_buf_adds(&b, "\\n");
		else if (s[i] == '\\')
			sp_buf_adds(&b, "\\\\");
		else
			sp_buf_addf(&b, s[i] < ' ' || s[i] > '~' ? "\\%03o" : "%c", s[i]);
	return sp_buf_steal(&b);
}

const char *fuzz_shows(const char *s)
{
	return s ? fuzz_show(s, strlen(s)) : "(none)";
}

/* --- texts ------------------------------------------------------------------------------------------------------ */

static void set_tight(struct sp_buf *b, const void *data, size_t len)
{
	*b = (struct sp_buf){ .data = sp_xmalloc(len + 1), .len = len, .cap = len + 1 };
	if (len)
		memcpy(b->data, data, len);
	b->data[len] = '\0';
}

void fuzz_tighten(struct sp_buf *b)
{
	struct sp_buf loose = *b;

	set_tight(b, loose.data, loose.len);
	sp_buf_clear(&loose);
}

void fuzz_cut(const uint8_t *data, size_t size, struct fuzz_fields *ret)
{
	size_t at = 0;

	*ret = (struct fuzz_fields){ 0 };
	for (size_t i = 0; i < FUZZ_FIELDS; i++) {
		const uint8_t *end = size > at ? memchr(data + at, FUZZ_SEPARATOR, size - at) : NULL;
		size_t len = end && i + 1 < FUZZ_FIELDS ? (size_t) (end - (data + at)) : size - at;

		set_tight(&ret->v[i], len ? data + at : NULL, len);
		ret->n += at < size || i == 0;
		at += len + (at + len < size);
	}
}

void fuzz_fields_clear(struct fuzz_fields *f)
{
	for (size_t i = 0; i < FUZZ_FIELDS; i++)
		sp_buf_clear(&f->v[i]);
}

const char *fuzz_text(const struct fuzz_fields *f, size_t i, const char *otherwise)
{
	return *f->v[i].data ? f->v[i].data : otherwise;
}

void fuzz_lines(const char *text, struct sp_strv *ret)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > 0)
			sp_strv_take(ret, sp_xstrndup(text, n));
		text += n + (text[n] == '\n');
	}
}

/* --- trees ------------------------------------------------------------------------------------------------------ */

const char *fuzz_sources(void)
{
	const char *dir = getenv("SP_SRCDIR");

	return dir && *dir ? dir : ".";
}

static char tree[64];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void) st;
	(void) flag;
	(void) ftw;
	return remove(path);
}

static void remove_tree(void)
{
	(void) nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_tree(void)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };

	if (*tree)
		return tree;
	for (size_t i = 0; i < SP_ELEMENTS(places) && !*tree; i++) {
		(void) snprintf(tree, sizeof(tree), "%s/sp-fuzz-XXXXXX", places[i]);
		if (!mkdtemp(tree))
			*tree = '\0';
	}
	fuzz_check(*tree, "no folder for a tree: %s", strerror(errno));
	fuzz_check(atexit(remove_tree) == 0, "atexit");
	return tree;
}

/* The folder that path is in, without a link on the way: what an input names never leads out of the tree. */
int fuzz_tree_parent(const char *dir, const char *path, const char **name)
{
	sp_autofree char *full = sp_xasprintf("%s/%s", dir + strlen(tree) + 1, path);
	sp_autoclose int fd = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *at = full;

	for (char *slash; fd >= 0 && (slash = strchr(at, '/')); at = slash + 1) {
		*slash = '\0';
		if (mkdirat(fd, at, 0755) < 0 && errno != EEXIST)
			return -errno;
		int next = openat(fd, at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void) close(fd);
		fd = next;
	}
	*name = path + strlen(path) - strlen(at);
	return fd < 0 ? -errno : sp_steal_fd(&fd);
}

int fuzz_tree_try(const char *dir, const char *path, const void *data, size_t len)
{
	const char *name = NULL;
	sp_autoclose int parent = fuzz_tree_parent(dir, path, &name);
	sp_autoclose int fd = -1;

	if (parent < 0)
		return parent;
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	return len == 0 || write(fd, data, len) == (ssize_t) len ? 0 : -EIO;
}

void fuzz_tree_write(const char *dir, const char *path, const void *data, size_t len)
{
	int r = fuzz_tree_try(dir, path, data, len);

	fuzz_check(r == 0, "%s/%s: %s", dir, path, strerror(-r));
}

void fuzz_tree_remove(const char *dir, const char *path)
{
	const char *name = NULL;
	sp_autoclose int parent = fuzz_tree_parent(dir, path, &name);

	fuzz_check(parent >= 0 && (unlinkat(parent, name, 0) == 0 || errno == ENOENT), "%s/%s: %s", dir, path, strerror(errno));
}
