/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cmd/cmd.h"

int sp_cmd_explain(const struct sp_call *call, struct sp_error **err)
{
	const char *id = call->cli->n_args ? call->cli->args[0] : NULL;
	struct sp_explain *x = NULL;

	if (call->cli->markdown && call->cli->json) {
		(void) sp_error_set(err, -EINVAL, "--markdown and --json contradict each other");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	int rc = sp_explain(call->session, id, &x, err);
	if (rc == 0)
		rc = sp_report_explain(call->report, x, !id, call->cli->markdown);
	sp_explain_free(x);
	return rc;
}
