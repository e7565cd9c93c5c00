/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/xattr.h>

#include "hostile.h"

struct sp_buf read_text(const char *path)
{
	struct sp_buf b = { 0 };
	char chunk[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return b;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		sp_buf_add(&b, chunk, (size_t) n);
	(void) close(fd);
	sp_buf_add(&b, "", 0);
	return b;
}

bool put_text(const char *path, const void *data, size_t len, mode_t mode)
{
	sp_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, data, len) == (ssize_t) len && fchmod(fd, mode) == 0;
}

void write_text(const char *path, const void *data, size_t len, mode_t mode)
{
	if (!put_text(path, data, len, mode))
		die("cannot write '%s'", path);
}

void make_dirs_above(const char *path)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		sp_autofree char *dir = sp_xstrndup(path, (size_t) (slash - path));
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return; /* something else is in the way: then it is */
	}
}

/* --- copy ------------------------------------------------------------------------------------------------------- */

static void copy_xattrs(int from, int to)
{
	char names[4096], value[4096];
	ssize_t n = flistxattr(from, names, sizeof(names));

	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		ssize_t len = fgetxattr(from, p, value, sizeof(value));
		if (len >= 0)
			(void) fsetxattr(to, p, value, (size_t) len, 0); /* of another file system: as far as it goes */
	}
}

static void copy_bytes(int from, int to)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(from, chunk, sizeof(chunk))) > 0)
		if (write(to, chunk, (size_t) n) != n)
			die("cannot copy");
}

static void copy_dir(int from, int to);

static void copy_one(int from, int to, const char *name)
{
	struct stat st;
	char text[4096];

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		die("cannot look at '%s'", name);
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = '\0';
		if (symlinkat(text, to, name) < 0)
			die("cannot link '%s'", name);
		return;
	}
	const bool dir = S_ISDIR(st.st_mode);
	if (dir && mkdirat(to, name, 0700) < 0 && errno != EEXIST)
		die("cannot make '%s'", name);
	sp_autoclose int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (dir ? O_DIRECTORY : 0));
	sp_autoclose int out = dir ? openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
				     openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (in < 0 || out < 0)
		die("cannot copy '%s'", name);
	if (dir)
		copy_dir(in, out);
	else
		copy_bytes(in, out);
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	(void) !fchown(out, st.st_uid, st.st_gid);
	copy_xattrs(in, out);
	if (fchmod(out, st.st_mode & 07777) < 0 || futimens(out, times) < 0)
		die("cannot copy what belongs to '%s'", name);
}

static void copy_dir(int from, int to)
{
	DIR *d = fdopendir(dup(from));
	struct dirent *e;
	struct stat own, there;

	if (!d || fstat(from, &own) < 0)
		die("cannot read a folder");
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(from, e->d_name, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_dev == own.st_dev)
			copy_one(from, to, e->d_name);
	}
	(void) closedir(d);
}

void copy_tree(const char *from, const char *to)
{
	struct stat st;

	if (mkdir(to, 0755) < 0 && errno != EEXIST)
		die("cannot make '%s'", to);
	sp_autoclose int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sp_autoclose int out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		die("cannot copy '%s' to '%s'", from, to);
	copy_dir(in, out);
	if (fchmod(out, st.st_mode & 07777) < 0)
		die("cannot copy '%s'", from);
}

/* --- remove, look ------------------------------------------------------------------------------------------------ */

static void clear_dir(int dir)
{
	DIR *d = fdopendir(dup(dir));
	struct dirent *e;
	struct stat own, st;

	if (!d || fstat(dir, &own) < 0)
		die("cannot read a folder to clear it");
	(void) !fchmod(dir, own.st_mode | S_IRWXU);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			if (unlinkat(dir, e->d_name, 0) < 0)
				die("cannot remove '%s'", e->d_name);
			continue;
		}
		if (st.st_dev != own.st_dev)
			continue; /* somebody's mount */
		(void) !fchmodat(dir, e->d_name, 0700, 0);
		sp_autoclose int sub = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0)
			die("cannot open '%s'", e->d_name);
		clear_dir(sub);
		if (unlinkat(dir, e->d_name, AT_REMOVEDIR) < 0 && errno != EBUSY)
			die("cannot remove the folder '%s'", e->d_name);
	}
	(void) closedir(d);
}

void clear_tree(const char *dir)
{
	sp_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		clear_dir(fd);
}

void each_file(const char *dir, void (*see)(void *data, const char *path, const struct stat *st), void *data)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat own, st;

	if (!d || stat(dir, &own) < 0) {
		if (d)
			(void) closedir(d);
		return;
	}
	while ((e = readdir(d))) {
		sp_autofree char *path = sp_xasprintf("%s/%s", dir, e->d_name);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || lstat(path, &st) < 0 ||
		    st.st_dev != own.st_dev)
			continue;
		see(data, path, &st);
		if (S_ISDIR(st.st_mode))
			each_file(path, see, data);
	}
	(void) closedir(d);
}

void save_state(struct lab *lab, const char *name)
{
	sp_autofree char *to = sp_xasprintf("%s/state-%s", lab->scratch, name);

	copy_tree(lab->tree, to);
	sp_strv_add(&lab->states, name);
}

void load_state(struct lab *lab, const char *name)
{
	sp_autofree char *from = sp_xasprintf("%s/state-%s", lab->scratch, name);

	clear_tree(lab->tree);
	copy_tree(from, lab->tree);
}
