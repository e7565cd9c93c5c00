/* SPDX-License-Identifier: MIT */
#include "hw/initramfs.h"

#include <errno.h>

#include "format/booster.h"
#include "format/cpio.h"
#include "format/pe.h"
#include "hw/internal.h"
#include "hw/unpack.h"

enum { PIECE = 256 * 1024 };
#define BYTES_MAX ((uint64_t) 2 << 30) /* of the file, and of what it unpacks to: a bomb is not read to its end */

enum want { W_OURS, W_BOOSTER, W_SQUASH, W_SQUASHFS, W_EROFS, W_DRACUT, W_TOOLS, W_MKINITCPIO, W_WANTS };

const char *const sp_initramfs_makers[] = { "dracut", "initramfs-tools", "mkinitcpio", "booster", NULL };

/* What only one of them puts into an image. */
static const enum want signs[] = { W_DRACUT, W_TOOLS, W_MKINITCPIO, W_BOOSTER };
static const char *const members[] = {
	[W_BOOSTER] = SP_BOOSTER_MEMBER,
	[W_SQUASH] = "squash-root.img",
	[W_SQUASHFS] = "squashfs-root.img",
	[W_EROFS] = "erofs-root.img",
	[W_DRACUT] = "usr/lib/dracut/build-parameter.txt",
	[W_TOOLS] = "conf/initramfs.conf",
	[W_MKINITCPIO] = "buildconfig",
};

struct reader {
	int fd;
	uint64_t at, end; /* bytes of the file */
	uint64_t unpacked;
	char *in, *out;	     /* PIECE each */
	size_t start, have;  /* what of `in` is not used yet */
	struct sp_unpacker *unpacker; /* of the part that we are in; NULL: it is not compressed */
	struct sp_cpio cpio;
	struct sp_cpio_want wants[W_WANTS];
	char *why;
};

static void reader_clear(struct reader *rd)
{
	if (rd->fd >= 0)
		(void) close(rd->fd);
	free(rd->in);
	free(rd->out);
	sp_unpacker_close(rd->unpacker);
	for (size_t i = 0; i < W_WANTS; i++)
		sp_buf_clear(&rd->wants[i].bytes);
	free(rd->why);
}

static int fail(struct reader *rd, int code, const char *why)
{
	if (!rd->why)
		rd->why = sp_xstrdup(why);
	return code;
}

/* --- bytes ------------------------------------------------------------------------------------------------------- */

/* As much of the file as there is room for; 1, or 0 when there is nothing more. */
static int fill(struct reader *rd)
{
	memmove(rd->in, rd->in + rd->start, rd->have);
	rd->start = 0;
	const uint64_t left = rd->end - rd->at;
	const size_t room = PIECE - rd->have, n = left < room ? (size_t) left : room;
	const ssize_t got = n ? pread(rd->fd, rd->in + rd->have, n, (off_t) rd->at) : 0;

	if (got < 0)
		return fail(rd, -errno, strerror(errno));
	rd->have += (size_t) got;
	rd->at += (uint64_t) got;
	return got > 0;
}

static void use(struct reader *rd, size_t n)
{
	rd->start += n;
	rd->have -= n;
}

static int feed(struct reader *rd, const char *data, size_t n, size_t *used)
{
	sp_autoerror struct sp_error *err = NULL;
	int r = sp_cpio_feed(&rd->cpio, data, n, used, &err);

	return r < 0 ? fail(rd, r, err->message) : 0;
}

/* --- parts ------------------------------------------------------------------------------------------------------- */

static int unpack_some(struct reader *rd)
{
	size_t used = 0, made = 0, fed = 0;
	const int end = sp_unpack(rd->unpacker, rd->in + rd->start, rd->have, &used, rd->out, PIECE, &made);

	if (end < 0)
		return fail(rd, end, "its compressed part is damaged");
	use(rd, used);
	rd->unpacked += made;
	if (rd->unpacked > BYTES_MAX)
		return fail(rd, -EFBIG, "it unpacks to more than 2 GiB");
	int r = feed(rd, rd->out, made, &fed);
	if (r == 0 && fed < made)
		r = fail(rd, -EBADMSG, "what is compressed in it is no archive");
	if (r < 0)
		return r;
	if (end) {
		sp_unpacker_close(sp_steal(rd->unpacker));
		return sp_cpio_at_rest(&rd->cpio) ? 1 : fail(rd, -EBADMSG, "an archive in it is cut off");
	}
	return used > 0 || made > 0;
}

static int read_some(struct reader *rd)
{
	size_t used = 0;
	int r = feed(rd, rd->in + rd->start, rd->have, &used);

	use(rd, used);
	if (r < 0 || rd->have == 0)
		return r < 0 ? r : used > 0;
	if (rd->have < SP_UNPACK_MAGIC && rd->at < rd->end)
		return 0;
	r = sp_unpacker_open(rd->in + rd->start, rd->have, &rd->unpacker, &rd->why);
	return r < 0 ? r : 1;
}

/* 1: it went on; 0: it wants more bytes. */
static int read_all(struct reader *rd)
{
	int r = 1;

	while (r > 0) {
		r = fill(rd);
		if (r < 0)
			return r;
		const bool more = r > 0;
		r = rd->unpacker ? unpack_some(rd) : read_some(rd);
		if (r == 0 && more)
			r = 1;
	}
	if (r == 0 && (rd->unpacker || rd->at < rd->end || !sp_cpio_at_rest(&rd->cpio)))
		r = fail(rd, -EBADMSG, "it is cut off");
	if (r == 0 && rd->cpio.members == 0)
		r = fail(rd, -EBADMSG, "there is no archive in it");
	return r;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

/* The initrd of a unified kernel image is a part of the file. */
static int find_part(struct reader *rd, uint64_t size)
{
	sp_autobuf struct sp_buf head = { 0 };
	sp_autope struct sp_pe pe = { 0 };

	rd->end = size;
	int r = fill(rd);
	if (r < 0 || rd->have < 2 || memcmp(rd->in, "MZ", 2) != 0)
		return r < 0 ? r : 0;
	sp_buf_add(&head, rd->in, rd->have < SP_PE_HEAD ? rd->have : SP_PE_HEAD);
	const struct sp_pe_section *s = sp_pe_parse(&head, size, &pe, NULL) == 0 ? sp_pe_find(&pe, ".initrd") : NULL;
	if (!s)
		return fail(rd, -EBADMSG, "there is no initrd in it");
	rd->at = s->offset;
	rd->end = s->offset + s->size;
	use(rd, rd->have);
	return 0;
}

static int open_file(struct reader *rd, const struct sp_root *root, const char *path)
{
	struct stat st;

	rd->fd = sp_root_open_file(root, path);
	if (rd->fd < 0)
		return fail(rd, rd->fd, strerror(-rd->fd));
	if (fstat(rd->fd, &st) < 0)
		return fail(rd, -errno, strerror(errno));
	if (st.st_size == 0 || (uint64_t) st.st_size > BYTES_MAX)
		return fail(rd, -EFBIG, st.st_size ? "it has more than 2 GiB" : "it is empty");
	rd->in = sp_xmalloc(PIECE);
	rd->out = sp_xmalloc(PIECE);
	return find_part(rd, (uint64_t) st.st_size);
}

char *sp_initramfs_options(const struct sp_buf *file, bool sizes_only)
{
	sp_autoassigns struct sp_assigns a = { 0 };
	sp_autostrv struct sp_strv all = { 0 };

	sp_modprobe_parse(file, &a);
	for (size_t i = 0; i < a.n; i++)
		if (!sizes_only || sp_hw_sizes_gtt(&a.v[i]))
			sp_strv_addf(&all, "%s%s%s", a.v[i].key, a.v[i].value ? "=" : "", a.v[i].value ? a.v[i].value : "");
	return sp_strv_join(&all, " ");
}

static char *conclude(struct reader *rd)
{
	const struct sp_cpio_want *w = rd->wants;
	sp_autobuf struct sp_buf options = { 0 };

	if (w[W_OURS].found)
		return sp_initramfs_options(&w[W_OURS].bytes, false);
	if (w[W_OURS].unclear || w[W_BOOSTER].unclear)
		(void) fail(rd, -EBADMSG, "our file in it is a link, or not one of ours");
	for (enum want i = W_SQUASH; i <= W_EROFS; i++)
		if (w[i].found || w[i].unclear)
			(void) fail(rd, -ENOTSUP, "most of it is in a file system image inside of it, which is not read");
	if (rd->why)
		return NULL;
	sp_booster_options(&w[W_BOOSTER].bytes, &options);
	return sp_initramfs_options(&options, true);
}

void sp_initramfs_read(const struct sp_root *root, const char *path, const char *member, struct sp_initramfs *ret)
{
	sp_cleanup(reader_clear) struct reader rd = {
		.fd = -1,
		.wants = { [W_OURS] = { .path = member } },
	};

	*ret = (struct sp_initramfs){ 0 };
	for (enum want i = W_OURS + 1; i < W_WANTS; i++)
		rd.wants[i].path = members[i];
	sp_cpio_start(&rd.cpio, rd.wants, W_WANTS);
	int r = open_file(&rd, root, path);
	if (r == 0)
		r = read_all(&rd);
	if (r == 0)
		ret->options = conclude(&rd);
	for (size_t i = 0; i < SP_ELEMENTS(signs) && !ret->maker; i++)
		if (rd.wants[signs[i]].found || rd.wants[signs[i]].unclear)
			ret->maker = sp_initramfs_makers[i];
	ret->why = sp_steal(rd.why);
}

void sp_initramfs_clear(struct sp_initramfs *i)
{
	free(i->why);
	free(i->options);
	*i = (struct sp_initramfs){ 0 };
}
