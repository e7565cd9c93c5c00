/* SPDX-License-Identifier: MIT */
/* What an image said is remembered for exactly this file. It is made unreadable behind the memory's back, keeping its size and
 * time, so that an answer can only come from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpio-image.h"
#include "fixture-tree.h"
#include "hw/images.h"

#define MEMBER "etc/modprobe.d/ours.conf"
#define MEMORY "var/lib/strix-provision/images.json"

static const struct timespec built = { .tv_sec = 1764190000, .tv_nsec = 333 };
static const struct cpio_part parts[] = { { MEMBER, "options amdgpu gttsize=98304\n", 0, 0 }, { "conf/initramfs.conf", "", 0, 0 } };

/* Into the file that is there, so that it stays the same one. */
static void write_over(const char *dir, const void *bytes, size_t len, struct timespec mtime)
{
	sp_autofree char *path = sp_xasprintf("%s/boot/image", dir);
	const struct timespec times[2] = { mtime, mtime };
	FILE *f = fopen(path, "r+e");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static char *new_tree(struct sp_buf *image)
{
	char *dir = fixture_new();

	cpio_make(parts, SP_ELEMENTS(parts), image);
	fixture_add(dir, &(struct fixture){ .path = "boot/image", .text = image->data, .len = image->len });
	write_over(dir, image->data, image->len, built);
	return dir;
}

/* Ask a program that was just started: does it know, and from where it may know? */
static bool ask(const char *dir, bool look, struct sp_initramfs *ret, char **learned)
{
	sp_autoroot struct sp_root *root = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	sp_autoimage_memory struct sp_image_memory *m = sp_image_memory_new(root, MEMBER);
	bool known = true;
	sp_initramfs_clear(ret);
	if (look)
		sp_image_memory_look(m, "/boot/image", ret);
	else
		known = sp_image_memory_find(m, "/boot/image", ret);
	free(*learned);
	*learned = sp_image_memory_text(m);
	return known && ret->options;
}

static void remember(const char *dir, const char *text)
{
	fixture_add(dir, &(struct fixture){ .path = MEMORY, .text = text });
}

static void test_remembered(void **state)
{
	sp_autoinitramfs struct sp_initramfs i = { 0 };
	sp_autobuf struct sp_buf image = { 0 };
	sp_autofree char *learned = NULL;
	char *dir = new_tree(&image);

	(void) state;
	assert_false(ask(dir, false, &i, &learned));
	assert_null(learned);
	assert_true(ask(dir, true, &i, &learned));
	assert_string_equal(i.options, "amdgpu.gttsize=98304");
	assert_string_equal(i.maker, "initramfs-tools");
	assert_non_null(strstr(learned, "\"options\": \"amdgpu.gttsize=98304\""));
	remember(dir, learned);
	memset(image.data, 'x', image.len);
	write_over(dir, image.data, image.len, built);
	assert_true(ask(dir, false, &i, &learned));
	assert_string_equal(i.options, "amdgpu.gttsize=98304");
	assert_string_equal(i.maker, "initramfs-tools");
	assert_true(ask(dir, true, &i, &learned));
	assert_null(learned);
	fixture_free(dir);
}

static void test_another_file(void **state)
{
	static const struct {
		const char *name;
		struct timespec mtime;
		size_t more;
		bool is_new, known;
	} files[] = {
		{ "the same", built, 0, false, true },
		{ "a second later", { 1764190001, 333 }, 0, false, false },
		{ "a little later", { 1764190000, 334 }, 0, false, false },
		{ "longer", built, 1, false, false },
		{ "another in its place", built, 0, true, false },
	};

	(void) state;
	for (size_t k = 0; k < SP_ELEMENTS(files); k++) {
		sp_autoinitramfs struct sp_initramfs i = { 0 };
		sp_autobuf struct sp_buf image = { 0 };
		sp_autofree char *learned = NULL;
		char *dir = new_tree(&image);
		sp_autofree char *path = sp_xasprintf("%s/boot/image", dir), *other = sp_xasprintf("%s/boot/other", dir);

		assert_true(ask(dir, true, &i, &learned));
		remember(dir, learned);
		if (files[k].is_new) {
			fixture_add(dir, &(struct fixture){ .path = "boot/other", .text = "x" });
			assert_int_equal(rename(other, path), 0);
		}
		memset(image.data, 'x', image.len);
		sp_buf_add(&image, "xx", files[k].more);
		write_over(dir, image.data, image.len, files[k].mtime);
		if (ask(dir, false, &i, &learned) != files[k].known)
			fail_msg("%s", files[k].name);
		fixture_free(dir);
	}
}

static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"", "x", "[]", "{}", "{\"images\": 1}", "{\"images\": [1, {}, null]}",
		"{\"images\": [{\"path\": \"/boot/image\", \"options\": \"a\"}]}",
	};

	(void) state;
	for (size_t k = 0; k < SP_ELEMENTS(texts); k++) {
		sp_autoinitramfs struct sp_initramfs i = { 0 };
		sp_autobuf struct sp_buf image = { 0 };
		sp_autofree char *learned = NULL;
		char *dir = new_tree(&image);

		remember(dir, texts[k]);
		assert_false(ask(dir, false, &i, &learned));
		assert_true(ask(dir, true, &i, &learned));
		assert_non_null(learned);
		assert_null(strstr(learned, "null"));
		fixture_free(dir);
	}
}

/* What is not known is asked again, and what is gone is forgotten. */
static void test_not_remembered(void **state)
{
	sp_autoinitramfs struct sp_initramfs i = { 0 };
	sp_autobuf struct sp_buf image = { 0 };
	sp_autofree char *learned = NULL;
	char *dir = new_tree(&image);
	sp_autofree char *path = sp_xasprintf("%s/boot/image", dir);

	(void) state;
	write_over(dir, "not one", 7, built);
	assert_false(ask(dir, true, &i, &learned));
	assert_non_null(i.why);
	assert_null(learned);
	assert_int_equal(unlink(path), 0);
	assert_false(ask(dir, true, &i, &learned));
	assert_null(learned);
	fixture_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembered),
		cmocka_unit_test(test_another_file),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
