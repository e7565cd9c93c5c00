/* SPDX-License-Identifier: MIT */
/* The system calls that change a disk or make a change durable. What is not here is not seen: add, never take away. */
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define IOCTL_WRITES 0x40000000u /* _IOC_WRITE: FIFREEZE, FITHAW, FICLONE, FS_IOC_SETFLAGS; not what only asks */
#define OPEN_WRITES ((uint32_t) (O_CREAT | O_TRUNC))

/* fd, dir, path, dir2, path2, len */
#define FD(n)	      n, -1, -1, -1, -1, -1
#define WRITE(n, len) n, -1, -1, -1, -1, len
#define PATH(p)	      -1, -1, p, -1, -1, -1
#define AT(d, p)      -1, d, p, -1, -1, -1
#define ALWAYS	      -1, 0

const struct call_type call_types[] = {
	{ SYS_openat, "openat", CALL_CREATE, AT(0, 1), 2, OPEN_WRITES },
	{ SYS_open, "open", CALL_CREATE, PATH(0), 1, OPEN_WRITES },
	{ SYS_creat, "creat", CALL_CREATE, PATH(0), ALWAYS },
	{ SYS_openat2, "openat2", CALL_CREATE, AT(0, 1), ALWAYS }, /* its flags are in memory: trace.c looks */
	{ SYS_write, "write", CALL_DATA, WRITE(0, 2), ALWAYS },
	{ SYS_pwrite64, "pwrite64", CALL_DATA, WRITE(0, 2), ALWAYS },
	{ SYS_writev, "writev", CALL_DATA, FD(0), ALWAYS },
	{ SYS_pwritev, "pwritev", CALL_DATA, FD(0), ALWAYS },
	{ SYS_pwritev2, "pwritev2", CALL_DATA, FD(0), ALWAYS },
	{ SYS_sendfile, "sendfile", CALL_DATA, WRITE(0, 3), ALWAYS },
	{ SYS_splice, "splice", CALL_DATA, WRITE(2, 4), ALWAYS },
	{ SYS_copy_file_range, "copy_file_range", CALL_DATA, WRITE(2, 4), ALWAYS },
	{ SYS_fallocate, "fallocate", CALL_DATA, FD(0), ALWAYS },
	{ SYS_ftruncate, "ftruncate", CALL_CUT, FD(0), ALWAYS },
	{ SYS_truncate, "truncate", CALL_CUT, PATH(0), ALWAYS },
	{ SYS_fchmod, "fchmod", CALL_DATA, FD(0), ALWAYS },
	{ SYS_chmod, "chmod", CALL_DATA, PATH(0), ALWAYS },
	{ SYS_fchmodat, "fchmodat", CALL_DATA, AT(0, 1), ALWAYS },
	{ SYS_fchown, "fchown", CALL_DATA, FD(0), ALWAYS },
	{ SYS_chown, "chown", CALL_DATA, PATH(0), ALWAYS },
	{ SYS_lchown, "lchown", CALL_DATA, PATH(0), ALWAYS },
	{ SYS_fchownat, "fchownat", CALL_DATA, AT(0, 1), ALWAYS },
	{ SYS_fsetxattr, "fsetxattr", CALL_DATA, FD(0), ALWAYS },
	{ SYS_setxattr, "setxattr", CALL_DATA, PATH(0), ALWAYS },
	{ SYS_lsetxattr, "lsetxattr", CALL_DATA, PATH(0), ALWAYS },
	{ SYS_fremovexattr, "fremovexattr", CALL_DATA, FD(0), ALWAYS },
	{ SYS_removexattr, "removexattr", CALL_DATA, PATH(0), ALWAYS },
	{ SYS_lremovexattr, "lremovexattr", CALL_DATA, PATH(0), ALWAYS },
	{ SYS_utimensat, "utimensat", CALL_DATA, AT(0, 1), ALWAYS }, /* without a path: of the descriptor */
	{ SYS_fsync, "fsync", CALL_SYNC, FD(0), ALWAYS },
	{ SYS_fdatasync, "fdatasync", CALL_SYNC, FD(0), ALWAYS },
	{ SYS_syncfs, "syncfs", CALL_SYNCFS, FD(0), ALWAYS },
	{ SYS_sync, "sync", CALL_SYNCFS, FD(-1), ALWAYS },
	{ SYS_ioctl, "ioctl", CALL_SYNCFS, FD(0), 1, IOCTL_WRITES },
	{ SYS_rename, "rename", CALL_RENAME, -1, -1, 0, -1, 1, -1, ALWAYS },
	{ SYS_renameat, "renameat", CALL_RENAME, -1, 0, 1, 2, 3, -1, ALWAYS },
	{ SYS_renameat2, "renameat2", CALL_RENAME, -1, 0, 1, 2, 3, -1, ALWAYS },
	{ SYS_mkdir, "mkdir", CALL_NAME, PATH(0), ALWAYS },
	{ SYS_mkdirat, "mkdirat", CALL_NAME, AT(0, 1), ALWAYS },
	{ SYS_mknodat, "mknodat", CALL_NAME, AT(0, 1), ALWAYS },
	{ SYS_symlink, "symlink", CALL_NAME, PATH(1), ALWAYS },
	{ SYS_symlinkat, "symlinkat", CALL_NAME, AT(1, 2), ALWAYS },
	{ SYS_link, "link", CALL_NAME, PATH(1), ALWAYS },
	{ SYS_linkat, "linkat", CALL_NAME, AT(2, 3), ALWAYS },
	{ SYS_unlink, "unlink", CALL_UNLINK, PATH(0), ALWAYS },
	{ SYS_unlinkat, "unlinkat", CALL_UNLINK, AT(0, 1), ALWAYS },
	{ SYS_rmdir, "rmdir", CALL_UNLINK, PATH(0), ALWAYS },
	{ SYS_close, "close", CALL_CLOSE, FD(0), ALWAYS },
};
const size_t n_call_types = SP_ELEMENTS(call_types);

const struct call_type *call_type_by_nr(long nr)
{
	for (size_t i = 0; i < n_call_types; i++)
		if (call_types[i].nr == nr)
			return &call_types[i];
	return NULL;
}

const struct call_type *call_type_by_name(const char *name)
{
	for (size_t i = 0; i < n_call_types; i++)
		if (sp_streq(call_types[i].name, name))
			return &call_types[i];
	return NULL;
}

static uint32_t low_half(int arg)
{
	return (uint32_t) (offsetof(struct seccomp_data, args) + (size_t) arg * sizeof(uint64_t)); /* little endian */
}

static size_t add_type(struct sock_filter *f, const struct call_type *t)
{
	const struct sock_filter trace = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	size_t n = 0;

	if (t->mask_arg < 0) {
		f[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) t->nr, 0, 1);
		f[n++] = trace;
		return n;
	}
	f[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) t->nr, 0, 4);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_half(t->mask_arg));
	f[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, t->mask, 0, 1);
	f[n++] = trace;
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return n;
}

int install_filter(void)
{
	struct sock_filter f[5 * SP_ELEMENTS(call_types) + 8];
	size_t n = 0;

	f[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	f[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS); /* calls that are not seen */
	f[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n_call_types; i++)
		n += add_type(f + n, &call_types[i]);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { .len = (unsigned short) n, .filter = f };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}
