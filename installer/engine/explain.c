/* SPDX-License-Identifier: MIT */
/*
 * explain: the log of each setting and of what is not set, with its value on
 * this machine. Works from a plan; where no plan can be made, from the
 * catalogue alone.
 */
#include <errno.h>
#include <inttypes.h>

#include "engine/internal.h"

/* --- the value here, and why ------------------------------------------------------------------------------------- */

static const struct sp_decision *decision_of(const struct sp_plan *p, const char *id)
{
	for (size_t i = 0; p && i < p->n_decisions; i++)
		if (sp_streq(p->decisions[i].setting->id, id))
			return &p->decisions[i];
	return NULL;
}

static char *choice(const struct sp_plan *p, const struct sp_setting *s)
{
	const char *id = s->follows ? s->follows : s->id;

	if (s->follows)
		return sp_xasprintf("it goes with %s", id);
	if (sp_strv_has(&p->selection.with, id))
		return sp_xstrdup("it was asked for by hand");
	return sp_xasprintf("the profile '%s' has it", p->profile->name);
}

/* Where a computed size comes from: a sentence, or "". */
static char *origin(const struct sp_plan *p, const struct sp_setting *s)
{
	if (!p->has_sizes || !strstr(s->value, "${gtt"))
		return sp_xstrdup("");
	return sp_xasprintf(" GTT %" PRIu64 " MiB (%s) of %" PRIu64 " MiB that the next boot has; %" PRIu64
			    " MiB stay for the host.",
			    p->sizes.gtt_mib, p->sizes.origin, p->sizes.next_mem_kib / 1024, p->sizes.host_mib);
}

static char *reason_of(const struct sp_plan *p, const struct sp_decision *d)
{
	sp_autofree char *chosen = choice(p, d->setting), *size = origin(p, d->setting);

	if (d->state == SP_DECIDE_CHANGE)
		return sp_xasprintf("apply would write it; %s.%s", chosen, size);
	if (d->state == SP_DECIDE_OK && d->ours)
		return sp_xasprintf("it is in place; %s.%s", chosen, size);
	return sp_xstrdup(d->reason);
}

static char *not_selected(const struct sp_plan *p, const struct sp_setting *s)
{
	const char *id = s->follows ? s->follows : s->id;

	if (sp_strv_has(&p->selection.without, id))
		return sp_xstrdup("it was taken out by hand (--without)");
	return sp_xasprintf("the profile '%s' does not have it; --with %s adds it", p->profile->name, id);
}

/* What the catalogue says, with what is known here filled in; else as it is written. */
static char *expanded(const struct sp_plan *p, const char *text)
{
	const struct sp_derived derived = {
		.sizes = p && p->has_sizes ? &p->sizes : NULL,
		.ttm_module = p ? sp_kernel_ttm_module(p->facts, sp_plan_kernel(p)) : "ttm",
	};
	sp_autoerror struct sp_error *ignored = NULL;
	char *value = NULL;

	return sp_derive(text, &derived, &value, &ignored) < 0 ? NULL : value;
}

/* --- how it is verified ------------------------------------------------------------------------------------------ */

static void prove(struct sp_explained *e, enum sp_layer layer, char *how)
{
	e->proofs = sp_xrealloc(e->proofs, e->n_proofs + 1, sizeof(*e->proofs));
	e->proofs[e->n_proofs++] = (struct sp_proof){ .layer = layer, .how = how };
}

static const struct {
	const char *name, *how;
} effects[] = {
	{ "gtt-total", "the GPU's mem_info_gtt_total is as many pages of 4 KiB, or all of memory where the driver stops" },
	{ "iommu-passthrough", "the GPU's IOMMU group is of type 'identity'" },
};

/* The files that entries to come are made from, as this machine has them. */
static char *line_files(const struct sp_plan *p)
{
	sp_autostrv struct sp_strv files = { 0 };

	for (size_t i = 0; p && p->boot && i < p->boot->n_places; i++) {
		const struct sp_place *place = &p->boot->places[i];
		if (place->role != SP_PLACE_ENTRY && !place->skip && !place->only_remove && place->exists &&
		    !sp_strv_has(&files, place->path))
			sp_strv_add(&files, place->path);
	}
	sp_autofree char *all = sp_strv_join(&files, ", ");
	return files.n ? sp_xasprintf("it stands in %s", all)
		       : sp_xstrdup("it stands where entries of later kernels take their line from");
}

static void prove_line(const struct sp_plan *p, struct sp_explained *e)
{
	prove(e, SP_LAYER_DISK, line_files(p));
	prove(e, SP_LAYER_ENTRY, sp_xstrdup("every boot entry of this system has it, as the last of its key"));
	prove(e, SP_LAYER_CMDLINE, sp_xstrdup("the running kernel got it: /proc/cmdline"));
}

static void prove_setting(const struct sp_plan *p, const struct sp_setting *s, struct sp_explained *e)
{
	const struct sp_dropin_kind *kind = sp_dropin_kind(s->dest);
	char *live = s->live ? expanded(p, s->live) : NULL;

	if (kind)
		prove(e, SP_LAYER_DISK,
		      sp_xasprintf("it stands in %s, and no file that is read later changes it", kind->path));
	else
		prove_line(p, e);
	if (s->live)
		prove(e, SP_LAYER_LIVE, live ? live : sp_xstrdup(s->live));
	for (size_t i = 0; i < SP_ELEMENTS(effects); i++)
		if (sp_streq(effects[i].name, s->effect))
			prove(e, SP_LAYER_EFFECT, sp_xstrdup(effects[i].how));
}

/* --- one entry --------------------------------------------------------------------------------------------------- */

static char *undo_setting(const struct sp_setting *s)
{
	const char *id = s->follows ? s->follows : s->id;
	const char *after = s->reboot	? ". Restart after either"
			    : s->live_set ? " and brings the live value of before back"
					  : "";

	return sp_xasprintf("'strix-provision apply --without %s' takes it out and keeps the rest; 'strix-provision rollback' "
			    "undoes the last transaction as a whole%s", id, after);
}

static void explain_setting(const struct sp_plan *p, const struct sp_catalog *c, const struct sp_setting *s,
			    struct sp_explained *e)
{
	const struct sp_setting *leader = s->follows ? sp_catalog_setting(c, s->follows) : s;
	const struct sp_decision *d = decision_of(p, s->id);

	*e = (struct sp_explained){ .id = s->id, .summary = s->summary, .destination = sp_dest_name(s->dest),
				    .follows = s->follows, .log = &leader->log, .undo = undo_setting(s) };
	e->key = d && d->key ? sp_xstrdup(d->key) : expanded(p, s->key);
	e->value = d ? sp_xstrdup(d->value) : expanded(p, s->value);
	e->state = d ? sp_decision_state_name(d->state) : p ? "not-selected" : "unknown";
	e->reason = d ? reason_of(p, d) : p ? not_selected(p, s) : sp_xstrdup("no plan can be made here");
	prove_setting(p, s, e);
}

static void explain_entry(const struct sp_log_entry *entry, struct sp_explained *e)
{
	*e = (struct sp_explained){ .id = entry->id, .summary = entry->summary, .log = &entry->log,
				    .state = "not-applied" };
	e->reason = sp_xstrdup(entry->reason ? entry->reason : "strix-provision does not set it");
	e->undo = sp_xstrdup("strix-provision has written nothing for it, so there is nothing of it to undo");
}

/* Is it "swappiness: ...", or why there is no size for what needs one? */
static bool is_about(const char *warning, const struct sp_explained *e)
{
	const size_t len = strlen(e->id);

	if (sp_startswith(warning, "no GTT size: "))
		return e->destination && !e->value;
	return strncmp(warning, e->id, len) == 0 && warning[len] == ':';
}

static void add_warnings(struct sp_explain *x)
{
	for (size_t i = 0; x->plan && i < x->plan->warnings.n; i++)
		for (size_t k = 0; k < x->n; k++) {
			const char *text = x->plan->warnings.v[i];
			if (is_about(text, &x->v[k]) && !sp_strv_has(&x->warnings, text))
				sp_strv_add(&x->warnings, text);
		}
}

static int explain_all(struct sp_explain *x, const char *id, struct sp_error **err)
{
	const struct sp_catalog *c = x->catalog;

	x->v = sp_xcalloc(c->n_settings + c->n_entries, sizeof(*x->v));
	for (size_t i = 0; i < c->n_settings; i++)
		if (!id || sp_streq(c->settings[i].id, id))
			explain_setting(x->plan, c, &c->settings[i], &x->v[x->n++]);
	for (size_t i = 0; i < c->n_entries; i++)
		if (!id || sp_streq(c->entries[i].id, id))
			explain_entry(&c->entries[i], &x->v[x->n++]);
	add_warnings(x);
	return x->n || !id ? 0 : sp_catalog_no_entry(c, id, err);
}

static int explain(const struct sp_session *s, const char *id, struct sp_explain *x, struct sp_error **err)
{
	sp_autoerror struct sp_error *no_plan = NULL;
	int r = sp_catalog_load(s->data_dir, &x->catalog, err);

	if (r < 0)
		return r;
	r = sp_plan_make(s, &x->plan, &no_plan);
	if (r < 0 && no_plan->exit == SP_EXIT_USAGE) {
		*err = sp_steal(no_plan);
		return r;
	}
	if (r < 0)
		sp_strv_addf(&x->warnings, "the values of this machine are not known: %s", no_plan->message);
	return explain_all(x, id, err);
}

int sp_explain(const struct sp_session *s, const char *id, struct sp_explain **ret, struct sp_error **err)
{
	struct sp_explain *x = sp_xcalloc(1, sizeof(*x));
	int r = explain(s, id, x, err);

	if (r < 0)
		sp_explain_free(x);
	else
		*ret = x;
	return r;
}

void sp_explain_free(struct sp_explain *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n; i++) {
		struct sp_explained *e = &x->v[i];
		for (size_t k = 0; k < e->n_proofs; k++)
			free(e->proofs[k].how);
		free(e->proofs);
		free(e->key);
		free(e->value);
		free(e->reason);
		free(e->undo);
	}
	free(x->v);
	sp_strv_clear(&x->warnings);
	sp_plan_free(x->plan);
	sp_catalog_free(x->catalog);
	free(x);
}
