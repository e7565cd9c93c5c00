/* SPDX-License-Identifier: MIT */
/*
 * What is generated from the files that a transaction changes: made by the system's own tool after these are
 * published, checked, and published in the same transaction. Where the tool belongs to another system, it is left to
 * the first boot of that one, and the record says that it is due.
 */
#include <errno.h>

#include "engine/internal.h"

/* --- is it needed? ----------------------------------------------------------------------------------------------- */

static bool is_effective(const char *line, const char *token)
{
	const enum sp_presence p = sp_cmdline_presence(line, token);

	return p == SP_PRESENT || p == SP_EFFECTIVE;
}

static bool is_on(const char *line, const char *token)
{
	const enum sp_presence p = sp_cmdline_presence(line, token);

	return p != SP_ABSENT && p != SP_OTHER;
}

static bool is_edited(const struct sp_edits *edits, const char *path)
{
	const struct sp_edit *e = path ? sp_edits_find(edits, path) : NULL;

	return e && e->op != SP_OP_KEEP;
}

bool sp_generation_stale(const struct sp_boot *boot, const struct sp_tokens *wanted, const struct sp_tokens *gone,
			 const struct sp_edits *edits)
{
	if (boot->entries_broken)
		return !is_edited(edits, boot->ops->product);
	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];
		if (!e->ours || e->rescue || is_edited(edits, e->product ? e->product : boot->ops->product))
			continue;
		for (size_t k = 0; k < wanted->n; k++)
			if (!is_effective(e->line, wanted->v[k].text))
				return true;
		for (size_t k = 0; k < gone->n; k++)
			if (is_on(e->line, gone->v[k].text) && !(e->fixed && is_on(e->fixed, gone->v[k].text)))
				return true;
	}
	return false;
}

void sp_generation_tell_fixed(const struct sp_boot *boot, const struct sp_tokens *gone, struct sp_strv *warnings)
{
	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];
		bool has = false;

		for (size_t k = 0; e->fixed && e->ours && k < gone->n; k++)
			has = has || is_on(e->fixed, gone->v[k].text);
		if (has)
			sp_strv_addf(warnings, "'%s' was built with arguments of ours that are to go, and has them until it is "
				     "built anew", e->path);
	}
}

void sp_tokens_gone(const struct sp_tokens *was, const struct sp_tokens *is, struct sp_tokens *ret)
{
	for (size_t i = 0; i < was->n; i++) {
		bool kept = false;
		for (size_t k = 0; k < is->n; k++)
			kept = kept || sp_token_eq(was->v[i].text, is->v[k].text);
		if (!kept)
			sp_tokens_add(ret, was->v[i].text, NULL);
	}
}

const char *sp_generation_later(const struct sp_boot *boot)
{
	return boot->ops->later ? boot->ops->later : boot->ops->command;
}

char *sp_generation_deferred(const struct sp_root *root, const struct sp_boot *boot, const char *why)
{
	const char *unit = sp_request_unit(root);

	return sp_xasprintf("on its first boot, %s%s: %s (%s); the arguments are then in its menu, so this costs one more reboot",
			    unit ? "by " : "run as root", unit ? unit : "", sp_generation_later(boot), why);
}

static bool line_changes(const struct sp_plan *p)
{
	for (size_t i = 0; i < p->edits.n; i++) {
		const struct sp_edit *e = &p->edits.v[i];
		if (e->op == SP_OP_KEEP)
			continue;
		if (sp_streq(e->path, p->boot->ops->own_file))
			return true;
		for (size_t k = 0; k < p->boot->n_places; k++)
			if (sp_streq(e->path, p->boot->places[k].path))
				return true;
	}
	return false;
}

void sp_plan_generation(const struct sp_session *s, struct sp_plan *p)
{
	sp_autotokens struct sp_tokens wanted = { 0 }, gone = { 0 };
	const char *why = sp_generators_refusal(s->root);

	if (!p->boot || !p->boot->ops->generate)
		return;
	sp_wanted_tokens(p, &wanted);
	sp_tokens_gone(&p->applied.common, &wanted, &gone);
	sp_generation_tell_fixed(p->boot, &gone, &p->warnings);
	const bool stale = sp_generation_stale(p->boot, &wanted, &gone, &p->edits);
	if (!stale && !line_changes(p))
		return;
	p->reboot_required = true;
	p->generate = !why;
	p->pending = p->pending || p->generate;
	p->next.generation_due = !p->generate;
	if (p->generate)
		sp_strv_addf(&p->actions, "make %s anew (%s); it is checked before it takes the place of the old one",
			     p->boot->ops->product, p->boot->ops->command);
	else
		sp_strv_take(&p->actions, sp_generation_deferred(s->root, p->boot, why));
}

/* --- do it ------------------------------------------------------------------------------------------------------- */

static int generate(const struct sp_session *s, struct sp_txn *txn, const struct sp_job *job, struct sp_edits *products,
		    struct sp_error **err)
{
	const struct sp_note note = { .product = true };
	int r = job->boot->ops->generate(s->root, job->boot, job->wanted, products, err);

	for (size_t i = 0; i < products->n; i++)
		products->v[i].note = sp_note_to_json(&note);
	if (r == 0)
		r = sp_txn_stage(txn, products, err);
	return r < 0 ? r : sp_txn_publish(txn, err);
}

int sp_generate(const struct sp_session *s, struct sp_txn *txn, const struct sp_job *job, struct sp_edits *products,
		struct sp_error **err)
{
	int r = generate(s, txn, job, products, err);

	return r < 0 ? sp_error_wrap(err, "'%s' could not be made, so everything was put back", job->boot->ops->product) : 0;
}
