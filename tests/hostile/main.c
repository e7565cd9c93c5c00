/* SPDX-License-Identifier: MIT */
/*
 * sp-hostile [--every N] [--jobs N] [--only PART] [--case TEXT]
 * From the environment, as other tests: SP_BIN, SP_TREE, SP_SRCDIR. TAP on standard output: one line a part, with the
 * number of its cases. --case prints the cases whose description contains the text, and what the program said.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "hostile.h"

#define MACHINE "tests/machines/zbook-64-fedora"

static const struct {
	const char *name, *title;
	void (*run)(struct lab *lab);
	unsigned thin; /* of --every, in eighths: where a part has many cases that are alike, or few that are not; 0: all */
} parts[] = {
	{ "walk", "each path of a run, replaced by each kind of thing", walk, 8 },
	{ "steps", "a path exchanged exactly between two system calls", swap_in_steps, 4 },
	{ "loop", "a path exchanged in a loop", swap_in_a_loop, 1 },
	{ "journal", "forged journals", forge_journal, 24 },
	{ "links", "forged names in the state directory", forge_links, 1 },
	{ "json", "forged state.json and modules.json", forge_json, 8 },
	{ "process", "what the process holds, and whose the state directory is", process, 0 },
};

struct tally { /* shared by all workers */
	unsigned cases[SP_ELEMENTS(parts)], violations[SP_ELEMENTS(parts)], skipped[SP_ELEMENTS(parts)];
	unsigned told;
};
static struct tally *tally;
static size_t part_now;
static const char *only_case;

_Noreturn void die(const char *fmt, ...)
{
	const int e = errno;
	va_list ap;

	va_start(ap, fmt);
	(void) fputs("Bail out! sp-hostile: ", stdout);
	(void) vprintf(fmt, ap);
	(void) printf(": %s\n", strerror(e));
	va_end(ap);
	(void) fflush(stdout);
	_exit(99);
}

bool take_case(struct lab *lab, const char *fmt, ...)
{
	const unsigned number = lab->seen++, thinned = lab->every * parts[part_now].thin / 8;
	const unsigned every = lab->every == 1 || thinned == 0 ? 1 : thinned;
	va_list ap;

	/* A multiplier that is coprime to the lengths of our tables, so that a thin sample has some of each. */
	if (every > 1 && (number * 2654435761U >> 7) % every != 0)
		return false;
	if (lab->taken++ % lab->workers != lab->worker)
		return false;
	free(lab->about);
	va_start(ap, fmt);
	lab->about = sp_xvasprintf(fmt, ap);
	va_end(ap);
	if (only_case && !strstr(lab->about, only_case))
		return false;
	if (only_case)
		(void) printf("# %s\n", lab->about);
	(void) __atomic_add_fetch(&tally->cases[part_now], 1, __ATOMIC_RELAXED);
	lab->spoilt = NULL;
	lab->swapped = false;
	return true;
}

void skipped(struct lab *lab, const char *why)
{
	if (only_case)
		(void) printf("#   skipped: %s\n", why);
	(void) lab;
	(void) __atomic_add_fetch(&tally->skipped[part_now], 1, __ATOMIC_RELAXED);
}

void violation(struct lab *lab, const char *fmt, ...)
{
	va_list ap;

	(void) __atomic_add_fetch(&tally->violations[part_now], 1, __ATOMIC_RELAXED);
	if (__atomic_add_fetch(&tally->told, 1, __ATOMIC_RELAXED) > 200)
		return;
	va_start(ap, fmt);
	sp_autofree char *text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char) *p < 0x20 || (unsigned char) *p > 0x7e)
			*p = '.';
	(void) printf("# %s: %s: %s\n", parts[part_now].name, lab->about ? lab->about : "", text);
	(void) fflush(stdout);
}

/* --- the lab ------------------------------------------------------------------------------------------------------ */

/*
 * As root a file system of our own, in memory, that has devices, in a name space that goes with us; and a real /proc in
 * the tree. Else what there is.
 */
static void furnish(struct lab *lab, const char *base)
{
	lab->scratch = sp_xasprintf("%s/sp-hostile.XXXXXX", base);
	if (!mkdtemp(lab->scratch))
		die("cannot make a folder in '%s'", base);
	if (lab->root && unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("hostile", lab->scratch, "tmpfs", 0, "mode=0755") < 0)
		lab->root = false;
	lab->tree = sp_xasprintf("%s/tree", lab->scratch);
	lab->outside = sp_xasprintf("%s/outside", lab->scratch);
	sp_autofree char *proc = sp_xasprintf("%s/realproc", lab->tree);
	if (mkdir(lab->tree, 0755) < 0 || mkdir(proc, 0755) < 0)
		die("cannot make '%s'", lab->tree);
	lab->procfs = lab->root && mount("proc", proc, "proc", 0, NULL) == 0;
}

static void unpack(struct lab *lab)
{
	sp_autofree char *fresh = sp_xasprintf("%s/unpacked", lab->scratch);
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execl(lab->sp_tree, lab->sp_tree, "unpack", lab->machine, fresh, (char *) NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		die("cannot unpack '%s'", lab->machine);
	copy_tree(fresh, lab->tree);
	clear_tree(fresh);
	(void) rmdir(fresh);
	/* A lock that somebody left is waited for, two minutes otherwise: that is no hang, and it is long. */
	static const char wait[] = "package_manager_wait = 1;\n";
	sp_autofree char *config = sp_xasprintf("%s/etc/strix-provision.conf", lab->tree);
	write_text(config, wait, sizeof(wait) - 1, 0644);
	save_state(lab, "fresh");
	canary_make(lab);
}

static void remove_lab(struct lab *lab)
{
	sp_autofree char *proc = sp_xasprintf("%s/realproc", lab->tree);

	if (lab->procfs)
		(void) umount2(proc, MNT_DETACH);
	clear_tree(lab->scratch);
	(void) umount2(lab->scratch, MNT_DETACH);
	(void) rmdir(lab->scratch);
}

static void work(struct lab *lab, const char *base, const char *only)
{
	furnish(lab, base);
	unpack(lab);
	prepare_states(lab);
	for (part_now = 0; part_now < SP_ELEMENTS(parts); part_now++)
		if (!only || sp_streq(only, parts[part_now].name)) {
			lab->seen = lab->taken = 0;
			parts[part_now].run(lab);
		}
	remove_lab(lab);
	(void) fflush(stdout);
}

/* --- main ---------------------------------------------------------------------------------------------------------- */

static int report(bool bare)
{
	unsigned cases = 0, violations = 0, n = 0;

	for (size_t i = 0; i < SP_ELEMENTS(parts); i++) {
		cases += tally->cases[i];
		violations += tally->violations[i];
		if (tally->cases[i])
			(void) printf("%sok %u - %s: %u cases, %u not possible here, %u violations\n",
				      tally->violations[i] ? "not " : "", ++n, parts[i].title, tally->cases[i],
				      tally->skipped[i], tally->violations[i]);
	}
	(void) printf("1..%u\n%shostile: %u cases, %u violations\n", n, bare ? "" : "# ", cases, violations);
	return violations ? 1 : 0;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	if (!value || !*value) {
		errno = EINVAL;
		die("%s is not set", name);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "every", required_argument, NULL, 'e' },
						 { "jobs", required_argument, NULL, 'j' },
						 { "only", required_argument, NULL, 'o' },
						 { "case", required_argument, NULL, 'c' },
						 { "bare", no_argument, NULL, 'b' },
						 { NULL, 0, NULL, 0 } };
	struct lab lab = { .every = 1, .workers = 1, .root = geteuid() == 0 };
	const char *only = NULL, *base = getenv("TMPDIR");
	bool bare = false;
	int c, status = 0, failed = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'e')
			lab.every = (unsigned) strtoul(optarg, NULL, 10);
		else if (c == 'j')
			lab.workers = (unsigned) strtoul(optarg, NULL, 10);
		else if (c == 'o')
			only = optarg;
		else if (c == 'c')
			only_case = optarg;
		else if (c == 'b')
			bare = true;
		else
			return 2;
	}
	lab.bin = environment("SP_BIN");
	lab.sp_tree = environment("SP_TREE");
	sp_autofree char *data = realpath(environment("SP_SRCDIR"), NULL); /* as the paths of a trace are */
	if (!data)
		die("there is no folder SP_SRCDIR");
	lab.data = data;
	sp_autofree char *machine = sp_xasprintf("%s/" MACHINE, data);
	lab.machine = machine;
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED || lab.every == 0 || lab.workers == 0)
		die("cannot begin");
	for (lab.worker = 0; lab.worker < lab.workers; lab.worker++) {
		(void) fflush(stdout);
		pid_t pid = fork();
		if (pid < 0)
			die("cannot fork");
		if (pid == 0) {
			work(&lab, base && *base ? base : "/tmp", only);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	return report(bare) || failed ? 1 : 0;
}
