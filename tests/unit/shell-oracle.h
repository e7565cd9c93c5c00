/* SPDX-License-Identifier: MIT */
/* The shells of this machine as witnesses of what a shell file says. Include after cmocka.h. */
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/root.h"

static struct sp_buf bytes(const char *s)
{
	struct sp_buf b = { 0 };

	sp_buf_adds(&b, s);
	return b;
}

/* The variable after `shell` has sourced the file, owned; NULL where there is no such shell. */
static char *ask_shell(const char *shell, const char *file)
{
	static const char script[] = ". \"$1\"; printf %s \"$" VAR "\"";
	char dir[] = "/tmp/test-shellvar-XXXXXX";
	char posix[] = "POSIXLY_CORRECT=1", *env[] = { posix, NULL }; /* bash as it is under the name sh */
	sp_autobuf struct sp_buf out = { 0 };
	int fds[2], status = 0;

	if (access(shell, X_OK) < 0)
		return NULL;
	assert_non_null(mkdtemp(dir));
	sp_autofree char *path = sp_xasprintf("%s/file", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, strlen(file)), strlen(file));
	assert_int_equal(close(fd), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (dup2(fds[1], STDOUT_FILENO) < 0)
			_exit(126);
		execle(shell, shell, "-c", script, shell, path, (char *) NULL, env);
		_exit(127);
	}
	assert_int_equal(close(fds[1]), 0);
	assert_int_equal(sp_fd_read(fds[0], 1 << 20, &out), 0);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	return sp_buf_steal(&out);
}

static const char *const shells[] = { "/bin/sh", "/bin/bash" };

enum who { EVERY_SHELL, ONLY_BASH, NO_SHELL };

static void check_shells(enum who who, const char *file, const char *value)
{
	for (size_t i = who == ONLY_BASH ? 1 : 0; who != NO_SHELL && i < SP_ELEMENTS(shells); i++) {
		sp_autofree char *says = ask_shell(shells[i], file);

		if (says && !sp_streq(says, value))
			print_error("%s says '%s' for:\n%s\n", shells[i], says, file);
		if (says)
			assert_string_equal(says, value);
	}
}
