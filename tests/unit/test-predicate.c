/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/predicate.h"
#include "fixture-tree.h"

#define STOCK "6.19.8-200.fc43.x86_64" /* runs */
#define DKMS "6.17.0-1014-oem"
#define LOST "7.1.0"

static const struct fixture tree[] = {
	{ .path = "proc/sys/kernel/osrelease", .text = STOCK "\n" },
	{ .path = "proc/swaps",
	  .text = "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0\tpartition\t8388604\t0\t100\n" },
	{ .path = "sys/bus/pci/devices/0000:c6:00.1/vendor", .text = "0x1022\n" },
	{ .path = "sys/bus/pci/devices/0000:c6:00.1/device", .text = "0x17f0\n" },
	{ .path = "sys/bus/pci/devices/0000:c6:00.1/class", .text = "0x118000\n" },
	{ .path = "sys/module/amdgpu/parameters/gttsize", .text = "-1\n" },
	{ .path = "sys/module/ttm/parameters/pages_limit", .text = "1\n" },
	{ .path = "usr/lib/modules/" STOCK "/modules.dep",
	  .text = "kernel/amdgpu.ko: kernel/ttm.ko\nkernel/ttm.ko:\n" },
	{ .path = "usr/lib/modules/" STOCK "/modules.builtin", .text = "" },
	{ .path = "usr/lib/modules/" DKMS "/modules.dep",
	  .text = "updates/amdgpu.ko: updates/amdttm.ko\nupdates/amdttm.ko:\nkernel/ttm.ko:\n" },
	{ .path = "usr/lib/modules/" DKMS "/modules.builtin", .text = "" },
	{ 0 },
};
static const struct fixture no_devices = { .path = "sys/bus", .kind = FIXTURE_GONE };
static const struct fixture no_swaps = { .path = "proc/swaps", .kind = FIXTURE_GONE };
static const struct fixture disk_swap = {
	.path = "proc/swaps", .text = "Filename\tType\tSize\tUsed\tPriority\n/dev/nvme0n1p3\tpartition\t8\t0\t-2\n"
};

static const struct {
	const char *text;
	const char *kernel, *platform;
	const struct fixture *change;
	enum sp_tristate answer;
	const char *why; /* a part of it, for SP_UNKNOWN */
} questions[] = {
	{ "npu-present", STOCK, NULL, NULL, SP_YES, NULL },
	{ "npu-present", STOCK, NULL, &no_devices, SP_UNKNOWN, "not there" },
	{ "zram-present", STOCK, NULL, NULL, SP_YES, NULL },
	{ "zram-present", STOCK, NULL, &disk_swap, SP_NO, NULL },
	{ "zram-present", STOCK, NULL, &no_swaps, SP_UNKNOWN, "not there" },
	{ "no-disk-swap", STOCK, NULL, NULL, SP_YES, NULL },
	{ "no-disk-swap", STOCK, NULL, &disk_swap, SP_NO, NULL },
	{ "no-disk-swap", STOCK, NULL, &no_swaps, SP_UNKNOWN, "not there" },
	{ "platform zbook", STOCK, "zbook", NULL, SP_YES, NULL },
	{ "platform zbook", STOCK, "zbook2", NULL, SP_NO, NULL },
	{ "platform zbook", STOCK, NULL, NULL, SP_NO, NULL },
	{ "kernel-older-than 7.1", STOCK, NULL, NULL, SP_YES, NULL },
	{ "kernel-older-than 6.19", STOCK, NULL, NULL, SP_NO, NULL },
	{ "kernel-older-than 7.1", LOST, NULL, NULL, SP_NO, NULL },
	{ "kernel-older-than " LOST, LOST, NULL, NULL, SP_NO, NULL },
	{ "kernel-older-than 7.1", NULL, NULL, NULL, SP_UNKNOWN, "no kernel" },
	{ "kernel-has-module amdgpu", STOCK, NULL, NULL, SP_YES, NULL },
	{ "kernel-has-module amdttm", STOCK, NULL, NULL, SP_NO, NULL },
	{ "kernel-has-module amdttm", DKMS, NULL, NULL, SP_YES, NULL },
	{ "kernel-has-module amdgpu", LOST, NULL, NULL, SP_UNKNOWN, "cannot be read" },
	{ "kernel-has-module amdgpu", NULL, NULL, NULL, SP_UNKNOWN, "no kernel" },
	{ "kernel-has-parm amdgpu gttsize", STOCK, NULL, NULL, SP_YES, NULL },
	{ "kernel-has-parm ttm pages_limit", STOCK, NULL, NULL, SP_YES, NULL },
	{ "kernel-has-parm ttm pages_limit", DKMS, NULL, NULL,
	  SP_UNKNOWN, "amdttm" }, /* this kernel's ttm: its file is missing */
	{ "kernel-has-parm nothing x", STOCK, NULL, NULL, SP_NO, NULL },
	{ "kernel-has-parm amdgpu gttsize", NULL, NULL, NULL, SP_UNKNOWN, "no kernel" },
	{ "npu-present and kernel-older-than 7.1", STOCK, NULL, NULL, SP_YES, NULL },
	{ "npu-present and kernel-older-than 6.1", STOCK, NULL, NULL, SP_NO, NULL },
	{ "npu-present and kernel-older-than 7.1", STOCK, NULL, &no_devices, SP_UNKNOWN, "not there" },
	{ "npu-present and kernel-older-than 6.1", STOCK, NULL, &no_devices, SP_NO, NULL },
	{ "npu-present and kernel-older-than 7.1 and zram-present", NULL, NULL, &no_devices, SP_UNKNOWN, "not there" },
	{ "zram-present  and  npu-present and platform x", STOCK, "x", NULL, SP_YES, NULL },
	/* facts */
	{ "fact-known memory.zram_kib", STOCK, NULL, NULL, SP_YES, NULL },
	{ "fact-known memory.zram_kib", STOCK, NULL, &no_swaps, SP_NO, NULL },
	{ "fact-is kernel.release " STOCK, NULL, NULL, NULL, SP_YES, NULL },
	{ "fact-is kernel.release 6.19.8", NULL, NULL, NULL, SP_NO, NULL },
	{ "fact-is memory.zram_kib 8388604", NULL, NULL, NULL, SP_YES, NULL },
	{ "fact-is gpu.id 1002:1586", NULL, NULL, NULL, SP_UNKNOWN, "gpu.id: no AMD display device" },
	{ "fact-begins kernel.release 6.19.", NULL, NULL, NULL, SP_YES, NULL },
	{ "fact-begins kernel.release 6.1.", NULL, NULL, NULL, SP_NO, NULL },
	{ "fact-begins gpu.id 1002", NULL, NULL, NULL, SP_UNKNOWN, "gpu.id" },
	{ "fact-at-least memory.zram_kib 8388604", NULL, NULL, NULL, SP_YES, NULL },
	{ "fact-at-least memory.zram_kib 8388605", NULL, NULL, NULL, SP_NO, NULL },
	{ "fact-at-least memory.zram_kib 1", NULL, NULL, &no_swaps, SP_UNKNOWN, "memory.zram_kib: not there" },
	{ "fact-at-least kernel.release 6", NULL, NULL, NULL, SP_UNKNOWN, "is no number" },
	{ "fact-at-most memory.zram_kib 8388604", NULL, NULL, NULL, SP_YES, NULL },
	{ "fact-at-most memory.zram_kib 8388603", NULL, NULL, NULL, SP_NO, NULL },
	{ "fact-at-most vulkan.amdvlk 0", NULL, NULL, NULL, SP_YES, NULL }, /* of a list: how many */
	{ "fact-at-least vulkan.amdvlk 1", NULL, NULL, NULL, SP_NO, NULL },
	/* flavours of kernels */
	{ "kernel-flavour-since oem 6.14.0-1018", DKMS, NULL, NULL, SP_YES, NULL }, /* a newer base */
	{ "kernel-flavour-since oem 6.17.0-1014", DKMS, NULL, NULL, SP_YES, NULL },
	{ "kernel-flavour-since oem 6.17.0-1015", DKMS, NULL, NULL, SP_NO, NULL },
	{ "kernel-flavour-since generic 6.14.0", DKMS, NULL, NULL, SP_NO, NULL },
	{ "kernel-flavour-since em 6.14.0", DKMS, NULL, NULL, SP_NO, NULL },
	{ "kernel-flavour-since oem 6.14.0", NULL, NULL, NULL, SP_UNKNOWN, "no kernel" },
};

#define NEXT(name, l, mem, gtt, size, is)                                                                              \
	{                                                                                                              \
		.text = name, .q = { .line = l, .mem_kib = mem, .gtt_mib = gtt, .gttsize_mib = size }, .answer = is    \
	}
static const struct {
	const char *text;
	struct sp_question q;
	enum sp_tristate answer;
} of_the_next_boot[] = {
	NEXT("cmdline-has amd_iommu=off", "ro amd_iommu=off quiet", 0, 0, 0, SP_YES),
	NEXT("cmdline-has amd_iommu=off", "ro amd-iommu=off", 0, 0, 0, SP_YES),
	NEXT("cmdline-has amd_iommu=off", "amd_iommu=on amd_iommu=off", 0, 0, 0, SP_YES),
	NEXT("cmdline-has amd_iommu=off", "amd_iommu=off amd_iommu=on", 0, 0, 0, SP_NO),
	NEXT("cmdline-has amd_iommu=off", "ro -- amd_iommu=off", 0, 0, 0, SP_NO),
	NEXT("cmdline-has amd_iommu=off", "", 0, 0, 0, SP_NO),
	NEXT("cmdline-has amd_iommu=off", NULL, 0, 0, 0, SP_UNKNOWN),
	{ "boot-setup grub-d", { .boot = "grub-d" }, SP_YES },
	{ "boot-setup grub-d", { .boot = "grub-default" }, SP_NO },
	{ "boot-setup grub-d", { .boot = NULL }, SP_UNKNOWN },
	NEXT("gtt-over-percent 98", NULL, 102400, 99, 0, SP_YES),
	NEXT("gtt-over-percent 98", NULL, 102400, 98, 0, SP_NO),
	NEXT("gtt-over-percent 98", NULL, 131072ull * 1024, 131072, 0, SP_YES),
	NEXT("gtt-over-percent 98", NULL, 0, 98, 0, SP_UNKNOWN),
	NEXT("gtt-over-percent 98", NULL, 102400, 0, 0, SP_UNKNOWN),
	NEXT("gttsize-disagrees", NULL, 0, 60416, 60416, SP_NO),
	NEXT("gttsize-disagrees", NULL, 0, 60416, 60415, SP_YES),
	NEXT("gttsize-disagrees", NULL, 0, 60416, 0, SP_NO),
	NEXT("gttsize-disagrees", NULL, 0, 0, 60416, SP_UNKNOWN),
};

static void test_next_boot(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(of_the_next_boot); i++) {
		sp_autofree char *why = NULL;
		const struct sp_question *q = &of_the_next_boot[i].q;

		assert_int_equal(sp_predicate_check(of_the_next_boot[i].text, NULL), 0);
		enum sp_tristate answer = sp_predicate_ask(of_the_next_boot[i].text, q, &why);
		if (answer != of_the_next_boot[i].answer || (answer == SP_UNKNOWN) != (why != NULL))
			fail_msg("%s, row %zu: %d (%s)", of_the_next_boot[i].text, i, (int) answer, why);
	}
}

/* --- advisories: conditions and text together ------------------------------------------------------------------ */

static struct sp_condition yes = { .text = (char *) (uintptr_t) "zram-present" },
			   no = { .text = (char *) (uintptr_t) "platform nowhere" },
			   unknown = { .text = (char *) (uintptr_t) "fact-is gpu.id x" };
static const struct {
	struct sp_condition *when, *unless;
	bool holds;
} combinations[] = {
	{ &yes, NULL, true },	 { &no, NULL, false },	 { &unknown, NULL, false },
	{ &yes, &no, true },	 { &yes, &yes, false },	 { &yes, &unknown, false },
};

static const struct {
	const char *text, *expected;
} texts[] = {
	{ "plain", "plain" },
	{ "${kernel} boots, ${kernel.release} runs", "6.1 boots, " STOCK " runs" },
	{ "${memory.zram_kib}", "8388604" },
	{ "in ${memory.zram_kib:source}.", "in /proc/swaps." },
	{ "${gpu.id} and ${vulkan.amdvlk}!", "unknown and !" },
	{ "cut ${kernel", "cut ${kernel" },
	{ "$kernel {kernel}", "$kernel {kernel}" },
};

static void test_advisories(void **state)
{
	sp_autoroot struct sp_root *root = NULL;
	sp_autofacts struct sp_facts *facts = NULL;
	char *dir = fixture_new();

	(void) state;
	fixture_add_all(dir, tree);
	fixture_add(dir, &no_devices);
	fixture_add(dir, &(struct fixture){ .path = "sys/bus/pci/devices", .kind = FIXTURE_DIR });
	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	assert_int_equal(sp_facts_read(root, root, &facts, NULL), 0);
	const struct sp_question q = { .facts = facts, .kernel = "6.1" };
	for (size_t i = 0; i < SP_ELEMENTS(combinations); i++) {
		const struct sp_advisory a = { .when = combinations[i].when, .n_when = 1, .unless = combinations[i].unless,
					       .n_unless = combinations[i].unless ? 1 : 0 };
		assert_int_equal(sp_advisory_holds(&a, &q), combinations[i].holds);
	}
	for (size_t i = 0; i < SP_ELEMENTS(texts); i++) {
		const struct sp_advisory a = { .text = (char *) (uintptr_t) texts[i].text };
		sp_autofree char *text = sp_advisory_text(&a, &q);
		assert_string_equal(text, texts[i].expected);
	}
	fixture_free(dir);
}

static void ask(const char *dir, size_t i)
{
	sp_autoroot struct sp_root *root = NULL;
	sp_autofacts struct sp_facts *facts = NULL;
	sp_autofree char *why = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	assert_int_equal(sp_facts_read(root, root, &facts, NULL), 0);
	const struct sp_question q = { .facts = facts,
				       .kernel = questions[i].kernel,
				       .platform = questions[i].platform };
	assert_int_equal(sp_predicate_check(questions[i].text, NULL), 0);
	enum sp_tristate answer = sp_predicate_ask(questions[i].text, &q, &why);
	if (answer != questions[i].answer || (answer == SP_UNKNOWN) != (why != NULL))
		fail_msg("%s, %s: %d (%s)", questions[i].text, questions[i].kernel, (int) answer, why);
	if (why && !strstr(why, questions[i].why))
		fail_msg("%s: '%s' does not say '%s'", questions[i].text, why, questions[i].why);
	assert_int_equal(sp_predicate_ask(questions[i].text, &q, NULL), answer);
}

static void test_ask(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(questions); i++) {
		char *dir = fixture_new();

		fixture_add_all(dir, tree);
		if (questions[i].change)
			fixture_add(dir, questions[i].change);
		ask(dir, i);
		fixture_free(dir);
	}
}

static const struct {
	const char *text, *message, *hint;
} bad[] = {
	{ "", "a predicate is missing in ''", NULL },
	{ " ", "a predicate is missing in ' '", NULL },
	{ "and", "a predicate is missing in 'and'", NULL },
	{ "npu-present and", "a predicate is missing in 'npu-present and'", NULL },
	{ "npu-present and and zram-present", "a predicate is missing in 'npu-present and and zram-present'", NULL },
	{ "is-it-tuesday", "there is no predicate 'is-it-tuesday'", "npu-present" },
	{ "npu-present or zram-present", "'npu-present or zram-present' says too much", "the form is 'npu-present'" },
	{ "npu-present and zram", "there is no predicate 'zram'", NULL },
	{ "kernel-has-parm amdgpu", "'kernel-has-parm amdgpu' says too little", "kernel-has-parm MODULE PARAMETER" },
	{ "kernel-has-parm amdgpu gttsize x", "'kernel-has-parm amdgpu gttsize x' says too much", NULL },
	{ "kernel-has-parm ../x y", "'../x' cannot be asked for", NULL },
	{ "kernel-older-than new", "'new' cannot be asked for", NULL },
	{ "fact-known gpu.idd", "there is no fact 'gpu.idd'", "gpu.id" },
	{ "fact-at-least memory.swap_kib many", "'many' cannot be asked for", NULL },
	{ "fact-at-most memory.swap_kib", "'fact-at-most memory.swap_kib' says too little", "fact-at-most FACT NUMBER" },
	{ "kernel-flavour-since oem new", "'new' cannot be asked for", NULL },
	{ "cmdline-has a;b", "'a;b' cannot be asked for", NULL },
	{ "gtt-over-percent half", "'half' cannot be asked for", NULL },
	{ "gttsize-disagrees 1", "'gttsize-disagrees 1' says too much", "the form is 'gttsize-disagrees'" },
	{ "platform ZBook", "'ZBook' cannot be asked for", NULL },
};

static void test_bad(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(bad); i++) {
		sp_autoerror struct sp_error *err = NULL;

		assert_true(sp_predicate_check(bad[i].text, &err) < 0);
		assert_string_equal(err->message, bad[i].message);
		assert_int_equal(err->exit, SP_EXIT_USAGE);
		if (bad[i].hint)
			assert_non_null(strstr(err->hint, bad[i].hint));
	}
}

static const struct {
	const char *text, *id;
} named[] = {
	{ "platform zbook", "zbook" },
	{ "npu-present and platform zbook", "zbook" },
	{ "npu-present", NULL },
	{ "kernel-has-module platform", NULL },
};

static void test_platform(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(named); i++) {
		sp_autofree char *id = sp_predicate_platform(named[i].text);

		assert_true(named[i].id ? sp_streq(id, named[i].id) : !id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_next_boot),
		cmocka_unit_test(test_advisories),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_platform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
