/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

static enum sp_exit check_status(const struct sp_plan *plan)
{
	if (plan->firmware_gate)
		return SP_EXIT_FIRMWARE;
	return plan->pending ? SP_EXIT_DIFFERS : SP_EXIT_OK;
}

int sp_cmd_plan(const struct sp_call *call, struct sp_error **err)
{
	struct sp_plan *plan = NULL;
	enum sp_exit status = SP_EXIT_OK;
	int rc = sp_plan_make(call->session, &plan, err);

	if (rc == 0) {
		if (call->cli->check)
			status = check_status(plan);
		rc = sp_report_plan(call->report, plan, status);
	}
	sp_plan_free(plan);
	return rc < 0 ? rc : (int) status;
}
