/* SPDX-License-Identifier: MIT */
/*
 * GRUB whose grub-mkconfig reads /etc/default/grub and no folder beside it (upstream's: Arch, CachyOS, openSUSE, Fedora
 * without BLS entries). Ours goes into GRUB_CMDLINE_LINUX_DEFAULT there, which recovery entries do not get; the menu is
 * made anew. Kernels that come later inherit it when the menu is made for them. (grub-mkconfig.in, 10_linux.in)
 */
#include <errno.h>

#include "boot/internal.h"
#include "format/shellstep.h"

#define FOR_ALL	   "GRUB_CMDLINE_LINUX"
#define FOR_NORMAL "GRUB_CMDLINE_LINUX_DEFAULT"

static const char *const tools[] = { "/usr/bin/grub-mkconfig", "/usr/sbin/grub-mkconfig" };
static const char *const tools2[] = { "/usr/sbin/grub2-mkconfig", "/usr/bin/grub2-mkconfig" };

/* --- recognise --------------------------------------------------------------------------------------------------- */

static const char *find_tool(const struct sp_root *root, const char *const list[2])
{
	for (size_t i = 0; i < 2; i++)
		if (sp_root_exists(root, list[i]))
			return sp_grub_reads_folder(root, list[i]) ? NULL : list[i];
	return NULL;
}

static int probe_with(const struct sp_root *root, const char *const list[2], const char *cfg, struct sp_strv *seen,
		      struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };

	if (sp_boot_is_ostree(root))
		return 0;
	int r = sp_grub_open(root, &grub, err);
	if (r < 0)
		return r;
	const char *tool = find_tool(root, list);
	if (!sp_streq(grub.cfg_path, cfg) || !tool || !sp_grub_menu_is_generated(&grub) || sp_grub_calls_blscfg(&grub))
		return 0;
	sp_strv_addf(seen, grub.cfg_denied ? "%s, which only root may read" : "%s made by a grub-mkconfig", cfg);
	sp_strv_addf(seen, "%s reads " SP_GRUB_DEFAULTS " and no folder", tool);
	return 1;
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	return probe_with(root, tools, SP_GRUB_CFG, seen, err);
}

static int probe2(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	return probe_with(root, tools2, SP_GRUB2_CFG, seen, err);
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static int needs_shell(struct sp_error **err, const char *var, const char *why)
{
	(void) sp_error_set(err, -ENOTSUP, "'" SP_GRUB_DEFAULTS "': %s cannot be changed: %s", var, why);
	(void) sp_error_path(err, SP_GRUB_DEFAULTS);
	(void) sp_error_hint(err, "write its value in one assignment, without anything that a shell computes");
	return sp_error_exit(err, SP_EXIT_UNSUPPORTED);
}

/* Ours goes here. A variable that is not set is added. */
static int add_normal(const struct sp_root *root, const struct sp_buf *file, struct sp_boot *boot, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) FOR_NORMAL };
	sp_autoerror struct sp_error *why = NULL;
	sp_autofree char *line = NULL;
	int r = sp_host_get(&host, file, &line, &why);

	if (r == -EOPNOTSUPP)
		return needs_shell(err, FOR_NORMAL, why->message);
	if (r < 0 && r != -ENOENT) {
		(void) sp_error_wrap(&why, SP_GRUB_DEFAULTS);
		(void) sp_error_path(&why, SP_GRUB_DEFAULTS);
		return sp_boot_fail(err, &why);
	}
	sp_place_add(root, boot, SP_PLACE_GENERATOR, &host, SP_GRUB_DEFAULTS)->line = sp_steal(line);
	return 0;
}

/* What all entries get stands in front of ours, which wins; --replace can take a plain one out. */
static void add_for_all(const struct sp_root *root, const struct sp_buf *file, struct sp_boot *boot)
{
	static const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) FOR_ALL };
	sp_autoshellstep struct sp_shell_step step = { 0 };
	sp_autoerror struct sp_error *why = NULL;
	sp_autofree char *line = NULL;
	int r = sp_shellvar_step(file, FOR_ALL, &step, &why);

	if (r == 0 && step.kind == SP_STEP_NONE)
		return;
	struct sp_source *s = sp_source_add(boot, SP_GRUB_DEFAULTS);
	if (r < 0) {
		s->why = sp_xstrdup(why->message);
		return;
	}
	s->text = sp_xasprintf("%s %s", step.before, step.after);
	s->line = step.line;
	if (sp_host_get(&host, file, &line, NULL) < 0)
		return;
	struct sp_place *p = sp_place_add(root, boot, SP_PLACE_GENERATOR, &host, SP_GRUB_DEFAULTS);
	p->only_remove = p->only_displaced = true;
	p->line = sp_steal(line);
}

static int read_sources(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_autobuf struct sp_buf file = { 0 };
	int r = sp_root_read(root, SP_GRUB_DEFAULTS, SP_FILE_MAX, &file, err);

	if (r < 0)
		return r == -ENOENT ? sp_error_hint(err, "grub-mkconfig has its settings there; install GRUB's package anew") : r;
	r = add_normal(root, &file, boot, err);
	if (r == 0)
		add_for_all(root, &file, boot);
	return r;
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	int r = sp_check_fixed_root(root, "add the arguments that 'strix-provision plan' names to " FOR_NORMAL " in "
				    SP_GRUB_DEFAULTS ", then run: transactional-update grub.cfg", err);

	if (r == 0)
		r = sp_grub_open(root, &grub, err);
	if (r == 0)
		r = sp_grub_check_env(&grub, err);
	if (r < 0)
		return r;
	sp_grub_menu_read(&grub, boot);
	return read_sources(root, boot, err);
}

/* --- the menu ---------------------------------------------------------------------------------------------------- */

static int generate_with(const struct sp_root *root, const char *const list[2], const struct sp_boot *boot,
			 const struct sp_tokens *wanted, struct sp_edits *products, struct sp_error **err)
{
	const struct sp_grub_maker maker = { find_tool(root, list), read_sources };

	if (!maker.tool)
		return sp_error_set(err, -ENOENT, "'%s' is not there any more", list[0]);
	return sp_grub_make(root, &maker, boot, wanted, products, err);
}

static int generate(const struct sp_root *root, const struct sp_boot *boot, const struct sp_tokens *wanted,
		    struct sp_edits *products, struct sp_error **err)
{
	return generate_with(root, tools, boot, wanted, products, err);
}

static int generate2(const struct sp_root *root, const struct sp_boot *boot, const struct sp_tokens *wanted,
		     struct sp_edits *products, struct sp_error **err)
{
	return generate_with(root, tools2, boot, wanted, products, err);
}

const struct sp_boot_ops sp_boot_grub_default = {
	.name = "grub-default",
	.title = "GRUB with /etc/default/grub alone",
	.loader = "GRUB",
	.probe = probe,
	.read = read_setup,
	.check = sp_grub_menu_check,
	.once = &sp_once_grub,
	.product = SP_GRUB_CFG,
	.command = "grub-mkconfig -o " SP_GRUB_CFG,
	.generate = generate,
};

/* The same under the names that openSUSE and Fedora give it. */
const struct sp_boot_ops sp_boot_grub2_default = {
	.name = "grub2-default",
	.title = "GRUB 2 with /etc/default/grub alone",
	.loader = "GRUB",
	.probe = probe2,
	.read = read_setup,
	.check = sp_grub_menu_check,
	.once = &sp_once_grub,
	.product = SP_GRUB2_CFG,
	.command = "grub2-mkconfig -o " SP_GRUB2_CFG,
	.generate = generate2,
};
