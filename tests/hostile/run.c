/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "hostile.h"

enum { LIMIT_MS = 60000 }; /* nothing here takes long; whoever needs a minute hangs */

const struct command commands[] = {
	{ "detect", "fresh", { "detect", NULL }, false },
	{ "plan", "fresh", { "plan", NULL }, false },
	{ "explain", "fresh", { "explain", NULL }, false },
	{ "record", "fresh", { "record", "--boot", NULL }, true },
	{ "apply", "fresh", { "apply", "--yes", NULL }, false },
	{ "verify", "applied", { "verify", NULL }, false },
	{ "status", "applied", { "status", NULL }, false },
	{ "rollback", "applied", { "rollback", "--yes", NULL }, false },
	{ "apply again", "applied", { "apply", "--yes", "--gtt", "40G", NULL }, false },
	{ "recover", "interrupted", { "recover", NULL }, false },
	{ "apply after a rollback", "rolledback", { "apply", "--yes", NULL }, false },
	{ "status of an interrupted one", "interrupted", { "status", NULL }, false },
};
const size_t n_commands = SP_ELEMENTS(commands);

char **arguments(struct lab *lab, const struct command *c, unsigned flags)
{
	static struct sp_strv v;

	sp_strv_clear(&v);
	sp_strv_add(&v, lab->bin);
	sp_strv_add(&v, "--root");
	sp_strv_add(&v, lab->tree);
	sp_strv_add(&v, "--machine");
	sp_strv_add(&v, lab->tree);
	if (flags & RUN_JSON)
		sp_strv_add(&v, "--json");
	for (size_t i = 0; c->args[i]; i++)
		sp_strv_add(&v, c->args[i]);
	if (c->record)
		sp_strv_addf(&v, "--output=%s/record", lab->scratch);
	return v.v;
}

/* openat2 as on a kernel before 5.6, or in a sandbox that does not know it. */
static void deny_openat2(void)
{
	const struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { SP_ELEMENTS(rules), (struct sock_filter *) rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(126);
}

static _Noreturn void become(struct lab *lab, char **argv, unsigned flags, bool traced, int out, int err)
{
	sp_autofree char *data = sp_xasprintf("STRIX_PROVISION_DATADIR=%s", lab->data);
	char *const env[] = { data, (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *) "LC_ALL=C.UTF-8",
			      (char *) "ASAN_OPTIONS=detect_leaks=0:max_allocation_size_mb=1024:allocator_may_return_null=1", NULL };
	int nothing = open("/dev/null", O_RDONLY);

	if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || chdir(lab->scratch) < 0 ||
	    setpgid(0, 0) < 0)
		_exit(126);
	if (traced && (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0 || !trace_filter()))
		_exit(125);
	if (flags & RUN_NO_OPENAT2)
		deny_openat2();
	execve(argv[0], argv, env);
	_exit(126);
}

pid_t start_program(struct lab *lab, char **argv, unsigned flags, bool traced, int *out, int *err)
{
	*out = memfd_create("out", MFD_CLOEXEC);
	*err = memfd_create("err", MFD_CLOEXEC);
	if (*out < 0 || *err < 0)
		die("no memory files");
	pid_t pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (pid == 0)
		become(lab, argv, flags, traced, *out, *err);
	return pid;
}

static struct sp_buf contents(int fd)
{
	struct sp_buf b = { 0 };
	char chunk[65536];
	ssize_t n;

	(void) lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		sp_buf_add(&b, chunk, (size_t) n);
	sp_buf_add(&b, "", 0);
	(void) close(fd);
	return b;
}

void collect_output(int out, int err, struct result *ret)
{
	ret->out = contents(out);
	ret->err = contents(err);
}

void finish_program(pid_t pid, int out, int err, struct result *ret)
{
	int fd = (int) syscall(SYS_pidfd_open, pid, 0), status = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	ret->late = fd >= 0 && poll(&p, 1, LIMIT_MS) == 0;
	if (ret->late)
		(void) kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("cannot wait");
	if (fd >= 0)
		(void) close(fd);
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	collect_output(out, err, ret);
}

static void drop_record(struct lab *lab)
{
	sp_autofree char *dir = sp_xasprintf("%s/record", lab->scratch);

	clear_tree(dir);
	(void) rmdir(dir);
}

void run_program(struct lab *lab, const struct command *c, unsigned flags, struct result *ret)
{
	int out, err;

	if (c->record)
		drop_record(lab);
	pid_t pid = start_program(lab, arguments(lab, c, flags), flags, false, &out, &err);
	finish_program(pid, out, err, ret);
}

void result_clear(struct result *r)
{
	sp_buf_clear(&r->out);
	sp_buf_clear(&r->err);
	*r = (struct result){ 0 };
}
