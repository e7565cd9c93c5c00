/* SPDX-License-Identifier: MIT */
/* What the forgeries share. */
#pragma once

#include "mutate.h"

#define STATE "var/lib/strix-provision"

extern const struct command journal_readers[]; /* the state "applied-stateless" is "applied" without state.json */
extern const size_t n_journal_readers;
bool has_state(struct lab *lab, const struct command *c);
void load_for(struct lab *lab, const struct command *c);
void judge_run(struct lab *lab, const struct command *c, unsigned flags);
