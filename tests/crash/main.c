/* SPDX-License-Identifier: MIT */
/*
 *   sp-fault probe                      can programs be traced here? exit status 0 or 1
 *   sp-fault setups                     the boot setups that the program knows; with "generates": their menu is made
 *   sp-fault setup TREE                 the one of a tree
 *   sp-fault run [-l] [-f FAULT] [-t FILE] TREE PROGRAM... -- ARGUMENTS...
 *                                       run the program on a tree; FILE gets its calls. FAULT is CALL:N:WHAT, with CALL
 *                                       "any" or a system call, N from 1 or "last", WHAT kill, kill-after, the name of a
 *                                       signal or an errno. Exit status: the program's, 137 when it was killed
 *   sp-fault order [-d] FILE...         do these calls, one run after the other, keep the rules of order.c?
 *                                       -d: leave out each sync of the last FILE in turn, and tell which are not missed
 *   sp-fault matrix [-l] [-n NAME] [-m MAX] [-r MAX] [-j JOBS] [-g GROUP]... TREE SCRATCH PROGRAM...
 *                                       MAX faults a group at most (-r: a group of recoveries); exit status 1: violations
 * -l: the tree is "/" for the program (a mount namespace), which finds the host below /host.
 */
#include "crash.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/boot.h"

static _Noreturn void usage(void)
{
	errno = 0;
	die("usage: see tests/crash/main.c");
}

/* --- setups ------------------------------------------------------------------------------------------------------ */

static int probe(void)
{
	static const char *const argv[] = { "/bin/true", NULL }, *const none[] = { NULL };
	const struct program p = { .root = "/", .argv = argv, .live = false };
	autooutcome struct outcome o = { 0 };

	run_program(&p, none, true, NULL, &o);
	return outcome_exit(&o) == 0 ? 0 : 1;
}

static int setups(void)
{
	for (const struct sp_boot_ops *const *ops = sp_boot_table; *ops; ops++)
		(void) printf("%s%s\n", (*ops)->name, (*ops)->generate ? " generates" : "");
	return 0;
}

static int setup_of(const char *tree)
{
	sp_autoroot struct sp_root *root = NULL;
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autoerror struct sp_error *e = NULL;

	if (sp_root_open(tree, 0, &root, &e) < 0 || sp_boot_read(root, NULL, NULL, &boot, &e) < 0)
		return 1;
	(void) puts(boot->ops->name);
	return 0;
}

/* --- run --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum fault_kind kind;
	int value;
} whats[] = {
	{ "kill", FAULT_KILL, 0 },	   { "kill-after", FAULT_KILL_AFTER, 0 }, { "short", FAULT_SHORT, 0 },
	{ "torn", FAULT_TORN, 0 },	   { "INT", FAULT_SIGNAL, SIGINT },	  { "TERM", FAULT_SIGNAL, SIGTERM },
	{ "HUP", FAULT_SIGNAL, SIGHUP },   { "EIO", FAULT_ERROR, EIO },		  { "ENOSPC", FAULT_ERROR, ENOSPC },
	{ "EROFS", FAULT_ERROR, EROFS },   { "EDQUOT", FAULT_ERROR, EDQUOT },	  { "EINTR", FAULT_ERROR, EINTR },
};

/* `last` is set where N is that: it has to be counted first. */
static void parse_fault(const char *text, struct fault *ret, bool *last)
{
	sp_autofree char *copy = sp_xstrdup(text);
	char *rest = copy, *call = strsep(&rest, ":"), *n = strsep(&rest, ":");

	if (!n || !rest)
		usage();
	*ret = (struct fault){ .type = call_type_by_name(call) };
	*last = sp_streq(n, "last");
	ret->at = *last ? 0 : strtoul(n, NULL, 10) - 1;
	for (size_t i = 0; i < SP_ELEMENTS(whats); i++)
		if (sp_streq(whats[i].name, rest)) {
			ret->kind = whats[i].kind;
			ret->error = whats[i].value;
		}
	if (ret->kind == FAULT_NONE || (!ret->type && !sp_streq(call, "any")))
		usage();
}

/* Which call is the last of its kind is known from a run on a copy of the tree in memory. */
static void count_calls(const struct program *p, const char *const *args, struct fault *f)
{
	autooutcome struct outcome o = { 0 };
	autotree struct tree before = { 0 };
	size_t n = 0;

	tree_load(p->root, &before);
	run_program(p, args, true, NULL, &o);
	tree_restore(&before, p->root);
	for (size_t i = 0; i < o.calls.n; i++)
		n += !f->type || o.calls.v[i].type == f->type;
	if (n == 0)
		die("the program makes no such call");
	f->at = n - 1;
}

static void save_trace(const char *path, const struct calls *calls)
{
	sp_autofile FILE *f = fopen(path, "we");

	if (!f)
		die("%s", path);
	log_write(f, calls);
	if (fflush(f) != 0)
		die("%s", path);
}

static int run(const struct program *p, const char *const *args, const char *fault, const char *trace)
{
	autooutcome struct outcome o = { 0 };
	struct fault f = { 0 };
	bool last = false;

	if (fault)
		parse_fault(fault, &f, &last);
	if (last)
		count_calls(p, args, &f);
	run_program(p, args, true, fault ? &f : NULL, &o);
	(void) fwrite(o.out.data, 1, o.out.len, stdout);
	(void) fwrite(o.err.data, 1, o.err.len, stderr);
	if (trace)
		save_trace(trace, &o.calls);
	errno = 0;
	if (fault && !o.hit)
		die("the program makes no such call: %s", fault);
	return WIFSIGNALED(o.status) ? 128 + WTERMSIG(o.status) : outcome_exit(&o);
}

/* --- order ------------------------------------------------------------------------------------------------------- */

static size_t violations(const struct calls *prior, const struct calls *calls, size_t without, bool show)
{
	struct order *o = order_new();

	order_feed(o, prior, SIZE_MAX);
	order_feed(o, calls, without);
	order_end(o);
	const struct sp_strv *broken = order_broken(o);
	const size_t n = broken->n;
	for (size_t i = 0; i < n && show; i++)
		(void) printf("# %s\n", broken->v[i]);
	if (show)
		(void) printf("order: %zu calls, %zu changes of final names, %zu violations\n", prior->n + calls->n,
			      order_publishes(o), n);
	order_free(o);
	return n;
}

/* Returns how many syncs nobody would miss. */
static size_t drop_each(const struct calls *prior, const struct calls *calls)
{
	size_t syncs = 0, missed = 0;

	for (size_t i = 0; i < calls->n; i++) {
		const struct call *c = &calls->v[i];
		if ((c->type->kind != CALL_SYNC && c->type->kind != CALL_SYNCFS) || c->result < 0)
			continue;
		syncs++;
		if (violations(prior, calls, i, false) > 0)
			missed++;
		else
			(void) printf("# call %zu is not missed: %s %s\n", prior->n + i + 1, c->type->name,
				      c->path ? c->path : "");
	}
	(void) printf("order: %zu syncs, %zu of them missed when left out\n", syncs, missed);
	return syncs - missed;
}

static int order(char **files, bool drop)
{
	struct calls prior = { 0 }, calls = { 0 };
	size_t bad;

	if (!*files)
		usage();
	for (; files[1]; files++)
		log_read(*files, &prior);
	log_read(*files, &calls);
	bad = violations(&prior, &calls, SIZE_MAX, true);
	if (bad == 0 && drop)
		bad = drop_each(&prior, &calls);
	calls_clear(&prior);
	calls_clear(&calls);
	return bad ? 1 : 0;
}

/* --- options ----------------------------------------------------------------------------------------------------- */

struct options {
	struct matrix_options m;
	const char *fault, *trace;
	bool drop;
};

static void parse(int argc, char **argv, struct options *o)
{
	const char *text;

	*o = (struct options){ .m = { .name = "", .jobs = (unsigned) sysconf(_SC_NPROCESSORS_ONLN) } };
	for (int c; (c = getopt(argc, argv, "+ldn:m:r:j:g:f:t:")) != -1;) {
		text = optarg;
		switch (c) {
		case 'l':
			o->m.program.live = true;
			break;
		case 'd':
			o->drop = true;
			break;
		case 'n':
			o->m.name = text;
			break;
		case 'm':
			o->m.max = strtoul(text, NULL, 10);
			break;
		case 'r':
			o->m.max_recover = strtoul(text, NULL, 10);
			break;
		case 'j':
			o->m.jobs = (unsigned) strtoul(text, NULL, 10);
			break;
		case 'g':
			sp_strv_add(&o->m.groups, text);
			break;
		case 'f':
			o->fault = text;
			break;
		case 't':
			o->trace = text;
			break;
		default:
			usage();
		}
	}
	if (o->m.jobs == 0)
		usage();
}

static int run_command(struct options *o, char **argv)
{
	char **args = argv;

	if (!argv[0] || !argv[1])
		usage();
	o->m.program.root = argv[0];
	o->m.program.argv = (const char *const *) argv + 1;
	while (*args && !sp_streq(*args, "--"))
		args++;
	if (!*args)
		usage();
	*args++ = NULL;
	return run(&o->m.program, (const char *const *) args, o->fault, o->trace);
}

static int matrix_command(struct options *o, char **argv)
{
	if (!argv[0] || !argv[1] || !argv[2])
		usage();
	o->m.program.root = argv[0];
	o->m.scratch = argv[1];
	o->m.program.argv = (const char *const *) argv + 2;
	return matrix(&o->m) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	struct options o;
	int r;

	if (argc > 1)
		parse(argc - 1, argv + 1, &o);
	char **rest = argv + 1 + (argc > 1 ? optind : 0);
	if (sp_streq(command, "probe"))
		r = probe();
	else if (sp_streq(command, "setups"))
		r = setups();
	else if (sp_streq(command, "setup") && rest[0])
		r = setup_of(rest[0]);
	else if (sp_streq(command, "run"))
		r = run_command(&o, rest);
	else if (sp_streq(command, "order"))
		r = order(rest, o.drop);
	else if (sp_streq(command, "matrix"))
		r = matrix_command(&o, rest);
	else
		usage();
	sp_strv_clear(&o.m.groups);
	return r;
}
