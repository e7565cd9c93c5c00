/* SPDX-License-Identifier: MIT */
/*
 * Every component of every path that a normal run of each command names, on disk or not, replaced by each kind of thing.
 * The list is a trace of that run, so none is forgotten.
 */
#include <signal.h>
#include <sys/syscall.h>

#include "hostile.h"

/* --- states -------------------------------------------------------------------------------------------------------- */

struct killer {
	size_t renames, at;
};

static bool kill_at_rename(void *data, size_t step, long call, const char *path)
{
	struct killer *k = data;

	(void) step;
	(void) path;
	return call == SYS_renameat2 && ++k->renames == k->at;
}

static const struct command *command(const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (sp_streq(commands[i].name, name))
			return &commands[i];
	die("no command '%s'", name);
}

void prepare_states(struct lab *lab)
{
	const struct command *apply = command("apply");
	struct killer killer = { .at = 3 };
	struct trace t = { .before = kill_at_rename, .data = &killer };
	struct result r = { 0 };

	if (trace_program(lab, apply, 0, &t, &r))
		save_state(lab, "interrupted");
	trace_clear(&t);
	result_clear(&r);
	load_state(lab, "fresh");
	run_program(lab, apply, 0, &r);
	if (r.status != 0)
		die("apply ended with %d: %s", r.status, r.err.data);
	result_clear(&r);
	save_state(lab, "applied");
	run_program(lab, command("rollback"), 0, &r);
	if (r.status != 0)
		die("rollback ended with %d: %s", r.status, r.err.data);
	result_clear(&r);
	save_state(lab, "rolledback");
}

/* --- which paths --------------------------------------------------------------------------------------------------- */

/* With every folder above. */
static void add_components(const struct sp_strv *paths, struct sp_strv *ret)
{
	for (size_t i = 0; i < paths->n; i++) {
		const char *path = paths->v[i];
		for (const char *slash = strchr(path, '/');; slash = strchr(slash + 1, '/')) {
			sp_autofree char *one = slash ? sp_xstrndup(path, (size_t) (slash - path)) : sp_xstrdup(path);
			if (!strstr(one, "..") && !sp_strv_has(ret, one))
				sp_strv_add(ret, one);
			if (!slash)
				break;
		}
	}
}

bool components_of(struct lab *lab, const struct command *c, struct sp_strv *ret, struct sp_strv *steps)
{
	struct trace t = { 0 };
	struct result r = { 0 };

	load_state(lab, c->state);
	const bool done = trace_program(lab, c, 0, &t, &r);
	add_components(&t.paths, ret);
	for (size_t i = 0; i < t.strays.n; i++)
		violation(lab, "a normal %s looks at '%s'", c->name, t.strays.v[i]);
	if (steps)
		sp_strv_copy(steps, &t.steps);
	trace_clear(&t);
	result_clear(&r);
	return done;
}

/* --- the cases ----------------------------------------------------------------------------------------------------- */

static void run_case(struct lab *lab, const struct command *c, const struct kind *k, const char *path, unsigned flags)
{
	struct result r = { 0 };
	struct trace t = { 0 };

	load_state(lab, c->state);
	if (!k->make(lab, path)) {
		skipped(lab, k->name);
		return;
	}
	lab->spoilt = path;
	canary_arm(lab);
	/* Where something leads out, looking is a violation, too: each call that names a file is checked. */
	if (k->leads_out && trace_program(lab, c, flags, &t, &r)) {
		for (size_t i = 0; i < t.strays.n; i++)
			violation(lab, "it looks at '%s'", t.strays.v[i]);
	} else {
		run_program(lab, c, flags, &r);
	}
	canary_check(lab, sp_streq(k->name, "a hard link to a file outside"));
	judge(lab, c, flags, &r);
	lab->spoilt = NULL;
	trace_clear(&t);
	result_clear(&r);
}

void walk(struct lab *lab)
{
	for (size_t i = 0; i < n_commands; i++) {
		const struct command *c = &commands[i];
		sp_autostrv struct sp_strv paths = { 0 };

		free(lab->about);
		lab->about = sp_xstrdup("the list of paths");
		if (!sp_strv_has(&lab->states, c->state) || !components_of(lab, c, &paths, NULL)) {
			skipped(lab, "nobody may be traced here");
			continue;
		}
		for (size_t p = 0; p < paths.n; p++)
			for (size_t k = 0; k < n_kinds; k++) {
				/* Both forms of output and both ways to look a path up, in turn. */
				const unsigned flags = (unsigned) ((p + k) & 1 ? RUN_JSON : 0) |
						       (unsigned) ((p + k) & 2 ? RUN_NO_OPENAT2 : 0);
				if (take_case(lab, "%s: '%s' is %s%s", c->name, paths.v[p], kinds[k].name,
					      flags & RUN_NO_OPENAT2 ? ", no openat2" : ""))
					run_case(lab, c, &kinds[k], paths.v[p], flags);
			}
	}
}
