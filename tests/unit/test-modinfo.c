/* SPDX-License-Identifier: MIT */
/* libkmod takes the stub of a module for one, and finds the parameters in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture-tree.h"
#include "format/modinfo.h"
#include "hw/paths.h"

#define KERNEL "6.18.4-200.fc43.x86_64"
#define DIR "usr/lib/modules/" KERNEL

static const struct fixture files[] = {
	{ .path = DIR "/modules.dep", .text = "kernel/amdgpu.ko:\nkernel/none.ko:\nkernel/lost.ko:\n" },
	{ .path = DIR "/modules.builtin", .text = "kernel/ttm.ko\n" },
	{ .path = DIR "/modules.builtin.modinfo", .text = "ttm.parm=pages_limit:x" },
	{ .path = "proc/sys/kernel/osrelease", .text = "7.0.1\n" },
	{ 0 },
};

static void add_stub(const char *dir, const char *path, const struct sp_strv *parms)
{
	sp_autobuf struct sp_buf stub = { 0 };

	sp_modinfo_stub(parms, &stub);
	fixture_add(dir, &(struct fixture){ .path = path, .text = stub.data, .len = stub.len });
}

static void test_stub(void **state)
{
	static const struct sp_strv none;
	sp_autostrv struct sp_strv parms = { 0 }, found = { 0 };
	sp_autofree char *path = NULL;
	char *dir = fixture_new();
	struct sp_root *root = NULL;
	struct sp_facts *f = NULL;

	(void) state;
	sp_strv_add(&parms, "gttsize");
	sp_strv_add(&parms, "noretry");
	fixture_add_all(dir, files);
	add_stub(dir, DIR "/kernel/amdgpu.ko", &parms);
	add_stub(dir, DIR "/kernel/none.ko", &none);
	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	assert_int_equal(sp_facts_read(root, root, &f, NULL), 0);
	assert_int_equal(sp_kernel_has_parm(f, KERNEL, "amdgpu", "gttsize", NULL), SP_YES);
	assert_int_equal(sp_kernel_has_parm(f, KERNEL, "amdgpu", "noretry", NULL), SP_YES);
	assert_int_equal(sp_kernel_has_parm(f, KERNEL, "amdgpu", "gtt_size", NULL), SP_NO);
	assert_int_equal(sp_kernel_has_parm(f, KERNEL, "none", "gttsize", NULL), SP_NO);
	/* what a record is made of, and what is no module file that can be read */
	assert_int_equal(sp_kernel_module_file(f, KERNEL, "amdgpu", &path, &found), 0);
	assert_string_equal(path, "/" DIR "/kernel/amdgpu.ko");
	assert_int_equal(found.n, 2);
	assert_true(sp_kernel_module_file(f, KERNEL, "ttm", &path, &found) < 0);
	assert_true(sp_kernel_module_file(f, KERNEL, "lost", &path, &found) < 0);
	assert_true(sp_kernel_module_file(f, KERNEL, "nowhere", &path, &found) < 0);
	sp_facts_free(f);
	sp_root_close(root);
	fixture_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_stub) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
