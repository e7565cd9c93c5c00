/* SPDX-License-Identifier: MIT */
/* The menu of a grub.cfg: what is read, what is refused, which entry a name means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/grubcfg.h"

/* The shape of Debian's: one entry, then a submenu with all of them, then what other scripts add. */
static const char debian[] =
	"### BEGIN /etc/grub.d/00_header ###\n"
	"if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n   set next_entry=\nelse\n"
	"   set default=\"0\"\nfi\n"
	"if [ x\"${feature_menuentry_id}\" = xy ]; then menuentry_id_option=\"--id\"; fi\n"
	"function savedefault {\n  if [ -z \"${boot_once}\" ]; then saved_entry=\"${chosen}\"; fi\n}\n"
	"### END /etc/grub.d/00_header ###\n\n"
	"### BEGIN /etc/grub.d/10_linux ###\n"
	"menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option 'gnulinux-simple-1' {\n"
	"\tinsmod gzio\n\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"
	"\techo\t'Loading Linux 6.12 ...'\n"
	"\tlinux\t/vmlinuz-6.12 root=UUID=1 ro  quiet\n\tinitrd\t/ucode.img /initrd.img-6.12\n}\n"
	"submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {\n"
	"\tmenuentry 'Linux 6.12' --class os $menuentry_id_option 'gnulinux-6.12-advanced-1' {\n"
	"\t\tlinux\t/vmlinuz-6.12 root=UUID=1 ro  quiet\n\t\tinitrd\t/initrd.img-6.12\n\t}\n"
	"\tmenuentry 'Linux 6.12 (recovery mode)' --class os $menuentry_id_option 'gnulinux-6.12-recovery-1' {\n"
	"\t\tlinux\t/vmlinuz-6.12 root=UUID=1 ro single \n\t}\n}\n"
	"### END /etc/grub.d/10_linux ###\n"
	"### BEGIN /etc/grub.d/30_uefi-firmware ###\n"
	"if [ \"$grub_platform\" = \"efi\" ]; then\n\tfwsetup --is-supported\n\tif [ \"$?\" = 0 ]; then\n"
	"\t\tmenuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {\n\t\t\tfwsetup\n\t\t}\n\tfi\nfi\n"
	"### END /etc/grub.d/30_uefi-firmware ###\n"
	"menuentry \"by hand > x\" { linux /k root=/dev/sda1; initrd /i; }\n";

/* One line an item: indent number title [id] (section) and its commands. */
static void show(const struct sp_menu *menu, struct sp_buf *b)
{
	for (size_t i = 0; i < menu->n; i++) {
		const struct sp_menu_item *item = &menu->v[i];

		for (int up = item->parent; up >= 0; up = menu->v[up].parent)
			sp_buf_adds(b, "  ");
		sp_buf_addf(b, "%u%s %s [%s] (%s)", item->number, item->submenu ? ">" : "", item->title,
			    item->id ? item->id : "", item->section ? item->section : "");
		for (size_t k = 0; k < item->n_kernels; k++)
			sp_buf_addf(b, " %s|%s|", item->kernels[k].path, item->kernels[k].args);
		for (size_t k = 0; k < item->initrd.n; k++)
			sp_buf_addf(b, " +%s", item->initrd.v[k]);
		sp_buf_adds(b, "\n");
	}
	sp_buf_addf(b, "default %s%s\n", menu->default_spec ? menu->default_spec : "-", menu->generated ? ", generated" : "");
}

struct reading {
	const char *name, *text, *shown;
};

static const struct reading readings[] = {
	{ "nothing", "", "default -\n" },
	{ "as Debian has it", debian,
	  "0 Debian GNU/Linux [gnulinux-simple-1] (/etc/grub.d/10_linux)"
	  " /vmlinuz-6.12|root=UUID=1 ro  quiet| +/ucode.img +/initrd.img-6.12\n"
	  "1> Advanced options [gnulinux-advanced-1] (/etc/grub.d/10_linux)\n"
	  "  0 Linux 6.12 [gnulinux-6.12-advanced-1] (/etc/grub.d/10_linux)"
	  " /vmlinuz-6.12|root=UUID=1 ro  quiet| +/initrd.img-6.12\n"
	  "  1 Linux 6.12 (recovery mode) [gnulinux-6.12-recovery-1] (/etc/grub.d/10_linux)"
	  " /vmlinuz-6.12|root=UUID=1 ro single|\n"
	  "2 UEFI Firmware Settings [uefi-firmware] (/etc/grub.d/30_uefi-firmware)\n"
	  "3 by hand > x [] () /k|root=/dev/sda1| +/i\n"
	  "default 0, generated\n" },
	{ "saved default", "set default=\"${saved_entry}\"\n", "default ${saved_entry}\n" },
	{ "the last default counts", "set default=0\nset default='a>b'\n", "default a>b\n" },
	{ "what boots once is no default", "set default=0\nif x; then set default=\"${next_entry}\"; fi\n", "default 0\n" },
	{ "a default that is none", "# set default=0\necho set default=1\nset defaults=2\n", "default -\n" },
	{ "an entry within an entry is made when that is booted",
	  "menuentry a {\nmenuentry b {\nlinux /b\nsubmenu c {\nmenuentry d {\n}\n}\n}\nlinux /a\n}\nmenuentry e {\n}\n",
	  "0 a [] () /a||\n1 e [] ()\ndefault -\n" },
	{ "identifiers", "menuentry a --id=x {\n}\nmenuentry b --id y {\n}\nmenuentry c ${menuentry_id_option} z {\n}\n",
	  "0 a [x] ()\n1 b [y] ()\n2 c [z] ()\ndefault -\n" },
	{ "an identifier is no title", "menuentry --id {\n}\n", "0 --id [] ()\ndefault -\n" },
	{ "quotes", "menuentry 'it'\\''s \"a\"' {\nlinux \"/vm linuz\" a=\"b c\" d\\ e\n}\n",
	  "0 it's \"a\" [] () /vm linuz|a=\"b c\" d\\ e|\ndefault -\n" },
	{ "escapes in double quotes", "menuentry \"a\\\"b\\$c\\d\\\\\" {\n}\n", "0 a\"b$c\\d\\ [] ()\ndefault -\n" },
	{ "braces in quotes and variables", "menuentry 'a { b }' {\nlinux ${k} x=${y} '{'\n}\n",
	  "0 a { b } [] () ${k}|x=${y} '{'|\ndefault -\n" },
	{ "lines that go on", "menuentry a \\\n --id b {\nlinux /k \\\n root=1\n}\n",
	  "0 a [b] () /k|\\\n root=1|\ndefault -\n" },
	{ "a comment", "menuentry a {\n# linux /no\nlinux /k root=1 # not of it\n}\n", "0 a [] () /k|root=1|\ndefault -\n" },
	{ "a # in a word", "menuentry a#b {\nlinux /k x#y\n}\n", "0 a#b [] () /k|x#y|\ndefault -\n" },
	{ "other commands for a kernel", "menuentry a {\nlinuxefi /k root=1\ninitrdefi /i\n}\nmenuentry b {\nlinux16 /m\n}\n",
	  "0 a [] () /k|root=1| +/i\n1 b [] () /m||\ndefault -\n" },
	{ "a choice at boot", "menuentry a {\nif true; then linux /k x\nelse linux /k y; fi\n}\n",
	  "0 a [] () /k|x| /k|y|\ndefault -\n" },
	{ "conditions around entries", "if [ -f /x ]; then\nmenuentry a {\n}\nfi\n! menuentry b {\n}\n",
	  "0 a [] ()\n1 b [] ()\ndefault -\n" },
	{ "functions are no entries", "function f {\nlinux /k\n}\nlinux /top\nsubmenu s {\nlinux /in-submenu\n}\n",
	  "0> s [] ()\ndefault -\n" },
	{ "a function within an entry", "menuentry a {\nfunction f {\nlinux /k\n}\ninitrd /i\n}\n",
	  "0 a [] () /k|| +/i\ndefault -\n" },
	{ "numbers are counted in each menu", "submenu s {\nmenuentry a {\n}\nmenuentry b {\n}\n}\nmenuentry c {\n}\n",
	  "0> s [] ()\n  0 a [] ()\n  1 b [] ()\n1 c [] ()\ndefault -\n" },
	{ "carriage returns", "menuentry a {\r\nlinux /k root=1\r\n}\r\n", "0 a [] () /k|root=1|\ndefault -\n" },
	{ "a linux command without a path", "menuentry a {\nlinux\n}\n", "0 a [] ()\ndefault -\n" },
	{ "a block that nobody named", "{\nmenuentry a {\n}\n}\n", "0 a [] ()\ndefault -\n" },
	{ "sections", "### BEGIN /a ###\nmenuentry a {\n}\n### END /a ###\nmenuentry b {\n}\n### BEGIN ###\n### BEGIN /c\n"
	  "menuentry c {\n}\n", "0 a [] (/a)\n1 b [] ()\n2 c [] ()\ndefault -, generated\n" },
	{ "no final newline", "menuentry a { linux /k x }", "0 a [] () /k|x|\ndefault -\n" },
};

static void test_readings(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(readings); i++) {
		const struct reading *c = &readings[i];
		const struct sp_buf file = { (char *) c->text, strlen(c->text), 0 };
		sp_automenu struct sp_menu menu = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		sp_autobuf struct sp_buf shown = { 0 };

		if (sp_grubcfg_parse(&file, &menu, &err) < 0)
			fail_msg("%s: %s", c->name, err->message);
		show(&menu, &shown);
		if (!sp_streq(shown.data, c->shown))
			fail_msg("%s:\n%s--- where this is right:\n%s", c->name, shown.data, c->shown);
	}
}

static const struct {
	const char *text, *message;
} refusals[] = {
	{ "menuentry 'a {\n}\n", "line 1: a quote is never closed" },
	{ "\nmenuentry \"a\\\"", "line 2: a quote is never closed" },
	{ "menuentry a {\nlinux /k\n", "line 1: a block is never closed" },
	{ "menuentry a {\n}\n}\n", "line 3: a block is closed" },
	{ "submenu a {\nmenuentry b {\n}\n", "line 1: a block is never closed" },
};

static void test_refusals(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(refusals); i++) {
		const struct sp_buf file = { (char *) refusals[i].text, strlen(refusals[i].text), 0 };
		sp_automenu struct sp_menu menu = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		if (sp_grubcfg_parse(&file, &menu, &err) != -EINVAL || !strstr(err->message, refusals[i].message))
			fail_msg("%s: %s", refusals[i].text, err ? err->message : "accepted");
		assert_int_equal(menu.n, 0);
	}
}

static int parse_repeated(const char *text, size_t times, const char *behind)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_automenu struct sp_menu menu = { 0 };

	for (size_t i = 0; i < times; i++)
		sp_buf_adds(&file, text);
	for (size_t i = 0; *behind && i < times; i++)
		sp_buf_adds(&file, behind);
	return sp_grubcfg_parse(&file, &menu, NULL);
}

static void test_bounds(void **state)
{
	(void) state;
	assert_int_equal(parse_repeated("menuentry a {\n}\n", SP_MENU_MAX_ITEMS, ""), 0);
	assert_int_equal(parse_repeated("menuentry a {\n}\n", SP_MENU_MAX_ITEMS + 1, ""), -E2BIG);
	assert_int_equal(parse_repeated("submenu a {\n", SP_MENU_MAX_DEPTH, "}\n"), 0);
	assert_int_equal(parse_repeated("submenu a {\n", SP_MENU_MAX_DEPTH + 1, "}\n"), -E2BIG);
	assert_int_equal(parse_repeated("word ", 5000, ""), 0);
}

static const struct {
	const char *spec, *title;
} names[] = {
	{ "0", "Debian GNU/Linux" },
	{ "Debian GNU/Linux", "Debian GNU/Linux" },
	{ "gnulinux-simple-1", "Debian GNU/Linux" },
	{ "1", "Linux 6.12" },
	{ "1>1", "Linux 6.12 (recovery mode)" },
	{ "gnulinux-advanced-1>gnulinux-6.12-advanced-1", "Linux 6.12" },
	{ "Advanced options>gnulinux-6.12-recovery-1", "Linux 6.12 (recovery mode)" },
	{ "0>7", "Debian GNU/Linux" },
	{ "by hand >> x", "by hand > x" },
	{ "by hand > x", NULL },
	{ "2", "UEFI Firmware Settings" },
	{ "4", NULL },
	{ "1>2", NULL },
	{ "gnulinux-6.12-advanced-1", NULL },
	{ "", NULL },
	{ "99999999999999999999999", NULL },
};

static void test_names(void **state)
{
	const struct sp_buf file = { (char *) debian, strlen(debian), 0 };
	sp_automenu struct sp_menu menu = { 0 };

	(void) state;
	assert_int_equal(sp_grubcfg_parse(&file, &menu, NULL), 0);
	for (size_t i = 0; i < SP_ELEMENTS(names); i++) {
		int at = sp_menu_find(&menu, names[i].spec);

		if (at < 0 ? names[i].title != NULL : !sp_streq(menu.v[at].title, names[i].title))
			fail_msg("'%s' means '%s'", names[i].spec, at < 0 ? "nothing" : menu.v[at].title);
	}
	assert_int_equal(sp_menu_find(&(struct sp_menu){ 0 }, "0"), -1);
}

/* Whatever the bytes are, they are read or refused; the sanitizers and the checks of sp_menu_find() look on. */
static void test_any_bytes(void **state)
{
	static const char alphabet[] = "{}'\"\\\n ;#>$m";
	uint32_t x = 1;

	(void) state;
	for (size_t run = 0; run < 3000; run++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_automenu struct sp_menu menu = { 0 };

		sp_buf_add(&file, debian, run < sizeof(debian) ? run : sizeof(debian) - 1);
		for (size_t k = 0; k < run % 5 && file.len > 0; k++) {
			x = x * 1664525U + 1013904223U;
			file.data[(x >> 8) % file.len] = alphabet[(x >> 24) % (sizeof(alphabet) - 1)];
		}
		if (sp_grubcfg_parse(&file, &menu, NULL) == 0)
			for (size_t i = 0; i < menu.n; i++)
				assert_true(menu.v[i].parent < (int) i && sp_menu_find(&menu, menu.v[i].title) < (int) menu.n);
	}
}

static void test_copies(void **state)
{
	static const struct {
		const char *file, *args, *copy; /* copy: NULL where it is refused */
	} cases[] = {
		{ "menuentry 'a' --class x {\n\tsavedefault\n\trecordfail\n\tlinux /k root=1 ro\n\tinitrd /i\n}\n", "root=2",
		  "menuentry 'c' {\n\tlinux /k root=2\n\tinitrd /i\n}\n" },
		{ "menuentry 'a' {\n if [ x = y ]; then\n  insmod gzio\n fi\n linux16 /k\n} \n", "a b",
		  "menuentry 'c' {\n if [ x = y ]; then\n  insmod gzio\n fi\n linux16 /k a b\n}\n" },
		{ "menuentry 'a' {\n linux /k\n linux /l\n}\n", "a", NULL },
		{ "menuentry 'a' {\n linux /k \\\n root=1\n}\n", "a", NULL },
		{ "menuentry 'a' { linux /k; }\n", "a", NULL },
		{ "menuentry 'a' {\n linux '/k' root=1\n}\n", "a", NULL },
		{ "menuentry 'a' {\n linux /k root=1\n}\n", "a; reboot", NULL }, /* would be a command */
		{ "menuentry 'a' {\n linux /k root=1\n}\n", "a \"b", NULL },
		{ "menuentry 'a' {\n echo {\n linux /k root=1\n}\n}\n", "a", NULL },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		struct sp_buf file = { .data = (char *) cases[i].file, .len = strlen(cases[i].file) };
		sp_autobuf struct sp_buf ret = { 0 };
		sp_automenu struct sp_menu menu = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		int r = sp_grubcfg_parse(&file, &menu, &err);

		assert_int_equal(r == 0 && menu.n > 0, 1);
		r = sp_grubcfg_copy_entry(&file, &menu.v[0], "menuentry 'c'", cases[i].args, &ret, &err);
		assert_int_equal(r, cases[i].copy ? 0 : -ENOTSUP);
		if (cases[i].copy)
			assert_string_equal(ret.data, cases[i].copy);
		else
			assert_int_equal(ret.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_readings), cmocka_unit_test(test_refusals), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
