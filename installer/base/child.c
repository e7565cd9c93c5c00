/* SPDX-License-Identifier: MIT */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/rights.h"

enum {
	SAID_MAX = 64 * 1024, /* of standard error, the end is kept */
	SHOWN_LINES = 12,
	LINGER_MS = 5, /* how often to look for the end of a program that has closed its outputs */
};

/* Our ends of what the program has as 0, 1 and 2; -1: closed. */
struct pipes {
	int in, out, err;
};

struct run {
	const struct sp_child *child;
	struct pipes p;
	size_t sent;
	struct sp_buf *out, said;
	int64_t deadline; /* milliseconds of the monotonic clock */
};

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void shut(int *fd)
{
	sp_cleanup_close_(fd);
	*fd = -1;
}

/* --- start ------------------------------------------------------------------------------------------------------- */

static int set_attributes(posix_spawnattr_t *a)
{
	sigset_t none, all;

	(void) sigemptyset(&none);
	(void) sigfillset(&all);
	int r = posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (r == 0)
		r = posix_spawnattr_setpgroup(a, 0);
	if (r == 0)
		r = posix_spawnattr_setsigmask(a, &none);
	return r ? r : posix_spawnattr_setsigdefault(a, &all);
}

static int set_files(posix_spawn_file_actions_t *f, const struct pipes *theirs)
{
	int r = theirs->in < 0 ? posix_spawn_file_actions_addopen(f, 0, "/dev/null", O_RDONLY, 0) :
				 posix_spawn_file_actions_adddup2(f, theirs->in, 0);

	if (r == 0)
		r = posix_spawn_file_actions_adddup2(f, theirs->out, 1);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(f, theirs->err, 2);
	return r ? r : posix_spawn_file_actions_addchdir_np(f, "/");
}

static int spawn(const struct sp_child *c, const struct pipes *theirs, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int r = posix_spawn_file_actions_init(&files);

	if (r)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r == 0) {
		r = set_files(&files, theirs);
		if (r == 0)
			r = set_attributes(&attributes);
		if (r == 0)
			r = posix_spawn(pid, c->argv[0], &files, &attributes, (char *const *) c->argv,
					(char *const *) c->env);
		(void) posix_spawnattr_destroy(&attributes);
	}
	(void) posix_spawn_file_actions_destroy(&files);
	return -r;
}

static int make_pipe(int *ours, int *theirs)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	*ours = p[0];
	*theirs = p[1];
	return fcntl(p[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* A socket, because writing to one that nobody reads any more need not raise SIGPIPE. */
static int make_input(int *ours, int *theirs)
{
	int p[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0)
		return -errno;
	*ours = p[0];
	*theirs = p[1];
	return fcntl(p[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int start(struct run *r, pid_t *pid)
{
	struct pipes theirs = { -1, -1, -1 };
	int code = make_pipe(&r->p.out, &theirs.out);

	if (code == 0)
		code = make_pipe(&r->p.err, &theirs.err);
	if (code == 0 && r->child->input)
		code = make_input(&r->p.in, &theirs.in);
	sp_rights_lend(true);
	if (code == 0)
		code = spawn(r->child, &theirs, pid);
	sp_rights_lend(false);
	shut(&theirs.in);
	shut(&theirs.out);
	shut(&theirs.err);
	return code;
}

/* --- talk -------------------------------------------------------------------------------------------------------- */

static void send_input(struct run *r)
{
	const struct sp_buf *b = r->child->input;
	ssize_t n = b->len > r->sent ? send(r->p.in, b->data + r->sent, b->len - r->sent, MSG_NOSIGNAL) : 0;

	if (n > 0)
		r->sent += (size_t) n;
	if (r->sent == b->len || (n < 0 && errno != EAGAIN && errno != EINTR))
		shut(&r->p.in); /* all is sent, or it does not want more */
}

/* What there is to read; closes the pipe at its end. */
static int receive(int *fd, struct sp_buf *b)
{
	char chunk[16384];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n > 0)
		sp_buf_add(b, chunk, (size_t) n);
	else if (n == 0)
		shut(fd);
	else if (errno != EAGAIN && errno != EINTR)
		return -errno;
	return 0;
}

static void keep_end(struct sp_buf *b)
{
	if (b->len <= SAID_MAX)
		return;
	memmove(b->data, b->data + (b->len - SAID_MAX), SAID_MAX);
	b->len = SAID_MAX;
	b->data[b->len] = '\0';
}

/* poll(2) passes over what is closed. */
static int talk_once(struct run *r, int64_t left)
{
	struct pollfd fds[] = { { r->p.in, POLLOUT, 0 }, { r->p.out, POLLIN, 0 }, { r->p.err, POLLIN, 0 } };
	int code = poll(fds, SP_ELEMENTS(fds), left > INT32_MAX ? INT32_MAX : (int) left);

	if (code < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents)
		send_input(r);
	code = fds[1].revents ? receive(&r->p.out, r->out) : 0;
	if (code == 0 && fds[2].revents)
		code = receive(&r->p.err, &r->said);
	keep_end(&r->said);
	return code == 0 && r->out->len > r->child->max_output ? -EFBIG : code;
}

static int talk(struct run *r)
{
	int code = 0;

	while (code == 0 && (r->p.out >= 0 || r->p.err >= 0)) {
		int64_t left = r->deadline - now_ms();

		code = left <= 0 ? -ETIMEDOUT : talk_once(r, left);
	}
	return code;
}

/* --- end --------------------------------------------------------------------------------------------------------- */

/* It has closed its outputs, so its end is near; 0 with the status, or -ETIMEDOUT. */
static int await(const struct run *r, pid_t pid, int *status)
{
	for (;;) {
		pid_t done = waitpid(pid, status, WNOHANG);

		if (done == pid)
			return 0;
		if (done < 0 && errno != EINTR)
			return -errno;
		if (now_ms() >= r->deadline)
			return -ETIMEDOUT;
		(void) poll(NULL, 0, LINGER_MS);
	}
}

static void end_by_force(pid_t pid)
{
	int status = 0;

	(void) kill(-pid, SIGKILL);
	(void) kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* The last lines of what it said, on one line: messages are one. Owned; "" when it said nothing. */
static char *last_words(struct sp_buf *said)
{
	sp_autostrv struct sp_strv lines = { 0 };
	sp_autofree char *text = sp_buf_steal(said);
	char *rest = text;

	while (rest) {
		char *line = strsep(&rest, "\n");

		line = sp_strip(line);
		if (*line)
			sp_strv_add(&lines, line);
	}
	sp_autofree char *joined = NULL;
	struct sp_strv tail = { lines.v, lines.n }; /* a view */
	if (lines.n > SHOWN_LINES)
		tail = (struct sp_strv){ lines.v + (lines.n - SHOWN_LINES), SHOWN_LINES };
	joined = sp_strv_join(&tail, " | ");
	return *joined ? sp_xasprintf(": %s", joined) : sp_xstrdup("");
}

static int complain(struct run *r, int code, int status, struct sp_error **err)
{
	const char *program = r->child->argv[0];
	sp_autofree char *words = last_words(&r->said);

	if (code == -ETIMEDOUT)
		return sp_error_set(err, code, "'%s' was stopped: it took more than %u seconds%s", program,
				    r->child->seconds, words);
	if (code == -EFBIG)
		return sp_error_set(err, code, "'%s' was stopped: it wrote more than %zu bytes", program,
				    r->child->max_output);
	if (code < 0)
		return sp_error_errno(err, code, "cannot follow '%s'", program);
	if (WIFSIGNALED(status))
		return sp_error_set(err, -EIO, "'%s' was killed by signal %d%s", program, WTERMSIG(status), words);
	return sp_error_set(err, -EIO, "'%s' ended with exit status %d%s", program, WEXITSTATUS(status), words);
}

static int run(struct run *r, struct sp_error **err)
{
	int status = 0;
	pid_t pid = -1;
	int code = start(r, &pid);

	if (code < 0)
		return sp_error_errno(err, code, "cannot run '%s'", r->child->argv[0]);
	code = talk(r);
	if (code == 0)
		code = await(r, pid, &status);
	if (code < 0)
		end_by_force(pid);
	return code < 0 || status != 0 ? complain(r, code, status, err) : 0;
}

int sp_child_run(const struct sp_child *child, struct sp_buf *out, struct sp_error **err)
{
	struct run r = {
		.child = child, .p = { -1, -1, -1 }, .out = out,
		.deadline = now_ms() + (int64_t) child->seconds * 1000,
	};
	int code = run(&r, err);

	shut(&r.p.in);
	shut(&r.p.out);
	shut(&r.p.err);
	sp_buf_clear(&r.said);
	if (code < 0)
		sp_buf_clear(out);
	return code;
}
