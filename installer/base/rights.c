/* SPDX-License-Identifier: MIT */
#include "base/rights.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What each is used for; a line that loses its use is to go. */
static const struct {
	int number;
	bool machine; /* where facts of the running machine are read or set */
} needed[] = {
	{ CAP_DAC_OVERRIDE, false },	/* files and folders that are closed to their own group, such as Fedora's /boot */
	{ CAP_CHOWN, false },		/* a new file gets the owner of the one that it replaces */
	{ CAP_FOWNER, false },		/* and its mode, times and attributes */
	{ CAP_SYS_ADMIN, false },	/* FIFREEZE; attributes security.* and trusted.* */
	{ CAP_MAC_ADMIN, false },	/* a label that the policy of this kernel does not know, in the tree of another */
	{ CAP_SYS_RESOURCE, false },	/* putting a file back on a full disk, or for a user who is over quota */
	{ CAP_SYS_PTRACE, true },	/* /proc/1/root tells whether this is a chroot */
	{ CAP_LINUX_IMMUTABLE, true },	/* EFI variables are immutable until somebody wants to write them */
};

static uint64_t mask_of(bool machine_is_host)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (machine_is_host || !needed[i].machine)
			mask |= UINT64_C(1) << needed[i].number;
	return mask;
}

/* What this process has of it; what it has not, it does not get. */
static void lower_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		const uint32_t part = (uint32_t) (keep >> (32 * i));

		data[i].permitted &= part;
		data[i].effective &= part;
		data[i].inheritable = 0;
	}
	(void) syscall(SYS_capset, &header, data);
}

/* From here on also a program that root starts, or a set-id one, cannot have others. */
static void drop_bounding_set(uint64_t keep)
{
	for (int c = 0; c < 64; c++)
		if (!(keep & UINT64_C(1) << c) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return; /* behind the last that there is, or it is not for us to drop */
}

void sp_rights_limit(bool root_is_host, bool machine_is_host)
{
	const uint64_t keep = mask_of(machine_is_host);

	if (!root_is_host) {
		(void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		drop_bounding_set(keep); /* before the right to do so goes */
	}
	(void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	lower_capabilities(keep);
}

/* --- limits and descriptors ------------------------------------------------------------------------------------- */

#ifdef __has_feature /* of clang; gcc has the other one */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
enum { MEMORY_IS_COUNTED = 0 }; /* shadow memory is terabytes that are never touched */
#else
enum { MEMORY_IS_COUNTED = 1 };
#endif

static void set_limit(__rlimit_resource_t which, rlim_t soft)
{
	struct rlimit limit;

	if (getrlimit(which, &limit) < 0)
		return;
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	(void) setrlimit(which, &limit);
}

void sp_rights_lend(bool lend)
{
	if (MEMORY_IS_COUNTED)
		set_limit(RLIMIT_DATA, lend ? RLIM_INFINITY : SP_MEMORY_MAX);
}

/* A kernel before 5.11 cannot mark a range. */
static void mark_one_by_one(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int fd = (int) strtol(e->d_name, NULL, 10);
		if (fd > STDERR_FILENO)
			(void) fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	if (d)
		(void) closedir(d);
}

/* They stay open here: --config and --log may name one of them, as /dev/fd/5. */
static void keep_descriptors_from_children(void)
{
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		mark_one_by_one();
}

void sp_rights_begin(void)
{
	(void) umask(022);
	set_limit(RLIMIT_CORE, 0);
	sp_rights_lend(false);
	keep_descriptors_from_children();
}
