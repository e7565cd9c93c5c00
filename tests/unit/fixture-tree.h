/* SPDX-License-Identifier: MIT */
/*
 * A tree of small files in a new temporary directory, from records. Parents
 * are made; a later record replaces an earlier one of the same path.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum fixture_kind { FIXTURE_FILE, FIXTURE_LINK, FIXTURE_DIR, FIXTURE_SECRET /* mode 0 */, FIXTURE_GONE };

struct fixture {
	const char *path; /* "sys/class/dmi/id/sys_vendor" */
	const char *text; /* content, or where the link points */
	enum fixture_kind kind;
	size_t len; /* 0: strlen(text) */
};

static inline void fixture_must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static inline char *fixture_new(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = NULL;

	fixture_must(asprintf(&dir, "%s/sp-test-XXXXXX", base ? base : "/tmp") > 0, "asprintf");
	fixture_must(mkdtemp(dir) != NULL, dir);
	return dir;
}

static inline int fixture_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void) st;
	(void) flag;
	(void) ftw;
	return remove(path);
}

static inline void fixture_remove(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		fixture_must(nftw(path, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, path);
}

static inline void fixture_free(char *dir)
{
	fixture_remove(dir);
	free(dir);
}

static inline void fixture_parents(char *path, size_t from)
{
	for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		fixture_must(mkdir(path, 0755) == 0 || errno == EEXIST, path);
		*slash = '/';
	}
}

static inline void fixture_write(const char *path, const struct fixture *f)
{
	size_t len = f->len ? f->len : strlen(f->text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	fixture_must(fd >= 0, path);
	fixture_must(write(fd, f->text, len) == (ssize_t) len, path);
	fixture_must(close(fd) == 0, path);
}

static inline void fixture_add(const char *dir, const struct fixture *f)
{
	char *path = NULL;

	fixture_must(asprintf(&path, "%s/%s", dir, f->path) > 0, "asprintf");
	fixture_parents(path, strlen(dir) + 1);
	fixture_remove(path);
	if (f->kind == FIXTURE_DIR)
		fixture_must(mkdir(path, 0755) == 0, path);
	else if (f->kind == FIXTURE_LINK)
		fixture_must(symlink(f->text, path) == 0, path);
	else if (f->kind != FIXTURE_GONE)
		fixture_write(path, f);
	if (f->kind == FIXTURE_SECRET)
		fixture_must(chmod(path, 0) == 0, path);
	free(path);
}

/* Records end at the first without a path. */
static inline void fixture_add_all(const char *dir, const struct fixture *files)
{
	for (; files->path; files++)
		fixture_add(dir, files);
}
