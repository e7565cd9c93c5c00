/* SPDX-License-Identifier: MIT */
/* Start a program with clean surroundings, its output kept in memory. */
#pragma once

#include "crash.h"

enum {
	RUN_CANNOT = 125,  /* exit status: it could not even be started */
	RUN_SECONDS = 120, /* then it hangs */
};

struct run_files {
	int out, err;
};
void run_files_open(struct run_files *f);
void run_files_read(struct run_files *f, struct outcome *ret); /* and closes them */
pid_t run_start(const struct program *p, const char *const *args, const struct run_files *f, void (*first)(void));
void run_clock(bool on); /* interrupts a wait when it runs out */
