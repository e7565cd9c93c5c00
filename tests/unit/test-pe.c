/* SPDX-License-Identifier: MIT */
/* Sections of images, the profile that counts, signatures, the line as the stub passes it on; and damaged headers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/pe.h"
#include "pe-image.h"

static const struct pe_part uki[] = {
	{ ".text", "code" }, { ".osrel", "ID=arch\n" }, { ".cmdline", "root=UUID=1 rw\n" }, { ".uname", "6.19.8" },
	{ ".linux", "MZ kernel" }, { ".initrd", "070701" }, { ".longest", "" },
};
static const struct pe_part profiles[] = {
	{ ".cmdline", "base" }, { ".linux", "kernel" }, { ".profile", "ID=a" }, { ".cmdline", "first" }, { ".cmdline", "no" },
	{ ".profile", "ID=b" }, { ".cmdline", "second" }, { ".initrd", "of the second" },
};

static char *text_of(const struct sp_buf *file, const struct sp_pe *pe, const char *name)
{
	const struct sp_pe_section *s = sp_pe_find(pe, name);

	return s ? sp_xstrndup(file->data + s->offset, s->size) : NULL;
}

static void expect_text(const struct sp_buf *file, const struct sp_pe *pe, const char *name, const char *want)
{
	sp_autofree char *text = text_of(file, pe, name);

	if (want)
		assert_string_equal(text, want);
	else
		assert_null(text);
}

static void test_sections(void **state)
{
	(void) state;
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autope struct sp_pe pe = { 0 };

		pe_make(uki, SP_ELEMENTS(uki), is_signed, &file);
		assert_int_equal(sp_pe_parse(&file, file.len, &pe, NULL), 0);
		assert_int_equal(pe.n, SP_ELEMENTS(uki));
		assert_int_equal(pe.machine, SP_PE_X86_64);
		assert_int_equal(pe.is_signed, is_signed);
		for (size_t i = 0; i < SP_ELEMENTS(uki); i++)
			expect_text(&file, &pe, uki[i].name, uki[i].text);
		expect_text(&file, &pe, ".cmd", NULL);
		expect_text(&file, &pe, ".cmdline2", NULL);
	}
}

/* The head alone is enough. */
static void test_head(void **state)
{
	sp_autobuf struct sp_buf file = { 0 }, head = { 0 };
	sp_autope struct sp_pe whole = { 0 }, part = { 0 };

	(void) state;
	pe_make(uki, SP_ELEMENTS(uki), false, &file);
	sp_buf_add(&head, file.data, PE_TABLE + SP_ELEMENTS(uki) * 40);
	assert_int_equal(sp_pe_parse(&file, file.len, &whole, NULL), 0);
	assert_int_equal(sp_pe_parse(&head, file.len, &part, NULL), 0);
	assert_int_equal(part.n, whole.n);
	assert_memory_equal(part.v, whole.v, whole.n * sizeof(*whole.v));
}

static void test_profiles(void **state)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_autope struct sp_pe pe = { 0 };

	(void) state;
	pe_make(profiles, SP_ELEMENTS(profiles), false, &file);
	assert_int_equal(sp_pe_parse(&file, file.len, &pe, NULL), 0);
	expect_text(&file, &pe, ".cmdline", "first");
	expect_text(&file, &pe, ".linux", "kernel");
	expect_text(&file, &pe, ".initrd", NULL);
}

static void test_make(void **state)
{
	static const struct sp_pe_text texts[] = { { ".osrel", "ID=arch\n" }, { ".cmdline", "root=UUID=1 rw" }, { ".linux", "" },
						   { ".too-long-a-name", "x" } };
	sp_autobuf struct sp_buf file = { 0 };
	sp_autope struct sp_pe pe = { 0 };

	(void) state;
	sp_pe_make(texts, SP_ELEMENTS(texts), &file);
	assert_int_equal(sp_pe_parse(&file, file.len, &pe, NULL), 0);
	assert_int_equal(pe.n, SP_ELEMENTS(texts));
	assert_int_equal(pe.machine, SP_PE_X86_64);
	for (size_t i = 0; i < 3; i++)
		expect_text(&file, &pe, texts[i].name, texts[i].text);
	expect_text(&file, &pe, ".too-lon", "x");
	sp_pe_make(texts, 0, &file);
	assert_int_equal(sp_pe_parse(&file, file.len, &pe, NULL), 0);
	assert_int_equal(pe.n, 0);
}

/* --- damage ------------------------------------------------------------------------------------------------------ */

#define SECTION(n) (PE_TABLE + (n) * 40)

static const struct {
	const char *what;
	size_t at, bytes;
	uint32_t value;
	int result;
} damages[] = {
	{ "no MZ", 0, 1, 'X', -EBADMSG },
	{ "signature behind the end", 60, 4, 0xffffffff, -EBADMSG },
	{ "signature cut by the end", 60, 4, 4096 + 2560 - 8, -EBADMSG },
	{ "signature elsewhere", 60, 4, PE_AT + 4, -EBADMSG },
	{ "no PE", PE_AT, 2, 0x4242, -EBADMSG },
	{ "neither PE32 nor PE32+", PE_AT + 24, 2, 0x107, -EBADMSG },
	{ "no optional header", PE_AT + 20, 2, 0, -EBADMSG },
	{ "optional header of one byte", PE_AT + 20, 2, 1, -EBADMSG },
	{ "optional header to the end of the world", PE_AT + 20, 2, 0xffff, -EBADMSG },
	{ "more sections than there are", PE_AT + 6, 2, 0xffff, -EBADMSG },
	{ "no section", PE_AT + 6, 2, 0, 0 },
	{ "section behind the end", SECTION(1) + 20, 4, 0x7fffffff, -EBADMSG },
	{ "section that wraps around", SECTION(1) + 20, 4, 0xffffff00, -EBADMSG },
	{ "section larger than the file", SECTION(1) + 16, 4, 0xffffffff, 0 }, /* padding beyond what it has in memory */
	{ "section larger than the file in both", SECTION(1) + 8, 4, 0xffffffff, 0 }, /* zeros behind what the file has */
	{ "last section one byte too long", SECTION(5) + 20, 4, 0xffff, -EBADMSG },
	{ "size in memory not given", SECTION(1) + 8, 4, 0, 0 },
	{ "empty section behind the end", SECTION(6) + 20, 4, 0xffffffff, 0 },
};

static void test_damages(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(damages); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autope struct sp_pe pe = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		pe_make(uki, SP_ELEMENTS(uki), false, &file);
		pe_number(&file, damages[i].at, damages[i].bytes, damages[i].value);
		int r = sp_pe_parse(&file, file.len, &pe, &err);
		if (r != damages[i].result)
			fail_msg("%s: %d", damages[i].what, r);
		assert_true(r == 0 || err->message);
		assert_true(r == 0 || pe.n == 0);
		for (size_t k = 0; k < pe.n; k++)
			assert_true(pe.v[k].offset + pe.v[k].size <= file.len);
	}
}

/* Both sizes of one section are too large: nothing of the file says where it ends. */
static void test_too_large(void **state)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_autope struct sp_pe pe = { 0 };

	(void) state;
	pe_make(uki, SP_ELEMENTS(uki), false, &file);
	pe_number(&file, SECTION(1) + 8, 4, 0xffffffff);
	pe_number(&file, SECTION(1) + 16, 4, 0xffffffff);
	assert_int_equal(sp_pe_parse(&file, file.len, &pe, NULL), -EBADMSG);
}

/* However much of a file there is, it is refused, or what is found is inside of it. */
static void test_cut_off(void **state)
{
	sp_autobuf struct sp_buf file = { 0 };

	(void) state;
	pe_make(uki, SP_ELEMENTS(uki), true, &file);
	for (size_t n = 0; n < file.len; n++) {
		sp_autobuf struct sp_buf part = { 0 };
		sp_autope struct sp_pe pe = { 0 };

		part.data = sp_xmalloc(n ? n : 1); /* exactly as long, so that a sanitizer sees what is read behind it */
		memcpy(part.data, file.data, n);
		part.len = n;
		int r = sp_pe_parse(&part, n, &pe, NULL);
		assert_true(r == 0 || r == -EBADMSG);
		assert_true(r < 0 || n > PE_TABLE);
	}
}

/* PE32, and a table of directories that ends before the signature's. */
static void test_signature(void **state)
{
	static const struct {
		size_t at, bytes;
		uint32_t value;
	} changes[] = { { PE_AT + 24 + 108, 4, 4 }, { PE_AT + 24 + 112 + 32, 4, 0 }, { PE_AT + 24 + 112 + 36, 4, 0 },
			{ PE_AT + 24, 2, 0x10b } };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(changes); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autope struct sp_pe pe = { 0 };

		pe_make(uki, SP_ELEMENTS(uki), true, &file);
		pe_number(&file, changes[i].at, changes[i].bytes, changes[i].value);
		assert_int_equal(sp_pe_parse(&file, file.len, &pe, NULL), 0);
		assert_false(pe.is_signed);
		if (changes[i].value != 0x10b)
			continue;
		pe_number(&file, PE_AT + 24 + 92, 4, 16);
		pe_number(&file, PE_AT + 24 + 96 + 32, 4, 512);
		pe_number(&file, PE_AT + 24 + 96 + 36, 4, 8);
		assert_int_equal(sp_pe_parse(&file, file.len, &pe, NULL), 0);
		assert_true(pe.is_signed);
	}
}

/* --- lines --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *bytes;
	size_t len;
	const char *line; /* NULL: refused */
} lines[] = {
	{ "", 0, "" },
	{ "root=a rw", 9, "root=a rw" },
	{ "root=a rw\n", 10, "root=a rw" },
	{ " \troot=a\nrw\r\n", 13, "root=a rw" },
	{ "root=a\0rw", 9, "root=a" },
	{ "root=LABEL=\xc3\xa4 x", 15, "root=LABEL=\xc3\xa4 x" },
	{ "\xf0\x9f\x90\xa7", 4, "\xf0\x9f\x90\xa7" },
	{ "a\x7f" "b", 3, "a b" },
	{ "a\xff", 2, NULL },
	{ "a\xc3", 2, NULL },
	{ "a\xc3 b", 4, NULL },
	{ "\xe2\x82", 2, NULL },
	{ "\x80", 1, NULL },
};

static void test_lines(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(lines); i++) {
		sp_autobuf struct sp_buf section = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_add(&section, lines[i].bytes, lines[i].len);
		int r = sp_pe_line(&section, &line, NULL);
		if (lines[i].line) {
			assert_int_equal(r, 0);
			assert_string_equal(line, lines[i].line);
		} else {
			assert_int_equal(r, -EINVAL);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections), cmocka_unit_test(test_head),	 cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_damages),	 cmocka_unit_test(test_too_large), cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_signature), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
