/* SPDX-License-Identifier: MIT */
/* Make a grub.cfg (ops->product) with the system's own generator, and look at it before anything boots by it. */
#include <errno.h>

#include "base/child.h"
#include "boot/internal.h"
#include "format/shellvar.h"

enum {
	GENERATE_SECONDS = 300, /* os-prober mounts every partition that it finds */
	CHECK_SECONDS = 60,
};

/* --- run tools -------------------------------------------------------------------------------------------------- */

/*
 * The titles are in the language of the environment, and a default may be named by title: so the system's own language
 * is kept, as an installation of a kernel keeps it. Nothing of ours reads them.
 */
static char *language(const struct sp_root *root)
{
	static const char *const files[] = { "/etc/default/locale", "/etc/locale.conf" };

	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autofree char *lang = NULL;

		if (sp_root_read(root, files[i], SP_FILE_MAX, &file, NULL) == 0 &&
		    sp_shellvar_get(&file, "LANG", &lang, NULL) == 0 && *lang)
			return sp_xasprintf("LANG=%s", lang);
	}
	return sp_xstrdup("LC_ALL=C");
}

static int run(const struct sp_root *root, const char *tool, const struct sp_buf *input, unsigned seconds,
	       struct sp_buf *out, struct sp_error **err)
{
	sp_autofree char *lang = language(root), *path = sp_root_join(root, tool);
	const char *const argv[] = { path, NULL };
	const char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", lang, NULL };
	const struct sp_child child = {
		.argv = argv, .env = env, .input = input, .max_output = SP_FILE_MAX, .seconds = seconds,
	};

	return sp_child_run(&child, out, err);
}

/* GRUB's own parser has the last word on whether GRUB can read it. */
static int check_script(const struct sp_root *root, const struct sp_buf *product, struct sp_error **err)
{
	static const char *const checkers[] = { "/usr/bin/grub-script-check", "/usr/sbin/grub-script-check" };
	sp_autobuf struct sp_buf said = { 0 };

	for (size_t i = 0; i < SP_ELEMENTS(checkers); i++)
		if (sp_root_exists(root, checkers[i]))
			return run(root, checkers[i], product, CHECK_SECONDS, &said, err);
	return 0; /* not installed: our own reading has to do */
}

/* --- make it ----------------------------------------------------------------------------------------------------- */

static int check_product(const struct sp_root *root, const struct sp_grub_maker *maker, const struct sp_boot *before,
			 const struct sp_buf *product, const struct sp_tokens *wanted, struct sp_error **err)
{
	sp_automenu struct sp_menu menu = { 0 };
	sp_autogrub struct sp_grub grub = { 0 };
	sp_autoboot struct sp_boot *after = sp_xcalloc(1, sizeof(*after));
	after->ops = before->ops;
	int r = sp_grubcfg_parse(product, &menu, err);

	if (r == 0 && !menu.generated)
		r = sp_error_set(err, -EBADMSG, "it is no menu of grub-mkconfig");
	if (r == 0)
		r = sp_grub_open(root, &grub, err);
	if (r == 0)
		r = maker->read_sources(root, after, err);
	if (r < 0)
		return r;
	sp_grub_menu_fill(&menu, &grub, after);
	r = sp_grub_menu_check(after, wanted, err);
	return r < 0 ? r : sp_grub_menu_check_recovery(before, after, wanted, err);
}

/* Without -o it writes to its standard output, so that nothing half-made ever lies in /boot. */
int sp_grub_make(const struct sp_root *root, const struct sp_grub_maker *maker, const struct sp_boot *boot,
		 const struct sp_tokens *wanted, struct sp_edits *products, struct sp_error **err)
{
	sp_autobuf struct sp_buf product = { 0 };
	struct sp_edit *edit = NULL;
	int r = run(root, maker->tool, NULL, GENERATE_SECONDS, &product, err);

	if (r < 0)
		return r;
	r = check_script(root, &product, err);
	if (r == 0)
		r = check_product(root, maker, boot, &product, wanted, err);
	if (r < 0)
		return sp_error_wrap(err, "what %s made cannot be used", strrchr(maker->tool, '/') + 1);
	r = sp_edits_add(products, root, boot->ops->product, &product, &edit, err);
	if (r == 0 && !edit->before.exists)
		edit->after.meta.mode = 0600; /* it may hold a password of the menu */
	return r;
}
