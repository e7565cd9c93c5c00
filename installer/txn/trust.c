/* SPDX-License-Identifier: MIT */
/*
 * Whose the state directory is. A journal tells recover and rollback what to write, so it is acted on only where nobody
 * else can have written it: what holds it and it itself belong to the user who runs us, are regular, have one name, and
 * are open for nobody else to write. Where others could only look into it, they no longer can.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "txn/internal.h"

enum { OTHERS_WRITE = 022 };

static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid();
}

int sp_claim_folder(int fd, mode_t mode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!is_ours(&st))
		return -EUCLEAN;
	/* Names that others could make in it so far are looked at one by one, as they are used. */
	if ((st.st_mode & 07777 & ~mode) && fchmod(fd, st.st_mode & mode) < 0)
		return -errno;
	return 0;
}

int sp_claim_file(int dirfd, const char *name, mode_t mode)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || !is_ours(&st) || st.st_mode & OTHERS_WRITE)
		return -EUCLEAN;
	/* The folder is ours by now, so the name is still what was looked at. */
	if ((st.st_mode & 07777 & ~mode) && fchmodat(dirfd, name, st.st_mode & mode, 0) < 0)
		return -errno;
	return 0;
}

int sp_claim_record(int dirfd)
{
	int r = sp_claim_folder(dirfd, 0700);

	if (r == 0)
		r = sp_claim_file(dirfd, "journal", 0600);
	return r < 0 ? r : sp_claim_file(dirfd, "images", 0600);
}

int sp_not_ours(struct sp_error **err, const char *what)
{
	(void) sp_error_set(err, -EUCLEAN, "'%s/%s' does not belong to us alone: it has another owner or name, or others may "
			    "write it", SP_STATE_DIR, what);
	(void) sp_error_exit(err, SP_EXIT_RECOVER);
	return sp_error_hint(err, "look at what is in %s and who wrote it; give it to the user who runs strix-provision (chown), "
			     "or move it away", SP_STATE_DIR);
}
