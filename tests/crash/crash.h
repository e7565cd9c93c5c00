/* SPDX-License-Identifier: MIT */
/*
 * sp-fault: the program under fire. It runs strix-provision under ptrace(2), stopping only at the system calls that
 * change a disk or make a change durable (a seccomp filter picks them), and at one of them it kills the program, or
 * lets the call fail. What is left on disk is then looked at from outside.
 *
 *   calls.c   the system calls, and the filter      trace.c    run, stop, inject
 *   log.c     a trace as text, and back             order.c    the rules of what is durable before what
 *   tree.c    a tree in memory: load, put back, compare
 *   machine.c what the commands are run on          judge.c    what must hold after a fault
 *   matrix.c  every call times every fault          main.c     the command line
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "base/str.h"

#define STATE_DIR "/var/lib/strix-provision"

_Noreturn void die(const char *fmt, ...) sp_printf(1, 2); /* with errno where it is not 0; exit status 2 */

void time_now(struct timespec *ret); /* as files are stamped */

/* --- calls.c ----------------------------------------------------------------------------------------------------- */

enum call_kind {
	CALL_CREATE, /* open with O_CREAT or O_TRUNC */
	CALL_DATA,   /* bytes, or what belongs to a file but its name */
	CALL_CUT,    /* ftruncate */
	CALL_SYNC,   /* one file or folder */
	CALL_SYNCFS, /* a file system; ioctl: only FIFREEZE */
	CALL_RENAME,
	CALL_NAME,   /* makes a name: mkdir, symlink, link */
	CALL_UNLINK,
	CALL_CLOSE, /* of a file that was made here: it may tell of a failed write */
};

/* Numbers of arguments; -1: it has none. `dir` -1 with a path: from the working directory. */
struct call_type {
	long nr;
	const char *name;
	enum call_kind kind;
	int8_t fd, dir, path, dir2, path2, len;
	int8_t mask_arg; /* only where this argument has a bit of `mask`; -1: always */
	uint32_t mask;
};
extern const struct call_type call_types[];
extern const size_t n_call_types;
const struct call_type *call_type_by_nr(long nr);
const struct call_type *call_type_by_name(const char *name);
int install_filter(void); /* of this process and all it becomes: a tracer is told of these calls */

/* --- trace.c ----------------------------------------------------------------------------------------------------- */

/* One call as it was made. Paths are those of the tree ("/etc/default/grub"), or absolute where they are not in it. */
struct call {
	const struct call_type *type;
	long result;   /* negative errno */
	bool fresh;    /* CALL_CREATE: there was no such file; CALL_RENAME: RENAME_EXCHANGE */
	uint64_t size; /* CALL_CUT: the new one; ioctl: what is asked */
	uint64_t dev;  /* of the file, or of the folder where a name is made */
	char *path, *path2;
	char *text; /* what was written to a journal */
};
struct calls {
	struct call *v;
	size_t n;
};
void calls_clear(struct calls *c);

enum fault_kind {
	FAULT_NONE,
	FAULT_KILL,	  /* before the call */
	FAULT_KILL_AFTER,
	FAULT_ERROR,	  /* it fails; nothing is done */
	FAULT_LATE_ERROR, /* it is done, and fails all the same */
	FAULT_STUCK,	  /* it fails, and so does every one after it */
	FAULT_SHORT,	  /* half of the bytes are written */
	FAULT_TORN,	  /* half of the bytes are written, and then it is killed */
	FAULT_SIGNAL,	  /* a signal arrives before the call */
};
struct fault {
	enum fault_kind kind;
	int error; /* errno, or the signal */
	const struct call_type *type; /* count calls of this one; NULL: all */
	size_t at; /* which, from 0 */
};

struct program {
	const char *root;	 /* absolute path of the tree */
	const char *const *argv; /* the program and what comes before its arguments */
	bool live;		 /* the tree is "/" of a mount namespace, with the host's files in /host */
};

struct outcome {
	int status;	/* as wait(2) has it */
	bool hit;	/* the fault was reached */
	bool timed_out;
	struct sp_buf out, err;
	struct calls calls; /* those of the program itself, not of its children */
};
void outcome_clear(struct outcome *o);
#define autooutcome sp_cleanup(outcome_clear)
int outcome_exit(const struct outcome *o); /* exit status; -1: killed */

/* Run to the end; children are waited for, too. `fault` NULL: none. trace false: not traced at all, which is faster. */
void run_program(const struct program *p, const char *const *args, bool trace, const struct fault *fault,
		 struct outcome *ret);

/* --- log.c ------------------------------------------------------------------------------------------------------- */

void log_write(FILE *f, const struct calls *c);
void log_read(const char *path, struct calls *ret); /* appends */

/* --- order.c ----------------------------------------------------------------------------------------------------- */

struct order; /* what is on disk for certain, as the calls tell */
struct order *order_new(void);
void order_feed(struct order *o, const struct calls *c, size_t without /* SIZE_MAX: none */);
/* The program ended by itself, and said that all is well: nothing may be pending. */
void order_end(struct order *o);
const struct sp_strv *order_broken(const struct order *o); /* rules, with the path and the number of the call */
size_t order_publishes(const struct order *o);
void order_free(struct order *o);

/* --- tree.c ------------------------------------------------------------------------------------------------------ */

struct node {
	char *path; /* "/etc/fstab" */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	struct sp_buf bytes;  /* or the text of a link */
	struct sp_buf xattrs; /* names and values, sorted */
};
struct tree {
	struct node *v; /* sorted by path */
	size_t n;
};
void tree_load(const char *dir, struct tree *ret);
/* Make `dir` what it was; only what differs is written. */
void tree_restore(const struct tree *t, const char *dir);
const struct node *tree_find(const struct tree *t, const char *path);
/*
 * Does `now` equal `want`, as the system sees it (without the state directory, sys and proc)? With `base`, a file that
 * `want` has otherwise than `base` was written since: its mtime may be any from `since` on. Differences are added to
 * `diff` when it is not NULL.
 */
bool tree_equal(const struct tree *now, const struct tree *want, const struct tree *base, const struct timespec *since,
		struct sp_strv *diff);
/* To the last byte, with the state directory. */
bool tree_same(const struct tree *a, const struct tree *b);
void tree_clear(struct tree *t);
#define autotree sp_cleanup(tree_clear)

/* --- machine.c --------------------------------------------------------------------------------------------------- */

/*
 * Can every menu entry boot? root= is there; the kernel and the initial RAM disks that it names are (or were not in
 * known[0], either: another system's); each of our tokens at most once; there are as many entries as in both known trees.
 * What is wrong is added. It reads the files itself (a row of `formats` each); a machine without any that it knows is a
 * problem.
 */
void check_entries(const struct tree *now, const struct tree *const known[2], const struct sp_strv *tokens,
		   struct sp_strv *problems);

/* --- judge.c ----------------------------------------------------------------------------------------------------- */

enum state { STATE_OLD, STATE_NEW, STATE_NEITHER };

/* One command on one tree, and what may come out. Trees are borrowed. */
struct scenario {
	const char *group;
	const char *const *args;  /* of the command that is put under fire */
	bool recovers;		  /* it is `recover`, and `start` was left by `prior` */
	const struct tree *start;
	struct calls prior;
	struct timespec since; /* `recovers`: that run began */
	const struct tree *pristine;  /* before the first apply; NULL: not known */
	const struct tree *result[2]; /* STATE_OLD, STATE_NEW */
	bool new_exact;		      /* the new tree has known mtimes */
	const char *const *again;     /* is run when all is over, and leaves: */
	const struct tree *settled[2];
	char *list[2];		      /* transactions that stand, as status tells */
	int verify[2];		      /* exit status */
	const struct sp_strv *tokens; /* ours on the command line */
	struct calls calls;	      /* of a run without a fault */
};

/*
 * Run the scenario in the tree p->root with one fault, recover, and add what is wrong to `problems`. Returns what came
 * out. thorough: also what the next apply and a rollback of everything do.
 */
enum state judge(const struct scenario *s, const struct program *p, const struct fault *f, bool thorough,
		 struct sp_strv *problems);

/* Transactions that stand, as `status --json` tells ("1 apply committed, 2 ..."), owned; NULL: it is no such report. */
char *standing(const struct outcome *status, bool *interrupted);

/* --- matrix.c ---------------------------------------------------------------------------------------------------- */

struct matrix_options {
	const char *name;	 /* in front of each group's */
	struct program program;	 /* its root is the tree to begin with */
	const char *scratch;	 /* a folder to work in */
	struct sp_strv groups;	 /* empty: all but "here" */
	size_t max;		 /* faults a group; 0: all */
	size_t max_recover;	 /* the same of a group of recoveries, which are many and alike; also how many runs to recover */
	unsigned jobs;
};
/* Prints "NAME GROUP: N faults, V violations (...)" and returns the number of violations. */
size_t matrix(const struct matrix_options *o);
