/* SPDX-License-Identifier: MIT */
/* The plan for people: what it is for, each setting with its reason, each file with its diff, what comes next. */
#include "report/internal.h"

#define REASON_INDENT 12 /* below the setting's name */

static const struct {
	enum sp_paint paint;
} state_paints[] = {
	[SP_DECIDE_CHANGE] = { SP_GREEN },    [SP_DECIDE_OK] = { SP_PLAIN },	[SP_DECIDE_SKIPPED] = { SP_DIM },
	[SP_DECIDE_SHADOWED] = { SP_YELLOW }, [SP_DECIDE_BLOCKED] = { SP_RED },
};

static char *kernel_text(const struct sp_plan *p)
{
	const struct sp_entry *entry = p->boot ? sp_boot_default(p->boot) : NULL;
	const char *running = sp_fact_text(p->facts, SP_FACT_KERNEL_RELEASE);
	const char *next = entry ? entry->version : NULL;

	if (next && running && sp_streq(next, running))
		return sp_xasprintf("%s, running and booted by default", next);
	return sp_xasprintf("%s boots by default, %s is running", next ? next : "unknown",
			    running ? running : "unknown");
}

static char *memory_text(const struct sp_plan *p)
{
	const struct sp_facts *f = p->facts;
	sp_autofree char *next = sp_text_mib(p->sizes.next_mem_kib / 1024);
	const bool other = p->has_sizes && p->sizes.next_mem_kib != sp_fact_num(f, SP_FACT_MEM_TOTAL_KIB);
	sp_autofree char *installed = sp_text_mib(sp_fact_num(f, SP_FACT_INSTALLED_MIB));
	sp_autofree char *visible = sp_text_mib(sp_fact_num(f, SP_FACT_MEM_TOTAL_KIB) / 1024);

	return sp_xasprintf("%s installed, %s visible to the kernel%s%s%s",
			    sp_fact_known(f, SP_FACT_INSTALLED_MIB) ? installed : "unknown",
			    sp_fact_known(f, SP_FACT_MEM_TOTAL_KIB) ? visible : "unknown", other ? " now, " : "",
			    other ? next : "", other ? " at the next boot" : "");
}

static char *carve_out_text(const struct sp_plan *p)
{
	const struct sp_facts *f = p->facts;
	sp_autofree char *now = sp_text_mib(sp_fact_num(f, SP_FACT_VRAM_BYTES) >> 20);
	sp_autofree char *next = sp_text_mib(p->gate.carve_out_mib);
	const bool changes = p->gate.write || p->gate.state == SP_GATE_BY_HAND;

	if (!sp_fact_known(f, SP_FACT_VRAM_BYTES))
		return sp_xasprintf("unknown (%s)", f->v[SP_FACT_VRAM_BYTES].why);
	if (!sp_fact_known(f, SP_FACT_UMA_NEXT_BYTES) && !changes)
		return sp_xasprintf("%s now; no source tells the next boot's", now);
	return sp_xasprintf("%s now, %s at the next boot%s", now, next,
			    p->gate.write ? ", set by apply" : changes ? ", once it is set by hand" : "");
}

static char *sizes_text(const struct sp_plan *p)
{
	if (!p->has_sizes)
		return sp_xstrdup("not known here");
	sp_autofree char *gtt = sp_text_mib(p->sizes.gtt_mib), *host = sp_text_mib(p->sizes.host_mib);

	return sp_xasprintf("%s (%s): %ju MiB, %ju pages; %s stays for the host", gtt,
			    p->sizes.origin ? p->sizes.origin : "auto", (uintmax_t) p->sizes.gtt_mib,
			    (uintmax_t) p->sizes.gtt_pages, host);
}

static void put_head(struct sp_report *r, const struct sp_plan *p)
{
	const char *known = !p->platform ? p->platform_why : p->platform->supported ? "supported" : "not supported";
	struct sp_pair pairs[] = {
		{ "platform",
		  sp_xasprintf("%s (%s)", p->platform ? p->platform->name : "unknown", known ? known : "") },
		{ "boot setup", p->boot ? sp_xasprintf("%s, %zu entries", p->boot->ops->title, p->boot->n_entries)
					: sp_xasprintf("not recognised%s%s", p->boot_error ? ": " : "",
						       p->boot_error ? p->boot_error->message : "") },
		{ "kernel", kernel_text(p) },
		{ "memory", memory_text(p) },
		{ "carve-out", carve_out_text(p) },
		{ "GPU memory", sizes_text(p) },
		{ "profile", p->profile ? sp_xasprintf("%s: %s", p->profile->name, p->profile->summary) : NULL },
	};

	sp_heading(r, "Plan");
	sp_pairs_print(r, pairs, SP_ELEMENTS(pairs));
}

/* What stands below a setting's row. */
static void put_reason(struct sp_report *r, const struct sp_decision *d, bool evidence)
{
	bool as_wanted = d->state == SP_DECIDE_CHANGE || d->state == SP_DECIDE_OK;

	if (d->reason && (!as_wanted || evidence || r->verbose))
		sp_paragraph(r, "", REASON_INDENT, d->reason);
	if (!evidence && !r->verbose)
		return;
	if (d->setting->summary && !sp_streq(d->reason, d->setting->summary))
		sp_paragraph(r, "", REASON_INDENT, d->setting->summary);
	if (d->setting->log.evidence) {
		sp_autofree char *text = sp_xasprintf("evidence: %s (verdict: %s)", d->setting->log.evidence,
						      sp_verdict_name(d->setting->log.verdict));
		sp_paragraph(r, "", REASON_INDENT, text);
	}
	for (size_t i = 0; r->verbose && i < d->setting->log.doubts.n; i++) {
		sp_autofree char *text = sp_xasprintf("but: %s", d->setting->log.doubts.v[i]);
		sp_paragraph(r, "", REASON_INDENT, text);
	}
}

/* What the other columns leave for the value, with two blanks between columns. */
static size_t value_width(const struct sp_report *r, const struct sp_plan *p)
{
	size_t id = strlen("SETTING"), place = strlen("PLACE"), used;

	for (size_t i = 0; i < p->n_decisions; i++) {
		const struct sp_setting *s = p->decisions[i].setting;

		id = strlen(s->id) > id ? strlen(s->id) : id;
		place = strlen(sp_dest_name(s->dest)) > place ? strlen(sp_dest_name(s->dest)) : place;
	}
	used = REASON_INDENT + id + 2 + place + 2;
	return r->width > used + 20 ? r->width - used : 20;
}

static void put_settings(struct sp_report *r, const struct sp_plan *p, bool evidence)
{
	static const struct sp_column columns[] = {
		{ "STATE", 0 },
		{ "SETTING", 0 },
		{ "PLACE", 0 },
		{ "VALUE", SCOLS_FL_WRAP },
	};
	sp_autotable struct libscols_table *table = sp_table_new(r, columns, SP_ELEMENTS(columns));
	sp_autofree size_t *lines = sp_xcalloc(p->n_decisions, sizeof(*lines));

	sp_heading(r, "Settings");
	for (size_t i = 0; i < p->n_decisions; i++) {
		const struct sp_decision *d = &p->decisions[i];
		sp_autofree char *text = sp_xasprintf("%s%s%s", d->key ? d->key : d->setting->key, d->value ? "=" : "",
						      d->value ? d->value : "");
		sp_autofree char *safe = sp_text_safe(r, text), *folded = sp_text_fold(safe, value_width(r, p), true);
		const char *cells[] = { sp_decision_state_name(d->state), d->setting->id,
					sp_dest_name(d->setting->dest), folded };

		lines[i] = sp_text_lines(folded);
		sp_table_paint(sp_table_row(table, NULL, cells, SP_ELEMENTS(cells)), 0, state_paints[d->state].paint);
	}
	sp_autofree char *text = sp_table_text(table);
	char *rest = text;
	sp_table_print_lines(r, &rest, 1);
	for (size_t i = 0; i < p->n_decisions; i++) {
		sp_table_print_lines(r, &rest, lines[i]);
		put_reason(r, &p->decisions[i], evidence);
	}
}

static enum sp_paint diff_paint(char sign)
{
	return sign == '+' ? SP_GREEN : sign == '-' ? SP_RED : sign == '@' ? SP_CYAN : SP_PLAIN;
}

static void put_diff(struct sp_report *r, const struct sp_edit *e)
{
	sp_autofree char *diff = sp_diff(e->path, e->op == SP_OP_CREATE ? NULL : &e->before.bytes,
					 e->op == SP_OP_DELETE ? NULL : &e->after.bytes);
	char *rest = diff, *line;

	for (size_t i = 0; (line = strsep(&rest, "\n")) && rest; i++)
		sp_paint(r, i < 2 ? SP_BOLD : diff_paint(*line), "%s\n", line);
}

static void put_files(struct sp_report *r, const struct sp_plan *p)
{
	static const struct sp_column columns[] = { { "ACTION", 0 }, { "FILE", 0 } };
	sp_autotable struct libscols_table *table = sp_table_new(r, columns, SP_ELEMENTS(columns));

	if (p->edits.n == 0)
		return;
	sp_heading(r, "Files");
	for (size_t i = 0; i < p->edits.n; i++) {
		const char *cells[] = { sp_op_name(p->edits.v[i].op), p->edits.v[i].path };
		struct libscols_line *row = sp_table_row(table, NULL, cells, SP_ELEMENTS(cells));

		sp_table_paint(row, 0, p->edits.v[i].op == SP_OP_KEEP ? SP_DIM : SP_GREEN);
	}
	sp_table_print(r, table);
	for (size_t i = 0; i < p->edits.n; i++) {
		if (p->edits.v[i].op == SP_OP_KEEP)
			continue;
		sp_gap(r);
		put_diff(r, &p->edits.v[i]);
	}
}

size_t sp_plan_changes(const struct sp_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->edits.n; i++)
		n += p->edits.v[i].op != SP_OP_KEEP;
	return n;
}

void sp_plan_text(struct sp_report *r, const struct sp_plan *p, bool evidence)
{
	put_head(r, p);
	sp_memory_picture(r, p->facts, p->sizes.gtt_mib, p->gate.carve_out_mib, p->has_sizes ? "after apply and a reboot" : NULL);
	put_settings(r, p, evidence);
	put_files(r, p);
	sp_section(r, "Actions", &p->actions);
	sp_report_images(r, &p->images);
	sp_report_warnings(r, &p->warnings);
	sp_report_advisories(r, &p->advisories, evidence);
	sp_report_firmware(r, p);
}
