/* SPDX-License-Identifier: MIT */
/* openSUSE's transactional-update: the root file system is a snapshot that nothing is written into. */
#include <errno.h>
#include <stdio.h>

#include "boot/internal.h"

/* "/" is mounted read-only: each update makes a new snapshot, and what is changed in this one is lost. */
static bool has_fixed_root(const struct sp_root *root)
{
	sp_autobuf struct sp_buf fstab = { 0 };
	char *save = NULL;

	if (sp_root_read(root, "/etc/fstab", SP_FILE_MAX, &fstab, NULL) < 0)
		return false;
	for (char *line = strtok_r(fstab.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char where[8] = "", options[256] = "";
		if (sscanf(line, " %*[^# \t] %7s %*s %255s", where, options) == 2 && sp_streq(where, "/"))
			return sp_streq(options, "ro") || sp_startswith(options, "ro,") || strstr(options, ",ro,") ||
			       sp_endswith(options, ",ro");
	}
	return false;
}

int sp_check_fixed_root(const struct sp_root *root, const char *todo, struct sp_error **err)
{
	if (!sp_root_exists(root, "/usr/sbin/transactional-update") || !has_fixed_root(root))
		return 0;
	(void) sp_error_set(err, -ENOTSUP, "this system's root is a read-only snapshot of transactional-update");
	(void) sp_error_hint(err, "in 'transactional-update shell', %s", todo);
	return sp_error_exit(err, SP_EXIT_UNSUPPORTED);
}
