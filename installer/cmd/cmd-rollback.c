/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cmd/cmd.h"

static int parse_options(const struct sp_cli *cli, struct sp_rollback_options *o, struct sp_error **err)
{
	o->all = cli->all;
	o->keep_conflicts = cli->keep_conflicts;
	if (cli->n_args == 0)
		return 0;
	if (cli->all)
		(void) sp_error_set(err, -EINVAL, "an ID and --all contradict each other");
	else if (sp_parse_u64(cli->args[0], &o->to) == 0 && o->to > 0)
		return 0;
	else
		(void) sp_error_set(err, -EINVAL, "'%s' is not the ID of a transaction", cli->args[0]);
	(void) sp_error_hint(err, "strix-provision status lists the transactions");
	return sp_error_exit(err, SP_EXIT_USAGE);
}

/* Owned; NULL: there is nothing to undo, which the engine says better than a question could. */
static char *question(const struct sp_rollback_options *o, const struct sp_status *st)
{
	const struct sp_status_txn *last = st->n_txns ? &st->txns[st->n_txns - 1] : NULL;

	if (!st->applied.txn && !(last && sp_streq(last->kind, "firmware") && sp_streq(last->state, "committed")))
		return NULL;
	if (o->all)
		return sp_xstrdup("Undo every transaction?");
	if (o->to && o->to != st->applied.txn)
		return sp_xasprintf("Undo transaction %ju and all later ones?", (uintmax_t) o->to);
	if (last && sp_streq(last->kind, "firmware"))
		return sp_xasprintf("Undo transaction %ju (%s)?", (uintmax_t) last->id, last->text);
	return sp_xasprintf("Undo transaction %ju?", (uintmax_t) st->applied.txn);
}

static int ask(const struct sp_call *call, const struct sp_rollback_options *o, struct sp_error **err)
{
	struct sp_status *st = NULL;
	int rc = sp_status_read(call->session, &st, err);

	if (rc == 0) {
		sp_autofree char *text = question(o, st);

		if (text)
			rc = sp_consent_ask(call, text, err);
	}
	sp_status_free(st);
	return rc;
}

int sp_cmd_rollback(const struct sp_call *call, struct sp_error **err)
{
	sp_autoresult struct sp_result recovered = { 0 }, res = { 0 };
	struct sp_asker asker = { .call = call };
	struct sp_rollback_options options = { 0 };
	int rc = parse_options(call->cli, &options, err), said;

	sp_password_offer(&asker);
	if (rc == 0)
		rc = sp_consent_settle(call, &recovered, err);
	if (rc == 0)
		rc = ask(call, &options, err);
	if (rc == 0)
		rc = sp_rollback(call->session, &options, &res, err);
	for (size_t i = 0; i < recovered.recovered.n; i++)
		sp_strv_add(&res.recovered, recovered.recovered.v[i]);
	sp_strv_copy(&res.warnings, &recovered.warnings);
	enum sp_exit status = rc == 0 && res.unfinished ? SP_EXIT_RECOVER : sp_cmd_exit(rc, *err);
	said = sp_report_rollback(call->report, &res, status, rc < 0 ? *err : NULL);
	if (rc < 0)
		return rc;
	return said < 0 ? said : (int) status;
}
