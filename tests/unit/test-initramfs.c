/* SPDX-License-Identifier: MIT */
/* Images of all makers and compressions; what cannot be read, and why; what is cut off or damaged at any byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpio-image.h"
#include "fixture-tree.h"
#include "format/booster.h"
#include "hw/initramfs.h"
#include "hw/unpack.h"
#include "packed.h"
#include "pe-image.h"

#if __has_include(<zlib.h>)
#include <zlib.h>
#endif

#define MEMBER "etc/modprobe.d/ours.conf"
#define LINES "options amdgpu gttsize=98304\noptions ttm pages_limit=25165824\n"
#define OPTIONS "amdgpu.gttsize=98304 ttm.pages_limit=25165824"

static void write_image(const char *tree, const struct sp_buf *image)
{
	sp_autofree char *path = sp_xasprintf("%s/image", tree);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(image->data ? image->data : "", 1, image->len, f), image->len);
	assert_int_equal(fclose(f), 0);
}

static void read_image(const struct sp_buf *image, struct sp_initramfs *ret)
{
	char *tree = fixture_new();
	sp_autoroot struct sp_root *root = NULL;

	write_image(tree, image);
	assert_int_equal(sp_root_open(tree, 0, &root, NULL), 0);
	sp_initramfs_read(root, "/image", MEMBER, ret);
	fixture_free(tree);
}

static void expect(const char *name, const struct sp_buf *image, const char *options, const char *why)
{
	sp_autoinitramfs struct sp_initramfs found = { 0 };

	read_image(image, &found);
	if (options ? !sp_streq(found.options, options) || found.why : found.options || !found.why || !strstr(found.why, why))
		fail_msg("%s: '%s', because '%s'", name, found.options ? found.options : "not known", found.why ? found.why : "");
}

/* --- compressions --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const void *bytes;
	size_t len;
	const char *why; /* it cannot be read */
} packed[] = {
	{ "gzip", PACKED_GZIP, sizeof(PACKED_GZIP), NULL },	{ "xz", PACKED_XZ, sizeof(PACKED_XZ), NULL },
	{ "lzma", PACKED_LZMA, sizeof(PACKED_LZMA), NULL },	{ "zstd", PACKED_ZSTD, sizeof(PACKED_ZSTD), NULL },
	{ "bzip2", PACKED_BZIP2, sizeof(PACKED_BZIP2), NULL },	{ "lz4", PACKED_LZ4, sizeof(PACKED_LZ4), "lz4" },
};

static void add_early(struct sp_buf *image)
{
	static const struct cpio_part early[] = { { "kernel/x86/microcode/AuthenticAMD.bin", "0123456789", 0, 0 } };

	cpio_make(early, SP_ELEMENTS(early), image);
}

static void test_packed(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(packed); i++)
		for (int kind = 0; kind < 3; kind++) {
			sp_autobuf struct sp_buf image = { 0 };

			if (kind > 0)
				add_early(&image);
			sp_buf_add(&image, packed[i].bytes, packed[i].len);
			if (kind == 2) { /* padded, and one more archive behind it */
				cpio_pad(&image, 4096);
				add_early(&image);
			}
			expect(packed[i].name, &image, packed[i].why ? NULL : OPTIONS, packed[i].why);
		}
}

/* Cut off at any byte it is not known, and damaged at any byte it is never anything but right, nothing or not known. */
static void test_damaged(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(packed); i++)
		for (size_t n = 1; n < packed[i].len; n += 3) {
			sp_autobuf struct sp_buf image = { 0 };
			sp_autoinitramfs struct sp_initramfs found = { 0 };

			sp_buf_add(&image, packed[i].bytes, n);
			expect(packed[i].name, &image, NULL, "");
			sp_buf_add(&image, (const char *) packed[i].bytes + n, packed[i].len - n);
			image.data[n] ^= 0x55;
			read_image(&image, &found);
			assert_true(!found.options != !found.why);
		}
}

/* Bytes come out as they went in, however small the pieces are. */
static void test_pieces(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(packed); i++) {
		sp_autounpacker struct sp_unpacker *u = NULL;
		sp_autofree char *why = NULL;
		sp_autobuf struct sp_buf all = { 0 };
		size_t at = 0;
		int r = sp_unpacker_open(packed[i].bytes, packed[i].len, &u, &why);

		assert_int_equal(r, packed[i].why ? -ENOTSUP : 0);
		for (int end = r < 0; end == 0;) {
			size_t used = 0, made = 0;
			char out[7];
			const size_t n = packed[i].len - at < 5 ? packed[i].len - at : 5;

			end = sp_unpack(u, (const char *) packed[i].bytes + at, n, &used, out, sizeof(out), &made);
			assert_true(end >= 0 && used <= n && made <= sizeof(out));
			at += used;
			sp_buf_add(&all, out, made);
		}
		if (r < 0)
			continue;
		assert_int_equal(at, packed[i].len);
		assert_int_equal(all.len % 512, 0);
		assert_memory_equal(all.data, "070701", 6);
	}
}

static void test_no_kind(void **state)
{
	static const char *const none[] = { "", "B", "\x1f", "hello" };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(none); i++) {
		struct sp_unpacker *u = NULL;
		sp_autofree char *why = NULL;

		assert_int_equal(sp_unpacker_open(none[i], strlen(none[i]), &u, &why), -ENOTSUP);
		assert_non_null(why);
	}
}

/* --- makers --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct cpio_part parts[4];
	size_t n;
	const char *options, *why;
} images[] = {
	{ "ours", { { "etc/modprobe.d/a.conf", "options x y=1\n", 0, 0 }, { MEMBER, LINES, 0, 0 } }, 2, OPTIONS, NULL },
	{ "not ours", { { "etc/modprobe.d/a.conf", "options amdgpu gttsize=1\n", 0, 0 } }, 1, "", NULL },
	{ "ours with nothing in it", { { MEMBER, "# nothing\n", 0, 0 } }, 1, "", NULL },
	{ "ours, a link", { { MEMBER, "/dev/null", S_IFLNK | 0777, 0 } }, 1, NULL, "link" },
	{ "booster", { { SP_BOOSTER_MEMBER, "kernel: 6.19\nmodprobeoptions:\n    amdgpu: gttsize=98304 dc=1\n    snd: a=b\n"
		       "    \"ttm\": 'pages_limit=25165824'\nvirtualconsole:\n    amdgpu: gttsize=7\n", 0, 0 } }, 1, OPTIONS, NULL },
	{ "booster without", { { SP_BOOSTER_MEMBER, "modprobeoptions:\n    amdgpu: dc=1\n", 0, 0 } }, 1, "", NULL },
	{ "booster, others", { { SP_BOOSTER_MEMBER, "modules:\n  - a\n    amdgpu: gttsize=1\nx\n# c\n\n", 0, 0 } }, 1, "", NULL },
	{ "dracut with squashfs", { { "squashfs-root.img", "hsqs", 0, 0 } }, 1, NULL, "file system" },
	{ "dracut with squashfs, once", { { "squash-root.img", "hsqs", 0, 0 } }, 1, NULL, "file system" },
	{ "dracut with erofs", { { "erofs-root.img", "", 0, 0 }, { MEMBER, LINES, 0, 0 } }, 2, OPTIONS, NULL },
};

static void test_makers(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(images); i++) {
		sp_autobuf struct sp_buf image = { 0 };

		cpio_make(images[i].parts, images[i].n, &image);
		expect(images[i].name, &image, images[i].options, images[i].why);
	}
}

static void test_no_image(void **state)
{
	static const struct {
		const char *text, *why;
		size_t len;
	} files[] = {
		{ "", "empty", 0 }, { "\0\0\0\0", "no archive", 4 }, { "stand-in", "neither", 8 }, { "MZ", "no initrd", 2 },
		{ "07", "cut off", 2 }, { "0707070000", "cut off", 10 },
	};
	sp_autoinitramfs struct sp_initramfs missing = { 0 };
	char *tree = fixture_new();
	sp_autoroot struct sp_root *root = NULL;

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		struct sp_buf image = { .data = (char *) files[i].text, .len = files[i].len };

		expect(files[i].text, &image, NULL, files[i].why);
	}
	assert_int_equal(sp_root_open(tree, 0, &root, NULL), 0);
	sp_initramfs_read(root, "/image", MEMBER, &missing);
	assert_null(missing.options);
	assert_non_null(missing.why);
	fixture_free(tree);
}

/* Of a unified kernel image its section counts; what is in the others does not. */
static void test_unified(void **state)
{
	sp_autobuf struct sp_buf archive = { 0 }, image = { 0 };
	struct pe_part parts[] = { { ".cmdline", "root=UUID=1" }, { ".initrd", NULL }, { ".linux", "kernel" } };

	(void) state;
	sp_buf_add(&archive, "", 0);
	sp_buf_adds(&archive, "07");
	sp_buf_clear(&archive);
	cpio_make(&(struct cpio_part){ MEMBER, LINES, 0, 0 }, 1, &archive);
	sp_autofree char *room = sp_xmalloc(archive.len + 1);
	memset(room, 'x', archive.len);
	room[archive.len] = '\0';
	parts[1].text = room;
	pe_make(parts, SP_ELEMENTS(parts), false, &image);
	char *at = memmem(image.data, image.len, room, archive.len);
	assert_non_null(at);
	memcpy(at, archive.data, archive.len);
	expect("unified", &image, OPTIONS, NULL);
}

#if __has_include(<zlib.h>)
/* What is declared by hand is what the library says. */
static void test_declared(void **state)
{
	(void) state;
	assert_int_equal(sizeof(z_stream), 14 * sizeof(long));
	assert_int_equal(offsetof(z_stream, next_out), 3 * sizeof(long));
	assert_int_equal(offsetof(z_stream, avail_out), 4 * sizeof(long));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed),	 cmocka_unit_test(test_damaged), cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_no_kind),	 cmocka_unit_test(test_makers),	 cmocka_unit_test(test_no_image),
		cmocka_unit_test(test_unified),
#if __has_include(<zlib.h>)
		cmocka_unit_test(test_declared),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
