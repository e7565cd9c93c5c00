/* SPDX-License-Identifier: MIT */
/*
 * An extra entry of systemd-boot, started once: a file beside the entry that it is like, with LoaderEntryOneShot, which the
 * loader deletes before it starts anything. Its name is that entry's with "~strix-NAME", which sorts directly behind
 * it, it has no sort-key, which sorts behind all that have one, and `kernel-install remove` takes it away with its
 * kernel. (systemd: boot.c; Boot Loader Interface)
 */
#include <errno.h>

#include "boot/internal.h"
#include "format/bls.h"

#define ONE_SHOT  "LoaderEntryOneShot"
#define MAX_TITLE 80

static int refusal(const struct sp_root *root, const struct sp_boot *boot, bool live, char **ret, struct sp_error **err)
{
	(void) root;
	(void) live;
	(void) err;
	if (!boot->started.loader)
		*ret = sp_xstrdup("the loader's EFI variables are not there, so it cannot be told to start an entry once");
	else if (!sp_startswith(boot->started.loader, "systemd-boot"))
		*ret = sp_xasprintf("'%s' started this system, not systemd-boot", boot->started.loader);
	return 0;
}

/* "ID~strix-NAME.conf", without a counter of boots. */
static char *file_name(const struct sp_extra *x)
{
	sp_autofree char *plain = sp_bls_plain_name(strrchr(x->like->path, '/') + 1);

	return sp_xasprintf("%.*s" SP_EXTRA_MARK "%s.conf", (int) (strlen(plain) - strlen(".conf")), plain, x->name);
}

static char *entry_id(const struct sp_boot *boot, const struct sp_extra *extra)
{
	(void) boot;
	return file_name(extra);
}

static void render(const struct sp_extra *x, struct sp_buf *ret)
{
	sp_buf_addf(ret, "# By strix-provision; it goes by itself.\ntitle %.*s\n", MAX_TITLE, x->title);
	if (x->like->version)
		sp_buf_addf(ret, "version %s\n", x->like->version);
	sp_buf_addf(ret, "linux %s\n", x->like->linux_path);
	for (size_t i = 0; i < x->like->initrd.n; i++)
		sp_buf_addf(ret, "initrd %s\n", x->like->initrd.v[i]);
	sp_buf_addf(ret, "options %s\n", x->line);
}

static int add(const struct sp_root *root, const struct sp_extra *x, struct sp_edits *edits, struct sp_error **err)
{
	sp_autofree char *name = file_name(x);
	sp_autofree char *path = sp_xasprintf("%.*s/%s", (int) (strrchr(x->like->path, '/') - x->like->path), x->like->path, name);
	static const struct sp_note note = { .whole = true };
	sp_autobuf struct sp_buf text = { 0 };
	struct sp_edit *edit = NULL;

	render(x, &text);
	int r = sp_edits_add(edits, root, path, &text, &edit, err);
	if (r == 0)
		edit->note = sp_note_to_json(&note);
	return r;
}

static bool shows(const struct sp_root *root, const struct sp_boot *boot)
{
	(void) root;
	(void) boot;
	return true;
}

static const struct sp_entry *extra_entry(const struct sp_boot *boot, const char *name)
{
	sp_autofree char *end = sp_xasprintf(SP_EXTRA_MARK "%s", name);

	for (size_t i = 0; i < boot->n_entries; i++)
		if (sp_endswith(boot->entries[i].id, end))
			return &boot->entries[i];
	return NULL;
}

static int find(const struct sp_root *root, const struct sp_boot *boot, const char *name, char **ret, struct sp_error **err)
{
	const struct sp_entry *e = extra_entry(boot, name);

	(void) root;
	(void) err;
	*ret = e ? sp_xstrdup(e->linux_path ? e->linux_path : "") : NULL;
	return 0;
}

static int take_out(const struct sp_root *root, const struct sp_boot *boot, const struct sp_extra *x, struct sp_edits *edits,
		    struct sp_error **err)
{
	const struct sp_entry *e = extra_entry(boot, x->name);

	return e ? sp_edits_add(edits, root, e->path, NULL, NULL, err) : 0;
}

static int put(const struct sp_root *root, const struct sp_boot *boot, const struct sp_extra *v, size_t n,
	       struct sp_edits *edits, struct sp_error **err)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = v[i].like ? add(root, &v[i], edits, err) : take_out(root, boot, &v[i], edits, err);
	return r;
}

const struct sp_once_ops sp_once_sd_boot = {
	.refusal = refusal,
	.shows = shows,
	.find = find,
	.id = entry_id,
	.put = put,
	.variable = ONE_SHOT,
};
