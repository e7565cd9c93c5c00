/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cmd/cmd.h"

static int choose(const struct sp_cli *cli, enum sp_confirm_how *how, struct sp_error **err)
{
	*how = cli->cancel ? SP_CONFIRM_CANCEL : cli->if_armed ? SP_CONFIRM_IF_ARMED : SP_CONFIRM_NOW;
	if (!cli->cancel || !cli->if_armed)
		return 0;
	(void) sp_error_set(err, -EINVAL, "--cancel and --if-armed contradict each other");
	(void) sp_error_hint(err, "--cancel does nothing where there is no trial");
	return sp_error_exit(err, SP_EXIT_USAGE);
}

int sp_cmd_confirm(const struct sp_call *call, struct sp_error **err)
{
	struct sp_confirm *confirm = NULL;
	enum sp_confirm_how how = SP_CONFIRM_NOW;
	int rc = choose(call->cli, &how, err), said;

	if (rc == 0)
		rc = sp_confirm(call->session, how, &confirm, err);
	enum sp_exit status = rc == 0 ? confirm->status : sp_cmd_exit(rc, *err);
	said = sp_report_confirm(call->report, confirm, status, rc < 0 ? *err : NULL);
	sp_confirm_free(confirm);
	if (rc < 0)
		return rc;
	return said < 0 ? said : (int) status;
}
