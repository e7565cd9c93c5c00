/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

enum { LONGEST = 40 };

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

const char *sp_nearest(const char *word, const struct sp_strv *names)
{
	const char *best = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < names->n; i++) {
		size_t d = distance(word, names->v[i]);
		bool begins = strlen(word) >= 3 && sp_startswith(names->v[i], word);

		if ((d > (strlen(names->v[i]) + 2) / 3 && !begins) || d >= least)
			continue;
		least = d;
		best = names->v[i];
	}
	return best;
}
