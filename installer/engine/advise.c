/* SPDX-License-Identifier: MIT */
/*
 * Advisories: what the next boot will get is put together from what was read
 * anyway, and every advisory is asked whether it holds. None of this changes
 * a plan or an exit status.
 */
#include "engine/internal.h"
#include "catalog/predicate.h"

struct about {
	const struct sp_session *s;
	const struct sp_catalog *catalog;
	const struct sp_facts *facts;
	const struct sp_platform *platform;
	const struct sp_boot *boot; /* NULL: not known */
	const char *line;	    /* of the next boot; NULL: not known */
	uint64_t mem_kib;	    /* of the next boot; 0: not known */
	struct sp_dropins modprobe; /* read when the line does not tell */
};

/* A number that the next boot gets for a module's parameter: from its line, else from modprobe.d; 0: from neither. */
static uint64_t parameter(struct about *a, const char *key)
{
	sp_autofree char *value = a->line ? sp_cmdline_value(a->line, key) : NULL;
	sp_autoeffective struct sp_effective e = { 0 };
	uint64_t number = 0;

	if (!value) {
		if (!a->modprobe.kind)
			sp_dropins_read(a->s->root, sp_dropin_kind(SP_DEST_MODPROBE), &a->modprobe);
		sp_dropins_effective(&a->modprobe, key, false, &e);
		value = sp_xstrdup(e.value);
	}
	return value && sp_parse_u64(value, &number) == 0 ? number : 0; /* -1 is "as if it was not there" */
}

static void advise(struct about *a, struct sp_advices *ret)
{
	if (!a->platform)
		return; /* they are about Strix Halo */
	const char *kernel = sp_next_kernel(a->boot, a->facts);
	sp_autofree char *limit = sp_xasprintf("%s.pages_limit", sp_kernel_ttm_module(a->facts, kernel));
	uint64_t pages = parameter(a, limit);
	const struct sp_question q = {
		.facts = a->facts, .kernel = kernel, .platform = a->platform ? a->platform->id : NULL,
		.boot = a->boot ? a->boot->ops->name : NULL, .line = a->line, .mem_kib = a->mem_kib,
		.gtt_mib = (pages ? pages : sp_fact_num(a->facts, SP_FACT_PAGES_LIMIT)) / 256,
		.gttsize_mib = parameter(a, "amdgpu.gttsize"),
	};

	for (size_t i = 0; i < a->catalog->n_advisories; i++) {
		const struct sp_advisory *one = &a->catalog->advisories[i];
		if (!sp_advisory_holds(one, &q))
			continue;
		ret->v = sp_xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = (struct sp_advice){ .id = sp_xstrdup(one->id), .text = sp_advisory_text(one, &q),
						       .evidence = sp_xstrdup(one->evidence) };
	}
	sp_dropins_clear(&a->modprobe);
}

/* Memory of the next boot: a carve-out that was set and waits for it counts. 0: not known. */
static uint64_t next_mem_kib(const struct sp_facts *f)
{
	const int64_t mem = (int64_t) sp_fact_num(f, SP_FACT_MEM_TOTAL_KIB);
	const int64_t now = (int64_t) sp_fact_num(f, SP_FACT_VRAM_BYTES) / 1024;
	const int64_t next = (int64_t) sp_fact_num(f, SP_FACT_UMA_NEXT_BYTES) / 1024;

	if (!mem || !sp_fact_known(f, SP_FACT_VRAM_BYTES) || !sp_fact_known(f, SP_FACT_UMA_NEXT_BYTES))
		return (uint64_t) mem;
	const int64_t m = sp_next_memory_kib(mem, now, next);
	return m > 0 ? (uint64_t) m : 0;
}

/* The line of the entry that boots by default; where that is not known, the one that the running kernel got. */
static const char *line_of(const struct sp_boot *boot, const struct sp_facts *f)
{
	const struct sp_entry *e = boot ? sp_boot_default(boot) : NULL;

	return e ? e->line : sp_fact_text(f, SP_FACT_CMDLINE);
}

void sp_advise_plan(const struct sp_session *s, struct sp_plan *p)
{
	sp_autotokens struct sp_tokens wanted = { 0 };
	sp_autotransition struct sp_transition next = { 0 };
	const char *line = line_of(p->boot, p->facts);

	sp_wanted_tokens(p, &wanted);
	if (line && p->boot)
		sp_cmdline_transition(line, &p->applied.common, &wanted, &next);
	advise(&(struct about){ .s = s, .catalog = p->catalog, .facts = p->facts, .platform = p->platform,
				.boot = p->boot, .line = next.line ? next.line : line,
				.mem_kib = p->has_sizes ? p->sizes.next_mem_kib
							: sp_fact_num(p->facts, SP_FACT_MEM_TOTAL_KIB) },
	       &p->advisories);
}

void sp_advise_detect(const struct sp_session *s, struct sp_detect *d)
{
	advise(&(struct about){ .s = s, .catalog = d->catalog, .facts = d->facts, .platform = d->platform,
				.boot = d->boot, .line = line_of(d->boot, d->facts),
				.mem_kib = next_mem_kib(d->facts) },
	       &d->advisories);
}

/* verify itself needs no catalogue and must not fail for want of one. */
void sp_advise_verify(const struct sp_session *s, const struct sp_boot *boot, struct sp_verify *v)
{
	const struct sp_facts *facts = v->facts;
	sp_autocatalog struct sp_catalog *catalog = NULL;
	sp_autoerror struct sp_error *err = NULL;
	sp_autofree char *why = NULL;

	if (sp_catalog_load_parts(s->data_dir, SP_CATALOG_PLATFORMS | SP_CATALOG_ADVICE, &catalog, &err) < 0) {
		sp_strv_addf(&v->warnings, "no advisories: %s", err->message);
		return;
	}
	const struct sp_platform *platform = sp_platform_match(catalog, facts, &why);
	advise(&(struct about){ .s = s, .catalog = catalog, .facts = facts, .platform = platform, .boot = boot,
				.line = line_of(boot, facts), .mem_kib = next_mem_kib(facts) },
	       &v->advisories);
}

void sp_advices_clear(struct sp_advices *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].id);
		free(a->v[i].text);
		free(a->v[i].evidence);
	}
	free(a->v);
	*a = (struct sp_advices){ 0 };
}
