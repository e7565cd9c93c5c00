/* SPDX-License-Identifier: MIT */
/*
 * Trees under --root that somebody unfriendly wrote, and what the program must not do with them.
 *
 * One case: a fresh copy of a recorded machine below SCRATCH/tree, one thing in it made hostile, one run of the program.
 * Then judge() looks at everything that must hold after each: see judge.c. Beside the tree lies SCRATCH/outside, a copy
 * of the same machine that nothing may read or change: every link that leads out of the tree leads to the same path in
 * there, so that an escape finds what it looks for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/str.h"

#define MARK "CANARY-a81f2c" /* in every file outside; shown nowhere */

/* --- main.c: counting ------------------------------------------------------------------------------------------- */

struct lab {
	const char *bin, *data, *sp_tree, *machine; /* program, catalogues, unpacker, recorded machine */
	char *scratch, *tree, *outside;
	int watch;		 /* inotify on all of outside */
	bool root;		 /* we are root: devices, owners, capabilities */
	bool procfs;		 /* a real /proc is mounted at SCRATCH/tree/realproc */
	unsigned every, worker, workers; /* of all cases, each `every`th; these shared among workers */
	unsigned seen, taken;	 /* cases so far, and those of them that somebody took */
	char *about;		 /* the case at hand */
	const char *spoilt;	 /* the path that it has made hostile, NULL: not one path */
	bool swapped;		 /* and it may be ours or theirs when the program ends */
	struct sp_strv states;	 /* names of the saved trees */
};

_Noreturn void die(const char *fmt, ...) sp_printf(1, 2);
/* Is this case one of those to be done? What it is about is told with each violation. */
bool take_case(struct lab *lab, const char *fmt, ...) sp_printf(2, 3);
void violation(struct lab *lab, const char *fmt, ...) sp_printf(2, 3);
void skipped(struct lab *lab, const char *why);

/* --- tree.c ------------------------------------------------------------------------------------------------------ */

void copy_tree(const char *from, const char *to); /* `to` may be there, and empty */
void clear_tree(const char *dir);		  /* what is in it, not what is mounted in it */
/* Every file in it, without following links. */
void each_file(const char *dir, void (*see)(void *data, const char *path, const struct stat *st), void *data);
bool put_text(const char *path, const void *data, size_t len, mode_t mode); /* false: it may not be */
void write_text(const char *path, const void *data, size_t len, mode_t mode);
struct sp_buf read_text(const char *path);
void make_dirs_above(const char *path);
void save_state(struct lab *lab, const char *name); /* the tree as it is now */
void load_state(struct lab *lab, const char *name);

/* --- canary.c ---------------------------------------------------------------------------------------------------- */

void canary_make(struct lab *lab);
/* From here to canary_check() outside must stay as it is. links_may_drop: a case has put hard links to it in the tree. */
void canary_arm(struct lab *lab);
void canary_check(struct lab *lab, bool links_may_drop);

/* --- run.c: one run of the program ------------------------------------------------------------------------------- */

struct result {
	int status; /* exit status; 128 + signal */
	bool late;
	struct sp_buf out, err;
};
struct command {
	const char *name, *state; /* of the tree it is run on */
	const char *args[6];
	bool record; /* takes --output */
};
extern const struct command commands[];
extern const size_t n_commands;

enum run_flags {
	RUN_NO_OPENAT2 = 1 << 0, /* the kernel says that it has none */
	RUN_JSON = 1 << 1,
};
/* The argument vector; owned by the lab until the next call. */
char **arguments(struct lab *lab, const struct command *c, unsigned flags);
pid_t start_program(struct lab *lab, char **argv, unsigned flags, bool traced, int *out, int *err);
void finish_program(pid_t pid, int out, int err, struct result *ret);
void run_program(struct lab *lab, const struct command *c, unsigned flags, struct result *ret);
void collect_output(int out, int err, struct result *ret);
void result_clear(struct result *r);

/* --- judge.c ------------------------------------------------------------------------------------------------------ */

void judge(struct lab *lab, const struct command *c, unsigned flags, const struct result *r);
void judge_output(struct lab *lab, unsigned flags, const struct result *r);

/* --- trace.c: every call that names a file ------------------------------------------------------------------------ */

struct trace {
	struct lab *lab;
	struct sp_strv paths; /* in the tree, relative to it, in the order of their first use; each once */
	struct sp_strv steps; /* one for each call: the path of that call */
	struct sp_strv strays; /* outside of the tree, and nothing that a program needs to start */
	/* Before and after each call that names a file in the tree; true: kill the program. */
	bool (*before)(void *data, size_t step, long call, const char *path);
	void (*after)(void *data, size_t step);
	void (*at_exit)(void *data, pid_t pid);
	void *data;
};
/* False: nobody may be traced here. */
bool trace_program(struct lab *lab, const struct command *c, unsigned flags, struct trace *t, struct result *ret);
void trace_clear(struct trace *t);
bool trace_filter(void); /* for start_program(): in the child */

/* --- kinds.c: what a component can be replaced by ----------------------------------------------------------------- */

struct kind {
	const char *name;
	/* False: it does not go with this component, or not here. path: relative to the tree. */
	bool (*make)(struct lab *lab, const char *path);
	bool leads_out;
};
extern const struct kind kinds[];
extern const size_t n_kinds;
/* The text of a link that leads from the tree's component to the same one outside. which: 0 absolute, 1 upwards, 2 and 3
 * through a magic link of /proc. Owned; NULL: not here. */
char *way_out(struct lab *lab, const char *path, int which);

/* --- parts ---------------------------------------------------------------------------------------------------------- */

bool components_of(struct lab *lab, const struct command *c, struct sp_strv *ret, struct sp_strv *steps);
void prepare_states(struct lab *lab);
void walk(struct lab *lab);
void swap_in_steps(struct lab *lab);
void swap_in_a_loop(struct lab *lab);
void forge_journal(struct lab *lab);
void forge_links(struct lab *lab);
void forge_json(struct lab *lab);
void process(struct lab *lab);
