/* SPDX-License-Identifier: MIT */
/* The name that was meant, for hints. */
#include <stdint.h>

#include "catalog/internal.h"

enum { LONGEST = 40 };

/* Edits (insert, delete, replace a character) that make b of a. */
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
			size_t least = diagonal + (a[i - 1] != b[j - 1]);
			if (least > row[j] + 1)
				least = row[j] + 1;
			if (least > row[j - 1] + 1)
				least = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = least;
		}
	}
	return row[m];
}

const char *sp_name_nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t least = strlen(word) / 3 + 2; /* a third of the letters may be wrong */

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, names[i]);
		if (d < least) {
			least = d;
			best = names[i];
		}
	}
	return best;
}

int sp_hint_names(struct sp_error **err, const char *word, const char *const *names, size_t n)
{
	const char *meant = *word ? sp_name_nearest(word, names, n) : NULL;
	sp_autostrv struct sp_strv all = { 0 };

	if (meant)
		return sp_error_hint(err, "did you mean '%s'?", meant);
	for (size_t i = 0; i < n; i++)
		sp_strv_add(&all, names[i]);
	sp_autofree char *list = sp_strv_join(&all, ", ");
	return sp_error_hint(err, "these are possible: %s", list);
}
