/* SPDX-License-Identifier: MIT */
#include "engine/gate.h"

#include <errno.h>
#include <inttypes.h>

static const char *const state_names[] = { "green", "large", "unset", "by-hand" };

const char *sp_gate_state_name(enum sp_gate_state state)
{
	return state_names[state];
}

void sp_gate_clear(struct sp_gate *g)
{
	free(g->text);
	sp_strv_clear(&g->warnings);
	sp_error_free(g->refusal);
	*g = (struct sp_gate){ 0 };
}

char *sp_uma_argument(uint64_t mib)
{
	return mib % 1024 ? sp_xasprintf("%" PRIu64 "M", mib) : sp_xasprintf("%" PRIu64 "G", mib / 1024);
}

/* As firmware writes it. */
static char *size_name(uint64_t mib)
{
	return mib % 1024 ? sp_xasprintf("%" PRIu64 " MB", mib) : sp_xasprintf("%" PRIu64 " GB", mib / 1024);
}

char *sp_uma_shown(const struct sp_uma_source *s, const char *value)
{
	for (size_t i = 0; i < s->n_choices; i++)
		if (sp_streq(s->choices[i].text, value))
			return s->choices[i].mib ? size_name(s->choices[i].mib) : sp_xstrdup(s->choices[i].name);
	return sp_xstrdup(value);
}

char *sp_uma_offers(const struct sp_uma_source *s)
{
	sp_autobuf struct sp_buf b = { 0 };

	for (size_t i = 0; i < s->n_choices; i++) {
		sp_autofree char *size = s->choices[i].mib ? size_name(s->choices[i].mib) : NULL;
		sp_buf_addf(&b, "%s%s", i == 0 ? "" : i + 1 == s->n_choices ? " and " : ", ",
			    size ? size : s->choices[i].name);
	}
	return sp_buf_steal(&b);
}

char *sp_setup_way(const struct sp_platform *platform)
{
	const char *key = platform ? platform->setup_key : NULL, *path = platform ? platform->setup_path : NULL;

	return sp_xasprintf("in the setup screen ('strix-provision firmware setup' restarts into it, and so does %s at "
			    "power-on) choose %s",
			    key ? key : "the maker's setup key",
			    path ? path : "the option for dedicated graphics memory (UMA)");
}

/* --- which carve-out comes if nothing is written ------------------------------------------------------------------- */

static bool small(uint64_t mib)
{
	return mib <= SP_UMA_SMALL_MIB;
}

static uint64_t expected(const struct sp_gate_input *in, struct sp_gate *g)
{
	const struct sp_uma_source *s = in->firmware->source;
	const uint64_t next = s ? s->mib : 0, now = in->now_mib;

	if (!next || !now || sp_uma_same(next, now))
		return next && !now ? next : now;
	sp_autofree char *said = size_name(next), *is = size_name(now);
	if (in->told == SP_TOLD_BEFORE) {
		sp_strv_addf(&g->warnings,
			     "the firmware was set to %s before the last start, and made %s of it; sizes are for that", said, is);
		return now;
	}
	if (in->told == SP_TOLD_NOTHING && small(next) && small(now) && next < now) {
		sp_strv_addf(&g->warnings,
			     "the firmware is set to %s, and %s are in force: some firmware makes that of it. Sizes are for %s; "
			     "if it was changed since the last start, restart and apply again", said, is, is);
		return now;
	}
	return next;
}

/* --- what to do about it -------------------------------------------------------------------------------------------- */

const char *sp_gate_cannot_write(const struct sp_gate_input *in)
{
	const struct sp_carveout *f = in->firmware;

	if (!f->source)
		return "this kernel offers no way to set it (hp-bioscfg on HP; on others amdgpu since Linux 7.0)";
	if (f->source->read_only)
		return "the firmware has made it read-only";
	if (f->sure_admin)
		return "HP Sure Admin guards the firmware, and takes signed changes only";
	if (f->source->kind == SP_UMA_ATTRIBUTE && f->no_password_object)
		return "the driver refuses every change where the firmware has no 'Setup Password' object";
	if (f->source->n_choices == 0)
		return "the driver does not tell which sizes there are";
	if (!in->now_mib)
		return "the carve-out in force is not known (is amdgpu loaded?)";
	if (in->told == SP_TOLD_BEFORE && f->source->mib == in->uma_mib)
		return "it was set before the last start, and the firmware did not follow";
	return NULL;
}

static uint64_t least(const struct sp_gate_input *in)
{
	const struct sp_uma_choice *c = in->firmware->source ? sp_uma_nearest(in->firmware->source, 0) : NULL;

	return c ? c->mib : 512;
}

/* The whole way: by a command where the firmware can be written, else by hand. */
static char *how_to_set(const struct sp_gate_input *in, uint64_t mib)
{
	sp_autofree char *argument = sp_uma_argument(mib), *name = size_name(mib), *way = sp_setup_way(in->platform);

	if (!sp_gate_cannot_write(in))
		return sp_xasprintf("'strix-provision apply --uma %s' sets it, with the sizes that belong to it", argument);
	return sp_xasprintf("%s, set it to %s%s, and run 'strix-provision apply' again after that start; 'strix-provision "
			    "apply --uma-by-hand %s' writes the sizes for it at once",
			    way, name, in->firmware->source && in->firmware->source->n_choices
					       ? "" : " (or the smallest value offered)", argument);
}

static void mark(const struct sp_gate_input *in, struct sp_gate *g, enum sp_gate_state state, const char *why, uint64_t mib)
{
	sp_autofree char *how = how_to_set(in, mib);

	g->state = state;
	g->text = sp_xasprintf("%s: %s. 'strix-provision apply --uma keep' stays with the carve-out there is.", why, how);
}

static void refuse_offer(const struct sp_gate_input *in, struct sp_gate *g)
{
	const struct sp_uma_source *s = in->firmware->source;
	const struct sp_uma_choice *near = sp_uma_nearest(s, in->uma_mib);
	sp_autofree char *name = size_name(in->uma_mib), *offers = sp_uma_offers(s);

	g->proposal_mib = near ? near->mib : 0;
	(void) sp_error_set(&g->refusal, -ENOENT, "the firmware does not offer a carve-out of %s; it offers %s", name, offers);
	(void) sp_error_exit(&g->refusal, SP_EXIT_FIRMWARE);
	if (!near)
		return;
	sp_autofree char *argument = sp_uma_argument(near->mib), *shown = size_name(near->mib);
	(void) sp_error_hint(&g->refusal, "the nearest is %s: %s %s", shown,
			     in->uma == SP_UMA_BY_HAND ? "--uma-by-hand" : "--uma", argument);
}

static bool offered(const struct sp_gate_input *in)
{
	const struct sp_uma_source *s = in->firmware->source;

	return !s || s->n_choices == 0 || sp_uma_choice(s, in->uma_mib);
}

static void set_size(const struct sp_gate_input *in, struct sp_gate *g)
{
	const struct sp_uma_source *s = in->firmware->source;
	const char *why = sp_gate_cannot_write(in);
	sp_autofree char *name = size_name(in->uma_mib), *is = size_name(g->carve_out_mib);

	if (!in->asked) {
		sp_autofree char *text = sp_xasprintf("%s were asked for, and the next start has %s", name, is);
		mark(in, g, SP_GATE_UNSET, text, in->uma_mib);
	} else if (why) {
		sp_autofree char *text = sp_xasprintf("the carve-out cannot be set to %s from here, because %s; sizes are for "
						      "%s", name, why, is);
		mark(in, g, SP_GATE_UNSET, text, in->uma_mib);
	} else {
		g->write = sp_uma_choice(s, in->uma_mib);
		g->shrinks = in->uma_mib < (s->mib ? s->mib : in->now_mib);
		g->carve_out_mib = in->uma_mib;
	}
	if (g->write && in->foreign) {
		(void) sp_error_set(&g->refusal, -EINVAL, "the firmware of a recorded machine is not written");
		(void) sp_error_hint(&g->refusal, "leave --uma out, or --machine");
		(void) sp_error_exit(&g->refusal, SP_EXIT_USAGE);
	}
}

static void by_hand(const struct sp_gate_input *in, struct sp_gate *g)
{
	sp_autofree char *name = size_name(in->uma_mib), *way = sp_setup_way(in->platform);

	g->state = SP_GATE_BY_HAND;
	g->carve_out_mib = in->uma_mib;
	g->text = sp_xasprintf("sizes are for a carve-out of %s, which is still to be set by hand: %s, and set it to %s. "
			       "Do not start the system before that. Then: strix-provision verify", name, way, name);
}

static void stay(const struct sp_gate_input *in, struct sp_gate *g)
{
	if (!in->platform || in->uma == SP_UMA_KEEP || small(g->carve_out_mib) || g->carve_out_mib <= g->least_mib)
		return;
	sp_autofree char *is = size_name(g->carve_out_mib);
	sp_autofree char *text = sp_xasprintf("the firmware keeps %s of memory for graphics alone", is);
	mark(in, g, SP_GATE_LARGE, text, g->least_mib);
}

/* Is it what is wanted, or does the firmware at least say so and make something small of it? */
static bool is_set(const struct sp_gate_input *in, const struct sp_gate *g)
{
	const struct sp_uma_source *s = in->firmware->source;

	return sp_uma_same(g->carve_out_mib, in->uma_mib) ||
	       (s && s->mib == in->uma_mib && small(g->carve_out_mib));
}

void sp_gate_decide(const struct sp_gate_input *in, struct sp_gate *ret)
{
	struct sp_gate g = { 0 };

	g.carve_out_mib = expected(in, &g);
	g.least_mib = least(in);
	if (in->uma == SP_UMA_UNSET || in->uma == SP_UMA_KEEP)
		stay(in, &g);
	else if (is_set(in, &g))
		g.state = SP_GATE_GREEN;
	else if (!offered(in) && in->asked)
		refuse_offer(in, &g);
	else if (in->uma == SP_UMA_BY_HAND)
		by_hand(in, &g);
	else
		set_size(in, &g);
	*ret = g;
}
