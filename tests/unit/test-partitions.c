/* SPDX-License-Identifier: MIT */
/* Partitions of boot loaders that are not mounted: by udev's database, and by the partition table of the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture-tree.h"
#include "hw/partitions.h"

#define BLOCK "sys/class/block/"
#define ESP_GUID "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

/* Of an MBR: types 0xef, 0xea and 0x83, each of 2048 sectors. */
static char table[4 << 20];
static void make_table(void)
{
	static const unsigned char kinds[] = { 0xef, 0xea, 0x83 };

	for (size_t i = 0; i < sizeof(kinds); i++) {
		char *entry = table + 446 + 16 * i;
		entry[4] = (char) kinds[i];
		entry[9] = (char) (8 * (i + 1)); /* first sector: 2048, 4096, ... */
		entry[13] = 8;			 /* 2048 sectors */
	}
	table[510] = 0x55;
	table[511] = (char) 0xaa;
}

static const struct fixture machine[] = {
	{ .path = BLOCK "sda/dev", .text = "8:0\n" },
	{ .path = BLOCK "sda1/dev", .text = "8:1\n" },
	{ .path = BLOCK "sda1/partition", .text = "1\n" },
	{ .path = BLOCK "sda2/dev", .text = "8:2\n" },
	{ .path = BLOCK "sda2/partition", .text = "2\n" },
	{ .path = BLOCK "sda3/dev", .text = "8:3\n" },
	{ .path = BLOCK "sda3/partition", .text = "3\n" },
	{ .path = BLOCK "nvme0n1/dev", .text = "259:0\n" },
	{ .path = BLOCK "nvme0n1p1/dev", .text = "259:1\n" },
	{ .path = BLOCK "nvme0n1p1/partition", .text = "1\n" },
	{ .path = "run/udev/data/b259:1", .text = "S:x\nE:ID_PART_ENTRY_TYPE=" ESP_GUID "\nE:X=1\n" },
	{ .path = "proc/self/mountinfo", .text = "29 1 8:9 / / rw - ext4 /dev/sda9 rw\n" },
	{ .path = "dev/sda", .text = table, .len = sizeof(table) },
	{ 0 },
};

static const struct {
	const char *name;
	struct fixture change;
	const char *expected;
} cases[] = {
	{ "all of them", { 0 }, "/dev/nvme0n1p1 (ESP) /dev/sda1 (ESP) /dev/sda2 (XBOOTLDR)" },
	{ "one is mounted", { .path = "proc/self/mountinfo", .text = "30 29 8:1 / /efi rw - vfat /dev/sda1 rw\n" },
	  "/dev/nvme0n1p1 (ESP) /dev/sda2 (XBOOTLDR)" },
	{ "another type", { .path = "run/udev/data/b259:1", .text = "S:x\nE:ID_PART_ENTRY_TYPE=0fc63daf\n" },
	  "/dev/sda1 (ESP) /dev/sda2 (XBOOTLDR)" },
	{ "no table", { .path = "dev/sda", .text = "nothing\n" }, "/dev/nvme0n1p1 (ESP)" },
	{ "a link in the disk's place", { .path = "dev/sda", .text = "/dev/null", .kind = FIXTURE_LINK }, "/dev/nvme0n1p1 (ESP)" },
	{ "no such number", { .path = BLOCK "sda1/partition", .text = "77\n" }, "/dev/nvme0n1p1 (ESP) /dev/sda2 (XBOOTLDR)" },
	{ "no number", { .path = BLOCK "sda1/partition", .text = "x\n" }, "/dev/nvme0n1p1 (ESP) /dev/sda2 (XBOOTLDR)" },
};

static void partitions_are_found(void **state)
{
	(void) state;
	make_table();
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		char *dir = fixture_new();
		sp_autoroot struct sp_root *root = NULL;
		sp_autostrv struct sp_strv found = { 0 };
		const struct fixture change[] = { cases[i].change, { 0 } };

		fixture_add_all(dir, machine);
		fixture_add_all(dir, change);
		assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
		sp_partitions_unmounted(root, &found);
		sp_autofree char *text = sp_strv_join(&found, " ");
		if (!sp_streq(text, cases[i].expected))
			fail_msg("%s: '%s'", cases[i].name, text);
		fixture_free(dir);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(partitions_are_found) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
