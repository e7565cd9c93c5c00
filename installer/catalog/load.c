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

static int read_blocks(const config_setting_t *s, void *object, struct sp_error **err)
{
	const struct loading *l = object;
	struct sp_catalog *c = l->catalog;
	int r = sp_expect_type(s, CONFIG_TYPE_LIST, err), n = config_setting_length(s);

	if (r == 0 && n == 0)
		r = sp_fail_at(s, err, "'settings' is empty");
	for (int i = 0; i < n && r == 0; i++) {
		c->settings = sp_xrealloc(c->settings, c->n_settings + 1, sizeof(*c->settings));
		struct sp_setting *one = &c->settings[c->n_settings++];
		*one = (struct sp_setting){ 0 };
		r = sp_setting_read(config_setting_get_elem(s, (unsigned) i), l->dest, l->doc->file, one, err);
	}
	return r;
}

static const struct sp_key settings_keys[] = {
	{ "settings", read_blocks, 0, true },
	{ 0 },
};

static int load_settings(struct loading *l, const config_setting_t *top, struct sp_error **err)
{
	return sp_cfg_group(top, settings_keys, l, err);
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

/* Settings come first: profiles name them. */
static const struct folder {
	const char *name;
	enum sp_dest dest;
	int (*load)(struct loading *l, const config_setting_t *top, struct sp_error **err);
} folders[] = {
	{ "grub", SP_DEST_CMDLINE, load_settings },	   { "sysctl.d", SP_DEST_SYSCTL, load_settings },
	{ "modprobe.d", SP_DEST_MODPROBE, load_settings }, { "environment.d", SP_DEST_ENVIRONMENT, load_settings },
	{ "platforms", SP_DEST__COUNT, load_platform },	   { "profiles", SP_DEST__COUNT, load_profile },
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
	sp_autoroot struct sp_root *root = NULL;
	sp_autocatalog struct sp_catalog *c = sp_xcalloc(1, sizeof(*c));
	int r = sp_root_open(data_dir, 0, &root, err);

	if (r < 0) {
		(void) sp_error_hint(err, "--data DIR names the folder with the catalogues");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	struct loading l = { .root = root, .catalog = c };
	for (size_t i = 0; i < SP_ELEMENTS(folders) && r >= 0; i++)
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
