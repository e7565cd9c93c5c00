/* SPDX-License-Identifier: MIT */
/* Run the program, stop at each call of calls.c, and put the fault into one of them. */
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "run.h"

enum { FD_MAX = 1024, TEXT_MAX = 65536 };

struct tracer {
	const struct program *program;
	const struct fault *fault;
	struct outcome *ret;
	pid_t pid;
	size_t matched;	   /* calls of the fault's type so far */
	bool stuck;
	bool made[FD_MAX]; /* descriptors of files that were made */
	/* the call that the program is in: */
	struct call call;
	struct user_regs_struct regs;
	enum fault_kind inject;
};

void calls_clear(struct calls *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].path);
		free(c->v[i].path2);
		free(c->v[i].text);
	}
	free(c->v);
	*c = (struct calls){ 0 };
}

/* --- what a call is about ---------------------------------------------------------------------------------------- */

static unsigned long long argument(const struct user_regs_struct *r, int n)
{
	const unsigned long long v[] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };

	return v[n];
}

static size_t peek(pid_t pid, unsigned long long at, void *to, size_t len)
{
	const struct iovec ours = { to, len }, theirs = { (void *) (uintptr_t) at, len };
	ssize_t n = process_vm_readv(pid, &ours, 1, &theirs, 1, 0);

	return n < 0 ? 0 : (size_t) n;
}

static char *peek_string(pid_t pid, unsigned long long at)
{
	sp_autobuf struct sp_buf b = { 0 };
	char chunk[64];

	while (at && b.len < 4096) {
		size_t want = sizeof(chunk) - at % sizeof(chunk), n = peek(pid, at, chunk, want); /* never over a page */
		size_t len = strnlen(chunk, n);
		sp_buf_add(&b, chunk, len);
		if (n == 0 || len < n)
			break;
		at += n;
	}
	return sp_buf_steal(&b);
}

/* Where /proc shows what a call names. */
static char *proc_path(pid_t pid, int dir, const char *name)
{
	if (name && *name == '/')
		return sp_xasprintf("/proc/%d/root%s", pid, name);
	if (dir == AT_FDCWD)
		return sp_xasprintf("/proc/%d/cwd/%s", pid, name ? name : "");
	return sp_xasprintf("/proc/%d/fd/%d%s%s", pid, dir, name ? "/" : "", name ? name : "");
}

/* false: there is no such file. */
static bool look_at(const char *path, bool follow, struct stat *ret)
{
	*ret = (struct stat){ 0 };
	return fstatat(AT_FDCWD, path, ret, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0;
}

static uint64_t device_of_folder(const char *path)
{
	sp_autofree char *copy = sp_xstrdup(path);
	struct stat st;

	*strrchr(copy, '/') = '\0';
	(void) look_at(copy, true, &st);
	return st.st_dev;
}

/* As it is called in the tree. */
static char *shown_path(const struct tracer *t, const char *proc, const char *name)
{
	char text[4096];
	const char *root = t->program->root;
	sp_autofree char *link = sp_xstrdup(proc);

	if (name)
		link[strlen(link) - strlen(name) - (*name != '/')] = '\0';
	ssize_t n = readlink(link, text, sizeof(text) - 1);
	sp_autofree char *full = sp_xasprintf("%.*s%s%s", n < 0 ? 0 : (int) n, text, name && *name != '/' ? "/" : "",
					      name ? name : "");
	return sp_xstrdup(sp_startswith(full, root) && full[strlen(root)] == '/' ? full + strlen(root) : full);
}

static void describe_fd(struct tracer *t, int fd, mode_t *mode)
{
	sp_autofree char *proc = proc_path(t->pid, fd, NULL);
	struct stat st;

	(void) look_at(proc, true, &st);
	*mode = st.st_mode;
	t->call.dev = st.st_dev;
	t->call.path = shown_path(t, proc, NULL);
}

/* Returns whether there is such a file. */
static bool describe_name(struct tracer *t, int dir, int path, char **ret)
{
	sp_autofree char *name = peek_string(t->pid, argument(&t->regs, path));
	sp_autofree char *proc = proc_path(t->pid, dir < 0 ? AT_FDCWD : (int) argument(&t->regs, dir), name);
	struct stat st;

	*ret = shown_path(t, proc, name);
	t->call.dev = device_of_folder(proc);
	return look_at(proc, false, &st);
}

static bool opens_to_write(const struct tracer *t)
{
	struct open_how how = { 0 };

	if (t->call.type->nr != SYS_openat2)
		return true;
	return peek(t->pid, t->regs.rdx, &how, sizeof(how)) == sizeof(how) && how.flags & (O_CREAT | O_TRUNC);
}

/* false: it changes no disk. */
static bool describe(struct tracer *t)
{
	const struct call_type *type = t->call.type;
	int fd = type->fd >= 0 ? (int) argument(&t->regs, type->fd) : -1;
	mode_t mode = S_IFREG;
	bool there = true;

	if (type->kind == CALL_CREATE && !opens_to_write(t))
		return false;
	if (type->kind == CALL_CLOSE && (fd < 0 || fd >= FD_MAX || !t->made[fd]))
		return false;
	if (type->nr == SYS_utimensat && t->regs.rsi == 0)
		fd = (int) t->regs.rdi;
	if (type->fd >= 0 || fd >= 0)
		describe_fd(t, fd, &mode);
	else if (type->path >= 0)
		there = describe_name(t, type->dir, type->path, &t->call.path);
	if (type->path2 >= 0)
		(void) describe_name(t, type->dir2, type->path2, &t->call.path2);
	t->call.fresh = (type->kind == CALL_CREATE && !there) ||
			(type->nr == SYS_renameat2 && argument(&t->regs, 4) & RENAME_EXCHANGE);
	t->call.size = type->kind == CALL_CUT || type->nr == SYS_ioctl ? t->regs.rsi : 0;
	return (S_ISREG(mode) || S_ISDIR(mode)) && !(fd >= 0 && fd <= 2);
}

static bool is_journal(const char *path)
{
	return path && sp_startswith(path, STATE_DIR) && sp_endswith(path, "/journal");
}

static void note_result(struct tracer *t, long result)
{
	struct call *c = &t->call;
	const int fd = c->type->fd >= 0 ? (int) argument(&t->regs, c->type->fd) : -1;

	c->result = result;
	if (c->type->kind == CALL_CREATE && result >= 0 && result < FD_MAX)
		t->made[result] = true;
	if (c->type->kind == CALL_CLOSE)
		t->made[fd] = false;
	if (c->type->len >= 0 && result > 0 && is_journal(c->path)) {
		size_t n = result < TEXT_MAX ? (size_t) result : TEXT_MAX;
		c->text = sp_xcalloc(1, n + 1);
		if (peek(t->pid, t->regs.rsi, c->text, n) != n)
			die("cannot read what is written to '%s'", c->path);
	}
}

static void keep_call(struct tracer *t)
{
	struct calls *all = &t->ret->calls;

	if (all->n % 64 == 0)
		all->v = sp_xrealloc(all->v, all->n + 64, sizeof(*all->v));
	all->v[all->n++] = t->call;
	t->call = (struct call){ 0 };
}

static void drop_call(struct tracer *t)
{
	struct calls one = { .v = sp_xmalloc(sizeof(t->call)), .n = 1 };

	one.v[0] = t->call;
	calls_clear(&one);
	t->call = (struct call){ 0 };
}

/* --- stops ------------------------------------------------------------------------------------------------------- */

static void resume(pid_t pid, bool to_exit, int sig)
{
	if (ptrace(to_exit ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, (void *) (intptr_t) sig) < 0 && errno != ESRCH)
		die("cannot resume the program");
}

static void set_regs(pid_t pid, const struct user_regs_struct *r)
{
	if (ptrace(PTRACE_SETREGS, pid, NULL, r) < 0 && errno != ESRCH)
		die("cannot set registers");
}

static enum fault_kind fault_here(struct tracer *t)
{
	const struct fault *f = t->fault;

	if (t->stuck)
		return FAULT_ERROR;
	if (!f || f->kind == FAULT_NONE || (f->type && f->type != t->call.type) || t->matched++ != f->at)
		return FAULT_NONE;
	t->ret->hit = true;
	t->stuck = f->kind == FAULT_STUCK;
	return t->stuck ? FAULT_ERROR : f->kind;
}

static void skip_call(const struct tracer *t)
{
	struct user_regs_struct r = t->regs;

	r.orig_rax = (unsigned long long) -1;
	set_regs(t->pid, &r);
}

static void halve_length(const struct tracer *t)
{
	struct user_regs_struct r = t->regs;

	r.rdx = r.rdx / 2;
	set_regs(t->pid, &r);
}

/* The program is about to make a call. */
static void at_entry(struct tracer *t)
{
	if (ptrace(PTRACE_GETREGS, t->pid, NULL, &t->regs) < 0)
		return; /* it died in this moment */
	t->call = (struct call){ .type = call_type_by_nr((long) t->regs.orig_rax) };
	if (!t->call.type || !describe(t)) {
		drop_call(t);
		resume(t->pid, false, 0);
		return;
	}
	t->inject = fault_here(t);
	if (t->inject == FAULT_KILL) {
		drop_call(t);
		(void) kill(t->pid, SIGKILL);
		return;
	}
	if (t->inject == FAULT_SIGNAL)
		(void) kill(t->pid, t->fault->error);
	if (t->inject == FAULT_ERROR && t->call.type->kind != CALL_CLOSE)
		skip_call(t);
	if (t->inject == FAULT_SHORT || t->inject == FAULT_TORN)
		halve_length(t);
	resume(t->pid, true, 0);
}

/* The call has returned. */
static void at_exit(struct tracer *t)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, t->pid, NULL, &r) < 0)
		return;
	const long done = (long) r.rax;
	if (t->inject == FAULT_ERROR || t->inject == FAULT_LATE_ERROR)
		r.rax = (unsigned long long) -(long) t->fault->error;
	r.rdx = t->regs.rdx;
	if (t->inject != FAULT_NONE)
		set_regs(t->pid, &r);
	note_result(t, t->inject == FAULT_LATE_ERROR ? done : (long) r.rax); /* what is on disk counts, not what is said */
	keep_call(t);
	if (t->inject == FAULT_KILL_AFTER || t->inject == FAULT_TORN)
		(void) kill(t->pid, SIGKILL);
	else
		resume(t->pid, false, 0);
}

static void at_stop(struct tracer *t, pid_t pid, int status)
{
	const int sig = WSTOPSIG(status), event = status >> 16;

	if (pid == t->pid && event == PTRACE_EVENT_SECCOMP)
		at_entry(t);
	else if (pid == t->pid && sig == (SIGTRAP | 0x80))
		at_exit(t);
	else /* of a child, or of no interest; a new child begins with a stop that is not meant for it */
		resume(pid, false, event || sig == SIGTRAP || sig == SIGSTOP ? 0 : sig);
}

/* --- run --------------------------------------------------------------------------------------------------------- */

/* Until nothing of it is left: a child that would thaw a file system is waited for, too. */
static void follow(struct tracer *t)
{
	int status = 0;

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR) {
			if (t->ret->timed_out)
				die("what the program left behind does not end");
			t->ret->timed_out = true;
			(void) kill(t->pid, SIGKILL);
			run_clock(true);
			continue;
		}
		if (pid < 0)
			return;
		if (WIFSTOPPED(status))
			at_stop(t, pid, status);
		else if (pid == t->pid)
			t->ret->status = status;
	}
}

static void be_traced(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0 || install_filter() < 0)
		_exit(RUN_CANNOT);
}

void run_program(const struct program *p, const char *const *args, bool trace, const struct fault *fault,
		 struct outcome *ret)
{
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	struct tracer t = { .program = p, .fault = fault, .ret = ret };
	struct run_files files;

	*ret = (struct outcome){ 0 };
	run_files_open(&files);
	t.pid = run_start(p, args, &files, trace ? be_traced : NULL);
	run_clock(true);
	if (trace) {
		int status = 0;
		if (waitpid(t.pid, &status, 0) != t.pid || !WIFSTOPPED(status) ||
		    ptrace(PTRACE_SETOPTIONS, t.pid, NULL, (void *) options) < 0)
			die("cannot trace a program here");
		resume(t.pid, false, 0);
	}
	follow(&t);
	drop_call(&t);
	run_clock(false);
	run_files_read(&files, ret);
}
