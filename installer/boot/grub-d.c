/* SPDX-License-Identifier: MIT */
/*
 * GRUB of Debian and Ubuntu: grub-mkconfig (update-grub, and every installation of a kernel) writes the menu into
 * /boot/grub/grub.cfg. Normal entries get "$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT", recovery entries do not
 * get the second. /etc/default/grub is read first, then /etc/default/grub.d/<name>.cfg in the order of their names; the
 * last assignment wins, and cloud images assign the variable there. So a file of ours, read last, adds to whatever is
 * in it, and nothing of anybody else's is edited. (grub-mkconfig.in of Debian; 10_linux.in)
 */
#include <errno.h>

#include "boot/internal.h"
#include "format/dropin.h"

static const char *const tools[] = { "/usr/sbin/grub-mkconfig", "/usr/bin/grub-mkconfig" };

/* --- recognise --------------------------------------------------------------------------------------------------- */

/* The script itself says whether it reads the folder: upstream's and Fedora's do not. */
static bool reads_folder(const struct sp_root *root, const char *path)
{
	static const char folder[] = "default/grub.d";
	sp_autobuf struct sp_buf script = { 0 };

	return sp_root_read(root, path, SP_FILE_MAX, &script, NULL) == 0 &&
	       memmem(script.data, script.len, folder, strlen(folder));
}

const char *sp_grub_d_tool(const struct sp_root *root)
{
	for (size_t i = 0; i < SP_ELEMENTS(tools); i++)
		if (sp_root_exists(root, tools[i]))
			return reads_folder(root, tools[i]) ? tools[i] : NULL;
	return NULL;
}

static bool is_generated(const struct sp_grub *grub)
{
	static const char mark[] = "### BEGIN /etc/grub.d/";

	return grub->cfg_denied || memmem(grub->cfg.data, grub->cfg.len, mark, strlen(mark));
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };

	if (sp_boot_is_ostree(root))
		return 0;
	int r = sp_grub_open(root, &grub, err);
	if (r < 0)
		return r;
	const char *tool = sp_grub_d_tool(root);
	if (!sp_streq(grub.cfg_path, SP_GRUB_D_CFG) || !tool || !is_generated(&grub) || sp_grub_calls_blscfg(&grub))
		return 0;
	sp_strv_addf(seen, grub.cfg_denied ? "%s, which only root may read" : "%s made by grub-mkconfig", grub.cfg_path);
	sp_strv_addf(seen, "%s reads " SP_GRUB_D, tool);
	if (sp_root_exists(root, "/etc/debian_version"))
		sp_strv_add(seen, "/etc/debian_version");
	return 1;
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

/* Is it 10_linux (or 09_linux, 10_linux_zfs, as people and Ubuntu have it), whose entries get the two variables? */
static bool is_linux_script(const char *section)
{
	const char *name = section ? strrchr(section, '/') : NULL;

	if (!name)
		return false;
	name += 1 + strspn(name + 1, "0123456789");
	return sp_streq(name, "_linux") || sp_streq(name, "_linux_zfs");
}

/* The identifier says it in every language. */
static bool is_recovery(const struct sp_menu_item *item)
{
	return item->id ? strstr(item->id, "-recovery-") != NULL : strstr(item->title, "(recovery mode)") != NULL;
}

static char *why_not(const struct sp_menu_item *item)
{
	if (item->n_kernels == 0)
		return sp_xstrdup("it does not start a Linux kernel");
	if (!item->section)
		return sp_xstrdup("grub-mkconfig did not write it");
	if (!is_linux_script(item->section))
		return sp_xasprintf("'%s' wrote it", item->section);
	return NULL;
}

static char *version_of(const char *path)
{
	const char *file = strrchr(path, '/');

	file = file ? file + 1 : path;
	return sp_startswith(file, "vmlinuz-") ? sp_xstrdup(file + strlen("vmlinuz-")) : NULL;
}

static void add_entry(const struct sp_menu_item *item, const struct sp_menu_kernel *kernel, struct sp_boot *boot)
{
	boot->entries = sp_xrealloc(boot->entries, boot->n_entries + 1, sizeof(*boot->entries));
	struct sp_entry *e = &boot->entries[boot->n_entries++];

	*e = (struct sp_entry){
		.id = sp_xstrdup(item->id ? item->id : item->title), .path = sp_xstrdup(SP_GRUB_D_CFG),
		.title = sp_xstrdup(item->title), .why = why_not(item), .rescue = is_recovery(item),
		.version = kernel ? version_of(kernel->path) : NULL, .linux_path = sp_xstrdup(kernel ? kernel->path : NULL),
		.options = sp_xstrdup(kernel ? kernel->args : NULL), .line = sp_xstrdup(kernel ? kernel->args : ""),
	};
	e->named = !e->why;
	sp_strv_copy(&e->initrd, &item->initrd);
}

/* GRUB_DEFAULT=saved makes it "${saved_entry}"; what means no entry is the first one to GRUB. */
static int default_item(const struct sp_menu *menu, const struct sp_grub *grub)
{
	const char *spec = menu->default_spec ? menu->default_spec : "0";
	sp_autofree char *saved = strstr(spec, "saved_entry") ? sp_grub_env(grub, "saved_entry") : NULL;
	int at = sp_menu_find(menu, saved ? saved : spec);

	return at < 0 ? sp_menu_find(menu, "0") : at;
}

/* root= of the entry that boots, if it is this system's, else of the first that is. */
static char *find_root(const struct sp_boot *boot)
{
	const struct sp_entry *found = NULL;

	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];

		if (e->named && !e->rescue && (!found || e->by_default))
			found = e;
	}
	return found ? sp_cmdline_value(found->line, "root") : NULL;
}

void sp_grub_d_fill(const struct sp_menu *menu, const struct sp_grub *grub, struct sp_boot *boot)
{
	const int chosen = default_item(menu, grub);

	for (size_t i = 0; i < menu->n; i++) {
		const struct sp_menu_item *item = &menu->v[i];
		const size_t first = boot->n_entries;

		for (size_t k = 0; k < item->n_kernels; k++)
			add_entry(item, &item->kernels[k], boot);
		if (item->n_kernels == 0 && !item->submenu)
			add_entry(item, NULL, boot);
		if ((int) i == chosen && first < boot->n_entries)
			boot->entries[first].by_default = true;
	}
	sp_autofree char *root = find_root(boot);
	sp_entries_claim(boot, root);
	free(boot->root_arg);
	boot->root_arg = root ? sp_xasprintf("root=%s", root) : NULL;
}

static void read_entries(const struct sp_grub *grub, struct sp_boot *boot)
{
	sp_automenu struct sp_menu menu = { 0 };
	sp_autoerror struct sp_error *why = NULL;

	if (!sp_streq(grub->cfg_path, SP_GRUB_D_CFG))
		boot->entries_why = sp_xstrdup("there is no " SP_GRUB_D_CFG);
	else if (grub->cfg_denied)
		boot->entries_why = sp_xstrdup(SP_GRUB_D_CFG ": needs root to be read");
	else if (sp_grubcfg_parse(&grub->cfg, &menu, &why) < 0)
		boot->entries_why = sp_xasprintf(SP_GRUB_D_CFG ": %s", why->message);
	else
		sp_grub_d_fill(&menu, grub, boot);
	boot->entries_broken = boot->entries_why && !grub->cfg_denied;
	if (boot->entries_why)
		sp_strv_addf(&boot->warnings, "the boot entries are not known: %s", boot->entries_why);
	else if (!boot->root_arg)
		sp_strv_add(&boot->warnings, "no entry of " SP_GRUB_D_CFG " starts this system");
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	int r = sp_grub_open(root, &grub, err);

	if (r == 0)
		r = sp_grub_check_env(&grub, err);
	if (r < 0)
		return r;
	read_entries(&grub, boot);
	return sp_grub_d_read_sources(root, boot, err);
}

/* --- our file ---------------------------------------------------------------------------------------------------- */

/* One assignment a token, so that each has its reason above it. */
static void add_line(const struct sp_dropin_line *line, struct sp_buf *b)
{
	sp_buf_addf(b, "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT %s=%s\"\n", line->key, line->value);
}

static void render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret)
{
	sp_dropin_render(lines, n, add_line, ret);
}

const struct sp_boot_ops sp_boot_grub_d = {
	.name = "grub-d",
	.title = "GRUB with /etc/default/grub.d",
	.probe = probe,
	.read = read_setup,
	.check = sp_grub_d_check,
	.own_file = SP_GRUB_D_OWN,
	.render = render,
	.product = SP_GRUB_D_CFG,
	.command = "grub-mkconfig -o " SP_GRUB_D_CFG,
	.generate = sp_grub_d_generate,
};
