/* SPDX-License-Identifier: MIT */
/* The end of a trial: the loader forgets its choice, and the extra entry goes, with every byte as it was before it. */
#include <errno.h>
#include <inttypes.h>

#include "engine/trial.h"

static int disarm(const struct sp_session *s, const struct sp_boot *boot, const struct sp_trial *t, struct sp_error **err)
{
	sp_autofree char *now = NULL;
	int r = sp_once_get(s, boot, &now, err);

	const bool theirs = now && *now && !sp_streq(now, t->id);
	const bool nothing = !now && !t->before && boot->ops->once->variable;
	if (r < 0 || theirs || nothing)
		return r;
	return sp_once_set(s, boot, t->before, err); /* in a file also where it is so already: a crash may have left a temporary */
}

/* Where a file has the bytes again that it had before the trial, it gets its times again, too. */
static void restore_meta(const struct sp_record *r, struct sp_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		struct sp_edit *e = &edits->v[i];
		const struct sp_edit *was = sp_edits_find(&r->edits, e->path);

		if (!was || !was->before.exists || !e->after.exists || !sp_buf_eq(&was->before.bytes, &e->after.bytes))
			continue;
		sp_meta_clear(&e->after.meta);
		sp_meta_copy(&e->after.meta, &was->before.meta);
		e->exact_meta = true;
	}
}

static int take_out(const struct sp_session *s, struct sp_store *store, const struct sp_boot *boot, const struct sp_trial *t,
		    struct sp_edits *edits, struct sp_strv *dirs, struct sp_error **err)
{
	static const struct sp_extra extra = { .name = "trial" };
	struct sp_record *records = NULL;
	size_t n = 0;
	int r = boot->ops->once->put(s->root, boot, &extra, 1, edits, err);

	if (r == 0)
		r = sp_store_list(store, true, &records, &n, err);
	for (size_t i = 0; i < n && r == 0; i++)
		if (records[i].id == t->txn) {
			restore_meta(&records[i], edits);
			sp_strv_copy(dirs, &records[i].made_dirs);
		}
	sp_records_free(records, n);
	return r;
}

static json_t *about_end(const struct sp_session *s, const struct sp_trial *t, const char *outcome, const char *why)
{
	static const struct sp_applied none;
	sp_autofacts struct sp_facts *facts = NULL;
	sp_autofree char *text = sp_xasprintf("ends trial %" PRIu64 ": %s", t->txn, outcome);

	if (sp_facts_read(s->root, s->machine, &facts, NULL) < 0)
		facts = NULL;
	json_t *about = sp_about("trial-end", text, facts, &none);
	json_object_set_new(about, "ends", json_integer((json_int_t) t->txn));
	json_object_set_new(about, "outcome", json_string(outcome));
	if (why)
		json_object_set_new(about, "why", json_string(why));
	return about;
}

int sp_trial_end(const struct sp_session *s, struct sp_store *store, const struct sp_trial *t, const char *outcome,
		 const char *why, struct sp_result *ret, struct sp_error **err)
{
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autoedits struct sp_edits edits = { 0 };
	sp_autostrv struct sp_strv dirs = { 0 };
	int r = sp_boot_read(s->root, sp_session_system(s), t->setup, &boot, err);

	if (r == 0)
		r = disarm(s, boot, t, err);
	if (r == 0)
		r = take_out(s, store, boot, t, &edits, &dirs, err);
	if (r < 0)
		return sp_error_wrap(err, "the trial cannot be taken back");
	json_t *about = about_end(s, t, outcome, why);
	const struct sp_job job = { .about = about, .edits = &edits, .drop_dirs = &dirs, .boot = boot };
	r = sp_commit(s, store, &job, &ret->txn, &ret->warnings, err);
	json_decref(about);
	ret->changed = ret->changed || r == 0;
	ret->unfinished = sp_store_interrupted(store);
	return r;
}
