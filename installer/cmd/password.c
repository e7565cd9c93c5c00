/* SPDX-License-Identifier: MIT */
/* Where the firmware's password comes from: a descriptor that was named, or the terminal; never arguments or environment. */
#include <errno.h>

#include "cmd/cmd.h"

static int from_descriptor(const struct sp_cli *cli, struct sp_secret *ret, struct sp_error **err)
{
	int rc = sp_secret_read(cli->password_fd, ret, err);

	return rc < 0 ? sp_error_wrap(err, "option '--password-fd'") : 0;
}

static int ask(void *data, struct sp_secret *ret, struct sp_error **err)
{
	const struct sp_asker *asker = data;
	const struct sp_call *call = asker->call;

	if (call->cli->has_password_fd)
		return from_descriptor(call->cli, ret, err);
	return sp_report_ask_secret(call->report, "Administrator password of the firmware: ", ret, err);
}

void sp_password_offer(struct sp_asker *asker)
{
	asker->call->session->password = ask;
	asker->call->session->password_data = asker;
}
