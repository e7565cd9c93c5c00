/* SPDX-License-Identifier: MIT */
/*
 * The few calls of each library are declared here, so that none of their headers is wanted to build us: the version in a
 * library's name stands for what they are. (zlib.h, lzma/base.h and lzma/container.h, zstd.h, bzlib.h)
 */
#include "hw/unpack.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>

enum { MEMORY_MAX = 256 * 1024 * 1024, SYMBOLS = 4 };

struct piece {
	const char *in;
	size_t n_in;
	char *out;
	size_t n_out;
};

typedef void symbol(void);

struct sp_unpacker {
	const struct kind *kind;
	void *library;
	symbol *call[SYMBOLS]; /* of kind->symbols */
	bool open;
	union {
		struct zlib {
			const char *next_in;
			unsigned avail_in;
			unsigned long total_in;
			char *next_out;
			unsigned avail_out;
			unsigned long total_out;
			void *rest[6];
			unsigned long checksum, reserved;
		} zlib;
		struct lzma {
			const char *next_in;
			size_t avail_in;
			uint64_t total_in;
			char *next_out;
			size_t avail_out;
			uint64_t total_out;
			void *rest[6];
			uint64_t numbers[4];
			int enums[2];
		} lzma;
		struct bzip2 {
			const char *next_in;
			unsigned avail_in, total_in[2];
			char *next_out;
			unsigned avail_out, total_out[2];
			void *rest[4];
		} bzip2;
		void *zstd;
	} s;
};

/* Both libraries count in `unsigned`; pieces are small. */
static unsigned small(size_t n)
{
	return n < INT_MAX ? (unsigned) n : INT_MAX;
}

/* --- gzip --------------------------------------------------------------------------------------------------------- */

enum { Z_OK = 0, Z_STREAM_END = 1, Z_BUF_ERROR = -5, GZIP_ALONE = 15 + 16 };

static int zlib_open(struct sp_unpacker *u)
{
	int (*init)(struct zlib *, int, const char *, int) = (typeof(init)) u->call[0];

	return init(&u->s.zlib, GZIP_ALONE, "1.2.0", (int) sizeof(u->s.zlib)) == Z_OK ? 0 : -ENOMEM;
}

static int zlib_step(struct sp_unpacker *u, struct piece *p)
{
	int (*inflate)(struct zlib *, int) = (typeof(inflate)) u->call[1];
	struct zlib *z = &u->s.zlib;
	const unsigned in = small(p->n_in), out = small(p->n_out);

	z->next_in = p->in;
	z->avail_in = in;
	z->next_out = p->out;
	z->avail_out = out;
	int r = inflate(z, 0);
	p->n_in = in - z->avail_in;
	p->n_out = out - z->avail_out;
	return r == Z_STREAM_END ? 1 : r == Z_OK || r == Z_BUF_ERROR ? 0 : -EBADMSG;
}

static void zlib_close(struct sp_unpacker *u)
{
	int (*end)(struct zlib *) = (typeof(end)) u->call[2];

	(void) end(&u->s.zlib);
}

/* --- xz, lzma ------------------------------------------------------------------------------------------------------ */

enum { LZMA_OK = 0, LZMA_STREAM_END = 1, LZMA_BUF_ERROR = 10 };

static int lzma_open(struct sp_unpacker *u)
{
	int (*decoder)(struct lzma *, uint64_t, uint32_t) = (typeof(decoder)) u->call[0];

	return decoder(&u->s.lzma, MEMORY_MAX, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static int lzma_step(struct sp_unpacker *u, struct piece *p)
{
	int (*code)(struct lzma *, int) = (typeof(code)) u->call[1];
	struct lzma *l = &u->s.lzma;

	l->next_in = p->in;
	l->avail_in = p->n_in;
	l->next_out = p->out;
	l->avail_out = p->n_out;
	int r = code(l, 0);
	p->n_in -= l->avail_in;
	p->n_out -= l->avail_out;
	return r == LZMA_STREAM_END ? 1 : r == LZMA_OK || r == LZMA_BUF_ERROR ? 0 : -EBADMSG;
}

static void lzma_close(struct sp_unpacker *u)
{
	void (*end)(struct lzma *) = (typeof(end)) u->call[2];

	end(&u->s.lzma);
}

/* --- zstd ---------------------------------------------------------------------------------------------------------- */

/* It refuses windows of more than 128 MiB by itself. */
static int zstd_open(struct sp_unpacker *u)
{
	void *(*create)(void) = (typeof(create)) u->call[0];

	u->s.zstd = create();
	return u->s.zstd ? 0 : -ENOMEM;
}

static int zstd_step(struct sp_unpacker *u, struct piece *p)
{
	struct buffer {
		void *data;
		size_t size, at;
	} out = { p->out, p->n_out, 0 };
	struct {
		const void *data;
		size_t size, at;
	} in = { p->in, p->n_in, 0 };
	size_t (*decompress)(void *, struct buffer *, void *) = (typeof(decompress)) u->call[1];
	unsigned (*is_error)(size_t) = (typeof(is_error)) u->call[2];

	const size_t r = decompress(u->s.zstd, &out, &in);
	p->n_in = in.at;
	p->n_out = out.at;
	return is_error(r) ? -EBADMSG : r == 0;
}

static void zstd_close(struct sp_unpacker *u)
{
	size_t (*release)(void *) = (typeof(release)) u->call[3];

	(void) release(u->s.zstd);
}

/* --- bzip2 --------------------------------------------------------------------------------------------------------- */

enum { BZ_OK = 0, BZ_STREAM_END = 4 };

static int bzip2_open(struct sp_unpacker *u)
{
	int (*init)(struct bzip2 *, int, int) = (typeof(init)) u->call[0];

	return init(&u->s.bzip2, 0, 0) == BZ_OK ? 0 : -ENOMEM;
}

static int bzip2_step(struct sp_unpacker *u, struct piece *p)
{
	int (*decompress)(struct bzip2 *) = (typeof(decompress)) u->call[1];
	struct bzip2 *b = &u->s.bzip2;
	const unsigned in = small(p->n_in), out = small(p->n_out);

	b->next_in = p->in;
	b->avail_in = in;
	b->next_out = p->out;
	b->avail_out = out;
	int r = decompress(b);
	p->n_in = in - b->avail_in;
	p->n_out = out - b->avail_out;
	return r == BZ_STREAM_END ? 1 : r == BZ_OK ? 0 : -EBADMSG;
}

static void bzip2_close(struct sp_unpacker *u)
{
	int (*end)(struct bzip2 *) = (typeof(end)) u->call[2];

	(void) end(&u->s.bzip2);
}

/* --- all of them ---------------------------------------------------------------------------------------------------- */

#define XZ                                                                                                             \
	.libraries = { "liblzma.so.5" }, .symbols = { "lzma_auto_decoder", "lzma_code", "lzma_end" }, .open = lzma_open,   \
	.step = lzma_step, .close = lzma_close

static const struct kind {
	const char *name, *magic;
	size_t n_magic;
	const char *libraries[2]; /* one of them; none: it is not unpacked here */
	const char *symbols[SYMBOLS];
	int (*open)(struct sp_unpacker *u);
	int (*step)(struct sp_unpacker *u, struct piece *p); /* n_in, n_out: what there is, then what was used and made */
	void (*close)(struct sp_unpacker *u);
} kinds[] = {
	{ .name = "gzip", .magic = "\x1f\x8b", .n_magic = 2, .libraries = { "libz.so.1" },
	  .symbols = { "inflateInit2_", "inflate", "inflateEnd" }, .open = zlib_open, .step = zlib_step, .close = zlib_close },
	{ .name = "xz", .magic = "\xfd" "7zXZ", .n_magic = 6, XZ },
	{ .name = "lzma", .magic = "]\0", .n_magic = 3, XZ },
	{ .name = "zstd", .magic = "(\xb5/\xfd", .n_magic = 4, .libraries = { "libzstd.so.1" },
	  .symbols = { "ZSTD_createDStream", "ZSTD_decompressStream", "ZSTD_isError", "ZSTD_freeDStream" }, .open = zstd_open,
	  .step = zstd_step, .close = zstd_close },
	{ .name = "bzip2", .magic = "BZh", .n_magic = 3, .libraries = { "libbz2.so.1.0", "libbz2.so.1" },
	  .symbols = { "BZ2_bzDecompressInit", "BZ2_bzDecompress", "BZ2_bzDecompressEnd" }, .open = bzip2_open,
	  .step = bzip2_step, .close = bzip2_close },
	{ .name = "lz4", .magic = "\x02!L\x18", .n_magic = 4 },
	{ .name = "lzo", .magic = "\x89LZO", .n_magic = 4 },
};

static const struct kind *find_kind(const void *magic, size_t n)
{
	for (size_t i = 0; i < SP_ELEMENTS(kinds); i++)
		if (n >= kinds[i].n_magic && memcmp(magic, kinds[i].magic, kinds[i].n_magic) == 0)
			return &kinds[i];
	return NULL;
}

static int load(struct sp_unpacker *u)
{
	for (size_t i = 0; i < SP_ELEMENTS(u->kind->libraries) && u->kind->libraries[i] && !u->library; i++)
		u->library = dlopen(u->kind->libraries[i], RTLD_NOW | RTLD_LOCAL);
	if (!u->library)
		return -ELIBACC;
	for (size_t i = 0; i < SYMBOLS && u->kind->symbols[i]; i++) {
		void *found = dlsym(u->library, u->kind->symbols[i]);

		if (!found)
			return -ELIBACC;
		memcpy(&u->call[i], &found, sizeof(found));
	}
	return 0;
}

int sp_unpacker_open(const void *magic, size_t n, struct sp_unpacker **ret, char **why)
{
	const struct kind *kind = find_kind(magic, n);

	if (!kind) {
		*why = sp_xstrdup("it is neither an archive nor compressed in a way that is known");
		return -ENOTSUP;
	}
	if (!kind->open) {
		*why = sp_xasprintf("it is compressed with %s, which is not read", kind->name);
		return -ENOTSUP;
	}
	sp_autounpacker struct sp_unpacker *u = sp_xcalloc(1, sizeof(*u));
	u->kind = kind;
	int r = load(u);
	if (r == 0)
		r = kind->open(u);
	if (r < 0) {
		*why = sp_xasprintf("it is compressed with %s, and '%s' cannot be loaded", kind->name, kind->libraries[0]);
		return r;
	}
	u->open = true;
	*ret = sp_steal(u);
	return 0;
}

int sp_unpack(struct sp_unpacker *u, const void *in, size_t n, size_t *used, void *out, size_t cap, size_t *made)
{
	struct piece p = { .in = in, .n_in = n, .out = out, .n_out = cap };
	int r = u->kind->step(u, &p);

	*used = p.n_in;
	*made = p.n_out;
	return r == 0 && n > 0 && p.n_in == 0 && p.n_out == 0 ? -EBADMSG : r;
}

void sp_unpacker_close(struct sp_unpacker *u)
{
	if (!u)
		return;
	if (u->open)
		u->kind->close(u);
	if (u->library)
		(void) dlclose(u->library);
	free(u);
}
