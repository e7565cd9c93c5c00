/* SPDX-License-Identifier: MIT */
/*
 * Members of an initramfs image: archives in cpio's "newc" format, one behind the other, with zeros in between (Linux:
 * Documentation/driver-api/early-userspace/buffer-format.rst). The bytes come in pieces of any size, so that an image
 * of hundreds of MiB is never in memory; of all members only those asked for are kept. Pure.
 *
 * What is not an archive stands between them: the compressed parts, which are archives again once they are unpacked.
 * The reader stops there, and goes on with what was in them.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

enum {
	SP_CPIO_HEADER = 110,
	SP_CPIO_NAME_MAX = 4096,	/* longer ones are passed over, as the kernel does (PATH_MAX) */
	SP_CPIO_MEMBER_MAX = 256 * 1024, /* of one that is kept */
};

/* A member that is asked for. Where there are several of the name, the last one counts, as when the kernel unpacks them. */
struct sp_cpio_want {
	const char *path;    /* "etc/modprobe.d/a.conf" */
	bool found;	     /* a regular file */
	bool unclear;	     /* it is there, but its bytes are not known: a link of some kind, or too large */
	struct sp_buf bytes; /* empty to begin with; the caller frees it */
};

struct sp_cpio {
	struct sp_cpio_want *wants; /* borrowed */
	size_t n_wants;
	uint64_t members;
	/* --- private: where we are */
	int state;
	bool inside; /* of an archive, whose end has not come */
	char header[SP_CPIO_HEADER];
	char name[SP_CPIO_NAME_MAX + 1];
	size_t have; /* bytes of the header or the name */
	uint64_t name_size, size, left;
	uint32_t mode, links;
	struct sp_cpio_want *into; /* takes the bytes of this member; NULL: nobody does */
};

void sp_cpio_start(struct sp_cpio *c, struct sp_cpio_want *wants, size_t n);
/*
 * Take the next bytes. *used is less than len where something that is no archive begins, and nothing else stops it.
 * -EBADMSG: it is damaged.
 */
int sp_cpio_feed(struct sp_cpio *c, const void *data, size_t len, size_t *used, struct sp_error **err) sp_must_check;
/* Between archives, or before the first: the place where something else may stand, or the end. */
bool sp_cpio_at_rest(const struct sp_cpio *c);
