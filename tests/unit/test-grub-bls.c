/* SPDX-License-Identifier: MIT */
/* The setup grub-bls: what is recognised, which entries are ours, what a check finds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "grub-tree.h"

/* --- recognised or not, with what words -------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *env, *boot;
	int code; /* 0: recognised; expected is then in `seen` or in a warning */
	enum sp_exit exit;
	const char *expected; /* in the message or the hint */
} recognition[] = {
	{ "base", { NONE }, NULL, NULL, 0, 0, "4 entries in /boot/loader/entries" },
	{ "by grub.cfg", { F("etc/default/grub", "GRUB_TIMEOUT=5\n") }, NULL, NULL, 0, 0, "blscfg in /boot/grub2/grub.cfg" },
	{ "by default/grub", { GONE("boot/grub2/grub.cfg") }, NULL, NULL, 0, 0, "GRUB_ENABLE_BLSCFG=true" },
	{ "/boot/grub", { GONE("boot/grub2"), GONE("etc/default/grub"), F("boot/grub/grub.cfg", "  blscfg; true\n") }, NULL,
	  NULL, 0, 0, "blscfg in /boot/grub/grub.cfg" },
	{ "named", { GONE("boot/grub2"), GONE("etc/default") }, NULL, "grub-bls", 0, 0, "not recognised" },
	{ "in a comment only", { F("boot/grub2/grub.cfg", "# blscfg\n"), GONE("etc/default/grub") }, NULL, NULL, -ENOTSUP,
	  SP_EXIT_UNSUPPORTED, "/boot/grub2/grub.cfg without blscfg" },
	{ "no sign of GRUB", { GONE("boot/grub2"), GONE("etc/default/grub") }, NULL, NULL, -ENOTSUP, SP_EXIT_UNSUPPORTED,
	  "4 entries in /boot/loader/entries; no grub.cfg" },
	{ "switched off", { GONE("boot/grub2"), F("etc/default/grub", "GRUB_ENABLE_BLSCFG=false\n") }, NULL, NULL, -ENOTSUP,
	  SP_EXIT_UNSUPPORTED, "/etc/default/grub without GRUB_ENABLE_BLSCFG=true" },
	{ "that can be named", { GONE("boot/grub2"), GONE("etc/default/grub") }, NULL, NULL, -ENOTSUP, SP_EXIT_UNSUPPORTED,
	  "say --boot grub-bls" },
	{ "ostree", { F("ostree/repo/config", "") }, NULL, NULL, -ENOTSUP, SP_EXIT_UNSUPPORTED, "ostree deployment" },
	{ "empty folder", { GONE("boot/loader/entries"), { "boot/loader/entries", "", FIXTURE_DIR, 0 } }, NULL, NULL, -ENOTSUP,
	  SP_EXIT_UNSUPPORTED, "/boot/loader/entries is there but empty" },
	{ "empty folder, named", { GONE("boot/loader/entries"), { "boot/loader/entries", "", FIXTURE_DIR, 0 } }, NULL,
	  "grub-bls", -ENOTSUP, SP_EXIT_UNSUPPORTED, "no boot entry in '/boot/loader/entries'" },
	{ "no folder", { GONE("boot/loader") }, NULL, NULL, -ENOTSUP, SP_EXIT_UNSUPPORTED, "/etc/kernel/cmdline" },
	{ "systemd-boot", { GONE("boot/grub2"), GONE("etc/default"), F("boot/loader/loader.conf", "timeout 3\n") }, NULL, NULL,
	  -ENOTSUP, SP_EXIT_UNSUPPORTED, "systemd-boot (/boot/loader/loader.conf)" },
	{ "nothing", { GONE("boot"), GONE("etc") }, NULL, NULL, -ENOTSUP, SP_EXIT_UNSUPPORTED, "nothing else" },
	{ "unknown name", { NONE }, NULL, "lilo", -EINVAL, SP_EXIT_USAGE, "grub-bls" },
	{ "no machine-id", { GONE("etc/machine-id") }, NULL, NULL, -ENXIO, SP_EXIT_FAILED, "machine-id" },
	{ "first boot", { F("etc/machine-id", "uninitialized\n") }, NULL, NULL, -ENXIO, SP_EXIT_FAILED, "systemd-machine-id-setup" },
	{ "other machine-id", { F("etc/machine-id", "00000000000000000000000000000000\n") }, NULL, NULL, -ENOENT,
	  SP_EXIT_FAILED, "does not begin with this system's id" },
	{ "other root=", { F("etc/kernel/cmdline", "root=UUID=9 ro\n") }, NULL, NULL, -ENOENT, SP_EXIT_FAILED,
	  "root=UUID=1 is not this system's root=UUID=9" },
	{ "only the rescue entry", { GONE(ENTRY(NEW)), GONE(ENTRY(OLD)), GONE(ENTRY(OTHER "-6.17.4-300.fc43.x86_64")) }, NULL,
	  NULL, -ENOENT, SP_EXIT_FAILED, "only a rescue entry" },
	{ "garbage", { F(ENTRY(NEW), "\001\002\377garbage\n") }, NULL, NULL, -EINVAL, SP_EXIT_FAILED, NEW ".conf: line 1" },
	{ "nothing to boot", { F(ENTRY(NEW), "title x\noptions " LINE "\n") }, NULL, NULL, -EINVAL, SP_EXIT_FAILED, NEW },
	{ "NUL byte", { { ENTRY(NEW), "title x\0y\nlinux /v\n", FIXTURE_FILE, 19 } }, NULL, NULL, -EINVAL, SP_EXIT_FAILED, NEW },
	{ "folder for an entry", { { ENTRY(NEW), "", FIXTURE_DIR, 0 } }, NULL, NULL, -EISDIR, SP_EXIT_FAILED, NEW },
	{ "short grubenv", { F("boot/grub2/grubenv", "# GRUB Environment Block\n") }, NULL, NULL, -EINVAL, SP_EXIT_FAILED,
	  "grubenv" },
	{ "NUL in default/grub", { { "etc/default/grub", "A=1\0\n", FIXTURE_FILE, 5 } }, NULL, NULL, -EINVAL, SP_EXIT_FAILED,
	  "/etc/default/grub" },
	{ "folder for default/grub", { { "etc/default/grub", "", FIXTURE_DIR, 0 } }, NULL, NULL, -EISDIR, SP_EXIT_FAILED,
	  "/etc/default/grub" },
	{ "NUL in cmdline", { { "etc/kernel/cmdline", "root=1\0\n", FIXTURE_FILE, 8 } }, NULL, NULL, -EINVAL, SP_EXIT_FAILED,
	  "/etc/kernel/cmdline" },
	{ "dangling link", { { "etc/kernel/cmdline", "/nowhere/file", FIXTURE_LINK, 0 } }, NULL, NULL, -ENOENT, SP_EXIT_FAILED,
	  "'/etc/kernel/cmdline' is a link" },
	{ "blsdir elsewhere", { NONE }, "blsdir=/no/such\n", NULL, -ENOENT, SP_EXIT_FAILED, "blsdir='/no/such'" },
	{ "$kernelopts without grubenv", { F(ENTRY(NEW), TEXT("6.19.8", "options $kernelopts\n")),
	  F("boot/grub2/grub.cfg", CFG "  set kernelopts=\"" LINE "\"\n") }, NULL, NULL, -ENOENT, SP_EXIT_FAILED, "grub2-editenv" },
	{ "saved entry lost", { NONE }, "saved_entry=Windows\n", NULL, 0, 0, "saved_entry='Windows' is no entry" },
	{ "several options lines", { F(ENTRY(NEW), TEXT("6.19.8", "options " LINE "\noptions x\n")) }, NULL, NULL, 0, 0,
	  "2 options lines" },
	{ "cmdline without root=", { F("etc/kernel/cmdline", "quiet\n") }, NULL, NULL, 0, 0, "'/etc/kernel/cmdline' has no root=" },
	{ "bad length", { F("boot/grub2/x86_64-efi/blsuki.mod", ""),
	  F(ENTRY(OLD), TEXT("6.1", "options root=UUID=1 ab=cdefghijklmnopqrstuvwxyz01234\n")) }, NULL, NULL, 0, 0,
	  "cannot boot an entry of exactly this length" },
};

static bool any_contains(const struct sp_strv *list, const char *what)
{
	for (size_t i = 0; i < list->n; i++)
		if (contains(list->v[i], what))
			return true;
	return false;
}

static void setups_are_recognised(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(recognition); i++) {
		char *dir = build(recognition[i].changes, recognition[i].env);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoerror struct sp_error *err = NULL;
		int r = sp_boot_read(root, NULL, recognition[i].boot, &boot, &err);

		if (r != recognition[i].code)
			fail_msg("%s: %d: %s", recognition[i].what, r, err ? err->message : "no error");
		if (r == 0 ? !any_contains(&boot->seen, recognition[i].expected) &&
				     !any_contains(&boot->warnings, recognition[i].expected) :
			     !contains(err->message, recognition[i].expected) && !contains(err->hint, recognition[i].expected))
			fail_msg("%s: '%s' is not in: %s (hint: %s)", recognition[i].what, recognition[i].expected,
				 err ? err->message : "warnings", err && err->hint ? err->hint : "");
		if (r < 0)
			assert_int_equal(err->exit, recognition[i].exit);
		fixture_free(dir);
	}
}

/* --- whose entries ----------------------------------------------------------------------------------------------- */

/* In menu order, one letter each: O ours, R our rescue entry, - not ours; '*' behind the default. */
static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *env;
	const char *entries;
	const char *root_arg;
} ownership[] = {
	/* GRUB's order: the name part first (the greater id on top), then versions, newest first */
	{ "base", { NONE }, NULL, "O*OR-", "root=UUID=1" },
	{ "saved by id", { NONE }, "saved_entry=" OLD "\n", "OO*R-", "root=UUID=1" },
	{ "saved by file name", { NONE }, "saved_entry=" OLD ".conf\n", "OO*R-", "root=UUID=1" },
	{ "saved by number", { NONE }, "saved_entry=1\n", "OO*R-", "root=UUID=1" },
	{ "saved by title", { NONE }, "saved_entry=Fedora (6.18.16-200.fc43.x86_64)\n", "OO*R-", "root=UUID=1" },
	{ "saved is the other system", { NONE }, "saved_entry=" OTHER "-6.17.4-300.fc43.x86_64\n", "OOR-*", "root=UUID=1" },
	{ "saved is empty", { NONE }, "saved_entry=\n", "O*OR-", "root=UUID=1" },
	{ "number beyond the menu", { NONE }, "saved_entry=17\n", "O*OR-", "root=UUID=1" },
	{ "root= of the default", { GONE("etc/kernel/cmdline"), F(ENTRY(OLD), TEXT("6.18", "options root=UUID=7\n")) },
	  "saved_entry=" OLD "\n", "-O*--", "root=UUID=7" },
	{ "root= of the first", { GONE("etc/kernel/cmdline"), F(ENTRY(OLD), TEXT("6.18", "options root=UUID=7\n")) },
	  "saved_entry=" RESCUE "\n", "O-R*-", "root=UUID=1" },
	{ "the last root= counts", { F(ENTRY(OLD), TEXT("6.18", "options root=UUID=7 root=UUID=1\n")) }, NULL, "O*OR-",
	  "root=UUID=1" },
	{ "no root=", { F(ENTRY(OLD), TEXT("6.18", "options quiet\n")) }, NULL, "O*-R-", "root=UUID=1" },
	{ "no options line", { F(ENTRY(OLD), TEXT("6.18", "")) }, NULL, "O*-R-", "root=UUID=1" },
	{ "entry-token", { F("etc/kernel/entry-token", "fedora\n"), GONE("etc/machine-id"),
	  F(ENTRY("fedora-7.0-1.x86_64"), TEXT("7.0", "options " LINE "\n")) }, NULL, "-*--O-", "root=UUID=1" },
	{ "image ids", { GONE(ENTRY(NEW)), GONE(ENTRY(OLD)), GONE(ENTRY(RESCUE)),
	  F(ENTRY(FFFF "-6.1-1.x86_64"), TEXT("6.1", "options " LINE "\n")) }, NULL, NULL, "root=UUID=1" },
	{ "image ids beside ours", { F(ENTRY(FFFF "-6.1-1.x86_64"), TEXT("6.1", "options " LINE "\n")) }, NULL, NULL,
	  "root=UUID=1" },
	{ "garbage of another system", { F(ENTRY(OTHER "-6.17.4-300.fc43.x86_64"), "\001\n") }, NULL, "O*OR-", "root=UUID=1" },
	{ "garbage rescue entry", { F(ENTRY(RESCUE), "\001\n") }, NULL, "O*O--", "root=UUID=1" },
	{ "EFI program", { F(ENTRY(OLD), "title x\nefi /shell.efi\n") }, "saved_entry=1\n", "O-R*-", "root=UUID=1" },
	{ "hidden and other files", { F(DIR "." NEW ".conf", "\001"), F(DIR "README", "\001"), F(DIR NEW ".conf.bak", "\001") },
	  NULL, "O*OR-", "root=UUID=1" },
	{ "$kernelopts", { F(ENTRY(OLD), TEXT("6.18", "options $kernelopts x\n")) }, "kernelopts=" LINE "\n", "O*OR-",
	  "root=UUID=1" },
	{ "$kernelopts of grub.cfg", { F("boot/grub2/grub.cfg", CFG "if x; then\n  set kernelopts=\"" LINE "\"\nfi\n"),
	  F(ENTRY(OLD), TEXT("6.18", "options ${kernelopts}\n")) }, "a=b\n", "O*OR-", "root=UUID=1" },
	{ "blsdir", { GONE("boot/loader"), F("boot/bls/" NEW ".conf", TEXT("6.19", "options " LINE "\n")) },
	  "blsdir=/@root/boot/bls\n", "O*", "root=UUID=1" },
};

static char *letters(const struct sp_boot *boot)
{
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];

		sp_buf_adds(&b, !e->ours ? "-" : e->rescue ? "R" : "O");
		if (e->by_default)
			sp_buf_adds(&b, "*");
		if (e->ours == !!e->why)
			sp_buf_adds(&b, "?"); /* a reason for what is ours, or none for what is not */
	}
	return sp_buf_steal(&b);
}

static void entries_are_told_apart(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(ownership); i++) {
		char *dir = build(ownership[i].changes, ownership[i].env);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoerror struct sp_error *err = NULL;

		if (sp_boot_read(root, NULL, NULL, &boot, &err) < 0)
			fail_msg("%s: %s", ownership[i].what, err->message);
		sp_autofree char *seen = letters(boot);
		if (ownership[i].entries && !sp_streq(seen, ownership[i].entries))
			fail_msg("%s: %s instead of %s", ownership[i].what, seen, ownership[i].entries);
		for (size_t k = 0; k < boot->n_entries; k++)
			if (strstr(boot->entries[k].id, FFFF))
				assert_int_equal(boot->entries[k].ours, sp_streq(ownership[i].what, "image ids"));
		assert_string_equal(boot->root_arg, ownership[i].root_arg);
		fixture_free(dir);
	}
}

/* --- check --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct fixture changes[3];
	const char *expected; /* NULL: good */
} checks[] = {
	{ "good", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " " OURS "\n")) }, NULL },
	{ "missing", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " iommu=pt\n")) }, NEW },
	{ "overridden", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " " OURS " iommu=off\n")) }, NEW },
	{ "twice", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " iommu=pt " OURS "\n")) }, NEW },
	{ "for init", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " -- " OURS "\n")) }, NEW },
	{ "root= lost", { F(ENTRY(NEW), TEXT("6.1", "options ro " OURS "\n")) }, NEW },
	{ "never had a root=, but a token that is ours elsewhere", { F(ENTRY(MID "-5"), TEXT("5", "options ro iommu=pt\n")),
	  F(ENTRY(NEW), TEXT("6.1", "options " LINE " " OURS "\n")) }, NULL },
	{ "never had a root=, but a key of ours", { F(ENTRY(MID "-5"), TEXT("5", "options crypt_root=1 iommu=soft\n")),
	  F(ENTRY(NEW), TEXT("6.1", "options " LINE " " OURS "\n")) }, NULL },
};

static void check_names_what_is_wrong(void **state)
{
	static const struct fixture good = F(ENTRY(OLD), TEXT("6.0", "options " LINE " " OURS "\n"));
	sp_autotokens struct sp_tokens wanted = { 0 };

	(void) state;
	want(&wanted);
	for (size_t i = 0; i < SP_ELEMENTS(checks); i++) {
		char *dir = build(checks[i].changes, NULL);
		fixture_add(dir, &good);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoerror struct sp_error *err = NULL;

		assert_int_equal(sp_boot_read(root, NULL, NULL, &boot, NULL), 0);
		int r = boot->ops->check(boot, &wanted, &err);
		if (r != (checks[i].expected ? -EBADMSG : 0))
			fail_msg("%s: %d, %s", checks[i].what, r, err ? err->message : "no error");
		if (checks[i].expected)
			assert_true(contains(err->message, checks[i].expected));
		fixture_free(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setups_are_recognised),
		cmocka_unit_test(entries_are_told_apart),
		cmocka_unit_test(check_names_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
