/* SPDX-License-Identifier: MIT */
/* Facts about what is installed and configured: each case adds some files to an empty tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture-tree.h"
#include "hw/facts.h"

#define ICD "usr/share/vulkan/icd.d/"
#define ETC_ICD "etc/vulkan/icd.d/"
#define DPKG "var/lib/dpkg/status"
#define PACMAN "var/lib/pacman/local/"
#define MES "sys/kernel/debug/dri/0000:c5:00.0/amdgpu_firmware_info"
#define HSA "HSA_OVERRIDE_GFX_VERSION"
#define ANN "ann:x:1000:1000:Ann:/home/ann:/bin/bash\n"

static const struct {
	const char *name;
	struct fixture files[5]; /* the last one stays empty */
	enum sp_fact fact;
	const char *text; /* NULL: unknown */
	const char *why;  /* a part of the reason; NULL: not looked at */
} cases[] = {
	{ "nothing", { { 0 } }, SP_FACT_AMDVLK, "", NULL },
	{ "nothing", { { 0 } }, SP_FACT_HSA_OVERRIDE, "", NULL },
	{ "nothing", { { 0 } }, SP_FACT_AMD_TTM, "", NULL },
	{ "nothing", { { 0 } }, SP_FACT_USERS_NO_GPU, NULL, "not there" },
	{ "nothing", { { 0 } }, SP_FACT_MES, NULL, "not there" },
	{ "nothing", { { 0 } }, SP_FACT_FIRMWARE_PACKAGE, NULL, "no package list" },
	{ "nothing", { { 0 } }, SP_FACT_CRASH_MIB, NULL, "not there" },
	/* Vulkan */
	{ "both kinds of word", { { .path = ETC_ICD "amd_icd64.json", .text = "{}" },
				  { .path = ICD "amd_icd32.json", .text = "{}" },
				  { .path = ICD "radeon_icd.x86_64.json", .text = "{}" } },
	  SP_FACT_AMDVLK, "/" ETC_ICD "amd_icd64.json, /" ICD "amd_icd32.json", NULL },
	{ "others", { { .path = ICD "radeon_icd.i686.json", .text = "{}" },
		      { .path = ICD "radeon_icd.json.bak", .text = "{}" },
		      { .path = ICD "intel_icd.json", .text = "{}" } },
	  SP_FACT_RADV, "/" ICD "radeon_icd.i686.json", NULL },
	{ "a file in the folder's place", { { .path = "etc/vulkan/icd.d", .text = "" } }, SP_FACT_AMDVLK, "", NULL },
	/* variables */
	{ "the last line without an end", { { .path = "etc/environment", .text = "A=1\n" HSA "=1" } },
	  SP_FACT_HSA_OVERRIDE, "/etc/environment:2", NULL },
	{ "in several files", { { .path = "etc/environment", .text = HSA "=1\n" },
				{ .path = "etc/profile", .text = "if x; then\n\texport A=1 " HSA "=1\nfi\n" },
				{ .path = "usr/lib/environment.d/a.conf", .text = HSA "=2\n" } },
	  SP_FACT_HSA_OVERRIDE, "/etc/environment:1, /etc/profile:2, /usr/lib/environment.d/a.conf:1", NULL },
	{ "in units", { { .path = "etc/systemd/system/a.service.d/x.conf",
			  .text = "[Service]\nEnvironment=\"A=1\" \"" HSA "=1\"\n" },
			{ .path = "etc/systemd/system.conf.d/y.conf", .text = "DefaultEnvironment=" HSA "=1\n" } },
	  SP_FACT_HSA_OVERRIDE, "/etc/systemd/system.conf.d/y.conf:1, /etc/systemd/system/a.service.d/x.conf:2", NULL },
	{ "twice on a line", { { .path = "etc/environment", .text = "export " HSA "=1 " HSA "=2\n" } },
	  SP_FACT_HSA_OVERRIDE, "/etc/environment:1", NULL },
	{ "no assignments", { { .path = "etc/environment", .text = "# " HSA "=1\n ; " HSA "=1\nX" HSA "=1\nunset " HSA "\n" } },
	  SP_FACT_HSA_OVERRIDE, "", NULL },
	{ "another variable", { { .path = "etc/environment", .text = HSA "=1\n" } }, SP_FACT_RADV_PERFMODE, "", NULL },
	{ "a folder in the file's place", { { .path = "etc/environment", .kind = FIXTURE_DIR } },
	  SP_FACT_HSA_OVERRIDE, NULL, "Is a directory" },
	{ "a link that leaves the tree", { { .path = "etc/environment", .kind = FIXTURE_LINK,
					     .text = "../../../../../../../etc/passwd" } },
	  SP_FACT_HSA_OVERRIDE, "", NULL },
	/* amd-ttm */
	{ "amd-smi's names", { { .path = "etc/modprobe.d/amdttm.conf", .text = "options amdttm pages_limit=1\n" },
			       { .path = "etc/modprobe.d/amdgpu.conf", .text = "options ttm pages_limit=1\n" } },
	  SP_FACT_AMD_TTM, "/etc/modprobe.d/amdttm.conf", NULL },
	{ "an empty file", { { .path = "etc/modprobe.d/ttm.conf", .text = "" } }, SP_FACT_AMD_TTM, "", NULL },
	/* who else says what the kernel is told */
	{ "sizes, but not ours and not amd-ttm's", {
		{ .path = "etc/modprobe.d/zz-strix-provision.conf", .text = "options ttm pages_limit=1\n" },
		{ .path = "etc/modprobe.d/ttm.conf", .text = "options ttm pages_limit=1\n" },
		{ .path = "run/modprobe.d/a.conf", .text = "options amdttm \\\n pages-limit=1\n" },
		{ .path = "lib/modprobe.d/b.conf", .text = "options amdgpu gttsize=1\noptions amdgpu gttsize=2 gttsize=3\n" } },
	  SP_FACT_MODPROBE_SIZES, "/run/modprobe.d/a.conf:1, /lib/modprobe.d/b.conf:1, /lib/modprobe.d/b.conf:2", NULL },
	{ "sizes that are none", { { .path = "etc/modprobe.d/a.conf", .text = "options ttm pages_limit=0 pages_limit\n"
				     "options radeon gttsize=5\nblacklist amdgpu\noptions amdgpu gttsize=-1\n" } },
	  SP_FACT_MODPROBE_SIZES, "", NULL },
	{ "a name that is masked", { { .path = "etc/modprobe.d/a.conf", .kind = FIXTURE_LINK, .text = "/dev/null" },
				     { .path = "usr/lib/modprobe.d/a.conf", .text = "options ttm pages_limit=1\n" } },
	  SP_FACT_MODPROBE_SIZES, "", NULL },
	{ "TuneD's file counts before GRUB's variables", {
		{ .path = "etc/tuned/bootcmdline", .text = "TUNED_BOOT_CMDLINE=' a=1 '\n" } },
	  SP_FACT_TUNED_LINE, "'a=1' (/etc/tuned/bootcmdline)", NULL },
	{ "TuneD's file with nothing", { { .path = "etc/tuned/bootcmdline", .text = "TUNED_BOOT_INITRD_ADD=x\n" } },
	  SP_FACT_TUNED_LINE, "", NULL },
	{ "TuneD's file that needs a shell", { { .path = "etc/tuned/bootcmdline", .text = "TUNED_BOOT_CMDLINE=$(x)\n" } },
	  SP_FACT_TUNED_LINE, NULL, "not supported" },
	{ "no block of variables", { { .path = "boot/grub/grubenv", .text = "tuned_params=a\n" } },
	  SP_FACT_TUNED_LINE, NULL, "Invalid" },
	{ "kernelstub without a user's part", { { .path = "etc/kernelstub/configuration", .text = "{\"user\": []}" } },
	  SP_FACT_KERNELSTUB_LINE, NULL, "Bad message" },
	{ "kernelstub with what is no text", { { .path = "etc/kernelstub/configuration",
						 .text = "{\"user\": {\"kernel_options\": [1, \"a\", null, \"b=c\"]}}" } },
	  SP_FACT_KERNELSTUB_LINE, "'a b=c' (/etc/kernelstub/configuration)", NULL },
	{ "the line in grub.d", { { .path = "etc/default/grub.d/zz-strix-provision.cfg", .text = "GRUB_CMDLINE_LINUX=x\n" },
				  { .path = "etc/default/grub.d/a.cfg", .text = "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX x\"\n"
				    "GRUB_CMDLINE_LINUX_DEFAULT=y\n" },
				  { .path = "etc/default/grub.d/b", .text = "GRUB_CMDLINE_LINUX=x\n" } },
	  SP_FACT_GRUB_D_LINE, "/etc/default/grub.d/a.cfg:1, /etc/default/grub.d/a.cfg:2", NULL },
	/* people */
	{ "no accounts at all", { { .path = "etc/passwd", .text = "" }, { .path = "etc/group", .text = "" } },
	  SP_FACT_USERS_NO_GPU, "", NULL },
	{ "no groups", { { .path = "etc/passwd", .text = ANN }, { .path = "etc/group", .text = "" } },
	  SP_FACT_USERS_NO_GPU, "ann", NULL },
	{ "no file of groups", { { .path = "etc/passwd", .text = ANN } }, SP_FACT_USERS_NO_GPU, NULL, "not there" },
	{ "lines that are none", { { .path = "etc/passwd", .text = "\n:\nann\nx:y:many:1::/:/bin/sh\n:::::::::\n+\n" },
				   { .path = "etc/group", .text = "render\n:::\n" } },
	  SP_FACT_USERS_NO_GPU, "", NULL },
	{ "a shell that is not named is one", { { .path = "etc/passwd", .text = "ann:x:1000:1000\n" },
						{ .path = "etc/group", .text = "render:x:105\n" } },
	  SP_FACT_USERS_NO_GPU, "ann", NULL },
	{ "the limits of numbers", { { .path = "etc/passwd", .text = "a:x:999:1::/:/bin/sh\nb:x:1000:1::/:/bin/sh\n"
								     "c:x:60000:1::/:/bin/sh\nd:x:60001:1::/:/bin/sh\n" },
				     { .path = "etc/group", .text = "video:x:39:\n" } },
	  SP_FACT_USERS_NO_GPU, "b, c", NULL },
	{ "the first and the last of a list", { { .path = "etc/passwd", .text = ANN "bob:x:1001:1001::/:/bin/sh\n" },
						{ .path = "etc/group", .text = "render:x:105:ann,eve,bob\n" } },
	  SP_FACT_USERS_NO_GPU, "", NULL },
	/* firmware */
	{ "MES at the beginning", { { .path = MES, .text = "MES feature version: 1, firmware version: 0x00000080\n" } },
	  SP_FACT_MES, "128", NULL },
	{ "not the one of the KIQ", { { .path = MES, .text = "MES_KIQ feature version: 6, firmware version: 0x00000083\n" } },
	  SP_FACT_MES, NULL, "not there" },
	{ "cut short", { { .path = MES, .text = "MES feature version: 1, firm" } }, SP_FACT_MES, NULL, "not there" },
	{ "no debugfs is no reason to be silent about packages",
	  { { .path = PACMAN "linux-firmware-amdgpu-20260110-1/desc", .text = "" },
	    { .path = PACMAN "linux-firmware-20251125-1/desc", .text = "" },
	    { .path = PACMAN "linux-firmware-whence-20251125-1/desc", .text = "" } },
	  SP_FACT_FIRMWARE_PACKAGE, "20260110-1", NULL },
	{ "one package for all", { { .path = PACMAN "linux-firmware-20250808-1/desc", .text = "" } },
	  SP_FACT_FIRMWARE_PACKAGE, "20250808-1", NULL },
	{ "the first in dpkg's list, without a last empty line",
	  { { .path = DPKG, .text = "Package: linux-firmware\nStatus: install ok installed\nVersion: 2025.1" } },
	  SP_FACT_FIRMWARE_PACKAGE, "2025.1", NULL },
	{ "a version of another paragraph",
	  { { .path = DPKG, .text = "Package: linux-firmware\nStatus: install ok installed\n\nPackage: b\nVersion: 2\n" } },
	  SP_FACT_FIRMWARE_PACKAGE, NULL, "no package list" },
	{ "a crash kernel's memory", { { .path = "sys/kernel/kexec_crash_size", .text = "268435455\n" } },
	  SP_FACT_CRASH_MIB, "255", NULL },
};

static void test_cases(void **state)
{
	static const struct fixture machine = { .path = "proc/sys/kernel/osrelease", .text = "6.19.8\n" };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autoroot struct sp_root *root = NULL;
		sp_autofacts struct sp_facts *f = NULL;
		char *dir = fixture_new();

		fixture_add(dir, &machine);
		fixture_add_all(dir, cases[i].files);
		assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
		assert_int_equal(sp_facts_read(root, root, &f, NULL), 0);
		const struct sp_value *v = &f->v[cases[i].fact];
		if (v->known != (cases[i].text != NULL) || (cases[i].text && !sp_streq(v->text, cases[i].text)))
			fail_msg("%s: %s is '%s' (%s)", cases[i].name, sp_fact_name(cases[i].fact),
				 v->known ? v->text : "unknown", v->why ? v->why : "");
		if (cases[i].why && !strstr(v->why, cases[i].why))
			fail_msg("%s: '%s' does not say '%s'", cases[i].name, v->why, cases[i].why);
		assert_non_null(v->source);
		fixture_free(dir);
	}
}

/* How many a list has is a number that predicates compare. */
static void test_count(void **state)
{
	static const struct fixture files[] = {
		{ .path = "proc/sys/kernel/osrelease", .text = "6.19.8\n" },
		{ .path = ETC_ICD "amd_icd64.json", .text = "{}" },
		{ .path = ICD "amd_icd64.json", .text = "{}" },
		{ 0 },
	};
	sp_autoroot struct sp_root *root = NULL;
	sp_autofacts struct sp_facts *f = NULL;
	char *dir = fixture_new();

	(void) state;
	fixture_add_all(dir, files);
	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	assert_int_equal(sp_facts_read(root, root, &f, NULL), 0);
	assert_true(f->v[SP_FACT_AMDVLK].is_list && !f->v[SP_FACT_AMDVLK].is_number);
	assert_int_equal(sp_fact_num(f, SP_FACT_AMDVLK), 2);
	assert_int_equal(sp_fact_num(f, SP_FACT_RADV), 0);
	fixture_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
