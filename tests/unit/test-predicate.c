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
};

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
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_platform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
