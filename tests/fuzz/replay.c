/* SPDX-License-Identifier: MIT */
/*
 * The targets without a fuzzer:
 *
 *   replay [--mutations=N]                every target: its seeds, its regressions, the corpus where $SP_CORPUS names
 *                                         one, and N mutations of them, the same ones each time (TAP)
 *   replay --target=NAME [...]            one target
 *   replay --target=NAME FILE...          these inputs
 *   replay --target=NAME --export=DIR     write all its inputs into a folder, for another fuzzer to begin with
 *   replay --list                         names
 *
 * What a violation or a crash happened on is left in "fuzz-TARGET.input".
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "base/root.h"
#include "fuzz.h"

#define MUTATIONS 2000

/* --- the input that is tried now, for who has to tell why the process ends ----------------------------------------- */

static struct {
	const struct fuzz_target *target;
	const struct sp_buf *bytes;
	char path[64];
} now;

/* Only calls that a signal handler may make. */
static void keep_input(void)
{
	static const char told[] = "# the input is in ";
	int fd = now.bytes ? open(now.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;

	if (fd < 0 || write(fd, now.bytes->data, now.bytes->len) < 0 || close(fd) < 0 ||
	    write(STDERR_FILENO, told, strlen(told)) < 0 || write(STDERR_FILENO, now.path, strlen(now.path)) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0)
		_exit(1);
}

static void on_signal(int number)
{
	keep_input();
	(void) signal(number, SIG_DFL);
	(void) raise(number);
}

/* AddressSanitizer ends the process in its own way. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch(void)
{
	static const int numbers[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };

	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	(void) signal(SIGABRT, on_signal);
	for (size_t i = 0; i < SP_ELEMENTS(numbers) && !__sanitizer_set_death_callback; i++)
		(void) signal(numbers[i], on_signal);
}

static void run(const struct sp_buf *input)
{
	now.bytes = input;
	now.target->run((const uint8_t *) input->data, input->len);
	now.bytes = NULL;
}

static void take(const struct fuzz_target *t)
{
	now.target = t;
	(void) snprintf(now.path, sizeof(now.path), "fuzz-%s.input", t->name);
	if (t->start)
		t->start();
}

/* --- what is done with a target ------------------------------------------------------------------------------------ */

static void mutations(const struct fuzz_inputs *in, const struct fuzz_target *t, size_t n)
{
	struct fuzz_random r = { .state = 0x5eed };

	for (; n > 0 && in->n; n--) {
		const struct fuzz_one *one = &in->v[fuzz_below(&r, in->n)], *other = &in->v[fuzz_below(&r, in->n)];
		sp_autobuf struct sp_buf input = { 0 };

		sp_buf_add(&input, one->bytes.data, one->bytes.len);
		fuzz_mutate(&r, &input, &other->bytes, t->words, fuzz_max(t));
		fuzz_tighten(&input);
		run(&input);
	}
}

static void test(const struct fuzz_target *t, size_t number, size_t n_mutations)
{
	fuzz_autoinputs struct fuzz_inputs in = { 0 };

	take(t);
	fuzz_inputs(t, &in);
	fuzz_check(in.seeds, "%s has no seeds in %s", t->name, fuzz_sources());
	for (size_t i = 0; i < in.n; i++)
		run(&in.v[i].bytes);
	mutations(&in, t, n_mutations);
	(void) printf("ok %zu - %s: %zu seeds, %zu regressions, %zu real files, %zu mutations\n", number, t->name,
		      in.seeds, in.regressions, in.real, n_mutations);
	(void) fflush(stdout);
}

static int tests(const struct fuzz_target *only, size_t n_mutations)
{
	size_t n = 0;

	for (size_t i = 0; fuzz_targets[i]; i++)
		if (!only || only == fuzz_targets[i])
			test(fuzz_targets[i], ++n, n_mutations);
	(void) printf("1..%zu\n", n);
	return 0;
}

static int files(const struct fuzz_target *t, char **paths)
{
	take(t);
	for (; *paths; paths++) {
		sp_autoclose int fd = open(*paths, O_RDONLY | O_CLOEXEC);
		sp_autobuf struct sp_buf input = { 0 };

		if (fd < 0 || sp_fd_read(fd, 1 << 20, &input) < 0) {
			perror(*paths);
			return 1;
		}
		fuzz_tighten(&input);
		run(&input);
		(void) printf("%s: fine\n", *paths);
	}
	return 0;
}

static int export(const struct fuzz_target *t, const char *dir)
{
	fuzz_autoinputs struct fuzz_inputs in = { 0 };

	fuzz_inputs(t, &in);
	for (size_t i = 0; i < in.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%04zu", dir, i);
		FILE *f = fopen(path, "we");

		if (!f || fwrite(in.v[i].bytes.data, 1, in.v[i].bytes.len, f) != in.v[i].bytes.len || fclose(f) != 0) {
			perror(path);
			return 1;
		}
	}
	(void) printf("%zu\n", in.n);
	return 0;
}

static int list(void)
{
	for (size_t i = 0; fuzz_targets[i]; i++)
		(void) puts(fuzz_targets[i]->name);
	return 0;
}

static const char *value_of(const char *arg, const char *option)
{
	return sp_startswith(arg, option) ? arg + strlen(option) : NULL;
}

int main(int argc, char **argv)
{
	const struct fuzz_target *t = NULL;
	const char *dir = NULL, *v = NULL;
	uint64_t n = MUTATIONS;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++)
		if (sp_streq(argv[i], "--list"))
			return list();
		else if (!((v = value_of(argv[i], "--target=")) && (t = fuzz_target(v))) &&
			 !(dir = value_of(argv[i], "--export=")) &&
			 !((v = value_of(argv[i], "--mutations=")) && sp_parse_u64(v, &n) == 0)) {
			(void) fprintf(stderr, "%s: '%s' is not understood; the names of the targets: --list\n", argv[0], argv[i]);
			return 2;
		}
	if ((dir || i < argc) && !t) {
		(void) fprintf(stderr, "%s: --target is missing\n", argv[0]);
		return 2;
	}
	watch();
	return dir ? export(t, dir) : i < argc ? files(t, argv + i) : tests(t, n);
}
