/* SPDX-License-Identifier: MIT */
/* The setup systemd-boot, and how the machine decides between setups that are both there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "fixture-tree.h"

#define MID "7c4d9a1e0b3f4852a6c7d8e9f0a1b2c3"
#define OTHER "f0e1d2c3b4a5968778695a4b3c2d1e0f"
#define LINE "root=UUID=1 rootflags=subvol=@ rw quiet"
#define ESP "efi/loader/entries/"
#define BOOT "boot/loader/entries/"
#define NEW MID "-6.19.8-arch1-1"
#define OLD MID "-6.18.16-1-lts"
#define OURS "iommu=pt transparent_hugepage=always"
#define TEXT(version, options)                                                                                          \
	"title Arch\nversion " version "\nsort-key arch\nlinux /k/linux\ninitrd /k/initrd\noptions " options "\n"
#define HAND(options) "title Arch\nlinux /k/linux\noptions " options "\n"

static const struct fixture tree[] = {
	{ "etc/machine-id", MID "\n", FIXTURE_FILE, 0 },
	{ "efi/EFI/systemd/systemd-bootx64.efi", "x", FIXTURE_FILE, 0 },
	{ "efi/loader/loader.conf", "timeout 3\n", FIXTURE_FILE, 0 },
	{ "efi/k/linux", "x", FIXTURE_FILE, 0 },
	{ "boot/k/linux", "x", FIXTURE_FILE, 0 },
	{ BOOT NEW ".conf", TEXT("6.19.8-arch1-1", LINE), FIXTURE_FILE, 0 },
	{ BOOT OLD ".conf", TEXT("6.18.16-1-lts", LINE), FIXTURE_FILE, 0 },
	{ 0 },
};

#define F(path, text) { path, text, FIXTURE_FILE, 0 }
#define GONE(path) { path, "", FIXTURE_GONE, 0 }
#define NONE { 0 }
#define MAX_FILES 8
#define VAR(name) "sys/firmware/efi/efivars/" name "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* Text of the Boot Loader Interface: attributes, UTF-16, NUL. NULL: no such variable. */
static void add_variable(const char *dir, const char *path, const char *text)
{
	char bytes[256] = { 6 };
	size_t n = 4;

	if (!text)
		return;
	for (const char *c = text; *c; c++, n += 2)
		bytes[n] = *c;
	fixture_add(dir, &(struct fixture){ path, bytes, FIXTURE_FILE, n + 2 });
}

static char *build(const struct fixture *changes)
{
	char *dir = fixture_new();

	fixture_add_all(dir, tree);
	fixture_add_all(dir, changes);
	return dir;
}

static struct sp_root *open_root(const char *dir)
{
	struct sp_root *root = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	return root;
}

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

/* --- recognised or not ------------------------------------------------------------------------------------------- */

#define GRUB_BLS                                                                                                        \
	F("etc/default/grub", "GRUB_CMDLINE_LINUX=\"quiet\"\nGRUB_ENABLE_BLSCFG=true\n"), F("boot/grub2/grub.cfg", "blscfg\n")
#define BY_GRUB F("proc/cmdline", "BOOT_IMAGE=(hd0,gpt2)/k/linux " LINE "\n")
#define BY_OTHER F("proc/cmdline", "initrd=\\k\\initrd " LINE "\n")

static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *info; /* LoaderInfo */
	const char *name; /* of the setup; NULL: none */
	const char *expected; /* in what was seen or warned of, or in the message or the hint */
} recognition[] = {
	{ "base", { NONE }, NULL, "systemd-boot", "/efi/EFI/systemd/systemd-bootx64.efi" },
	{ "by loader.conf", { GONE("efi/EFI") }, NULL, "systemd-boot", "/efi/loader/loader.conf" },
	{ "counts entries", { NONE }, NULL, "systemd-boot", "2 entries in /boot/loader/entries" },
	{ "one partition", { GONE("efi"), F("boot/loader/loader.conf", "") }, NULL, "systemd-boot", "/boot/loader/loader.conf" },
	{ "/boot/efi", { GONE("efi"), GONE("boot/loader"), F("boot/efi/loader/loader.conf", ""), F("boot/efi/k/linux", ""),
	  F("boot/efi/loader/entries/" NEW ".conf", TEXT("6.19", LINE)) }, NULL, "systemd-boot",
	  "1 entry in /boot/efi/loader/entries" },
	{ "BOOT_ROOT", { GONE("efi"), GONE("boot"), F("srv/esp/loader/loader.conf", ""), F("srv/esp/k/linux", ""),
	  F("srv/esp/loader/entries/" NEW ".conf", TEXT("6.19", LINE)), F("etc/kernel/install.conf", "BOOT_ROOT=/srv/esp\n") },
	  NULL, "systemd-boot", "1 entry in /srv/esp/loader/entries" },
	{ "a link to the other folder", { GONE("efi"), { "efi", "boot", FIXTURE_LINK, 0 }, F("boot/loader/loader.conf", "") },
	  NULL, "systemd-boot", "/boot/loader/loader.conf" },
	{ "no sign of the loader", { GONE("efi") }, NULL, NULL, "2 entries in /boot/loader/entries" },
	{ "no entries", { GONE("boot/loader") }, NULL, NULL, "systemd-boot (/efi/loader/loader.conf)" },
	{ "no kernels", { GONE("boot/k") }, NULL, NULL, "systemd-boot" },
	{ "sdbootutil", { F("usr/bin/sdbootutil", ""), F("usr/lib/systemd-boot/systemd-bootx64.efi", "") }, NULL, "sdbootutil",
	  "systemd-boot is its boot loader" },
	{ "sdbootutil with GRUB", { F("usr/bin/sdbootutil", "") }, NULL, "sdbootutil-grub", "GRUB is its boot loader" },
	{ "kernelstub", { F("etc/kernelstub/configuration", "{}") }, NULL, NULL, "kernelstub" },
	{ "ostree", { F("ostree/repo/config", "") }, NULL, NULL, "ostree deployment" },
	/* evidence */
	{ "LoaderInfo is told", { NONE }, "systemd-boot 257.9-1.fc43", "systemd-boot", "LoaderInfo says 'systemd-boot 257.9-1.fc43'" },
	{ "both, and nothing known", { GRUB_BLS }, NULL, NULL, "--boot grub-bls or --boot systemd-boot" },
	{ "both, LoaderInfo", { GRUB_BLS }, "systemd-boot 257.9", "systemd-boot", "LoaderInfo" },
	{ "both, LoaderInfo of GRUB", { GRUB_BLS }, "GRUB 2.12", "grub-bls", "LoaderInfo says 'GRUB 2.12'" },
	{ "both, LoaderInfo before the line", { GRUB_BLS, BY_GRUB }, "systemd-boot 257.9", "systemd-boot", "LoaderInfo" },
	{ "both, by the line: GRUB", { GRUB_BLS, BY_GRUB }, NULL, "grub-bls", "blscfg" },
	{ "both, by the line: not GRUB", { GRUB_BLS, BY_OTHER }, NULL, "systemd-boot", "systemd-bootx64.efi" },
	{ "both, LoaderInfo of a third, line of GRUB", { GRUB_BLS, BY_GRUB }, "rEFInd 0.14.2", "grub-bls", "blscfg" },
	{ "both, LoaderInfo of a third", { GRUB_BLS, BY_OTHER }, "Limine 12.9.0", NULL, "did not start this system" },
	{ "both, only a beginning alike", { GRUB_BLS }, "systemd-bootish 1", NULL, "cannot be told apart" },
	{ "alone, LoaderInfo of another", { NONE }, "GRUB 2.14", NULL, "it did not start this system: LoaderInfo says 'GRUB 2.14'" },
	{ "alone, the line is GRUB's", { BY_GRUB }, NULL, NULL, "/proc/cmdline has a BOOT_IMAGE=" },
	{ "alone, the line is nobody's", { BY_OTHER }, NULL, "systemd-boot", "systemd-bootx64.efi" },
	{ "GRUB alone, systemd-boot started it", { GRUB_BLS, GONE("efi") }, "systemd-boot 257", NULL, "--boot grub-bls" },
	{ "GRUB alone, no BOOT_IMAGE=", { GRUB_BLS, GONE("efi"), BY_OTHER }, NULL, "grub-bls", "blscfg" },
	{ "LoaderInfo is empty", { GRUB_BLS, BY_OTHER }, "", "systemd-boot", "systemd-bootx64.efi" },
	/* bad input */
	{ "garbage", { F(BOOT NEW ".conf", "\001\002garbage\n") }, NULL, NULL, NEW ".conf: line 1" },
	{ "nothing to boot", { F(BOOT NEW ".conf", "title x\noptions " LINE "\n") }, NULL, NULL, NEW },
	{ "no id", { GONE("etc/machine-id") }, NULL, NULL, "machine-id" },
	{ "other root=", { F("etc/kernel/cmdline", "root=UUID=9 ro\n") }, NULL, NULL, "root=UUID=1 is not this system's root=UUID=9" },
	{ "NUL in cmdline", { { "etc/kernel/cmdline", "root=1\0\n", FIXTURE_FILE, 8 } }, NULL, NULL, "/etc/kernel/cmdline" },
	{ "dangling link", { { "etc/kernel/cmdline", "/nowhere/file", FIXTURE_LINK, 0 } }, NULL, NULL, "is a link" },
	{ "only a rescue entry", { GONE(BOOT OLD ".conf"), F(BOOT NEW ".conf", "title (rescue)\nlinux /k/linux\noptions " LINE "\n") },
	  NULL, NULL, "only a rescue entry" },
	/* warnings */
	{ "images", { F("efi/EFI/Linux/arch.efi", "") }, NULL, "systemd-boot", "1 unified kernel image in /efi/EFI/Linux" },
	{ "an image by default", { F("efi/loader/loader.conf", "default arch-linux.efi\n") }, NULL, "systemd-boot",
	  "'arch-linux.efi' boots by default" },
	{ "no kernel", { F(BOOT OLD ".conf", "linux /none\noptions " LINE "\n") }, NULL, "systemd-boot", "'/none' is not there" },
	{ "loader.conf is no text", { { "efi/loader/loader.conf", "\0\0", FIXTURE_FILE, 2 } }, NULL, "systemd-boot", "is no text" },
	{ "cmdline without root=", { F("etc/kernel/cmdline", "quiet\n") }, NULL, "systemd-boot", "has no root=" },
};

static void setups_are_recognised(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(recognition); i++) {
		char *dir = build(recognition[i].changes);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoerror struct sp_error *err = NULL;

		add_variable(dir, VAR("LoaderInfo"), recognition[i].info);
		int r = sp_boot_read(root, root, NULL, &boot, &err);
		if (recognition[i].name ? r < 0 || !sp_streq(boot->ops->name, recognition[i].name) : r == 0)
			fail_msg("%s: %s", recognition[i].what, r < 0 ? err->message : boot->ops->name);
		if (r == 0 ? !any_contains(&boot->seen, recognition[i].expected) &&
				     !any_contains(&boot->warnings, recognition[i].expected) :
			     !contains(err->message, recognition[i].expected) && !contains(err->hint, recognition[i].expected))
			fail_msg("%s: '%s' is not in: %s (hint: %s)", recognition[i].what, recognition[i].expected,
				 err ? err->message : "what was seen", err && err->hint ? err->hint : "");
		fixture_free(dir);
	}
}

/* Of another machine nothing counts; of a name everything is taken. */
static void only_its_own_machine_tells(void **state)
{
	static const struct fixture both[] = { GRUB_BLS, NONE };
	char *dir = build(both);
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autoboot struct sp_boot *boot = NULL, *named = NULL;

	(void) state;
	add_variable(dir, VAR("LoaderInfo"), "systemd-boot 257");
	assert_int_equal(sp_boot_read(root, NULL, NULL, &boot, NULL), -ENOTSUP);
	assert_int_equal(sp_boot_read(root, root, "grub-bls", &named, NULL), 0);
	assert_string_equal(named->ops->name, "grub-bls");
	fixture_free(dir);
}

/* --- whose entries, and which is the default --------------------------------------------------------------------- */

/* In menu order, one letter each: O ours, R our rescue entry, h hidden, - not ours; '*' behind the default. */
static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *wanted, *last; /* LoaderEntryDefault, LoaderEntryLastBooted */
	const char *entries;
} ownership[] = {
	{ "base", { NONE }, NULL, NULL, "O*O" },
	{ "both partitions", { F(ESP MID "-7.0.conf", TEXT("7.0", LINE)) }, NULL, NULL, "O*OO" },
	{ "another sort-key is first", { F(ESP OTHER "-1.conf", "sort-key aa\nlinux /k/linux\noptions root=UUID=2\n") }, NULL, NULL,
	  "-*OO" },
	{ "none is last", { F(ESP OTHER "-9.conf", "linux /k/linux\noptions root=UUID=2\n") }, NULL, NULL, "O*O-" },
	{ "no tries left: last", { GONE(BOOT NEW ".conf"), F(BOOT NEW "+0-3.conf", TEXT("6.19.8", LINE)) }, NULL, NULL, "O*O" },
	{ "tries left: as if it had no counter", { GONE(BOOT NEW ".conf"), F(BOOT NEW "+2-1.conf", TEXT("6.19.8", LINE)) }, NULL,
	  NULL, "O*O" },
	{ "loader.conf: a pattern", { F("efi/loader/loader.conf", "default " MID "-6.18*\n") }, NULL, NULL, "OO*" },
	{ "loader.conf: the last one counts", { F("efi/loader/loader.conf", "default x\n#default y\ndefault *-lts.conf\n") }, NULL,
	  NULL, "OO*" },
	{ "loader.conf: any case", { F("efi/loader/loader.conf", "default 7C4D*LTS.CONF\n") }, NULL, NULL, "OO*" },
	{ "loader.conf: none is such", { F("efi/loader/loader.conf", "default windows.conf\n") }, NULL, NULL, "O*O" },
	{ "loader.conf: no counter in it", { GONE(BOOT OLD ".conf"), F(BOOT OLD "+1-1.conf", TEXT("6.18", LINE)),
	  F("efi/loader/loader.conf", "default " OLD ".conf\n") }, NULL, NULL, "OO*" },
	{ "the variable is first", { F("efi/loader/loader.conf", "default " NEW ".conf\n") }, OLD ".conf", NULL, "OO*" },
	{ "saved", { F("efi/loader/loader.conf", "default @saved\n") }, NULL, OLD ".conf", "OO*" },
	{ "saved by the variable", { NONE }, "@saved", OLD ".conf", "OO*" },
	{ "saved, and nothing is", { NONE }, "@saved", NULL, "O*O" },
	{ "only XBOOTLDR has a loader.conf", { GONE("efi/loader"), F("boot/loader/loader.conf", "default *lts.conf\n") }, NULL, NULL,
	  "OO*" },
	{ "a bad one that is pinned", { GONE(BOOT NEW ".conf"), F(BOOT NEW "+0-3.conf", TEXT("6.19.8", LINE)) }, NEW "+0-3.conf", NULL,
	  "OO*" },
	{ "no kernel", { F(BOOT NEW ".conf", "sort-key a\nlinux /gone\noptions " LINE "\n") }, NULL, NULL, "hO*" },
	{ "backslashes", { F(BOOT NEW ".conf", "sort-key a\nlinux \\k\\linux\noptions " LINE "\n") }, NULL, NULL, "O*O" },
	{ "auto-", { F(BOOT "auto-x.conf", "sort-key a\nlinux /k/linux\noptions " LINE "\n") }, NULL, NULL, "hO*O" },
	{ "other names", { F(BOOT ".x.conf", "\001"), F(BOOT "x.conf.bak", "\001") }, NULL, NULL, "O*O" },
	{ "EFI program", { F(ESP "memtest.conf", "title m\nefi /m.efi\n") }, NULL, NULL, "O*O-" },
	{ "foreign garbage", { F(ESP "x.conf", "\001") }, NULL, NULL, "O*O-" },
	{ "quotes at both ends", { F(BOOT OLD ".conf", TEXT("6.18.16-1-lts", "\"" LINE "\"")) }, NULL, NULL, "O*-" },
	{ "two lines", { F(BOOT OLD ".conf", TEXT("6.18.16-1-lts", "quiet") "options root=UUID=1\n") }, NULL, NULL, "O*O" },
	{ "no options", { F(BOOT OLD ".conf", "sort-key arch\nversion 1\nlinux /k/linux\n") }, NULL, NULL, "O*-" },
	{ "entry-token", { F("etc/kernel/entry-token", "arch\n"), F(ESP "arch-7.0.conf", TEXT("7.0", LINE)) }, NULL, NULL, "O*OO" },
	{ "another system's id, our root=", { F(ESP OTHER "-7.conf", TEXT("7", LINE)), F("etc/kernel/cmdline", LINE "\n") }, NULL,
	  NULL, "-*OO" },
	{ "a fallback image", { F(BOOT OLD ".conf", "linux /k/linux\ninitrd /k/i-fallback.img\noptions " LINE "\n") }, NULL, NULL,
	  "O*R" },
	/* entries with names that say nothing */
	{ "by hand, nothing known", { F(ESP "arch.conf", HAND(LINE)) }, NULL, NULL, "O*O-" },
	{ "by hand, /etc/kernel/cmdline", { F(ESP "arch.conf", HAND(LINE)), F("etc/kernel/cmdline", LINE "\n") }, NULL, NULL, "O*OO" },
	{ "by hand, the running kernel", { F(ESP "arch.conf", HAND(LINE)), BY_OTHER }, NULL, NULL, "O*OO" },
	{ "by hand, other root=", { F(ESP "arch.conf", HAND("root=UUID=2")), BY_OTHER }, NULL, NULL, "O*O-" },
	{ "by hand, other subvolume", { F(ESP "arch.conf", HAND("root=UUID=1 rootflags=subvol=@snap")), BY_OTHER }, NULL, NULL,
	  "O*O-" },
	{ "by hand, other machine-id", { F(ESP "arch.conf", "machine-id " OTHER "\n" HAND(LINE)), BY_OTHER }, NULL, NULL, "O*O-" },
	{ "by hand alone", { GONE("boot/loader"), F(ESP "arch.conf", HAND(LINE)), F(ESP "arch-fallback.conf", HAND(LINE)), BY_OTHER },
	  NULL, NULL, "O*R" },
	{ "the running kernel was started with another root= for once", { F("proc/cmdline", "root=/dev/sdb1\n") }, NULL, NULL, "O*O" },
};

static char *letters(const struct sp_boot *boot)
{
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];

		sp_buf_adds(&b, e->hidden ? "h" : !e->ours ? "-" : e->rescue ? "R" : "O");
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
		char *dir = build(ownership[i].changes);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoerror struct sp_error *err = NULL;

		add_variable(dir, VAR("LoaderInfo"), "systemd-boot 257");
		add_variable(dir, VAR("LoaderEntryDefault"), ownership[i].wanted);
		add_variable(dir, VAR("LoaderEntryLastBooted"), ownership[i].last);
		if (sp_boot_read(root, root, NULL, &boot, &err) < 0)
			fail_msg("%s: %s", ownership[i].what, err->message);
		sp_autofree char *seen = letters(boot);
		if (!sp_streq(seen, ownership[i].entries))
			fail_msg("%s: %s instead of %s", ownership[i].what, seen, ownership[i].entries);
		assert_string_equal(boot->root_arg, "root=UUID=1");
		fixture_free(dir);
	}
}

/* --- what later kernels inherit ------------------------------------------------------------------------------------ */

static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *create; /* NULL: it is not made */
} futures[] = {
	{ "the default entry's line", { F("efi/loader/loader.conf", "default *lts.conf\n"),
	  F(BOOT OLD ".conf", TEXT("6.18", "initrd=\\a " LINE " BOOT_IMAGE=x lts")) }, LINE " lts" },
	{ "what kernel-install adds by itself", { F(BOOT NEW ".conf", TEXT("6.19.8", LINE " systemd.machine_id=" MID)) }, LINE },
	{ "another token", { F("etc/kernel/entry-token", "arch\n"), GONE("boot/loader"),
	  F(BOOT "arch-7.conf", TEXT("7", LINE " systemd.machine_id=" MID)) }, LINE " systemd.machine_id=" MID },
	{ "what the distribution ships", { F("usr/lib/kernel/cmdline", "root=UUID=1 vendor\n") }, "root=UUID=1 vendor" },
	{ "what it ships has no root=", { F("usr/lib/kernel/cmdline", "vendor\n") }, LINE },
	{ "all options lines", { F(BOOT NEW ".conf", TEXT("6.19.8", LINE) "options more\n") }, LINE " more" },
	{ "there is one", { F("etc/kernel/cmdline", LINE "\n") }, NULL },
	{ "entries by hand", { GONE("boot/loader"), F(ESP "arch.conf", HAND(LINE)), BY_OTHER }, NULL },
};

static void later_kernels_inherit_the_whole_line(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(futures); i++) {
		char *dir = build(futures[i].changes);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		const char *create = NULL;

		assert_int_equal(sp_boot_read(root, root, NULL, &boot, NULL), 0);
		for (size_t k = 0; k < boot->n_places; k++)
			if (boot->places[k].role == SP_PLACE_FUTURE)
				create = boot->places[k].create;
		if (futures[i].create ? !create || !sp_streq(create, futures[i].create) : !!create)
			fail_msg("%s: '%s'", futures[i].what, create);
		fixture_free(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setups_are_recognised),
		cmocka_unit_test(only_its_own_machine_tells),
		cmocka_unit_test(entries_are_told_apart),
		cmocka_unit_test(later_kernels_inherit_the_whole_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
