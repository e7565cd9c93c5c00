/* SPDX-License-Identifier: MIT */
/* That a plan for grub-bls, carried out, is in effect, idempotent, and undone to the byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "grub-tree.h"

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
	{ "only the variable that wins needs a shell", { F("etc/default/grub", "GRUB_CMDLINE_LINUX=\"x\"\n"
	  "GRUB_CMDLINE_LINUX_DEFAULT=\"$(x)\"\n" BLSCFG) }, NULL,
	  { { "etc/default/grub", "GRUB_CMDLINE_LINUX=\"x " OURS "\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"$(x)\"\n" BLSCFG } } },
	{ "an escaped dollar is no variable", { F(ENTRY(NEW), TEXT("6.19.8", "options " LINE " x=\\$kernelopts\n")) },
	  "kernelopts=root=UUID=9\n",
	  { { ENTRY(NEW), TEXT("6.19.8", "options " LINE " x=\\$kernelopts " OURS "\n") } } },
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

	if (sp_boot_read(root, NULL, NULL, &boot, &err) < 0 ||
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

	assert_int_equal(sp_boot_read(root, NULL, NULL, &boot, NULL), 0);
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

/* Taking our tokens out must give the bytes back, but for a file that was made and the blank of a padded line. */
static void expect_undone(const struct sp_edits *first, const struct sp_edits *back, const char *what)
{
	for (size_t i = 0; i < first->n; i++) {
		const struct sp_edit *was = &first->v[i], *is = sp_edits_find(back, was->path);

		if (!was->before.exists || strstr(was->after.bytes.data, "pt  transparent"))
			continue;
		if (strstr(what, "of grub.cfg") || strstr(what, "no options line"))
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

		assert_int_equal(sp_boot_read(root, NULL, NULL, &boot, NULL), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_hold),
		cmocka_unit_test(files_are_published_in_order),
		cmocka_unit_test(later_entries_own_what_is_common),
		cmocka_unit_test(a_change_by_hand_is_reported),
		cmocka_unit_test(too_long_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
