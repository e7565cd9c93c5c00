/* SPDX-License-Identifier: MIT */
/* recover -> plan -> may it be done? -> show -> ask -> carry out -> report. */
#include <errno.h>

#include "cmd/cmd.h"

static char *question(const struct sp_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->edits.n; i++)
		n += plan->edits.v[i].op != SP_OP_KEEP;
	sp_autofree char *size = sp_uma_argument(plan->gate.carve_out_mib);
	sp_autofree char *firmware = plan->gate.write ? sp_xasprintf("Set the firmware's carve-out to %s, and write", size)
						      : sp_xstrdup("Write");
	if (n == 0 && !plan->gate.write)
		return sp_xstrdup("Record this selection? No file changes.");
	return sp_xasprintf("%s %zu %s (profile %s, %ju MiB for the GPU)?", firmware, n, n == 1 ? "file" : "files",
			    plan->profile ? plan->profile->name : "none",
			    (uintmax_t) (plan->has_sizes ? plan->sizes.gtt_mib : 0));
}

/* What is nearest is proposed to who can be asked; then that was asked for. */
static int make_plan(const struct sp_call *call, struct sp_plan **plan, struct sp_error **err)
{
	struct sp_selection *chosen = &call->session->selection;
	int rc = sp_plan_make(call->session, plan, err);

	if (rc < 0 || !sp_consent_propose(call, &(*plan)->gate, &chosen->uma_mib))
		return rc;
	chosen->uma = (*plan)->selection.uma;
	chosen->given = true;
	sp_plan_free(sp_steal(*plan));
	return sp_plan_make(call->session, plan, err);
}

/* Leaves what happened in *plan, *res and *err; the report is made of these, whatever went wrong. */
static int carry_out(const struct sp_call *call, struct sp_plan **plan, struct sp_result *res, struct sp_error **err)
{
	int rc = sp_consent_settle(call, res, err);

	if (rc == 0)
		rc = make_plan(call, plan, err);
	if (rc == 0)
		rc = sp_plan_refusal(*plan, err);
	if (rc < 0)
		return rc;
	rc = sp_report_preview(call->report, *plan);
	if (rc < 0 || !(*plan)->pending)
		return rc;
	sp_autofree char *text = call->cli->trial ? sp_xstrdup("Add an entry with the new boot arguments, for the next start alone?")
						  : question(*plan);
	rc = sp_consent_ask(call, text, err);
	if (rc < 0)
		return rc;
	return (call->cli->trial ? sp_trial_begin : sp_apply)(call->session, *plan, res, err);
}

static int apply_now(const struct sp_call *call, struct sp_error **err)
{
	sp_autoresult struct sp_result res = { 0 };
	struct sp_asker asker = { .call = call };
	struct sp_plan *plan = NULL;
	int rc = sp_check_reboot_option(call, err), said;

	sp_password_offer(&asker);
	call->session->looks_into_images = !call->cli->trial;
	call->session->in_hook = call->cli->in_hook;
	if (rc == 0)
		rc = carry_out(call, &plan, &res, err);
	enum sp_exit status = sp_cmd_exit(rc, *err);
	if (rc == 0 && plan->firmware_gate)
		status = SP_EXIT_FIRMWARE;
	if (rc == 0)
		status = sp_restart(call, &res, &plan->gate, status);
	if (rc == 0 && res.unfinished)
		status = SP_EXIT_RECOVER;
	said = sp_report_apply(call->report, plan, &res, status, rc < 0 ? *err : NULL);
	sp_plan_free(plan);
	if (rc < 0)
		return rc;
	return said < 0 ? said : (int) status;
}

/* --- the first boot ------------------------------------------------------------------------------------------------ */

static int check_options(const struct sp_call *call, struct sp_error **err)
{
	const struct sp_cli *cli = call->cli;
	const char *other = cli->trial ? "trial" : cli->first_boot && cli->requested ? "requested"
			  : cli->first_boot && cli->reboot ? "reboot" : NULL;

	if (!other || !(cli->first_boot || cli->requested))
		return 0;
	(void) sp_error_set(err, -EINVAL, "'--%s' and '--%s' do not go together", cli->first_boot ? "first-boot" : "requested", other);
	return sp_error_exit(err, SP_EXIT_USAGE);
}

static int leave_to_first_boot(const struct sp_call *call, struct sp_error **err)
{
	int rc = sp_request_leave(call->session, err);

	return rc < 0 ? rc : sp_report_first_boot(call->report, true);
}

/* What was asked for there counts as if it stood on this command line. It is done also where nothing had to change. */
static int apply_requested(const struct sp_call *call, struct sp_error **err)
{
	sp_autorequest struct sp_request request = { 0 };
	int rc = sp_request_read(call->session, &request, err);

	if (rc < 0)
		return rc;
	if (!request.there)
		return sp_report_first_boot(call->report, false);
	if (request.selection.given) {
		sp_selection_clear(&call->session->selection);
		sp_selection_copy(&call->session->selection, &request.selection);
	}
	rc = apply_now(call, err);
	if (rc < 0 || rc == SP_EXIT_RECOVER)
		return rc;
	int done = sp_request_done(call->session, err);
	return done < 0 ? done : rc;
}

int sp_cmd_apply(const struct sp_call *call, struct sp_error **err)
{
	int rc = check_options(call, err);

	if (rc < 0)
		return rc;
	if (call->cli->first_boot)
		return leave_to_first_boot(call, err);
	return call->cli->requested ? apply_requested(call, err) : apply_now(call, err);
}
