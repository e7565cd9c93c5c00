/* SPDX-License-Identifier: MIT */
/* sp-tree unpack: a machine of tests/machines and its MANIFEST become a tree; the columns are in sp-tree.c. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sp-tree.h"

static void copy_file(const char *from, const char *to)
{
	char buf[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	if (in < 0)
		tree_die("%s", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		tree_die("%s", to);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t) n) != n)
			tree_die("%s", to);
	if (n < 0)
		tree_die("%s", from);
	if (fchmod(out, 0644) < 0 || close(out) < 0)
		tree_die("%s", to);
	close(in);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		tree_die("%s", path);
	if (chmod(path, 0755) < 0)
		tree_die("%s", path);
}

static void copy_dir(const char *from, const char *to, bool top)
{
	struct dirent **names;
	int n = tree_scan(from, &names);

	if (n < 0)
		tree_die("%s", from);
	make_dir(to);
	for (int i = 0; i < n; i++) {
		char *src = tree_join(from, names[i]->d_name), *dst = tree_join(to, names[i]->d_name);
		struct stat st;

		if (stat(src, &st) < 0)
			tree_die("%s", src);
		if (S_ISDIR(st.st_mode))
			copy_dir(src, dst, false);
		else if (!top) /* MANIFEST and README are about the machine, not of it */
			copy_file(src, dst);
		free(src);
		free(dst);
		free(names[i]);
	}
	free(names);
}

struct row {
	char *path, *target; /* path in the new tree; target of a link, or attributes */
	char type;
	mode_t mode;
	long uid, gid; /* -1: leave */
	struct timespec mtime;
};

static struct timespec parse_time(const char *text)
{
	struct timespec t = TREE_DEFAULT_MTIME;
	long long sec;

	if (strcmp(text, "-") != 0) {
		if (sscanf(text, "%lld.%9ld", &sec, &t.tv_nsec) != 2)
			tree_die("MANIFEST: not a time: '%s'", text);
		t.tv_sec = sec;
	}
	return t;
}

static struct row parse_row(char *line, const char *dst)
{
	char *field[6], *save = NULL, *p = line;
	struct row row = { .uid = -1, .gid = -1 };

	errno = 0;
	for (int i = 0; i < 6; i++, p = NULL) {
		field[i] = strtok_r(p, "\t", &save);
		if (!field[i])
			tree_die("MANIFEST: six fields expected after '%s'", line);
	}
	row.path = tree_join(dst, field[0]);
	row.type = field[1][0];
	row.mode = (mode_t) strtoul(field[2], NULL, 8);
	if (strcmp(field[3], "-") != 0 && sscanf(field[3], "%ld:%ld", &row.uid, &row.gid) != 2)
		tree_die("MANIFEST: not an owner: '%s'", field[3]);
	row.target = strdup(field[4]);
	row.mtime = parse_time(field[5]);
	return row;
}

static size_t read_manifest(const char *src, const char *dst, struct row **ret)
{
	char *path = tree_join(src, "MANIFEST"), *line = NULL;
	size_t size = 0, n = 0;
	FILE *f = fopen(path, "re");
	ssize_t len;

	*ret = NULL;
	if (!f)
		tree_die("%s", path);
	while ((len = getline(&line, &size, f)) > 0) {
		if (line[len - 1] == '\n')
			line[--len] = '\0';
		if (len == 0 || line[0] == '#')
			continue;
		*ret = reallocarray(*ret, n + 1, sizeof(**ret));
		if (!*ret)
			tree_die("out of memory");
		(*ret)[n++] = parse_row(line, dst);
	}
	fclose(f);
	free(line);
	free(path);
	return n;
}

static void make_parents(const char *path)
{
	char *copy = strdup(path);

	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			tree_die("%s", copy);
		*p = '/';
	}
	free(copy);
}

static void make_row(const struct row *row)
{
	static const char placeholder[] = "placeholder\n";
	int fd;

	make_parents(row->path);
	switch (row->type) {
	case 'd':
		make_dir(row->path);
		break;
	case 'l':
		if (symlink(row->target, row->path) < 0)
			tree_die("%s", row->path);
		break;
	case 'f':
		if (access(row->path, F_OK) == 0)
			break;
		fd = open(row->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 || write(fd, placeholder, sizeof(placeholder) - 1) < 0 || close(fd) < 0)
			tree_die("%s", row->path);
		break;
	default:
		errno = 0;
		tree_die("MANIFEST: unknown type '%c'", row->type);
	}
}

static void set_xattrs(const struct row *row)
{
	char *list = strdup(row->target), *save = NULL;

	for (char *item = strtok_r(list, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		char *value = strchr(item, '=');

		if (!value)
			continue;
		*value++ = '\0';
		if (setxattr(row->path, item, value, strlen(value), 0) < 0) {
			if (errno != ENOTSUP)
				tree_die("%s: %s", row->path, item);
			fprintf(stderr, "# sp-tree: no extended attributes here, left out: %s\n", item);
		}
	}
	free(list);
}

static void set_row(const struct row *row)
{
	struct timespec times[2] = { row->mtime, row->mtime };

	if (row->uid >= 0 && geteuid() == 0 && lchown(row->path, (uid_t) row->uid, (gid_t) row->gid) < 0)
		tree_die("%s", row->path);
	if (row->type != 'l') {
		set_xattrs(row);
		if (chmod(row->path, row->mode) < 0)
			tree_die("%s", row->path);
	}
	if (utimensat(AT_FDCWD, row->path, times, AT_SYMLINK_NOFOLLOW) < 0)
		tree_die("%s", row->path);
}

static int set_default_time(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
	struct timespec times[2] = { TREE_DEFAULT_MTIME, TREE_DEFAULT_MTIME };

	(void) st;
	(void) what;
	(void) ftw;
	return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

int tree_unpack(const char *src, const char *dst)
{
	struct row *rows;
	size_t n = read_manifest(src, dst, &rows);

	umask(022);
	copy_dir(src, dst, true);
	for (size_t i = 0; i < n; i++)
		make_row(&rows[i]);
	if (nftw(dst, set_default_time, 16, FTW_DEPTH | FTW_PHYS) < 0)
		tree_die("%s", dst);
	for (size_t i = n; i-- > 0;) /* last first, so that a closed folder is closed after what is in it */
		set_row(&rows[i]);
	for (size_t i = 0; i < n; i++) {
		free(rows[i].path);
		free(rows[i].target);
	}
	free(rows);
	return 0;
}

