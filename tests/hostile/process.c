/* SPDX-License-Identifier: MIT */
/*
 * What the program itself holds when it ends (that is: what it held while it worked), with the descriptors, the umask
 * and the limits of an odd caller; and a state directory that was made by somebody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "hostile.h"

#define STATE "var/lib/strix-provision"

/* --- /proc/PID at the end ------------------------------------------------------------------------------------------ */

struct seen {
	struct lab *lab;
	bool looked;
};

static char *proc_line(pid_t pid, const char *file, const char *key)
{
	sp_autofree char *path = sp_xasprintf("/proc/%d/%s", pid, file);
	sp_autobuf struct sp_buf b = read_text(path);
	char *at = b.len ? strstr(b.data, key) : NULL;

	if (!at)
		return sp_xstrdup("");
	at += strlen(key);
	at += strspn(at, ":\t ");
	return sp_xstrndup(at, strcspn(at, "\n"));
}

static void expect(struct lab *lab, pid_t pid, const char *key, const char *want)
{
	sp_autofree char *is = proc_line(pid, "status", key);

	if (!sp_streq(is, want))
		violation(lab, "%s is %s, not %s", key, is, want);
}

static void look_at_process(void *data, pid_t pid)
{
	static const int needed[] = { CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, CAP_SYS_ADMIN, CAP_MAC_ADMIN,
				      CAP_SYS_RESOURCE };
	struct seen *s = data;
	uint64_t mask = 0;

	for (size_t i = 0; i < SP_ELEMENTS(needed); i++)
		mask |= UINT64_C(1) << needed[i];
	sp_autofree char *bounding = proc_line(getpid(), "status", "CapBnd"), *before = proc_line(getpid(), "status", "CapPrm");
	const uint64_t bounded = strtoull(bounding, NULL, 16), permitted = strtoull(before, NULL, 16);
	/* The bounding set is root's to drop; without rights nothing is permitted anyway. */
	sp_autofree char *want = sp_xasprintf("%016jx", (uintmax_t) (mask & permitted));
	sp_autofree char *bound = sp_xasprintf("%016jx", (uintmax_t) (s->lab->root ? mask & bounded : bounded));
	s->looked = true;
	expect(s->lab, pid, "CapPrm", want);
	expect(s->lab, pid, "CapEff", want);
	expect(s->lab, pid, "CapBnd", bound);
	expect(s->lab, pid, "CapInh", "0000000000000000");
	expect(s->lab, pid, "CapAmb", "0000000000000000");
	expect(s->lab, pid, "NoNewPrivs", "1");
	expect(s->lab, pid, "Umask", "0022");
	sp_autofree char *core = proc_line(pid, "limits", "Max core file size");
	if (!sp_startswith(core, "0 "))
		violation(s->lab, "core dumps: %s", core);
#ifndef __SANITIZE_ADDRESS__ /* then the program is built so, too, and needs terabytes of addresses */
	sp_autofree char *memory = proc_line(pid, "limits", "Max data size");
	if (!sp_startswith(memory, "1073741824 "))
		violation(s->lab, "memory: %s", memory);
#endif
}

static void holds_little(struct lab *lab)
{
	for (size_t i = 0; i < n_commands; i++) {
		struct seen s = { .lab = lab };
		struct trace t = { .at_exit = look_at_process, .data = &s };
		struct result r = { 0 };

		if (!sp_strv_has(&lab->states, commands[i].state) || !take_case(lab, "%s: what it holds", commands[i].name))
			continue;
		load_state(lab, commands[i].state);
		(void) umask(0);
		if (!trace_program(lab, &commands[i], 0, &t, &r) || !s.looked)
			skipped(lab, "nobody may be traced here");
		(void) umask(022);
		trace_clear(&t);
		result_clear(&r);
	}
}

/* --- descriptors --------------------------------------------------------------------------------------------------- */

/* Run with these of 0, 1 and 2 closed and many others open. What would be said then goes nowhere. */
static int run_closed(struct lab *lab, const struct command *c, unsigned closed)
{
	char **argv = arguments(lab, c, 0);
	sp_autofree char *data = sp_xasprintf("STRIX_PROVISION_DATADIR=%s", lab->data);
	char *const env[] = { data, (char *) "ASAN_OPTIONS=detect_leaks=0", NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int sink = open("/dev/null", O_RDWR);
		(void) umask(0);
		for (int fd = 0; fd < 3; fd++)
			(void) dup2(sink, fd);
		for (int fd = 3; fd < 100; fd++)
			(void) dup2(sink, fd);
		for (int fd = 0; fd < 3; fd++)
			if (closed & 1U << fd)
				(void) close(fd);
		execve(argv[0], argv, env);
		_exit(126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("cannot run");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Files with the bytes of another that was open in its place, or that others may write, are what must not be. */
static void is_sound(void *data, const char *path, const struct stat *st)
{
	struct lab *lab = data;
	sp_autobuf struct sp_buf b = { 0 };

	if (S_ISLNK(st->st_mode))
		return;
	if (st->st_mode & 02)
		violation(lab, "'%s' has mode %o", path, st->st_mode & 07777);
	b = read_text(path);
	if (b.len && (strstr(b.data, "strix-provision: ") || strstr(b.data, "hint: ")))
		violation(lab, "talk was written into '%s'", path);
}

static void closed_streams(struct lab *lab)
{
	for (size_t i = 0; i < n_commands; i++)
		for (unsigned closed = 0; closed < 8; closed++) {
			const struct command *c = &commands[i];
			sp_autofree char *etc = sp_xasprintf("%s/etc", lab->tree), *var = sp_xasprintf("%s/var", lab->tree);
			if (!sp_strv_has(&lab->states, c->state) || c->record ||
			    !take_case(lab, "%s: streams closed: %u, umask 0", c->name, closed))
				continue;
			load_state(lab, c->state);
			canary_arm(lab);
			int status = run_closed(lab, c, closed);
			canary_check(lab, false);
			if (status > 8)
				violation(lab, "it ended with %d", status);
			each_file(etc, is_sound, lab);
			each_file(var, is_sound, lab);
		}
}

/* --- a state directory of others ------------------------------------------------------------------------------------ */

static const struct {
	const char *path;
	mode_t mode;
	unsigned owner; /* 0: ours */
	int status;	/* of who writes; -1: of recover where something is left to recover, 5; else any */
} states[] = {
	{ "tx", 0777, 0, 0 },		  { "tx", 0755, 0, 0 },		 { "tx", 01777, 0, 0 },	     { "tx/1", 0777, 0, 0 },
	{ "tx/1", 0755, 0, 0 },		  { "tx/1/journal", 0644, 0, 0 }, { "tx/1/images", 0644, 0, 0 }, { "", 0777, 0, 0 },
	{ "", 01777, 0, 0 },		  { "lock", 0666, 0, 0 },	 { "state.json", 0600, 0, 0 }, { "state.json", 0666, 0, -1 },
	{ "tx", 0700, 12345, 5 },	  { "", 0755, 12345, 5 },	 { "tx/1", 0700, 12345, -1 },
	{ "tx/1/journal", 0600, 12345, -1 }, { "tx/1/images", 0600, 12345, -1 }, { "tx/1/journal", 0666, 0, -1 },
	{ "tx/1/images", 0666, 0, -1 },	  { "state.json", 0644, 12345, -1 }, { "lock", 0600, 12345, 0 },
};

static void expect_mode(struct lab *lab, const char *name, mode_t most)
{
	sp_autofree char *path = sp_xasprintf("%s/" STATE "/%s", lab->tree, name);
	struct stat st;

	if (lstat(path, &st) == 0 && (st.st_mode & 07777 & ~most))
		violation(lab, "'%s' has mode %o", name, st.st_mode & 07777);
}

static void run_in_state(struct lab *lab, const struct command *c, bool writes, int expected)
{
	struct result r = { 0 };

	canary_arm(lab);
	run_program(lab, c, RUN_JSON, &r);
	canary_check(lab, false);
	judge_output(lab, RUN_JSON, &r);
	if (r.status > 8 || r.late || (expected >= 0 && r.status != expected))
		violation(lab, "it ended with %d: %s", r.status, r.err.data);
	/* Whatever came of it, what was ours and too open is so no more. */
	if (r.status == 0 && writes) {
		expect_mode(lab, "", 0755);
		expect_mode(lab, "tx", 0700);
	}
	result_clear(&r);
}

static void made_by_others(struct lab *lab)
{
	static const struct command writers[] = {
		{ "recover", "interrupted", { "recover", NULL }, false },
		{ "recover", "applied", { "recover", NULL }, false }, /* nothing to do, so nothing is touched */
		{ "rollback", "applied", { "rollback", "--yes", NULL }, false },
		{ "apply again", "applied", { "apply", "--yes", "--gtt", "40G", NULL }, false },
	};

	for (size_t i = 0; i < SP_ELEMENTS(states); i++)
		for (size_t k = 0; k < SP_ELEMENTS(writers); k++) {
			sp_autofree char *path = sp_xasprintf("%s/" STATE "/%s", lab->tree, states[i].path);
			const bool in_use = k == 0 && sp_startswith(states[i].path, "tx/1");
			const int expected = k == 1 ? -1 : in_use && states[i].status < 0 ? 5 : states[i].status;
			if (!sp_strv_has(&lab->states, writers[k].state) ||
			    !take_case(lab, "%s (%s): '%s' has mode %o and owner %u", writers[k].name, writers[k].state,
				       states[i].path, states[i].mode, states[i].owner))
				continue;
			load_state(lab, writers[k].state);
			if (states[i].owner && (!lab->root || lchown(path, states[i].owner, states[i].owner) < 0)) {
				skipped(lab, "needs root");
				continue;
			}
			(void) chmod(path, states[i].mode); /* not there: state.json of an interrupted one */
			run_in_state(lab, &writers[k], k != 1, expected);
		}
}

/* What a run leaves, with umask 0 at that. */
static void fresh_modes(struct lab *lab)
{
	static const struct {
		const char *name;
		mode_t mode;
	} modes[] = { { "", 0755 },	     { "tx", 0700 },	     { "tx/1", 0700 },	    { "tx/1/journal", 0600 },
		      { "tx/1/images", 0600 }, { "state.json", 0644 }, { "lock", 0644 } };

	for (size_t i = 0; i < SP_ELEMENTS(modes); i++) {
		sp_autofree char *path = sp_xasprintf("%s/" STATE "/%s", lab->tree, modes[i].name);
		struct stat st;
		if (!take_case(lab, "after apply with umask 0: '%s'", modes[i].name))
			continue;
		load_state(lab, "fresh");
		for (size_t k = 0; k < n_commands; k++)
			if (sp_streq(commands[k].name, "apply"))
				(void) run_closed(lab, &commands[k], 0);
		if (lstat(path, &st) < 0 || (st.st_mode & 07777) != modes[i].mode || st.st_uid != geteuid())
			violation(lab, "it has mode %o and owner %u", st.st_mode & 07777, st.st_uid);
	}
}

/* Everybody may read state.json: nothing of what is closed to others may be in it. */
static void no_secrets(struct lab *lab)
{
	static const char *const secrets[] = { "boot/grub2/grubenv", "etc/default/grub", "etc/kernel/cmdline" };
	static const char secret[] = " hush=SECRET-5d1e";

	for (size_t i = 0; i < SP_ELEMENTS(secrets); i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", lab->tree, secrets[i]);
		sp_autofree char *state = sp_xasprintf("%s/" STATE "/state.json", lab->tree);
		struct result r = { 0 };
		if (!take_case(lab, "a secret in '%s', which is closed to others", secrets[i]))
			continue;
		load_state(lab, "fresh");
		sp_autobuf struct sp_buf b = read_text(path);
		if (!b.len) {
			skipped(lab, "no such file");
			continue;
		}
		/* Behind the last line, as a comment or one more argument. */
		while (b.len && b.data[b.len - 1] == '\n')
			b.len--;
		if (strstr(path, "grubenv"))
			b.len -= sizeof(secret) - 1; /* it keeps its size */
		sp_buf_adds(&b, strstr(path, "cmdline") ? secret : strstr(path, "grubenv") ? secret : "\n#" );
		if (strstr(path, "default"))
			sp_buf_adds(&b, secret);
		sp_buf_adds(&b, strstr(path, "grubenv") ? "" : "\n");
		write_text(path, b.data, b.len, 0600);
		for (size_t k = 0; k < n_commands; k++)
			if (sp_streq(commands[k].name, "apply"))
				run_program(lab, &commands[k], 0, &r);
		sp_autobuf struct sp_buf text = read_text(state);
		if (text.len && strstr(text.data, "SECRET-5d1e"))
			violation(lab, "it is in state.json");
		result_clear(&r);
	}
}

void process(struct lab *lab)
{
	holds_little(lab);
	closed_streams(lab);
	made_by_others(lab);
	fresh_modes(lab);
	no_secrets(lab);
}
