/* SPDX-License-Identifier: MIT */
/* Members of archives that come in pieces of any size; archives behind archives; what is no archive; damaged ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpio-image.h"
#include "format/cpio.h"

#define WANT "etc/modprobe.d/ours.conf"

/* All of it in pieces of n bytes; the place where it stopped, or the error. */
static ssize_t feed(struct sp_cpio *c, const struct sp_buf *image, size_t n, struct sp_error **err)
{
	for (size_t at = 0; at < image->len;) {
		const size_t part = image->len - at < n ? image->len - at : n;
		size_t used = 0;
		int r = sp_cpio_feed(c, image->data + at, part, &used, err);

		if (r < 0)
			return r;
		at += used;
		if (used < part)
			return (ssize_t) at;
	}
	return (ssize_t) image->len;
}

/* --- what is found ------------------------------------------------------------------------------------------------ */

static const struct found {
	const char *name;
	struct cpio_part parts[5];
	size_t n;
	const char *text; /* NULL: it is not found */
	bool unclear;
} founds[] = {
	{ "alone", { { WANT, "options a b=1\n", 0, 0 } }, 1, "options a b=1\n", false },
	{ "among others", { { "etc", NULL, S_IFDIR | 0755, 2 }, { "etc/x", "yy", 0, 0 }, { WANT, "1", 0, 0 }, { "init", "#!", 0, 0 } },
	  4, "1", false },
	{ "with a dot", { { "./" WANT, "22", 0, 0 } }, 1, "22", false },
	{ "with a slash", { { "/" WANT, "333", 0, 0 } }, 1, "333", false },
	{ "empty", { { WANT, NULL, 0, 0 } }, 1, "", false },
	{ "the last counts", { { WANT, "first", 0, 0 }, { NULL, NULL, 0, 0 }, { WANT, "second", 0, 0 } }, 3, "second", false },
	{ "in the second archive", { { "kernel/x86/microcode/AuthenticAMD.bin", "12345", 0, 0 }, { NULL, NULL, 0, 0 },
	  { "usr/" WANT, "no", 0, 0 }, { WANT, "4", 0, 0 } }, 4, "4", false },
	{ "a name that only begins so", { { WANT ".old", "no", 0, 0 }, { "etc/modprobe.d/ours", "no", 0, 0 } }, 2, NULL, false },
	{ "a link", { { WANT, "/dev/null", S_IFLNK | 0777, 0 } }, 1, NULL, true },
	{ "a link in the place of a file", { { WANT, "5", 0, 0 }, { WANT, "/dev/null", S_IFLNK | 0777, 0 } }, 2, NULL, true },
	{ "a name of several", { { WANT, NULL, 0, 2 } }, 1, NULL, true },
	{ "a name of several that has the bytes", { { WANT, "6", 0, 2 } }, 1, "6", false },
	{ "a folder", { { WANT, NULL, S_IFDIR | 0755, 2 } }, 1, NULL, false },
	{ "nothing", { { NULL, NULL, 0, 0 } }, 0, NULL, false },
};

static void expect_found(const struct found *f, size_t piece)
{
	sp_autobuf struct sp_buf image = { 0 };
	struct sp_cpio_want want = { .path = WANT };
	struct sp_cpio c;

	cpio_make(f->parts, f->n, &image);
	sp_cpio_start(&c, &want, 1);
	if (feed(&c, &image, piece, NULL) != (ssize_t) image.len || !sp_cpio_at_rest(&c))
		fail_msg("%s: it is not read to the end in pieces of %zu", f->name, piece);
	if (want.found != !!f->text || want.unclear != f->unclear ||
	    (f->text && (want.bytes.len != strlen(f->text) || memcmp(want.bytes.data ? want.bytes.data : "", f->text, want.bytes.len) != 0)))
		fail_msg("%s: found %d, unclear %d, '%s', in pieces of %zu", f->name, want.found, want.unclear,
			 want.bytes.data ? want.bytes.data : "", piece);
	sp_buf_clear(&want.bytes);
}

static void test_found(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 109, 110, 111, 512, 65536 };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(founds); i++)
		for (size_t k = 0; k < SP_ELEMENTS(pieces); k++)
			expect_found(&founds[i], pieces[k]);
}

static void test_large(void **state)
{
	static const size_t sizes[] = { SP_CPIO_MEMBER_MAX, SP_CPIO_MEMBER_MAX + 1 };
	sp_autofree char *bytes = sp_xcalloc(1, SP_CPIO_MEMBER_MAX + 1);

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(sizes); i++) {
		struct sp_cpio_want wants[] = { { .path = WANT }, { .path = "b" } };
		sp_autobuf struct sp_buf image = { 0 };
		struct sp_cpio c;

		cpio_member(&image, WANT, bytes, sizes[i], S_IFREG | 0644, 1);
		cpio_make(&(struct cpio_part){ "b", "behind it", 0, 0 }, 1, &image);
		sp_cpio_start(&c, wants, SP_ELEMENTS(wants));
		assert_int_equal(feed(&c, &image, 4096, NULL), image.len);
		assert_int_equal(wants[0].found, i == 0);
		assert_int_equal(wants[0].unclear, i == 1);
		assert_int_equal(wants[0].bytes.len, i == 0 ? sizes[0] : 0);
		assert_string_equal(wants[1].bytes.data, "behind it");
		assert_int_equal(c.members, 3);
		sp_buf_clear(&wants[0].bytes);
		sp_buf_clear(&wants[1].bytes);
	}
}

/* --- what is no archive -------------------------------------------------------------------------------------------- */

static void test_stops(void **state)
{
	static const char *const others[] = { "\x1f\x8b\x08", "(\xb5/\xfd", "\xfd" "7zXZ", "BZh9", "hello", "\x01" };
	const struct cpio_part part = { WANT, "x", 0, 0 };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(others); i++) {
		struct sp_cpio_want want = { .path = WANT };
		sp_autobuf struct sp_buf image = { 0 }, behind = { 0 };
		struct sp_cpio c;

		cpio_make(&part, 1, &image);
		const size_t end = image.len;
		sp_buf_adds(&image, others[i]);
		sp_cpio_start(&c, &want, 1);
		assert_int_equal(feed(&c, &image, 64, NULL), end);
		assert_true(sp_cpio_at_rest(&c));
		cpio_make(&(struct cpio_part){ WANT, "again", 0, 0 }, 1, &behind);
		assert_int_equal(feed(&c, &behind, 64, NULL), behind.len);
		assert_string_equal(want.bytes.data, "again");
		sp_buf_clear(&want.bytes);
	}
}

/* --- what is damaged ------------------------------------------------------------------------------------------------ */

static void test_damaged(void **state)
{
	static const struct {
		size_t at; /* of the second member's header */
		const char *bytes;
		bool fine;
	} damages[] = {
		{ 0, "070707", false }, { 0, "0", true }, { 0, "x", false }, { 5, "2", true }, { 5, "3", false }, { 14, "g", false },
		{ 14, " ", false }, { 54, "-1", false }, { 94, "\n", false }, { 54, "0000000A", false },
	};
	const struct cpio_part parts[] = { { "a", "1", 0, 0 }, { "b", "22", 0, 0 }, { "c", "333", 0, 0 } };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(damages); i++) {
		sp_autoerror struct sp_error *err = NULL;
		sp_autobuf struct sp_buf image = { 0 };
		struct sp_cpio c;

		cpio_make(parts, SP_ELEMENTS(parts), &image);
		memcpy(image.data + 116 + damages[i].at, damages[i].bytes, strlen(damages[i].bytes));
		sp_cpio_start(&c, NULL, 0);
		const ssize_t end = feed(&c, &image, 33, &err);
		if (damages[i].fine ? end != (ssize_t) image.len : end != -EBADMSG || !err)
			fail_msg("damage %zu: %zd", i, end);
	}
}

/* Wherever it is cut off, that is seen by its not being at rest; sizes of gigabytes only wait. */
static void test_cut_off(void **state)
{
	const struct cpio_part parts[] = { { "a", "1", 0, 0 }, { WANT, "22", 0, 0 } };
	sp_autobuf struct sp_buf image = { 0 };

	(void) state;
	cpio_make(parts, SP_ELEMENTS(parts), &image);
	const size_t trailer = 116 + 136 + 4 + 124;
	for (size_t n = 1; n < image.len; n++) {
		struct sp_buf part = { .data = image.data, .len = n };
		struct sp_cpio_want want = { .path = WANT };
		struct sp_cpio c;

		sp_cpio_start(&c, &want, 1);
		assert_int_equal(feed(&c, &part, 17, NULL), n);
		assert_int_equal(sp_cpio_at_rest(&c), n >= trailer);
		sp_buf_clear(&want.bytes);
	}
}

static void test_huge(void **state)
{
	static const struct {
		size_t at;
		const char *what;
	} sizes[] = { { 54, "of bytes" }, { 94, "of a name" } };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(sizes); i++) {
		struct sp_cpio_want want = { .path = WANT };
		sp_autobuf struct sp_buf image = { 0 };
		struct sp_cpio c;

		cpio_member(&image, WANT, "1", 1, S_IFREG | 0644, 1);
		memcpy(image.data + sizes[i].at, "FFFFffff", 8);
		for (int k = 0; k < 4096; k++)
			sp_buf_adds(&image, "0707010000");
		sp_cpio_start(&c, &want, 1);
		assert_int_equal(feed(&c, &image, 1000, NULL), image.len);
		assert_false(sp_cpio_at_rest(&c));
		assert_false(want.found);
		assert_int_equal(want.bytes.len, 0);
	}
}

/* A name that is too long to be one is passed over, and what is behind it is found. */
static void test_long_name(void **state)
{
	sp_autofree char *name = sp_xmalloc(SP_CPIO_NAME_MAX + 2);
	sp_autobuf struct sp_buf image = { 0 };
	struct sp_cpio_want want = { .path = WANT };
	struct sp_cpio c;

	(void) state;
	memset(name, 'a', SP_CPIO_NAME_MAX + 1);
	name[SP_CPIO_NAME_MAX + 1] = '\0';
	cpio_member(&image, name, "text", 4, S_IFREG | 0644, 1);
	name[SP_CPIO_NAME_MAX - 1] = '\0';
	cpio_member(&image, name, "text", 4, S_IFREG | 0644, 1);
	cpio_member(&image, "", "", 0, S_IFREG | 0644, 1);
	cpio_make(&(struct cpio_part){ WANT, "there", 0, 0 }, 1, &image);
	sp_cpio_start(&c, &want, 1);
	assert_int_equal(feed(&c, &image, 100, NULL), image.len);
	assert_string_equal(want.bytes.data, "there");
	sp_buf_clear(&want.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),	cmocka_unit_test(test_large), cmocka_unit_test(test_stops),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_cut_off), cmocka_unit_test(test_huge),
		cmocka_unit_test(test_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
