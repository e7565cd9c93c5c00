/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

int sp_cmd_recover(const struct sp_call *call, struct sp_error **err)
{
	sp_autoresult struct sp_result res = { 0 };
	int rc = sp_recover(call->session, &res, err);
	enum sp_exit status = rc == 0 && res.firmware ? SP_EXIT_FIRMWARE : sp_cmd_exit(rc, *err);
	int said = sp_report_recover(call->report, &res, status, rc < 0 ? *err : NULL);

	return rc < 0 ? rc : said < 0 ? said : (int) status;
}
