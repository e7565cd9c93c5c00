/* SPDX-License-Identifier: MIT */
/* The command line in a plan: edits of its places, and what will be ours there. */
#include "engine/internal.h"

/* Does every place that we use have the token, alone of its key? */
static bool stands_everywhere(const struct sp_boot *boot, const char *token)
{
	if (boot->ops->keeper)
		return sp_boot_default(boot) && sp_cmdline_presence(sp_boot_default(boot)->line, token) == SP_PRESENT;
	for (size_t i = 0; i < boot->n_places; i++) {
		const struct sp_place *place = &boot->places[i];
		if (place->skip || place->only_remove)
			continue;
		const enum sp_presence p = place->line ? sp_cmdline_presence(place->line, token) : SP_ABSENT;
		if (p != SP_PRESENT && !(place->whole && p == SP_EFFECTIVE))
			return false;
	}
	return true;
}

static void mark_standing(struct sp_plan *p)
{
	for (size_t i = 0; i < p->n_decisions; i++) {
		struct sp_decision *d = &p->decisions[i];
		if (d->setting->dest != SP_DEST_CMDLINE || !d->ours)
			continue;
		sp_autofree char *token = sp_xasprintf("%s=%s", d->key, d->value);
		if (stands_everywhere(p->boot, token))
			d->state = SP_DECIDE_OK;
	}
}

static int note_owned(struct sp_plan *p, const struct sp_edit *e, struct sp_error **err)
{
	sp_autonote struct sp_note note = { 0 };
	int r = e->note ? sp_note_from_json(e->note, &note, err) : 0;

	for (size_t i = 0; i < note.n_lines && r == 0; i++)
		sp_owned_set_tokens(&p->next.owned, e->path, &note.lines[i].host, &note.lines[i].to);
	return r;
}

/* What is ours on a line that new entries inherit: from the place they inherit it from, else simply all of it. */
static void note_common(struct sp_plan *p, const struct sp_tokens *wanted)
{
	for (size_t i = 0; i < p->boot->n_places; i++) {
		const struct sp_place *place = &p->boot->places[i];
		const struct sp_owned *o = sp_owned_find(&p->next.owned, place->path, place->host.var);
		if (place->role != SP_PLACE_FUTURE || !o)
			continue;
		sp_tokens_copy(&p->next.common, &o->tokens);
		return;
	}
	for (size_t i = 0; i < wanted->n; i++) /* without what they may displace: there they displaced nothing */
		sp_tokens_add(&p->next.common, wanted->v[i].text, NULL);
}

static int plan_places(const struct sp_session *s, struct sp_plan *p, const struct sp_tokens *wanted, struct sp_strv *changed,
		       struct sp_error **err)
{
	int r = sp_boot_plan(s->root, p->boot, &p->applied.owned, &p->applied.common, wanted, &p->edits, changed, err);

	for (size_t i = 0; i < p->edits.n && r == 0; i++)
		r = note_owned(p, &p->edits.v[i], err);
	if (r < 0)
		return r;
	note_common(p, wanted);
	return p->boot->ops->own_file ? sp_own_file_plan(s, p, err) : 0;
}

int sp_plan_line(const struct sp_session *s, struct sp_plan *p, struct sp_error **err)
{
	sp_autotokens struct sp_tokens wanted = { 0 };
	sp_autostrv struct sp_strv changed = { 0 };

	if (!p->boot)
		return 0;
	if (p->boot->n_sources)
		sp_sources_decide(p);
	sp_wanted_tokens(p, &wanted);
	int r = p->boot->ops->keeper ? sp_kept_line_plan(p->boot, &p->applied.common, &wanted, &p->next.common, &changed, &p->line, err)
				     : plan_places(s, p, &wanted, &changed, err);
	if (r < 0)
		return r;
	mark_standing(p);
	if (p->boot->n_sources)
		sp_sources_shadows(p);
	for (size_t i = 0; i < changed.n; i++)
		sp_strv_addf(&p->warnings, "%s was changed by hand since the last apply", changed.v[i]);
	for (size_t i = 0; i < p->boot->n_places; i++)
		if (p->boot->places[i].skip)
			sp_strv_addf(&p->warnings, "'%s' is left alone: %s", p->boot->places[i].path, p->boot->places[i].skip);
	sp_strv_copy(&p->warnings, &p->boot->warnings);
	return 0;
}
