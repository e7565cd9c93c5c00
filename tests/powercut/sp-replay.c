/* SPDX-License-Identifier: MIT */
/*
 * Inside the guest of powercut.py, what a shell cannot do:
 *
 *   sp-replay mark DISK TEXT      write TEXT to sector 1 of DISK, past every cache and without a flush, for the log
 *   sp-replay origin DISK         carry the steps on standard input out on DISK, up to the next state; print its number
 *                                 of pieces and its label; 1 at the end
 *   sp-replay state DISK PIECES   write the pieces of that state to DISK
 *   sp-replay no-exchange COMMAND run it where renameat2(RENAME_EXCHANGE) is refused, as by FAT before Linux 6.0
 *
 * Standard input is blocks of 512 bytes, written by states.py: a step is a head (magic, kind, number of pieces, label),
 * then for each piece a block with first sector and number of sectors, and its data.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SECTOR = 512, MARK_SECTOR = 1, MAX_PIECE = 2048 /* sectors */ };

static const char magic[8] = "SPCUTS1";

struct head {
	char magic[8], kind[4]; /* kind: "o" a step on the origin, "s" a state, "e" the end */
	uint32_t n_pieces;
	char label[SECTOR - 16];
};

struct piece {
	uint64_t sector, n_sectors;
	char unused[SECTOR - 16];
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "sp-replay: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void read_all(void *data, size_t len)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = read(STDIN_FILENO, p, len);
		if (n <= 0)
			die("standard input");
		p += n;
		len -= (size_t) n;
	}
}

static int open_disk(const char *path)
{
	int fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static void write_sectors(int fd, const void *data, uint64_t sector, uint64_t n)
{
	if (pwrite(fd, data, n * SECTOR, (off_t) (sector * SECTOR)) != (ssize_t) (n * SECTOR))
		die("write");
}

static void *sector_buffer(size_t n)
{
	void *buf = aligned_alloc(4096, (n * SECTOR + 4095) / 4096 * 4096);

	if (!buf)
		die("memory");
	return buf;
}

static void copy_pieces(int fd, uint32_t n)
{
	void *buf = sector_buffer(MAX_PIECE);
	struct piece p;

	for (uint32_t i = 0; i < n; i++) {
		read_all(&p, sizeof(p));
		if (p.n_sectors > MAX_PIECE) {
			errno = EFBIG;
			die("piece");
		}
		read_all(buf, p.n_sectors * SECTOR);
		write_sectors(fd, buf, p.sector, p.n_sectors);
	}
	free(buf);
}

static struct head read_head(void)
{
	struct head h;

	read_all(&h, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) != 0) {
		errno = EBADMSG;
		die("standard input");
	}
	return h;
}

static int origin(const char *disk)
{
	int fd = open_disk(disk);
	struct head h;

	for (h = read_head(); h.kind[0] == 'o'; h = read_head())
		copy_pieces(fd, h.n_pieces);
	close(fd);
	if (h.kind[0] == 'e')
		return 1;
	printf("%u %s\n", h.n_pieces, h.label);
	return 0;
}

static int state(const char *disk, const char *pieces)
{
	int fd = open_disk(disk);

	copy_pieces(fd, (uint32_t) strtoul(pieces, NULL, 10));
	return close(fd) < 0;
}

static int mark(const char *disk, const char *text)
{
	char *buf = sector_buffer(1);
	int fd = open_disk(disk);

	memset(buf, 0, SECTOR);
	snprintf(buf, SECTOR, "powercut: %s\n", text);
	write_sectors(fd, buf, MARK_SECTOR, 1);
	free(buf);
	return close(fd) < 0;
}

static int no_exchange(char **command)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RENAME_EXCHANGE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		die("seccomp");
	execvp(command[0], command);
	die(command[0]);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "mark") == 0)
		return mark(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "origin") == 0)
		return origin(argv[2]);
	if (argc == 4 && strcmp(argv[1], "state") == 0)
		return state(argv[2], argv[3]);
	if (argc >= 3 && strcmp(argv[1], "no-exchange") == 0)
		return no_exchange(argv + 2);
	fputs("usage: see tests/powercut/sp-replay.c\n", stderr);
	return 2;
}
