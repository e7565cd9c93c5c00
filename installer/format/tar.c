/* SPDX-License-Identifier: MIT */
#include "format/tar.h"

#include <errno.h>

#define BLOCK 512

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
		uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* Octal digits and a NUL that fill the field. */
static void put_octal(char *field, size_t size, uint64_t number)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i > 0; i--, number >>= 3)
		field[i - 1] = (char) ('0' + (number & 7));
}

/* What does not fit in the name goes, up to a '/', in the prefix. */
static int put_path(struct header *h, const char *path)
{
	size_t n = strlen(path), cut = 0;

	if (n > sizeof(h->name)) {
		for (cut = n - sizeof(h->name) - 1; cut < n && path[cut] != '/'; cut++)
			;
		if (cut == 0 || cut >= n - 1 || cut > sizeof(h->prefix))
			return -ENAMETOOLONG;
		memcpy(h->prefix, path, cut);
		cut++;
	}
	memcpy(h->name, path + cut, n - cut);
	return 0;
}

static unsigned sum_of(const struct header *h)
{
	unsigned sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += ((const unsigned char *) h)[i];
	return sum;
}

int sp_tar_header(const struct sp_tar_entry *e, struct sp_buf *out)
{
	struct header h = { .type = (char) e->type, .magic = "ustar", .version = { '0', '0' } };
	const size_t link = e->link ? strlen(e->link) : 0;
	int r = put_path(&h, e->path);

	if (r < 0 || link > sizeof(h.link))
		return -ENAMETOOLONG;
	if (e->size >> 33)
		return -EFBIG;
	if (link)
		memcpy(h.link, e->link, link);
	put_octal(h.mode, sizeof(h.mode), e->mode);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), e->size);
	put_octal(h.mtime, sizeof(h.mtime), e->mtime);
	put_octal(h.major, sizeof(h.major), 0);
	put_octal(h.minor, sizeof(h.minor), 0);
	memset(h.sum, ' ', sizeof(h.sum)); /* it counts as blanks */
	put_octal(h.sum, sizeof(h.sum) - 1, sum_of(&h));
	sp_buf_add(out, &h, sizeof(h));
	return 0;
}

static void put_zeros(size_t n, struct sp_buf *out)
{
	static const char zeros[2 * BLOCK];

	sp_buf_add(out, zeros, n);
}

void sp_tar_fill(uint64_t size, struct sp_buf *out)
{
	put_zeros((size_t) (BLOCK - size % BLOCK) % BLOCK, out);
}

void sp_tar_end(struct sp_buf *out)
{
	put_zeros(2 * (size_t) BLOCK, out);
}
