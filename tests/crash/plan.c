/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <jansson.h>

static const char *const apply[] = { "apply", "--yes", NULL };
static const char *const change[] = { "apply", "--yes", "--gtt", "40G", NULL };
static const char *const undo[] = { "rollback", "--yes", NULL };
static const char *const undo_all[] = { "rollback", "--yes", "--all", NULL };
static const char *const recover[] = { "recover", NULL };
static const char *const status[] = { "status", "--json", NULL };
static const char *const verify[] = { "verify", NULL };
static const char *const plan_json[] = { "plan", "--json", NULL };

/* The states that a machine goes through. */
enum stage { PRISTINE, APPLIED, CHANGED, N_STAGES, NO_STAGE = N_STAGES };

static const struct recipe {
	const char *group;
	const char *const *args, *const *again;
	enum stage from, to;   /* to NO_STAGE: what it leaves is seen then */
	enum stage settled[2]; /* after `again`, from the old and the new tree */
	bool cut_short;	       /* also: killed at every call, and `recover` is put under fire */
} recipes[] = {
	{ "apply", apply, apply, PRISTINE, APPLIED, { APPLIED, APPLIED }, true },
	{ "change", change, change, APPLIED, CHANGED, { CHANGED, CHANGED }, false },
	{ "rollback", undo, apply, APPLIED, PRISTINE, { APPLIED, APPLIED }, true },
	{ "rollback-all", undo_all, apply, CHANGED, PRISTINE, { CHANGED, APPLIED }, false },
	/* Of a tree that is applied already, and where nothing more is known of it. */
	{ "here", undo, NULL, PRISTINE, NO_STAGE, { NO_STAGE, NO_STAGE }, true },
};

static struct tree *keep_tree(struct plan *plan, const char *dir)
{
	struct tree *t = sp_xmalloc(sizeof(*t));

	tree_load(dir, t);
	plan->trees.v = sp_xrealloc(plan->trees.v, plan->trees.n + 1, sizeof(*plan->trees.v));
	plan->trees.v[plan->trees.n++] = t;
	return t;
}

static void drop_last_tree(struct plan *plan)
{
	struct tree *t = plan->trees.v[--plan->trees.n];

	tree_clear(t);
	free(t);
}

static void must(const struct program *p, const char *const *args)
{
	autooutcome struct outcome o = { 0 };

	errno = 0;
	run_program(p, args, false, NULL, &o);
	if (outcome_exit(&o) != 0)
		die("%s: exit status %d: %s", args[0], outcome_exit(&o), o.err.len ? o.err.data : "");
}

/* "key=value" of the settings on the command line. */
static void read_tokens(const struct program *p, struct sp_strv *ret)
{
	autooutcome struct outcome o = { 0 };
	json_t *v = NULL;
	size_t i;

	run_program(p, plan_json, false, NULL, &o);
	json_t *report = o.out.len ? json_loads(o.out.data, 0, NULL) : NULL;
	json_array_foreach (json_object_get(report, "settings"), i, v)
		if (sp_streq(json_string_value(json_object_get(v, "destination")), "cmdline"))
			sp_strv_addf(ret, "%s=%s", json_string_value(json_object_get(v, "key")),
				     json_string_value(json_object_get(v, "value")));
	json_decref(report);
	if (ret->n == 0)
		die("plan tells no setting of the command line");
}

static int ask(const struct program *p, char **list)
{
	autooutcome struct outcome told = { 0 }, looked = { 0 };
	bool interrupted = false;

	run_program(p, status, false, NULL, &told);
	*list = standing(&told, &interrupted);
	run_program(p, verify, false, NULL, &looked);
	if (!*list || interrupted)
		die("status does not tell what stands");
	return outcome_exit(&looked);
}

/* --- one command ------------------------------------------------------------------------------------------------- */

static struct scenario *add_scenario(struct plan *plan)
{
	plan->v = sp_xrealloc(plan->v, plan->n + 1, sizeof(*plan->v));
	plan->v[plan->n] = (struct scenario){ .tokens = &plan->tokens };
	return &plan->v[plan->n++];
}

static void add_command(struct plan *plan, const struct program *p, const struct recipe *r, struct tree *const *stages)
{
	struct scenario *s = add_scenario(plan);
	autooutcome struct outcome o = { 0 };

	s->group = r->group;
	s->args = r->args;
	s->start = s->result[STATE_OLD] = stages[r->from];
	tree_restore(s->start, p->root);
	s->verify[STATE_OLD] = ask(p, &s->list[STATE_OLD]);
	run_program(p, r->args, true, NULL, &o);
	if (outcome_exit(&o) != 0)
		die("%s: exit status %d: %s", r->group, outcome_exit(&o), o.err.len ? o.err.data : "");
	s->calls = o.calls;
	o.calls = (struct calls){ 0 };
	s->verify[STATE_NEW] = ask(p, &s->list[STATE_NEW]);
	s->new_exact = r->to == PRISTINE;
	s->result[STATE_NEW] = r->to == NO_STAGE ? keep_tree(plan, p->root) : stages[r->to];
	s->again = r->again;
	s->pristine = r->again ? stages[PRISTINE] : NULL;
	for (size_t i = 0; i < 2 && r->again; i++)
		s->settled[i] = stages[r->settled[i]];
}

/* --- the same, killed, and recovered ----------------------------------------------------------------------------- */

/* Two recoveries that make the same calls are one. */
static char *signature(const struct calls *c)
{
	sp_autobuf struct sp_buf b = { 0 };

	for (size_t i = 0; i < c->n; i++)
		sp_buf_addf(&b, "%s %s %s\n", c->v[i].type->name, c->v[i].path, c->v[i].path2 ? c->v[i].path2 : "");
	return sp_buf_steal(&b);
}

static void add_recovery(struct plan *plan, const struct program *p, const struct scenario *base, const char *group,
			 size_t at, struct sp_strv *seen)
{
	const struct fault kill = { .kind = FAULT_KILL, .at = at };
	autooutcome struct outcome cut = { 0 }, o = { 0 };
	struct scenario s = *base;

	tree_restore(base->start, p->root);
	time_now(&s.since);
	run_program(p, base->args, true, &kill, &cut);
	s.start = keep_tree(plan, p->root);
	run_program(p, recover, true, NULL, &o);
	sp_autofree char *sign = signature(&o.calls);
	if (o.calls.n == 0 || sp_strv_has(seen, sign)) {
		drop_last_tree(plan);
		return;
	}
	sp_strv_add(seen, sign);
	s.group = group;
	s.args = recover;
	s.recovers = true;
	s.prior = cut.calls;
	s.calls = o.calls;
	cut.calls = o.calls = (struct calls){ 0 };
	for (size_t i = 0; i < 2; i++)
		s.list[i] = sp_xstrdup(base->list[i]);
	*add_scenario(plan) = s;
}

static void add_recoveries(struct plan *plan, const struct program *p, const char *group, size_t max)
{
	const struct scenario base = plan->v[plan->n - 1]; /* a copy: the list moves */
	const size_t n = max == 0 || base.calls.n < max ? base.calls.n : max;
	sp_autostrv struct sp_strv seen = { 0 };

	for (size_t i = 0; i < n; i++)
		add_recovery(plan, p, &base, group, i * base.calls.n / n, &seen);
}

/* --- all --------------------------------------------------------------------------------------------------------- */

static const char *const recovery_names[] = { "recover-apply", "recover-change", "recover-rollback",
					      "recover-rollback-all", "recover-here" };

static bool wanted(const struct sp_strv *groups, const char *name)
{
	return groups->n ? sp_strv_has(groups, name) : !sp_endswith(name, "here");
}

static bool is_here(const struct sp_strv *groups)
{
	return sp_strv_has(groups, "here") || sp_strv_has(groups, "recover-here");
}

void plan_make(const struct program *p, const struct sp_strv *groups, size_t max, struct plan *ret)
{
	struct tree *stages[N_STAGES] = { NULL };

	*ret = (struct plan){ 0 };
	stages[PRISTINE] = keep_tree(ret, p->root);
	read_tokens(p, &ret->tokens);
	if (!is_here(groups)) {
		must(p, apply);
		stages[APPLIED] = keep_tree(ret, p->root);
		must(p, change);
		stages[CHANGED] = keep_tree(ret, p->root);
	}
	for (size_t i = 0; i < SP_ELEMENTS(recipes); i++) {
		const struct recipe *r = &recipes[i];
		const bool recoveries = r->cut_short && wanted(groups, recovery_names[i]);
		if (!recoveries && !wanted(groups, r->group))
			continue;
		add_command(ret, p, r, stages);
		const size_t at = ret->n - 1;
		if (recoveries)
			add_recoveries(ret, p, recovery_names[i], max);
		if (!wanted(groups, r->group))
			ret->v[at].group = NULL; /* it only served to be cut short */
	}
}

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct scenario *s = &plan->v[i];
		calls_clear(&s->prior);
		calls_clear(&s->calls);
		free(s->list[0]);
		free(s->list[1]);
	}
	free(plan->v);
	while (plan->trees.n > 0)
		drop_last_tree(plan);
	free(plan->trees.v);
	sp_strv_clear(&plan->tokens);
}
