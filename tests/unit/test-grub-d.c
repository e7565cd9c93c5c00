/* SPDX-License-Identifier: MIT */
/* The setup grub-d: what is recognised, which entries are ours, what counts beside our file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/internal.h"
#include "grub-d-tree.h"

/* --- recognised or not ------------------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *boot;
	int code;
	const char *expected[3]; /* in what was seen, the warnings, the message or the hint */
} recognition[] = {
	{ "Debian", { NONE }, NULL, 0,
	  { "/boot/grub/grub.cfg made by grub-mkconfig", "/usr/sbin/grub-mkconfig reads /etc/default/grub.d",
	    "/etc/debian_version" } },
	{ "not called Debian", { GONE("etc/debian_version"), GONE(TOOL), F("usr/bin/grub-mkconfig", READS_FOLDER) }, NULL, 0,
	  { "/usr/bin/grub-mkconfig reads" } },
	{ "grub-mkconfig that does not read the folder", { F(TOOL, "#!/bin/sh\n. /etc/default/grub\n") }, NULL, 0,
	  { "reads /etc/default/grub and no folder" } },
	{ "no grub-mkconfig", { GONE(TOOL) }, NULL, -ENOTSUP, { "no boot setup that is supported" } },
	{ "no grub.cfg", { GONE("boot/grub") }, NULL, -ENOTSUP, { "no boot setup that is supported" } },
	{ "grub.cfg written by hand", { F("boot/grub/grub.cfg", NORMAL("root=UUID=1")) }, NULL, -ENOTSUP, { NULL } },
	{ "grub.cfg that calls blscfg", { F("boot/grub/grub.cfg", OLD_MENU "blscfg\n") }, NULL, -ENOTSUP, { "with blscfg" } },
	{ "grub2 in another folder", { GONE("boot/grub"), F("boot/grub2/grub.cfg", OLD_MENU) }, NULL, -ENOTSUP, { NULL } },
	{ "ostree", { F("ostree/repo/config", "") }, NULL, -ENOTSUP, { "ostree deployment" } },
	{ "entries beside it", { F(ENTRY(NEW), TEXT("6.19.8", "options " LINE "\n")) }, NULL, 0, { "made by grub-mkconfig" } },
	{ "two setups", { F(ENTRY(NEW), TEXT("6.19.8", "options " LINE "\n")), F("etc/default/grub", BLSCFG) }, NULL, -ENOTSUP,
	  { "grub-bls (1 entry in /boot/loader/entries, GRUB_ENABLE_BLSCFG=true",
	    "grub-d (/boot/grub/grub.cfg made by grub-mkconfig, ", "--boot grub-bls or --boot grub-d" } },
	{ "two setups, one named", { F(ENTRY(NEW), TEXT("6.19.8", "options " LINE "\n")), F("etc/default/grub", BLSCFG) },
	  "grub-d", 0, { "made by grub-mkconfig" } },
	{ "two setups, the other named", { F(ENTRY(NEW), TEXT("6.19.8", "options " LINE "\n")), F("etc/default/grub", BLSCFG) },
	  "grub-bls", 0, { "1 entry in" } },
	{ "named without any sign", { GONE("boot"), GONE(TOOL) }, "grub-d", 0,
	  { "not recognised", "not known: there is no /boot/grub/grub.cfg" } },
	{ "a menu that is damaged", { F("boot/grub/grub.cfg", BEGIN_LINUX "menuentry 'x {\n") }, NULL, 0,
	  { "not known: /boot/grub/grub.cfg: line 2: a quote" } },
	{ "a menu that starts nothing", { F("boot/grub/grub.cfg", BEGIN_LINUX END_LINUX) }, NULL, 0,
	  { "no entry of /boot/grub/grub.cfg starts this system" } },
	{ "a file for the folder", { F("etc/default/grub.d", "") }, NULL, -ENOTDIR, { "cannot list '/etc/default/grub.d'" } },
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
		char *dir = build_debian(recognition[i].changes);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoerror struct sp_error *err = NULL;
		int r = sp_boot_read(root, NULL, recognition[i].boot, &boot, &err);

		if (r != recognition[i].code)
			fail_msg("%s: %d: %s", recognition[i].what, r, err ? err->message : "no error");
		for (size_t k = 0; k < 3 && recognition[i].expected[k]; k++) {
			const char *text = recognition[i].expected[k];
			if (r == 0 ? !any_contains(&boot->seen, text) && !any_contains(&boot->warnings, text) :
				     !contains(err->message, text) && !contains(err->hint, text))
				fail_msg("%s: '%s' is not in: %s (hint: %s)", recognition[i].what, text,
					 err ? err->message : "warnings", err && err->hint ? err->hint : "");
		}
		if (r == -ENOTSUP)
			assert_int_equal(err->exit, SP_EXIT_UNSUPPORTED);
		fixture_free(dir);
	}
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

#define SAVED "set default=\"${saved_entry}\"\n"

static const struct {
	const char *what, *cfg, *saved;
	const char *shown; /* "ID*|kind|version|line" of each, and "root" */
} menus[] = {
	{ "as it comes", OLD_MENU, NULL,
	  "gnulinux-simple-1*|ours|6.12|root=UUID=1 ro  quiet\ngnulinux-6.12-recovery-1|rescue|6.12|root=UUID=1 ro single\n"
	  "root=UUID=1" },
	{ "saved", SAVED OLD_MENU, "gnulinux-6.12-recovery-1",
	  "gnulinux-simple-1|ours|6.12|root=UUID=1 ro  quiet\ngnulinux-6.12-recovery-1*|rescue|6.12|root=UUID=1 ro single\n"
	  "root=UUID=1" },
	{ "saved, and gone", SAVED BEGIN_LINUX NORMAL("root=1") END_LINUX, "gnulinux-old", "gnulinux-simple-1*|ours|6.12|root=1\nroot=1" },
	{ "nothing saved", SAVED BEGIN_LINUX NORMAL("root=1") END_LINUX, NULL, "gnulinux-simple-1*|ours|6.12|root=1\nroot=1" },
	{ "other systems and scripts", "set default=1\n" BEGIN_LINUX NORMAL("root=1") NORMAL("root=2") NORMAL("quiet") END_LINUX
	  "### BEGIN /etc/grub.d/40_custom ###\n" ENTRY_OF("mine", "root=1") "### END /etc/grub.d/40_custom ###\n"
	  ENTRY_OF("by-hand", "root=1") "menuentry fw {\nfwsetup\n}\n", NULL,
	  "gnulinux-simple-1|its root=1 is not this system's root=2|6.12|root=1\ngnulinux-simple-1*|ours|6.12|root=2\n"
	  "gnulinux-simple-1|it has no root=|6.12|quiet\nmine|'/etc/grub.d/40_custom' wrote it|6.12|root=1\n"
	  "by-hand|grub-mkconfig did not write it|6.12|root=1\nfw|it does not start a Linux kernel|-|\nroot=2" },
	{ "scripts by another number", "### BEGIN /etc/grub.d/09_linux ###\n" NORMAL("root=1")
	  "### BEGIN /etc/grub.d/10_linux_zfs ###\n" NORMAL("root=1") "### BEGIN /etc/grub.d/20_linux_xen ###\n" NORMAL("root=1"),
	  NULL, "gnulinux-simple-1*|ours|6.12|root=1\ngnulinux-simple-1|ours|6.12|root=1\n"
	  "gnulinux-simple-1|'/etc/grub.d/20_linux_xen' wrote it|6.12|root=1\nroot=1" },
	{ "without identifiers", BEGIN_LINUX "menuentry 'a (recovery mode)' {\nlinux /boot/bzImage root=1\n}\n"
	  "menuentry a {\nlinux /boot/vmlinuz-6 root=1\n}\n", NULL,
	  "a (recovery mode)*|rescue|-|root=1\na|ours|6|root=1\nroot=1" },
	{ "a kernel chosen at boot", BEGIN_LINUX "menuentry a {\nif x; then linux /vmlinuz-1 root=1; else linux /vmlinuz-2 root=1; fi\n}\n",
	  NULL, "a*|ours|1|root=1\na|ours|2|root=1\nroot=1" },
};

static const char *kind_of(const struct sp_entry *e)
{
	return e->rescue ? "rescue" : e->ours ? "ours" : e->why;
}

static void entries_are_read(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(menus); i++) {
		const struct fixture changes[] = { F("boot/grub/grub.cfg", menus[i].cfg), NONE };
		char *dir = build_debian(changes), env[1025] = { 0 };
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autobuf struct sp_buf shown = { 0 };

		if (menus[i].saved) {
			(void) snprintf(env, sizeof(env), "# GRUB Environment Block\nsaved_entry=%s\n", menus[i].saved);
			memset(env + strlen(env), '#', sizeof(env) - 1 - strlen(env));
			fixture_add(dir, &(struct fixture){ "boot/grub/grubenv", env, FIXTURE_FILE, 1024 });
		}
		assert_int_equal(sp_boot_read(root, NULL, "grub-d", &boot, NULL), 0);
		for (size_t k = 0; k < boot->n_entries; k++) {
			const struct sp_entry *e = &boot->entries[k];
			sp_buf_addf(&shown, "%s%s|%s|%s|%s\n", e->id, e->by_default ? "*" : "", kind_of(e),
				    e->version ? e->version : "-", e->line);
		}
		sp_buf_adds(&shown, boot->root_arg ? boot->root_arg : "no root");
		if (!sp_streq(shown.data, menus[i].shown))
			fail_msg("%s:\n%s\n--- where this is right:\n%s", menus[i].what, shown.data, menus[i].shown);
		fixture_free(dir);
	}
}

/* --- what counts beside our file --------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct fixture changes[MAX_FILES];
	const char *line;  /* that comes out, as far as it is understood, without doubled blanks */
	const char *shown; /* "path:line text" of each source; "!" behind ours, "!!" anew */
} chains[] = {
	{ "one file", { NONE }, "quiet", "/etc/default/grub:2 quiet\n" },
	{ "ours", { F(OWN, OWN_TEXT) }, "quiet " OURS, "/etc/default/grub:2 quiet\n" },
	{ "both variables", { F("etc/default/grub", "GRUB_CMDLINE_LINUX=a\n" VAR "=b\n"), F(OWN, OWN_TEXT) }, "a b " OURS,
	  "/etc/default/grub:1 a\n/etc/default/grub:2 b\n" },
	{ "a cloud image", { F("etc/default/grub.d/50-cloud.cfg", "# x\n" VAR "=\"console=tty1\"\n"), F(OWN, OWN_TEXT) },
	  "console=tty1 " OURS, "/etc/default/grub.d/50-cloud.cfg:2 console=tty1\n" },
	{ "drop-ins that add", { F("etc/default/grub.d/1.cfg", VAR "=\"" SELF " a\"\n"), F("etc/default/grub.d/0.cfg", VAR "+=\" b\"\n"),
	  F("etc/default/grub.d/no", VAR "=x\n"), F("etc/default/grub.d/.h.cfg", VAR "=x\n") }, "quiet b a",
	  "/etc/default/grub:2 quiet\n/etc/default/grub.d/0.cfg:1 b\n/etc/default/grub.d/1.cfg:1 a\n" },
	{ "by name, not by number", { F("etc/default/grub.d/100_x.cfg", VAR "=a\n"), F("etc/default/grub.d/20_x.cfg", VAR "=b\n") },
	  "b", "/etc/default/grub.d/20_x.cfg:1 b\n" },
	{ "after ours, adding", { F(OWN, OWN_TEXT), F("etc/default/grub.d/zzz.cfg", VAR "=\"" SELF " iommu=soft\"\n") },
	  "quiet " OURS " iommu=soft", "/etc/default/grub:2 quiet\n/etc/default/grub.d/zzz.cfg:1 iommu=soft !\n" },
	{ "after ours, anew", { F(OWN, OWN_TEXT), F("etc/default/grub.d/zzz.cfg", VAR "=late\n") }, "late",
	  "/etc/default/grub:2 quiet\n/etc/default/grub.d/zzz.cfg:1 late !!\n" },
	{ "after ours, while ours is not there", { F("etc/default/grub.d/zzz.cfg", VAR "=late\n") }, "late",
	  "/etc/default/grub:2 quiet\n/etc/default/grub.d/zzz.cfg:1 late !!\n" },
	{ "the other variable has no place for ours", { F(OWN, OWN_TEXT), F("etc/default/grub.d/zzz.cfg", "GRUB_CMDLINE_LINUX=x\n") },
	  "x quiet " OURS, "/etc/default/grub.d/zzz.cfg:1 x\n/etc/default/grub:2 quiet\n" },
	{ "what needs a shell", { F("etc/default/grub", VAR "=\"$(x)\"\n"), F(OWN, OWN_TEXT) }, OURS,
	  "/etc/default/grub:0 (line 1: the value is computed by the shell)\n" },
	{ "settled by what comes behind", { F("etc/default/grub", VAR "=\"$(x)\"\n"), F("etc/default/grub.d/5.cfg", VAR "=a\n"),
	  F(OWN, OWN_TEXT) }, "a " OURS, "/etc/default/grub.d/5.cfg:1 a\n" },
	{ "a loop after ours", { F(OWN, OWN_TEXT), F("etc/default/grub.d/zzz.cfg", "if x; then " VAR "=a; fi\n") }, "quiet " OURS,
	  "/etc/default/grub:2 quiet\n/etc/default/grub.d/zzz.cfg:0 (line 1: '" VAR "' is assigned inside a compound command) !\n" },
	{ "no file at all", { GONE("etc/default") }, "", "" },
};

static char *without_runs(const char *line)
{
	sp_autoargs struct sp_args args = { 0 };
	sp_autostrv struct sp_strv words = { 0 };

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n; i++)
		sp_strv_add(&words, args.v[i].text);
	return sp_strv_join(&words, " ");
}

static const char *own_line(const struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_places; i++)
		if (boot->places[i].whole)
			return boot->places[i].line;
	fail_msg("there is no place of ours");
	return "";
}

static void sources_are_read(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(chains); i++) {
		char *dir = build_debian(chains[i].changes);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autobuf struct sp_buf shown = { 0 };

		assert_int_equal(sp_boot_read(root, NULL, "grub-d", &boot, NULL), 0);
		sp_buf_adds(&shown, "");
		for (size_t k = 0; k < boot->n_sources; k++) {
			const struct sp_source *s = &boot->sources[k];
			sp_autofree char *text = s->text ? without_runs(s->text) : sp_xasprintf("(%s)", s->why);
			sp_buf_addf(&shown, "%s:%u %s%s%s\n", s->path, s->line, text, s->behind ? " !" : "", s->anew ? "!" : "");
		}
		sp_autofree char *line = without_runs(own_line(boot));
		if (!sp_streq(shown.data, chains[i].shown) || !sp_streq(line, chains[i].line))
			fail_msg("%s: '%s'\n%s--- where this is right: '%s'\n%s", chains[i].what, line, shown.data,
				 chains[i].line, chains[i].shown);
		fixture_free(dir);
	}
}

/* The last one in front of ours that says the key, and the last one behind it that says the key or takes all away. */
static void sources_decide(void **state)
{
	static const struct {
		const char *key, *before, *behind;
	} keys[] = { { "quiet", "/etc/default/grub", NULL },
		     { "a", "/etc/default/grub.d/2.cfg", "/etc/default/grub.d/zzz.cfg" },
		     { "b", "/etc/default/grub.d/1.cfg", NULL },
		     { "c", NULL, "/etc/default/grub.d/zzz.cfg" },
		     { "d", NULL, NULL } };
	char *dir = build_debian((struct fixture[]){
		F("etc/default/grub.d/1.cfg", VAR "=\"" SELF " a=1 b=1\"\n"), F("etc/default/grub.d/2.cfg", VAR "=\"" SELF " a=2\"\n"),
		F("etc/default/grub.d/zzz.cfg", VAR "=\"" SELF " a=3 c=3\"\n"), NONE });
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autoboot struct sp_boot *boot = NULL;

	(void) state;
	assert_int_equal(sp_boot_read(root, NULL, "grub-d", &boot, NULL), 0);
	for (size_t i = 0; i < SP_ELEMENTS(keys); i++) {
		const struct sp_source *before = sp_source_before(boot, keys[i].key), *behind = sp_source_behind(boot, keys[i].key);

		if (before ? !sp_streq(before->path, keys[i].before) : keys[i].before != NULL)
			fail_msg("%s: before: %s", keys[i].key, before ? before->path : "none");
		if (behind ? !sp_streq(behind->path, keys[i].behind) : keys[i].behind != NULL)
			fail_msg("%s: behind: %s", keys[i].key, behind ? behind->path : "none");
	}
	fixture_free(dir);
}

/* --- foreign tokens that ours displace --------------------------------------------------------------------------- */

static void foreign_tokens_are_displaced(void **state)
{
	static const char before[] = "X=1\n" VAR "=\"quiet amd_iommu=off splash\" # c\n";
	char *dir = build_debian((struct fixture[]){ F("etc/default/grub", before), NONE });
	sp_autoroot struct sp_root *root = open_root(dir);
	const struct sp_strv conflicts = { (char *[]){ (char *) "amd_iommu=off", (char *) "iommu=*" }, 2 };
	sp_autotokens struct sp_tokens plain = { 0 }, replacing = { 0 }, none = { 0 };
	sp_autoowned struct sp_owned_list owned = { 0 };
	sp_autonote struct sp_note note = { 0 };

	(void) state;
	sp_tokens_add(&plain, "iommu=pt", NULL);
	sp_tokens_add(&replacing, "iommu=pt", &conflicts);
	for (int step = 0; step < 4; step++) { /* nothing to displace; displaced; again; put back */
		static const char *const expected[] = { NULL, "X=1\n" VAR "=\"quiet splash\" # c\n", NULL, before };
		static const enum sp_op ops[] = { SP_OP_KEEP, SP_OP_REPLACE, SP_OP_KEEP, SP_OP_REPLACE };
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoedits struct sp_edits edits = { 0 };
		sp_autostrv struct sp_strv changed = { 0 };

		assert_int_equal(sp_boot_read(root, NULL, "grub-d", &boot, NULL), 0);
		assert_int_equal(sp_boot_plan(root, boot, &owned, &none, step == 1 || step == 2 ? &replacing : &plain, &edits,
					      &changed, NULL), 0);
		assert_int_equal(edits.n, step == 0 ? 0 : 1);
		if (step == 0)
			continue;
		assert_int_equal(edits.v[0].op, ops[step]);
		if (expected[step])
			assert_string_equal(edits.v[0].after.bytes.data, expected[step]);
		sp_note_clear(&note);
		assert_int_equal(sp_note_from_json(edits.v[0].note, &note, NULL), 0);
		sp_owned_set_tokens(&owned, "/etc/default/grub", &note.lines[0].host, &note.lines[0].to);
		fixture_add(dir, &(struct fixture){ "etc/default/grub", edits.v[0].after.bytes.data, FIXTURE_FILE, 0 });
	}
	fixture_free(dir);
}

/* --- our file ---------------------------------------------------------------------------------------------------- */

static void our_file_is_read_back(void **state)
{
	static const struct sp_dropin_line lines[] = { { "iommu", "Why \\", "iommu", "pt" },
						       { "thp", "Reason.", "transparent_hugepage", "always" } };
	sp_autobuf struct sp_buf text = { 0 }, none = { 0 };

	(void) state;
	sp_boot_grub_d.render(lines, 2, &text);
	sp_boot_grub_d.render(lines, 0, &none);
	assert_int_equal(none.len, 0);
	char *dir = build_debian((struct fixture[]){ F(OWN, text.data), NONE });
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autoboot struct sp_boot *boot = NULL;
	assert_int_equal(sp_boot_read(root, NULL, NULL, &boot, NULL), 0);
	sp_autofree char *line = without_runs(own_line(boot));
	assert_string_equal(line, "quiet " OURS);
	fixture_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setups_are_recognised),	cmocka_unit_test(entries_are_read),
		cmocka_unit_test(sources_are_read),		cmocka_unit_test(foreign_tokens_are_displaced),
		cmocka_unit_test(our_file_is_read_back),	cmocka_unit_test(sources_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
