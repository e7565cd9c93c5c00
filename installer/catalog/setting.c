/* SPDX-License-Identifier: MIT */
/* One block of grub/, sysctl.d/, modprobe.d/ or environment.d/. */
#include "catalog/internal.h"
#include "catalog/predicate.h"

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

static const char *const verdict_names[] = {
	[SP_VERDICT_KEEP] = "keep",
	[SP_VERDICT_REVERTED] = "reverted",
	[SP_VERDICT_PENDING] = "pending",
	[SP_VERDICT_BLOCKED] = "blocked",
};

static const char *const effect_names[] = { "gtt-total", "iommu-passthrough" }; /* what verify can measure */

const char *sp_dest_name(enum sp_dest dest)
{
	return dest_names[dest];
}

const char *sp_verdict_name(enum sp_verdict verdict)
{
	return verdict_names[verdict];
}

/* --- readers --------------------------------------------------------------------------------------------------- */

static int read_rule(const config_setting_t *s, void *field, struct sp_error **err)
{
	int i = 0, r = sp_cfg_word(s, rule_names, SP_ELEMENTS(rule_names), &i, err);

	*(enum sp_rule *) field = (enum sp_rule) i;
	return r;
}

static int read_verdict(const config_setting_t *s, void *field, struct sp_error **err)
{
	int i = 0, r = sp_cfg_word(s, verdict_names, SP_ELEMENTS(verdict_names), &i, err);

	*(enum sp_verdict *) field = (enum sp_verdict) i;
	return r;
}

static int read_effect(const config_setting_t *s, void *field, struct sp_error **err)
{
	int i = 0, r = sp_cfg_word(s, effect_names, SP_ELEMENTS(effect_names), &i, err);

	if (r == 0)
		*(char **) field = sp_xstrdup(effect_names[i]);
	return r;
}

static int check_ask(const config_setting_t *s, const char *text, struct sp_error **err)
{
	return sp_predicate_check(text, err) < 0 ? sp_wrap_at(s, err) : 0;
}

static const struct sp_key condition_keys[] = {
	{ "ask", sp_cfg_text, offsetof(struct sp_condition, text), true },
	{ "message", sp_cfg_text, offsetof(struct sp_condition, message), true },
	{ 0 },
};

/* "npu-present", or { ask = "npu-present"; message = "..."; } */
static int read_condition(const config_setting_t *s, struct sp_condition *c, struct sp_error **err)
{
	int r = config_setting_is_group(s) ? sp_cfg_group(s, condition_keys, c, err) : sp_cfg_text(s, &c->text, err);

	return r < 0 ? r : check_ask(s, c->text, err);
}

static int read_conditions(const config_setting_t *s, struct sp_condition **v, size_t *n, struct sp_error **err)
{
	const bool many = config_setting_is_list(s) || config_setting_is_array(s);
	const size_t length = many ? (size_t) config_setting_length(s) : 1;

	*v = sp_xcalloc(length, sizeof(**v));
	for (*n = 0; *n < length;) {
		const config_setting_t *one = many ? config_setting_get_elem(s, (unsigned) *n) : s;
		int r = read_condition(one, &(*v)[(*n)++], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_when(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_setting *t = object;

	return read_conditions(s, &t->when, &t->n_when, err);
}

static int read_unless(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_setting *t = object;

	return read_conditions(s, &t->unless, &t->n_unless, err);
}

static int read_warn(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_setting *t = object;

	return read_conditions(s, &t->warn, &t->n_warn, err);
}

#define LOG(field) offsetof(struct sp_setting, log.field)
static const struct sp_key log_keys[] = {
	{ "date", sp_cfg_text, LOG(date), true },
	{ "change", sp_cfg_text, LOG(change), true },
	{ "evidence", sp_cfg_text, LOG(evidence), true },
	{ "verdict", read_verdict, LOG(verdict), true },
	{ "tradeoff", sp_cfg_text, LOG(tradeoff), false },
	{ "doubts", sp_cfg_texts, LOG(doubts), false },
	{ 0 },
};

static int read_log(const config_setting_t *s, void *object, struct sp_error **err)
{
	return sp_cfg_group(s, log_keys, object, err);
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
	{ "effect", read_effect, SETTING(effect), false },
	{ "log", read_log, 0, false },
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

/* --- release --------------------------------------------------------------------------------------------------- */

static void clear_conditions(struct sp_condition *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].text);
		free(v[i].message);
	}
	free(v);
}

void sp_setting_clear(struct sp_setting *s)
{
	free(s->id);
	free(s->key);
	free(s->value);
	free(s->summary);
	free(s->follows);
	clear_conditions(s->when, s->n_when);
	clear_conditions(s->unless, s->n_unless);
	clear_conditions(s->warn, s->n_warn);
	sp_strv_clear(&s->conflicts);
	free(s->live);
	free(s->effect);
	free(s->log.date);
	free(s->log.change);
	free(s->log.evidence);
	free(s->log.tradeoff);
	sp_strv_clear(&s->log.doubts);
	free(s->file);
	*s = (struct sp_setting){ 0 };
}
