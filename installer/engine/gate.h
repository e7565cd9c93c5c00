/* SPDX-License-Identifier: MIT */
/*
 * The gate: which carve-out will the NEXT boot have, is the firmware to be
 * written for it, and may the machine restart into sizes that were computed
 * for it? Pure. Sizes are MiB.
 *
 *   keep, or nothing said   the carve-out stays; a large one that nobody accepted is red
 *   --uma SIZE              written where the firmware can be; where it cannot: sized for the one there is, red
 *   --uma-by-hand SIZE      the administrator's word: sized for it, red until the firmware tells the same
 *
 * A size that is not on offer is refused with the nearest that is. Only a size that is asked for now, by the command line
 * or the configuration, is written; one that is merely recorded is not.
 *
 * Known firmware: "Auto" (no size is told; the carve-out in force counts), 512 MB that turns up as 4 GiB (ROG Flow Z13,
 * nix-amd-ai #42), choices that start at 2 GB (EVO-X2 BIOS 1.12).
 */
#pragma once

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/config.h"
#include "hw/carveout.h"

#define SP_UMA_SMALL_MIB 4096 /* up to here a carve-out is not worth a trip to the setup screen */

/* What we last wrote to the firmware, and whether the machine was restarted since. */
enum sp_told { SP_TOLD_NOTHING, SP_TOLD_NOW, SP_TOLD_BEFORE };

struct sp_gate_input {
	enum sp_uma uma;
	uint64_t uma_mib;
	bool asked; /* now, and not only by an earlier apply */
	bool foreign; /* a recorded machine, whose firmware is not written */
	uint64_t now_mib; /* in force; 0: not known */
	enum sp_told told; /* its value is what we wrote */
	const struct sp_carveout *firmware;
	const struct sp_platform *platform; /* NULL: none, and then nothing is red by itself */
};

enum sp_gate_state {
	SP_GATE_GREEN,
	SP_GATE_LARGE,	 /* the carve-out takes memory that the GPU could share, and nobody has accepted it */
	SP_GATE_UNSET,	 /* another one was asked for and is not set; sizes are for the one there is */
	SP_GATE_BY_HAND, /* sizes are for the one that the administrator is to set */
};
const char *sp_gate_state_name(enum sp_gate_state state); /* "green", "large", "unset", "by-hand" */

struct sp_gate {
	enum sp_gate_state state;
	uint64_t carve_out_mib; /* of the next boot, after the plan is carried out; 0: not known */
	const struct sp_uma_choice *write; /* NULL: the firmware is not written. Borrowed from the input */
	bool shrinks;	       /* write makes the carve-out smaller: the firmware goes before the files */
	uint64_t least_mib;    /* the smallest on offer; 512 where that is not known */
	uint64_t proposal_mib; /* asked for is not on offer, and this is nearest; 0: it is, or nothing is known */
	char *text;	       /* not green: what to do */
	struct sp_strv warnings;
	struct sp_error *refusal; /* apply must end with this before it writes anything; NULL: it may go on */
};
void sp_gate_decide(const struct sp_gate_input *in, struct sp_gate *ret);
void sp_gate_clear(struct sp_gate *g);

/* Why the firmware cannot be written at all; NULL: it can. Borrowed. */
const char *sp_gate_cannot_write(const struct sp_gate_input *in);
/* What --uma takes: "512M", "32G" (owned). */
char *sp_uma_argument(uint64_t mib);
/* A value of the source as people write it: "512 MB" for the index 0; what is no size as the firmware names it (owned). */
char *sp_uma_shown(const struct sp_uma_source *s, const char *value);
/* "512 MB, 4 GB and 8 GB": names of all choices (owned). */
char *sp_uma_offers(const struct sp_uma_source *s);
/* "press F10, choose Advanced > ...": how this model gets to the option (owned). platform may be NULL. */
char *sp_setup_way(const struct sp_platform *platform);
