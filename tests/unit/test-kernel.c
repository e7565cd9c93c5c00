/* SPDX-License-Identifier: MIT */
/*
 * One tree with several kernels: a good one, one with AMD's DKMS driver, and
 * broken ones. The machine runs the kernel "7.0.1", of which the tree has
 * only the lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "elf-module.h"
#include "fixture-tree.h"
#include "hw/facts.h"

#define GOOD "6.18.4-200.fc43.x86_64"
#define DKMS "6.14.0-1018-oem"
#define OTHER "6.12.48+deb13-amd64"
#define BROKEN "6.11.0"
#define BARE "6.9.1"
#define RUNNING "7.0.1"
#define M "usr/lib/modules/"

#define TEXT(s) .text = s, .len = sizeof(s) - 1

static const char amdgpu_info[] = "license=GPL\0parm=gttsize:Size of the GTT userspace domain in megabytes\0"
				  "parmtype=gttsize:int\0parm=noretry:Disable retry\0parmtype=undescribed:uint";
static const char ttm_info[] = "parm=pages_limit:Limit for the allocated pages\0parmtype=pages_limit:ulong";

static const struct fixture files[] = {
	{ .path = "lib", .kind = FIXTURE_LINK, .text = "usr/lib" },
	{ .path = M GOOD "/modules.dep",
	  .text = "kernel/drivers/gpu/drm/amd/amdgpu/amdgpu.ko: kernel/drivers/gpu/drm/ttm/ttm.ko.zst\n"
		  "kernel/drivers/gpu/drm/ttm/ttm.ko.zst:\n"
		  "kernel/drivers/platform/x86/hp/hp-bioscfg.ko:\n"
		  "kernel/lost.ko.xz:\nkernel/rotten.ko:\nkernel/rotten2.ko.zst:\nkernel/dir.ko:\n"
		  "/opt/absolute.ko:\nkernel/link.ko:\nkernel/outside.ko:" },
	{ .path = M GOOD "/modules.builtin", .text = "kernel/drivers/pci/pci-stub.ko\nkernel/drivers/tty/vt.ko\n" },
	{ .path = M GOOD "/modules.builtin.modinfo",
	  TEXT("pci_stub.parm=ids:Initial PCI IDs\0pci_stub.parmtype=ids:string\0vt.file=drivers/tty/vt\0"
	       "vt.parmtype=color:int\0bool_only.parmtype=on-line:bool\0") },
	{ .path = M GOOD "/kernel/rotten.ko", .text = "this is no module" },
	{ .path = M GOOD "/kernel/rotten2.ko.zst", TEXT("\x28\xb5\x2f\xfd\xff\xff") },
	{ .path = M GOOD "/kernel/dir.ko", .kind = FIXTURE_DIR },
	{ .path = M GOOD "/kernel/link.ko", .kind = FIXTURE_LINK, .text = "/opt/absolute.ko" },
	{ .path = M GOOD "/kernel/outside.ko", .kind = FIXTURE_LINK, .text = "/etc/passwd" },
	{ .path = M DKMS "/modules.dep",
	  .text = "updates/dkms/amdgpu.ko.zst:\nupdates/dkms/amdttm.ko.zst:\nkernel/drivers/gpu/drm/ttm/ttm.ko.zst:\n" },
	{ .path = M DKMS "/modules.builtin", .text = "" },
	{ .path = M OTHER "/modules.dep", .text = "kernel/drivers/gpu/drm/amd/amdgpu/amdgpu.ko.xz:\nextra/amd-ttm.ko.xz:\n" },
	{ .path = M OTHER "/modules.builtin", .text = "kernel/drivers/gpu/drm/ttm/ttm.ko\n" },
	{ .path = M BROKEN "/modules.dep", .kind = FIXTURE_DIR },
	{ .path = M BROKEN "/modules.builtin", .text = "kernel/drivers/pci/pci-stub.ko\n" },
	{ .path = M BARE "/modules.dep", .text = "extra/amdgpu.ko:\nextra/amd-ttm.ko:\n" },
	{ .path = M RUNNING "/modules.dep", .text = "kernel/amdgpu.ko:\n" },
	{ .path = M "6.8.0/build", .text = "headers only" },
	{ .path = "proc/sys/kernel/osrelease", .text = RUNNING "\n" },
	{ .path = "sys/module/amdgpu/parameters/gttsize", .kind = FIXTURE_SECRET, .text = "-1\n" },
	{ .path = "sys/module/pci_stub/parameters/ids", .text = "\n" },
	{ 0 },
};

struct tree {
	char *dir;
	struct sp_root *root;
	struct sp_facts *facts;
};

static void add_buf(const char *dir, const char *path, const struct sp_buf *b)
{
	fixture_add(dir, &(struct fixture){ .path = path, .text = b->data, .len = b->len });
}

static void add_modules(const char *dir)
{
	sp_autobuf struct sp_buf amdgpu = { 0 }, ttm = { 0 }, packed = { 0 };

	elf_module(&amdgpu, amdgpu_info, sizeof(amdgpu_info));
	elf_module(&ttm, ttm_info, sizeof(ttm_info));
	elf_module_zstd(&packed, &ttm);
	add_buf(dir, M GOOD "/kernel/drivers/gpu/drm/amd/amdgpu/amdgpu.ko", &amdgpu);
	add_buf(dir, M GOOD "/kernel/drivers/gpu/drm/ttm/ttm.ko.zst", &packed);
	add_buf(dir, "opt/absolute.ko", &ttm);
}

static int setup(void **state)
{
	struct tree *t = sp_xcalloc(1, sizeof(*t));

	t->dir = fixture_new();
	fixture_add_all(t->dir, files);
	add_modules(t->dir);
	*state = t;
	return sp_root_open(t->dir, 0, &t->root, NULL) || sp_facts_read(t->root, t->root, &t->facts, NULL);
}

static int teardown(void **state)
{
	struct tree *t = *state;

	sp_facts_free(t->facts);
	sp_root_close(t->root);
	fixture_free(t->dir);
	free(t);
	return 0;
}

static void test_list(void **state)
{
	static const char *const expected[] = { BARE, BROKEN, OTHER, DKMS, GOOD, RUNNING };
	const struct sp_facts *f = ((struct tree *) *state)->facts;

	assert_int_equal(f->n_kernels, SP_ELEMENTS(expected));
	for (size_t i = 0; i < SP_ELEMENTS(expected); i++) {
		assert_string_equal(f->kernels[i].version, expected[i]);
		assert_int_equal(f->kernels[i].running, sp_streq(expected[i], RUNNING));
	}
}

static const struct {
	const char *kernel, *module, *parm;
	enum sp_tristate has;
	const char *why; /* a part of it */
} parms[] = {
	{ GOOD, "amdgpu", "gttsize", SP_YES, NULL },
	{ GOOD, "amdgpu", "noretry", SP_YES, NULL },
	{ GOOD, "amdgpu", "undescribed", SP_YES, NULL },
	{ GOOD, "amdgpu", "gtt_size", SP_NO, NULL },
	{ GOOD, "amdgpu", "gtt", SP_NO, NULL },
	{ GOOD, "amdgpu", "gttsize:Size", SP_NO, NULL },
	{ GOOD, "ttm", "pages_limit", SP_YES, NULL },
	{ GOOD, "ttm", "pages-limit", SP_YES, NULL },
	{ GOOD, "ttm", "page_pool_size", SP_NO, NULL },
	{ GOOD, "absolute", "pages_limit", SP_YES, NULL },
	{ GOOD, "link", "pages_limit", SP_YES, NULL },
	{ GOOD, "pci-stub", "ids", SP_YES, NULL },
	{ GOOD, "pci_stub", "id", SP_NO, NULL },
	{ GOOD, "vt", "color", SP_YES, NULL },
	{ GOOD, "bool-only", "on_line", SP_YES, NULL }, /* in the kernel, but no module in any configuration */
	{ GOOD, "amd", "gttsize", SP_NO, NULL },
	{ GOOD, "amd_iommu", "pt", SP_NO, NULL },
	{ GOOD, "drivers", "x", SP_NO, NULL },
	{ GOOD, "", "gttsize", SP_NO, NULL },
	{ GOOD, "amdgpu", "", SP_NO, NULL },
	{ GOOD, "amdgpu", "..", SP_NO, NULL },
	{ GOOD, "rd", "luks.uuid", SP_NO, NULL },
	{ GOOD, "lost", "x", SP_UNKNOWN, "kernel/lost.ko.xz': No such file or directory" },
	{ GOOD, "rotten", "x", SP_UNKNOWN, "cannot read the module '/usr/lib/modules/" GOOD "/kernel/rotten.ko'" },
	{ GOOD, "rotten2", "x", SP_UNKNOWN, "rotten2.ko.zst'" },
	{ GOOD, "dir", "x", SP_UNKNOWN, "kernel/dir.ko'" },
	{ GOOD, "outside", "x", SP_UNKNOWN, "No such file or directory" },
	{ OTHER, "ttm", "pages_limit", SP_UNKNOWN, "modules.builtin.modinfo': No such file or directory" },
	{ BROKEN, "amdgpu", "gttsize", SP_UNKNOWN, "modules.dep': Is a directory" },
	{ BARE, "pci_stub", "ids", SP_UNKNOWN, "modules.builtin': No such file or directory" },
	{ "5.0", "amdgpu", "gttsize", SP_UNKNOWN, "the kernel '5.0' has no modules" },
	{ "../modules/" GOOD, "amdgpu", "gttsize", SP_UNKNOWN, "has no modules" },
	{ "", "amdgpu", "gttsize", SP_UNKNOWN, "has no modules" },
	{ NULL, "amdgpu", "gttsize", SP_UNKNOWN, "the kernel that will boot is not known" },
	{ RUNNING, "amdgpu", "gttsize", SP_YES, NULL }, /* by its name alone: its content is root's */
	{ RUNNING, "amdgpu", "noretry", SP_UNKNOWN, "kernel/amdgpu.ko" }, /* sysfs shows only some */
	{ RUNNING, "pci-stub", "ids", SP_YES, NULL },
	{ RUNNING, "amdgpu", "..", SP_NO, NULL },
};

static void test_parms(void **state)
{
	const struct sp_facts *f = ((struct tree *) *state)->facts;

	for (size_t i = 0; i < 2 * SP_ELEMENTS(parms); i++) { /* twice: the second time out of the cache */
		const char *kernel = parms[i / 2].kernel, *module = parms[i / 2].module, *parm = parms[i / 2].parm;
		sp_autofree char *why = NULL;
		enum sp_tristate has = sp_kernel_has_parm(f, kernel, module, parm, &why);

		if (has != parms[i / 2].has || (has == SP_UNKNOWN) != (why != NULL))
			fail_msg("%s %s.%s: %d, %s", kernel, module, parm, (int) has, why ? why : "");
		if (parms[i / 2].why && !strstr(why, parms[i / 2].why))
			fail_msg("%s %s.%s: '%s' does not say '%s'", kernel, module, parm, why, parms[i / 2].why);
		assert_int_equal(sp_kernel_has_parm(f, kernel, module, parm, NULL), has);
	}
}

static const struct {
	const char *kernel, *module;
	enum sp_tristate present;
	bool builtin;
} modules[] = {
	{ GOOD, "amdgpu", SP_YES, false },
	{ GOOD, "hp_bioscfg", SP_YES, false },
	{ GOOD, "hp-bioscfg", SP_YES, false },
	{ GOOD, "lost", SP_YES, false },
	{ GOOD, "pci_stub", SP_YES, true },
	{ GOOD, "vt", SP_YES, true },
	{ GOOD, "bool_only", SP_YES, true },
	{ GOOD, "amdttm", SP_NO, false },
	{ GOOD, "hp", SP_NO, false },
	{ GOOD, "..", SP_NO, false },
	{ BROKEN, "pci_stub", SP_YES, true },
	{ BROKEN, "amdgpu", SP_UNKNOWN, false },
	{ "5.0", "amdgpu", SP_UNKNOWN, false },
	{ RUNNING, "pci_stub", SP_YES, false },
	{ NULL, "amdgpu", SP_UNKNOWN, false },
};

static void test_modules(void **state)
{
	const struct sp_facts *f = ((struct tree *) *state)->facts;

	for (size_t i = 0; i < SP_ELEMENTS(modules); i++) {
		enum sp_tristate present = sp_kernel_has_module(f, modules[i].kernel, modules[i].module);
		bool builtin = sp_kernel_module_builtin(f, modules[i].kernel, modules[i].module);

		if (present != modules[i].present || builtin != modules[i].builtin)
			fail_msg("%s %s: %d, %d", modules[i].kernel, modules[i].module, (int) present, builtin);
	}
}

static void test_ttm(void **state)
{
	const struct sp_facts *f = ((struct tree *) *state)->facts;

	assert_string_equal(sp_kernel_ttm_module(f, GOOD), "ttm");
	assert_string_equal(sp_kernel_ttm_module(f, DKMS), "amdttm");
	assert_string_equal(sp_kernel_ttm_module(f, OTHER), "ttm"); /* amdgpu is the kernel's own there */
	assert_string_equal(sp_kernel_ttm_module(f, BARE), "amd_ttm");
	assert_string_equal(sp_kernel_ttm_module(f, BROKEN), "ttm");
	assert_string_equal(sp_kernel_ttm_module(f, NULL), "ttm");
}

/* The modules of the running kernel cannot be read, but what is loaded can. */
static void test_ttm_loaded(void **state)
{
	static const struct fixture few[] = {
		{ .path = "proc/sys/kernel/osrelease", .text = RUNNING "\n" },
		{ .path = "sys/module/amdttm/holders/amdgpu", .kind = FIXTURE_DIR },
		{ .path = "sys/module/ttm", .kind = FIXTURE_DIR },
		{ 0 },
	};
	struct tree t = { .dir = fixture_new() };

	(void) state;
	fixture_add_all(t.dir, few);
	assert_int_equal(sp_root_open(t.dir, 0, &t.root, NULL), 0);
	assert_int_equal(sp_facts_read(t.root, t.root, &t.facts, NULL), 0);
	assert_int_equal(t.facts->n_kernels, 0);
	assert_string_equal(sp_kernel_ttm_module(t.facts, RUNNING), "amdttm");
	assert_string_equal(sp_kernel_ttm_module(t.facts, GOOD), "ttm");
	sp_facts_free(t.facts);
	sp_root_close(t.root);
	fixture_free(t.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list), cmocka_unit_test(test_parms),	cmocka_unit_test(test_modules),
		cmocka_unit_test(test_ttm),  cmocka_unit_test(test_ttm_loaded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
