/* SPDX-License-Identifier: MIT */
/* apply, rollback and recover: what a transaction did. */
#include "report/internal.h"

static json_t *all_warnings(const struct sp_plan *plan, const struct sp_result *res)
{
	json_t *array = plan ? sp_json_strv(&plan->warnings) : json_array(), *more = sp_json_strv(&res->warnings);

	if (json_array_extend(array, more) < 0)
		abort(); /* out of memory */
	json_decref(more);
	return array;
}

static void put_result(json_t *object, const struct sp_result *res)
{
	sp_json_put(object, "transaction", res->txn ? json_integer((json_int_t) res->txn) : json_null());
	sp_json_put(object, "changed", json_boolean(res->changed));
	sp_json_put(object, "reboot_required", json_boolean(res->reboot_required));
	sp_json_put(object, "trial", sp_json_text(res->trial));
	sp_json_put(object, "recovered", sp_json_strv(&res->recovered));
	sp_json_put(object, "firmware_left", sp_json_text(res->firmware));
}

/* The object of rollback and recover. */
static int result_json(struct sp_report *r, const struct sp_result *res, enum sp_exit status,
		       const struct sp_error *error)
{
	json_t *object = sp_json_open(r, status, &res->warnings);

	put_result(object, res);
	sp_json_put(object, "restored", sp_json_strv(&res->restored));
	sp_json_put(object, "conflicts", sp_json_strv(&res->conflicts));
	sp_json_put(object, "initramfs", sp_json_images(&res->images));
	sp_json_put(object, "actions", sp_json_strv(&res->actions));
	sp_json_error(object, error);
	return sp_json_print(r, object);
}

static int apply_json(struct sp_report *r, const struct sp_plan *p, const struct sp_result *res, enum sp_exit status,
		      const struct sp_error *error)
{
	json_t *object = sp_json_open(r, status, NULL);

	sp_json_put(object, "warnings", all_warnings(p, res));
	if (p)
		sp_json_plan(object, p);
	put_result(object, res);
	sp_json_error(object, error);
	return sp_json_print(r, object);
}

int sp_report_first_boot(struct sp_report *r, bool left)
{
	const char *text = left ? "Left to the first boot of this tree, which computes its own sizes." : "Nothing was left to this boot.";
	const struct sp_result nothing = { .changed = left };

	if (!r->json) {
		if (!r->quiet)
			sp_print(r, "%s\n", text);
		return 0;
	}
	json_t *object = sp_json_open(r, SP_EXIT_OK, NULL);
	put_result(object, &nothing);
	sp_json_put(object, "first_boot", json_boolean(left));
	return sp_json_print(r, object);
}

static void put_next_step(struct sp_report *r, bool reboot, const char *why)
{
	sp_autofree char *text = reboot ? sp_xasprintf("Next: reboot, then run `%s verify`.", r->program)
					: sp_xasprintf("%s needs a reboot. Check with `%s verify`.", why, r->program);

	sp_paragraph(r, "", 0, text);
}

/* Settings that are wanted and not in force, and that apply cannot help. */
static size_t count_unmet(const struct sp_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_decisions; i++)
		n += p->decisions[i].state != SP_DECIDE_CHANGE && p->decisions[i].state != SP_DECIDE_OK;
	return n;
}

static void put_trial(struct sp_report *r, const struct sp_result *res)
{
	sp_autofree char *entry = sp_xasprintf("Trial %ju: '%s' is in the boot menu, and is started once, at the next start. Nothing "
					       "else is changed: if it does not come up, switch the machine off and on, and it "
					       "starts as before.", (uintmax_t) res->txn, res->trial);
	sp_autofree char *next = sp_xasprintf("Next: reboot, then run `%s confirm`, which makes it permanent if it is good.",
					      r->program);

	sp_gap(r);
	sp_paragraph(r, "", 0, entry);
	sp_paragraph(r, "", 0, next);
}

static void put_applied(struct sp_report *r, const struct sp_plan *p, const struct sp_result *res)
{
	size_t n = sp_plan_changes(p), unmet = count_unmet(p);

	sp_gap(r);
	if (res->txn && p->gate.write) {
		sp_autofree char *size = sp_text_mib(p->gate.write->mib);
		sp_print(r, "The firmware's carve-out is %s from the next start on.\n", size);
	}
	if (res->txn)
		sp_print(r, "Applied as transaction %ju: %zu %s written and read back.\n", (uintmax_t) res->txn, n,
			 n == 1 ? "file" : "files");
	else
		sp_print(r, "Nothing to change: everything is already as planned.\n");
	if (unmet)
		sp_print(r, "Skipped, shadowed or blocked: %zu %s; `%s plan` says why.\n", unmet,
			 unmet == 1 ? "setting" : "settings", r->program);
	if (res->txn)
		put_next_step(r, res->reboot_required, "Nothing of this");
}

int sp_report_apply(struct sp_report *r, const struct sp_plan *p, const struct sp_result *res, enum sp_exit status,
		    const struct sp_error *error)
{
	if (r->json)
		return apply_json(r, p, res, status, error);
	if (!r->quiet)
		sp_section(r, "Recovered first", &res->recovered);
	if (!error && (r->quiet || !p->pending)) { /* there was no preview that said it */
		sp_report_warnings(r, &p->warnings);
		sp_report_firmware(r, p);
	}
	sp_report_warnings(r, &res->warnings);
	if (!error && !r->quiet && res->trial)
		put_trial(r, res);
	else if (!error && !r->quiet)
		put_applied(r, p, res);
	if (!error && !r->quiet && status == SP_EXIT_FIRMWARE)
		sp_paragraph(r, "", 0, "The firmware's carve-out still needs you: see \"Firmware\" above.");
	return 0;
}

int sp_report_rollback(struct sp_report *r, const struct sp_result *res, enum sp_exit status,
		       const struct sp_error *error)
{
	if (r->json)
		return result_json(r, res, status, error);
	if (!r->quiet)
		sp_section(r, "Recovered first", &res->recovered);
	sp_report_warnings(r, &res->warnings);
	sp_section(r, error ? "Changed by hand since; nothing was touched" : "Left as they are: changed by hand since",
		   &res->conflicts);
	if (error || r->quiet)
		return 0;
	sp_section(r, "Restored", &res->restored);
	sp_section(r, "Left to do", &res->actions);
	sp_gap(r);
	sp_print(r, "Rolled back as transaction %ju: %zu %s restored.\n", (uintmax_t) res->txn, res->restored.n,
		 res->restored.n == 1 ? "item" : "items");
	put_next_step(r, res->reboot_required, "Nothing of this");
	return 0;
}

int sp_report_recover(struct sp_report *r, const struct sp_result *res, enum sp_exit status,
		      const struct sp_error *error)
{
	if (r->json)
		return result_json(r, res, status, error);
	sp_section(r, "Recovered", &res->recovered);
	sp_report_warnings(r, &res->warnings);
	if (res->firmware) {
		sp_heading(r, "Firmware");
		sp_paragraph(r, "", 2, res->firmware);
	}
	if (!error && !r->quiet && res->recovered.n == 0)
		sp_print(r, "Nothing to recover: no transaction was interrupted.\n");
	return 0;
}
