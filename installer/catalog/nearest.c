/* SPDX-License-Identifier: MIT */
/* The name that was meant, for hints. */
#include "base/nearest.h"
#include "catalog/internal.h"

int sp_hint_names(struct sp_error **err, const char *word, const char *const *names, size_t n)
{
	sp_autostrv struct sp_strv all = { 0 };

	for (size_t i = 0; i < n; i++)
		sp_strv_add(&all, names[i]);
	const char *meant = *word ? sp_nearest(word, &all) : NULL;
	if (meant)
		return sp_error_hint(err, "did you mean '%s'?", meant);
	sp_autofree char *list = sp_strv_join(&all, ", ");
	return sp_error_hint(err, "these are possible: %s", list);
}
