/* SPDX-License-Identifier: MIT */
/* The states of a trial, in one table, and what the machine shows of them. Pure. */
#include <errno.h>

#include "engine/trial.h"

static const char *const state_names[SP_TRIAL__COUNT] = {
	"idle", "prepared", "armed", "running", "verified", "promoted", "failed",
};

const char *sp_trial_state_name(enum sp_trial_state state)
{
	return state_names[state];
}

static const struct {
	enum sp_trial_state from;
	enum sp_trial_event event;
	enum sp_trial_state to;
} edges[] = {
	{ SP_TRIAL_IDLE, SP_TRIAL_PREPARE, SP_TRIAL_PREPARED },
	{ SP_TRIAL_PREPARED, SP_TRIAL_ARM, SP_TRIAL_ARMED },
	{ SP_TRIAL_PREPARED, SP_TRIAL_OTHER, SP_TRIAL_FAILED }, /* a crash came before it was armed */
	{ SP_TRIAL_PREPARED, SP_TRIAL_CANCEL, SP_TRIAL_FAILED },
	{ SP_TRIAL_ARMED, SP_TRIAL_BOOT, SP_TRIAL_RUNNING },
	{ SP_TRIAL_ARMED, SP_TRIAL_OTHER, SP_TRIAL_FAILED }, /* it did not come up, and the default did */
	{ SP_TRIAL_ARMED, SP_TRIAL_CANCEL, SP_TRIAL_FAILED },
	{ SP_TRIAL_RUNNING, SP_TRIAL_GOOD, SP_TRIAL_VERIFIED },
	{ SP_TRIAL_RUNNING, SP_TRIAL_BAD, SP_TRIAL_FAILED },
	{ SP_TRIAL_RUNNING, SP_TRIAL_OTHER, SP_TRIAL_FAILED }, /* started anew before it was confirmed */
	{ SP_TRIAL_RUNNING, SP_TRIAL_CANCEL, SP_TRIAL_FAILED },
	{ SP_TRIAL_VERIFIED, SP_TRIAL_PROMOTE, SP_TRIAL_PROMOTED },
	{ SP_TRIAL_VERIFIED, SP_TRIAL_BAD, SP_TRIAL_RUNNING }, /* the promotion failed and was undone */
	{ SP_TRIAL_VERIFIED, SP_TRIAL_OTHER, SP_TRIAL_FAILED },
	{ SP_TRIAL_PROMOTED, SP_TRIAL_TIDY, SP_TRIAL_IDLE },
	{ SP_TRIAL_FAILED, SP_TRIAL_TIDY, SP_TRIAL_IDLE },
};

int sp_trial_next(enum sp_trial_state state, enum sp_trial_event event)
{
	for (size_t i = 0; i < SP_ELEMENTS(edges); i++)
		if (edges[i].from == state && edges[i].event == event)
			return (int) edges[i].to;
	return -EINVAL;
}

/* What must have happened, in order; the table says where that leads. */
static enum sp_trial_state replay(const enum sp_trial_event *events, size_t n)
{
	int state = SP_TRIAL_IDLE;

	for (size_t i = 0; i < n && state >= 0; i++)
		state = sp_trial_next((enum sp_trial_state) state, events[i]);
	return state < 0 ? SP_TRIAL_FAILED : (enum sp_trial_state) state;
}

enum sp_trial_state sp_trial_judge(const struct sp_trial *t, const struct sp_trial_signs *signs)
{
	static const enum sp_trial_event promoted[] = { SP_TRIAL_PREPARE, SP_TRIAL_ARM, SP_TRIAL_BOOT, SP_TRIAL_GOOD,
							SP_TRIAL_PROMOTE };
	static const enum sp_trial_event other[] = { SP_TRIAL_PREPARE, SP_TRIAL_OTHER };

	if (!t->open)
		return SP_TRIAL_IDLE;
	if (t->promoted)
		return replay(promoted, SP_ELEMENTS(promoted));
	if (signs->running)
		return replay(promoted, 3);
	if (signs->armed)
		return replay(promoted, 2);
	return signs->same_boot ? replay(promoted, 1) : replay(other, SP_ELEMENTS(other));
}
