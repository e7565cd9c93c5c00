/* SPDX-License-Identifier: MIT */
/* What is applied, as JSON: the engine's part of a journal and of state.json. */
#include <errno.h>

#include "engine/engine.h"

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static char *dup_member(const json_t *object, const char *key)
{
	return sp_xstrdup(json_string_value(json_object_get(object, key)));
}

/* By name, so that a later version may order its own differently. */
static const char *const rule_names[] = { "set", "at-least", "at-most" };

static int dest_by_name(const char *name, enum sp_dest *ret)
{
	for (enum sp_dest d = 0; d < SP_DEST__COUNT; d++)
		if (sp_streq(name, sp_dest_name(d))) {
			*ret = d;
			return 0;
		}
	return -EBADMSG;
}

static int rule_by_name(const char *name, enum sp_rule *ret)
{
	for (enum sp_rule r = SP_RULE_SET; r <= SP_RULE_AT_MOST; r++)
		if (sp_streq(name, rule_names[r])) {
			*ret = r;
			return 0;
		}
	return -EBADMSG;
}

static json_t *setting_to_json(const struct sp_applied_setting *s)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:b}", "id", s->id, "key", s->key, "value", s->value,
			 "destination", sp_dest_name(s->dest), "rule", rule_names[s->rule], "ours", (int) s->ours, "reboot", (int) s->reboot,
			 "live", text_or_null(s->live), "effect", text_or_null(s->effect), "live_bracket",
			 (int) s->live_bracket);
}

static int setting_from_json(const json_t *json, struct sp_applied_setting *ret)
{
	const char *id = NULL, *key = NULL, *value = NULL, *dest_name = NULL, *rule_name = NULL;
	int ours = 0, reboot = 0, bracket = 0;
	enum sp_dest dest = 0;
	enum sp_rule rule = 0;

	if (json_unpack((json_t *) json, "{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b}", "id", &id, "key", &key, "value", &value,
			"destination", &dest_name, "rule", &rule_name, "ours", &ours, "reboot", &reboot, "live_bracket", &bracket) < 0)
		return -EBADMSG;
	if (dest_by_name(dest_name, &dest) < 0 || rule_by_name(rule_name, &rule) < 0)
		return -EBADMSG;
	*ret = (struct sp_applied_setting){
		.id = sp_xstrdup(id), .key = sp_xstrdup(key), .value = sp_xstrdup(value),
		.dest = dest, .rule = rule,
		.ours = ours, .reboot = reboot, .live_bracket = bracket,
		.live = dup_member(json, "live"), .effect = dup_member(json, "effect"),
	};
	return 0;
}

static json_t *live_to_json(const struct sp_applied *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_live; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "path", a->live[i].path, "before",
						      a->live[i].before, "after", a->live[i].after));
	return list;
}

json_t *sp_applied_to_json(const struct sp_applied *a)
{
	if (a->txn == 0)
		return json_null();
	json_t *settings = json_array();
	for (size_t i = 0; i < a->n_settings; i++)
		json_array_append_new(settings, setting_to_json(&a->settings[i]));
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:b}", "transaction", (json_int_t) a->txn,
			 "boot_id", text_or_null(a->boot_id), "boot_setup", text_or_null(a->boot_setup), "platform",
			 text_or_null(a->platform), "selection", sp_selection_to_json(&a->selection), "gtt_mib",
			 (json_int_t) a->gtt_mib, "carve_out_mib", (json_int_t) a->carve_out_mib, "memory_mib",
			 (json_int_t) a->memory_mib, "settings", settings,
			 "owned", sp_owned_to_json(&a->owned), "common", sp_tokens_to_json(&a->common), "live",
			 live_to_json(a), "generation_due", (int) a->generation_due);
}

static int read_lists(const json_t *settings, const json_t *live, struct sp_applied *ret)
{
	json_t *v = NULL;
	size_t i;

	ret->settings = sp_xcalloc(json_array_size(settings), sizeof(*ret->settings));
	json_array_foreach (settings, i, v)
		if (setting_from_json(v, &ret->settings[ret->n_settings++]) < 0)
			return -EBADMSG;
	ret->live = sp_xcalloc(json_array_size(live), sizeof(*ret->live));
	json_array_foreach (live, i, v) {
		struct sp_applied_live l = { dup_member(v, "path"), dup_member(v, "before"), dup_member(v, "after") };
		ret->live[ret->n_live++] = l;
		if (!l.path || !l.before || !l.after)
			return -EBADMSG;
	}
	return 0;
}

int sp_applied_from_json(const json_t *json, struct sp_applied *ret, struct sp_error **err)
{
	json_int_t txn = 0, gtt = 0, carve_out = 0, memory = 0;

	*ret = (struct sp_applied){ 0 };
	if (!json || json_is_null(json))
		return 0;
	if (json_unpack((json_t *) json, "{s:I, s:I, s:I, s?I}", "transaction", &txn, "gtt_mib", &gtt, "carve_out_mib",
			&carve_out, "memory_mib", &memory) < 0 || txn <= 0 || gtt < 0 || carve_out < 0 || memory < 0)
		return sp_error_set(err, -EBADMSG, "the record of what is applied is damaged");
	ret->txn = (uint64_t) txn;
	ret->gtt_mib = (uint64_t) gtt;
	ret->carve_out_mib = (uint64_t) carve_out;
	ret->memory_mib = (uint64_t) memory;
	ret->boot_id = dup_member(json, "boot_id");
	ret->boot_setup = dup_member(json, "boot_setup");
	ret->platform = dup_member(json, "platform");
	ret->generation_due = json_is_true(json_object_get(json, "generation_due"));
	int r = read_lists(json_object_get(json, "settings"), json_object_get(json, "live"), ret);
	if (r < 0)
		(void) sp_error_set(err, r, "a setting in it is incomplete");
	if (r == 0)
		r = sp_selection_from_json(json_object_get(json, "selection"), &ret->selection, err);
	if (r == 0)
		r = sp_owned_from_json(json_object_get(json, "owned"), &ret->owned, err);
	if (r == 0)
		r = sp_tokens_from_json(json_object_get(json, "common"), &ret->common, err);
	if (r < 0) {
		sp_applied_clear(ret);
		return sp_error_wrap(err, "the record of what is applied is damaged");
	}
	return 0;
}

void sp_applied_clear(struct sp_applied *a)
{
	free(a->boot_id);
	free(a->boot_setup);
	free(a->platform);
	sp_selection_clear(&a->selection);
	for (size_t i = 0; i < a->n_settings; i++) {
		free(a->settings[i].id);
		free(a->settings[i].key);
		free(a->settings[i].value);
		free(a->settings[i].live);
		free(a->settings[i].effect);
	}
	free(a->settings);
	sp_owned_clear(&a->owned);
	sp_tokens_clear(&a->common);
	for (size_t i = 0; i < a->n_live; i++) {
		free(a->live[i].path);
		free(a->live[i].before);
		free(a->live[i].after);
	}
	free(a->live);
	*a = (struct sp_applied){ 0 };
}
