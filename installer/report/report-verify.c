/* SPDX-License-Identifier: MIT */
/* verify: a row for each setting, a column for each layer, and below a row what is wrong with it. */
#include "report/internal.h"

#define LAYERS (SP_LAYER_EFFECT + 1)

static const struct {
	int weight; /* the heaviest of several checks is shown */
	const char *word;
	enum sp_paint paint;
} results[] = {
	[SP_CHECK_OK] = { 0, "ok", SP_GREEN },
	[SP_CHECK_SKIPPED] = { 1, "skipped", SP_CYAN },
	[SP_CHECK_PENDING] = { 2, "reboot", SP_YELLOW },
	[SP_CHECK_FAIL] = { 3, "FAIL", SP_RED },
};

/* The checks of one setting, as positions in the list; they need not stand together. */
struct group {
	const char *id;
	int worst[LAYERS]; /* an sp_check_result, -1: no check */
};

static size_t group_checks(const struct sp_verify *v, struct group *groups)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_checks; i++) {
		const struct sp_check *c = &v->checks[i];
		size_t g = 0;

		while (g < n && !sp_streq(groups[g].id, c->id))
			g++;
		if (g == n) {
			groups[n++].id = c->id;
			for (size_t l = 0; l < LAYERS; l++)
				groups[g].worst[l] = -1;
		}
		int *worst = &groups[g].worst[c->layer];
		if (*worst < 0 || results[c->result].weight > results[*worst].weight)
			*worst = (int) c->result;
	}
	return n;
}

static char *check_text(const struct sp_check *c)
{
	const char *expected = c->expected ? c->expected : "nothing",
		   *reason = c->reason ? c->reason : "no reason given";

	switch (c->result) {
	case SP_CHECK_OK:
		return sp_xasprintf("ok: %s", expected);
	case SP_CHECK_PENDING:
		return sp_xasprintf("after the reboot: %s", expected);
	case SP_CHECK_SKIPPED:
		return sp_xasprintf("not checked: %s", reason);
	case SP_CHECK_FAIL:
		break;
	}
	return sp_xasprintf("expected %s, found %s: %s", expected, c->actual ? c->actual : "nothing", reason);
}

static void put_check(struct sp_report *r, const struct sp_check *c)
{
	sp_autofree char *first = sp_xasprintf("    %s:", sp_layer_name(c->layer)), *text = check_text(c);

	sp_paragraph(r, first, 13, text);
}

static void put_reasons(struct sp_report *r, const struct sp_verify *v, const char *id)
{
	for (size_t i = 0; i < v->n_checks; i++) {
		const struct sp_check *c = &v->checks[i];
		bool wanted = r->verbose || c->result == SP_CHECK_FAIL || c->result == SP_CHECK_SKIPPED;

		if (wanted && sp_streq(c->id, id))
			put_check(r, c);
	}
}

static void add_row(struct libscols_table *table, const struct group *g)
{
	const char *cells[LAYERS + 1] = { g->id };
	struct libscols_line *row;

	for (size_t l = 0; l < LAYERS; l++)
		cells[l + 1] = g->worst[l] < 0 ? "-" : results[g->worst[l]].word;
	row = sp_table_row(table, NULL, cells, SP_ELEMENTS(cells));
	for (size_t l = 0; l < LAYERS; l++)
		sp_table_paint(row, l + 1, g->worst[l] < 0 ? SP_DIM : results[g->worst[l]].paint);
}

static void put_table(struct sp_report *r, const struct sp_verify *v)
{
	static const struct sp_column columns[LAYERS + 1] = {
		{ "SETTING", 0 }, { "DISK", 0 }, { "ENTRY", 0 }, { "CMDLINE", 0 }, { "LIVE", 0 }, { "EFFECT", 0 },
	};
	sp_autotable struct libscols_table *table = sp_table_new(r, columns, SP_ELEMENTS(columns));
	sp_autofree struct group *groups = sp_xcalloc(v->n_checks, sizeof(*groups));
	size_t n = group_checks(v, groups);

	for (size_t i = 0; i < n; i++)
		add_row(table, &groups[i]);
	sp_autofree char *text = sp_table_text(table);
	char *rest = text;
	sp_table_print_lines(r, &rest, 1);
	for (size_t i = 0; i < n; i++) {
		sp_table_print_lines(r, &rest, 1);
		put_reasons(r, v, groups[i].id);
	}
}

static const char *overall(const struct sp_verify *v)
{
	if (v->status == SP_EXIT_OK)
		return "ok";
	return v->status == SP_EXIT_REBOOT ? "pending-reboot" : "fail";
}

json_t *sp_json_checks(const struct sp_verify *v)
{
	json_t *array = json_array();

	for (size_t i = 0; i < v->n_checks; i++) {
		const struct sp_check *c = &v->checks[i];
		json_t *o = json_object();

		sp_json_put(o, "id", sp_json_text(c->id));
		sp_json_put(o, "layer", sp_json_text(sp_layer_name(c->layer)));
		sp_json_put(o, "expected", sp_json_text(c->expected));
		sp_json_put(o, "actual", sp_json_text(c->actual));
		sp_json_put(o, "result", sp_json_text(sp_check_result_name(c->result)));
		sp_json_put(o, "reason", sp_json_text(c->reason));
		(void) json_array_append_new(array, o);
	}
	return array;
}

static int verify_json(struct sp_report *r, const struct sp_verify *v)
{
	json_t *object = sp_json_open(r, v->status, &v->warnings);

	sp_json_put(object, "advisories", sp_json_advisories(&v->advisories));
	sp_json_put(object, "transaction", v->txn ? json_integer((json_int_t) v->txn) : json_null());
	sp_json_put(object, "never_applied", json_boolean(v->never_applied));
	sp_json_put(object, "rolled_back", json_boolean(v->rolled_back));
	sp_json_put(object, "checks", sp_json_checks(v));
	sp_json_put(object, "result", sp_json_text(overall(v)));
	sp_json_put(object, "initramfs", sp_json_images(&v->images));
	sp_json_put(object, "firmware", sp_json_text(v->firmware));
	sp_json_put(object, "sentence", sp_json_text(v->sentence));
	return sp_json_print(r, object);
}

void sp_report_checks(struct sp_report *r, const struct sp_verify *v)
{
	if (!v->n_checks)
		return;
	sp_paint(r, SP_BOLD, "Checks");
	if (v->txn)
		sp_print(r, v->rolled_back ? " that transaction %ju is gone" : " against transaction %ju", (uintmax_t) v->txn);
	sp_print(r, "\n");
	put_table(r, v);
}

int sp_report_verify(struct sp_report *r, const struct sp_verify *v)
{
	if (r->json)
		return verify_json(r, v);
	if (!r->quiet && v->n_checks) {
		sp_report_checks(r, v);
		sp_memory_picture(r, v->facts, v->gtt_mib, 0, v->gtt_mib ? "after the reboot" : NULL);
	}
	sp_report_warnings(r, &v->warnings);
	if (!r->quiet)
		sp_report_advisories(r, &v->advisories, false);
	if (v->firmware) {
		sp_heading(r, "Firmware");
		sp_paragraph(r, "", 2, v->firmware);
	}
	sp_gap(r);
	sp_paragraph(r, "", 0, v->sentence ? v->sentence : overall(v));
	return 0;
}
