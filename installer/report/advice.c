/* SPDX-License-Identifier: MIT */
/* Advisories: read-only warnings about the machine. */
#include "report/internal.h"

json_t *sp_json_advisories(const struct sp_advices *a)
{
	json_t *array = json_array();

	for (size_t i = 0; i < a->n; i++) {
		json_t *o = json_object();

		sp_json_put(o, "id", sp_json_text(a->v[i].id));
		sp_json_put(o, "text", sp_json_text(a->v[i].text));
		sp_json_put(o, "evidence", sp_json_text(a->v[i].evidence));
		if (json_array_append_new(array, o) < 0)
			abort();
	}
	return array;
}

void sp_report_advisories(struct sp_report *r, const struct sp_advices *a, bool evidence)
{
	if (a->n == 0)
		return;
	sp_heading(r, "Advice (nothing of it is changed or needed for what is above)");
	for (size_t i = 0; i < a->n; i++) {
		sp_autofree char *text = sp_xasprintf("%s: %s", a->v[i].id, a->v[i].text);

		sp_paragraph(r, "  -", 4, text);
		sp_report_log(r, "advice: %s", text);
		if (evidence || r->verbose) {
			sp_autofree char *why = sp_xasprintf("evidence: %s", a->v[i].evidence);
			sp_paragraph(r, "", 4, why);
		}
	}
}
