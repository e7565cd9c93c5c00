/* SPDX-License-Identifier: MIT */
/*
 * The firmware's carve-out: the memory that it takes from the system for
 * graphics alone ("UMA", "dedicated graphics memory"). Where it can be read
 * and set, in this order:
 *
 *   <gpu>/uma/carveout          index of the choice, since Linux 7.0
 *   <gpu>/uma/carveout_options  lines "INDEX: NAME (N GB)" or "(N MB)"; NAME may be empty
 *   /sys/class/firmware-attributes/hp-bioscfg/attributes/NAME/{current_value,possible_values}
 *                               "512 MB"; choices with ';' between. The driver reads the firmware once when it loads and
 *                               remembers what it wrote; its pending_reboot tells nothing.
 *
 * Both tell of the NEXT boot. What is in force is mem_info_vram_total (SP_FACT_VRAM_BYTES). Some firmware offers "Auto",
 * which is no size. Everything here is read without root rights. Sizes are MiB.
 */
#pragma once

#include "hw/facts.h"

enum sp_uma_kind { SP_UMA_AMDGPU, SP_UMA_ATTRIBUTE };

struct sp_uma_choice {
	char *text;   /* what is written to choose it: "3", "512 MB" */
	char *name;   /* what the firmware calls it: "Medium (8 GB)", "512 MB" */
	uint64_t mib; /* 0: it is no size, such as "Auto" */
};

struct sp_uma_source {
	enum sp_uma_kind kind;
	char *name; /* "amdgpu", "hp-bioscfg 'Dedicated Graphics Memory'" */
	char *path; /* the file that is read, and written */
	char *value;	/* its text; NULL: it cannot be read */
	uint64_t mib;	/* of the value; 0: no size, or not known */
	char *why;	/* mib is 0: the reason */
	struct sp_uma_choice *choices;
	size_t n_choices; /* 0: it does not tell them */
	bool read_only;
};

struct sp_carveout {
	struct sp_uma_source *sources; /* all that there are, in their order */
	size_t n_sources;
	const struct sp_uma_source *source; /* the first that tells a size, else the first that can be read; NULL: none */
	/* Of hp-bioscfg, where that is the source: */
	char *credential; /* file that takes the password before each write; NULL: none is set */
	bool sure_admin;  /* changes must be signed; no password will do */
	bool no_password_object; /* the driver then refuses every write */
};

/* gpu: its PCI address, NULL: not known. */
void sp_carveout_read(const struct sp_root *machine, const char *gpu, struct sp_carveout *ret);
void sp_carveout_clear(struct sp_carveout *c);
#define sp_autocarveout sp_cleanup(sp_carveout_clear)

/* The choice of this size; NULL: it is not offered. */
const struct sp_uma_choice *sp_uma_choice(const struct sp_uma_source *s, uint64_t mib);
/* The choice that is nearest to it, the smaller of two; NULL: no choice is a size. */
const struct sp_uma_choice *sp_uma_nearest(const struct sp_uma_source *s, uint64_t mib);
/* The driver's number and the firmware's name of a size may differ by a little. */
static inline bool sp_uma_same(uint64_t a_mib, uint64_t b_mib)
{
	return a_mib < b_mib ? b_mib - a_mib < 256 : a_mib - b_mib < 256;
}
