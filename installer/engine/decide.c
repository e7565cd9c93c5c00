/* SPDX-License-Identifier: MIT */
/*
 * Catalogue + selection + facts -> which settings, with which values, and why
 * not the others. Pure: nothing is read here but what was read before.
 */
#include <errno.h>

#include "catalog/predicate.h"
#include "engine/internal.h"

static const char *const state_names[] = {
	[SP_DECIDE_CHANGE] = "change",	   [SP_DECIDE_OK] = "ok",	    [SP_DECIDE_SKIPPED] = "skipped",
	[SP_DECIDE_SHADOWED] = "shadowed", [SP_DECIDE_BLOCKED] = "blocked",
};

const char *sp_decision_state_name(enum sp_decision_state state)
{
	return state_names[state];
}

const char *sp_next_kernel(const struct sp_boot *boot, const struct sp_facts *f)
{
	const struct sp_entry *e = boot ? sp_boot_default(boot) : NULL;

	for (size_t i = 0; e && e->version && i < f->n_kernels; i++)
		if (sp_streq(f->kernels[i].pkgbase, e->version))
			return f->kernels[i].version;
	if (e && e->version)
		return e->version;
	return f->n_kernels ? f->kernels[f->n_kernels - 1].version : NULL;
}

const char *sp_plan_kernel(const struct sp_plan *p)
{
	return sp_next_kernel(p->boot, p->facts);
}

static void decide(struct sp_decision *d, enum sp_decision_state state, char *reason)
{
	free(d->reason);
	d->state = state;
	d->reason = reason;
}

/* --- chosen or not --------------------------------------------------------------------------------------------- */

static bool is_chosen(const struct sp_plan *p, const struct sp_setting *s)
{
	const struct sp_selection *sel = &p->selection;

	if (sp_strv_has(&sel->without, s->id))
		return false;
	if (s->follows) {
		const struct sp_setting *leader = sp_catalog_setting(p->catalog, s->follows);
		return leader && is_chosen(p, leader);
	}
	return sp_strv_has(&p->profile->settings, s->id) || sp_strv_has(&sel->with, s->id);
}

static const char *value_of(const struct sp_plan *p, const struct sp_setting *s)
{
	for (size_t i = 0; i < p->selection.n_overrides; i++)
		if (sp_streq(p->selection.overrides[i].id, s->id))
			return p->selection.overrides[i].value;
	for (size_t i = 0; i < p->profile->n_overrides; i++)
		if (sp_streq(p->profile->overrides[i].id, s->id))
			return p->profile->overrides[i].value;
	return s->value;
}

/* --- conditions ------------------------------------------------------------------------------------------------ */

static char *condition_reason(const struct sp_condition *c, bool wanted, enum sp_tristate answer, const char *why)
{
	if (answer == SP_UNKNOWN)
		return sp_xasprintf("cannot tell whether '%s' holds: %s", c->text, why ? why : "unknown");
	if (c->message)
		return sp_xstrdup(c->message);
	return sp_xasprintf(wanted ? "'%s' does not hold here" : "'%s' holds here", c->text);
}

/* Each of the conditions must have the wanted answer; the first that has not gives the reason (owned), NULL: all do. */
static char *first_failing(const struct sp_condition *c, size_t n, bool wanted, const struct sp_question *q)
{
	for (size_t i = 0; i < n; i++) {
		sp_autofree char *why = NULL;
		enum sp_tristate answer = sp_predicate_ask(c[i].text, q, &why);
		if (answer != (wanted ? SP_YES : SP_NO))
			return condition_reason(&c[i], wanted, answer, why);
	}
	return NULL;
}

static void add_setting_warnings(struct sp_plan *p, const struct sp_setting *s, const struct sp_question *q)
{
	for (size_t i = 0; i < s->n_warn; i++)
		if (sp_predicate_ask(s->warn[i].text, q, NULL) == SP_YES)
			sp_strv_addf(&p->warnings, "%s: %s", s->id, s->warn[i].message ? s->warn[i].message : s->warn[i].text);
}

/* Does the kernel know "module.parameter"? Only a clear no keeps it from being written. */
static char *unknown_parameter(struct sp_plan *p, const struct sp_decision *d)
{
	const char *dot = strchr(d->key, '.');
	const char *kernel = sp_plan_kernel(p);
	sp_autofree char *why = NULL;

	if (!dot || (d->setting->dest != SP_DEST_CMDLINE && d->setting->dest != SP_DEST_MODPROBE))
		return NULL;
	sp_autofree char *module = sp_xstrndup(d->key, (size_t) (dot - d->key));
	enum sp_tristate known = kernel ? sp_kernel_has_parm(p->facts, kernel, module, dot + 1, &why) : SP_UNKNOWN;
	if (known == SP_UNKNOWN)
		sp_strv_addf(&p->warnings, "%s: cannot check that the kernel knows '%s' (%s)", d->setting->id, d->key,
			     !kernel ? "no kernel found" : why ? why : "unknown");
	return known == SP_NO ? sp_xasprintf("kernel %s does not know '%s'", kernel, d->key) : NULL;
}

/* --- foreign arguments that stand against ours ----------------------------------------------------------------- */

static bool pattern_matches(const char *pattern, const struct sp_arg *arg, const char *ours)
{
	sp_autofree char *key = sp_token_key(pattern);
	const char *value = strchr(pattern, '=');

	if (!sp_key_eq(key, arg->key) || sp_streq(arg->text, ours))
		return false;
	return sp_streq(value, "=*") || sp_streq(value ? value + 1 : NULL, arg->value);
}

static char *foreign_conflict(const struct sp_plan *p, const struct sp_decision *d)
{
	const struct sp_entry *e = p->boot ? sp_boot_default(p->boot) : NULL;
	sp_autoargs struct sp_args args = { 0 };
	sp_autofree char *ours = sp_xasprintf("%s=%s", d->key, d->value);
	const struct sp_token *recorded = sp_tokens_find(&p->applied.common, d->key);

	if (!e || sp_strv_has(&p->selection.replace, d->setting->id))
		return NULL;
	sp_args_parse(e->line, &args);
	for (size_t i = 0; i < args.n; i++)
		for (size_t k = 0; k < d->setting->conflicts.n && !args.v[i].for_init; k++) {
			if (!pattern_matches(d->setting->conflicts.v[k], &args.v[i], ours) ||
			    (recorded && sp_streq(recorded->text, args.v[i].text)))
				continue;
			return sp_xasprintf("'%s' stands on the command line and is not ours; '--replace %s' puts '%s' in its place",
					    args.v[i].text, d->setting->id, ours);
		}
	return NULL;
}

/* --- one setting ----------------------------------------------------------------------------------------------- */

static int expand(struct sp_plan *p, struct sp_decision *d, struct sp_error **err)
{
	const struct sp_derived derived = {
		.sizes = p->has_sizes ? &p->sizes : NULL,
		.ttm_module = sp_kernel_ttm_module(p->facts, sp_plan_kernel(p)),
	};
	sp_autoerror struct sp_error *e = NULL;
	int r = sp_derive(d->setting->key, &derived, &d->key, &e);

	if (r == 0)
		r = sp_derive(value_of(p, d->setting), &derived, &d->value, &e);
	if (r == -ENODATA) {
		decide(d, SP_DECIDE_SKIPPED, sp_xstrdup(e->message));
		return 0;
	}
	return r < 0 ? sp_error_set(err, r, "%s:%u: %s", d->setting->file, d->setting->line, e->message) : 0;
}

static int decide_one(struct sp_plan *p, struct sp_decision *d, const struct sp_question *q, struct sp_error **err)
{
	const struct sp_setting *s = d->setting;
	int r = expand(p, d, err);

	if (r < 0 || d->state == SP_DECIDE_SKIPPED)
		return r;
	char *reason = first_failing(s->when, s->n_when, true, q);
	if (!reason)
		reason = first_failing(s->unless, s->n_unless, false, q);
	if (!reason)
		reason = unknown_parameter(p, d);
	if (reason) {
		decide(d, SP_DECIDE_SKIPPED, reason);
		return 0;
	}
	if (s->dest == SP_DEST_CMDLINE)
		reason = foreign_conflict(p, d);
	if (reason) {
		decide(d, SP_DECIDE_BLOCKED, reason);
		return 0;
	}
	add_setting_warnings(p, s, q);
	d->ours = true;
	decide(d, SP_DECIDE_CHANGE, sp_xstrdup(s->summary));
	return 0;
}

/* A follower whose leader was not written must not be, either: the two can never disagree. */
static void follow_leaders(struct sp_plan *p)
{
	for (size_t i = 0; i < p->n_decisions; i++)
		for (size_t k = 0; k < p->n_decisions; k++) {
			struct sp_decision *d = &p->decisions[i];
			const struct sp_decision *leader = &p->decisions[k];
			if (!sp_streq(d->setting->follows, leader->setting->id) || d->state != SP_DECIDE_CHANGE ||
			    leader->state == SP_DECIDE_CHANGE)
				continue;
			d->ours = false;
			decide(d, leader->state, sp_xasprintf("goes with %s", leader->setting->id));
		}
}

int sp_decide(struct sp_plan *p, struct sp_error **err)
{
	const struct sp_question q = {
		.facts = p->facts,
		.kernel = sp_plan_kernel(p),
		.platform = p->platform ? p->platform->id : NULL,
	};

	p->decisions = sp_xcalloc(p->catalog->n_settings, sizeof(*p->decisions));
	for (size_t i = 0; i < p->catalog->n_settings; i++) {
		if (!is_chosen(p, &p->catalog->settings[i]))
			continue;
		struct sp_decision *d = &p->decisions[p->n_decisions++];
		d->setting = &p->catalog->settings[i];
		int r = decide_one(p, d, &q, err);
		if (r < 0)
			return r;
	}
	follow_leaders(p);
	return 0;
}

void sp_wanted_tokens(const struct sp_plan *p, struct sp_tokens *ret)
{
	for (size_t i = 0; i < p->n_decisions; i++) {
		const struct sp_decision *d = &p->decisions[i];
		if (d->setting->dest != SP_DEST_CMDLINE || !d->ours || d->state == SP_DECIDE_SHADOWED)
			continue;
		sp_autofree char *text = sp_xasprintf("%s=%s", d->key, d->value);
		bool replace = sp_strv_has(&p->selection.replace, d->setting->id);
		sp_tokens_add(ret, text, replace ? &d->setting->conflicts : NULL);
	}
}
