/* SPDX-License-Identifier: MIT */
/*
 * A menu that grub-mkconfig wrote (ops->product): its entries, and what must be true of them. 10_linux gives normal
 * entries "$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT"; recovery entries do not get the second. (10_linux.in)
 */
#include <errno.h>

#include "boot/internal.h"

/* GRUB puts "BOOT_IMAGE=(device)path" in front; the longest device that is likely. */
#define BOOT_IMAGE "BOOT_IMAGE=(hd15,gpt128) "

bool sp_grub_menu_is_generated(const struct sp_grub *grub)
{
	static const char mark[] = "### BEGIN /etc/grub.d/";

	return grub->cfg_denied || memmem(grub->cfg.data, grub->cfg.len, mark, strlen(mark));
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
		.id = sp_xstrdup(item->id ? item->id : item->title), .path = sp_xstrdup(boot->ops->product),
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

void sp_grub_menu_fill(const struct sp_menu *menu, const struct sp_grub *grub, struct sp_boot *boot)
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

void sp_grub_menu_read(const struct sp_grub *grub, struct sp_boot *boot)
{
	sp_automenu struct sp_menu menu = { 0 };
	sp_autoerror struct sp_error *why = NULL;
	const char *cfg = boot->ops->product;

	if (!sp_streq(grub->cfg_path, cfg))
		boot->entries_why = sp_xasprintf("there is no %s", cfg);
	else if (grub->cfg_denied)
		boot->entries_why = sp_xasprintf("%s: needs root to be read", cfg);
	else if (sp_grubcfg_parse(&grub->cfg, &menu, &why) < 0)
		boot->entries_why = sp_xasprintf("%s: %s", cfg, why->message);
	else
		sp_grub_menu_fill(&menu, grub, boot);
	boot->entries_broken = boot->entries_why && !grub->cfg_denied;
	if (boot->entries_why)
		sp_strv_addf(&boot->warnings, "the boot entries are not known: %s", boot->entries_why);
	else if (!boot->root_arg)
		sp_strv_addf(&boot->warnings, "no entry of %s starts this system", cfg);
}

/* --- what must be true ------------------------------------------------------------------------------------------ */

static int wrong(const struct sp_boot *boot, const struct sp_entry *e, const char *what, struct sp_error **err)
{
	return sp_error_set(err, -EBADMSG, "'%s': the entry '%s' %s", boot->ops->product, e->title, what);
}

/* Where the generator has all of the line from, as far as it is understood. */
static const struct sp_place *own_place(const struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_places; i++)
		if (boot->places[i].role == SP_PLACE_GENERATOR && !boot->places[i].only_remove)
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

/* What is generated from, put together in its order, as far as it is understood. */
static char *expected_line(const struct sp_boot *boot)
{
	const struct sp_place *own = own_place(boot);
	sp_autobuf struct sp_buf line = { 0 };

	for (size_t i = 0; own && !own->whole && i < boot->n_sources; i++)
		if (boot->sources[i].text && !boot->sources[i].behind)
			sp_buf_addf(&line, "%s ", boot->sources[i].text);
	sp_buf_adds(&line, own && own->line ? own->line : "");
	return sp_buf_steal(&line);
}

/* Once, and alone of its key: or, where other files say the key, too, last of it. */
static bool stands(const struct sp_boot *boot, const char *line, const char *token)
{
	const enum sp_presence p = sp_cmdline_presence(line, token);
	sp_autofree char *expected = expected_line(boot);

	return p == SP_PRESENT ||
	       (p == SP_EFFECTIVE && (any_doubt(boot) || sp_cmdline_presence(expected, token) == SP_EFFECTIVE));
}

static int check_normal(const struct sp_boot *boot, const struct sp_entry *e, const struct sp_tokens *wanted,
			struct sp_error **err)
{
	const size_t n = strlen(BOOT_IMAGE) + strlen(e->linux_path) + strlen(e->line);

	for (size_t i = 0; i < wanted->n; i++) {
		if (stands(boot, e->line, wanted->v[i].text))
			continue;
		sp_autofree char *what = sp_xasprintf("does not have '%s' once and in effect", wanted->v[i].text);
		return wrong(boot, e, what, err);
	}
	if (n < SP_CMDLINE_MAX || wanted->n == 0)
		return 0;
	(void) sp_error_set(err, -E2BIG, "the command line of '%s' would be %zu bytes long, and a kernel reads %zu", e->title,
			    n, SP_CMDLINE_MAX - 1);
	return sp_error_hint(err, "take arguments out of it that are not needed");
}

int sp_grub_menu_check(const struct sp_boot *boot, const struct sp_tokens *wanted, struct sp_error **err)
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
			return wrong(boot, e, "has no root=, so it would not boot", err);
		if (!e->rescue)
			r = check_normal(boot, e, wanted, err);
		if (r < 0)
			return r;
		bootable += e->ours && !e->rescue;
	}
	if (bootable > 0)
		return 0;
	return sp_error_set(err, -EBADMSG, "'%s': no entry starts this system", boot->ops->product);
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
int sp_grub_menu_check_recovery(const struct sp_boot *before, const struct sp_boot *after, const struct sp_tokens *wanted,
				struct sp_error **err)
{
	for (size_t i = 0; i < wanted->n; i++) {
		sp_autofree char *key = sp_token_key(wanted->v[i].text);

		if (in_recovery(after, wanted->v[i].text) && !in_recovery(before, wanted->v[i].text) &&
		    !sp_source_before(after, key) && !any_doubt(after))
			return sp_error_set(err, -EBADMSG, "'%s': '%s' got into a recovery entry",
					    after->ops->product, wanted->v[i].text);
	}
	return 0;
}
