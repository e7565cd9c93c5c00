/* SPDX-License-Identifier: MIT */
/*
 * The carve-out and the memory that the sizes were computed for. When either
 * changed later, the limits on disk are stale: a limit above the memory that
 * there is makes the driver choose the GTT where the carve-out was meant.
 */
#include <inttypes.h>

#include "engine/check.h"

#define TOLERANCE_MIB 1024 /* of MemTotal: a crash kernel, a newer firmware */

static char *size_text(uint64_t mib)
{
	return mib % 1024 ? sp_xasprintf("%" PRIu64 " MiB", mib) : sp_xasprintf("%" PRIu64 " GiB", mib / 1024);
}

static void add(struct sp_verifier *v, const char *id, enum sp_layer layer, uint64_t expected, uint64_t actual,
		enum sp_check_result result, char *reason)
{
	const struct sp_applied_setting row = { .id = (char *) id };
	sp_autofree char *text = size_text(expected);

	sp_check_add(v, &row, layer, text, actual ? size_text(actual) : NULL, result, reason);
}

/* By the rules of the gate, so that 512 MB that became 4 GiB are not called a change. */
static uint64_t next_carve_out(const struct sp_verifier *v, const json_t *told, const struct sp_carveout *c)
{
	const struct sp_gate_input in = { .uma = SP_UMA_KEEP, .now_mib = sp_fact_num(v->facts, SP_FACT_VRAM_BYTES) >> 20,
					  .told = sp_told(told, c, v->facts), .firmware = c };
	struct sp_gate g = { 0 };

	sp_gate_decide(&in, &g);
	const uint64_t mib = g.carve_out_mib;
	sp_gate_clear(&g);
	return mib;
}

static bool check_next(struct sp_verifier *v, const json_t *told, const struct sp_carveout *c)
{
	const uint64_t wanted = v->applied->carve_out_mib, next = next_carve_out(v, told, c);
	const bool by_hand = v->applied->selection.uma == SP_UMA_BY_HAND && v->same_boot;

	if (!next)
		add(v, "carve-out", SP_LAYER_LIVE, wanted, 0, SP_CHECK_SKIPPED, sp_xstrdup("the firmware does not tell it"));
	else if (sp_uma_same(next, wanted))
		add(v, "carve-out", SP_LAYER_LIVE, wanted, next, SP_CHECK_OK, NULL);
	else
		add(v, "carve-out", SP_LAYER_LIVE, wanted, next, SP_CHECK_FAIL,
		    sp_xstrdup(by_hand ? "it is still to be set in the firmware's setup screen"
				       : "the next start has this one: it was changed since apply"));
	return !next || sp_uma_same(next, wanted);
}

static bool check_now(struct sp_verifier *v)
{
	const uint64_t wanted = v->applied->carve_out_mib, now = sp_fact_num(v->facts, SP_FACT_VRAM_BYTES) >> 20;

	if (!now)
		add(v, "carve-out", SP_LAYER_EFFECT, wanted, 0, SP_CHECK_SKIPPED,
		    sp_xasprintf("mem_info_vram_total: %s", v->facts->v[SP_FACT_VRAM_BYTES].why));
	else if (sp_uma_same(now, wanted))
		add(v, "carve-out", SP_LAYER_EFFECT, wanted, now, SP_CHECK_OK, NULL);
	else if (v->same_boot)
		add(v, "carve-out", SP_LAYER_EFFECT, wanted, now, SP_CHECK_PENDING, sp_xstrdup("not rebooted since apply"));
	else
		add(v, "carve-out", SP_LAYER_EFFECT, wanted, now, SP_CHECK_FAIL,
		    sp_xstrdup("the firmware made another one than the sizes are for"));
	return !now || v->same_boot || sp_uma_same(now, wanted);
}

static void check_memory(struct sp_verifier *v)
{
	const uint64_t wanted = v->applied->memory_mib, gtt = v->applied->gtt_mib;
	const uint64_t now = sp_fact_num(v->facts, SP_FACT_MEM_TOTAL_KIB) / 1024;

	if (!wanted || !now)
		return;
	const bool same = now < wanted ? wanted - now <= TOLERANCE_MIB : now - wanted <= TOLERANCE_MIB;
	if (same && gtt <= now)
		add(v, "memory", SP_LAYER_EFFECT, wanted, now, SP_CHECK_OK, NULL);
	else if (v->same_boot)
		add(v, "memory", SP_LAYER_EFFECT, wanted, now, SP_CHECK_PENDING, sp_xstrdup("not rebooted since apply"));
	else if (gtt > now)
		add(v, "memory", SP_LAYER_EFFECT, wanted, now, SP_CHECK_FAIL,
		    sp_xasprintf("the limit for the GPU, %" PRIu64 " MiB, is above the memory that there is: the driver then "
				 "prefers it to the carve-out, and hands out what does not exist", gtt));
	else
		add(v, "memory", SP_LAYER_EFFECT, wanted, now, SP_CHECK_FAIL,
		    sp_xstrdup("the sizes were computed for another amount; 'strix-provision apply' computes them anew"));
}

/* Which one is stale, and both ways out. */
static char *advice(const struct sp_verifier *v, const json_t *told, const struct sp_carveout *c)
{
	const struct sp_applied *a = v->applied;
	const uint64_t next = next_carve_out(v, told, c);
	const struct sp_gate_input in = { .uma_mib = a->carve_out_mib, .firmware = c, .told = sp_told(told, c, v->facts),
					  .now_mib = sp_fact_num(v->facts, SP_FACT_VRAM_BYTES) >> 20 };
	sp_autofree char *argument = sp_uma_argument(a->carve_out_mib), *is = size_text(next), *was = size_text(a->carve_out_mib);
	sp_autofree char *back = sp_gate_cannot_write(&in)
					 ? sp_xasprintf("'strix-provision firmware setup' leads to where it is set to %s", was)
					 : sp_xasprintf("'strix-provision apply --uma %s' sets it back", argument);

	if (a->selection.uma == SP_UMA_BY_HAND && v->same_boot)
		return sp_xasprintf("the sizes (%" PRIu64 " MiB for the GPU) are for a carve-out of %s, and the firmware still has "
				    "%s: %s; do not start the system before that. To have sizes for %s instead: strix-provision "
				    "apply --uma keep", a->gtt_mib, was, is, back, is);
	return sp_xasprintf("the carve-out is %s, and pages_limit and gttsize (%" PRIu64 " MiB for the GPU) are for %s: they are "
			    "stale. 'strix-provision apply --uma keep' computes them for %s; %s", is, a->gtt_mib, was, is, back);
}

void sp_check_firmware(struct sp_verifier *v, const json_t *told)
{
	sp_autocarveout struct sp_carveout c = { 0 };

	if (!v->applied->gtt_mib || !v->applied->carve_out_mib)
		return; /* nothing was computed for it */
	sp_carveout_read(v->s->machine, sp_fact_text(v->facts, SP_FACT_GPU_ADDRESS), &c);
	const bool next = check_next(v, told, &c), now = check_now(v);
	check_memory(v);
	if (!next || !now)
		v->out->firmware = advice(v, told, &c);
}
