/* SPDX-License-Identifier: MIT */
/*
 * yardstick FROM TO LIST: bring each file that LIST names (one relative path a line) from the tree FROM to the tree TO
 * as any careful program would, one by one: written beside its target, fsync, rename, fsync of the folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "yardstick: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t read_file(const char *path, char *data, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, data, max);

	if (n < 0 || close(fd) < 0)
		die(path);
	return (size_t) n;
}

static void sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd = open(dirname(strcpy(copy, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0 || close(fd) < 0)
		die(path);
}

static void make_folder(const char *path)
{
	char copy[PATH_MAX];

	if (mkdir(dirname(strcpy(copy, path)), 0755) < 0 && errno != EEXIST)
		die(path);
}

static void write_file(const char *path, const char *data, size_t len)
{
	char temp[PATH_MAX + 8];

	snprintf(temp, sizeof(temp), "%s.new", path);
	int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, len) != (ssize_t) len || fsync(fd) < 0 || close(fd) < 0 || rename(temp, path) < 0)
		die(path);
	sync_folder(path);
}

int main(int argc, char **argv)
{
	static char data[1024 * 1024];
	char name[PATH_MAX / 2], from[PATH_MAX], to[PATH_MAX];

	if (argc != 4 || strlen(argv[1]) > PATH_MAX / 2 - 2 || strlen(argv[2]) > PATH_MAX / 2 - 2) {
		fprintf(stderr, "usage: yardstick FROM TO LIST\n");
		return 2;
	}
	FILE *list = fopen(argv[3], "r");
	if (!list)
		die(argv[3]);
	while (fgets(name, sizeof(name), list)) {
		name[strcspn(name, "\n")] = '\0';
		snprintf(from, sizeof(from), "%s/%s", argv[1], name);
		snprintf(to, sizeof(to), "%s/%s", argv[2], name);
		make_folder(to);
		write_file(to, data, read_file(from, data, sizeof(data)));
	}
	return fclose(list);
}
