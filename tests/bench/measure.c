/* SPDX-License-Identifier: MIT */
/*
 * measure FILE COMMAND...: run it once and append "MICROSECONDS PEAK_KIB STATUS" to FILE: the time from before fork to
 * after wait, and the largest resident set. What it prints is thrown away.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(125);
}

static _Noreturn void run(char **command)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(125);
	execv(command[0], command);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	struct rusage usage;
	int status = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: measure FILE COMMAND...\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		run(argv + 2);
	if (wait4(pid, &status, 0, &usage) < 0)
		die("wait");
	clock_gettime(CLOCK_MONOTONIC, &to);
	FILE *out = fopen(argv[1], "a");
	if (!out)
		die(argv[1]);
	int64_t usec = (int64_t) (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
	fprintf(out, "%lld %ld %d\n", (long long) usec, usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return fclose(out) == 0 ? 0 : 1;
}
