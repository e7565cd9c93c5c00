/* SPDX-License-Identifier: MIT */
/* explain as a page in Markdown: for a wiki, or to keep beside the machine. */
#include "report/internal.h"

/* Prose: what Markdown or HTML would read as its own is escaped. Owned. */
static char *prose(const char *text)
{
	struct sp_buf b = { 0 };

	for (; *text; text++) {
		if (strchr("\\`*_[]<>#|~&", *text))
			sp_buf_adds(&b, "\\");
		sp_buf_add(&b, text, 1);
	}
	return sp_buf_steal(&b);
}

/*
 * Code between backticks, more of them than the text has in a row. In a table a '|' ends the cell even there, so it is
 * escaped, which GitHub's Markdown takes back.
 */
static char *code(const char *text)
{
	size_t longest = 0, run = 0;
	struct sp_buf b = { 0 };

	for (const char *s = text; *s; s++) {
		run = *s == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (size_t i = 0; i <= longest; i++)
		sp_buf_adds(&b, "`");
	sp_buf_adds(&b, longest ? " " : "");
	for (const char *s = text; *s; s++)
		sp_buf_addf(&b, "%s%c", *s == '|' ? "\\" : "", *s);
	sp_buf_adds(&b, longest ? " " : "");
	for (size_t i = 0; i <= longest; i++)
		sp_buf_adds(&b, "`");
	return sp_buf_steal(&b);
}

static char *value_code(const struct sp_explained *e)
{
	sp_autofree char *value = sp_explained_value(e);

	return value && e->value ? code(value) : sp_xstrdup(value ? value : "-");
}

static void item(struct sp_report *r, const char *label, const char *text)
{
	if (!text)
		return;
	sp_autofree char *safe = prose(text);
	sp_print(r, "- **%s:** %s\n", label, safe);
}

static void put_log(struct sp_report *r, const struct sp_log *log)
{
	item(r, "Date", log->date);
	item(r, "Change", log->change);
	item(r, "Evidence", log->evidence);
	item(r, "Verdict", sp_verdict_name(log->verdict));
	if (log->doubts.n)
		sp_print(r, "- **Doubts:**\n");
	for (size_t i = 0; i < log->doubts.n; i++) {
		sp_autofree char *doubt = prose(log->doubts.v[i]);
		sp_print(r, "  - %s\n", doubt);
	}
	item(r, "Trade-off", log->tradeoff);
}

static void put_one(struct sp_report *r, const struct sp_explained *e)
{
	sp_autofree char *summary = prose(e->summary), *value = value_code(e), *reason = prose(e->reason ? e->reason : "");

	sp_gap(r);
	sp_print(r, "## %s\n\n%s\n\n", e->id, summary);
	if (e->destination)
		sp_print(r, "- **Value here:** %s (%s)\n", value, e->destination);
	sp_print(r, "- **State:** %s: %s\n", e->state, reason);
	if (e->follows)
		sp_print(r, "- **Log:** see %s\n", e->follows);
	else if (e->log->date)
		put_log(r, e->log);
	if (e->n_proofs)
		sp_print(r, "- **Verified:**\n");
	for (size_t i = 0; i < e->n_proofs; i++) {
		sp_autofree char *how = prose(e->proofs[i].how);
		sp_print(r, "  - %s: %s\n", sp_layer_name(e->proofs[i].layer), how);
	}
	item(r, "Undo", e->undo);
}

static void put_head(struct sp_report *r, const struct sp_explain *x)
{
	const struct sp_plan *p = x->plan;
	sp_autofree char *machine = prose(p && p->platform ? p->platform->name : "not recognised");

	sp_print(r, "# The optimization log\n\nMachine: %s", machine);
	if (p && p->profile)
		sp_print(r, ", profile %s", p->profile->name);
	sp_print(r, ".\n\n| ID | Verdict | State | Value here |\n|---|---|---|---|\n");
	for (size_t i = 0; i < x->n; i++) {
		const struct sp_explained *e = &x->v[i];
		sp_autofree char *value = value_code(e);

		sp_print(r, "| [%s](#%s) | %s | %s | %s |\n", e->id, e->id, sp_verdict_name(e->log->verdict), e->state,
			 value);
	}
}

void sp_explain_markdown(struct sp_report *r, const struct sp_explain *x, bool whole)
{
	if (whole)
		put_head(r, x);
	for (size_t i = 0; i < x->n; i++)
		put_one(r, &x->v[i]);
	if (x->warnings.n)
		sp_print(r, "\n## Warnings\n\n");
	for (size_t i = 0; i < x->warnings.n; i++) {
		sp_autofree char *text = prose(x->warnings.v[i]);
		sp_print(r, "- %s\n", text);
	}
}
