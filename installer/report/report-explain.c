/* SPDX-License-Identifier: MIT */
/* explain as text and as JSON; markdown-explain.c has the page. */
#include "report/internal.h"

/* "key=value" of a setting, or what is known of it; owned, NULL: it is none. */
char *sp_explained_value(const struct sp_explained *e)
{
	if (!e->destination)
		return NULL;
	if (!e->key || !e->value)
		return sp_xstrdup("not known here");
	return sp_xasprintf("%s=%s", e->key, e->value);
}

static char *doubts_text(const struct sp_strv *doubts)
{
	struct sp_buf b = { 0 };

	if (doubts->n == 0)
		return NULL;
	for (size_t i = 0; i < doubts->n; i++)
		sp_buf_addf(&b, "%s- %s", i ? "\n" : "", doubts->v[i]);
	return sp_buf_steal(&b);
}

static char *proofs_text(const struct sp_explained *e)
{
	struct sp_buf b = { 0 };

	if (e->n_proofs == 0)
		return sp_xstrdup("verify does not look at it");
	for (size_t i = 0; i < e->n_proofs; i++)
		sp_buf_addf(&b, "%s%s: %s", i ? "\n" : "", sp_layer_name(e->proofs[i].layer), e->proofs[i].how);
	return sp_buf_steal(&b);
}

static void put_one(struct sp_report *r, const struct sp_explained *e)
{
	const struct sp_log *log = e->log->date && !e->follows ? e->log : NULL;
	sp_autofree char *value = sp_explained_value(e);
	struct sp_pair pairs[] = {
		{ "value here", value ? sp_xasprintf("%s (%s)", value, e->destination) : NULL },
		{ "state", sp_xasprintf("%s: %s", e->state, e->reason ? e->reason : "no reason given") },
		{ "log", e->follows ? sp_xasprintf("see %s", e->follows)
			 : log	    ? NULL
				    : sp_xstrdup("nothing is recorded") },
		{ "date", log ? sp_xstrdup(log->date) : NULL },
		{ "change", log ? sp_xstrdup(log->change) : NULL },
		{ "evidence", log ? sp_xstrdup(log->evidence) : NULL },
		{ "verdict", log ? sp_xstrdup(sp_verdict_name(log->verdict)) : NULL },
		{ "doubts", log ? doubts_text(&log->doubts) : NULL },
		{ "trade-off", log ? sp_xstrdup(log->tradeoff) : NULL },
		{ "verified", proofs_text(e) },
		{ "undo", sp_xstrdup(e->undo) },
	};

	sp_heading(r, e->id);
	sp_paragraph(r, "", 2, e->summary);
	sp_pairs_print(r, pairs, SP_ELEMENTS(pairs));
}

/* What the other columns leave for the value, with two blanks between columns. */
static size_t value_width(const struct sp_report *r, const struct sp_explain *x)
{
	size_t id = 0, verdict = 0, state = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct sp_explained *e = &x->v[i];
		const size_t v = strlen(sp_verdict_name(e->log->verdict));

		id = strlen(e->id) > id ? strlen(e->id) : id;
		verdict = v > verdict ? v : verdict;
		state = strlen(e->state) > state ? strlen(e->state) : state;
	}
	const size_t used = 2 + id + 2 + verdict + 2 + state + 2;
	return r->width > used + 10 ? r->width - used : 10;
}

/* What there is, before it comes one by one. */
static void put_overview(struct sp_report *r, const struct sp_explain *x)
{
	static const struct sp_column columns[] = { { "ID", 0 }, { "VERDICT", 0 }, { "STATE", 0 }, { "VALUE HERE", 0 } };
	sp_autotable struct libscols_table *table = sp_table_new(r, columns, SP_ELEMENTS(columns));

	const size_t width = value_width(r, x);

	sp_heading(r, "The optimization log");
	for (size_t i = 0; i < x->n; i++) {
		const struct sp_explained *e = &x->v[i];
		sp_autofree char *value = sp_explained_value(e);
		sp_autofree char *safe = sp_text_safe(r, value ? value : "-"), *folded = sp_text_fold(safe, width, true);
		const char *cells[] = { e->id, sp_verdict_name(e->log->verdict), e->state, folded };

		folded[strcspn(folded, "\n")] = '\0'; /* the rest stands below */
		(void) sp_table_row(table, NULL, cells, SP_ELEMENTS(cells));
	}
	sp_table_print(r, table);
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

static json_t *proofs_json(const struct sp_explained *e)
{
	json_t *array = json_array();

	for (size_t i = 0; i < e->n_proofs; i++) {
		json_t *o = json_object();

		sp_json_put(o, "layer", sp_json_text(sp_layer_name(e->proofs[i].layer)));
		sp_json_put(o, "how", sp_json_text(e->proofs[i].how));
		(void) json_array_append_new(array, o);
	}
	return array;
}

static json_t *one_json(const struct sp_explained *e)
{
	const struct sp_log *log = e->log;
	json_t *o = json_object();

	sp_json_put(o, "id", sp_json_text(e->id));
	sp_json_put(o, "destination", sp_json_text(e->destination));
	sp_json_put(o, "key", sp_json_text(e->key));
	sp_json_put(o, "value", sp_json_text(e->value));
	sp_json_put(o, "state", sp_json_text(e->state));
	sp_json_put(o, "reason", sp_json_text(e->reason));
	sp_json_put(o, "summary", sp_json_text(e->summary));
	sp_json_put(o, "follows", sp_json_text(e->follows));
	sp_json_put(o, "date", sp_json_text(log->date));
	sp_json_put(o, "change", sp_json_text(log->change));
	sp_json_put(o, "evidence", sp_json_text(log->evidence));
	sp_json_put(o, "verdict", sp_json_text(sp_verdict_name(log->verdict)));
	sp_json_put(o, "doubts", sp_json_strv(&log->doubts));
	sp_json_put(o, "tradeoff", sp_json_text(log->tradeoff));
	sp_json_put(o, "verified", proofs_json(e));
	sp_json_put(o, "undo", sp_json_text(e->undo));
	return o;
}

static int explain_json(struct sp_report *r, const struct sp_explain *x)
{
	json_t *object = sp_json_open(r, SP_EXIT_OK, &x->warnings), *array = json_array();

	for (size_t i = 0; i < x->n; i++)
		(void) json_array_append_new(array, one_json(&x->v[i]));
	sp_json_put(object, "entries", array);
	return sp_json_print(r, object);
}

int sp_report_explain(struct sp_report *r, const struct sp_explain *x, bool whole, bool markdown)
{
	if (r->json)
		return explain_json(r, x);
	if (markdown) {
		sp_explain_markdown(r, x, whole);
		return 0;
	}
	if (whole)
		put_overview(r, x);
	for (size_t i = 0; i < x->n; i++)
		put_one(r, &x->v[i]);
	sp_report_warnings(r, &x->warnings);
	return 0;
}
