/* SPDX-License-Identifier: MIT */
/*
 * What a module file said is remembered for exactly this file. The module is
 * made unreadable behind the program's back, so an answer can only come from
 * the memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "elf-module.h"
#include "fixture-tree.h"
#include "hw/remembered.h"

#define KERNEL "6.18.4-200.fc43.x86_64"
#define DIR "usr/lib/modules/" KERNEL
#define MODULE DIR "/kernel/amdgpu.ko"
#define MEMORY "var/lib/strix-provision/modules.json"

static const struct fixture files[] = {
	{ .path = DIR "/modules.dep", .text = "kernel/amdgpu.ko:\n" },
	{ .path = DIR "/modules.builtin", .text = "kernel/other.ko\n" },
	{ .path = DIR "/modules.builtin.modinfo", .text = "other.license=GPL" },
	{ .path = "proc/sys/kernel/osrelease", .text = "7.0.1\n" },
	{ 0 },
};
static const char info[] = "license=GPL\0parm=gttsize:Size\0parmtype=gttsize:int";

static const struct timespec built = { .tv_sec = 1764190000, .tv_nsec = 333 };

static void put(const char *dir, const char *path, const char *text, size_t len, struct timespec mtime)
{
	sp_autofree char *full = sp_xasprintf("%s/%s", dir, path);
	const struct timespec times[2] = { mtime, mtime };

	(void) unlink(full);
	fixture_add(dir, &(struct fixture){ .path = path, .text = text, .len = len });
	assert_int_equal(utimensat(AT_FDCWD, full, times, 0), 0);
}

/* Ask a program that was just started; *learned is what it would write. */
static enum sp_tristate ask(const char *dir, const char *parm, char **learned)
{
	struct sp_root *root = NULL;
	struct sp_facts *f = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	assert_int_equal(sp_facts_read(root, root, &f, NULL), 0);
	enum sp_tristate has = sp_kernel_has_parm(f, KERNEL, "amdgpu", parm, NULL);
	free(*learned);
	*learned = sp_facts_learned(f);
	sp_facts_free(f);
	sp_root_close(root);
	return has;
}

static char *new_tree(struct sp_buf *module)
{
	char *dir = fixture_new();

	fixture_add_all(dir, files);
	elf_module(module, info, sizeof(info));
	put(dir, MODULE, module->data, module->len, built);
	return dir;
}

static void test_learns(void **state)
{
	sp_autobuf struct sp_buf module = { 0 };
	sp_autofree char *learned = NULL, *again = NULL;
	char *dir = new_tree(&module);

	(void) state;
	assert_int_equal(ask(dir, "gttsize", &learned), SP_YES);
	assert_non_null(learned);
	put(dir, MEMORY, learned, strlen(learned), built);
	memset(module.data, 'x', module.len);
	put(dir, MODULE, module.data, module.len, built); /* looks the same from outside */
	assert_int_equal(ask(dir, "gttsize", &again), SP_YES);
	assert_null(again); /* nothing new: nothing to write */
	assert_int_equal(ask(dir, "gtt_size", &again), SP_NO);
	assert_null(again);
	fixture_free(dir);
}

/* The file is another one, or the memory is of no use: the module itself is asked, which is broken here. */
static const struct {
	const char *name, *memory; /* memory NULL: what was learned */
	size_t longer;		   /* bytes that the module has grown by */
	struct timespec mtime;
} others[] = {
	{ "another time", NULL, 0, { .tv_sec = 1764190000, .tv_nsec = 334 } },
	{ "another second", NULL, 0, { .tv_sec = 1764190001, .tv_nsec = 333 } },
	{ "another size", NULL, 1, { .tv_sec = 1764190000, .tv_nsec = 333 } },
	{ "empty", "{}", 0, { .tv_sec = 1764190000, .tv_nsec = 333 } },
	{ "cut short",
	  "{\"schema\": \"strix-provision/modules/1\", \"modul",
	  0,
	  { .tv_sec = 1764190000, .tv_nsec = 333 } },
	{ "of another shape", "{\"modules\": {\"amdgpu\": 1}}", 0, { .tv_sec = 1764190000, .tv_nsec = 333 } },
	{ "of strange entries",
	  "{\"modules\": [1, null, {}, {\"kernel\": 2}, []]}",
	  0,
	  { .tv_sec = 1764190000, .tv_nsec = 333 } },
};

static void test_asks_again(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(others); i++) {
		sp_autobuf struct sp_buf module = { 0 };
		sp_autofree char *learned = NULL, *again = NULL;
		char *dir = new_tree(&module);

		assert_int_equal(ask(dir, "gttsize", &learned), SP_YES);
		const char *memory = others[i].memory ? others[i].memory : learned;
		put(dir, MEMORY, memory, strlen(memory), built);
		memset(module.data, 'x', module.len);
		for (size_t n = 0; n < others[i].longer; n++)
			sp_buf_adds(&module, "x");
		put(dir, MODULE, module.data, module.len, others[i].mtime);
		if (ask(dir, "gttsize", &again) != SP_UNKNOWN)
			fail_msg("%s: the memory was believed", others[i].name);
		assert_null(again); /* a module that cannot be read taught nothing */
		fixture_free(dir);
	}
}

/* A new build of the module takes the place of the old one, so the memory does not grow. */
static void test_forgets(void **state)
{
	sp_autobuf struct sp_buf module = { 0 };
	sp_autofree char *learned = NULL, *again = NULL;
	char *dir = new_tree(&module);
	const struct timespec later = { .tv_sec = built.tv_sec + 1 };

	(void) state;
	assert_int_equal(ask(dir, "gttsize", &learned), SP_YES);
	put(dir, MEMORY, learned, strlen(learned), built);
	put(dir, MODULE, module.data, module.len, later);
	assert_int_equal(ask(dir, "gttsize", &again), SP_YES);
	assert_non_null(again);
	assert_null(strstr(again, "1764190000"));
	assert_non_null(strstr(again, "1764190001"));
	fixture_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_asks_again),
		cmocka_unit_test(test_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
