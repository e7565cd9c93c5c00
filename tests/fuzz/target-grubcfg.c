/* SPDX-License-Identifier: MIT */
/* A generated menu: file, and what default= may say. */
#include "format/grubcfg.h"
#include "targets.h"

static size_t lines_of(const struct sp_buf *file)
{
	size_t n = 1;

	for (size_t i = 0; i < file->len; i++)
		n += file->data[i] == '\n';
	return n;
}

static void check_item(const struct sp_menu *menu, size_t i, size_t lines)
{
	const struct sp_menu_item *item = &menu->v[i];
	int depth = 0;

	fuzz_check(item->title, "entry %zu has no title", i);
	fuzz_check(item->parent >= -1 && item->parent < (int) i, "entry %zu stands in entry %d", i, item->parent);
	fuzz_check(item->parent < 0 || menu->v[item->parent].submenu, "entry %zu stands in one that is no submenu", i);
	fuzz_check(item->line >= 1 && item->line <= lines && (i == 0 || item->line >= menu->v[i - 1].line), "entry %zu is in line %u",
		   i, item->line);
	fuzz_check(!item->submenu || item->n_kernels == 0 || item->kernels, "kernels of nowhere");
	for (size_t k = 0; k < item->n_kernels; k++)
		fuzz_check(item->kernels[k].path && item->kernels[k].args, "a kernel without a path");
	for (int at = item->parent; at >= 0; at = menu->v[at].parent)
		depth++;
	fuzz_check(depth <= SP_MENU_MAX_DEPTH, "entry %zu is %d deep", i, depth);
}

/* "1>0>2": by numbers alone, which are never ambiguous. */
static char *number_path(const struct sp_menu *menu, int at)
{
	char *path = sp_xasprintf("%u", menu->v[at].number);

	for (at = menu->v[at].parent; at >= 0; at = menu->v[at].parent) {
		char *longer = sp_xasprintf("%u>%s", menu->v[at].number, path);

		free(path);
		path = longer;
	}
	return path;
}

/* A submenu means the first entry in it. */
static int first_in(const struct sp_menu *menu, int at)
{
	while (at >= 0 && menu->v[at].submenu) {
		int first = -1;

		for (int i = (int) menu->n - 1; i > at; i--)
			if (menu->v[i].parent == at && menu->v[i].number == 0)
				first = i;
		at = first;
	}
	return at;
}

static void check_numbers(const struct sp_menu *menu)
{
	for (size_t i = 0; i < menu->n; i++) {
		unsigned number = 0;

		for (size_t k = 0; k < i; k++)
			number += menu->v[k].parent == menu->v[i].parent;
		fuzz_check(menu->v[i].number == number, "entry %zu has number %u instead of %u", i, menu->v[i].number, number);
		if (i >= 64)
			continue;
		sp_autofree char *path = number_path(menu, (int) i);
		int found = sp_menu_find(menu, path), meant = first_in(menu, (int) i);
		fuzz_check(found == meant, "'%s' is entry %d instead of %d", path, found, meant);
	}
}

/* A copy is one entry of its own, whatever the file is like: the same kernel and initial RAM disks, and the new line. */
static void check_copy(const struct sp_buf *file, const struct sp_menu_item *item)
{
	static const char header[] = "menuentry 'copy' --id copied", args[] = "root=UUID=1 a=b";
	sp_autobuf struct sp_buf copy = { 0 };
	sp_automenu struct sp_menu menu = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	if (item->submenu || sp_grubcfg_copy_entry(file, item, header, args, &copy, &err) < 0)
		return;
	fuzz_check(sp_grubcfg_parse(&copy, &menu, NULL) == 0 && menu.n == 1, "the copy is no entry: '%s'", fuzz_show(copy.data, copy.len));
	const struct sp_menu_item *made = &menu.v[0];
	fuzz_check(sp_streq(made->title, "copy") && sp_streq(made->id, "copied"), "the copy is '%s'", fuzz_shows(made->title));
	fuzz_check(made->n_kernels == 1 && item->n_kernels == 1 && sp_streq(made->kernels[0].path, item->kernels[0].path),
		   "the copy starts another kernel: '%s'", fuzz_show(copy.data, copy.len));
	fuzz_check(sp_streq(made->kernels[0].args, args), "the line of the copy is '%s'", fuzz_shows(made->kernels[0].args));
	sp_autofree char *a = sp_strv_join(&item->initrd, " "), *b = sp_strv_join(&made->initrd, " ");
	fuzz_check(sp_streq(a, b), "the copy loads '%s'", fuzz_shows(b));
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	sp_automenu struct sp_menu menu = { 0 };

	fuzz_cut(data, size, &f);
	if (sp_grubcfg_parse(&f.v[0], &menu, &err) < 0) {
		fuzz_check(err && err->message, "an error says nothing");
		fuzz_check(menu.n == 0 && !menu.v, "an error leaves half of a menu");
		return;
	}
	fuzz_check(menu.n <= SP_MENU_MAX_ITEMS, "%zu entries", menu.n);
	for (size_t i = 0, lines = lines_of(&f.v[0]); i < menu.n; i++)
		check_item(&menu, i, lines);
	for (size_t i = 0; i < menu.n && i < 16; i++)
		check_copy(&f.v[0], &menu.v[i]);
	check_numbers(&menu);
	const char *specs[] = { fuzz_text(&f, 1, "0"), menu.default_spec ? menu.default_spec : "0" };
	for (size_t i = 0; i < SP_ELEMENTS(specs); i++) {
		int found = sp_menu_find(&menu, specs[i]);

		fuzz_check(found >= -1 && found < (int) menu.n, "'%s' is entry %d of %zu", fuzz_shows(specs[i]), found, menu.n);
		fuzz_check(found < 0 || !menu.v[found].submenu, "'%s' is a submenu", fuzz_shows(specs[i]));
	}
}

static const char *const words[] = {
	"menuentry 'a' {\n", "menuentry \"b\" --class x $menuentry_id_option 'id' {\n", "submenu 's' --id=t {\n", "}\n", "\n}\n",
	"\tlinux /vmlinuz root=UUID=1 ro\n", "linux16 ", "linuxefi ", "initrd /initrd\n", "initrdefi ", "set default=\"0\"\n",
	"set default=\"${next_entry}\"\n", "set default=", "### BEGIN /etc/grub.d/10_linux ###\n", "### END /etc/grub.d/10_linux ###\n", "if [ x = y ]; then\n",
	"else\n", "fi\n", "function f {\n", "\\\n", "'", "\"", "\\", "#", ";", "{", "}", "$a", "${b}", "--id ", "--unrestricted ", ">",
	">>", "\x1e", "1>0", "if ", "; then", "menuentry", "submenu", "\tsavedefault\n", "\trecordfail\n", NULL
};

static const struct fuzz_files files[] = {
	{ "tests/machines/*/boot/grub*/grub.cfg", NULL },
	{ "corpus/grub.d/*", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_grubcfg = { .name = "grubcfg", .run = run, .words = words, .files = files };
