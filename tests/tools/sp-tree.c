/* SPDX-License-Identifier: MIT */
/*
 * Trees for the tests.
 *
 *   sp-tree unpack SRC DST            copy a machine of tests/machines, with what its MANIFEST says and git cannot keep
 *   sp-tree list [-a] [-m] [-x PATH]... DIR [PREFIX...]
 *                                     one line a file, in a fixed order, so that diff(1) compares two trees
 *   sp-tree lock FILE COMMAND...      run a command while an OFD write lock is held on FILE
 *
 * A line of `list`, tab separated: path, type (f d l or ?), mode, uid:gid, mtime with nanoseconds, links, size,
 * checksum (64-bit FNV-1a), extended attributes, target of a link. Folders have no mtime, links and size: a file
 * written beside a target and removed again changes those. var/lib/strix-provision is left out.
 *   -a  everything: the state directory, mtimes of folders, and inode and ctime as two more columns
 *   -m  without mtimes;  -x PATH  without this path and all below it
 *
 * MANIFEST, tab separated: path, type (f d l), mode in octal, uid:gid or '-' (numbers; set by root only), target of a
 * link, or name=value,... of extended attributes, or '-', mtime as seconds.nanoseconds or '-'. A file that is named
 * there and not in the folder gets one line. What it does not name gets 0644, 0755 and TREE_DEFAULT_MTIME.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sp-tree.h"

#define STATE_DIR   "var/lib/strix-provision"
#define MAX_EXCLUDE 16

_Noreturn void tree_die(const char *fmt, ...)
{
	int e = errno;
	va_list ap;

	va_start(ap, fmt);
	fputs("sp-tree: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s%s\n", e ? ": " : "", e ? strerror(e) : "");
	exit(1);
}

char *tree_join(const char *dir, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, *dir ? "%s/%s" : "%s%s", dir, name) < 0)
		tree_die("out of memory");
	return path;
}

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int tree_scan(const char *dir, struct dirent ***ret)
{
	return scandir(dir, ret, not_dots, by_name);
}

/* --- list -------------------------------------------------------------------------------------------------------- */

struct listing {
	const char *root;
	bool all, no_mtime;
	const char *exclude[MAX_EXCLUDE];
	size_t n_exclude;
};

static bool below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static bool excluded(const struct listing *l, const char *path)
{
	for (size_t i = 0; i < l->n_exclude; i++)
		if (below(path, l->exclude[i]))
			return true;
	return !l->all && below(path, STATE_DIR);
}

static void print_checksum(const char *path)
{
	unsigned char buf[65536];
	uint64_t hash = UINT64_C(14695981039346656037);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			hash = (hash ^ buf[i]) * UINT64_C(1099511628211);
	if (n < 0)
		printf("\tunreadable");
	else
		printf("\t%016" PRIx64, hash);
	if (fd >= 0)
		close(fd);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void print_value(const char *path, const char *name)
{
	unsigned char value[4096];
	ssize_t len = lgetxattr(path, name, value, sizeof(value));

	printf("%s=", name);
	for (ssize_t i = 0; i < len; i++)
		printf(value[i] > ' ' && value[i] < 0x7f ? "%c" : "\\x%02x", value[i]);
	putchar(';');
}

static void print_xattrs(const char *path)
{
	char names[4096], *sorted[64];
	ssize_t len = llistxattr(path, names, sizeof(names));
	size_t n = 0;

	putchar('\t');
	for (char *p = names; len > 0 && p < names + len && n < 64; p += strlen(p) + 1)
		sorted[n++] = p;
	if (n == 0)
		putchar('-');
	qsort(sorted, n, sizeof(*sorted), by_text);
	for (size_t i = 0; i < n; i++)
		print_value(path, sorted[i]);
}

static void print_line(const struct listing *l, const char *path, const char *full, const struct stat *st)
{
	bool dir = S_ISDIR(st->st_mode), link = S_ISLNK(st->st_mode);
	char target[4096];
	ssize_t len = link ? readlink(full, target, sizeof(target)) : 0;

	printf("%s\t%c\t%04o\t%u:%u", path, dir ? 'd' : link ? 'l' : S_ISREG(st->st_mode) ? 'f' : '?',
	       st->st_mode & 07777, st->st_uid, st->st_gid);
	if (l->no_mtime || (dir && !l->all))
		printf("\t-");
	else
		printf("\t%lld.%09ld", (long long) st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (dir)
		printf("\t-\t-");
	else
		printf("\t%lu\t%lld", (unsigned long) st->st_nlink, (long long) st->st_size);
	if (S_ISREG(st->st_mode))
		print_checksum(full);
	else
		printf("\t-");
	print_xattrs(full);
	if (link)
		printf("\t%.*s", (int) (len > 0 ? len : 0), target);
	else
		printf("\t-");
	if (l->all)
		printf("\tinode=%llu\tctime=%lld.%09ld", (unsigned long long) st->st_ino,
		       (long long) st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	putchar('\n');
}

static void list_path(const struct listing *l, const char *path)
{
	char *full = tree_join(l->root, path);
	struct dirent **names;
	struct stat st;

	if (excluded(l, path) || lstat(full, &st) < 0) {
		free(full);
		return;
	}
	print_line(l, *path ? path : ".", full, &st);
	int n = S_ISDIR(st.st_mode) ? tree_scan(full, &names) : 0;
	for (int i = 0; i < n; i++) {
		char *child = tree_join(path, names[i]->d_name);

		list_path(l, child);
		free(child);
		free(names[i]);
	}
	if (n > 0)
		free(names);
	free(full);
}

static int list(int argc, char **argv)
{
	struct listing l = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "amx:")) != -1) {
		if (opt == 'a')
			l.all = true;
		else if (opt == 'm')
			l.no_mtime = true;
		else if (opt == 'x' && l.n_exclude < MAX_EXCLUDE)
			l.exclude[l.n_exclude++] = optarg;
		else
			return 2;
	}
	if (optind >= argc)
		return 2;
	l.root = argv[optind++];
	if (optind == argc)
		list_path(&l, "");
	for (; optind < argc; optind++)
		list_path(&l, argv[optind]);
	return ferror(stdout) || fflush(stdout) != 0;
}

/* --- lock -------------------------------------------------------------------------------------------------------- */

static int lock(const char *path, char **command)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), status;

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &fl) < 0)
		tree_die("%s", path);
	pid_t pid = fork();
	if (pid < 0)
		tree_die("fork");
	if (pid == 0) {
		execvp(command[0], command);
		tree_die("%s", command[0]);
	}
	if (waitpid(pid, &status, 0) < 0)
		tree_die("wait");
	close(fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int r = 2;

	if (argc == 4 && strcmp(argv[1], "unpack") == 0)
		r = tree_unpack(argv[2], argv[3]);
	else if (argc >= 3 && strcmp(argv[1], "list") == 0)
		r = list(argc - 1, argv + 1);
	else if (argc >= 4 && strcmp(argv[1], "lock") == 0)
		return lock(argv[2], argv + 3);
	if (r == 2)
		fputs("usage: sp-tree unpack SRC DST | list [-a] [-m] [-x PATH]... DIR [PREFIX...] |"
		      " lock FILE COMMAND...\n", stderr);
	return r;
}
