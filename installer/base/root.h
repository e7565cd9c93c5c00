/* SPDX-License-Identifier: MIT */
/*
 * A tree that everything is read from and written to. Every path of the
 * program goes through one: "/etc/default/grub" is looked up inside the tree,
 * and neither "..", nor a symbolic link, nor a magic link of /proc leads out
 * of it (openat2 with RESOLVE_IN_ROOT; where the kernel or a sandbox has no
 * openat2, a component walk does the same).
 *
 * Nothing here writes. Paths are absolute in the tree; the leading '/' may be
 * missing. Only regular files are read, so a FIFO or a device put in a
 * file's place cannot make us hang.
 */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"

struct sp_root;

enum sp_root_flags {
	SP_ROOT_WALK = 1 << 0, /* never use openat2: forces the fall-back, for tests */
	SP_ROOT_OURS = 1 << 1, /* nobody puts a device there: a file is opened before it is looked at, which is quicker */
};

int sp_root_open(const char *dir, unsigned flags, struct sp_root **ret, struct sp_error **err) sp_must_check;
void sp_root_close(struct sp_root *root);

/*
 * From here on each file is read once, and a name that was not there stays so: what only looks then speaks of one moment, and
 * what is written meanwhile is not seen. True: it is new, and ends with sp_root_forget(); false: it was so already.
 */
bool sp_root_remember(struct sp_root *root);
void sp_root_forget(struct sp_root *root);
struct sp_memory *sp_root_memory(const struct sp_root *root); /* for read.c; NULL: none */
/* What somebody read by other means is remembered, too, where anything is. */
void sp_root_keep(const struct sp_root *root, const char *path, const struct sp_buf *bytes);

const char *sp_root_display(const struct sp_root *root); /* as the user named it */
bool sp_root_is_ours(const struct sp_root *root);
bool sp_root_is_host(const struct sp_root *root);	 /* it is the running system's "/" */
/* "/mnt/sysimage" + "/etc/fstab" for messages and for libraries that want a path; owned. */
char *sp_root_join(const struct sp_root *root, const char *path);

/*
 * Open inside the tree; returns a descriptor or a negative errno. flags as for open(2), read only; O_CLOEXEC,
 * O_NOCTTY and O_NONBLOCK are added.
 */
int sp_root_openat(const struct sp_root *root, const char *path, int flags) sp_must_check;
/* Open the directory that holds path and give the last component (owned). */
int sp_root_open_parent(const struct sp_root *root, const char *path, char **ret_name) sp_must_check;

/*
 * A regular file, for reading; what else stands there is not opened at all (-EISDIR, -ENXIO): opening a device can do
 * things. The second form: a name in a folder that was opened here; flags O_RDONLY or O_RDWR; a link is -ELOOP.
 */
int sp_root_open_file(const struct sp_root *root, const char *path) sp_must_check;
int sp_root_open_file_at(const struct sp_root *root, int dirfd, const char *name, int flags) sp_must_check;
/* Open what a descriptor with O_PATH stands for. -EBADF or -ENOENT: there is no /proc. */
int sp_root_reopen(const struct sp_root *root, int fd, int flags) sp_must_check;

/*
 * The path with every symbolic link resolved inside the tree (owned). The last component need not exist: a
 * dangling link is resolved to where it points. -ELOOP beyond 40 links.
 */
int sp_root_resolve(const struct sp_root *root, const char *path, char **ret) sp_must_check;

/* Whole regular file, at most max bytes (-EFBIG); -EISDIR, -ENXIO for other kinds of file. Errors carry the path. */
int sp_root_read(const struct sp_root *root, const char *path, size_t max, struct sp_buf *ret,
		 struct sp_error **err) sp_must_check;
/* At most n bytes of a regular file from offset on; less where it ends. Errors carry the path. */
int sp_root_read_part(const struct sp_root *root, const char *path, uint64_t offset, size_t n, struct sp_buf *ret,
		      struct sp_error **err) sp_must_check;
/* First line of a small file without its line end, owned; for sysfs and proc. Negative errno, no message. */
int sp_root_read_line(const struct sp_root *root, const char *path, char **ret) sp_must_check;

/* Names in a directory, sorted, without "." and ".."; -ENOENT, -ENOTDIR, ... */
int sp_root_list(const struct sp_root *root, const char *path, struct sp_strv *ret) sp_must_check;
/* stat(2) and lstat(2) inside the tree; 0 or negative errno. */
int sp_root_stat(const struct sp_root *root, const char *path, struct stat *ret) sp_must_check;
int sp_root_lstat(const struct sp_root *root, const char *path, struct stat *ret) sp_must_check;
bool sp_root_exists(const struct sp_root *root, const char *path);

/* The names in an open folder, without order, but . and ..; to be called once, where it stands at its beginning. */
int sp_fd_list(int fd, struct sp_strv *ret) sp_must_check;
/* Everything from a descriptor that was opened here; it is not closed. */
int sp_fd_read(int fd, size_t max, struct sp_buf *ret) sp_must_check;
/* The same where fstat() told a size: a file that has one ends where less comes than was asked for. */
int sp_fd_read_sized(int fd, off_t size, size_t max, struct sp_buf *ret) sp_must_check;

static inline void sp_cleanup_root_(struct sp_root **r)
{
	sp_root_close(*r);
}
#define sp_autoroot sp_cleanup(sp_cleanup_root_)

/* Largest configuration file that is read; a bigger one is refused with a message. */
#define SP_FILE_MAX ((size_t) 512 * 1024)
