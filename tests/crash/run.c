/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/root.h"

void die(const char *fmt, ...)
{
	const int e = errno;
	va_list ap;

	va_start(ap, fmt);
	(void) fputs("sp-fault: ", stderr);
	(void) vfprintf(stderr, fmt, ap);
	(void) fprintf(stderr, "%s%s\n", e ? ": " : "", e ? strerror(e) : "");
	va_end(ap);
	exit(2);
}

void time_now(struct timespec *ret)
{
	if (clock_gettime(CLOCK_REALTIME_COARSE, ret) < 0)
		die("no clock");
}

void outcome_clear(struct outcome *o)
{
	sp_buf_clear(&o->out);
	sp_buf_clear(&o->err);
	calls_clear(&o->calls);
}

int outcome_exit(const struct outcome *o)
{
	return WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -1;
}

static int memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 ? (die("no memory for '%s'", name), -1) : fd;
}

void run_files_open(struct run_files *f)
{
	*f = (struct run_files){ memory_file("out"), memory_file("err") };
}

void run_files_read(struct run_files *f, struct outcome *ret)
{
	if (lseek(f->out, 0, SEEK_SET) < 0 || lseek(f->err, 0, SEEK_SET) < 0 ||
	    sp_fd_read(f->out, 1 << 24, &ret->out) < 0 || sp_fd_read(f->err, 1 << 24, &ret->err) < 0)
		die("cannot read what the program said");
	(void) close(f->out);
	(void) close(f->err);
}

/* --- in the child ------------------------------------------------------------------------------------------------ */

static void put(const char *path, const char *text)
{
	sp_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", path);
}

static void be_root_of_a_namespace(void)
{
	sp_autofree char *uid = sp_xasprintf("0 %u 1", geteuid()), *gid = sp_xasprintf("0 %u 1", getegid());
	const bool root = geteuid() == 0;

	if (unshare(CLONE_NEWNS | (root ? 0 : CLONE_NEWUSER)) < 0)
		die("no mount namespaces here");
	if (root)
		return;
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", uid);
	put("/proc/self/gid_map", gid);
}

/* The tree becomes "/", and the program is found below /host. */
static void enter(const char *root)
{
	sp_autofree char *host = sp_xasprintf("%s/host", root), *dev = sp_xasprintf("%s/dev", root);

	be_root_of_a_namespace();
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("/", host, NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    mount("/dev", dev, NULL, MS_BIND | MS_REC, NULL) < 0 || chroot(root) < 0 || chdir("/") < 0)
		die("cannot make '%s' the root", root);
}

static _Noreturn void become(const struct program *p, const char *const *args)
{
	const char *data = getenv("STRIX_PROVISION_DATADIR");
	sp_autofree char *datadir = sp_xasprintf("STRIX_PROVISION_DATADIR=%s", data ? data : "");
	sp_autofree char *root = sp_xasprintf("--root=%s", p->root), *machine = sp_xasprintf("--machine=%s", p->root);
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	/* LeakSanitizer traces, too, and only one can. */
	char asan[] = "ASAN_OPTIONS=detect_leaks=0:exitcode=99", ubsan[] = "UBSAN_OPTIONS=exitcode=99";
	char coverage[] = "GCOV_PREFIX=/host";
	char *env[] = { path, locale, asan, ubsan, datadir, p->live ? coverage : NULL, NULL };
	sp_autostrv struct sp_strv argv = { 0 };

	for (const char *const *a = p->argv; *a; a++)
		sp_strv_add(&argv, *a);
	if (!p->live) {
		sp_strv_add(&argv, root);
		sp_strv_add(&argv, machine);
	}
	for (const char *const *a = args; *a; a++)
		sp_strv_add(&argv, *a);
	(void) execve(argv.v[0], argv.v, env);
	_exit(RUN_CANNOT);
}

pid_t run_start(const struct program *p, const char *const *args, const struct run_files *f, void (*first)(void))
{
	(void) fflush(NULL);
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	(void) umask(022);
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (p->live)
		enter(p->root);
	if (in < 0 || dup2(in, 0) < 0 || dup2(f->out, 1) < 0 || dup2(f->err, 2) < 0)
		_exit(RUN_CANNOT);
	if (first)
		first();
	become(p, args);
}

/* --- hanging ----------------------------------------------------------------------------------------------------- */

static void rang(int sig)
{
	(void) sig; /* waitpid(2) is interrupted */
}

void run_clock(bool on)
{
	const struct sigaction a = { .sa_handler = rang };

	if (on && sigaction(SIGALRM, &a, NULL) < 0)
		die("sigaction");
	(void) alarm(on ? RUN_SECONDS : 0);
}
