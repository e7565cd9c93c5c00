/* SPDX-License-Identifier: MIT */
/* The setup grub-d: make grub.cfg with the system's own grub-mkconfig, and look at it before anything boots by it. */
#include <errno.h>

#include "base/child.h"
#include "boot/internal.h"
#include "format/shellvar.h"

enum {
	GENERATE_SECONDS = 300, /* os-prober mounts every partition that it finds */
	CHECK_SECONDS = 60,
};

/* GRUB puts "BOOT_IMAGE=(device)path" in front; the longest device that is likely. */
#define BOOT_IMAGE "BOOT_IMAGE=(hd15,gpt128) "

/* --- what it must be --------------------------------------------------------------------------------------------- */

static int wrong(struct sp_error **err, const struct sp_entry *e, const char *what)
{
	return sp_error_set(err, -EBADMSG, "'%s': the entry '%s' %s", SP_GRUB_D_CFG, e->title, what);
}

static const struct sp_place *own_place(const struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_places; i++)
		if (boot->places[i].whole)
			return &boot->places[i];
	return NULL;
}

static bool any_doubt(const struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_sources; i++)
		if (boot->sources[i].why)
			return true;
	return false;
}

/* Once, and alone of its key: or, where other files say the key, too, last of it. */
static bool stands(const struct sp_boot *boot, const char *line, const char *token)
{
	const struct sp_place *own = own_place(boot);
	const enum sp_presence p = sp_cmdline_presence(line, token);

	return p == SP_PRESENT ||
	       (p == SP_EFFECTIVE &&
		(any_doubt(boot) || (own && sp_cmdline_presence(own->line, token) == SP_EFFECTIVE)));
}

static int check_normal(const struct sp_boot *boot, const struct sp_entry *e, const struct sp_tokens *wanted,
			struct sp_error **err)
{
	const size_t n = strlen(BOOT_IMAGE) + strlen(e->linux_path) + strlen(e->line);

	for (size_t i = 0; i < wanted->n; i++) {
		if (stands(boot, e->line, wanted->v[i].text))
			continue;
		sp_autofree char *what = sp_xasprintf("does not have '%s' once and in effect", wanted->v[i].text);
		return wrong(err, e, what);
	}
	if (n < SP_CMDLINE_MAX || wanted->n == 0)
		return 0;
	(void) sp_error_set(err, -E2BIG, "the command line of '%s' would be %zu bytes long, and a kernel reads %zu", e->title,
			    n, SP_CMDLINE_MAX - 1);
	return sp_error_hint(err, "take arguments out of it that are not needed");
}

int sp_grub_d_check(const struct sp_boot *boot, const struct sp_tokens *wanted, struct sp_error **err)
{
	size_t bootable = 0;

	if (boot->entries_why)
		return sp_error_set(err, -EBADMSG, "%s", boot->entries_why);
	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];
		sp_autofree char *root = sp_cmdline_value(e->line, "root");
		int r = 0;

		if (!e->named)
			continue;
		if (!root || !*root)
			return wrong(err, e, "has no root=, so it would not boot");
		if (!e->rescue)
			r = check_normal(boot, e, wanted, err);
		if (r < 0)
			return r;
		bootable += e->ours && !e->rescue;
	}
	if (bootable > 0)
		return 0;
	return sp_error_set(err, -EBADMSG, "'%s': no entry starts this system", SP_GRUB_D_CFG);
}

static bool in_recovery(const struct sp_boot *boot, const char *token)
{
	for (size_t i = 0; i < boot->n_entries; i++) {
		const enum sp_presence p = sp_cmdline_presence(boot->entries[i].line, token);

		if (boot->entries[i].named && boot->entries[i].rescue && (p == SP_PRESENT || p == SP_EFFECTIVE))
			return true;
	}
	return false;
}

/* Recovery entries keep the old line. What others gave them (GRUB_CMDLINE_LINUX) is theirs. */
static int check_recovery(const struct sp_boot *before, const struct sp_boot *after, const struct sp_tokens *wanted,
			  struct sp_error **err)
{
	for (size_t i = 0; i < wanted->n; i++) {
		sp_autofree char *key = sp_token_key(wanted->v[i].text);

		if (in_recovery(after, wanted->v[i].text) && !in_recovery(before, wanted->v[i].text) &&
		    !sp_source_before(after, key) && !any_doubt(after))
			return sp_error_set(err, -EBADMSG, "'%s': '%s' got into a recovery entry", SP_GRUB_D_CFG,
					    wanted->v[i].text);
	}
	return 0;
}

static int check_product(const struct sp_root *root, const struct sp_boot *before, const struct sp_buf *product,
			 const struct sp_tokens *wanted, struct sp_error **err)
{
	sp_automenu struct sp_menu menu = { 0 };
	sp_autogrub struct sp_grub grub = { 0 };
	sp_autoboot struct sp_boot *after = sp_xcalloc(1, sizeof(*after));
	int r = sp_grubcfg_parse(product, &menu, err);

	if (r == 0 && !menu.generated)
		r = sp_error_set(err, -EBADMSG, "it is no menu of grub-mkconfig");
	if (r == 0)
		r = sp_grub_open(root, &grub, err);
	if (r == 0)
		r = sp_grub_d_read_sources(root, after, err);
	if (r < 0)
		return r;
	sp_grub_d_fill(&menu, &grub, after);
	r = sp_grub_d_check(after, wanted, err);
	return r < 0 ? r : check_recovery(before, after, wanted, err);
}

/* --- make it ----------------------------------------------------------------------------------------------------- */

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

/* Without -o it writes to its standard output, so that nothing half-made ever lies in /boot. */
int sp_grub_d_generate(const struct sp_root *root, const struct sp_boot *boot, const struct sp_tokens *wanted,
		       struct sp_buf *product, struct sp_error **err)
{
	const char *tool = sp_grub_d_tool(root);

	if (!tool)
		return sp_error_set(err, -ENOENT, "there is no grub-mkconfig that reads " SP_GRUB_D);
	int r = run(root, tool, NULL, GENERATE_SECONDS, product, err);
	if (r < 0)
		return r;
	r = check_script(root, product, err);
	if (r == 0)
		r = check_product(root, boot, product, wanted, err);
	return r < 0 ? sp_error_wrap(err, "what grub-mkconfig made cannot be used") : 0;
}
