/* SPDX-License-Identifier: MIT */
/*
 * confirm: is the machine that came up with a trial's line good? Then what was tried is applied for good; else it is
 * taken back. Nothing restarts anything here: the default was never changed.
 */
#include <errno.h>
#include <inttypes.h>

#include "engine/check.h"
#include "engine/trial.h"

struct confirming {
	const struct sp_session *s;
	const struct sp_trial *trial;
	struct sp_confirm *out;
	char *why; /* what sp_trial_look() said */
};

static void say(struct sp_confirm *out, enum sp_exit status, char *sentence)
{
	free(out->sentence);
	out->sentence = sentence;
	out->status = status;
}

static int end(const struct confirming *c, const char *outcome, const char *why, struct sp_error **err)
{
	struct sp_store *store = NULL;

	sp_hold_signals();
	int r = sp_store_open(c->s->root, true, &store, err);
	if (r == 0)
		r = sp_trial_end(c->s, store, c->trial, outcome, why, &c->out->result, err);
	sp_store_close(store);
	sp_release_signals();
	return r;
}

static int fail(const struct confirming *c, const char *why, struct sp_error **err)
{
	int r = end(c, "failed", why, err);

	if (r == 0)
		say(c->out, SP_EXIT_DIFFERS, sp_xasprintf("The trial failed: %s. It is taken back; the next start has the old line.",
							  why));
	return r;
}

/* --- promote ------------------------------------------------------------------------------------------------------- */

/* What would be applied now must be what was tried, whatever was updated meanwhile. */
static int check_same(const struct sp_plan *p, const struct sp_trial *t, struct sp_error **err)
{
	sp_autotokens struct sp_tokens wanted = { 0 };
	size_t tried = 0;

	sp_wanted_tokens(p, &wanted);
	for (size_t i = 0; i < t->next.n_settings; i++) {
		const struct sp_applied_setting *s = &t->next.settings[i];
		const struct sp_token *token = s->dest == SP_DEST_CMDLINE && s->ours ? sp_tokens_find(&wanted, s->key) : NULL;
		sp_autofree char *text = sp_xasprintf("%s=%s", s->key, s->value);
		tried += token && sp_token_eq(token->text, text);
	}
	if (tried == wanted.n)
		return 0;
	(void) sp_error_set(err, -ESTALE, "what would be applied is no longer what was tried");
	return sp_error_hint(err, "strix-provision confirm --cancel, then apply --trial again");
}

static int promote(const struct confirming *c, struct sp_error **err)
{
	struct sp_session again = *c->s; /* but for the selection, which is the one that was tried */
	struct sp_plan *p = NULL;

	again.selection = (struct sp_selection){ 0 };
	sp_selection_copy(&again.selection, &c->trial->next.selection);
	again.selection.given = true;
	again.promotes = c->trial->txn;
	again.looks_into_images = true;
	int r = sp_plan_make(&again, &p, err);
	if (r == 0)
		r = sp_plan_refusal(p, err);
	if (r == 0)
		r = check_same(p, c->trial, err);
	if (r == 0)
		r = sp_apply(&again, p, &c->out->result, err);
	sp_release_signals();
	sp_plan_free(p);
	sp_selection_clear(&again.selection);
	return r;
}

/* --- one for each state ---------------------------------------------------------------------------------------------- */

static int when_idle(const struct confirming *c, struct sp_error **err)
{
	struct sp_confirm *out = c->out;
	const bool way_back = sp_fallback_stands(c->s);
	int r = sp_verify(c->s, &out->verify, err);

	if (r < 0)
		return r;
	say(out, out->verify->status, sp_xstrdup(out->verify->sentence));
	if (out->status != SP_EXIT_OK || !way_back)
		return 0;
	r = sp_fallback_drop(c->s, &out->result, err);
	if (r == 0)
		say(out, SP_EXIT_OK, sp_xasprintf("%s The old line is out of the boot menu.", out->verify->sentence));
	return r;
}

static int when_prepared(const struct confirming *c, struct sp_error **err)
{
	return fail(c, "the boot loader was never told to start it", err);
}

static int when_armed(const struct confirming *c, struct sp_error **err)
{
	(void) err;
	say(c->out, SP_EXIT_REBOOT, sp_xasprintf("The trial waits for a restart%s%s.", c->why ? ": " : "", c->why ? c->why : ""));
	return 0;
}

static int when_promoted(const struct confirming *c, struct sp_error **err)
{
	int r = end(c, "promoted", NULL, err);

	if (r == 0)
		say(c->out, SP_EXIT_OK, sp_xstrdup("The trial was good, and what was tried is permanent now."));
	return r;
}

static int when_running(const struct confirming *c, struct sp_error **err)
{
	sp_autofree char *why = NULL;
	int r = sp_verify_trial(c->s, c->trial, &c->out->verify, err);

	if (r < 0)
		return r;
	if (c->out->verify->status != SP_EXIT_OK) {
		why = sp_xasprintf("%s", c->out->verify->sentence);
		return fail(c, why, err);
	}
	c->out->state = SP_TRIAL_VERIFIED;
	r = promote(c, err);
	if (r < 0)
		return sp_error_wrap(err, "the trial is good, but could not be made permanent");
	c->out->state = SP_TRIAL_PROMOTED;
	return c->out->result.unfinished ? 0 : when_promoted(c, err);
}

static int when_failed(const struct confirming *c, struct sp_error **err)
{
	return fail(c, c->why ? c->why : "it did not come up", err);
}

static int (*const handlers[SP_TRIAL__COUNT])(const struct confirming *c, struct sp_error **err) = {
	[SP_TRIAL_IDLE] = when_idle,	     [SP_TRIAL_PREPARED] = when_prepared, [SP_TRIAL_ARMED] = when_armed,
	[SP_TRIAL_RUNNING] = when_running, [SP_TRIAL_VERIFIED] = when_running,	  [SP_TRIAL_PROMOTED] = when_promoted,
	[SP_TRIAL_FAILED] = when_failed,
};

static int cancel(const struct confirming *c, struct sp_error **err)
{
	int r = 0;

	if (c->out->state == SP_TRIAL_IDLE)
		say(c->out, SP_EXIT_OK, sp_xstrdup("There is no trial to cancel."));
	else if (c->out->state == SP_TRIAL_PROMOTED)
		r = when_promoted(c, err);
	else
		r = end(c, "cancelled", NULL, err);
	if (r == 0 && !c->out->sentence)
		say(c->out, SP_EXIT_OK, sp_xstrdup("The trial is cancelled; the next start has the old line."));
	return r;
}

/* --- together ---------------------------------------------------------------------------------------------------------- */

static int confirm(const struct sp_session *s, enum sp_confirm_how how, struct sp_confirm *out, struct sp_error **err)
{
	sp_autotrial struct sp_trial trial = { 0 };
	sp_autostate struct sp_state st = { 0 };
	struct confirming c = { .s = s, .trial = &trial, .out = out };
	int r = sp_recover(s, &out->result, err);

	if (r == 0)
		r = sp_state_read(s, &st, err);
	if (r == 0)
		r = sp_trial_from_json(st.trial, &trial, err);
	if (r == 0)
		r = sp_trial_look(s, &trial, &out->state, &c.why, err);
	out->trial = trial.txn;
	if (r == 0 && how == SP_CONFIRM_IF_ARMED && out->state == SP_TRIAL_IDLE && !sp_fallback_stands(s))
		say(out, SP_EXIT_OK, sp_xstrdup("There is nothing to confirm."));
	else if (r == 0)
		r = how == SP_CONFIRM_CANCEL ? cancel(&c, err) : handlers[out->state](&c, err);
	if (r == 0 && out->result.unfinished)
		say(out, SP_EXIT_RECOVER, sp_xstrdup("There is something left to tidy up: run `strix-provision recover`, "
						     "then confirm again."));
	free(c.why);
	return r;
}

int sp_confirm(const struct sp_session *s, enum sp_confirm_how how, struct sp_confirm **ret, struct sp_error **err)
{
	*ret = sp_xcalloc(1, sizeof(**ret));
	return confirm(s, how, *ret, err);
}

void sp_confirm_free(struct sp_confirm *c)
{
	if (!c)
		return;
	sp_verify_free(c->verify);
	sp_result_clear(&c->result);
	free(c->sentence);
	free(c);
}
