/* SPDX-License-Identifier: MIT */
/* One block of grub/, sysctl.d/, modprobe.d/ or environment.d/. */
#include "catalog/internal.h"

static const char *const dest_names[] = {
	[SP_DEST_CMDLINE] = "cmdline",
	[SP_DEST_SYSCTL] = "sysctl",
	[SP_DEST_MODPROBE] = "modprobe",
	[SP_DEST_ENVIRONMENT] = "environment",
};

static const char *const rule_names[] = {
	[SP_RULE_SET] = "set",
	[SP_RULE_AT_LEAST] = "at-least",
	[SP_RULE_AT_MOST] = "at-most",
};

static const char *const effect_names[] = { "gtt-total", "iommu-passthrough" }; /* what verify can measure */

const char *sp_dest_name(enum sp_dest dest)
{
	return dest_names[dest];
}

/* --- readers --------------------------------------------------------------------------------------------------- */

static int read_rule(const config_setting_t *s, void *field, struct sp_error **err)
{
	int i = 0, r = sp_cfg_word(s, rule_names, SP_ELEMENTS(rule_names), &i, err);

	*(enum sp_rule *) field = (enum sp_rule) i;
	return r;
}

static int read_effect(const config_setting_t *s, void *field, struct sp_error **err)
{
	int i = 0, r = sp_cfg_word(s, effect_names, SP_ELEMENTS(effect_names), &i, err);

	if (r == 0)
		*(char **) field = sp_xstrdup(effect_names[i]);
	return r;
}

static int read_when(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_setting *t = object;

	return sp_conditions_read(s, &t->when, &t->n_when, err);
}

static int read_unless(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_setting *t = object;

	return sp_conditions_read(s, &t->unless, &t->n_unless, err);
}

static int read_warn(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_setting *t = object;

	return sp_conditions_read(s, &t->warn, &t->n_warn, err);
}

#define SETTING(field) offsetof(struct sp_setting, field)
static const struct sp_key setting_keys[] = {
	{ "id", sp_cfg_id, SETTING(id), true },
	{ "key", sp_cfg_text, SETTING(key), true },
	{ "value", sp_cfg_text, SETTING(value), true },
	{ "summary", sp_cfg_text, SETTING(summary), true },
	{ "rule", read_rule, SETTING(rule), false },
	{ "by_default", sp_cfg_bool, SETTING(by_default), false },
	{ "reboot", sp_cfg_bool, SETTING(reboot), false },
	{ "follows", sp_cfg_id, SETTING(follows), false },
	{ "when", read_when, 0, false },
	{ "unless", read_unless, 0, false },
	{ "warn", read_warn, 0, false },
	{ "conflicts", sp_cfg_texts, SETTING(conflicts), false },
	{ "live", sp_cfg_text, SETTING(live), false },
	{ "live_bracket", sp_cfg_bool, SETTING(live_bracket), false },
	{ "live_set", sp_cfg_bool, SETTING(live_set), false },
	{ "neutral", sp_cfg_text, SETTING(neutral), false },
	{ "effect", read_effect, SETTING(effect), false },
	{ "log", sp_cfg_log, SETTING(log), false },
	{ 0 },
};

int sp_setting_read(const config_setting_t *block, enum sp_dest dest, const char *file, struct sp_setting *ret,
		    struct sp_error **err)
{
	ret->dest = dest;
	ret->file = sp_xstrdup(file);
	ret->line = config_setting_source_line(block);
	ret->by_default = true;
	ret->reboot = dest == SP_DEST_CMDLINE || dest == SP_DEST_MODPROBE;
	ret->log.verdict = SP_VERDICT_PENDING; /* nothing was measured until a log says so */
	int r = sp_cfg_group(block, setting_keys, ret, err);
	if (r == 0 && sp_setting_check(ret, err) < 0)
		r = sp_wrap_at(block, err);
	return r;
}

void sp_setting_clear(struct sp_setting *s)
{
	free(s->id);
	free(s->key);
	free(s->value);
	free(s->summary);
	free(s->follows);
	sp_conditions_clear(s->when, s->n_when);
	sp_conditions_clear(s->unless, s->n_unless);
	sp_conditions_clear(s->warn, s->n_warn);
	sp_strv_clear(&s->conflicts);
	free(s->live);
	free(s->effect);
	free(s->neutral);
	sp_log_clear(&s->log);
	free(s->file);
	*s = (struct sp_setting){ 0 };
}
