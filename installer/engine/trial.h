/* SPDX-License-Identifier: MIT */
/*
 * The trial boot: the new command line in one extra entry, started once, beside a default that nobody touches; made
 * permanent only when the machine that came up with it is found good.
 *
 *   apply --trial  transaction: the extra entry            -> prepared
 *                  the loader's choice for one start       -> armed      (read back)
 *   restart        the loader forgets the choice, starts it -> running   (strix.trial=ID on the line)
 *                  or anything else comes up               -> failed
 *   confirm        the checks                              -> verified, or failed
 *                  transaction: what apply does            -> promoted
 *                  transaction: the extra entry goes       -> idle
 *
 * What was written is in the journals; which state that makes is read from the machine each time, so that no record of
 * ours can be wrong about what a power cut did. Until the promotion nothing but the extra entry and the choice is changed.
 */
#pragma once

#include "engine/internal.h"

enum sp_trial_event {
	SP_TRIAL_PREPARE,
	SP_TRIAL_ARM,
	SP_TRIAL_BOOT,	/* the trial's entry was started */
	SP_TRIAL_OTHER, /* the machine was started in another way */
	SP_TRIAL_GOOD,
	SP_TRIAL_BAD,
	SP_TRIAL_PROMOTE,
	SP_TRIAL_CANCEL, /* a person, or a kernel that was installed meanwhile */
	SP_TRIAL_TIDY,	 /* the extra entry is taken out */
	SP_TRIAL_EVENT__COUNT,
};
/* The state behind an event. -EINVAL: that does not happen there. */
int sp_trial_next(enum sp_trial_state state, enum sp_trial_event event);

/* The last trial, as the journals tell; txn 0: there was none. */
struct sp_trial {
	uint64_t txn;
	bool open;     /* its extra entry was not taken out yet */
	bool promoted; /* a later apply made it permanent */
	char *outcome; /* not open: "promoted", "failed", "cancelled" */
	char *why;     /* of a failure */
	char *entry;   /* its title */
	char *id;      /* by which the loader knows it */
	char *boot_id; /* of the system that prepared it */
	char *setup;
	char *before;  /* what the loader's choice was: "", or NULL: it was not set */
	struct sp_applied next; /* what is tried */
};
json_t *sp_trial_to_json(const struct sp_trial *t); /* for the journal */
int sp_trial_from_json(const json_t *json, struct sp_trial *ret, struct sp_error **err) sp_must_check;
void sp_trial_clear(struct sp_trial *t);
#define sp_autotrial sp_cleanup(sp_trial_clear)

/* What the machine shows of it. */
struct sp_trial_signs {
	bool armed, running, same_boot;
};
enum sp_trial_state sp_trial_judge(const struct sp_trial *t, const struct sp_trial_signs *signs);
/* Read the signs and judge; `why`, where it says more than the state (owned), may be NULL. */
int sp_trial_look(const struct sp_session *s, const struct sp_trial *t, enum sp_trial_state *ret, char **why,
		  struct sp_error **err) sp_must_check;

/* The checks that a trial can pass: what boot arguments do. Files come with its promotion. */
int sp_verify_trial(const struct sp_session *s, const struct sp_trial *t, struct sp_verify **ret,
		    struct sp_error **err) sp_must_check; /* verify.c */

/* once.c: the loader's choice for the next start alone; NULL and "": none. */
int sp_once_get(const struct sp_session *s, const struct sp_boot *boot, char **ret, struct sp_error **err) sp_must_check;
int sp_once_set(const struct sp_session *s, const struct sp_boot *boot, const char *value, struct sp_error **err) sp_must_check;

/* trial-end.c: take the extra entry out again, with the reason; disarms before. `outcome`: as in struct sp_trial. */
int sp_trial_end(const struct sp_session *s, struct sp_store *store, const struct sp_trial *t, const char *outcome,
		 const char *why, struct sp_result *ret, struct sp_error **err) sp_must_check;
