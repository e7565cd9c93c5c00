/* SPDX-License-Identifier: MIT */
#include "cmd/cli.h"

#define LONGEST 32

/* Edits (insert, delete, replace) that make b of a. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), row[LONGEST + 1];

	if (n > LONGEST || m > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[m];
}

const char *sp_nearest(const char *word, const char *(*next)(size_t i))
{
	const char *best = NULL, *candidate;
	size_t least = SIZE_MAX;

	for (size_t i = 0; (candidate = next(i)); i++) {
		size_t len = strlen(candidate), d = distance(word, candidate);
		bool begins = strlen(word) >= 3 && sp_startswith(candidate, word);

		if (!*candidate || (d > (len + 2) / 3 && !begins) || d >= least)
			continue;
		least = d;
		best = candidate;
	}
	return best;
}
