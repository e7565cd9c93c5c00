/* SPDX-License-Identifier: MIT */
/* The firmware: its carve-out with all sources and choices, what setting it did, the way into its setup screen. */
#include "report/internal.h"

#include <errno.h>

/* --- JSON ----------------------------------------------------------------------------------------------------------- */

static json_t *size_or_null(uint64_t mib)
{
	return mib ? json_integer((json_int_t) mib) : json_null();
}

static json_t *choices_json(const struct sp_uma_source *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->n_choices; i++) {
		json_t *o = json_object();
		sp_json_put(o, "name", sp_json_text(s->choices[i].name));
		sp_json_put(o, "mib", size_or_null(s->choices[i].mib));
		(void) json_array_append_new(array, o);
	}
	return array;
}

static json_t *source_json(const struct sp_uma_source *s, bool used)
{
	json_t *o = json_object();

	sp_json_put(o, "name", sp_json_text(s->name));
	sp_json_put(o, "path", sp_json_text(s->path));
	sp_json_put(o, "used", json_boolean(used));
	sp_json_put(o, "value", sp_json_text(s->value));
	sp_json_put(o, "mib", size_or_null(s->mib));
	sp_json_put(o, "why", sp_json_text(s->mib ? NULL : s->why));
	sp_json_put(o, "read_only", json_boolean(s->read_only));
	sp_json_put(o, "choices", choices_json(s));
	return o;
}

json_t *sp_json_carveout(const struct sp_facts *f, const struct sp_carveout *c)
{
	json_t *o = json_object(), *array = json_array();

	for (size_t i = 0; i < c->n_sources; i++)
		(void) json_array_append_new(array, source_json(&c->sources[i], &c->sources[i] == c->source));
	sp_json_put(o, "running_mib", size_or_null(sp_fact_num(f, SP_FACT_VRAM_BYTES) >> 20));
	sp_json_put(o, "next_boot_mib", size_or_null(c->source ? c->source->mib : 0));
	sp_json_put(o, "sources", array);
	sp_json_put(o, "password", json_boolean(c->credential != NULL));
	sp_json_put(o, "sure_admin", json_boolean(c->sure_admin));
	return o;
}

static json_t *open_object(struct sp_report *r, const struct sp_firmware *fw, enum sp_exit status,
			   const struct sp_strv *warnings)
{
	json_t *object = sp_json_open(r, status, warnings);

	sp_json_put(object, "carve_out", fw ? sp_json_carveout(fw->facts, &fw->carveout) : json_null());
	sp_json_put(object, "locked", sp_json_text(fw ? fw->locked : NULL));
	sp_json_put(object, "setup_key", sp_json_text(fw && fw->platform ? fw->platform->setup_key : NULL));
	sp_json_put(object, "setup_path", sp_json_text(fw && fw->platform ? fw->platform->setup_path : NULL));
	return object;
}

/* --- text ----------------------------------------------------------------------------------------------------------- */

static char *running(const struct sp_facts *f)
{
	sp_autofree char *size = sp_text_mib(sp_fact_num(f, SP_FACT_VRAM_BYTES) >> 20);

	return sp_fact_known(f, SP_FACT_VRAM_BYTES)
		       ? sp_xasprintf("%s (mem_info_vram_total)", size)
		       : sp_xasprintf("unknown (%s)", f->v[SP_FACT_VRAM_BYTES].why);
}

char *sp_carveout_next(const struct sp_carveout *c)
{
	const struct sp_uma_source *s = c->source;

	if (!s)
		return sp_xstrdup("unknown: no source tells it");
	sp_autofree char *size = sp_text_mib(s->mib);
	return s->mib ? sp_xasprintf("%s (%s)", size, s->name) : sp_xasprintf("unknown (%s: %s)", s->name, s->why);
}

char *sp_carveout_choices(const struct sp_carveout *c)
{
	return c->source && c->source->n_choices ? sp_uma_offers(c->source) : sp_xstrdup("not known");
}

static char *can_be_set(const struct sp_firmware *fw)
{
	if (fw->locked)
		return sp_xasprintf("no: %s", fw->locked);
	return sp_xstrdup(fw->carveout.credential ? "yes, with the administrator password of the firmware" : "yes");
}

static char *way(const struct sp_platform *p)
{
	if (!p || !p->setup_key)
		return sp_xstrdup(p && p->setup_path ? p->setup_path : NULL);
	return sp_xasprintf("%s at power-on%s%s", p->setup_key, p->setup_path ? ", then " : "",
			    p->setup_path ? p->setup_path : "");
}

void sp_carveout_sources(struct sp_report *r, const struct sp_carveout *c)
{
	for (size_t i = 0; i < c->n_sources; i++) {
		const struct sp_uma_source *s = &c->sources[i];
		sp_autofree char *text = sp_xasprintf("%s: %s%s", s->path, s->mib ? s->value : s->why,
						      s == c->source ? " (used)" : "");
		sp_paragraph(r, "", 4, text);
	}
}

int sp_report_uma(struct sp_report *r, const struct sp_firmware *fw)
{
	struct sp_pair pairs[] = {
		{ "in force", running(fw->facts) },
		{ "at the next start", sp_carveout_next(&fw->carveout) },
		{ "on offer", sp_carveout_choices(&fw->carveout) },
		{ "can be set here", can_be_set(fw) },
		{ "by hand", way(fw->platform) },
	};

	if (r->json) {
		for (size_t i = 0; i < SP_ELEMENTS(pairs); i++)
			free(pairs[i].value);
		return sp_json_print(r, open_object(r, fw, SP_EXIT_OK, &fw->gate.warnings));
	}
	sp_heading(r, "Carve-out");
	sp_pairs_print(r, pairs, SP_ELEMENTS(pairs));
	if (r->verbose)
		sp_carveout_sources(r, &fw->carveout);
	sp_report_warnings(r, &fw->gate.warnings);
	return 0;
}

int sp_report_firmware_set(struct sp_report *r, const struct sp_firmware *fw, const struct sp_result *res,
			   enum sp_exit status, const struct sp_error *error)
{
	if (r->json) {
		json_t *object = open_object(r, fw, status, &res->warnings);
		sp_json_put(object, "transaction", res->txn ? json_integer((json_int_t) res->txn) : json_null());
		sp_json_put(object, "changed", json_boolean(res->changed));
		sp_json_put(object, "reboot_required", json_boolean(res->reboot_required));
		sp_json_put(object, "recovered", sp_json_strv(&res->recovered));
		sp_json_error(object, error);
		return sp_json_print(r, object);
	}
	if (!r->quiet)
		sp_section(r, "Recovered first", &res->recovered);
	sp_report_warnings(r, &res->warnings);
	if (error || r->quiet)
		return 0;
	sp_gap(r);
	if (!res->txn) {
		sp_print(r, "Nothing to change: the carve-out is set so already.\n");
		return 0;
	}
	const struct sp_uma_source *s = fw->carveout.source;
	sp_autofree char *from = sp_uma_shown(s, s->value), *to = sp_uma_shown(s, fw->gate.write->text);
	sp_autofree char *text = sp_xasprintf(
		"The carve-out is %s from the next start on (was %s), as transaction %ju. Now `%s apply` computes the sizes "
		"for it; then restart. `%s rollback` sets it back, which takes a restart, too.",
		to, from, (uintmax_t) res->txn, r->program, r->program);
	sp_paragraph(r, "", 0, text);
	return 0;
}

int sp_report_setup_screen(struct sp_report *r, const struct sp_firmware *fw, const struct sp_result *res,
			   enum sp_exit status)
{
	if (r->json) {
		json_t *object = open_object(r, fw, status, &res->warnings);
		sp_json_put(object, "setup_requested", json_boolean(fw->setup_set));
		return sp_json_print(r, object);
	}
	sp_report_warnings(r, &res->warnings);
	if (r->quiet)
		return 0;
	sp_autofree char *hands = way(fw->platform);
	sp_autofree char *text = sp_xasprintf("The next start stops in the firmware's setup screen, once.%s%s%s",
					      hands ? " By hand: " : "", hands ? hands : "", hands ? "." : "");
	sp_paragraph(r, "", 0, text);
	if (fw->platform && fw->platform->note)
		sp_paragraph(r, "", 0, fw->platform->note);
	return 0;
}
