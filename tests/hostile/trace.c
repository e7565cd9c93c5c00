/* SPDX-License-Identifier: MIT */
/*
 * The program step by step: which paths its system calls name, and which files it opens. What stands for a descriptor
 * is asked of /proc/PID/fd. A seccomp filter stops it at those calls alone, which makes this bearable.
 * PTRACE_GET_SYSCALL_INFO (Linux 5.3) is the same on every architecture.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "hostile.h"

enum { LIMIT_SECONDS = 60 };

/* Which arguments are folder and path; folder -1: the working directory. */
static const struct naming {
	long call;
	int dir, path, dir2, path2;
} namings[] = {
	{ SYS_openat, 0, 1, -1, -1 },	  { SYS_openat2, 0, 1, -1, -1 },   { SYS_newfstatat, 0, 1, -1, -1 },
	{ SYS_statx, 0, 1, -1, -1 },	  { SYS_readlinkat, 0, 1, -1, -1 }, { SYS_unlinkat, 0, 1, -1, -1 },
	{ SYS_mkdirat, 0, 1, -1, -1 },	  { SYS_faccessat, 0, 1, -1, -1 }, { SYS_faccessat2, 0, 1, -1, -1 },
	{ SYS_fchmodat, 0, 1, -1, -1 },	  { SYS_fchownat, 0, 1, -1, -1 },  { SYS_utimensat, 0, 1, -1, -1 },
	{ SYS_symlinkat, 1, 2, -1, -1 },  { SYS_renameat2, 0, 1, 2, 3 },   { SYS_linkat, 0, 1, 2, 3 },
	{ SYS_statfs, -1, 0, -1, -1 },	  { SYS_execve, -1, 0, -1, -1 },   { SYS_mknodat, 0, 1, -1, -1 },
#ifdef SYS_renameat
	{ SYS_renameat, 0, 1, 2, 3 },
#endif
#ifdef SYS_open
	{ SYS_open, -1, 0, -1, -1 },	  { SYS_stat, -1, 0, -1, -1 },	   { SYS_lstat, -1, 0, -1, -1 },
	{ SYS_access, -1, 0, -1, -1 },	  { SYS_readlink, -1, 0, -1, -1 }, { SYS_mkdir, -1, 0, -1, -1 },
	{ SYS_rmdir, -1, 0, -1, -1 },	  { SYS_unlink, -1, 0, -1, -1 },   { SYS_rename, -1, 0, -1, -1 },
	{ SYS_chmod, -1, 0, -1, -1 },	  { SYS_chown, -1, 0, -1, -1 },
#endif
};

/* What any program of this system may look at. Nothing below /tmp or /home, and nothing of /etc but the loader's. */
static const char *const allowed[] = { "/usr/lib", "/lib", "/usr/local/lib", "/etc/ld.so.", "/usr/share/locale", "/etc/locale.alias",
				       "/usr/share/zoneinfo", "/etc/localtime", "/dev/null", "/dev/urandom",
				       "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage", NULL };

/* In the child: stop at the calls above, and at no other. */
bool trace_filter(void)
{
	struct sock_filter rules[SP_ELEMENTS(namings) + 3];
	const unsigned char n = SP_ELEMENTS(namings);

	rules[0] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned char i = 0; i < n; i++)
		rules[i + 1] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) namings[i].call,
							     (unsigned char) (n - i), 0);
	rules[n + 1] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	rules[n + 2] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	const struct sock_fprog program = { SP_ELEMENTS(rules), rules };
	return (geteuid() == 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct tracee {
	pid_t pid;
	long call;	/* between its entry and its exit */
	size_t step;	/* of that call, if it is one */
	bool is_step;
};

struct tracer {
	struct trace *t;
	struct tracee of[16];
	size_t n;
};

static struct tracee *find(struct tracer *r, pid_t pid)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->of[i].pid == pid)
			return &r->of[i];
	if (r->n == SP_ELEMENTS(r->of))
		die("too many processes");
	r->of[r->n] = (struct tracee){ .pid = pid };
	return &r->of[r->n++];
}

static char *read_string(pid_t pid, uint64_t address)
{
	char text[4096];
	size_t n = 0;

	text[0] = '\0';
	while (n + 1 < sizeof(text)) { /* page by page: the next one may not be there */
		size_t chunk = 256 - ((address + n) & 255);
		struct iovec to = { text + n, chunk < sizeof(text) - n ? chunk : sizeof(text) - n };
		struct iovec from = { (void *) (uintptr_t) (address + n), to.iov_len };
		ssize_t got = process_vm_readv(pid, &to, 1, &from, 1, 0);
		if (got <= 0)
			break;
		if (memchr(text + n, '\0', (size_t) got))
			return sp_xstrdup(text);
		n += (size_t) got;
	}
	return NULL;
}

static char *path_of_fd(pid_t pid, int fd)
{
	sp_autofree char *link = fd == AT_FDCWD ? sp_xasprintf("/proc/%d/cwd", pid) : sp_xasprintf("/proc/%d/fd/%d", pid, fd);
	char text[4096];
	ssize_t n = readlink(link, text, sizeof(text) - 1);

	return n < 0 ? NULL : sp_xstrndup(text, (size_t) n);
}

/* Folder and name as one absolute path, without "." and double slashes; ".." stays what it is. */
static char *whole_path(pid_t pid, int dir, const char *path, bool in_root)
{
	sp_autofree char *base = *path == '/' && !in_root ? sp_xstrdup("") : path_of_fd(pid, dir);
	sp_autofree char *all = base ? sp_xasprintf("%s/%s", base, path) : NULL;
	struct sp_buf b = { 0 };
	char *save = NULL;

	if (!all)
		return NULL;
	for (char *c = strtok_r(all, "/", &save); c; c = strtok_r(NULL, "/", &save))
		if (strcmp(c, ".") != 0)
			sp_buf_addf(&b, "/%s", c);
	return b.len ? sp_buf_steal(&b) : sp_xstrdup("/");
}

/* The part below the tree, NULL: it is not below it. */
static const char *in_tree(const struct lab *lab, const char *path)
{
	const size_t n = strlen(lab->tree);

	return strncmp(path, lab->tree, n) == 0 && (path[n] == '/' || !path[n]) ? path + n + (path[n] == '/') : NULL;
}

static bool is_allowed(const struct lab *lab, const char *path)
{
	sp_autofree char *record = sp_xasprintf("%s/record", lab->scratch);

	for (size_t i = 0; allowed[i]; i++)
		if (sp_startswith(path, allowed[i]))
			return true;
	if (in_tree(lab, path) || sp_startswith(path, lab->data) || sp_streq(path, lab->bin) || sp_startswith(path, record) ||
	    sp_streq(path, "/"))
		return true;
	/* Its own descriptors, and what sanitizers and the C library look at; /proc/1/root is asked for a chroot only. */
	return sp_startswith(path, "/proc/") &&
	       !strstr(path, "/root") && !strstr(path, "/cwd") && !sp_startswith(path, "/proc/1/");
}

static void note_path(struct tracer *r, struct tracee *p, char *path)
{
	const char *rest = in_tree(r->t->lab, path);

	if (!rest && !is_allowed(r->t->lab, path) && !sp_strv_has(&r->t->strays, path))
		sp_strv_add(&r->t->strays, path);
	if (!rest || !*rest || sp_startswith(rest, "realproc"))
		return;
	if (!sp_strv_has(&r->t->paths, rest))
		sp_strv_add(&r->t->paths, rest);
	p->is_step = true;
	p->step = r->t->steps.n;
	sp_strv_add(&r->t->steps, rest);
}

static bool enter(struct tracer *r, struct tracee *p, const struct __ptrace_syscall_info *info)
{
	p->call = (long) info->seccomp.nr;
	p->is_step = false;
	for (size_t i = 0; i < SP_ELEMENTS(namings); i++) {
		const struct naming *n = &namings[i];
		if (n->call != p->call)
			continue;
		for (int k = 0; k < 2; k++) {
			int dir = k ? n->dir2 : n->dir, at = k ? n->path2 : n->path;
			sp_autofree char *text = at < 0 ? NULL : read_string(p->pid, info->seccomp.args[at]);
			if (!text || !*text)
				continue;
			sp_autofree char *whole = whole_path(p->pid, dir < 0 ? AT_FDCWD : (int) info->seccomp.args[dir], text,
							     p->call == SYS_openat2);
			if (whole)
				note_path(r, p, whole);
		}
	}
	return p->is_step && r->t->before && r->t->before(r->t->data, p->step, p->call, r->t->steps.v[p->step]);
}

static void leave(struct tracer *r, struct tracee *p, const struct __ptrace_syscall_info *info)
{
	const bool opens = p->call == SYS_openat || p->call == SYS_openat2
#ifdef SYS_open
			   || p->call == SYS_open
#endif
		;

	if (opens && info->exit.rval >= 0) {
		sp_autofree char *path = path_of_fd(p->pid, (int) info->exit.rval);
		if (path && !is_allowed(r->t->lab, path) && !sp_strv_has(&r->t->strays, path))
			sp_strv_add(&r->t->strays, path);
	}
	if (p->is_step && r->t->after)
		r->t->after(r->t->data, p->step);
	p->is_step = false;
}

/* How it is to go on: to the end of this call, or to the next that we stop at; 0: it is to be killed. */
static int handle_call(struct tracer *r, pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };
	struct tracee *p = find(r, pid);

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return PTRACE_CONT;
	if (info.op == PTRACE_SYSCALL_INFO_SECCOMP)
		return enter(r, p, &info) ? 0 : PTRACE_SYSCALL;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave(r, p, &info);
	return PTRACE_CONT;
}

static void follow(struct tracer *r, pid_t first, int *ret_status)
{
	const int syscall_stop = SIGTRAP | 0x80;
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int how = PTRACE_CONT, pass = 0;
		if (!WIFSTOPPED(status)) {
			if (pid != first)
				continue;
			*ret_status = status;
			return;
		}
		const int signal = WSTOPSIG(status), event = status >> 16;
		if (signal == syscall_stop || event == PTRACE_EVENT_SECCOMP)
			how = handle_call(r, pid);
		else if (event == PTRACE_EVENT_EXIT && pid == first && r->t->at_exit)
			r->t->at_exit(r->t->data, pid);
		else if (event == 0 && signal != SIGSTOP && signal != SIGTRAP)
			pass = signal;
		if (how == 0)
			(void) kill(-first, SIGKILL);
		(void) ptrace((enum __ptrace_request) (how ? how : PTRACE_CONT), pid, NULL, (void *) (intptr_t) pass);
	}
}

bool trace_program(struct lab *lab, const struct command *c, unsigned flags, struct trace *t, struct result *ret)
{
	struct tracer r = { .t = t };
	int out, err, status = 0;

	t->lab = lab;
	if (c->record) {
		sp_autofree char *dir = sp_xasprintf("%s/record", lab->scratch);
		clear_tree(dir);
		(void) rmdir(dir);
	}
	pid_t pid = start_program(lab, arguments(lab, c, flags), flags, true, &out, &err);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   (void *) (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP)) < 0) {
		(void) kill(pid, SIGKILL);
		while (!WIFEXITED(status) && !WIFSIGNALED(status) && waitpid(pid, &status, 0) == pid)
			;
		collect_output(out, err, ret);
		return false;
	}
	(void) alarm(LIMIT_SECONDS); /* ends this worker with all that it traces: the harness sees a bad status */
	(void) ptrace(PTRACE_CONT, pid, NULL, NULL);
	follow(&r, pid, &status);
	(void) alarm(0);
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	collect_output(out, err, ret);
	return true;
}

void trace_clear(struct trace *t)
{
	sp_strv_clear(&t->paths);
	sp_strv_clear(&t->steps);
	sp_strv_clear(&t->strays);
}
