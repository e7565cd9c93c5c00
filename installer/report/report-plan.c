/* SPDX-License-Identifier: MIT */
#include "report/internal.h"

static json_t *integer_or_null(bool known, uint64_t number)
{
	return known ? json_integer((json_int_t) number) : json_null();
}

static json_t *settings_json(const struct sp_plan *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->n_decisions; i++) {
		const struct sp_decision *d = &p->decisions[i];
		json_t *o = json_object();

		sp_json_put(o, "id", sp_json_text(d->setting->id));
		sp_json_put(o, "destination", sp_json_text(sp_dest_name(d->setting->dest)));
		sp_json_put(o, "key", sp_json_text(d->key));
		sp_json_put(o, "value", sp_json_text(d->value));
		sp_json_put(o, "state", sp_json_text(sp_decision_state_name(d->state)));
		sp_json_put(o, "reason", sp_json_text(d->reason));
		sp_json_put(o, "summary", sp_json_text(d->setting->summary));
		sp_json_put(o, "evidence", sp_json_text(d->setting->log.evidence));
		sp_json_put(o, "verdict", sp_json_text(sp_verdict_name(d->setting->log.verdict)));
		(void) json_array_append_new(array, o);
	}
	return array;
}

static json_t *files_json(const struct sp_plan *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->edits.n; i++) {
		const struct sp_edit *e = &p->edits.v[i];
		sp_autofree char *diff = sp_diff(e->path, e->op == SP_OP_CREATE ? NULL : &e->before.bytes,
						 e->op == SP_OP_DELETE ? NULL : &e->after.bytes);
		json_t *o = json_object();

		sp_json_put(o, "path", sp_json_text(e->path));
		sp_json_put(o, "action", sp_json_text(sp_op_name(e->op)));
		sp_json_put(o, "diff", sp_json_text(e->op == SP_OP_KEEP ? "" : diff));
		(void) json_array_append_new(array, o);
	}
	return array;
}

static json_t *sizes_json(const struct sp_plan *p)
{
	json_t *o;

	if (!p->has_sizes)
		return json_null();
	o = json_object();
	sp_json_put(o, "gtt_mib", json_integer((json_int_t) p->sizes.gtt_mib));
	sp_json_put(o, "gtt_pages", json_integer((json_int_t) p->sizes.gtt_pages));
	sp_json_put(o, "host_mib", json_integer((json_int_t) p->sizes.host_mib));
	sp_json_put(o, "next_mem_kib", json_integer((json_int_t) p->sizes.next_mem_kib));
	sp_json_put(o, "gain_mib", json_integer((json_int_t) p->sizes.gain_mib));
	sp_json_put(o, "origin", sp_json_text(p->sizes.origin));
	return o;
}

static json_t *gate_json(const struct sp_gate *g)
{
	json_t *o = json_object();

	sp_json_put(o, "state", sp_json_text(sp_gate_state_name(g->state)));
	sp_json_put(o, "writes", sp_json_text(g->write ? g->write->name : NULL));
	sp_json_put(o, "proposal_mib", integer_or_null(g->proposal_mib, g->proposal_mib));
	return o;
}

void sp_json_plan(json_t *object, const struct sp_plan *p)
{
	const struct sp_entry *entry = p->boot ? sp_boot_default(p->boot) : NULL;
	const struct sp_facts *f = p->facts;
	bool vram = sp_fact_known(f, SP_FACT_VRAM_BYTES), ram = sp_fact_known(f, SP_FACT_MEM_TOTAL_KIB);

	sp_json_put(object, "advisories", sp_json_advisories(&p->advisories));
	sp_json_put(object, "platform", sp_json_text(p->platform ? p->platform->id : NULL));
	sp_json_put(object, "supported", json_boolean(p->platform && p->platform->supported));
	sp_json_put(object, "boot_setup", sp_json_text(p->boot ? p->boot->ops->name : NULL));
	sp_json_put(object, "kernel", sp_json_text(entry ? entry->version : NULL));
	sp_json_put(object, "profile", sp_json_text(p->profile ? p->profile->name : NULL));
	sp_json_put(object, "uma_mib", integer_or_null(vram, sp_fact_num(f, SP_FACT_VRAM_BYTES) >> 20));
	sp_json_put(object, "uma_next_boot_mib", integer_or_null(p->gate.carve_out_mib, p->gate.carve_out_mib));
	sp_json_put(object, "installed_mib", integer_or_null(sp_fact_known(f, SP_FACT_INSTALLED_MIB),
							     sp_fact_num(f, SP_FACT_INSTALLED_MIB)));
	sp_json_put(object, "visible_mib", integer_or_null(ram, sp_fact_num(f, SP_FACT_MEM_TOTAL_KIB) / 1024));
	sp_json_put(object, "visible_next_boot_mib", integer_or_null(p->has_sizes, p->sizes.next_mem_kib / 1024));
	sp_json_put(object, "gate", gate_json(&p->gate));
	sp_json_put(object, "sizes", sizes_json(p));
	sp_json_put(object, "settings", settings_json(p));
	sp_json_put(object, "files", files_json(p));
	sp_json_put(object, "actions", sp_json_strv(&p->actions));
	sp_json_put(object, "initramfs", sp_json_images(&p->images));
	sp_json_put(object, "conflicts", sp_json_strv(&p->conflicts));
	sp_json_put(object, "pending", json_boolean(p->pending));
	sp_json_put(object, "firmware", sp_json_text(p->firmware_text));
}

static void closing(struct sp_report *r, const struct sp_plan *p, const struct sp_error *refusal)
{
	size_t n = sp_plan_changes(p);

	sp_gap(r);
	if (refusal) {
		sp_autofree char *text = sp_xasprintf("apply would refuse this: %s.", refusal->message);

		sp_paragraph(r, "", 0, text);
		if (refusal->hint)
			sp_paragraph(r, "hint: ", 6, refusal->hint);
	} else if (!p->pending) {
		sp_paragraph(r, "", 0, "Nothing to do: everything is as the plan wants it.");
	} else {
		sp_autofree char *text =
			n ? sp_xasprintf(
				    "%zu %s would be written; nothing was changed. To carry this out, run `%s apply` "
				    "with the same options.",
				    n, n == 1 ? "file" : "files", r->program)
			  : sp_xasprintf(
				    "No file would change; `%s apply` with the same options records this selection.",
				    r->program);
		sp_paragraph(r, "", 0, text);
	}
}

int sp_report_plan(struct sp_report *r, const struct sp_plan *p, enum sp_exit status)
{
	sp_autoerror struct sp_error *refusal = NULL;

	if (sp_plan_refusal(p, &refusal) == 0)
		sp_error_free(sp_steal(refusal));
	if (r->json) {
		json_t *object = sp_json_open(r, status, &p->warnings);

		sp_json_plan(object, p);
		sp_json_put(object, "reboot_required", json_boolean(p->reboot_required));
		sp_json_put(object, "refusal", sp_json_text(refusal ? refusal->message : NULL));
		return sp_json_print(r, object);
	}
	if (!r->quiet) {
		sp_plan_text(r, p, true);
	} else {
		sp_report_warnings(r, &p->warnings);
		sp_report_firmware(r, p);
	}
	closing(r, p, refusal);
	return 0;
}

int sp_report_preview(struct sp_report *r, const struct sp_plan *p)
{
	if (!r->json && !r->quiet && p->pending)
		sp_plan_text(r, p, false);
	return 0;
}
