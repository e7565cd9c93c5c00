/* SPDX-License-Identifier: MIT */
/* The setups grub-default and grub2-default: what is recognised, what is refused, what becomes of the one file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/internal.h"
#include "grub-d-tree.h"

#define PLAIN "#!/bin/sh\n. /etc/default/grub\n"
#define ARCH F(TOOL, PLAIN), GONE("etc/debian_version")
#define SUSE GONE(TOOL), GONE("boot/grub"), F("boot/grub2/grub.cfg", OLD_MENU), F("usr/sbin/grub2-mkconfig", PLAIN)
#define DEFAULTS(text) F("etc/default/grub", text)

static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *name; /* of the setup; NULL: refused */
	const char *text; /* in what was seen or warned of; in the message or the hint */
} recognition[] = {
	{ "Arch", { ARCH }, "grub-default", "/usr/sbin/grub-mkconfig reads /etc/default/grub and no folder" },
	{ "openSUSE", { SUSE }, "grub2-default", "/boot/grub2/grub.cfg made by a grub-mkconfig" },
	{ "the tool that reads the folder", { GONE("etc/debian_version") }, "grub-d", "reads /etc/default/grub.d" },
	{ "BLS entries after all", { SUSE, F("boot/grub2/grub.cfg", OLD_MENU CFG) }, NULL, "with blscfg" },
	{ "a menu of somebody's own", { ARCH, F("boot/grub/grub.cfg", NORMAL("root=1")) }, NULL, "no boot setup" },
	{ "no tool", { GONE(TOOL) }, NULL, "no boot setup" },
	{ "ostree", { ARCH, F("ostree/repo/config", "") }, NULL, "ostree" },
	{ "a value that a shell computes", { ARCH, DEFAULTS(VAR "=\"`cat /etc/args`\"\n") }, NULL, "in one assignment" },
	{ "a value from another variable", { ARCH, DEFAULTS("A=quiet\n" VAR "=\"$A splash\"\n") }, NULL, VAR " cannot be changed" },
	{ "no settings", { ARCH, GONE("etc/default/grub") }, NULL, "install GRUB's package anew" },
	{ "what all entries get, computed", { ARCH, DEFAULTS("GRUB_CMDLINE_LINUX=`x`\n" VAR "=quiet\n") }, "grub-default", "" },
	{ "a root that is replaced by each update",
	  { SUSE, F("usr/sbin/transactional-update", ""), F("etc/fstab", "# /\nUUID=1 / btrfs defaults,ro 0 0\n") }, NULL,
	  "transactional-update shell" },
	{ "transactional-update, unused", { SUSE, F("usr/sbin/transactional-update", ""), F("etc/fstab", "UUID=1 / btrfs rw 0 0\n") },
	  "grub2-default", "" },
	{ "a damaged menu", { ARCH, F("boot/grub/grub.cfg", BEGIN_LINUX "menuentry 'x {\n") }, "grub-default", "a quote" },
};

static bool seen(const struct sp_boot *boot, const char *text)
{
	for (size_t i = 0; i < boot->seen.n; i++)
		if (contains(boot->seen.v[i], text))
			return true;
	for (size_t i = 0; i < boot->warnings.n; i++)
		if (contains(boot->warnings.v[i], text))
			return true;
	return !*text;
}

static void setups_are_recognised(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(recognition); i++) {
		char *dir = build_debian(recognition[i].changes);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoerror struct sp_error *err = NULL;
		int r = sp_boot_read(root, NULL, NULL, &boot, &err);

		if (r < 0 ? recognition[i].name || (!contains(err->message, recognition[i].text) &&
						    !contains(err->hint, recognition[i].text)) :
			    !sp_streq(boot->ops->name, recognition[i].name) || !seen(boot, recognition[i].text))
			fail_msg("%s: %s (hint: %s)", recognition[i].what, r < 0 ? err->message : boot->ops->name,
				 r < 0 && err->hint ? err->hint : "");
		fixture_free(dir);
	}
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *what, *before, *after;
} edits[] = {
	{ "plain", "A=1\n" VAR "=\"quiet\"\nB=2\n", "A=1\n" VAR "=\"quiet " OURS "\"\nB=2\n" },
	{ "single quotes", VAR "='quiet'\n", VAR "='quiet " OURS "'\n" },
	{ "empty", VAR "=\"\"\n", VAR "=\"" OURS "\"\n" },
	{ "another value of ours", VAR "=\"iommu=soft quiet\"\n", VAR "=\"iommu=pt quiet transparent_hugepage=always\"\n" },
	{ "there already", VAR "=\"" OURS "\"\n", NULL },
	{ "what all entries get stays", "GRUB_CMDLINE_LINUX=\"iommu=soft\"\n" VAR "=quiet\n",
	  "GRUB_CMDLINE_LINUX=\"iommu=soft\"\n" VAR "=\"quiet " OURS "\"\n" },
};

static void one_file_is_edited(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(edits); i++) {
		char *dir = build_debian((struct fixture[]){ ARCH, DEFAULTS(edits[i].before), NONE });
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autotokens struct sp_tokens wanted = { 0 }, none = { 0 };
		sp_autoedits struct sp_edits done = { 0 };
		sp_autostrv struct sp_strv changed = { 0 };
		const struct sp_owned_list owned = { 0 };

		want(&wanted);
		assert_int_equal(sp_boot_read(root, NULL, NULL, &boot, NULL), 0);
		assert_int_equal(sp_boot_plan(root, boot, &owned, &none, &wanted, &done, &changed, NULL), 0);
		const struct sp_edit *e = sp_edits_find(&done, "/etc/default/grub");
		const char *after = e && e->op != SP_OP_KEEP ? e->after.bytes.data : NULL;
		if (after ? !sp_streq(after, edits[i].after) : edits[i].after != NULL)
			fail_msg("%s: %s", edits[i].what, after ? after : "not edited");
		fixture_free(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setups_are_recognised),
		cmocka_unit_test(one_file_is_edited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
