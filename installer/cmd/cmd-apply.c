/* SPDX-License-Identifier: MIT */
/* recover -> plan -> may it be done? -> show -> ask -> carry out -> report. */
#include <errno.h>

#include "cmd/cmd.h"

static int check_reboot_option(const struct sp_call *call, struct sp_error **err)
{
	if (!call->cli->reboot || call->session->live)
		return 0;
	(void) sp_error_set(err, -EINVAL,
			    "--reboot is for the running system, not for another root and not for a chroot");
	(void) sp_error_hint(err, "leave --reboot out");
	return sp_error_exit(err, SP_EXIT_USAGE);
}

static char *question(const struct sp_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->edits.n; i++)
		n += plan->edits.v[i].op != SP_OP_KEEP;
	if (n == 0)
		return sp_xstrdup("Record this selection? No file changes.");
	return sp_xasprintf("Write %zu %s (profile %s, %ju MiB for the GPU)?", n, n == 1 ? "file" : "files",
			    plan->profile ? plan->profile->name : "none",
			    (uintmax_t) (plan->has_sizes ? plan->sizes.gtt_mib : 0));
}

/* Leaves what happened in *plan, *res and *err; the report is made of these, whatever went wrong. */
static int carry_out(const struct sp_call *call, struct sp_plan **plan, struct sp_result *res, struct sp_error **err)
{
	int rc = sp_consent_settle(call, res, err);

	if (rc == 0)
		rc = sp_plan_make(call->session, plan, err);
	if (rc == 0)
		rc = sp_plan_refusal(*plan, err);
	if (rc < 0)
		return rc;
	rc = sp_report_preview(call->report, *plan);
	if (rc < 0 || !(*plan)->pending)
		return rc;
	sp_autofree char *text = question(*plan);
	rc = sp_consent_ask(call, text, err);
	return rc < 0 ? rc : sp_apply(call->session, *plan, res, err);
}

/* Whether this run or an earlier one left something that takes effect at the next boot only. */
static bool reboot_needed(const struct sp_call *call, const struct sp_result *res)
{
	sp_autoerror struct sp_error *ignored = NULL;
	struct sp_status *st = NULL;
	bool pending = res->reboot_required;

	if (sp_status_read(call->session, &st, &ignored) == 0)
		pending = pending || st->reboot_pending;
	sp_status_free(st);
	return pending;
}

/* A restart that fails leaves everything applied: a warning, and the status of a pending reboot. */
static enum sp_exit restart(const struct sp_call *call, struct sp_result *res, enum sp_exit status)
{
	sp_autoerror struct sp_error *error = NULL;

	if (!call->cli->reboot || !reboot_needed(call, res))
		return status;
	if (sp_reboot(&error) == 0) {
		sp_report_note(call->report, "restarting the machine");
		return status;
	}
	sp_strv_addf(&res->warnings, "the machine was not restarted: %s", error->message);
	return status == SP_EXIT_OK ? SP_EXIT_REBOOT : status;
}

int sp_cmd_apply(const struct sp_call *call, struct sp_error **err)
{
	sp_autoresult struct sp_result res = { 0 };
	struct sp_plan *plan = NULL;
	int rc = check_reboot_option(call, err), said;

	if (rc == 0)
		rc = carry_out(call, &plan, &res, err);
	enum sp_exit status = sp_cmd_exit(rc, *err);
	if (rc == 0 && plan->firmware_gate)
		status = SP_EXIT_FIRMWARE;
	if (rc == 0)
		status = restart(call, &res, status);
	if (rc == 0 && res.unfinished)
		status = SP_EXIT_RECOVER;
	said = sp_report_apply(call->report, plan, &res, status, rc < 0 ? *err : NULL);
	sp_plan_free(plan);
	if (rc < 0)
		return rc;
	return said < 0 ? said : (int) status;
}
