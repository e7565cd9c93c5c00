/* SPDX-License-Identifier: MIT */
/* Every call of every command, times every fault; shared out to several processes. */
#include "crash.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "plan.h"

enum { SHOWN = 5, THOROUGH_EVERY = 4 };

enum when { ALWAYS, WRITES, IN_TURN }; /* at every call, at every write, at every call one of these */

static const struct {
	const char *name;
	enum fault_kind kind;
	int error;
	enum when when;
} faults[] = {
	{ "killed before", FAULT_KILL, 0, ALWAYS },
	{ "killed after", FAULT_KILL_AFTER, 0, ALWAYS },
	{ "EIO", FAULT_ERROR, EIO, ALWAYS },
	{ "ENOSPC", FAULT_ERROR, ENOSPC, ALWAYS },
	{ "EROFS", FAULT_ERROR, EROFS, ALWAYS },
	{ "EDQUOT", FAULT_ERROR, EDQUOT, ALWAYS },
	{ "EINTR", FAULT_ERROR, EINTR, ALWAYS },
	{ "half written", FAULT_SHORT, 0, WRITES },
	{ "half written, and killed", FAULT_TORN, 0, WRITES },
	{ "EIO though it was done", FAULT_LATE_ERROR, EIO, IN_TURN },
	{ "ENOSPC from here on", FAULT_STUCK, ENOSPC, IN_TURN },
	{ "EROFS from here on", FAULT_STUCK, EROFS, IN_TURN },
	{ "EIO from here on", FAULT_STUCK, EIO, IN_TURN },
};
enum { N_IN_TURN = 4 };

struct job {
	const struct scenario *s;
	size_t at, fault;
	bool thorough;
};
struct jobs {
	struct job *v;
	size_t n;
};

/* What a worker tells: shared memory. */
struct result {
	unsigned char state, bad;
};

/* --- which faults ------------------------------------------------------------------------------------------------ */

static bool fits(const struct call *c, size_t at, size_t fault)
{
	if (faults[fault].when == WRITES)
		return c->type->kind == CALL_DATA && c->type->len == 2 && c->result > 1;
	return faults[fault].when == ALWAYS || (at + fault) % N_IN_TURN == 0;
}

static void add_job(struct jobs *all, const struct scenario *s, size_t at, size_t fault)
{
	if (all->n % 256 == 0)
		all->v = sp_xrealloc(all->v, all->n + 256, sizeof(*all->v));
	all->v[all->n] = (struct job){ s, at, fault, all->n % THOROUGH_EVERY == 0 };
	all->n++;
}

/* Recoveries are many and alike: one is killed at each call, and has another fault there, each in turn. */
static void add_scenario(struct jobs *all, const struct scenario *s)
{
	const size_t n = SP_ELEMENTS(faults), first = all->n;

	for (size_t at = 0; at < s->calls.n; at++)
		for (size_t fault = 0; fault < n; fault++) {
			const bool turn = fault == 0 || fault == 1 + (at + first) % (n - 1);
			if (s->recovers ? turn && (faults[fault].when != WRITES || fits(&s->calls.v[at], at, fault)) :
					  fits(&s->calls.v[at], at, fault))
				add_job(all, s, at, fault);
		}
}

/* At most max, spread evenly. */
static void thin_out(struct jobs *all, size_t max)
{
	if (max == 0 || all->n <= max)
		return;
	for (size_t i = 0; i < max; i++)
		all->v[i] = all->v[i * all->n / max];
	all->n = max;
}

/* --- workers ----------------------------------------------------------------------------------------------------- */

static struct fault fault_of(const struct job *j)
{
	return (struct fault){ .kind = faults[j->fault].kind, .error = faults[j->fault].error, .at = j->at };
}

static void tell(const struct matrix_options *o, const struct job *j, const struct sp_strv *problems)
{
	const struct call *c = &j->s->calls.v[j->at];
	sp_autobuf struct sp_buf b = { 0 };

	sp_buf_addf(&b, "# %s %s: call %zu, %s %s: %s\n", o->name, j->s->group, j->at + 1, c->type->name,
		    c->path ? c->path : "", faults[j->fault].name);
	for (size_t i = 0; i < problems->n; i++)
		sp_buf_addf(&b, "#     %s\n", problems->v[i]);
	if (write(STDOUT_FILENO, b.data, b.len) < 0) /* one call: workers do not mix their lines */
		die("standard output");
}

static _Noreturn void work(const struct matrix_options *o, const struct jobs *all, unsigned worker, struct result *results)
{
	sp_autofree char *root = sp_xasprintf("%s/worker-%u", o->scratch, worker);
	struct program p = o->program;
	size_t shown = 0;

	p.root = root;
	for (size_t i = worker; i < all->n; i += o->jobs) {
		const struct job *j = &all->v[i];
		const struct fault f = fault_of(j);
		sp_autostrv struct sp_strv problems = { 0 };

		results[i].state = (unsigned char) judge(j->s, &p, &f, j->thorough, &problems);
		results[i].bad = problems.n > 0;
		if (problems.n > 0 && shown++ < SHOWN)
			tell(o, j, &problems);
	}
	_exit(0); /* what the parent holds is not ours to free */
}

static void run_jobs(const struct matrix_options *o, const struct jobs *all, struct result *results)
{
	sp_autofree pid_t *pids = sp_xcalloc(o->jobs, sizeof(*pids));

	(void) fflush(NULL);
	for (unsigned i = 0; i < o->jobs; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (pids[i] == 0)
			work(o, all, i, results);
	}
	for (unsigned i = 0; i < o->jobs; i++) {
		int status = 0;
		errno = 0;
		if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
			die("a worker failed");
	}
}

/* Returns the number of violations. */
static size_t run_group(const struct matrix_options *o, const char *group, const struct jobs *all)
{
	size_t count[3] = { 0 }, bad = 0, size = (all->n + 1) * sizeof(struct result);
	struct result *r = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (r == MAP_FAILED)
		die("no memory");
	run_jobs(o, all, r);
	for (size_t i = 0; i < all->n; i++) {
		count[r[i].state]++;
		bad += r[i].bad;
	}
	(void) munmap(r, size);
	(void) printf("%s %s: %zu faults, %zu violations (%zu old, %zu new)\n", o->name, group, all->n, bad,
		      count[STATE_OLD], count[STATE_NEW]);
	return bad;
}

static void make_roots(const struct matrix_options *o)
{
	for (unsigned i = 0; i < o->jobs; i++) {
		sp_autofree char *root = sp_xasprintf("%s/worker-%u", o->scratch, i);
		if (mkdir(root, 0755) < 0 && errno != EEXIST)
			die("%s", root);
	}
}

size_t matrix(const struct matrix_options *o)
{
	struct plan plan;
	size_t bad = 0;

	make_roots(o);
	plan_make(&o->program, &o->groups, o->max_recover, &plan);
	for (size_t i = 0; i < plan.n;) {
		const struct scenario *s = &plan.v[i];
		const char *group = s->group;
		struct jobs all = { 0 };

		for (; i < plan.n && plan.v[i].group == group; i++)
			if (group)
				add_scenario(&all, &plan.v[i]);
		thin_out(&all, s->recovers && o->max_recover ? o->max_recover : o->max);
		if (group)
			bad += run_group(o, group, &all);
		free(all.v);
	}
	plan_clear(&plan);
	return bad;
}
