/* SPDX-License-Identifier: MIT */
/* /etc/strix-provision.conf */
#include "catalog/config.h"

#include <errno.h>
#include <limits.h>

#include "catalog/internal.h"

#define CONFIG_PATH "/etc/strix-provision.conf"
#define PACKAGE_MANAGER_WAIT 120

static void note_origin(struct sp_selection *s, const char *key, const char *value, const config_setting_t *at)
{
	sp_strv_addf(&s->origins, "%s %s", key, value);
	sp_strv_take(&s->origins, sp_where(at));
	s->given = true;
}

/* --- readers: each takes the selection ------------------------------------------------------------------------- */

static int read_profile(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_selection *sel = object;
	int r = sp_cfg_id(s, &sel->profile, err);

	if (r == 0)
		note_origin(sel, "profile", sel->profile, s);
	return r;
}

static int read_list(const config_setting_t *s, struct sp_selection *sel, struct sp_strv *list, struct sp_error **err)
{
	int r = sp_cfg_ids(s, list, err);

	for (size_t i = 0; i < list->n && r == 0; i++)
		note_origin(sel, config_setting_name(s), list->v[i],
			    config_setting_is_aggregate(s) ? config_setting_get_elem(s, (unsigned) i) : s);
	return r;
}

static int read_with(const config_setting_t *s, void *object, struct sp_error **err)
{
	return read_list(s, object, &((struct sp_selection *) object)->with, err);
}

static int read_without(const config_setting_t *s, void *object, struct sp_error **err)
{
	return read_list(s, object, &((struct sp_selection *) object)->without, err);
}

static int read_replace(const config_setting_t *s, void *object, struct sp_error **err)
{
	return read_list(s, object, &((struct sp_selection *) object)->replace, err);
}

/* A size, or a word that leaves 0. */
static int read_size(const config_setting_t *s, const char *word, struct sp_selection *sel, uint64_t *mib,
		     struct sp_error **err)
{
	sp_autofree char *text = NULL, *number = NULL;
	int r = sp_cfg_text(s, &text, err);

	if (r < 0 || sp_streq(text, word))
		return r;
	if (sp_size_parse(text, mib, err) < 0) {
		(void) sp_error_wrap(err, "'%s'", config_setting_name(s));
		return sp_wrap_at(s, err);
	}
	number = sp_xasprintf("%llu", (unsigned long long) *mib);
	note_origin(sel, config_setting_name(s), number, s);
	return 0;
}

static int read_gtt(const config_setting_t *s, void *object, struct sp_error **err)
{
	return read_size(s, "auto", object, &((struct sp_selection *) object)->gtt_mib, err);
}

static int read_host_reserve(const config_setting_t *s, void *object, struct sp_error **err)
{
	return read_size(s, NULL, object, &((struct sp_selection *) object)->host_reserve_mib, err);
}

static int read_uma(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_selection *sel = object;
	int r = read_size(s, "keep", sel, &sel->uma_mib, err);

	sel->uma = sel->uma_mib ? SP_UMA_SIZE : SP_UMA_KEEP;
	if (sel->uma == SP_UMA_KEEP && r == 0)
		note_origin(sel, "uma", "keep", s);
	return r;
}

static int read_any_platform(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_selection *sel = object;
	int r = sp_cfg_bool(s, &sel->any_platform, err);

	sel->given |= sel->any_platform;
	return r;
}

static int read_settings(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_selection *sel = object;
	struct sp_overrides o = { 0 };
	int r = sp_cfg_overrides(s, &o, err);

	sel->overrides = o.v;
	sel->n_overrides = o.n;
	for (size_t i = 0; i < o.n && r == 0; i++)
		note_origin(sel, "settings", o.v[i].id, config_setting_get_elem(s, (unsigned) i));
	return r;
}

static const struct sp_key config_keys[] = {
	{ "profile", read_profile, offsetof(struct sp_config, selection), false },
	{ "with", read_with, offsetof(struct sp_config, selection), false },
	{ "without", read_without, offsetof(struct sp_config, selection), false },
	{ "replace", read_replace, offsetof(struct sp_config, selection), false },
	{ "gtt", read_gtt, offsetof(struct sp_config, selection), false },
	{ "host_reserve", read_host_reserve, offsetof(struct sp_config, selection), false },
	{ "uma", read_uma, offsetof(struct sp_config, selection), false },
	{ "any_platform", read_any_platform, offsetof(struct sp_config, selection), false },
	{ "settings", read_settings, offsetof(struct sp_config, selection), false },
	{ "package_manager_wait", sp_cfg_count, offsetof(struct sp_config, package_manager_wait), false },
	{ 0 },
};

/* --- the file -------------------------------------------------------------------------------------------------- */

static int read_config(const struct sp_root *root, const char *path, const char *display, struct sp_config *c,
		       struct sp_error **err)
{
	sp_autodoc struct sp_doc doc = { 0 };
	int r = sp_doc_read(root, path, display, &doc, err);

	if (r < 0) {
		(void) sp_error_path(err, display);
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	return sp_cfg_group(config_root_setting(&doc.config), config_keys, c, err);
}

/* --config names a file of the running system, perhaps relative to where we stand. */
static int read_named(const char *path, struct sp_config *c, struct sp_error **err)
{
	sp_autoroot struct sp_root *host = NULL;
	sp_autofree char *full = realpath(path, NULL);

	if (!full) {
		(void) sp_error_errno(err, -errno, "cannot read '%s'", path);
		(void) sp_error_path(err, path);
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	int r = sp_root_open("/", 0, &host, err);
	return r < 0 ? r : read_config(host, full, path, c, err);
}

int sp_config_load(const struct sp_root *root, const char *path, struct sp_config *ret, struct sp_error **err)
{
	sp_autoconfig struct sp_config c = { .package_manager_wait = PACKAGE_MANAGER_WAIT };
	sp_autofree char *display = sp_root_join(root, CONFIG_PATH);
	struct stat st;
	int r = 0;

	if (path)
		r = read_named(path, &c, err);
	else if (sp_root_lstat(root, CONFIG_PATH, &st) != -ENOENT) /* a dangling link is a mistake, no missing file */
		r = read_config(root, CONFIG_PATH, display, &c, err);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct sp_config){ 0 };
	return 0;
}

void sp_config_clear(struct sp_config *c)
{
	sp_selection_clear(&c->selection);
}
