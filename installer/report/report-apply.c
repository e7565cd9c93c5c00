/* SPDX-License-Identifier: MIT */
/* apply, rollback and recover: what a transaction did. */
#include "report/internal.h"

json_t *sp_json_warnings(const struct sp_plan *plan, const struct sp_result *res)
{
	json_t *array = plan ? sp_json_strv(&plan->warnings) : json_array();

	if (res) {
		json_t *more = sp_json_strv(&res->warnings);

		(void) json_array_extend(array, more);
		json_decref(more);
	}
	return array;
}

static void put_result(json_t *object, const struct sp_result *res)
{
	sp_json_put(object, "transaction", res && res->txn ? json_integer((json_int_t) res->txn) : json_null());
	sp_json_put(object, "changed", json_boolean(res && res->changed));
	sp_json_put(object, "reboot_required", json_boolean(res && res->reboot_required));
	sp_json_put(object, "recovered", res ? sp_json_strv(&res->recovered) : json_array());
}

/* The object of rollback and recover. */
static int result_json(struct sp_report *r, const struct sp_result *res, enum sp_exit status,
		       const struct sp_error *error)
{
	json_t *object = sp_json_open(r, status, res ? &res->warnings : NULL);

	put_result(object, res);
	sp_json_put(object, "restored", res ? sp_json_strv(&res->restored) : json_array());
	sp_json_put(object, "conflicts", res ? sp_json_strv(&res->conflicts) : json_array());
	sp_json_error(object, error);
	return sp_json_print(r, object);
}

static int apply_json(struct sp_report *r, const struct sp_plan *p, const struct sp_result *res, enum sp_exit status,
		      const struct sp_error *error)
{
	json_t *object = sp_json_open(r, status, NULL);

	sp_json_put(object, "warnings", sp_json_warnings(p, res));
	if (p)
		sp_json_plan(object, p);
	put_result(object, res);
	sp_json_error(object, error);
	return sp_json_print(r, object);
}

static void put_next_step(struct sp_report *r, bool reboot, const char *why)
{
	sp_autofree char *text =
		reboot ? sp_xasprintf("Next: reboot, then run `%s verify`.", r->program)
		       : sp_xasprintf("%s needs a reboot. Check with `%s verify`.", why, r->program);

	sp_paragraph(r, "", 0, text);
}

int sp_report_apply(struct sp_report *r, const struct sp_plan *p, const struct sp_result *res, enum sp_exit status,
		    const struct sp_error *error)
{
	if (r->json)
		return apply_json(r, p, res, status, error);
	if (res && !r->quiet)
		sp_section(r, "Recovered first", &res->recovered);
	if (res)
		sp_report_warnings(r, &res->warnings);
	if (error)
		return 0;
	if (!r->quiet && res) {
		size_t n = p ? sp_plan_changes(p) : 0;

		sp_print(r, "\n");
		if (res->changed)
			sp_print(r, "Applied as transaction %ju: %zu %s written and read back.\n", (uintmax_t) res->txn, n,
				 n == 1 ? "file" : "files");
		else
			sp_print(r, "Nothing to change: everything is already as planned.\n");
		if (res->changed || res->reboot_required)
			put_next_step(r, res->reboot_required, "Nothing of this");
	}
	if (status == SP_EXIT_FIRMWARE && p && p->firmware_text && r->quiet)
		sp_paragraph(r, "", 0, p->firmware_text);
	else if (status == SP_EXIT_FIRMWARE && !r->quiet)
		sp_paragraph(r, "", 0, "The firmware's carve-out still needs you: see \"Firmware\" above.");
	return 0;
}

int sp_report_rollback(struct sp_report *r, const struct sp_result *res, enum sp_exit status,
		       const struct sp_error *error)
{
	if (r->json)
		return result_json(r, res, status, error);
	if (!res)
		return 0;
	if (!r->quiet)
		sp_section(r, "Recovered first", &res->recovered);
	sp_report_warnings(r, &res->warnings);
	sp_section(r, error ? "Changed by hand since; nothing was touched" : "Left as they are: changed by hand since",
		   &res->conflicts);
	if (error || r->quiet)
		return 0;
	sp_section(r, "Restored", &res->restored);
	sp_print(r, "\nRolled back as transaction %ju: %zu %s restored.\n", (uintmax_t) res->txn, res->restored.n,
		 res->restored.n == 1 ? "file" : "files");
	put_next_step(r, res->reboot_required, "Nothing of this");
	return 0;
}

int sp_report_recover(struct sp_report *r, const struct sp_result *res, enum sp_exit status,
		      const struct sp_error *error)
{
	if (r->json)
		return result_json(r, res, status, error);
	if (!res)
		return 0;
	sp_section(r, "Recovered", &res->recovered);
	sp_report_warnings(r, &res->warnings);
	if (!error && !r->quiet && res->recovered.n == 0)
		sp_print(r, "Nothing to recover: no transaction was interrupted.\n");
	return 0;
}
