/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

static void add_ids(struct sp_strv *to, const struct sp_strv *from, const struct sp_strv *except)
{
	for (size_t i = 0; i < from->n; i++)
		if (!sp_strv_has(to, from->v[i]) && !(except && sp_strv_has(except, from->v[i])))
			sp_strv_add(to, from->v[i]);
}

/* A choice made by hand beats the configuration's opposite; what is only in one of them counts. */
void sp_select(const struct sp_selection *chosen, const struct sp_selection *config, struct sp_selection *ret)
{
	sp_selection_copy(ret, config);
	ret->given = chosen->given || config->given;
	if (chosen->profile) {
		free(ret->profile);
		ret->profile = sp_xstrdup(chosen->profile);
	}
	sp_strv_clear(&ret->with);
	sp_strv_clear(&ret->without);
	add_ids(&ret->with, &chosen->with, NULL);
	add_ids(&ret->with, &config->with, &chosen->without);
	add_ids(&ret->without, &chosen->without, NULL);
	add_ids(&ret->without, &config->without, &chosen->with);
	add_ids(&ret->replace, &chosen->replace, NULL);
	if (chosen->gtt_mib)
		ret->gtt_mib = chosen->gtt_mib;
	if (chosen->host_reserve_mib)
		ret->host_reserve_mib = chosen->host_reserve_mib;
	if (chosen->uma != SP_UMA_UNSET) {
		ret->uma = chosen->uma;
		ret->uma_mib = chosen->uma_mib;
	}
	ret->any_platform = chosen->any_platform || config->any_platform;
}
