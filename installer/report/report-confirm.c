/* SPDX-License-Identifier: MIT */
/* confirm: what became of a trial. */
#include "report/internal.h"

static json_t *checks_of(const struct sp_confirm *c)
{
	return c && c->verify ? sp_json_checks(c->verify) : json_array();
}

static int confirm_json(struct sp_report *r, const struct sp_confirm *c, enum sp_exit status, const struct sp_error *error)
{
	json_t *object = sp_json_open(r, status, c ? &c->result.warnings : NULL);

	sp_json_put(object, "trial", c && c->trial ? json_integer((json_int_t) c->trial) : json_null());
	sp_json_put(object, "state", sp_json_text(c ? sp_trial_state_name(c->state) : NULL));
	sp_json_put(object, "transaction", c && c->result.txn ? json_integer((json_int_t) c->result.txn) : json_null());
	sp_json_put(object, "checks", checks_of(c));
	sp_json_put(object, "sentence", sp_json_text(c ? c->sentence : NULL));
	sp_json_error(object, error);
	return sp_json_print(r, object);
}

int sp_report_confirm(struct sp_report *r, const struct sp_confirm *c, enum sp_exit status, const struct sp_error *error)
{
	if (r->json)
		return confirm_json(r, c, status, error);
	if (!c)
		return 0;
	if (!r->quiet)
		sp_section(r, "Recovered first", &c->result.recovered);
	if (!r->quiet && c->verify)
		sp_report_checks(r, c->verify);
	sp_report_warnings(r, &c->result.warnings);
	if (!c->sentence)
		return 0;
	sp_gap(r);
	sp_paragraph(r, "", 0, c->sentence);
	return 0;
}
