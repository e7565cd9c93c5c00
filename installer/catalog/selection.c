/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "catalog/internal.h"

void sp_selection_clear(struct sp_selection *s)
{
	free(s->profile);
	sp_strv_clear(&s->with);
	sp_strv_clear(&s->without);
	sp_strv_clear(&s->replace);
	sp_overrides_clear(s->overrides, s->n_overrides);
	sp_strv_clear(&s->origins);
	*s = (struct sp_selection){ 0 };
}

void sp_selection_copy(struct sp_selection *to, const struct sp_selection *from)
{
	*to = *from;
	to->profile = sp_xstrdup(from->profile);
	to->with = to->without = to->replace = to->origins = (struct sp_strv){ 0 };
	sp_strv_copy(&to->with, &from->with);
	sp_strv_copy(&to->without, &from->without);
	sp_strv_copy(&to->replace, &from->replace);
	sp_strv_copy(&to->origins, &from->origins);
	to->overrides = sp_xcalloc(from->n_overrides, sizeof(*to->overrides));
	for (size_t i = 0; i < from->n_overrides; i++)
		to->overrides[i] =
			(struct sp_override){ sp_xstrdup(from->overrides[i].id), sp_xstrdup(from->overrides[i].value) };
}

const char *sp_selection_origin(const struct sp_selection *s, const char *key, const char *value)
{
	sp_autofree char *what = sp_xasprintf("%s %s", key, value);

	for (size_t i = 0; i + 1 < s->origins.n; i += 2)
		if (sp_streq(s->origins.v[i], what))
			return s->origins.v[i + 1];
	return NULL;
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

static const char *const uma_names[] = { [SP_UMA_UNSET] = "unset", [SP_UMA_KEEP] = "keep", [SP_UMA_SIZE] = "size",
					 [SP_UMA_BY_HAND] = "by-hand" };

/* Where each list and number is. */
static const struct {
	const char *name;
	size_t offset;
} lists[] = {
	{ "with", offsetof(struct sp_selection, with) },
	{ "without", offsetof(struct sp_selection, without) },
	{ "replace", offsetof(struct sp_selection, replace) },
}, numbers[] = {
	{ "gtt_mib", offsetof(struct sp_selection, gtt_mib) },
	{ "host_reserve_mib", offsetof(struct sp_selection, host_reserve_mib) },
	{ "uma_mib", offsetof(struct sp_selection, uma_mib) },
};

static void put(json_t *object, const char *key, json_t *value)
{
	if (!value || json_object_set_new(object, key, value) < 0)
		abort(); /* out of memory: all text is ASCII */
}

json_t *sp_selection_to_json(const struct sp_selection *s)
{
	json_t *o = json_object();

	put(o, "given", json_boolean(s->given));
	put(o, "profile", s->profile ? json_string(s->profile) : json_null());
	for (size_t i = 0; i < SP_ELEMENTS(lists); i++) {
		const struct sp_strv *list = (const void *) ((const char *) s + lists[i].offset);
		json_t *array = json_array();
		for (size_t k = 0; k < list->n; k++)
			if (json_array_append_new(array, json_string(list->v[k])) < 0)
				abort();
		put(o, lists[i].name, array);
	}
	for (size_t i = 0; i < SP_ELEMENTS(numbers); i++) {
		const uint64_t *n = (const void *) ((const char *) s + numbers[i].offset);
		put(o, numbers[i].name, json_integer((json_int_t) *n));
	}
	put(o, "uma", json_string(uma_names[s->uma]));
	put(o, "any_platform", json_boolean(s->any_platform));
	return o;
}

static int bad(struct sp_error **err, const char *key)
{
	return sp_error_set(err, -EINVAL, "the recorded selection is damaged at '%s'", key);
}

static int read_lists(const json_t *json, struct sp_selection *s, struct sp_error **err)
{
	for (size_t i = 0; i < SP_ELEMENTS(lists); i++) {
		const json_t *array = json_object_get(json, lists[i].name);
		struct sp_strv *list = (void *) ((char *) s + lists[i].offset);
		if (!json_is_array(array))
			return bad(err, lists[i].name);
		for (size_t k = 0; k < json_array_size(array); k++) {
			const char *id = json_string_value(json_array_get(array, k));
			if (!id)
				return bad(err, lists[i].name);
			sp_strv_add(list, id);
		}
	}
	return 0;
}

static int read_numbers(const json_t *json, struct sp_selection *s, struct sp_error **err)
{
	for (size_t i = 0; i < SP_ELEMENTS(numbers); i++) {
		const json_t *n = json_object_get(json, numbers[i].name);
		if (!json_is_integer(n) || json_integer_value(n) < 0)
			return bad(err, numbers[i].name);
		*(uint64_t *) (void *) ((char *) s + numbers[i].offset) = (uint64_t) json_integer_value(n);
	}
	return 0;
}

static int read_words(const json_t *json, struct sp_selection *s, struct sp_error **err)
{
	const json_t *profile = json_object_get(json, "profile");
	const char *uma = json_string_value(json_object_get(json, "uma"));

	if (!json_is_null(profile) && !json_is_string(profile))
		return bad(err, "profile");
	s->profile = sp_xstrdup(json_string_value(profile));
	s->given = json_is_true(json_object_get(json, "given"));
	s->any_platform = json_is_true(json_object_get(json, "any_platform"));
	for (size_t i = 0; i < SP_ELEMENTS(uma_names); i++)
		if (sp_streq(uma_names[i], uma)) {
			s->uma = (enum sp_uma) i;
			return 0;
		}
	return bad(err, "uma");
}

int sp_selection_from_json(const json_t *json, struct sp_selection *ret, struct sp_error **err)
{
	sp_autoselection struct sp_selection s = { 0 };
	int r = json_is_object(json) ? read_words(json, &s, err) : bad(err, "selection");

	if (r == 0)
		r = read_lists(json, &s, err);
	if (r == 0)
		r = read_numbers(json, &s, err);
	if (r < 0)
		return r;
	*ret = s;
	s = (struct sp_selection){ 0 };
	return 0;
}

/* --- check ----------------------------------------------------------------------------------------------------- */

/* Put in front where the configuration says so, or the key alone. */
static int place(const struct sp_selection *s, const char *key, const char *value, struct sp_error **err)
{
	const char *origin = sp_selection_origin(s, key, value);

	(void) (origin ? sp_error_wrap(err, "%s", origin) : sp_error_wrap(err, "%s", key));
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	return -EINVAL;
}

static int check_profile(const struct sp_selection *s, const struct sp_catalog *c, struct sp_error **err)
{
	if (!s->profile || sp_catalog_profile(c, s->profile))
		return 0;
	sp_autofree const char **names = sp_profile_names(c);
	(void) sp_error_set(err, -EINVAL, "there is no profile '%s'", s->profile);
	(void) sp_hint_names(err, s->profile, names, c->n_profiles);
	return place(s, "profile", s->profile, err);
}

static int check_list(const struct sp_selection *s, const struct sp_catalog *c, size_t list, struct sp_error **err)
{
	const struct sp_strv *ids = (const void *) ((const char *) s + lists[list].offset);

	for (size_t i = 0; i < ids->n; i++) {
		const bool image = sp_streq(ids->v[i], SP_WITH_INITRAMFS) && ids != &s->replace;
		const struct sp_setting *setting = sp_catalog_setting(c, ids->v[i]);
		int r = setting || image ? 0 : sp_no_setting(c, ids->v[i], err);
		if (setting && setting->follows && ids == &s->with)
			r = sp_error_set(err, -EINVAL, "'%s' goes with '%s'; choose that one", ids->v[i],
					 setting->follows);
		else if (r == 0 && ids == &s->with && sp_strv_has(&s->without, ids->v[i]))
			r = sp_error_set(err, -EINVAL, "'%s' is in 'with' and in 'without'", ids->v[i]);
		if (r < 0)
			return place(s, lists[list].name, ids->v[i], err);
	}
	return 0;
}

static int check_overrides(const struct sp_selection *s, const struct sp_catalog *c, struct sp_error **err)
{
	for (size_t i = 0; i < s->n_overrides; i++) {
		const struct sp_override *o = &s->overrides[i];
		const struct sp_setting *setting = sp_catalog_setting(c, o->id);
		int r = setting ? sp_setting_check_value(setting, o->value, err) : sp_no_setting(c, o->id, err);
		if (r < 0)
			return place(s, "settings", o->id, err);
	}
	return 0;
}

int sp_selection_check(const struct sp_selection *s, const struct sp_catalog *c, struct sp_error **err)
{
	int r = check_profile(s, c, err);

	for (size_t i = 0; i < SP_ELEMENTS(lists) && r == 0; i++)
		r = check_list(s, c, i, err);
	return r < 0 ? r : check_overrides(s, c, err);
}
