/* SPDX-License-Identifier: MIT */
/* Makes archives in cpio's "newc" format, so that tests have images to read, and to damage. */
#pragma once

#include <sys/stat.h>

#include "base/str.h"

struct cpio_part {
	const char *name, *text; /* name NULL: the end of an archive, with zeros behind it */
	unsigned mode, links;	 /* 0: a regular file with one name */
};

static inline void cpio_pad(struct sp_buf *b, size_t to)
{
	while (b->len % to)
		sp_buf_add(b, "", 1);
}

static inline void cpio_member(struct sp_buf *b, const char *name, const void *text, size_t len, unsigned mode, unsigned links)
{
	sp_buf_addf(b, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1, mode, 0, 0, links, 0, len, 0, 0, 0, 0,
		    strlen(name) + 1, 0);
	sp_buf_add(b, name, strlen(name) + 1);
	cpio_pad(b, 4);
	sp_buf_add(b, text, len);
	cpio_pad(b, 4);
}

/* The last archive is ended, too. */
static inline void cpio_make(const struct cpio_part *parts, size_t n, struct sp_buf *ret)
{
	for (size_t i = 0; i <= n; i++) {
		const struct cpio_part *p = i < n ? &parts[i] : NULL;

		if (p && p->name) {
			cpio_member(ret, p->name, p->text ? p->text : "", p->text ? strlen(p->text) : 0,
				    p->mode ? p->mode : S_IFREG | 0644, p->links ? p->links : 1);
			continue;
		}
		cpio_member(ret, "TRAILER!!!", "", 0, 0, 1);
		cpio_pad(ret, 512);
	}
}
