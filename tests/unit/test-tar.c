/* SPDX-License-Identifier: MIT */
/* Headers of archives, field by field, and the paths that do not fit. That tar(1) reads them: tests/cli/record.sh. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/tar.h"

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define HUNDRED FIFTY FIFTY

static const struct {
	const char *path, *link;
	uint64_t size;
	int result;
	const char *prefix, *name; /* what must stand there */
} entries[] = {
	{ "a/b", NULL, 5, 0, "", "a/b" },
	{ HUNDRED, NULL, 0, 0, "", HUNDRED },
	{ HUNDRED "x", NULL, 0, -ENAMETOOLONG, NULL, NULL }, /* one name, and too long */
	{ "x/" HUNDRED, NULL, 0, 0, "x", HUNDRED },
	{ "a/b/" FIFTY "/" FIFTY, NULL, 0, 0, "a/b/" FIFTY, FIFTY },
	{ "a/b/" FIFTY "/" TEN, NULL, 0, 0, "", "a/b/" FIFTY "/" TEN },
	{ "aaaaa/b/" FIFTY "/" TEN TEN TEN TEN, NULL, 0, 0, "", "aaaaa/b/" FIFTY "/" TEN TEN TEN TEN },
	{ "aaaaa/bc/" FIFTY "/" TEN TEN TEN TEN "z", NULL, 0, 0, "aaaaa", "bc/" FIFTY "/" TEN TEN TEN TEN "z" },
	{ "aa/b/" FIFTY "/" FIFTY "y", NULL, 0, 0, "aa/b/" FIFTY, FIFTY "y" },
	{ HUNDRED "/" HUNDRED, NULL, 0, 0, HUNDRED, HUNDRED },
	{ HUNDRED FIFTY "/" HUNDRED, NULL, 0, 0, HUNDRED FIFTY, HUNDRED },
	{ HUNDRED FIFTY TEN "/" HUNDRED, NULL, 0, -ENAMETOOLONG, NULL, NULL },
	{ "x/" HUNDRED "y", NULL, 0, -ENAMETOOLONG, NULL, NULL },
	{ HUNDRED "/", NULL, 0, -ENAMETOOLONG, NULL, NULL },
	{ "l", HUNDRED, 0, 0, "", "l" },
	{ "l", HUNDRED "x", 0, -ENAMETOOLONG, NULL, NULL },
	{ "big", NULL, (UINT64_C(1) << 33) - 1, 0, "", "big" },
	{ "big", NULL, UINT64_C(1) << 33, -EFBIG, NULL, NULL },
};

static unsigned long octal(const char *field)
{
	return strtoul(field, NULL, 8);
}

/* A field that may be full to its last byte. */
static void check_field(const char *field, size_t size, const char *expected)
{
	sp_autofree char *text = sp_xstrndup(field, size);

	assert_string_equal(text, expected);
}

static void check_header(const char *h, size_t i)
{
	unsigned sum = 0;

	for (size_t k = 0; k < 512; k++)
		sum += k >= 148 && k < 156 ? ' ' : (unsigned char) h[k];
	check_field(h, 100, entries[i].name);
	check_field(h + 345, 155, entries[i].prefix);
	check_field(h + 157, 100, entries[i].link ? entries[i].link : "");
	assert_int_equal(octal(h + 100), 0644);
	assert_int_equal(octal(h + 124), entries[i].size);
	assert_int_equal(octal(h + 136), 1764190000);
	assert_int_equal(octal(h + 148), sum);
	assert_int_equal(h[156], entries[i].link ? '2' : '0');
	assert_memory_equal(h + 257, "ustar\00000", 8);
}

static void test_headers(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(entries); i++) {
		const struct sp_tar_entry e = { .type = entries[i].link ? SP_TAR_LINK : SP_TAR_FILE,
						.path = entries[i].path,
						.link = entries[i].link,
						.mode = 0644,
						.size = entries[i].size,
						.mtime = 1764190000 };
		sp_autobuf struct sp_buf out = { 0 };

		assert_int_equal(sp_tar_header(&e, &out), entries[i].result);
		assert_int_equal(out.len, entries[i].result ? 0 : 512);
		if (out.len)
			check_header(out.data, i);
	}
}

/* Everything comes in whole blocks, and two empty ones end it. */
static void test_blocks(void **state)
{
	static const struct {
		uint64_t size;
		size_t fill;
	} fills[] = { { 0, 0 }, { 1, 511 }, { 511, 1 }, { 512, 0 }, { 513, 511 } };
	sp_autobuf struct sp_buf end = { 0 };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(fills); i++) {
		sp_autobuf struct sp_buf out = { 0 };

		sp_tar_fill(fills[i].size, &out);
		assert_int_equal(out.len, fills[i].fill);
	}
	sp_tar_end(&end);
	assert_int_equal(end.len, 1024);
	for (size_t i = 0; i < end.len; i++)
		assert_int_equal(end.data[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_headers), cmocka_unit_test(test_blocks) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
