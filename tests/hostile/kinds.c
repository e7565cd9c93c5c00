/* SPDX-License-Identifier: MIT */
/* What somebody can put where the program expects a file or a folder. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "hostile.h"

enum { SOMEBODY = 12345 };

static char *place(struct lab *lab, const char *path)
{
	return sp_xasprintf("%s/%s", lab->tree, path);
}

/* Whatever is there goes; the folders above are there afterwards. Owned; NULL: it cannot be. */
static char *cleared(struct lab *lab, const char *path)
{
	sp_autofree char *at = place(lab, path);
	struct stat st;

	make_dirs_above(at);
	if (lstat(at, &st) == 0 && S_ISDIR(st.st_mode)) {
		(void) chmod(at, 0700);
		clear_tree(at);
		if (rmdir(at) < 0)
			return NULL;
	} else {
		(void) unlink(at);
	}
	return lstat(at, &st) < 0 && errno == ENOENT ? sp_steal(at) : NULL;
}

char *way_out(struct lab *lab, const char *path, int which)
{
	struct sp_buf b = { 0 };

	if (which >= 2 && !lab->procfs)
		return NULL;
	if (which == 1) {
		for (const char *c = path; c; c = strchr(c + 1, '/'))
			sp_buf_adds(&b, "../");
		sp_buf_addf(&b, "../outside/%s", path); /* the tree's own folder is one more step */
	} else if (which == 2) {
		sp_buf_addf(&b, "/realproc/self/root%s/%s", lab->outside, path);
	} else if (which == 3) {
		sp_buf_addf(&b, "/realproc/self/cwd/outside/%s", path); /* we run it in the folder above */
	} else {
		sp_buf_addf(&b, "%s/%s", lab->outside, path);
	}
	return sp_buf_steal(&b);
}

static bool link_out(struct lab *lab, const char *path, int which)
{
	sp_autofree char *text = way_out(lab, path, which), *at = text ? cleared(lab, path) : NULL;

	return at && symlink(text, at) == 0;
}

static bool link_absolute(struct lab *lab, const char *path)
{
	return link_out(lab, path, 0);
}

static bool link_up(struct lab *lab, const char *path)
{
	return link_out(lab, path, 1);
}

static bool link_magic_root(struct lab *lab, const char *path)
{
	return link_out(lab, path, 2);
}

static bool link_magic_cwd(struct lab *lab, const char *path)
{
	return link_out(lab, path, 3);
}

static bool link_text(struct lab *lab, const char *path, const char *text)
{
	sp_autofree char *at = cleared(lab, path);

	return at && symlink(text, at) == 0;
}

static bool link_dangling(struct lab *lab, const char *path)
{
	return link_text(lab, path, "/nowhere/at/all");
}

static bool link_loop(struct lab *lab, const char *path)
{
	const char *name = strrchr(path, '/');

	return link_text(lab, path, name ? name + 1 : path);
}

/* A link that stays inside, to what was there: nobody's fault, and everything must go on as far as it is safe. */
static bool link_aside(struct lab *lab, const char *path)
{
	sp_autofree char *at = place(lab, path), *aside = sp_xasprintf("%s.aside", at);
	const char *name = strrchr(path, '/');
	sp_autofree char *text = sp_xasprintf("%s.aside", name ? name + 1 : path);

	return rename(at, aside) == 0 && symlink(text, at) == 0;
}

static bool make_node(struct lab *lab, const char *path, mode_t type, dev_t dev)
{
	sp_autofree char *at = cleared(lab, path);

	return at && mknod(at, type | 0666, dev) == 0;
}

static bool fifo(struct lab *lab, const char *path)
{
	return make_node(lab, path, S_IFIFO, 0);
}

static bool unix_socket(struct lab *lab, const char *path)
{
	return make_node(lab, path, S_IFSOCK, 0);
}

static bool endless_device(struct lab *lab, const char *path)
{
	return lab->root && make_node(lab, path, S_IFCHR, makedev(1, 5)); /* /dev/zero */
}

static bool waiting_device(struct lab *lab, const char *path)
{
	return lab->root && make_node(lab, path, S_IFCHR, makedev(5, 0)); /* /dev/tty */
}

static bool block_device(struct lab *lab, const char *path)
{
	return lab->root && make_node(lab, path, S_IFBLK, makedev(7, 200)); /* a loop device that is not set up */
}

static bool empty_dir(struct lab *lab, const char *path)
{
	sp_autofree char *at = cleared(lab, path);

	return at && mkdir(at, 0755) == 0;
}

static bool closed_dir(struct lab *lab, const char *path)
{
	sp_autofree char *at = cleared(lab, path);

	return at && mkdir(at, 0) == 0;
}

static bool nothing(struct lab *lab, const char *path)
{
	sp_autofree char *at = cleared(lab, path);

	return at;
}

static bool with_text(struct lab *lab, const char *path, const void *data, size_t len, mode_t mode)
{
	sp_autofree char *at = cleared(lab, path);

	return at && put_text(at, data, len, mode);
}

static bool empty_file(struct lab *lab, const char *path)
{
	return with_text(lab, path, "", 0, 0644);
}

static bool sparse_file(struct lab *lab, const char *path)
{
	sp_autofree char *at = with_text(lab, path, "x=1\n", 4, 0644) ? place(lab, path) : NULL;

	return at && truncate(at, (off_t) 1 << 40) == 0;
}

static bool noise(struct lab *lab, const char *path)
{
	unsigned char bytes[4096];
	uint32_t x = 2463534242U;

	for (size_t i = 0; i < sizeof(bytes); i++) { /* xorshift: the same each time */
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (unsigned char) x;
	}
	return with_text(lab, path, bytes, sizeof(bytes), 0644);
}

/* Zstandard, 64 GiB of zeros in 2 MiB: each block of 128 KiB is one byte and how often (RFC 8878, 3.1.1.2). */
static bool bomb(struct lab *lab, const char *path)
{
	static const unsigned char header[] = { 0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3 };
	const uint32_t block = 128 * 1024 << 3 | 1 << 1, last = block | 1;
	struct sp_buf b = { 0 };

	sp_buf_add(&b, header, sizeof(header));
	for (size_t i = 0; i < 512 * 1024; i++) {
		const uint32_t h = i + 1 < 512 * 1024 ? block : last;
		const unsigned char bytes[4] = { (unsigned char) h, (unsigned char) (h >> 8), (unsigned char) (h >> 16), 0 };
		sp_buf_add(&b, bytes, sizeof(bytes));
	}
	const bool made = with_text(lab, path, b.data, b.len, 0644);
	sp_buf_clear(&b);
	return made;
}

/* What was there, with lines around that a terminal would obey. */
static bool escapes(struct lab *lab, const char *path)
{
	static const char evil[] = "# \033]0;owned\007 \033[31mred\033[2J \302\233 31m\n"
				   "evil\033[1m=\033[0m\r\nroot=\033]52;c;aGk=\007\n";
	sp_autofree char *at = place(lab, path);
	struct stat st;

	if (lstat(at, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	sp_autobuf struct sp_buf b = read_text(at);
	struct sp_buf all = { 0 };
	sp_buf_adds(&all, evil);
	sp_buf_add(&all, b.data, b.len);
	sp_buf_adds(&all, evil);
	const bool put = put_text(at, all.data, all.len, st.st_mode & 07777);
	sp_buf_clear(&all);
	return put;
}

static bool change_mode(struct lab *lab, const char *path, mode_t mode)
{
	sp_autofree char *at = place(lab, path);
	struct stat st;

	return lstat(at, &st) == 0 && !S_ISLNK(st.st_mode) && chmod(at, mode) == 0;
}

static bool mode_none(struct lab *lab, const char *path)
{
	return change_mode(lab, path, 0);
}

static bool mode_all(struct lab *lab, const char *path)
{
	sp_autofree char *at = place(lab, path);
	struct stat st;

	/* Not set-id: that is the next one. */
	return lstat(at, &st) == 0 && change_mode(lab, path, S_ISDIR(st.st_mode) ? 03777 : 01777);
}

static bool set_id(struct lab *lab, const char *path)
{
	sp_autofree char *at = place(lab, path);
	struct stat st;

	/* Where it stands it has them already: only others must not get them. judge() passes over this name. */
	if (lstat(at, &st) < 0 || !S_ISREG(st.st_mode) || chmod(at, 06755) < 0)
		return false;
	sp_autofree char *evil = sp_xasprintf("%s.evil", at);
	return rename(at, evil) == 0 && symlink(strrchr(evil, '/') + 1, at) == 0;
}

static bool capability(struct lab *lab, const char *path)
{
	/* VFS_CAP_REVISION_2 with the effective bit, and CAP_SYS_ADMIN permitted */
	static const unsigned char value[20] = { 1, 0, 0, 2, 0, 0, 0x20 };
	sp_autofree char *at = place(lab, path);
	struct stat st;

	return lab->root && lstat(at, &st) == 0 && S_ISREG(st.st_mode) &&
	       setxattr(at, "security.capability", value, sizeof(value), 0) == 0;
}

static bool other_owner(struct lab *lab, const char *path)
{
	sp_autofree char *at = place(lab, path);
	struct stat st;

	return lab->root && lstat(at, &st) == 0 && lchown(at, SOMEBODY, SOMEBODY) == 0 &&
	       (S_ISLNK(st.st_mode) || chmod(at, S_ISDIR(st.st_mode) ? 0777 : 0666) == 0);
}

/* A file that has another name outside. */
static bool hard_link(struct lab *lab, const char *path)
{
	sp_autofree char *from = sp_xasprintf("%s/%s", lab->outside, path);
	struct stat st;

	if (lstat(from, &st) < 0 || !S_ISREG(st.st_mode)) {
		free(from);
		from = sp_xasprintf("%s/etc/default/grub", lab->outside);
	}
	sp_autofree char *at = cleared(lab, path);
	return at && linkat(AT_FDCWD, from, AT_FDCWD, at, 0) == 0;
}

/* Names that break a line, a terminal or a shell, in the same folder, with the ends that readers look for. */
static bool bad_names(struct lab *lab, const char *path)
{
	static const char *const ends[] = { "", ".conf", ".cfg", ".rules", ".json", ".service.d" };
	static const char *const names[] = { "a\nFORGED-LINE", "\033[31mred\033[0m", "\302\233\061m", "\377\376", "$(reboot)",
					     "-rf", "`id`;\"'\\", "zz\r\n\t\b" };
	sp_autofree char *at = place(lab, path);
	char *slash = strrchr(at, '/');
	bool any = false;

	make_dirs_above(at);
	*slash = '\0';
	for (size_t i = 0; i < SP_ELEMENTS(names); i++)
		for (size_t k = 0; k < SP_ELEMENTS(ends); k++) {
			sp_autofree char *file = sp_xasprintf("%s/%s%s", at, names[i], ends[k]);
			int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
			static const char text[] = "options root=/dev/\033[31mred\nvm.swappiness = 3\nlinux /\033x\n";
			any = (fd >= 0 && write(fd, text, sizeof(text) - 1) > 0) || any;
			if (fd >= 0)
				(void) close(fd);
		}
	return any;
}

const struct kind kinds[] = {
	{ "a link to an absolute path outside", link_absolute, true },
	{ "a link up and out", link_up, true },
	{ "a link through /proc/self/root", link_magic_root, true },
	{ "a link through /proc/self/cwd", link_magic_cwd, true },
	{ "a hard link to a file outside", hard_link, false },
	{ "a dangling link", link_dangling, false },
	{ "a link to itself", link_loop, false },
	{ "a link to what was there", link_aside, false },
	{ "a FIFO", fifo, false },
	{ "a socket", unix_socket, false },
	{ "a device that never ends", endless_device, false },
	{ "the terminal", waiting_device, false },
	{ "a block device", block_device, false },
	{ "an empty folder", empty_dir, false },
	{ "a folder without rights", closed_dir, false },
	{ "nothing", nothing, false },
	{ "an empty file", empty_file, false },
	{ "a file of 1 TiB", sparse_file, false },
	{ "noise", noise, false },
	{ "2 MiB that unpack to 64 GiB", bomb, false },
	{ "escape sequences in it", escapes, false },
	{ "mode 0", mode_none, false },
	{ "mode 1777 or 3777", mode_all, false },
	{ "a link to a set-id file", set_id, false },
	{ "a capability", capability, false },
	{ "another owner, and open to all", other_owner, false },
	{ "bad names beside it", bad_names, false },
};
const size_t n_kinds = SP_ELEMENTS(kinds);
