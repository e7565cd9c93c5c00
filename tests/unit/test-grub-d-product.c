/* SPDX-License-Identifier: MIT */
/* The setup grub-d: how grub.cfg is made, and what it must be before anything boots by it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/internal.h"
#include "grub-d-tree.h"

/* --- what a product must be -------------------------------------------------------------------------------------- */

#define LONG "x1234567890123456789012345678901234567890123456789=123456789012345678901234567890123456789012345678 "
#define VERY_LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG

static const struct {
	const char *what, *menu;
	struct fixture changes[MAX_FILES];
	int code;
	const char *message;
} products[] = {
	{ "ours once", NEW_MENU, { NONE }, 0, NULL },
	{ "not at all", OLD_MENU, { NONE }, -EBADMSG, "does not have 'iommu=pt' once and in effect" },
	{ "one of them", MENU("root=1 iommu=pt", "root=1"), { NONE }, -EBADMSG, "'transparent_hugepage=always'" },
	{ "twice", MENU("root=1 " OURS " iommu=pt", "root=1"), { NONE }, -EBADMSG, "'iommu=pt' once" },
	{ "another one in front, from nowhere", MENU("root=1 iommu=soft " OURS, "root=1"), { NONE }, -EBADMSG, "once" },
	{ "another one in front, as the files say", MENU("root=1 iommu=soft " OURS, "root=1"),
	  { F("etc/default/grub", VAR "=iommu=soft\n"), F(OWN, OWN_TEXT) }, 0, NULL },
	{ "another one behind", MENU("root=1 " OURS " iommu=soft", "root=1"),
	  { F("etc/default/grub", VAR "=iommu=soft\n"), F(OWN, OWN_TEXT) }, -EBADMSG, "in effect" },
	{ "twice, where a shell decides", MENU("root=1 iommu=pt " OURS, "root=1"), { F("etc/default/grub", VAR "=`x`\n") }, 0, NULL },
	{ "no root=", MENU(OURS, "root=1"), { NONE }, -EBADMSG, "has no root=, so it would not boot" },
	{ "an empty root=", MENU("root= " OURS, "root=1"), { NONE }, -EBADMSG, "has no root=" },
	{ "no root= for recovery", MENU("root=1 " OURS, "single"), { NONE }, -EBADMSG, "'Debian gnulinux-6.12-recovery-1' has no root=" },
	{ "in recovery", MENU("root=1 " OURS, "root=1 iommu=pt"), { NONE }, -EBADMSG, "'iommu=pt' got into a recovery entry" },
	{ "in recovery, by others", MENU("root=1 " OURS, "root=1 iommu=pt"), { F("etc/default/grub", "GRUB_CMDLINE_LINUX=iommu=pt\n") },
	  0, NULL },
	{ "in recovery, as before", MENU("root=1 " OURS, "root=1 iommu=pt"),
	  { F("boot/grub/grub.cfg", MENU("root=1", "root=1 iommu=pt")) }, 0, NULL },
	{ "in recovery, where a shell decides", MENU("root=1 " OURS, "root=1 iommu=pt"), { F("etc/default/grub", VAR "=`x`\n") }, 0,
	  NULL },
	{ "no entry", BEGIN_LINUX END_LINUX, { NONE }, -EBADMSG, "no entry starts this system" },
	{ "only recovery", BEGIN_LINUX RECOVERY("root=1"), { NONE }, -EBADMSG, "no entry starts this system" },
	{ "nothing", "", { NONE }, -EBADMSG, "no menu of grub-mkconfig" },
	{ "damaged", NEW_MENU "menuentry x {\n", { NONE }, -EINVAL, "never closed" },
	{ "too long", MENU("root=1 " VERY_LONG OURS, "root=1"), { NONE }, -E2BIG, "a kernel reads 2047" },
	{ "entries of others are theirs", NEW_MENU "### BEGIN /etc/grub.d/40_custom ###\n" ENTRY_OF("x", "quiet"), { NONE }, 0, NULL },
};

static void make_tool(const char *dir, const char *path, const char *script)
{
	sp_autofree char *full = sp_xasprintf("%s/%s", dir, path);

	fixture_add(dir, &(struct fixture){ path, script, FIXTURE_FILE, 0 });
	assert_int_equal(chmod(full, 0755), 0);
}

static int generate(const char *dir, const struct sp_tokens *wanted, struct sp_buf *product, struct sp_error **err)
{
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autoboot struct sp_boot *boot = NULL;

	assert_int_equal(sp_boot_read(root, NULL, "grub-d", &boot, NULL), 0);
	sp_autoedits struct sp_edits edits = { 0 };
	int r = boot->ops->generate(root, boot, wanted, &edits, err);
	assert_int_equal(edits.n, r == 0);
	if (r == 0)
		sp_buf_add(product, edits.v[0].after.bytes.data, edits.v[0].after.bytes.len);
	return r;
}

static void products_are_checked(void **state)
{
	sp_autotokens struct sp_tokens wanted = { 0 };

	(void) state;
	want(&wanted);
	for (size_t i = 0; i < SP_ELEMENTS(products); i++) {
		char *dir = build_debian(products[i].changes);
		sp_autofree char *script = sp_xasprintf(READS_FOLDER "cat <<'END OF MENU'\n%sEND OF MENU\n", products[i].menu);
		sp_autobuf struct sp_buf product = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		make_tool(dir, TOOL, script);
		int r = generate(dir, &wanted, &product, &err);
		if (r != products[i].code || (r < 0 && !contains(err->message, products[i].message)))
			fail_msg("%s: %d: %s", products[i].what, r, err ? err->message : "accepted");
		if (r == 0)
			assert_string_equal(product.data, products[i].menu);
		fixture_free(dir);
	}
}

#define SAY(menu) "cat <<'END OF MENU'\n" menu "END OF MENU\n"

static const struct {
	const char *what, *tool, *checker;
	struct fixture changes[MAX_FILES];
	int code;
	const char *message;
} runs[] = {
	{ "GRUB's own checker agrees", SAY(NEW_MENU), "while read -r l; do case $l in *vmlinuz*) ok=1 ;; esac; done; exit $((! ok))",
	  { NONE }, 0, NULL },
	{ "GRUB's own checker does not", SAY(NEW_MENU), "cat >/dev/null; echo line 7: odd >&2; exit 1", { NONE }, -EIO,
	  "grub-script-check' ended with exit status 1: line 7: odd" },
	{ "the generator fails", "echo half; echo no such device >&2; exit 3", NULL, { NONE }, -EIO,
	  "grub-mkconfig' ended with exit status 3: no such device" },
	{ "the language of the system", "[ \"$LANG\" = de_DE.UTF-8 ] && [ -z \"$LC_ALL\" ] || exit 9\n" SAY(NEW_MENU), NULL,
	  { F("etc/default/locale", "# x\nLANG=\"de_DE.UTF-8\"\n") }, 0, NULL },
	{ "or none", "[ \"$LC_ALL\" = C ] && [ -z \"$LANG\" ] || exit 9\n" SAY(NEW_MENU), NULL, { NONE }, 0, NULL },
	{ "no more of our environment", "[ -z \"$HOME$SP_SRCDIR$TMPDIR\" ] && [ -n \"$PATH\" ] || exit 9\n" SAY(NEW_MENU), NULL,
	  { NONE }, 0, NULL },
};

static void tools_are_run(void **state)
{
	sp_autotokens struct sp_tokens wanted = { 0 };

	(void) state;
	want(&wanted);
	for (size_t i = 0; i < SP_ELEMENTS(runs); i++) {
		char *dir = build_debian(runs[i].changes);
		sp_autofree char *tool = sp_xasprintf(READS_FOLDER "%s\n", runs[i].tool);
		sp_autofree char *checker = sp_xasprintf("#!/bin/sh\n%s\n", runs[i].checker ? runs[i].checker : "");
		sp_autobuf struct sp_buf product = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		make_tool(dir, TOOL, tool);
		if (runs[i].checker)
			make_tool(dir, CHECKER, checker);
		int r = generate(dir, &wanted, &product, &err);
		if (r != runs[i].code || (r < 0 && !contains(err->message, runs[i].message)))
			fail_msg("%s: %d: %s", runs[i].what, r, err ? err->message : "accepted");
		fixture_free(dir);
	}
}

/* No program of another tree is run, and ours says why. */
static void another_tree_is_refused(void **state)
{
	char *dir = build_debian((struct fixture[]){ NONE });
	sp_autoroot struct sp_root *root = open_root(dir), *host = open_root("/");

	(void) state;
	assert_string_equal(sp_generators_refusal(root), "programs of another tree are not run");
	const char *why = sp_generators_refusal(host);
	assert_true(!why || strstr(why, "here"));
	fixture_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_are_checked),
		cmocka_unit_test(tools_are_run),
		cmocka_unit_test(another_tree_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
