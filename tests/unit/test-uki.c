/* SPDX-License-Identifier: MIT */
/* The setup uki: which images are this system's, their whole line, what is refused, and what is taken for an addon. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "fixture-tree.h"
#include "format/pe.h"

#define MID "7c4d9a1e0b3f4852a6c7d8e9f0a1b2c3"
#define OTHER "f0e1d2c3b4a5968778695a4b3c2d1e0f"
#define LINE "root=UUID=1 rw quiet"
#define DIR "efi/EFI/Linux/"
#define SOURCE "etc/kernel/strix-provision.cmdline"
#define ADDON "strix-provision.addon.efi"
#define EXTRA(image) DIR image ".extra.d/"
#define MAGIC(version) "#### LoaderInfo: systemd-stub " version " ####"

/* An image, an addon (kernel false), or with text alone any file. */
struct image {
	const char *path, *line, *release, *uname, *magic;
	bool kernel;
	const char *text;
};
#define IMAGE(name, line) { DIR name, line, "ID=arch\nPRETTY_NAME=\"Arch Linux\"\n", "6.19.8", MAGIC("258.2-1"), true, NULL }
#define OF(name, line, os) { DIR name, line, "ID=" os "\n", "6.19.8", MAGIC("258"), true, NULL }
#define STUB(name, magic) { DIR name, LINE, "ID=arch\n", NULL, magic, true, NULL }
#define OLD(name) { DIR name, LINE, "ID=arch\n", NULL, MAGIC("254.9"), true, NULL }
#define ADD(path, line, uname) { path, line, NULL, uname, NULL, false, NULL }
#define TEXT(path, text) { path, NULL, NULL, NULL, NULL, false, text }
#define MAX_IMAGES 6

static void add_image(const char *dir, const struct image *i)
{
	struct sp_pe_text parts[6];
	sp_autobuf struct sp_buf file = { 0 };
	size_t n = 0;

	if (i->magic)
		parts[n++] = (struct sp_pe_text){ ".sdmagic", i->magic };
	if (i->release)
		parts[n++] = (struct sp_pe_text){ ".osrel", i->release };
	if (i->line)
		parts[n++] = (struct sp_pe_text){ ".cmdline", i->line };
	if (i->uname)
		parts[n++] = (struct sp_pe_text){ ".uname", i->uname };
	if (i->kernel)
		parts[n++] = (struct sp_pe_text){ ".linux", "a kernel" };
	if (i->text)
		sp_buf_adds(&file, i->text);
	else
		sp_pe_make(parts, n, &file);
	fixture_add(dir, &(struct fixture){ i->path, file.data ? file.data : "", FIXTURE_FILE, file.len });
}

static char *build(const struct image *images)
{
	static const struct fixture base[] = {
		{ "etc/machine-id", MID "\n", FIXTURE_FILE, 0 },
		{ "etc/os-release", "NAME=Arch\nID=arch\n", FIXTURE_FILE, 0 },
		{ "etc/kernel", NULL, FIXTURE_DIR, 0 },
		{ "var/lib/strix-provision", NULL, FIXTURE_DIR, 0 },
		{ 0 },
	};
	char *dir = fixture_new();

	fixture_add_all(dir, base);
	for (size_t i = 0; i < MAX_IMAGES && images[i].path; i++)
		add_image(dir, &images[i]);
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

/* --- which are ours ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *what;
	struct image images[MAX_IMAGES];
	const char *ours; /* ids, as the menu has them, with blanks between; NULL: refused */
	const char *expected; /* the line of the first that is ours; in the message or the hint */
} rows[] = {
	{ "one", { IMAGE("a.efi", LINE) }, "a.efi", LINE },
	{ "one of several systems", { IMAGE("a.efi", LINE), OF("f.efi", "root=UUID=2 ro", "fedora") }, "a.efi", LINE },
	{ "another system with our root=", { IMAGE("a.efi", LINE), OF("f.efi", LINE, "fedora"), TEXT("etc/kernel/cmdline", LINE "\n") },
	  "a.efi", LINE },
	{ "capitals", { IMAGE("A.EFI", LINE) }, "A.EFI", LINE },
	{ "by the machine-id, whatever its os-release", { { DIR MID "-6.19.efi", LINE, NULL, "6.19", MAGIC("258"), true, NULL } },
	  MID "-6.19.efi", LINE },
	{ "another's machine-id", { IMAGE("a.efi", LINE), IMAGE(OTHER "-6.19.efi", LINE) }, "a.efi", LINE },
	{ "two roots, and nothing tells", { IMAGE("a.efi", LINE), IMAGE("b.efi", "root=UUID=2 rw") }, NULL, "its name does not begin" },
	{ "two roots, and the file tells", { IMAGE("a.efi", LINE), IMAGE("b.efi", "root=UUID=2 rw"),
	  TEXT("etc/kernel/cmdline", "root=UUID=2 rw\n") }, "b.efi", "root=UUID=2 rw" },
	{ "two roots, and the machine-id tells", { IMAGE(MID "-1.efi", LINE), IMAGE("b.efi", "root=UUID=2 rw") }, MID "-1.efi", LINE },
	{ "a fallback", { IMAGE("a.efi", LINE), IMAGE("a-fallback.efi", LINE) }, "a.efi", LINE },
	{ "only a fallback", { IMAGE("a-fallback.efi", LINE) }, NULL, "only a rescue entry" },
	{ "a counter", { IMAGE("b+3-0.efi", LINE), ADD(EXTRA("b.efi") "x.addon.efi", "b=1", NULL) }, "b+3-0.efi", LINE " b=1" },
	{ "a counter alone", { IMAGE("b+2.EFI", LINE), ADD(EXTRA("b+2.efi") "x.addon.efi", "b=1", NULL) }, "b+2.EFI", LINE },
	{ "a counter, and a stub that counts it in", { OLD("b+3-0.efi"), IMAGE("a.efi", LINE) }, "a.efi", LINE },
	{ "only such a one", { OLD("b+3.efi") }, NULL, "boot counter" },
	{ "what counts nothing", { IMAGE("c+.efi", LINE), IMAGE("d+x.efi", LINE), IMAGE("e+1-.efi.efi", LINE) },
	  "e+1-.efi.efi d+x.efi c+.efi", LINE },
	{ "no root=", { IMAGE("a.efi", "rw quiet") }, NULL, "it has no root=" },
	{ "an empty line", { IMAGE("a.efi", "") }, NULL, "it has no root=" },
	{ "no image", { TEXT(DIR "a.efi", "MZ") }, NULL, "unified kernel images (/efi/EFI/Linux)" },
	{ "an addon in the images' folder", { ADD(DIR "a.efi", LINE, NULL) }, NULL, "unified kernel images" },
	{ "no line in it", { { DIR "a.efi", NULL, "ID=arch\n", NULL, MAGIC("258"), true, NULL } }, NULL, "unified kernel images" },
	{ "another file", { TEXT(DIR "a.txt", "x"), TEXT(DIR ".b.efi", "x"), IMAGE("c.efi", LINE) }, "c.efi", LINE },
	{ "no text in it, beside one", { IMAGE("a.efi", "root=UUID=1 \xff"), IMAGE("b.efi", LINE) }, NULL, "a.efi" },
	{ "ostree", { IMAGE("a.efi", LINE), TEXT("ostree/repo/config", "") }, NULL, "ostree" },
	/* addons */
	{ "in its own folder", { IMAGE("a.efi", LINE), ADD(EXTRA("a.efi") "x.addon.efi", "b=1", NULL) }, "a.efi", LINE " b=1" },
	{ "in everybody's folder", { IMAGE("a.efi", LINE), ADD("efi/loader/addons/z.addon.efi", "b=1", NULL) }, "a.efi", LINE " b=1" },
	{ "everybody's first, then by name", { IMAGE("a.efi", LINE), ADD("efi/loader/addons/z.addon.efi", "b=1", NULL),
	  ADD(EXTRA("a.efi") "b.addon.efi", "b=3", NULL), ADD(EXTRA("a.efi") "a.addon.efi", "b=2", NULL) }, "a.efi",
	  LINE " b=1 b=2 b=3" },
	{ "another's folder", { IMAGE("a.efi", LINE), ADD(EXTRA("c.efi") "x.addon.efi", "b=1", NULL) }, "a.efi", LINE },
	{ "for this kernel", { IMAGE("a.efi", LINE), ADD(EXTRA("a.efi") "x.addon.efi", "b=1", "6.19.8") }, "a.efi", LINE " b=1" },
	{ "for another kernel", { IMAGE("a.efi", LINE), ADD(EXTRA("a.efi") "x.addon.efi", "b=1", "6.19.9") }, "a.efi", LINE },
	{ "for one kernel, and the image does not say", { STUB("a.efi", MAGIC("258")), ADD(EXTRA("a.efi") "x.addon.efi", "b=1", "6.1") },
	  "a.efi", LINE " b=1" },
	{ "with a kernel", { IMAGE("a.efi", LINE), { EXTRA("a.efi") "x.addon.efi", "b=1", NULL, NULL, NULL, true, NULL } }, "a.efi", LINE },
	{ "in capitals", { IMAGE("a.efi", LINE), ADD(EXTRA("a.efi") "X.ADDON.EFI", "b=1", NULL) }, "a.efi", LINE " b=1" },
	{ "another name", { IMAGE("a.efi", LINE), ADD(EXTRA("a.efi") "x.efi", "b=1", NULL),
	  ADD(EXTRA("a.efi") ".x.addon.efi", "b=1", NULL) }, "a.efi", LINE },
	{ "damaged", { IMAGE("a.efi", LINE), TEXT(EXTRA("a.efi") "x.addon.efi", "MZ") }, "a.efi", LINE },
};

static char *names_of_ours(const struct sp_boot *boot)
{
	sp_autostrv struct sp_strv names = { 0 };

	for (size_t i = 0; i < boot->n_entries; i++)
		if (boot->entries[i].ours && !boot->entries[i].rescue)
			sp_strv_add(&names, boot->entries[i].id);
	return sp_strv_join(&names, " ");
}

static const struct sp_entry *first_ours(const struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_entries; i++)
		if (boot->entries[i].ours && !boot->entries[i].rescue)
			return &boot->entries[i];
	return NULL;
}

static void images_are_told_apart(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
		char *dir = build(rows[i].images);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoerror struct sp_error *err = NULL;
		int r = sp_boot_read(root, NULL, NULL, &boot, &err);

		if (!rows[i].ours) {
			if (r >= 0 || (!contains(err->message, rows[i].expected) && !contains(err->hint, rows[i].expected)))
				fail_msg("%s: %d: %s", rows[i].what, r, err ? err->message : "accepted");
		} else {
			if (r < 0)
				fail_msg("%s: %s", rows[i].what, err->message);
			sp_autofree char *ours = names_of_ours(boot);
			const struct sp_entry *e = first_ours(boot);
			const char *line = e ? e->line : "";
			if (!sp_streq(ours, rows[i].ours) || !sp_streq(line, rows[i].expected))
				fail_msg("%s: %s: %s", rows[i].what, ours, line);
		}
		fixture_free(dir);
	}
}

/* --- refused before anything is written ------------------------------------------------------------------------------ */

static const struct {
	const char *what, *magic, *refusal; /* NULL: none */
} stubs[] = {
	{ "new enough", MAGIC("254"), NULL },
	{ "with a suffix", MAGIC("257.9-1~deb13u1"), NULL },
	{ "too old", MAGIC("253.5"), "is of version 253" },
	{ "another stub", "#### LoaderInfo: lanzastub 0.4 ####", "does not say that it has a systemd-stub" },
	{ "says nothing", NULL, "does not say" },
	{ "no number", MAGIC("x"), "does not say" },
	{ "a number without end", MAGIC("99999999999999999999999999"), NULL },
};

static void old_stubs_are_refused(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(stubs); i++) {
		const struct image images[MAX_IMAGES] = { STUB("a.efi", stubs[i].magic) };
		char *dir = build(images);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;

		assert_int_equal(sp_boot_read(root, NULL, "uki", &boot, NULL), 0);
		const struct sp_error *e = boot->refusal;
		if (!stubs[i].refusal != !e || (e && !contains(e->message, stubs[i].refusal)))
			fail_msg("%s: %s", stubs[i].what, e ? e->message : "not refused");
		assert_true(!e || (e->exit == SP_EXIT_UNSUPPORTED && e->hint));
		fixture_free(dir);
	}
}

/* --- where later kernels get it from ---------------------------------------------------------------------------------- */

static void kernel_install_has_a_place(void **state)
{
	static const struct image images[MAX_IMAGES] = { IMAGE(MID "-6.19.8.efi", LINE) };
	char *dir = build(images);
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autoboot struct sp_boot *boot = NULL;

	(void) state;
	assert_int_equal(sp_boot_read(root, NULL, "uki", &boot, NULL), 0);
	assert_int_equal(boot->n_places, 2);
	assert_int_equal(boot->places[0].role, SP_PLACE_FUTURE);
	assert_string_equal(boot->places[0].create, LINE);
	assert_true(boot->places[1].whole);
	assert_int_equal(boot->n_sources, 0);
	fixture_free(dir);
}

static void other_names_have_none(void **state)
{
	static const struct image images[MAX_IMAGES] = { IMAGE("linux-6.19.8.efi", LINE) };
	char *dir = build(images);
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autoboot struct sp_boot *boot = NULL;

	(void) state;
	assert_int_equal(sp_boot_read(root, NULL, "uki", &boot, NULL), 0);
	assert_int_equal(boot->n_places, 1);
	assert_int_equal(boot->n_sources, 1);
	assert_string_equal(boot->sources[0].text, LINE);
	assert_int_equal(boot->warnings.n, 1);
	assert_true(contains(boot->warnings.v[0], "an image of another name"));
	fixture_free(dir);
}

/* --- what is built ---------------------------------------------------------------------------------------------------- */

#define OURS "iommu=pt transparent_hugepage=always"

static const struct {
	const char *what;
	struct image addon; /* what the tool writes */
	int code;
	const char *message;
} products[] = {
	{ "as it is to be", ADD("built", OURS, NULL), 0, NULL },
	{ "with a line end", ADD("built", OURS "\n", NULL), 0, NULL },
	{ "nothing", TEXT("not-built", "x"), -ENOENT, "what ukify made cannot be used" },
	{ "empty", TEXT("built", ""), -EBADMSG, "no program for UEFI" },
	{ "no program", TEXT("built", "MZ"), -EBADMSG, "cut off" },
	{ "no line", { "built", NULL, "ID=x", NULL, NULL, false, NULL }, -EBADMSG, "not an addon of a command line alone" },
	{ "an image", { "built", OURS, NULL, NULL, NULL, true, NULL }, -EBADMSG, "not an addon of a command line alone" },
	{ "for one kernel", ADD("built", OURS, "6.19"), -EBADMSG, "not an addon of a command line alone" },
	{ "one argument less", ADD("built", "iommu=pt", NULL), -EBADMSG, "its line is 'iommu=pt'" },
	{ "one more", ADD("built", OURS " x=1", NULL), -EBADMSG, "its line is" },
	{ "twice", ADD("built", OURS " " OURS, NULL), -EBADMSG, "its line is" },
	{ "no text", ADD("built", "\xff", NULL), -EINVAL, "no text" },
};

static void want(struct sp_tokens *ret)
{
	sp_tokens_add(ret, "iommu=pt", NULL);
	sp_tokens_add(ret, "transparent_hugepage=always", NULL);
}

/* Copies what was prepared to where it is told. */
static void add_tool(const char *dir)
{
	sp_autofree char *script = sp_xasprintf("#!/bin/sh\n[ \"$1\" = build ] || exit 9\nfor a; do case $a in "
						"--output=*) out=${a#--output=} ;; esac; done\n"
						"[ ! -e %s/built ] || cp %s/built \"$out\"\n", dir, dir);
	sp_autofree char *path = sp_xasprintf("%s/usr/bin/ukify", dir);

	fixture_add(dir, &(struct fixture){ "usr/bin/ukify", script, FIXTURE_FILE, 0 });
	assert_int_equal(chmod(path, 0755), 0);
	fixture_add(dir, &(struct fixture){ SOURCE, OURS "\n", FIXTURE_FILE, 0 });
}

static void products_are_checked(void **state)
{
	sp_autotokens struct sp_tokens wanted = { 0 };

	(void) state;
	want(&wanted);
	for (size_t i = 0; i < SP_ELEMENTS(products); i++) {
		const struct image images[MAX_IMAGES] = { IMAGE("a.efi", LINE), IMAGE("b.efi", LINE), IMAGE("c-fallback.efi", LINE),
							  products[i].addon };
		char *dir = build(images);
		sp_autoroot struct sp_root *root = open_root(dir);
		sp_autoboot struct sp_boot *boot = NULL;
		sp_autoedits struct sp_edits edits = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		add_tool(dir);
		assert_int_equal(sp_boot_read(root, NULL, "uki", &boot, NULL), 0);
		int r = boot->ops->generate(root, boot, &wanted, &edits, &err);
		if (r != products[i].code || (r < 0 && !contains(err->message, products[i].message)))
			fail_msg("%s: %d: %s", products[i].what, r, err ? err->message : "accepted");
		assert_int_equal(edits.n, r == 0 ? 2 : 0);
		assert_false(sp_root_exists(root, "/var/lib/strix-provision/scratch"));
		fixture_free(dir);
	}
}

/* Those that have all of it in them get none, and one that is there goes. */
static void what_is_built_in_needs_none(void **state)
{
	static const struct image images[MAX_IMAGES] = {
		IMAGE("a.efi", LINE " " OURS), IMAGE("b.efi", LINE " " OURS), ADD(EXTRA("b.efi") ADDON, OURS, NULL),
	};
	sp_autotokens struct sp_tokens wanted = { 0 };
	sp_autoedits struct sp_edits edits = { 0 };
	char *dir = build(images);
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autoboot struct sp_boot *boot = NULL;

	(void) state;
	want(&wanted);
	assert_int_equal(sp_boot_read(root, NULL, "uki", &boot, NULL), 0);
	assert_int_equal(boot->ops->generate(root, boot, &wanted, &edits, NULL), 0); /* there is no tool */
	assert_int_equal(edits.n, 1);
	assert_int_equal(edits.v[0].op, SP_OP_DELETE);
	assert_string_equal(edits.v[0].path, "/" EXTRA("b.efi") ADDON);
	fixture_free(dir);
}

static void no_tool_no_addon(void **state)
{
	static const struct image images[MAX_IMAGES] = { IMAGE("a.efi", LINE) };
	sp_autotokens struct sp_tokens wanted = { 0 };
	sp_autoedits struct sp_edits edits = { 0 };
	char *dir = build(images);
	sp_autoroot struct sp_root *root = open_root(dir);
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autoerror struct sp_error *err = NULL;

	(void) state;
	want(&wanted);
	assert_int_equal(sp_boot_read(root, NULL, "uki", &boot, NULL), 0);
	assert_int_equal(boot->ops->generate(root, boot, &wanted, &edits, &err), -ENOENT);
	assert_true(contains(err->message, "ukify"));
	fixture_free(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_are_told_apart),	cmocka_unit_test(old_stubs_are_refused),
		cmocka_unit_test(kernel_install_has_a_place),	cmocka_unit_test(other_names_have_none),
		cmocka_unit_test(products_are_checked),		cmocka_unit_test(what_is_built_in_needs_none),
		cmocka_unit_test(no_tool_no_addon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
