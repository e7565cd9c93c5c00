/* SPDX-License-Identifier: MIT */
/*
 * A command line that a program of the system keeps (ops->keeper): it is asked for a change in the middle of the
 * transaction, with the journal saying before what was there and what will be. What counts of a line is the tokens of the
 * keys that move: with another deployment the rest may change at any time.
 */
#include <errno.h>

#include "engine/rewind.h"

/* --- the part of a line that moves ----------------------------------------------------------------------------------- */

static void add_keys(const char *text, struct sp_strv *keys)
{
	sp_cleanup(sp_args_clear) struct sp_args args = { 0 };

	sp_args_parse(text, &args);
	for (size_t i = 0; i < args.n; i++)
		sp_strv_add(keys, args.v[i].key);
}

static bool has_key(const struct sp_strv *keys, const char *key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (sp_key_eq(keys->v[i], key))
			return true;
	return false;
}

/* Owned. */
static char *part_of(const char *line, const struct sp_strv *keys)
{
	sp_cleanup(sp_args_clear) struct sp_args args = { 0 };
	sp_autostrv struct sp_strv part = { 0 };

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n; i++)
		if (!args.v[i].for_init && has_key(keys, args.v[i].key))
			sp_strv_add(&part, args.v[i].text);
	sp_strv_sort(&part); /* the program has an order of its own */
	return sp_strv_join(&part, " ");
}

/* Tokens of one text that the other does not have. */
static void missing_in(const char *text, const char *other, struct sp_strv *ret)
{
	sp_cleanup(sp_args_clear) struct sp_args args = { 0 }, others = { 0 };

	sp_args_parse(text, &args);
	sp_args_parse(other, &others);
	for (size_t i = 0; i < args.n; i++) {
		bool found = false;
		for (size_t k = 0; k < others.n; k++)
			found = found || sp_token_eq(args.v[i].text, others.v[k].text);
		if (!found)
			sp_strv_add(ret, args.v[i].text);
	}
}

/* --- asking the program ---------------------------------------------------------------------------------------------- */

static int read_part(const void *data, const struct sp_attribute *a, char **ret, struct sp_error **err)
{
	const struct sp_kept_line *l = data;
	sp_autostrv struct sp_strv keys = { 0 };
	sp_autofree char *line = NULL;
	int r = l->ops->read(l->root, &line, err);

	if (r < 0)
		return r;
	add_keys(a->before, &keys);
	add_keys(a->after, &keys);
	*ret = part_of(line, &keys);
	return 0;
}

static int write_part(const void *data, const char *from, const char *to, struct sp_error **err)
{
	const struct sp_kept_line *l = data;
	sp_autostrv struct sp_strv gone = { 0 }, come = { 0 };

	missing_in(from, to, &gone);
	missing_in(to, from, &come);
	return l->ops->change(l->root, &gone, &come, err);
}

void sp_kept_line_reach(struct sp_kept_line *l, const struct sp_root *root, const struct sp_boot_ops *ops)
{
	*l = (struct sp_kept_line){ .root = root, .ops = ops->keeper };
	l->keeper = (struct sp_keeper){ .read = read_part, .write = write_part, .data = l };
	l->access = (struct sp_attribute_access){ .keeper = &l->keeper };
}

/* For recovery: which program that is, the tree tells. */
void sp_kept_line_recall(const struct sp_session *s, struct sp_txn *txn, struct sp_kept_line *ret)
{
	sp_autoerror struct sp_error *ignored = NULL;
	sp_autostrv struct sp_strv seen = { 0 };

	if (sp_generators_refusal(s->root))
		return;
	for (size_t i = 0; sp_boot_table[i]; i++) {
		const struct sp_boot_ops *ops = sp_boot_table[i];

		if (!ops->keeper || ops->probe(s->root, &seen, &ignored) <= 0)
			continue;
		sp_kept_line_reach(ret, s->root, ops);
		sp_txn_reach(txn, &ret->access);
		return;
	}
}

/* --- what is to change ----------------------------------------------------------------------------------------------- */

int sp_kept_line_plan(const struct sp_boot *boot, const struct sp_tokens *owned, const struct sp_tokens *wanted,
		      struct sp_tokens *ret_owned, struct sp_strv *changed, struct sp_attribute *ret, struct sp_error **err)
{
	const struct sp_entry *e = sp_boot_default(boot);
	sp_autotransition struct sp_transition t = { 0 };
	sp_autostrv struct sp_strv gone = { 0 }, come = { 0 }, keys = { 0 };

	if (!e)
		return sp_error_set(err, -ENOENT, "no entry starts by default");
	sp_owned_move(e->line, owned, wanted, NULL, &t);
	if (strlen(t.line) > SP_CMDLINE_MAX && strlen(t.line) > strlen(e->line))
		return sp_error_set(err, -E2BIG, "the kernel command line would be longer than %zu bytes", SP_CMDLINE_MAX);
	sp_tokens_copy(ret_owned, &t.owned);
	sp_strv_copy(changed, &t.changed);
	missing_in(e->line, t.line, &gone);
	missing_in(t.line, e->line, &come);
	if (gone.n + come.n == 0)
		return 0;
	for (size_t i = 0; i < gone.n; i++)
		add_keys(gone.v[i], &keys);
	for (size_t i = 0; i < come.n; i++)
		add_keys(come.v[i], &keys);
	*ret = (struct sp_attribute){ .path = sp_xstrdup(SP_ATTRIBUTE_LINE), .before = part_of(e->line, &keys),
				      .after = part_of(t.line, &keys) };
	return 0;
}

/* --- in a plan ------------------------------------------------------------------------------------------------------- */

static char *deferred(const struct sp_root *root, const char *why)
{
	const char *unit = sp_request_unit(root);

	return sp_xasprintf("on its first boot, %s%s: strix-provision apply (%s); a new deployment has the arguments then, so this "
			    "costs one more reboot", unit ? "by " : "run as root", unit ? unit : "", why);
}

void sp_kept_line_actions(const struct sp_session *s, struct sp_plan *p)
{
	const char *why = sp_generators_refusal(s->root);

	if (!p->line.path)
		return;
	p->reboot_required = true;
	p->change_line = !why;
	p->pending = p->pending || p->change_line;
	p->next.generation_due = !p->change_line;
	if (why)
		sp_strv_take(&p->actions, deferred(s->root, why));
	else
		sp_strv_addf(&p->actions, "make a new deployment with these arguments (%s); the present one stays in the menu",
			     p->boot->ops->keeper->command);
}

/* A transaction has one value outside of the tree. */
int sp_one_at_a_time(struct sp_error **err)
{
	(void) sp_error_set(err, -EBUSY, "the carve-out and the kernel arguments of a deployment cannot change in one transaction");
	(void) sp_error_exit(err, SP_EXIT_CONFLICT);
	return sp_error_hint(err, "set the carve-out first: strix-provision firmware uma SIZE; then repeat the command");
}

int sp_kept_line_refusal(const struct sp_plan *p, struct sp_error **err)
{
	return p->change_line && p->gate.write ? sp_one_at_a_time(err) : 0;
}

/* --- in a rollback --------------------------------------------------------------------------------------------------- */

static void tell_deferred(const struct sp_boot *boot, const struct sp_attribute *line, const char *why, struct sp_strv *warnings)
{
	sp_autostrv struct sp_strv gone = { 0 }, come = { 0 };
	sp_autobuf struct sp_buf words = { 0 };

	missing_in(line->before, line->after, &gone);
	missing_in(line->after, line->before, &come);
	for (size_t i = 0; i < gone.n; i++)
		sp_buf_addf(&words, " --delete=%s", gone.v[i]);
	for (size_t i = 0; i < come.n; i++)
		sp_buf_addf(&words, " --append=%s", come.v[i]);
	sp_strv_addf(warnings, "its kernel arguments stay until it is told on its next boot, as root: %s%s (%s)",
		     boot->ops->keeper->command, words.data, why);
}

int sp_rewind_kept_line(struct sp_undo *u, const struct sp_boot *boot, struct sp_strv *warnings, struct sp_error **err)
{
	sp_autotokens struct sp_tokens left = { 0 };
	sp_autostrv struct sp_strv changed = { 0 };
	const char *why = sp_generators_refusal(u->s->root);
	int r = sp_kept_line_plan(boot, &u->now.common, &u->then.common, &left, &changed, &u->line, err);

	for (size_t i = 0; i < changed.n && r == 0; i++)
		sp_strv_addf(&u->conflicts, "the kernel arguments: %s was changed since", changed.v[i]);
	u->now.generation_due = u->then.generation_due = false;
	if (r < 0 || !u->line.path)
		return r;
	u->change_line = !why;
	u->now.generation_due = u->then.generation_due = why;
	if (why)
		tell_deferred(boot, &u->line, why, warnings);
	return 0;
}
