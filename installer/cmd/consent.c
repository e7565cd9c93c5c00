/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cmd/cmd.h"

static int nobody_to_ask(const struct sp_call *call, struct sp_error **err)
{
	(void) sp_error_set(err, -ENOTTY,
			    call->report->json ? "--json cannot ask; nothing was changed"
					       : "there is no terminal to ask on; nothing was changed");
	(void) sp_error_hint(err, "add --yes to go ahead without being asked");
	return sp_error_exit(err, SP_EXIT_USAGE);
}

int sp_consent_settle(const struct sp_call *call, struct sp_result *ret, struct sp_error **err)
{
	struct sp_store *store = NULL;

	int rc;

	if (call->cli->yes || sp_report_can_ask(call->report)) {
		rc = sp_recover(call->session, ret, err);
		if (ret->firmware) /* what follows goes on from there */
			sp_strv_add(&ret->warnings, ret->firmware);
		return rc;
	}
	rc = sp_store_open(call->session->root, false, &store, err);
	if (rc < 0)
		return rc;
	bool interrupted = sp_store_interrupted(store);
	sp_store_close(store);
	if (!interrupted)
		return 0;
	(void) sp_error_set(err, -EBUSY, "an interrupted transaction must be recovered first");
	(void) sp_error_hint(err, "run `strix-provision recover`, or add --yes");
	return sp_error_exit(err, SP_EXIT_RECOVER);
}

bool sp_consent_propose(const struct sp_call *call, const struct sp_gate *gate, uint64_t *mib)
{
	bool yes = false;

	if (!gate->proposal_mib || call->cli->yes || !sp_report_can_ask(call->report))
		return false;
	sp_autofree char *size = sp_uma_argument(gate->proposal_mib);
	sp_autofree char *question = sp_xasprintf("%s. Take %s instead?", gate->refusal->message, size);
	if (sp_report_ask(call->report, question, &yes) < 0 || !yes)
		return false;
	*mib = gate->proposal_mib;
	return true;
}

int sp_consent_ask(const struct sp_call *call, const char *question, struct sp_error **err)
{
	bool yes = false;

	if (call->cli->yes)
		return 0;
	if (sp_report_ask(call->report, question, &yes) < 0)
		return nobody_to_ask(call, err);
	return yes ? 0 : sp_error_set(err, -ECANCELED, "not confirmed; nothing was changed");
}
