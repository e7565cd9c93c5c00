/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

int sp_cmd_status(const struct sp_call *call, struct sp_error **err)
{
	struct sp_status *st = NULL;
	enum sp_exit status = SP_EXIT_OK;
	int rc = sp_status_read(call->session, &st, err);

	if (rc == 0) {
		if (st->interrupted)
			status = SP_EXIT_RECOVER;
		else if (st->reboot_pending)
			status = SP_EXIT_REBOOT;
		rc = sp_report_status(call->report, st, status);
	}
	sp_status_free(st);
	return rc < 0 ? rc : (int) status;
}
