/* SPDX-License-Identifier: MIT */
/* Running other programs: how they end, what they say, what they inherit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/child.h"

#define LIMIT 4096

static const char *const plain_env[] = { "LC_ALL=C", "NAME=value", NULL };

struct ending {
	const char *name;
	const char *script; /* of /bin/sh -c; NULL: no such program */
	const char *input;
	int code;
	const char *out;
	const char *message; /* in it */
};

static const struct ending endings[] = {
	{ "output comes back", "echo one; echo two", NULL, 0, "one\ntwo\n", NULL },
	{ "standard error does not mix with it", "echo out; echo err >&2", NULL, 0, "out\n", NULL },
	{ "input arrives, and ends", "cat; echo .", "some text", 0, "some text.\n", NULL },
	{ "no input is an end at once", "cat; echo .", NULL, 0, ".\n", NULL },
	{ "empty input, too", "cat; echo .", "", 0, ".\n", NULL },
	{ "input that nobody reads", "exec 0<&-; echo out", "text", 0, "out\n", NULL },
	{ "the environment is what was given", "echo $NAME $HOME-$USER", NULL, 0, "value -\n", NULL },
	{ "it works in /", "pwd", NULL, 0, "/\n", NULL },
	{ "outputs closed early", "exec >&- 2>&-; sleep 0.05; exit 0", NULL, 0, "", NULL },
	{ "an exit status", "echo half; echo first >&2; echo; echo ' last ' >&2; exit 3", NULL, -EIO, "",
	  "exit status 3: first | last" },
	{ "an exit status without a word", "exit 1", NULL, -EIO, "", "exit status 1" },
	{ "a status behind closed outputs", "exec >&- 2>&-; sleep 0.05; exit 4", NULL, -EIO, "", "exit status 4" },
	{ "a signal", "kill -TERM $$", NULL, -EIO, "", "killed by signal 15" },
	{ "no signal is held", "kill -INT $$; echo survived", NULL, -EIO, "", "killed by signal 2" },
	{ "no signal is ignored", "kill -HUP $$; echo survived", NULL, -EIO, "", "killed by signal 1" },
	{ "only the last lines are told", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo line$i >&2; done; exit 1",
	  NULL, -EIO, "", "exit status 1: line3 | line4" },
	{ "too much output", "while :; do echo 0123456789012345678901234567890123456789; done", NULL, -EFBIG, "",
	  "more than 4096 bytes" },
	{ "just enough output", "printf %4096s x | tr ' ' x | tail -c 4096 >/dev/null; printf %4095s x | wc -c", NULL, 0,
	  "4095\n", NULL },
	{ "no such program", NULL, NULL, -ENOENT, "", "cannot run '/nonexistent/program'" },
};

static int run_script(const char *script, const char *input, unsigned seconds, struct sp_buf *out, struct sp_error **err)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	const char *none[] = { "/nonexistent/program", NULL };
	const struct sp_buf text = { (char *) input, input ? strlen(input) : 0, 0 };
	const struct sp_child child = {
		.argv = script ? argv : none, .env = plain_env, .input = input ? &text : NULL,
		.max_output = LIMIT, .seconds = seconds,
	};

	return sp_child_run(&child, out, err);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_endings(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(endings); i++) {
		const struct ending *e = &endings[i];
		sp_autoerror struct sp_error *err = NULL;
		sp_autobuf struct sp_buf out = { 0 };
		const int before = count_fds();
		int r = run_script(e->script, e->input, 30, &out, &err);
		const char *text = out.data ? out.data : "";

		if (r != e->code || strcmp(text, e->out) != 0 || (e->message && !strstr(err->message, e->message)))
			fail_msg("%s: code %d, output '%s', message '%s'", e->name, r, text, err ? err->message : "");
		assert_int_equal(count_fds(), before);
	}
}

/* What nobody reads any more must not end us. */
static void test_unread_input(void **state)
{
	const size_t size = 300000;
	sp_autofree char *text = sp_xcalloc(size + 1, 1);
	sp_autobuf struct sp_buf out = { 0 };

	(void) state;
	memset(text, 'x', size);
	assert_int_equal(run_script("exec 0<&-; echo out", text, 30, &out, NULL), 0);
	assert_string_equal(out.data, "out\n");
}

/* More than any pipe holds, both ways at once. */
static void test_much_input(void **state)
{
	const size_t size = 300000;
	sp_autofree char *text = sp_xmalloc(size);
	const struct sp_buf input = { text, size, 0 };
	sp_autobuf struct sp_buf out = { 0 };
	const char *argv[] = { "/bin/cat", NULL };
	const struct sp_child child = {
		.argv = argv, .env = plain_env, .input = &input, .max_output = size, .seconds = 30,
	};

	(void) state;
	memset(text, 'x', size);
	assert_int_equal(sp_child_run(&child, &out, NULL), 0);
	assert_true(sp_buf_eq(&out, &input));
}

/* The limit counts for what the program has started, too: the grandchild holds the pipe. */
static void test_time_limit(void **state)
{
	static const char *const scripts[] = { "echo begun >&2; sleep 100", "exec >&- 2>&-; exec sleep 100",
					       "sleep 100 & exit 0" };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(scripts); i++) {
		sp_autoerror struct sp_error *err = NULL;
		sp_autobuf struct sp_buf out = { 0 };

		assert_int_equal(run_script(scripts[i], NULL, 1, &out, &err), -ETIMEDOUT);
		assert_non_null(strstr(err->message, i == 0 ? "more than 1 seconds: begun" : "more than 1 seconds"));
	}
}

/* Nothing of it lives on: who reads from the other end of a FIFO is seen by who would write to it. */
static void test_no_leftovers(void **state)
{
	char dir[] = "/tmp/test-child-XXXXXX";
	sp_autobuf struct sp_buf out = { 0 };
	int fd = 0;

	(void) state;
	assert_non_null(mkdtemp(dir));
	sp_autofree char *fifo = sp_xasprintf("%s/fifo", dir);
	sp_autofree char *script = sp_xasprintf("sleep 100 <>%s & exit 0", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(run_script(script, NULL, 1, &out, NULL), -ETIMEDOUT);
	for (int i = 0; i < 1000 && fd >= 0; i++) { /* it was told to end, and is about to */
		fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			assert_int_equal(close(fd), 0);
		(void) poll(NULL, 0, 5);
	}
	assert_int_equal(errno, ENXIO);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_true(fd < 0);
}

/* What we hold back during a transaction is not inherited. */
static void test_held_signals(void **state)
{
	sp_autobuf struct sp_buf out = { 0 };
	sigset_t set, old;

	(void) state;
	(void) sigemptyset(&set);
	(void) sigaddset(&set, SIGINT);
	(void) sigaddset(&set, SIGPIPE);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
	assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	int held = run_script("kill -INT $$; echo survived", NULL, 30, &out, NULL);
	int ignored = run_script("kill -HUP $$; echo survived", NULL, 30, &out, NULL);
	assert_true(signal(SIGHUP, SIG_DFL) != SIG_ERR);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	assert_int_equal(held, -EIO);
	assert_int_equal(ignored, -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_much_input),
		cmocka_unit_test(test_time_limit),
		cmocka_unit_test(test_held_signals),
		cmocka_unit_test(test_unread_input),
		cmocka_unit_test(test_no_leftovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
