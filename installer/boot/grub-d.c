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
bool sp_grub_reads_folder(const struct sp_root *root, const char *path)
{
	static const char folder[] = "default/grub.d";
	sp_autobuf struct sp_buf script = { 0 };

	return sp_root_read(root, path, SP_FILE_MAX, &script, NULL) == 0 &&
	       memmem(script.data, script.len, folder, strlen(folder));
}

static const char *find_tool(const struct sp_root *root)
{
	for (size_t i = 0; i < SP_ELEMENTS(tools); i++)
		if (sp_root_exists(root, tools[i]))
			return sp_grub_reads_folder(root, tools[i]) ? tools[i] : NULL;
	return NULL;
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };

	if (sp_boot_is_ostree(root))
		return 0;
	int r = sp_grub_open(root, &grub, err);
	if (r < 0)
		return r;
	const char *tool = find_tool(root);
	if (!sp_streq(grub.cfg_path, SP_GRUB_CFG) || !tool || !sp_grub_menu_is_generated(&grub) || sp_grub_calls_blscfg(&grub))
		return 0;
	sp_strv_addf(seen, grub.cfg_denied ? "%s, which only root may read" : "%s made by grub-mkconfig", grub.cfg_path);
	sp_strv_addf(seen, "%s reads " SP_GRUB_D, tool);
	if (sp_root_exists(root, "/etc/debian_version"))
		sp_strv_add(seen, "/etc/debian_version");
	return 1;
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	int r = sp_grub_open(root, &grub, err);

	if (r == 0)
		r = sp_grub_check_env(&grub, err);
	if (r < 0)
		return r;
	sp_grub_menu_read(&grub, boot);
	return sp_grub_d_read_sources(root, boot, err);
}

/* --- the menu ----------------------------------------------------------------------------------------------------- */

static int generate(const struct sp_root *root, const struct sp_boot *boot, const struct sp_tokens *wanted,
		    struct sp_edits *products, struct sp_error **err)
{
	const struct sp_grub_maker maker = { find_tool(root), sp_grub_d_read_sources };

	if (!maker.tool)
		return sp_error_set(err, -ENOENT, "there is no grub-mkconfig that reads " SP_GRUB_D);
	return sp_grub_make(root, &maker, boot, wanted, products, err);
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
	.loader = "GRUB",
	.probe = probe,
	.read = read_setup,
	.check = sp_grub_menu_check,
	.once = &sp_once_grub,
	.own_file = SP_GRUB_D_OWN,
	.render = render,
	.product = SP_GRUB_CFG,
	.command = "grub-mkconfig -o " SP_GRUB_CFG,
	.generate = generate,
};
