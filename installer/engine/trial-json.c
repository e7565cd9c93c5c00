/* SPDX-License-Identifier: MIT */
/* A trial as JSON: in the journal of its transaction, and in state.json. */
#include <errno.h>

#include "engine/trial.h"

#define TEXT(field) { #field, offsetof(struct sp_trial, field) }
static const struct {
	const char *key;
	size_t offset;
} texts[] = { TEXT(outcome), TEXT(why), TEXT(entry), TEXT(id), TEXT(boot_id), TEXT(setup), TEXT(before) };

static char **text_of(const struct sp_trial *t, size_t i)
{
	return (char **) ((char *) t + texts[i].offset);
}

json_t *sp_trial_to_json(const struct sp_trial *t)
{
	struct sp_applied next = t->next; /* a view: its transaction is the trial's */
	json_t *o = json_pack("{s:I, s:b, s:b}", "transaction", (json_int_t) t->txn, "open", (int) t->open, "promoted",
			      (int) t->promoted);

	for (size_t i = 0; i < SP_ELEMENTS(texts); i++)
		if (*text_of(t, i))
			json_object_set_new(o, texts[i].key, json_string(*text_of(t, i)));
	next.txn = t->txn;
	json_object_set_new(o, "next", sp_applied_to_json(&next));
	return o;
}

int sp_trial_from_json(const json_t *json, struct sp_trial *ret, struct sp_error **err)
{
	json_int_t txn = 0;
	int open = 0, promoted = 0;

	*ret = (struct sp_trial){ 0 };
	if (!json || json_is_null(json))
		return 0;
	if (json_unpack((json_t *) json, "{s:I, s:b, s:b}", "transaction", &txn, "open", &open, "promoted", &promoted) < 0 ||
	    txn <= 0)
		return sp_error_set(err, -EBADMSG, "the record of the trial is damaged");
	ret->txn = (uint64_t) txn;
	ret->open = open;
	ret->promoted = promoted;
	for (size_t i = 0; i < SP_ELEMENTS(texts); i++)
		*text_of(ret, i) = sp_xstrdup(json_string_value(json_object_get(json, texts[i].key)));
	int r = sp_applied_from_json(json_object_get(json, "next"), &ret->next, err);
	if (r == 0 && (!ret->id || !ret->setup))
		r = sp_error_set(err, -EBADMSG, "the record of the trial is damaged");
	if (r < 0)
		sp_trial_clear(ret);
	return r;
}

void sp_trial_clear(struct sp_trial *t)
{
	for (size_t i = 0; i < SP_ELEMENTS(texts); i++)
		free(*text_of(t, i));
	sp_applied_clear(&t->next);
	*t = (struct sp_trial){ 0 };
}
