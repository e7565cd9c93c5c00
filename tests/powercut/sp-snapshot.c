/* SPDX-License-Identifier: MIT */
/*
 * Inside the guest of powercut.py: a disk that can be written to and thrown away, with its partitions.
 *
 *   sp-snapshot make ORIGIN STORE START...   /dev/dm-0 is ORIGIN, what is written goes to STORE; /dev/dm-1 and so on
 *                                            are its parts from sector START to the next one (or the end)
 *   sp-snapshot drop PARTS
 *
 * What dmsetup does, without its time (libraries, udev): that counts at hundreds of states under emulation.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { SECTOR = 512, CHUNK = 8 /* sectors */ };

struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char parameters[256];
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "sp-snapshot: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct request named(unsigned n)
{
	struct request r = { .head = { .version = { DM_VERSION_MAJOR, 0, 0 }, .data_size = sizeof(r),
				       .data_start = offsetof(struct request, target) } };

	snprintf(r.head.name, sizeof(r.head.name), "cut%u", n);
	return r;
}

static void control(unsigned long command, const char *what, struct request *r)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, command, r) < 0)
		die(what);
}

/* The major number is the kernel's choice; the minor is n. */
static void create(unsigned n)
{
	struct request r = named(n);
	r.head.flags = DM_PERSISTENT_DEV_FLAG;
	r.head.dev = makedev(0, n);
	control(DM_DEV_CREATE, "create", &r);
}

static void load(unsigned n, uint64_t size, const char *type, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void load(unsigned n, uint64_t size, const char *type, const char *format, ...)
{
	struct request r = named(n);
	va_list ap;

	r.head.target_count = 1;
	r.target.length = size;
	r.target.next = sizeof(r.target) + sizeof(r.parameters);
	snprintf(r.target.target_type, sizeof(r.target.target_type), "%s", type);
	va_start(ap, format);
	vsnprintf(r.parameters, sizeof(r.parameters), format, ap);
	va_end(ap);
	control(DM_TABLE_LOAD, "load", &r);
	r = named(n);
	control(DM_DEV_SUSPEND, "resume", &r); /* without the flag that suspends */
}

static uint64_t sectors_of(const char *device)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	uint64_t bytes = 0;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		die(device);
	close(fd);
	return bytes / SECTOR;
}

static void make(const char *origin, const char *store, char **starts, unsigned n)
{
	uint64_t end = sectors_of(origin);

	create(0);
	load(0, end, "snapshot", "%s %s N %d", origin, store, CHUNK);
	for (unsigned i = n; i > 0; i--) {
		uint64_t start = strtoull(starts[i - 1], NULL, 10);
		create(i);
		load(i, end - start, "linear", "/dev/dm-0 %llu", (unsigned long long) start);
		end = start;
	}
}

static void drop(unsigned parts)
{
	for (unsigned i = parts + 1; i > 0; i--) {
		struct request r = named(i - 1);
		control(DM_DEV_REMOVE, "remove", &r);
	}
}

int main(int argc, char **argv)
{
	if (argc >= 5 && strcmp(argv[1], "make") == 0)
		make(argv[2], argv[3], argv + 4, (unsigned) argc - 4);
	else if (argc == 3 && strcmp(argv[1], "drop") == 0)
		drop((unsigned) strtoul(argv[2], NULL, 10));
	else {
		fputs("usage: see tests/powercut/sp-snapshot.c\n", stderr);
		return 2;
	}
	return 0;
}
