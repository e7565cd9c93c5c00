/* SPDX-License-Identifier: MIT */
/*
 * The setup grub-bls on small trees: what is recognised, which entries are ours, and that a plan, carried out, is in
 * effect, idempotent and undone to the byte. A case is the base machine and what differs from it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "fixture-tree.h"

#define MID "5a3b0c9d8e7f41628394a5b6c7d8e9f0"
#define OTHER "f0e1d2c3b4a5968778695a4b3c2d1e0f"
#define FFFF "ffffffffffffffffffffffffffffffff"
#define DIR "boot/loader/entries/"
#define ENTRY(id) DIR id ".conf"
#define NEW MID "-6.19.8-200.fc43.x86_64"
#define OLD MID "-6.18.16-200.fc43.x86_64"
#define RESCUE MID "-0-rescue"
#define TEXT(version, options) "title Fedora (" version ")\nversion " version "\nlinux /vmlinuz-" version "\n" options
#define LINE "root=UUID=1 ro quiet"
#define OURS "iommu=pt transparent_hugepage=always"
#define BLSCFG "GRUB_ENABLE_BLSCFG=true\n"
#define GRUB "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"quiet\"\n" BLSCFG
#define CFG "insmod blscfg\nblscfg\n"

static const struct fixture base[] = {
	{ "etc/machine-id", MID "\n", FIXTURE_FILE, 0 },
	{ "etc/default/grub", GRUB, FIXTURE_FILE, 0 },
	{ "etc/kernel/cmdline", LINE "\n", FIXTURE_FILE, 0 },
	{ "boot/grub2/grub.cfg", CFG, FIXTURE_FILE, 0 },
	{ ENTRY(NEW), TEXT("6.19.8-200.fc43.x86_64", "options " LINE "\n"), FIXTURE_FILE, 0 },
	{ ENTRY(OLD), TEXT("6.18.16-200.fc43.x86_64", "options " LINE "\n"), FIXTURE_FILE, 0 },
	{ ENTRY(RESCUE), TEXT("0-rescue-" MID, "options " LINE "\n"), FIXTURE_FILE, 0 },
	{ ENTRY(OTHER "-6.17.4-300.fc43.x86_64"), TEXT("6.17.4", "options root=UUID=2 ro\n"), FIXTURE_FILE, 0 },
	{ 0 },
};

#define F(path, text) { path, text, FIXTURE_FILE, 0 }
#define GONE(path) { path, "", FIXTURE_GONE, 0 }
#define NONE { 0 }
#define MAX_FILES 8

/* An environment block, filled up. */
static void add_env(const char *dir, const char *variables)
{
	char block[1025] = { 0 };

	if (!variables)
		return;
	(void) snprintf(block, sizeof(block), "# GRUB Environment Block\n%s", variables);
	memset(block + strlen(block), '#', sizeof(block) - 1 - strlen(block));
	fixture_add(dir, &(struct fixture){ "boot/grub2/grubenv", block, FIXTURE_FILE, 1024 });
}

static char *build(const struct fixture *changes, const char *env)
{
	char *dir = fixture_new();

	fixture_add_all(dir, base);
	add_env(dir, env);
	fixture_add_all(dir, changes);
	return dir;
}

static struct sp_root *open_root(const char *dir)
{
	struct sp_root *root = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	return root;
}

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

static bool contains(const char *text, const char *what)
{
	return text && strstr(text, what);
}

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
		int r = sp_boot_read(root, recognition[i].boot, &boot, &err);

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

		if (sp_boot_read(root, NULL, &boot, &err) < 0)
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

/* --- plan, carry out, check, undo -------------------------------------------------------------------------------- */

struct after {
	const char *path, *text; /* text NULL: not there */
};
#define MAX_AFTER 6
static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *env;
	struct after after[MAX_AFTER];
} plans[] = {
	{ "base", { NONE }, NULL,
	  { { "etc/default/grub", "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"quiet " OURS "\"\n" BLSCFG },
	    { "etc/kernel/cmdline", LINE " " OURS "\n" },
	    { ENTRY(NEW), TEXT("6.19.8-200.fc43.x86_64", "options " LINE " " OURS "\n") },
	    { ENTRY(OLD), TEXT("6.18.16-200.fc43.x86_64", "options " LINE " " OURS "\n") },
	    { ENTRY(RESCUE), TEXT("0-rescue-" MID, "options " LINE "\n") },
	    { ENTRY(OTHER "-6.17.4-300.fc43.x86_64"), TEXT("6.17.4", "options root=UUID=2 ro\n") } } },
	{ "no /etc/kernel/cmdline: the complete line",
	  { GONE("etc/kernel"), F(ENTRY(NEW), TEXT("6.19.8", "options BOOT_IMAGE=/v " LINE "  initrd=/i x\n")) }, NULL,
	  { { "etc/kernel/cmdline", LINE " x " OURS "\n" } } },
	{ "no /etc/kernel/cmdline, but the distribution's",
	  { GONE("etc/kernel"), F("usr/lib/kernel/cmdline", LINE " vendor\n") }, NULL,
	  { { "etc/kernel/cmdline", LINE " vendor " OURS "\n" }, { "usr/lib/kernel/cmdline", LINE " vendor\n" } } },
	{ "no /etc/kernel/cmdline, the distribution's without root=",
	  { GONE("etc/kernel/cmdline"), F("usr/lib/kernel/cmdline", "vendor\n") }, NULL,
	  { { "etc/kernel/cmdline", LINE " " OURS "\n" } } },
	{ "no /etc/default/grub", { GONE("etc/default") }, NULL,
	  { { "etc/default/grub", NULL }, { "etc/kernel/cmdline", LINE " " OURS "\n" } } },
	{ "default/grub needs a shell", { F("etc/default/grub", "GRUB_CMDLINE_LINUX=\"$(x)\"\n"
	  "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=soft\"\n" BLSCFG) }, NULL,
	  { { "etc/default/grub", "GRUB_CMDLINE_LINUX=\"$(x)\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"iommu=soft\"\n" BLSCFG },
	    { "etc/kernel/cmdline", LINE " " OURS "\n" } } },
	{ "a foreign key in the variable that wins", { F("etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT='a iommu=soft  b'\n"
	  "GRUB_CMDLINE_LINUX='x'\n" BLSCFG) }, NULL,
	  { { "etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT='a  b'\nGRUB_CMDLINE_LINUX='x " OURS "'\n" BLSCFG } } },
	{ "foreign values are displaced where they stand",
	  { F(ENTRY(NEW), TEXT("6.19.8", "options " LINE " iommu=soft z\n")) }, NULL,
	  { { ENTRY(NEW), TEXT("6.19.8", "options " LINE " iommu=pt z transparent_hugepage=always\n") } } },
	{ "what is there already stays foreign", { F(ENTRY(NEW), TEXT("6.19.8", "options " OURS " " LINE "\n")) }, NULL,
	  { { ENTRY(NEW), TEXT("6.19.8", "options " OURS " " LINE "\n") } } },
	{ "$kernelopts", { F(ENTRY(NEW), TEXT("6.19.8", "options $kernelopts $tuned_params\n")) },
	  "kernelopts=" LINE " \ntuned_params=skew_tick=1\n",
	  { { ENTRY(NEW), TEXT("6.19.8", "options $kernelopts $tuned_params\n") },
	    { ENTRY(OLD), TEXT("6.18.16-200.fc43.x86_64", "options " LINE " " OURS "\n") } } },
	{ "$kernelopts of grub.cfg", { F("boot/grub2/grub.cfg", CFG "set kernelopts=\"" LINE "\"\n"),
	  F(ENTRY(NEW), TEXT("6.19.8", "options $kernelopts\n")) }, "a=b\n",
	  { { ENTRY(NEW), TEXT("6.19.8", "options $kernelopts\n") } } },
	{ "no options line, but a default", { F("boot/grub2/grub.cfg", CFG "set default_kernelopts=\"" LINE "\"\n"),
	  F(ENTRY(NEW), TEXT("6.19.8", "")) }, NULL,
	  { { ENTRY(NEW), TEXT("6.19.8", "options " LINE " " OURS "\n") } } },
	{ "a variable has the key, too", { F(ENTRY(NEW), TEXT("6.19.8", "options " LINE " $tuned_params\n")) },
	  "tuned_params=transparent_hugepage=never\n",
	  { { ENTRY(NEW), TEXT("6.19.8", "options " LINE " $tuned_params " OURS "\n") } } },
	{ "a GRUB with the length bug", { F("boot/grub2/x86_64-efi/blsuki.mod", ""),
	  F(ENTRY(NEW), TEXT("6.1", "options root=UUID=1 ro abcdefghijklmnopqrstuvwx\n")) }, NULL,
	  { { ENTRY(NEW), TEXT("6.1", "options root=UUID=1 ro abcdefghijklmnopqrstuvwx iommu=pt  transparent_hugepage=always\n") } } },
	{ "Fedora's own blscfg beside it", { F("boot/grub2/x86_64-efi/blsuki.mod", ""), F("boot/grub2/x86_64-efi/blscfg.mod", ""),
	  F(ENTRY(NEW), TEXT("6.1", "options root=UUID=1 ro abcdefghijklmnopqrstuvwx\n")) }, NULL,
	  { { ENTRY(NEW), TEXT("6.1", "options root=UUID=1 ro abcdefghijklmnopqrstuvwx iommu=pt transparent_hugepage=always\n") } } },
	{ "a linked entry", { { ENTRY(NEW), "../new.text", FIXTURE_LINK, 0 },
	  F("boot/loader/new.text", TEXT("6.1", "options " LINE "\n")) }, NULL,
	  { { "boot/loader/new.text", TEXT("6.1", "options " LINE " " OURS "\n") } } },
};

/* Carry the edits out as a test may: written over, or removed. */
static void carry_out(const char *dir, const struct sp_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		const struct sp_edit *e = &edits->v[i];
		const struct fixture f = { e->path + 1, e->after.exists ? e->after.bytes.data : "", FIXTURE_FILE,
					   e->after.bytes.len };

		if (e->op != SP_OP_KEEP)
			fixture_add(dir, &f);
	}
}

static void put_back(const char *dir, const struct sp_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		const struct sp_edit *e = &edits->v[i];
		const struct fixture f = { e->path + 1, e->before.exists ? e->before.bytes.data : "",
					   e->before.exists ? FIXTURE_FILE : FIXTURE_GONE, e->before.bytes.len };

		fixture_add(dir, &f);
	}
}

/* What the notes of the edits say is ours. */
static void learn(const struct sp_edits *edits, struct sp_owned_list *owned)
{
	for (size_t i = 0; i < edits->n; i++) {
		sp_autonote struct sp_note note = { 0 };

		assert_int_equal(sp_note_from_json(edits->v[i].note, &note, NULL), 0);
		for (size_t k = 0; k < note.n_lines; k++)
			sp_owned_set_tokens(owned, edits->v[i].path, &note.lines[k].host, &note.lines[k].to);
	}
}

static void make_plan(const struct sp_root *root, const struct sp_owned_list *owned, const struct sp_tokens *common,
		      const struct sp_tokens *wanted, struct sp_edits *edits, struct sp_strv *changed, const char *what)
{
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autoerror struct sp_error *err = NULL;

	if (sp_boot_read(root, NULL, &boot, &err) < 0 ||
	    sp_boot_plan(root, boot, owned, common, wanted, edits, changed, &err) < 0)
		fail_msg("%s: %s", what, err->message);
	for (size_t i = 0; i < edits->n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(edits->v[i].path, edits->v[k].path);
}

static void expect_good(const struct sp_root *root, const struct sp_tokens *wanted, const char *what)
{
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autoerror struct sp_error *err = NULL;

	assert_int_equal(sp_boot_read(root, NULL, &boot, NULL), 0);
	if (boot->ops->check(boot, wanted, &err) < 0)
		fail_msg("%s: check: %s", what, err->message);
}

static void expect_text(const struct sp_root *root, const char *path, const char *text, const char *what)
{
	sp_autobuf struct sp_buf file = { 0 };
	int r = sp_root_read(root, path, SP_FILE_MAX, &file, NULL);

	if (!text && r == -ENOENT)
		return;
	if (r < 0 || !text || !sp_streq(file.data, text))
		fail_msg("%s: '%s' is\n%s\ninstead of\n%s", what, path, r < 0 ? strerror(-r) : file.data, text ? text : "(nothing)");
}

static void want(struct sp_tokens *ret)
{
	sp_tokens_add(ret, "iommu=pt", NULL);
	sp_tokens_add(ret, "transparent_hugepage=always", NULL);
}

/* Taking our tokens out must give the bytes back, but for a file that was made and the blank of a padded line. */
static void expect_undone(const struct sp_edits *first, const struct sp_edits *back, const char *what)
{
	for (size_t i = 0; i < first->n; i++) {
		const struct sp_edit *was = &first->v[i], *is = sp_edits_find(back, was->path);

		if (!was->before.exists || strstr(was->after.bytes.data, "pt  transparent"))
			continue;
		if (sp_streq(was->path, "/boot/grub2/grubenv") || strstr(what, "no options line"))
			continue; /* R0: the complete line stays */
		assert_non_null(is);
		if (!sp_buf_eq(&is->after.bytes, &was->before.bytes))
			fail_msg("%s: undone '%s' is\n%s", what, was->path, is->after.bytes.data);
	}
}

static void plans_hold(void **state)
{
	sp_autotokens struct sp_tokens wanted = { 0 }, none = { 0 };

	(void) state;
	want(&wanted);
	for (size_t i = 0; i < SP_ELEMENTS(plans); i++) {
		const char *what = plans[i].what;
		char *dir = build(plans[i].changes, plans[i].env);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoedits struct sp_edits first = { 0 }, second = { 0 }, back = { 0 };
		sp_autoowned struct sp_owned_list owned = { 0 };
		sp_autostrv struct sp_strv changed = { 0 };

		make_plan(root, &owned, &none, &wanted, &first, &changed, what);
		assert_true(sp_edits_pending(&first));
		learn(&first, &owned);
		carry_out(dir, &first);
		for (const struct after *a = plans[i].after; a < plans[i].after + MAX_AFTER && a->path; a++)
			expect_text(root, a->path, a->text, what);
		expect_good(root, &wanted, what);
		make_plan(root, &owned, &wanted, &wanted, &second, &changed, what);
		if (sp_edits_pending(&second))
			fail_msg("%s: a second plan changes '%s'", what, second.v[0].path);
		make_plan(root, &owned, &wanted, &none, &back, &changed, what);
		expect_undone(&first, &back, what);
		assert_int_equal(changed.n, 0);
		put_back(dir, &first);
		fixture_free(dir);
	}
}

/* --- single properties ------------------------------------------------------------------------------------------- */

static void files_are_published_in_order(void **state)
{
	static const char *const order[] = { "/etc/default/grub", "/boot/grub2/grubenv", "/etc/kernel/cmdline",
					     "/" ENTRY(NEW), "/" ENTRY(OLD) };
	static const struct fixture changes[] = {
		F(ENTRY(MID "-5.0-1.x86_64"), TEXT("5.0", "options $kernelopts\n")),
		F("etc/default/grub", GRUB "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=soft\"\n"), NONE,
	};
	char *dir = build(changes, "kernelopts=" LINE "\n");
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autotokens struct sp_tokens wanted = { 0 }, none = { 0 };
	sp_autoedits struct sp_edits edits = { 0 };
	sp_autoowned struct sp_owned_list owned = { 0 };
	sp_autostrv struct sp_strv changed = { 0 };
	sp_autonote struct sp_note note = { 0 };

	(void) state;
	want(&wanted);
	make_plan(root, &owned, &none, &wanted, &edits, &changed, "order");
	assert_int_equal(edits.n, SP_ELEMENTS(order));
	for (size_t i = 0; i < edits.n; i++)
		assert_string_equal(edits.v[i].path, order[i]);
	assert_int_equal(sp_note_from_json(edits.v[0].note, &note, NULL), 0);
	assert_int_equal(note.n_lines, 2);
	assert_string_equal(note.lines[0].host.var, "GRUB_CMDLINE_LINUX");
	assert_string_equal(note.lines[1].to.v[0].displaced.v[0], "iommu=soft");
	fixture_free(dir);
}

/* A kernel that was installed since inherits our tokens: they are ours there, too. */
static void later_entries_own_what_is_common(void **state)
{
	static const struct fixture later = F(ENTRY(MID "-7.0-1.x86_64"), TEXT("7.0", "options " LINE " " OURS " x\n"));
	char *dir = build(&(struct fixture){ 0 }, NULL);
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autotokens struct sp_tokens wanted = { 0 }, none = { 0 };
	sp_autoedits struct sp_edits first = { 0 }, back = { 0 };
	sp_autoowned struct sp_owned_list owned = { 0 };
	sp_autostrv struct sp_strv changed = { 0 };

	(void) state;
	want(&wanted);
	make_plan(root, &owned, &none, &wanted, &first, &changed, "first");
	learn(&first, &owned);
	carry_out(dir, &first);
	fixture_add(dir, &later);
	make_plan(root, &owned, &wanted, &none, &back, &changed, "back");
	carry_out(dir, &back);
	expect_text(root, later.path, TEXT("7.0", "options " LINE " x\n"), "later");
	fixture_free(dir);
}

static void a_change_by_hand_is_reported(void **state)
{
	static const struct fixture edited = F(ENTRY(NEW), TEXT("6.19.8", "options " LINE " iommu=off\n"));
	char *dir = build(&(struct fixture){ 0 }, NULL);
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autotokens struct sp_tokens wanted = { 0 }, none = { 0 };
	sp_autoedits struct sp_edits first = { 0 }, back = { 0 };
	sp_autoowned struct sp_owned_list owned = { 0 };
	sp_autostrv struct sp_strv changed = { 0 };

	(void) state;
	want(&wanted);
	make_plan(root, &owned, &none, &wanted, &first, &changed, "first");
	learn(&first, &owned);
	carry_out(dir, &first);
	fixture_add(dir, &edited);
	make_plan(root, &owned, &wanted, &none, &back, &changed, "back");
	assert_int_equal(changed.n, 1);
	assert_string_equal(changed.v[0], "/" ENTRY(NEW) ": iommu");
	fixture_free(dir);
}

/* n bytes of line, of which the tokens take 37 more with their blanks; the loader's part is 25 + strlen("/vmlinuz-6.1"). */
static const struct {
	int n, code;
} lengths[] = { { 1500, 0 }, { 2047 - 37 - 37, 0 }, { 2047 - 37 - 36, -E2BIG }, { 2047, -E2BIG }, { 3000, -E2BIG } };

static void too_long_lines_are_refused(void **state)
{
	sp_autotokens struct sp_tokens wanted = { 0 }, none = { 0 };

	(void) state;
	want(&wanted);
	for (size_t i = 0; i < SP_ELEMENTS(lengths); i++) {
		sp_autofree char *text = sp_xasprintf(TEXT("6.1", "options root=UUID=1 %0*d\n"), lengths[i].n - 12, 0);
		const struct fixture changes[] = { F(ENTRY(NEW), text), NONE };
		char *dir = build(changes, NULL);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoedits struct sp_edits edits = { 0 };
		sp_autostrv struct sp_strv changed = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		const struct sp_owned_list owned = { 0 };

		assert_int_equal(sp_boot_read(root, NULL, &boot, NULL), 0);
		int r = sp_boot_plan(root, boot, &owned, &none, &wanted, &edits, &changed, &err);
		if (r != lengths[i].code)
			fail_msg("%d bytes: %d, %s", lengths[i].n, r, err ? err->message : "no error");
		if (r < 0)
			assert_true(contains(err->message, NEW));
		/* Making it shorter, or leaving it, is never refused. */
		assert_int_equal(sp_boot_plan(root, boot, &owned, &wanted, &none, &edits, &changed, NULL), 0);
		fixture_free(dir);
	}
}

static const struct {
	const char *what;
	struct fixture changes[2];
	const char *expected; /* NULL: good */
} checks[] = {
	{ "good", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " " OURS "\n")) }, NULL },
	{ "missing", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " iommu=pt\n")) }, NEW },
	{ "overridden", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " " OURS " iommu=off\n")) }, NEW },
	{ "twice", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " iommu=pt " OURS "\n")) }, NEW },
	{ "for init", { F(ENTRY(NEW), TEXT("6.1", "options " LINE " -- " OURS "\n")) }, NEW },
	{ "root= lost", { F(ENTRY(NEW), TEXT("6.1", "options ro " OURS "\n")) }, NEW },
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

		assert_int_equal(sp_boot_read(root, NULL, &boot, NULL), 0);
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
		cmocka_unit_test(plans_hold),
		cmocka_unit_test(files_are_published_in_order),
		cmocka_unit_test(later_entries_own_what_is_common),
		cmocka_unit_test(a_change_by_hand_is_reported),
		cmocka_unit_test(too_long_lines_are_refused),
		cmocka_unit_test(check_names_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
