/* SPDX-License-Identifier: MIT */
/* The data directory: its folders in a fixed order, their *.cfg by name. */
#include <errno.h>

#include "catalog/internal.h"

struct loading {
	const struct sp_root *root;
	struct sp_catalog *catalog;
	struct sp_doc *doc;
	const char *name; /* of the file, without .cfg */
	enum sp_dest dest;
};

/* --- what a file of each folder holds -------------------------------------------------------------------------- */

/* A list of groups that is not empty, each read by `one`. */
static int read_blocks(const config_setting_t *s, struct loading *l,
		       int (*one)(struct loading *l, const config_setting_t *block, struct sp_error **err),
		       struct sp_error **err)
{
	int r = sp_expect_type(s, CONFIG_TYPE_LIST, err), n = config_setting_length(s);

	if (r == 0 && n == 0)
		r = sp_fail_at(s, err, "'%s' is empty", config_setting_name(s));
	for (int i = 0; i < n && r == 0; i++)
		r = one(l, config_setting_get_elem(s, (unsigned) i), err);
	return r;
}

static int read_setting(struct loading *l, const config_setting_t *block, struct sp_error **err)
{
	struct sp_catalog *c = l->catalog;

	c->settings = sp_xrealloc(c->settings, c->n_settings + 1, sizeof(*c->settings));
	struct sp_setting *one = &c->settings[c->n_settings++];
	*one = (struct sp_setting){ 0 };
	return sp_setting_read(block, l->dest, l->doc->file, one, err);
}

static int read_entry(struct loading *l, const config_setting_t *block, struct sp_error **err)
{
	struct sp_catalog *c = l->catalog;

	c->entries = sp_xrealloc(c->entries, c->n_entries + 1, sizeof(*c->entries));
	struct sp_log_entry *one = &c->entries[c->n_entries++];
	*one = (struct sp_log_entry){ 0 };
	return sp_log_entry_read(block, l->doc->file, one, err);
}

static int read_advisory(struct loading *l, const config_setting_t *block, struct sp_error **err)
{
	struct sp_catalog *c = l->catalog;

	c->advisories = sp_xrealloc(c->advisories, c->n_advisories + 1, sizeof(*c->advisories));
	struct sp_advisory *one = &c->advisories[c->n_advisories++];
	*one = (struct sp_advisory){ 0 };
	return sp_advisory_read(block, l->doc->file, one, err);
}

static int read_settings(const config_setting_t *s, void *object, struct sp_error **err)
{
	return read_blocks(s, object, read_setting, err);
}

static int read_entries(const config_setting_t *s, void *object, struct sp_error **err)
{
	return read_blocks(s, object, read_entry, err);
}

static int read_advisories(const config_setting_t *s, void *object, struct sp_error **err)
{
	return read_blocks(s, object, read_advisory, err);
}

static const struct sp_key settings_keys[] = { { "settings", read_settings, 0, true }, { 0 } };
static const struct sp_key entries_keys[] = { { "entries", read_entries, 0, true }, { 0 } };
static const struct sp_key advisories_keys[] = { { "advisories", read_advisories, 0, true }, { 0 } };

static int load_settings(struct loading *l, const config_setting_t *top, struct sp_error **err)
{
	return sp_cfg_group(top, settings_keys, l, err);
}

static int load_entries(struct loading *l, const config_setting_t *top, struct sp_error **err)
{
	return sp_cfg_group(top, entries_keys, l, err);
}

static int load_advisories(struct loading *l, const config_setting_t *top, struct sp_error **err)
{
	return sp_cfg_group(top, advisories_keys, l, err);
}

static int load_profile(struct loading *l, const config_setting_t *top, struct sp_error **err)
{
	struct sp_catalog *c = l->catalog;

	c->profiles = sp_xrealloc(c->profiles, c->n_profiles + 1, sizeof(*c->profiles));
	struct sp_profile *one = &c->profiles[c->n_profiles++];
	*one = (struct sp_profile){ .name = sp_xstrdup(l->name), .file = sp_xstrdup(l->doc->file) };
	return sp_profile_read(top, c, one, err);
}

static int load_platform(struct loading *l, const config_setting_t *top, struct sp_error **err)
{
	struct sp_catalog *c = l->catalog;

	c->platforms = sp_xrealloc(c->platforms, c->n_platforms + 1, sizeof(*c->platforms));
	struct sp_platform *one = &c->platforms[c->n_platforms++];
	*one = (struct sp_platform){ .id = sp_xstrdup(l->name), .file = sp_xstrdup(l->doc->file) };
	return sp_platform_read(top, one, err);
}

/* Settings come first: profiles name them. A set of data of one's own needs no log and no advice. */
static const struct folder {
	const char *name;
	enum sp_dest dest;
	int (*load)(struct loading *l, const config_setting_t *top, struct sp_error **err);
	enum sp_catalog_part part;
	bool optional;
} folders[] = {
	{ "grub", SP_DEST_CMDLINE, load_settings, SP_CATALOG_SETTINGS, false },
	{ "sysctl.d", SP_DEST_SYSCTL, load_settings, SP_CATALOG_SETTINGS, false },
	{ "modprobe.d", SP_DEST_MODPROBE, load_settings, SP_CATALOG_SETTINGS, false },
	{ "environment.d", SP_DEST_ENVIRONMENT, load_settings, SP_CATALOG_SETTINGS, false },
	{ "platforms", SP_DEST__COUNT, load_platform, SP_CATALOG_PLATFORMS, false },
	{ "profiles", SP_DEST__COUNT, load_profile, SP_CATALOG_SETTINGS, false },
	{ "log", SP_DEST__COUNT, load_entries, SP_CATALOG_LOG, true },
	{ "advisories", SP_DEST__COUNT, load_advisories, SP_CATALOG_ADVICE, true },
};

/* --- walking --------------------------------------------------------------------------------------------------- */

static int load_file(const struct folder *folder, const char *name, struct loading *l, struct sp_error **err)
{
	sp_autofree char *path = sp_xasprintf("/%s/%s", folder->name, name);
	sp_autofree char *display = sp_root_join(l->root, path);
	sp_autofree char *stem = sp_xstrndup(name, strlen(name) - strlen(".cfg"));
	sp_autodoc struct sp_doc doc = { 0 };
	int r = sp_doc_read(l->root, path, display, &doc, err);

	if (r < 0)
		return sp_error_exit(err, SP_EXIT_USAGE);
	const config_setting_t *top = config_root_setting(&doc.config);
	if (!sp_id_ok(stem))
		return sp_fail_at(top, err, "the file's name is no id: a letter, then a-z, 0-9 and '-'");
	l->doc = &doc;
	l->name = stem;
	l->dest = folder->dest;
	return folder->load(l, top, err);
}

static int load_folder(const struct folder *folder, struct loading *l, struct sp_error **err)
{
	sp_autostrv struct sp_strv names = { 0 };
	sp_autofree char *path = sp_root_join(l->root, folder->name);
	int r = sp_root_list(l->root, folder->name, &names);

	if (r == -ENOENT && folder->optional)
		return 0;
	if (r < 0) {
		(void) sp_error_errno(err, r, "cannot read '%s'", path);
		(void) sp_error_path(err, path);
		(void) sp_error_hint(err, "--data DIR names a folder that holds the catalogue");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (names.v[i][0] != '.' && sp_endswith(names.v[i], ".cfg"))
			r = load_file(folder, names.v[i], l, err);
	return r;
}

int sp_catalog_load(const char *data_dir, struct sp_catalog **ret, struct sp_error **err)
{
	return sp_catalog_load_parts(data_dir, SP_CATALOG_ALL, ret, err);
}

int sp_catalog_load_parts(const char *data_dir, unsigned parts, struct sp_catalog **ret, struct sp_error **err)
{
	sp_autoroot struct sp_root *root = NULL;
	sp_autocatalog struct sp_catalog *c = sp_xcalloc(1, sizeof(*c));
	int r = sp_root_open(data_dir, SP_ROOT_OURS, &root, err);

	if (r < 0) {
		(void) sp_error_hint(err, "--data DIR names the folder with the catalogues");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	struct loading l = { .root = root, .catalog = c };
	for (size_t i = 0; i < SP_ELEMENTS(folders) && r >= 0; i++)
		if (folders[i].part & parts)
			r = load_folder(&folders[i], &l, err);
	if (r >= 0)
		r = sp_catalog_check(c, err);
	if (r < 0)
		return r;
	*ret = sp_steal(c);
	return 0;
}

/* --- looking up ------------------------------------------------------------------------------------------------ */

void sp_catalog_free(struct sp_catalog *catalog)
{
	if (!catalog)
		return;
	for (size_t i = 0; i < catalog->n_settings; i++)
		sp_setting_clear(&catalog->settings[i]);
	for (size_t i = 0; i < catalog->n_profiles; i++)
		sp_profile_clear(&catalog->profiles[i]);
	for (size_t i = 0; i < catalog->n_platforms; i++)
		sp_platform_clear(&catalog->platforms[i]);
	for (size_t i = 0; i < catalog->n_entries; i++)
		sp_log_entry_clear(&catalog->entries[i]);
	for (size_t i = 0; i < catalog->n_advisories; i++)
		sp_advisory_clear(&catalog->advisories[i]);
	free(catalog->entries);
	free(catalog->advisories);
	free(catalog->settings);
	free(catalog->profiles);
	free(catalog->platforms);
	free(catalog);
}

const struct sp_setting *sp_catalog_setting(const struct sp_catalog *c, const char *id)
{
	for (size_t i = 0; i < c->n_settings; i++)
		if (sp_streq(c->settings[i].id, id))
			return &c->settings[i];
	return NULL;
}

const struct sp_profile *sp_catalog_profile(const struct sp_catalog *c, const char *name)
{
	for (size_t i = 0; i < c->n_profiles; i++)
		if (sp_streq(c->profiles[i].name, name))
			return &c->profiles[i];
	return NULL;
}

const char **sp_setting_ids(const struct sp_catalog *c)
{
	const char **ids = sp_xcalloc(c->n_settings, sizeof(*ids));

	for (size_t i = 0; i < c->n_settings; i++)
		ids[i] = c->settings[i].id;
	return ids;
}

const char **sp_profile_names(const struct sp_catalog *c)
{
	const char **names = sp_xcalloc(c->n_profiles, sizeof(*names));

	for (size_t i = 0; i < c->n_profiles; i++)
		names[i] = c->profiles[i].name;
	return names;
}

int sp_no_setting(const struct sp_catalog *c, const char *id, struct sp_error **err)
{
	sp_autofree const char **ids = sp_setting_ids(c);

	(void) sp_error_set(err, -EINVAL, "there is no setting '%s'", id);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	(void) sp_hint_names(err, id, ids, c->n_settings);
	return -EINVAL;
}

int sp_catalog_no_entry(const struct sp_catalog *c, const char *id, struct sp_error **err)
{
	sp_autofree const char **ids = sp_xcalloc(c->n_settings + c->n_entries, sizeof(*ids));

	for (size_t i = 0; i < c->n_settings; i++)
		ids[i] = c->settings[i].id;
	for (size_t i = 0; i < c->n_entries; i++)
		ids[c->n_settings + i] = c->entries[i].id;
	(void) sp_error_set(err, -EINVAL, "there is no setting and no entry of the log '%s'", id);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	(void) sp_hint_names(err, id, ids, c->n_settings + c->n_entries);
	return -EINVAL;
}
