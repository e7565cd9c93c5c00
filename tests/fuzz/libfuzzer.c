/* SPDX-License-Identifier: MIT */
/* The targets for libFuzzer: fuzz --target=NAME [libFuzzer's options] CORPUS... */
#include <stdio.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

static const struct fuzz_target *target;

/* libFuzzer passes over options with two dashes. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char option[] = "--target=";

	for (int i = 1; i < *argc; i++)
		if (sp_startswith((*argv)[i], option))
			target = fuzz_target((*argv)[i] + strlen(option));
	if (!target) {
		(void) fprintf(stderr, "usage: %s --target=NAME [OPTION...] [FOLDER|FILE...]\n", (*argv)[0]);
		exit(2);
	}
	if (target->start)
		target->start();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	target->run(data, size);
	return 0;
}

/* One time in three the words of the format, which libFuzzer does not know. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct fuzz_random r = { .state = seed * 0x9e3779b97f4a7c15u | 1 };
	sp_autobuf struct sp_buf input = { 0 }, same = { 0 };

	max = max < fuzz_max(target) ? max : fuzz_max(target);
	size = size < max ? size : max;
	(void) fuzz_below(&r, 1);
	if (fuzz_below(&r, 3))
		return LLVMFuzzerMutate(data, size, max);
	sp_buf_add(&input, data, size);
	sp_buf_add(&same, data, size);
	fuzz_mutate(&r, &input, &same, target->words, max);
	memcpy(data, input.data, input.len);
	return input.len;
}
