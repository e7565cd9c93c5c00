/* SPDX-License-Identifier: MIT */
/*
 * A component that is exchanged between check and use: exactly, by stopping the program before each of its system calls
 * that names a file; and by chance, by a process that exchanges in a loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "hostile.h"

/* What waits to take the place of a component; made in the lab's own folder, on the same file system. */
static const struct evil {
	const char *name;
	int way; /* of way_out(); -1: a FIFO, -2: an empty folder, -3: a FIFO that is not there until it is */
} evils[] = {
	{ "a link to an absolute path outside", 0 }, { "a link up and out", 1 },  { "a link through /proc/self/root", 2 },
	{ "a link through /proc/self/cwd", 3 },	     { "a FIFO", -1 },		  { "an empty folder", -2 },
};

static char *make_evil(struct lab *lab, const struct evil *e, const char *path)
{
	sp_autofree char *at = sp_xasprintf("%s/evil", lab->scratch);
	sp_autofree char *text = e->way >= 0 ? way_out(lab, path, e->way) : NULL;
	int r;

	clear_tree(at);
	(void) rmdir(at);
	(void) unlink(at);
	if (e->way >= 0)
		r = text ? symlink(text, at) : -1;
	else
		r = e->way == -1 ? mkfifo(at, 0666) : mkdir(at, 0755);
	return r < 0 ? NULL : sp_steal(at);
}

struct swap {
	char *here, *evil;
	size_t at;     /* the step before which they change places */
	bool stays, done;
};

static void exchange(struct swap *s)
{
	/* What is not there is put there, and taken away again. */
	if (renameat2(AT_FDCWD, s->here, AT_FDCWD, s->evil, RENAME_EXCHANGE) < 0 && errno == ENOENT &&
	    renameat2(AT_FDCWD, s->evil, AT_FDCWD, s->here, RENAME_NOREPLACE) < 0)
		(void) renameat2(AT_FDCWD, s->here, AT_FDCWD, s->evil, RENAME_NOREPLACE);
}

static bool swap_before(void *data, size_t step, long call, const char *path)
{
	struct swap *s = data;

	(void) call;
	(void) path;
	if (step == s->at) {
		exchange(s);
		s->done = true;
	}
	return false;
}

static void swap_after(void *data, size_t step)
{
	struct swap *s = data;

	if (step == s->at && s->done && !s->stays)
		exchange(s);
}

static void put_good_back(struct lab *lab, struct swap *s, const struct evil *e)
{
	struct stat st;

	(void) lab;
	if (lstat(s->here, &st) < 0)
		return;
	if (e->way >= 0 ? S_ISLNK(st.st_mode) : e->way == -1 ? S_ISFIFO(st.st_mode) : lstat(s->evil, &st) == 0)
		exchange(s);
	if (lstat(s->here, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISLNK(st.st_mode)))
		(void) unlink(s->here);
}

/* Whatever came of it, the next recovery on a quiet tree must end well or say why, and touch nothing outside. */
static void recover_after(struct lab *lab)
{
	static const struct command recover = { "recover", "", { "recover", NULL }, false };
	struct result r = { 0 };

	run_program(lab, &recover, RUN_JSON, &r);
	canary_check(lab, false);
	judge(lab, &recover, RUN_JSON, &r);
	result_clear(&r);
}

static void step_case(struct lab *lab, const struct command *c, const struct evil *e, const char *component, size_t step,
		      unsigned flags)
{
	struct swap s = { .at = step, .stays = step & 1 };
	struct trace t = { .before = swap_before, .after = swap_after, .data = &s };
	struct result r = { 0 };

	load_state(lab, c->state);
	s.here = sp_xasprintf("%s/%s", lab->tree, component);
	s.evil = make_evil(lab, e, component);
	if (!s.evil) {
		skipped(lab, e->name);
		free(s.here);
		return;
	}
	lab->spoilt = component;
	lab->swapped = true;
	canary_arm(lab);
	if (trace_program(lab, c, flags, &t, &r)) {
		for (size_t i = 0; i < t.strays.n; i++)
			if (sp_startswith(t.strays.v[i], lab->outside))
				violation(lab, "it looks at '%s'", t.strays.v[i]);
		canary_check(lab, false);
		judge(lab, c, flags, &r);
		put_good_back(lab, &s, e);
		recover_after(lab);
	}
	trace_clear(&t);
	result_clear(&r);
	free(s.here);
	free(s.evil);
}

/* The path of the step itself, and one of the folders above it: another one at each step. */
static char *above(const char *path, size_t step)
{
	size_t depth = 0;
	const char *end = path;

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/'))
		depth++;
	if (depth == 0)
		return sp_xstrdup(path);
	for (size_t up = step % depth + 1; up > 0; up--)
		end = strchr(end + 1, '/');
	return sp_xstrndup(path, (size_t) (end - path));
}

void swap_in_steps(struct lab *lab)
{
	for (size_t i = 0; i < n_commands; i++) {
		const struct command *c = &commands[i];
		sp_autostrv struct sp_strv paths = { 0 }, steps = { 0 };

		if (!sp_strv_has(&lab->states, c->state) || !components_of(lab, c, &paths, &steps)) {
			skipped(lab, "nobody may be traced here");
			continue;
		}
		for (size_t s = 0; s < steps.n; s++)
			for (unsigned k = 0; k < 2; k++) {
				sp_autofree char *component = k ? above(steps.v[s], s) : sp_xstrdup(steps.v[s]);
				const struct evil *e = &evils[(s + k) % SP_ELEMENTS(evils)];
				const unsigned flags = (s / 3 + k) & 1 ? RUN_NO_OPENAT2 : 0;
				if (!strstr(component, "..") &&
				    take_case(lab, "%s: '%s' becomes %s at call %zu%s", c->name, component, e->name, s,
					      flags ? ", no openat2" : ""))
					step_case(lab, c, e, component, s, flags);
			}
	}
}

/* --- in a loop ----------------------------------------------------------------------------------------------------- */

enum { ROUNDS = 400 };

static _Noreturn void swap_for_ever(struct swap *s, unsigned pause)
{
	for (;;) {
		exchange(s);
		for (volatile unsigned i = 0; i < pause; i++)
			;
	}
}

static void loop_case(struct lab *lab, const struct command *c, const struct evil *e, const char *component, unsigned round)
{
	struct swap s = { 0 };
	struct result r = { 0 };
	const unsigned flags = round & 1 ? RUN_NO_OPENAT2 : 0;
	int status = 0;

	load_state(lab, c->state);
	s.here = sp_xasprintf("%s/%s", lab->tree, component);
	s.evil = make_evil(lab, e, component);
	if (!s.evil) {
		skipped(lab, e->name);
		free(s.here);
		return;
	}
	lab->spoilt = component;
	lab->swapped = true;
	canary_arm(lab);
	pid_t pid = fork();
	if (pid == 0)
		swap_for_ever(&s, round * 7919 % 20000);
	run_program(lab, c, flags, &r);
	(void) kill(pid, SIGKILL);
	(void) waitpid(pid, &status, 0);
	canary_check(lab, false);
	judge(lab, c, flags, &r);
	put_good_back(lab, &s, e);
	recover_after(lab);
	result_clear(&r);
	free(s.here);
	free(s.evil);
}

void swap_in_a_loop(struct lab *lab)
{
	static const char *const names[] = { "apply", "rollback", "recover", "apply again" };
	sp_autostrv struct sp_strv paths = { 0 };
	const struct command *writers[SP_ELEMENTS(names)] = { NULL };

	for (size_t i = 0; i < n_commands; i++)
		for (size_t k = 0; k < SP_ELEMENTS(names); k++)
			if (sp_streq(commands[i].name, names[k]))
				writers[k] = &commands[i];
	if (!components_of(lab, writers[0], &paths, NULL)) {
		skipped(lab, "nobody may be traced here");
		return;
	}
	/* What machines are read from is the same for all; the rest is what is written. */
	for (unsigned round = 0, at = 0; round < ROUNDS; at++) {
		const char *path = paths.v[at % paths.n];
		if (sp_startswith(path, "sys") || sp_startswith(path, "proc"))
			continue;
		const struct command *c = writers[round % SP_ELEMENTS(writers)];
		const struct evil *e = &evils[round / SP_ELEMENTS(writers) % SP_ELEMENTS(evils)];
		if (sp_strv_has(&lab->states, c->state) &&
		    take_case(lab, "%s: '%s' changes places with %s in a loop, round %u", c->name, path, e->name, round))
			loop_case(lab, c, e, path, round);
		round++;
	}
}
