/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

int sp_cmd_detect(const struct sp_call *call, struct sp_error **err)
{
	struct sp_detect *detect = NULL;
	int rc = sp_detect(call->session, &detect, err);

	if (rc == 0)
		rc = sp_report_detect(call->report, detect, SP_EXIT_OK);
	sp_detect_free(detect);
	return rc;
}
