/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

int sp_cmd_record(const struct sp_call *call, struct sp_error **err)
{
	sp_autorecording struct sp_recording res = { 0 };
	int rc = sp_record_machine(call->session, call->cli->output, call->cli->with_boot, &res, err);

	return rc < 0 ? rc : sp_report_record(call->report, &res, SP_EXIT_OK);
}
