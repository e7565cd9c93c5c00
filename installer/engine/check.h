/* SPDX-License-Identifier: MIT */
/* The checks of verify: one file per layer, each adds rows. */
#pragma once

#include "engine/internal.h"

struct sp_verifier {
	const struct sp_session *s;
	const struct sp_facts *facts;
	const struct sp_boot *boot; /* NULL: cannot be read; boot_why says why */
	const char *boot_why;
	const struct sp_applied *applied;
	bool same_boot; /* the system was not restarted since the apply */
	struct sp_dropins dropins[SP_DEST__COUNT]; /* read when the first setting asks */
	struct sp_verify *out;
};

/* Add a row; actual and reason are owned from now on and may be NULL. */
void sp_check_add(struct sp_verifier *v, const struct sp_applied_setting *s, enum sp_layer layer, const char *expected,
		  char *actual, enum sp_check_result result, char *reason);

/*
 * Why the running kernel cannot have the setting yet, and need not: it was not restarted since the apply, or not by a
 * menu that was still to be made. NULL: it must have it. Borrowed.
 */
const char *sp_check_waiting(const struct sp_verifier *v, const struct sp_applied_setting *s);

void sp_check_line(struct sp_verifier *v, const struct sp_applied_setting *s);	 /* disk, entry, cmdline */
void sp_check_cmdline(struct sp_verifier *v, const struct sp_applied_setting *s); /* cmdline alone */
void sp_check_dropin(struct sp_verifier *v, const struct sp_applied_setting *s); /* disk */
void sp_check_live(struct sp_verifier *v, const struct sp_applied_setting *s);	 /* live */
void sp_check_effect(struct sp_verifier *v, const struct sp_applied_setting *s); /* effect */
/* The carve-out, now and at the next start, and the memory beside it. told: sp_state.told. */
void sp_check_firmware(struct sp_verifier *v, const json_t *told);
/* After a rollback: is this token of ours really gone? */
void sp_check_gone(struct sp_verifier *v, const struct sp_applied_setting *s);
