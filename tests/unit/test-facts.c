/* SPDX-License-Identifier: MIT */
/* One small machine; each case changes some of its files and says what must then be known, or why it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture-tree.h"
#include "hw/facts.h"

#define GPU "sys/bus/pci/devices/0000:c5:00.0/"
#define NPU "sys/bus/pci/devices/0000:c6:00.1/"
#define HP "sys/class/firmware-attributes/hp-bioscfg/attributes/"
#define SECURE_BOOT "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static const struct fixture machine[] = {
	{ .path = "sys/class/dmi/id/sys_vendor", .text = "HP\n" },
	{ .path = "sys/class/dmi/id/product_name", .text = "HP ZBook Ultra G1a 14 inch Mobile Workstation PC  \n" },
	{ .path = "proc/cpuinfo",
	  .text = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 112\n"
		  "model name\t: AMD RYZEN AI MAX+ PRO 395 w/ Radeon 8060S\n\nprocessor\t: 1\nmodel\t\t: 99\n" },
	{ .path = GPU "vendor", .text = "0x1002\n" },
	{ .path = GPU "device", .text = "0x1586\n" },
	{ .path = GPU "class", .text = "0x038000\n" },
	{ .path = GPU "revision", .text = "0xd1\n" },
	{ .path = GPU "driver", .kind = FIXTURE_LINK, .text = "../../../../bus/pci/drivers/amdgpu" },
	{ .path = GPU "mem_info_vram_total", .text = "536870912\n" },
	{ .path = GPU "mem_info_gtt_total", .text = "33317941248\n" },
	{ .path = GPU "iommu_group", .kind = FIXTURE_LINK, .text = "../../../../kernel/iommu_groups/18" },
	{ .path = NPU "vendor", .text = "0x1022\n" },
	{ .path = NPU "device", .text = "0x17f0\n" },
	{ .path = NPU "class", .text = "0x118000\n" },
	{ .path = NPU "driver", .text = "amdxdna\n" },
	{ .path = "sys/kernel/iommu_groups/18/type", .text = "DMA-FQ\n" },
	{ .path = "sys/kernel/iommu_groups/19/type", .text = "identity\n" },
	{ .path = "sys/kernel/security/lockdown", .text = "none [integrity] confidentiality\n" },
	{ .path = "sys/kernel/mm/transparent_hugepage/enabled", .text = "always [madvise] never\n" },
	{ .path = "sys/devices/system/node/online", .text = "0\n" },
	{ .path = "sys/module/ttm/parameters/pages_limit", .text = "8134263\n" },
	{ .path = "sys/module/amdgpu/parameters/gttsize", .text = "-1\n" },
	{ .path = SECURE_BOOT, .text = "\x06\0\0\0\x01", .len = 5 },
	{ .path = "proc/meminfo", .text = "MemTotal:       65074108 kB\nMemFree:        1 kB\n" },
	{ .path = "proc/swaps", .text = "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition\t8388604\t0\t100\n" },
	{ .path = "proc/sys/kernel/osrelease", .text = "6.19.8-200.fc43.x86_64\n" },
	{ .path = "proc/sys/kernel/random/boot_id", .text = "11111111-2222-4333-8444-555555555555\n" },
	{ .path = "proc/cmdline", .text = "root=UUID=1 ro quiet\n" },
	{ .path = HP "Dedicated Graphics Memory/current_value", .text = "512 MB\n" },
	{ 0 },
};

struct expected {
	enum sp_fact fact;
	const char *text; /* NULL: unknown */
	const char *why;  /* a part of it, or of the source where the fact is known */
};

static const struct {
	const char *name;
	struct fixture change[7]; /* the last one stays empty */
	struct expected expect[8];
	size_t n;
} cases[] = {
	{ "hardware", { { 0 } }, {
		{ SP_FACT_DMI_PRODUCT, "HP ZBook Ultra G1a 14 inch Mobile Workstation PC", "/sys/class/dmi/id/product_name" },
		{ SP_FACT_DMI_FAMILY, NULL, "not there" },
		{ SP_FACT_CPU_VENDOR, "AuthenticAMD", "/proc/cpuinfo" },
		{ SP_FACT_CPU_FAMILY, "26", NULL },
		{ SP_FACT_CPU_MODEL, "112", NULL },
		{ SP_FACT_CPU_NAME, "AMD RYZEN AI MAX+ PRO 395 w/ Radeon 8060S", NULL },
		{ SP_FACT_CPU_COUNT, "2", NULL },
		{ SP_FACT_NUMA_NODES, "1", NULL } }, 8 },
	{ "devices", { { 0 } }, {
		{ SP_FACT_GPU_ID, "1002:1586", NULL },
		{ SP_FACT_GPU_ADDRESS, "0000:c5:00.0", NULL },
		{ SP_FACT_GPU_REVISION, "d1", NULL },
		{ SP_FACT_GPU_DRIVER, "amdgpu", "0000:c5:00.0/driver" },
		{ SP_FACT_NPU_PRESENT, "1", NULL },
		{ SP_FACT_NPU_ID, "1022:17f0", NULL },
		{ SP_FACT_NPU_ADDRESS, "0000:c6:00.1", NULL },
		{ SP_FACT_NPU_DRIVER, "amdxdna", NULL } }, 8 },
	{ "memory", { { 0 } }, {
		{ SP_FACT_MEM_TOTAL_KIB, "65074108", NULL },
		{ SP_FACT_SWAP_KIB, "0", NULL },
		{ SP_FACT_ZRAM_KIB, "8388604", NULL },
		{ SP_FACT_VRAM_BYTES, "536870912", NULL },
		{ SP_FACT_GTT_BYTES, "33317941248", NULL },
		{ SP_FACT_UMA_NEXT_BYTES, "536870912", "Dedicated Graphics Memory" },
		{ SP_FACT_INSTALLED_MIB, "65536", NULL } }, 7 },
	{ "running kernel", { { 0 } }, {
		{ SP_FACT_KERNEL_RELEASE, "6.19.8-200.fc43.x86_64", NULL },
		{ SP_FACT_CMDLINE, "root=UUID=1 ro quiet", "/proc/cmdline" },
		{ SP_FACT_LOCKDOWN, "integrity", NULL },
		{ SP_FACT_THP, "madvise", NULL },
		{ SP_FACT_IOMMU_GROUPS, "2", NULL },
		{ SP_FACT_IOMMU_TYPE, "DMA-FQ", "0000:c5:00.0/iommu_group" },
		{ SP_FACT_PAGES_LIMIT, "8134263", NULL },
		{ SP_FACT_GTTSIZE, "-1", NULL } }, 8 },
	{ "firmware", { { 0 } }, {
		{ SP_FACT_EFI, "1", NULL }, { SP_FACT_SECURE_BOOT, "1", NULL }, { SP_FACT_CHROOT, "0", NULL } }, 3 },
	{ "no devices", {
		{ .path = GPU "vendor", .text = "0x8086\n" },
		{ .path = "sys/bus/pci/devices/0000:c6:00.1", .kind = FIXTURE_GONE } }, {
		{ SP_FACT_GPU_ID, NULL, "no AMD display device" },
		{ SP_FACT_GPU_REVISION, NULL, "no AMD display device" },
		{ SP_FACT_VRAM_BYTES, NULL, "no AMD display device" },
		{ SP_FACT_INSTALLED_MIB, NULL, "memory.vram_bytes is not known" },
		{ SP_FACT_NPU_PRESENT, "0", NULL },
		{ SP_FACT_NPU_ID, NULL, "no device 1022:17f0" },
		{ SP_FACT_IOMMU_TYPE, "mixed", "/sys/kernel/iommu_groups" },
		{ SP_FACT_UMA_NEXT_BYTES, "536870912", NULL } }, 8 },
	{ "no list of devices", { { .path = "sys/bus", .kind = FIXTURE_GONE } }, {
		{ SP_FACT_GPU_ID, NULL, "not there" }, { SP_FACT_NPU_PRESENT, NULL, "not there" } }, 2 },
	{ "the Strix Halo GPU among several, no driver", {
		{ .path = "sys/bus/pci/devices/0000:03:00.0/vendor", .text = "0x1002\n" },
		{ .path = "sys/bus/pci/devices/0000:03:00.0/device", .text = "0x744c\n" },
		{ .path = "sys/bus/pci/devices/0000:03:00.0/class", .text = "0x030000\n" },
		{ .path = GPU "driver", .kind = FIXTURE_GONE },
		{ .path = GPU "revision", .kind = FIXTURE_GONE } }, {
		{ SP_FACT_GPU_ADDRESS, "0000:c5:00.0", NULL },
		{ SP_FACT_GPU_DRIVER, NULL, "no driver is bound" },
		{ SP_FACT_GPU_REVISION, NULL, "not there" } }, 3 },
	{ "another AMD GPU, and an audio function of the same vendor before it", {
		{ .path = GPU "device", .text = "0x150e\n" },
		{ .path = "sys/bus/pci/devices/0000:c4:00.1/vendor", .text = "0x1002\n" },
		{ .path = "sys/bus/pci/devices/0000:c4:00.1/device", .text = "0x1640\n" },
		{ .path = "sys/bus/pci/devices/0000:c4:00.1/class", .text = "0x040300\n" } }, {
		{ SP_FACT_GPU_ID, "1002:150e", NULL } }, 1 },
	{ "garbage", {
		{ .path = "proc/meminfo", .text = "MemTotal: much kB\n" },
		{ .path = "proc/cpuinfo", .text = "cpu family\t: old\n" },
		{ .path = GPU "mem_info_vram_total", .text = "" },
		{ .path = "sys/kernel/security/lockdown", .text = "none\n" },
		{ .path = "sys/devices/system/node/online", .text = "3-1\n" },
		{ .path = "sys/class/dmi/id/sys_vendor", .text = "  \n" } }, {
		{ SP_FACT_MEM_TOTAL_KIB, NULL, "'much' is not a number" },
		{ SP_FACT_CPU_FAMILY, NULL, "'old' is not a number" },
		{ SP_FACT_CPU_NAME, NULL, "no line 'model name'" },
		{ SP_FACT_CPU_COUNT, NULL, "no line 'processor'" },
		{ SP_FACT_VRAM_BYTES, NULL, "'' is not a number" },
		{ SP_FACT_LOCKDOWN, NULL, "'none' is not understood" },
		{ SP_FACT_NUMA_NODES, NULL, "'3-1' is not understood" },
		{ SP_FACT_DMI_VENDOR, NULL, "empty" } }, 8 },
	{ "other kinds of file", {
		{ .path = "proc/meminfo", .kind = FIXTURE_DIR },
		{ .path = "proc/swaps", .text = "Filename\nnonsense\n" },
		{ .path = "proc/cmdline", .text = "a\nb\xff\n\n" },
		{ .path = "sys/class/dmi/id/sys_vendor", .text = "H\033P\xff\n" },
		{ .path = "sys/devices/system/node/online", .text = "0-1,4\n" },
		{ .path = SECURE_BOOT, .text = "\x01" } }, {
		{ SP_FACT_MEM_TOTAL_KIB, NULL, "Is a directory" },
		{ SP_FACT_SWAP_KIB, NULL, "a line is not understood" },
		{ SP_FACT_ZRAM_KIB, NULL, "a line is not understood" },
		{ SP_FACT_CMDLINE, "a b\xff", NULL },
		{ SP_FACT_DMI_VENDOR, "H?P?", NULL },
		{ SP_FACT_NUMA_NODES, "3", NULL },
		{ SP_FACT_SECURE_BOOT, NULL, "not understood" } }, 7 },
	{ "disk swap and zram", {
		{ .path = "proc/swaps", .text = "Filename Type Size Used Priority\n/dev/nvme0n1p3 partition 16777212 0 -2\n"
						"/dev/zram0 partition 100 0 100\n/swap\\040file file 4 0 -3\n" } }, {
		{ SP_FACT_SWAP_KIB, "16777216", NULL }, { SP_FACT_ZRAM_KIB, "100", NULL } }, 2 },
	{ "installed with a large carve-out, and a crash kernel", {
		{ .path = GPU "mem_info_vram_total", .text = "1073741824\n" },
		{ .path = "proc/meminfo", .text = "MemTotal: 128128804 kB\n" } }, {
		{ SP_FACT_INSTALLED_MIB, "131072", NULL } }, 1 },
	{ "installed, 32 GB of 64 carved out", {
		{ .path = GPU "mem_info_vram_total", .text = "34359738368\n" },
		{ .path = "proc/meminfo", .text = "MemTotal: 32560060 kB\n" } }, {
		{ SP_FACT_INSTALLED_MIB, "65536", NULL } }, 1 },
	{ "carve-out told by amdgpu, a name that is empty", {
		{ .path = GPU "uma/carveout", .text = "1\n" },
		{ .path = GPU "uma/carveout_options", .text = "0: Minimum (512 MB)\n1:  (1 GB)\n10: High (32 GB)\n" } }, {
		{ SP_FACT_UMA_NEXT_BYTES, "1073741824", "uma/carveout" } }, 1 },
	{ "carve-out told by amdgpu, two digits and brackets in the name", {
		{ .path = GPU "uma/carveout", .text = "10\n" },
		{ .path = GPU "uma/carveout_options", .text = "1: A (1 GB)\n10: High (for AI) (32 GB)\n" } }, {
		{ SP_FACT_UMA_NEXT_BYTES, "34359738368", "uma/carveout" } }, 1 },
	{ "amdgpu does not tell, an attribute spelled otherwise", {
		{ .path = GPU "uma/carveout", .text = "7\n" },
		{ .path = GPU "uma/carveout_options", .text = "0: Minimum (512 MB)\n" },
		{ .path = HP "Dedicated Graphics Memory", .kind = FIXTURE_GONE },
		{ .path = HP "dedicated_graphics_memory/current_value", .text = "32 GB\n" },
		{ .path = HP "UMA Video Memory Size/current_value", .text = "8 GB\n" } }, {
		{ SP_FACT_UMA_NEXT_BYTES, "34359738368", "dedicated_graphics_memory" } }, 1 },
	{ "the first attribute is no size, another is", {
		{ .path = HP "Dedicated Graphics Memory/current_value", .text = "Auto\n" },
		{ .path = HP "UMA Something/current_value", .text = "4G\n" },
		{ .path = HP "Memory/current_value", .text = "1G\n" } }, {
		{ SP_FACT_UMA_NEXT_BYTES, "4294967296", "UMA Something" } }, 1 },
	{ "nobody tells the carve-out", {
		{ .path = GPU "uma/carveout", .text = "0\n" },
		{ .path = HP "Dedicated Graphics Memory/current_value", .text = "Auto\n" } }, {
		{ SP_FACT_UMA_NEXT_BYTES, NULL, "uma/carveout: its options: not there; " },
		{ SP_FACT_UMA_NEXT_BYTES, NULL, "current_value: 'Auto' is not a size" } }, 2 },
	{ "not by UEFI", { { .path = "sys/firmware/efi", .kind = FIXTURE_GONE } }, {
		{ SP_FACT_EFI, "0", NULL }, { SP_FACT_SECURE_BOOT, NULL, "not started by UEFI" } }, 2 },
	{ "no way to tell", { { .path = "sys/firmware", .kind = FIXTURE_GONE } }, {
		{ SP_FACT_EFI, NULL, "not there" }, { SP_FACT_SECURE_BOOT, NULL, "not there" } }, 2 },
	{ "Secure Boot off", { { .path = SECURE_BOOT, .text = "\x06\0\0\0\0", .len = 5 } }, {
		{ SP_FACT_SECURE_BOOT, "0", NULL } }, 1 },
	{ "DKMS ttm beside the kernel's", {
		{ .path = "sys/module/amdttm/holders/amdgpu", .kind = FIXTURE_DIR },
		{ .path = "sys/module/amdttm/parameters/pages_limit", .text = "77\n" } }, {
		{ SP_FACT_TTM_MODULE, "amdttm", "/sys/module/amdttm/holders/amdgpu" },
		{ SP_FACT_PAGES_LIMIT, "77", NULL } }, 2 },
	{ "amdgpu holds the kernel's ttm", {
		{ .path = "sys/module/amdttm", .kind = FIXTURE_DIR },
		{ .path = "sys/module/ttm/holders/amdgpu", .kind = FIXTURE_DIR } }, {
		{ SP_FACT_TTM_MODULE, "ttm", NULL }, { SP_FACT_PAGES_LIMIT, "8134263", NULL } }, 2 },
	{ "two, and nobody holds them", { { .path = "sys/module/amd_ttm", .kind = FIXTURE_DIR } }, {
		{ SP_FACT_TTM_MODULE, NULL, "several are loaded" }, { SP_FACT_PAGES_LIMIT, NULL, "several are loaded" } }, 2 },
	{ "no ttm", { { .path = "sys/module/ttm", .kind = FIXTURE_GONE } }, {
		{ SP_FACT_TTM_MODULE, NULL, "not loaded" }, { SP_FACT_PAGES_LIMIT, NULL, "not loaded" } }, 2 },
	{ "no IOMMU", {
		{ .path = "sys/kernel/iommu_groups", .kind = FIXTURE_GONE },
		{ .path = "sys/kernel/iommu_groups", .kind = FIXTURE_DIR } }, {
		{ SP_FACT_IOMMU_GROUPS, "0", NULL }, { SP_FACT_IOMMU_TYPE, NULL, "there are no groups" } }, 2 },
	{ "a link that leaves the tree", {
		{ .path = "sys/class/dmi/id/sys_vendor", .kind = FIXTURE_LINK,
		  .text = "../../../../../../../../../../etc/passwd" } }, {
		{ SP_FACT_DMI_VENDOR, NULL, "not there" } }, 1 },
};

static struct sp_facts *read_facts(const char *dir, struct sp_root **root)
{
	struct sp_facts *f = NULL;

	assert_int_equal(sp_root_open(dir, 0, root, NULL), 0);
	assert_int_equal(sp_facts_read(*root, *root, &f, NULL), 0);
	return f;
}

static void check(const char *name, const struct sp_facts *f, const struct expected *e)
{
	const struct sp_value *v = &f->v[e->fact];
	const char *text = sp_fact_text(f, e->fact), *where = v->known ? v->source : v->why;

	if (v->known != (e->text != NULL) || (e->text && !sp_streq(e->text, text)))
		fail_msg("%s: %s is '%s' (%s: %s)", name, sp_fact_name(e->fact), text ? text : "unknown", v->source,
			 v->why ? v->why : "");
	if (e->why && !strstr(where, e->why))
		fail_msg("%s: %s: '%s' does not say '%s'", name, sp_fact_name(e->fact), where, e->why);
}

/* Whatever the machine: known or a reason, always a source, and a number has its text. */
static void check_all(const char *name, const struct sp_facts *f)
{
	for (int i = 0; i < SP_FACT__COUNT; i++) {
		const struct sp_value *v = &f->v[i];
		if (!v->source || v->known == (v->why != NULL) || v->known != (v->text != NULL))
			fail_msg("%s: %s is neither known nor unknown", name, sp_fact_name((enum sp_fact) i));
		if (v->is_number && strtoull(v->text, NULL, 10) != sp_fact_num(f, (enum sp_fact) i))
			fail_msg("%s: %s is '%s'", name, sp_fact_name((enum sp_fact) i), v->text);
	}
}

static void test_cases(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		char *dir = fixture_new();
		struct sp_root *root = NULL;

		fixture_add_all(dir, machine);
		fixture_add_all(dir, cases[i].change);
		struct sp_facts *f = read_facts(dir, &root);
		for (size_t k = 0; k < cases[i].n; k++)
			check(cases[i].name, f, &cases[i].expect[k]);
		check_all(cases[i].name, f);
		sp_facts_free(f);
		sp_root_close(root);
		fixture_free(dir);
	}
}

static void test_no_rights(void **state)
{
	const struct fixture secret = { .path = "sys/module/amdgpu/parameters/gttsize", .text = "-1\n",
					.kind = FIXTURE_SECRET };
	const struct expected expect = { SP_FACT_GTTSIZE, NULL, "Permission denied" };
	struct sp_root *root = NULL;

	(void) state;
	char *dir = fixture_new();
	fixture_add_all(dir, machine);
	fixture_add(dir, &secret);
	assert_int_equal(chmod(dir, 0755), 0);
	const uid_t me = geteuid();
	if (me == 0) /* nothing is kept from root */
		assert_int_equal(seteuid(65534), 0);
	struct sp_facts *f = read_facts(dir, &root);
	assert_int_equal(seteuid(me), 0);
	check("no rights", f, &expect);
	sp_facts_free(f);
	sp_root_close(root);
	fixture_free(dir);
}

static void test_no_machine(void **state)
{
	char *dir = fixture_new();
	sp_autoroot struct sp_root *root = NULL;
	sp_autoerror struct sp_error *err = NULL;
	struct sp_facts *f = NULL;

	(void) state;
	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	assert_int_equal(sp_facts_read(root, root, &f, &err), -ENOENT);
	assert_null(f);
	assert_non_null(strstr(err->message, dir));
	assert_non_null(err->hint);
	fixture_free(dir);
}

static void test_names(void **state)
{
	enum sp_fact fact = SP_FACT__COUNT;

	(void) state;
	for (int i = 0; i < SP_FACT__COUNT; i++) {
		assert_non_null(sp_fact_name((enum sp_fact) i));
		assert_int_equal(sp_fact_by_name(sp_fact_name((enum sp_fact) i), &fact), 0);
		assert_int_equal(fact, i); /* so no name is there twice */
	}
	assert_string_equal(sp_fact_name(SP_FACT_DMI_VENDOR), "dmi.vendor");
	assert_string_equal(sp_fact_name(SP_FACT_MEM_TOTAL_KIB), "memory.total_kib");
	assert_int_equal(sp_fact_by_name("dmi.colour", &fact), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_no_rights),
		cmocka_unit_test(test_no_machine),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
