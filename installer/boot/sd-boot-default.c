/* SPDX-License-Identifier: MIT */
/* The order of systemd-boot's menu, and which entry it starts when nobody chooses (systemd: boot.c). */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>

#include "boot/internal.h"
#include "format/bls.h"

#define LOADER_CONF "/loader/loader.conf"
#define SAVED	    "@saved"

/* --- order ------------------------------------------------------------------------------------------------------- */

static const char *file_of(const struct sp_entry *e)
{
	return strrchr(e->path, '/') + 1;
}

/* Names are looked at in lower case, as FAT has none. */
static char *lower(char *s)
{
	for (char *c = s; *c; c++)
		*c = (char) tolower((unsigned char) *c);
	return s;
}

static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a ? 1 : 0) - (b ? 1 : 0);
	return strcmp(a, b);
}

static int compare_new_style(const struct sp_entry *a, const struct sp_entry *b)
{
	int c = compare_text(a->sort_key, b->sort_key);

	if (c == 0)
		c = compare_text(a->machine_id, b->machine_id);
	return c != 0 ? c : -sp_bls_compare_versions(a->version, b->version);
}

/* Of two that are alike but for it: more tries left first, then the one that was tried less. */
static int compare_tries(struct sp_bls_tries a, struct sp_bls_tries b)
{
	if (a.left < 0 || b.left < 0)
		return 0;
	if (a.left != b.left)
		return a.left > b.left ? -1 : 1;
	return a.done < b.done ? -1 : a.done > b.done;
}

static int in_menu_order(const void *x, const void *y)
{
	const struct sp_entry *a = x, *b = y;
	const struct sp_bls_tries of_a = sp_bls_tries(file_of(a)), of_b = sp_bls_tries(file_of(b));
	sp_autofree char *id_a = lower(sp_xstrdup(file_of(a))), *id_b = lower(sp_xstrdup(file_of(b)));
	int c = (of_a.left == 0) - (of_b.left == 0); /* taken for bad: last */

	if (c == 0)
		c = !a->sort_key - !b->sort_key;
	if (c == 0 && a->sort_key)
		c = compare_new_style(a, b);
	if (c == 0)
		c = -sp_bls_compare_versions(id_a, id_b);
	if (c == 0)
		c = compare_tries(of_a, of_b);
	return c != 0 ? c : strcmp(a->path, b->path);
}

const struct sp_entry_rules sp_sd_boot_rules = { .all_options = true, .compare = in_menu_order };

/* --- default ----------------------------------------------------------------------------------------------------- */

/* loader.conf is read from the partition that the loader itself is on, whose folder is the one with EFI in it. */
static int read_conf(const struct sp_sd_boot *rd, char **ret, struct sp_error **err)
{
	for (int with_loader = 1; with_loader >= 0; with_loader--)
		for (size_t i = 0; i < rd->folders.n; i++) {
			sp_autofree char *path = sp_xasprintf("%s" LOADER_CONF, rd->folders.v[i]);
			sp_autofree char *efi = sp_xasprintf("%s/EFI", rd->folders.v[i]);
			sp_autobuf struct sp_buf file = { 0 };

			if (sp_root_exists(rd->root, efi) != !!with_loader || !sp_root_exists(rd->root, path))
				continue;
			int r = sp_root_read(rd->root, path, SP_FILE_MAX, &file, err);
			if (r == 0 && sp_bls_last(&file, "default", ret, NULL) < 0)
				sp_strv_addf(&rd->boot->warnings, "'%s' is no text, so its default is not known", path);
			return r;
		}
	return 0;
}

static bool matches(const struct sp_sd_boot *rd, const char *pattern, const struct sp_entry *e)
{
	sp_autofree char *folded = lower(sp_xstrdup(pattern)), *id = lower(sp_xstrdup(file_of(e)));
	sp_autofree char *plain = sp_bls_plain_name(id); /* newer versions look at the name without the counter */
	sp_autofree char *old = rd->old_ids ? sp_xasprintf("%s.conf", folded) : NULL;

	return fnmatch(folded, id, 0) == 0 || fnmatch(folded, plain, 0) == 0 || (old && fnmatch(old, id, 0) == 0);
}

/* The first that is shown; pattern NULL: any. */
static struct sp_entry *find(const struct sp_sd_boot *rd, const char *pattern)
{
	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		struct sp_entry *e = &rd->boot->entries[i];

		if (!e->hidden && (!pattern || matches(rd, pattern, e)))
			return e;
	}
	return NULL;
}

static struct sp_entry *find_wanted(const struct sp_sd_boot *rd, const char *wanted)
{
	const char *pattern = wanted && sp_streq(wanted, SAVED) ? rd->boot->started.entry_last : wanted;

	return pattern ? find(rd, pattern) : NULL;
}

/* An image that is an entry by itself: this setup has nothing to do with it. */
static bool names_image(const char *wanted)
{
	const size_t n = wanted ? strlen(wanted) : 0;

	return n > strlen(".efi") && strcasecmp(wanted + n - strlen(".efi"), ".efi") == 0;
}

int sp_sd_boot_mark_default(const struct sp_sd_boot *rd, struct sp_error **err)
{
	sp_autofree char *conf = NULL;
	int r = read_conf(rd, &conf, err);
	const char *wanted[] = { rd->boot->started.entry_default, conf };
	struct sp_entry *e = NULL;

	if (r < 0)
		return r;
	for (size_t i = 0; i < SP_ELEMENTS(wanted) && !e; i++) {
		e = find_wanted(rd, wanted[i]);
		if (e || !names_image(wanted[i]))
			continue;
		sp_strv_addf(&rd->boot->warnings, "'%s' boots by default, which is no entry of systemd-boot's that has a "
			     "command line of its own here", wanted[i]);
		return 0;
	}
	if (!e)
		e = find(rd, NULL);
	if (e)
		e->by_default = true;
	return 0;
}
