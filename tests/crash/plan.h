/* SPDX-License-Identifier: MIT */
/* Which commands are put under fire on one machine: each with what it finds and what may come out. */
#pragma once

#include "crash.h"

struct plan {
	struct sp_strv tokens;
	struct tree_list { /* owned trees; each by itself, as scenarios point to them */
		struct tree **v;
		size_t n;
	} trees;
	struct scenario *v;
	size_t n;
};
/*
 * Runs every command once, in p->root, which is left in any state; a command that fails there ends the program. max: how
 * many interrupted runs there are to recover, of each command; 0: one for every call.
 */
void plan_make(const struct program *p, const struct sp_strv *groups, size_t max, struct plan *ret);
void plan_clear(struct plan *plan);
