/* SPDX-License-Identifier: MIT */
/* One fault, and everything that must hold after it. */
#include "crash.h"

#include <ctype.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { EXIT_NOTHING_CHANGED = 1, EXIT_DIFFERS = 3, EXIT_RECOVER = 5 };

static const char *const recover_args[] = { "recover", NULL };
static const char *const status_args[] = { "status", "--json", NULL };
static const char *const verify_args[] = { "verify", NULL };
static const char *const undo_all_args[] = { "rollback", "--yes", "--all", NULL };

/* A fault that is being looked at. */
struct trial {
	const struct scenario *s;
	const struct program *p;
	const struct fault *f;
	struct timespec since;
	struct order *order;
	struct sp_strv *problems;
};

static void problem(const struct trial *t, const char *step, const char *what)
{
	sp_strv_addf(t->problems, "%s: %s", step, what);
}

static void problem_said(const struct trial *t, const char *step, int code, const struct outcome *o)
{
	sp_strv_addf(t->problems, "%s: exit status %d: %.*s", step, code, (int) strcspn(o->err.len ? o->err.data : "", "\n"),
		     o->err.len ? o->err.data : "");
}

/* --- the tree ---------------------------------------------------------------------------------------------------- */

static bool is_state(const struct trial *t, const struct tree *now, enum state state, struct sp_strv *diff)
{
	const bool exact = state == STATE_OLD || t->s->new_exact;

	return tree_equal(now, t->s->result[state], exact ? NULL : t->s->result[STATE_OLD], &t->since, diff);
}

static enum state state_of(const struct trial *t, const struct tree *now)
{
	return is_state(t, now, STATE_OLD, NULL) ? STATE_OLD : is_state(t, now, STATE_NEW, NULL) ? STATE_NEW : STATE_NEITHER;
}

/* Journals may hold what only root may read. */
static void check_secrecy(const struct trial *t, const struct tree *now)
{
	const char tx[] = STATE_DIR "/tx";

	for (size_t i = 0; i < now->n; i++) {
		const struct node *n = &now->v[i];
		if (sp_startswith(n->path, tx) && (n->mode & 07777) != (S_ISDIR(n->mode) ? 0700 : 0600))
			problem(t, n->path, "others may read it");
	}
}

static void look(const struct trial *t, const char *when, struct tree *now)
{
	sp_autostrv struct sp_strv wrong = { 0 };

	tree_load(t->p->root, now);
	check_secrecy(t, now);
	check_entries(now, t->s->result, t->s->tokens, &wrong);
	for (size_t i = 0; i < wrong.n; i++)
		problem(t, when, wrong.v[i]);
}

static void tell_difference(const struct trial *t, const struct tree *now)
{
	static const char *const names[] = { "not the old tree", "not the new tree" };

	for (enum state state = STATE_OLD; state <= STATE_NEW; state++) {
		sp_autostrv struct sp_strv diff = { 0 };
		(void) is_state(t, now, state, &diff);
		sp_autofree char *all = sp_strv_join(&diff, ", ");
		problem(t, names[state], all);
	}
}

/* --- what it says ------------------------------------------------------------------------------------------------ */

char *standing(const struct outcome *o, bool *interrupted)
{
	json_t *report = o->out.len ? json_loads(o->out.data, 0, NULL) : NULL, *v = NULL;
	json_t *list = json_object_get(report, "transactions"), *open = json_object_get(report, "interrupted");
	sp_autostrv struct sp_strv names = { 0 };
	size_t i;

	if (!json_is_array(list) || !json_is_boolean(open) ||
	    json_integer_value(json_object_get(report, "exit_status")) != outcome_exit(o)) {
		json_decref(report);
		return NULL;
	}
	*interrupted = json_is_true(open);
	json_array_foreach (list, i, v) {
		const char *state = json_string_value(json_object_get(v, "state"));
		if (sp_streq(state, "committed") || sp_streq(state, "rolled-back"))
			sp_strv_addf(&names, "%d %s %s", (int) json_integer_value(json_object_get(v, "id")),
				     json_string_value(json_object_get(v, "kind")), state);
	}
	json_decref(report);
	return sp_strv_join(&names, ", ");
}

static int run(const struct trial *t, const char *const *args, struct outcome *o)
{
	run_program(t->p, args, false, NULL, o);
	return outcome_exit(o);
}

/* Whether it says that something was interrupted; where it says not, the list must fit the tree. */
static bool ask_status(const struct trial *t, const char *when, enum state state)
{
	autooutcome struct outcome o = { 0 };
	bool interrupted = false;
	int code = run(t, status_args, &o);
	sp_autofree char *list = standing(&o, &interrupted);

	if (!list)
		problem_said(t, when, code, &o);
	else if (interrupted != (code == EXIT_RECOVER))
		problem_said(t, "status says one thing and ends with another", code, &o);
	else if (!interrupted && state == STATE_NEITHER)
		problem(t, when, "status says that nothing is interrupted, and the tree is neither old nor new");
	else if (!interrupted && !sp_streq(list, t->s->list[state]))
		sp_strv_addf(t->problems, "%s: status lists '%s' and the tree is that of '%s'", when, list, t->s->list[state]);
	return interrupted;
}

/* Wherever its lines are folded. */
static bool says(const struct sp_buf *b, const char *what)
{
	sp_autobuf struct sp_buf flat = { 0 };

	for (size_t i = 0; i < b->len; i++)
		if (!isspace((unsigned char) b->data[i]))
			sp_buf_add(&flat, &b->data[i], 1);
		else if (flat.len && flat.data[flat.len - 1] != ' ')
			sp_buf_adds(&flat, " ");
	return flat.len && strstr(flat.data, what);
}

static bool is_kill(const struct fault *f)
{
	return f->kind == FAULT_KILL || f->kind == FAULT_KILL_AFTER || f->kind == FAULT_TORN;
}

/* A disk that fails in everything, or one that lies: then nothing may be left to do, and it says that there is. */
static bool cannot_know(const struct fault *f)
{
	return f->kind == FAULT_STUCK || f->kind == FAULT_LATE_ERROR;
}

/* The exit status, against what is on disk. */
static void check_report(const struct trial *t, const struct outcome *o, const struct tree *now, enum state state,
			 bool interrupted)
{
	const int code = outcome_exit(o);
	const bool silent = !says(&o->err, "strix-provision: ");
	const bool unchanged = t->s->recovers ? tree_same(now, t->s->start) : state == STATE_OLD && !interrupted;
	const char *wrong = NULL;

	if (o->timed_out)
		wrong = "it hangs";
	else if (is_kill(t->f))
		wrong = code >= 0 ? "it was to be killed, and is not" : NULL;
	else if (code == 0)
		wrong = interrupted || state == STATE_NEITHER || (!t->s->recovers && state == STATE_OLD) ?
				"it says that all is well" : NULL;
	else if (code != EXIT_NOTHING_CHANGED && code != EXIT_RECOVER)
		wrong = "it ends in no way that it may";
	else if (code == EXIT_NOTHING_CHANGED && !unchanged)
		wrong = "it says that nothing is changed";
	else if (code == EXIT_RECOVER && !interrupted && !cannot_know(t->f))
		wrong = "it says that there is something to recover";
	else if (silent && code == EXIT_NOTHING_CHANGED)
		wrong = "it does not say what is wrong";
	else if (code == EXIT_RECOVER && !says(&o->err, "strix-provision recover") && !says(&o->out, "strix-provision recover"))
		wrong = "it does not say how to recover";
	if (wrong)
		problem_said(t, wrong, code, o);
}

/* --- afterwards -------------------------------------------------------------------------------------------------- */

static void check_order(const struct trial *t, const struct outcome *o)
{
	order_feed(t->order, &o->calls, SIZE_MAX);
	if (outcome_exit(o) == 0)
		order_end(t->order);
}

static enum state recover(const struct trial *t)
{
	autooutcome struct outcome o = { 0 };
	autotree struct tree now = { 0 };

	run_program(t->p, recover_args, true, NULL, &o);
	if (outcome_exit(&o) != 0)
		problem_said(t, "recover", outcome_exit(&o), &o);
	check_order(t, &o);
	look(t, "recovered", &now);
	const enum state state = state_of(t, &now);
	if (state == STATE_NEITHER)
		tell_difference(t, &now);
	if (tree_find(&now, STATE_DIR "/open"))
		problem(t, "recovered", "a transaction is still open");
	if (ask_status(t, "recovered", state))
		problem(t, "recovered", "status says that something is interrupted");
	return state;
}

static void check_verify(const struct trial *t, enum state state)
{
	autooutcome struct outcome o = { 0 };
	int code = run(t, verify_args, &o);

	/* Values of the running system are set after COMMITTED, and not by recover: after a crash there is a new start. */
	if (code == EXIT_DIFFERS && t->p->live && state == STATE_NEW)
		return;
	if (code != t->s->verify[state])
		problem_said(t, state == STATE_OLD ? "verify of the old tree" : "verify of the new tree", code, &o);
}

static void check_tree(const struct trial *t, const char *step, const struct tree *want, const struct tree *base)
{
	sp_autostrv struct sp_strv diff = { 0 };
	autotree struct tree now = { 0 };

	tree_load(t->p->root, &now);
	if (tree_equal(&now, want, base, &t->since, &diff))
		return;
	sp_autofree char *all = sp_strv_join(&diff, ", ");
	problem(t, step, all);
}

static void go_on(const struct trial *t, enum state state)
{
	autooutcome struct outcome again = { 0 }, undo = { 0 };
	const struct scenario *s = t->s;
	int code = run(t, s->again, &again);

	if (code != 0)
		problem_said(t, "the next apply", code, &again);
	check_tree(t, "after the next apply", s->settled[state], s->pristine ? s->pristine : s->result[STATE_NEW]);
	if (!s->pristine)
		return;
	code = run(t, undo_all_args, &undo);
	if (code != 0)
		problem_said(t, "the rollback of everything", code, &undo);
	check_tree(t, "after the rollback of everything", s->pristine, NULL);
}

enum state judge(const struct scenario *s, const struct program *p, const struct fault *f, bool thorough,
		 struct sp_strv *problems)
{
	struct trial t = { .s = s, .p = p, .f = f, .problems = problems, .order = order_new() };
	autooutcome struct outcome o = { 0 };
	autotree struct tree now = { 0 };

	tree_restore(s->start, p->root);
	t.since = s->since;
	if (!s->recovers)
		time_now(&t.since);
	order_feed(t.order, &s->prior, SIZE_MAX);
	run_program(p, s->args, true, f, &o);
	if (!o.hit)
		problem(&t, "the fault", "was not reached");
	check_order(&t, &o);
	look(&t, "before recovery", &now);
	enum state state = state_of(&t, &now);
	check_report(&t, &o, &now, state, ask_status(&t, "before recovery", state));
	state = recover(&t);
	for (size_t i = 0; i < order_broken(t.order)->n; i++)
		problem(&t, "order", order_broken(t.order)->v[i]);
	order_free(t.order);
	if (state == STATE_NEITHER)
		return state;
	check_verify(&t, state);
	if (thorough && s->again)
		go_on(&t, state);
	return state;
}
