/* SPDX-License-Identifier: MIT */
/* Boot Loader Specification entries of a folder, and which of them are this system's. */
#include <ctype.h>
#include <errno.h>

#include "boot/internal.h"
#include "format/bls.h"

/* Images are made with this in the place of a machine-id (kernel-install(8) of some distributions). */
#define NOBODYS_ID "ffffffffffffffffffffffffffffffff"

int sp_entries_list(const struct sp_root *root, const char *dir, struct sp_strv *ret, struct sp_error **err)
{
	sp_autostrv struct sp_strv names = { 0 };
	int r = sp_root_list(root, dir, &names);

	if (r < 0) {
		(void) sp_error_errno(err, r, "cannot list '%s'", dir);
		if (r == -EACCES || r == -EPERM)
			(void) sp_error_hint(err, "only root may read it: run this as root");
		(void) sp_error_path(err, dir);
		return r;
	}
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.' && sp_endswith(names.v[i], ".conf"))
			sp_strv_add(ret, names.v[i]);
	return 0;
}

int sp_entries_count(const struct sp_root *root, const char *dir, struct sp_error **err)
{
	sp_autostrv struct sp_strv files = { 0 };
	int r = sp_entries_list(root, dir, &files, err), count = 0;

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	for (size_t i = 0; i < files.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", dir, files.v[i]);
		sp_autobuf struct sp_buf file = { 0 };
		sp_autobls struct sp_bls bls = { 0 };

		if (sp_root_read(root, path, SP_FILE_MAX, &file, NULL) < 0 || sp_bls_parse(&file, &bls, NULL) < 0 ||
		    bls.linux_path)
			count++;
	}
	return count;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static bool is_machine_id(const char *s)
{
	return strlen(s) == 32 && strspn(s, "0123456789abcdefABCDEF") == 32;
}

static bool is_entry_token(const char *s)
{
	return *s && !strchr(s, '/');
}

static void add_prefix(const struct sp_root *root, const char *path, bool (*valid)(const char *), struct sp_strv *ret)
{
	sp_autofree char *line = NULL;

	if (sp_root_read_line(root, path, &line) < 0)
		return; /* none */
	const char *id = sp_strip(line);
	if (valid(id))
		sp_strv_addf(ret, "%s-", id);
}

static bool has_prefix(const struct sp_strv *prefixes, const char *name)
{
	for (size_t i = 0; i < prefixes->n; i++)
		if (sp_startswith(name, prefixes->v[i]))
			return true;
	return false;
}

static bool any_has_prefix(const struct sp_strv *prefixes, const struct sp_strv *files)
{
	for (size_t i = 0; i < files->n; i++)
		if (has_prefix(prefixes, files->v[i]))
			return true;
	return false;
}

void sp_entries_prefixes(const struct sp_root *root, struct sp_strv *ret)
{
	add_prefix(root, "/etc/kernel/entry-token", is_entry_token, ret);
	add_prefix(root, "/etc/machine-id", is_machine_id, ret);
}

static int read_prefixes(const struct sp_root *root, const struct sp_strv *files, struct sp_strv *ret, struct sp_error **err)
{
	sp_autostrv struct sp_strv image = { 0 };

	sp_entries_prefixes(root, ret);
	sp_strv_add(&image, NOBODYS_ID "-");
	if (!any_has_prefix(ret, files) && any_has_prefix(&image, files)) {
		sp_strv_clear(ret);
		sp_strv_copy(ret, &image);
	}
	if (ret->n > 0)
		return 0;
	(void) sp_error_set(err, -ENXIO, "cannot tell which boot entries are this system's: neither '/etc/machine-id' nor "
			    "'/etc/kernel/entry-token' holds an id");
	(void) sp_error_path(err, "/etc/machine-id");
	return sp_error_hint(err, "systemd-machine-id-setup writes one (with --root=DIR for another tree)");
}

/* --- one entry --------------------------------------------------------------------------------------------------- */

static void entry_clear(struct sp_entry *e)
{
	free(e->id);
	free(e->path);
	free(e->title);
	free(e->version);
	free(e->machine_id);
	free(e->sort_key);
	free(e->linux_path);
	sp_strv_clear(&e->initrd);
	free(e->options);
	free(e->line);
	free(e->product);
	free(e->fixed);
	free(e->why);
}

static bool is_rescue(const struct sp_entry *e)
{
	return strstr(e->id, "-0-rescue") || (e->version && sp_startswith(e->version, "0-rescue")) ||
	       (e->title && strstr(e->title, "(0-rescue"));
}

static char *version_of(const struct sp_bls *bls)
{
	const char *file = bls->linux_path ? strrchr(bls->linux_path, '/') : NULL;

	if (bls->version)
		return sp_xstrdup(bls->version);
	return file && sp_startswith(file, "/vmlinuz-") ? sp_xstrdup(file + strlen("/vmlinuz-")) : NULL;
}

/* The first line, with a word about the others, or all of them. */
static void fill_options(struct sp_entry *e, const struct sp_buf *file, const struct sp_bls *bls,
			 const struct sp_entry_rules *rules, struct sp_boot *boot)
{
	sp_autoerror struct sp_error *err = NULL;
	int r = rules->all_options ? sp_bls_get_all_options(file, NULL, &e->options, &err) : 0;

	if (r < 0 && r != -ENOENT && !e->why)
		e->why = sp_xstrdup(err->message);
	if (r == 0 && !rules->all_options && bls->options.n > 0)
		e->options = sp_xstrdup(bls->options.v[0]);
	if (!rules->all_options && bls->options.n > 1)
		sp_strv_addf(&boot->warnings, "'%s' has %zu options lines; GRUB reads the first only", e->path,
			     bls->options.n);
}

static void fill(struct sp_entry *e, const struct sp_bls *bls)
{
	e->title = sp_xstrdup(bls->title);
	e->version = version_of(bls);
	e->linux_path = sp_xstrdup(bls->linux_path);
	sp_strv_copy(&e->initrd, &bls->initrd);
	e->machine_id = sp_xstrdup(bls->machine_id);
	e->sort_key = sp_xstrdup(bls->sort_key);
	e->rescue = is_rescue(e);
	if (!e->linux_path)
		e->why = sp_xstrdup("it does not start a Linux kernel");
	else if (strstr(e->id, SP_EXTRA_MARK))
		e->why = sp_xstrdup("it is strix-provision's own, for one start");
}

static int read_entry(const struct sp_root *root, struct sp_entry *e, const struct sp_entry_rules *rules,
		      struct sp_boot *boot, struct sp_error **err)
{
	sp_autoerror struct sp_error *why = NULL;
	sp_autobuf struct sp_buf file = { 0 };
	sp_autobls struct sp_bls bls = { 0 };
	int r = sp_root_read(root, e->path, SP_FILE_MAX, &file, &why);

	if (r == 0) {
		r = sp_bls_parse(&file, &bls, &why);
		if (r < 0)
			(void) sp_error_wrap(&why, "%s", e->path);
	}
	if (r == 0) {
		fill(e, &bls);
		fill_options(e, &file, &bls, rules, boot);
		return 0;
	}
	e->rescue = is_rescue(e);
	if (!e->named || e->rescue) {
		e->why = sp_xasprintf("it cannot be understood: %s", why->message);
		return 0;
	}
	(void) sp_error_wrap(&why, "boot entry");
	(void) sp_error_path(&why, e->path);
	(void) sp_error_hint(&why, "mend or remove it: it is one of this system's, so it would be changed with the others");
	return sp_boot_fail(err, &why);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

int sp_entries_read(const struct sp_root *root, const char *dir, const struct sp_entry_rules *rules, struct sp_boot *boot,
		    struct sp_error **err)
{
	sp_autostrv struct sp_strv files = { 0 }, prefixes = { 0 };
	int r = sp_entries_list(root, dir, &files, err);

	if (r < 0 || files.n == 0)
		return r;
	r = read_prefixes(root, &files, &prefixes, err);
	boot->entries = sp_xrealloc(boot->entries, boot->n_entries + files.n, sizeof(*boot->entries));
	for (size_t i = 0; i < files.n && r == 0; i++) {
		struct sp_entry *e = &boot->entries[boot->n_entries++];

		*e = (struct sp_entry){ 0 };
		e->id = sp_xstrndup(files.v[i], strlen(files.v[i]) - strlen(".conf"));
		e->path = sp_xasprintf("%s/%s", dir, files.v[i]);
		e->line = sp_xstrdup("");
		e->named = has_prefix(&prefixes, files.v[i]) && !strstr(e->id, SP_EXTRA_MARK);
		r = read_entry(root, e, rules, boot, err);
	}
	if (boot->n_entries > 0)
		qsort(boot->entries, boot->n_entries, sizeof(*boot->entries), rules->compare);
	return r;
}

/* Entries without a kernel are not in the menu, so they do not count. */
static struct sp_entry *by_number(const struct sp_boot *boot, const char *name)
{
	uint64_t number = 0;

	if (!isdigit((unsigned char) *name) || sp_parse_u64(name, &number) < 0)
		return NULL;
	for (size_t i = 0; i < boot->n_entries; i++)
		if (boot->entries[i].linux_path && number-- == 0)
			return &boot->entries[i];
	return NULL;
}

struct sp_entry *sp_entries_by_name(const struct sp_boot *boot, const char *name)
{
	for (size_t i = 0; i < boot->n_entries; i++) {
		struct sp_entry *e = &boot->entries[i];
		size_t n = strlen(e->id);

		if (strncmp(name, e->id, n) == 0 && (!name[n] || sp_streq(name + n, ".conf")))
			return e;
	}
	for (size_t i = 0; i < boot->n_entries; i++)
		if (sp_streq(boot->entries[i].title, name))
			return &boot->entries[i];
	return by_number(boot, name);
}

void sp_entries_claim(struct sp_boot *boot, const char *root_value)
{
	for (size_t i = 0; i < boot->n_entries; i++) {
		struct sp_entry *e = &boot->entries[i];
		sp_autofree char *value = sp_cmdline_value(e->line, "root");

		if (e->why)
			continue;
		if (!e->named)
			e->why = sp_xstrdup("its name does not begin with this system's id");
		else if (!value)
			e->why = sp_xstrdup("it has no root=");
		else if (root_value && !sp_streq(value, root_value))
			e->why = sp_xasprintf("its root=%s is not this system's root=%s", value, root_value);
		else
			e->ours = true;
	}
}

bool sp_entry_changes(const struct sp_entry *e)
{
	return e->ours && !e->rescue;
}

const struct sp_entry *sp_entries_own(const struct sp_boot *boot)
{
	const struct sp_entry *first = NULL;

	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];

		if (!e->named || e->rescue || e->why)
			continue;
		if (e->by_default)
			return e;
		if (!first)
			first = e;
	}
	return first;
}

void sp_entries_clear(struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_entries; i++)
		entry_clear(&boot->entries[i]);
	free(boot->entries);
	boot->entries = NULL;
	boot->n_entries = 0;
}
