/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "catalog/internal.h"

/* --- overrides, of profiles and of the configuration ----------------------------------------------------------- */

static const struct sp_key override_keys[] = {
	{ "value", sp_cfg_text, offsetof(struct sp_override, value), true },
	{ 0 },
};

int sp_cfg_overrides(const config_setting_t *s, void *field, struct sp_error **err)
{
	struct sp_overrides *o = field;
	int r = sp_expect_type(s, CONFIG_TYPE_GROUP, err);

	if (r < 0)
		return r;
	o->v = sp_xcalloc((size_t) config_setting_length(s), sizeof(*o->v));
	for (int i = 0; i < config_setting_length(s) && r == 0; i++) {
		const config_setting_t *one = config_setting_get_elem(s, (unsigned) i);
		struct sp_override *to = &o->v[o->n++];
		to->id = sp_xstrdup(config_setting_name(one));
		r = sp_id_ok(to->id) ? sp_cfg_group(one, override_keys, to, err)
				     : sp_fail_at(one, err, "'%s' is no id of a setting", to->id);
	}
	return r;
}

void sp_overrides_clear(struct sp_override *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].id);
		free(v[i].value);
	}
	free(v);
}

/* --- a profile ------------------------------------------------------------------------------------------------- */

struct reading {
	struct sp_profile *profile;
	const struct sp_catalog *catalog;
};

/* A follower is chosen with its leader: naming it could only disagree. */
static int check_id(const config_setting_t *at, const struct sp_catalog *c, const char *id, struct sp_error **err)
{
	const struct sp_setting *s = sp_catalog_setting(c, id);

	if (!s) {
		(void) sp_no_setting(c, id, err);
		return sp_wrap_at(at, err);
	}
	return s->follows ? sp_fail_at(at, err, "'%s' goes with '%s' and is not named by itself", id, s->follows) : 0;
}

static int read_settings(const config_setting_t *s, void *object, struct sp_error **err)
{
	const struct reading *reading = object;
	struct sp_strv *ids = &reading->profile->settings;
	int r = sp_cfg_ids(s, ids, err);

	for (size_t i = 0; i < ids->n && r == 0; i++) {
		const config_setting_t *one =
			config_setting_is_aggregate(s) ? config_setting_get_elem(s, (unsigned) i) : s;
		r = check_id(one, reading->catalog, ids->v[i], err);
	}
	return r;
}

static int read_overrides(const config_setting_t *s, void *object, struct sp_error **err)
{
	const struct reading *reading = object;
	struct sp_overrides o = { 0 };
	int r = sp_cfg_overrides(s, &o, err);

	reading->profile->overrides = o.v;
	reading->profile->n_overrides = o.n;
	for (size_t i = 0; i < o.n && r == 0; i++) {
		const config_setting_t *one = config_setting_get_elem(s, (unsigned) i);
		const struct sp_setting *setting = sp_catalog_setting(reading->catalog, o.v[i].id);
		if (!setting)
			r = sp_no_setting(reading->catalog, o.v[i].id, err);
		else
			r = sp_setting_check_value(setting, o.v[i].value, err);
		if (r < 0)
			r = sp_wrap_at(one, err);
	}
	return r;
}

static int read_summary(const config_setting_t *s, void *object, struct sp_error **err)
{
	return sp_cfg_text(s, &((struct reading *) object)->profile->summary, err);
}

static int read_headroom(const config_setting_t *s, void *object, struct sp_error **err)
{
	static const char *const names[] = { [SP_HEADROOM_REFERENCE] = "reference", [SP_HEADROOM_HOST] = "host" };
	int i = 0, r = sp_cfg_word(s, names, SP_ELEMENTS(names), &i, err);

	((struct reading *) object)->profile->headroom = (enum sp_headroom) i;
	return r;
}

static const struct sp_key profile_keys[] = {
	{ "summary", read_summary, 0, true },
	{ "settings", read_settings, 0, true },
	{ "overrides", read_overrides, 0, false },
	{ "headroom", read_headroom, 0, false },
	{ 0 },
};

int sp_profile_read(const config_setting_t *root, const struct sp_catalog *c, struct sp_profile *ret,
		    struct sp_error **err)
{
	struct reading reading = { ret, c };

	ret->line = 1;
	return sp_cfg_group(root, profile_keys, &reading, err);
}

void sp_profile_clear(struct sp_profile *p)
{
	free(p->name);
	free(p->summary);
	sp_strv_clear(&p->settings);
	sp_overrides_clear(p->overrides, p->n_overrides);
	free(p->file);
	*p = (struct sp_profile){ 0 };
}
