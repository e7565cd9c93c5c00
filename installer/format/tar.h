/* SPDX-License-Identifier: MIT */
/* Archives in the form "ustar" (POSIX.1-2017, pax, "ustar Interchange Format"): what stands before and behind a file.
 */
#pragma once

#include "base/str.h"

enum sp_tar_type { SP_TAR_FILE = '0', SP_TAR_LINK = '2', SP_TAR_FOLDER = '5' };

struct sp_tar_entry {
	enum sp_tar_type type;
	const char *path; /* relative */
	const char *link; /* text of a symbolic link; else NULL */
	unsigned mode;	  /* permission bits */
	uint64_t size;	  /* bytes of a file; else 0 */
	uint64_t mtime;	  /* seconds since 1970 */
};

/* Append the header. -ENAMETOOLONG: a path of more than 255 bytes (or one without a '/' in the right place), a link of
 * more than 100; -EFBIG: 8 GiB or more. */
int sp_tar_header(const struct sp_tar_entry *e, struct sp_buf *out) sp_must_check;
void sp_tar_fill(uint64_t size, struct sp_buf *out); /* behind a file of so many bytes */
void sp_tar_end(struct sp_buf *out);
