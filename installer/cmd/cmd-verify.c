/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

int sp_cmd_verify(const struct sp_call *call, struct sp_error **err)
{
	struct sp_verify *verify = NULL;
	int rc = sp_verify(call->session, &verify, err);

	if (rc == 0)
		rc = sp_report_verify(call->report, verify);
	if (rc == 0)
		rc = (int) verify->status;
	sp_verify_free(verify);
	return rc;
}
