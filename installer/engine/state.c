/* SPDX-License-Identifier: MIT */
/*
 * state.json says what users may know: which transactions there were, what is
 * applied now. It is made from the journals and from nothing else, so a crash
 * between a commit and its writing loses nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "engine/internal.h"

static char *utc_now(void)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return sp_xstrdup("");
	return sp_xasprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			    tm.tm_min, tm.tm_sec); /* strftime() would read the time zone's file */
}

json_t *sp_about(const char *kind, const char *text, const struct sp_facts *facts, const struct sp_applied *next)
{
	sp_autofree char *time = utc_now();
	const char *boot_id = facts ? sp_fact_text(facts, SP_FACT_BOOT_ID) : NULL;

	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "kind", kind, "time", time, "text", text, "boot_id",
			 boot_id ? json_string(boot_id) : json_null(), "applied", sp_applied_to_json(next));
}

static const char *const state_names[] = {
	[SP_TXN_OPEN] = "interrupted",	     [SP_TXN_PREPARED] = "interrupted", [SP_TXN_COMMITTED] = "committed",
	[SP_TXN_DONE] = "committed", [SP_TXN_UNDONE] = "undone",	[SP_TXN_DAMAGED] = "damaged",
};

static bool is_committed(const struct sp_record *r)
{
	return (r->state == SP_TXN_COMMITTED || r->state == SP_TXN_DONE) && r->about;
}

static bool undoes(const struct sp_record *rollback, uint64_t id)
{
	const json_t *list = json_object_get(rollback->about, "undoes");
	json_t *v = NULL;
	size_t i;

	json_array_foreach (list, i, v)
		if ((uint64_t) json_integer_value(v) == id)
			return true;
	return false;
}

static const char *state_of(const struct sp_record *records, size_t n, size_t i)
{
	for (size_t k = i + 1; k < n; k++)
		if (is_committed(&records[k]) && undoes(&records[k], records[i].id))
			return "rolled-back";
	return state_names[records[i].state];
}

static bool is_of_firmware(const struct sp_attribute *a)
{
	return a->path && !sp_attribute_is_line(a);
}

/* What was written to the firmware; it is of no use that others may not know. */
static json_t *attribute_json(const struct sp_attribute *a, const json_t *about)
{
	return json_pack("{s:s, s:s, s:s, s:O?}", "path", a->path, "before", a->before, "after", a->after, "boot_id",
			 json_object_get(about, "boot_id"));
}

static json_t *describe(const struct sp_record *records, size_t n, size_t i)
{
	const struct sp_record *r = &records[i];
	const char *kind = json_string_value(json_object_get(r->about, "kind"));
	const char *text = json_string_value(json_object_get(r->about, "text"));
	const char *time = json_string_value(json_object_get(r->about, "time"));
	json_t *files = json_array();

	for (size_t k = 0; k < r->edits.n; k++)
		json_array_append_new(files, json_string(r->edits.v[k].path));
	json_t *attribute = is_of_firmware(&r->attribute) ? attribute_json(&r->attribute, r->about) : NULL;
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:o*}", "id", (json_int_t) r->id, "kind", kind ? kind : "unknown", "state",
			 state_of(records, n, i), "time", time ? time : "", "text", text ? text : "", "files", files, "firmware",
			 attribute);
}

/* Which trial there was last, and what became of it; `told` may be NULL. Its transactions apply nothing. */
static bool follow_trial(const struct sp_record *r, json_t **told)
{
	const char *kind = json_string_value(json_object_get(r->about, "kind"));
	json_t *promotes = json_object_get(r->about, "promotes");

	if (sp_streq(kind, "trial")) {
		json_decref(*told);
		*told = json_deep_copy(json_object_get(r->about, "trial"));
	}
	if (promotes && *told && json_equal(promotes, json_object_get(*told, "transaction")))
		json_object_set_new(*told, "promoted", json_true());
	if (!sp_streq(kind, "trial-end"))
		return sp_streq(kind, "trial") || sp_streq(kind, "tidy");
	if (*told && json_equal(json_object_get(r->about, "ends"), json_object_get(*told, "transaction"))) {
		json_object_set_new(*told, "open", json_false());
		json_object_set(*told, "outcome", json_object_get(r->about, "outcome"));
		json_object_set(*told, "why", json_object_get(r->about, "why"));
	}
	return true;
}

static json_t *build(const struct sp_record *records, size_t n)
{
	json_t *list = json_array(), *applied = NULL, *was = NULL, *boot_id = NULL, *told = NULL, *trial = NULL;

	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, describe(records, n, i));
		if (!is_committed(&records[i]) || follow_trial(&records[i], &trial))
			continue;
		applied = json_object_get(records[i].about, "applied");
		was = json_object_get(records[i].about, "was");
		boot_id = json_object_get(records[i].about, "boot_id");
		if (!is_of_firmware(&records[i].attribute))
			continue;
		json_decref(told);
		told = attribute_json(&records[i].attribute, records[i].about);
	}
	return json_pack("{s:s, s:o, s:O?, s:O?, s:O?, s:o*, s:o*}", "schema", "strix-provision/state/1", "transactions", list,
			 "applied", applied, "was", was, "boot_id", boot_id, "firmware", told,
			 "trial", trial);
}

/* *ret NULL: there are no journals. */
static int from_journals(const struct sp_store *store, json_t **ret, struct sp_error **err)
{
	struct sp_record *records = NULL;
	size_t n = 0;
	int r = sp_store_list(store, false, &records, &n, err);

	*ret = r == 0 && n > 0 ? build(records, n) : NULL;
	sp_records_free(records, n);
	return r;
}

int sp_state_write(struct sp_store *store, struct sp_error **err)
{
	json_t *state = NULL;
	int r = from_journals(store, &state, err);

	if (r == 0 && !state)
		state = build(NULL, 0);
	if (r == 0)
		r = sp_store_write_state(store, state, err);
	json_decref(state);
	return r;
}

int sp_state_write_now(struct sp_store *store, struct sp_error **err)
{
	int r = sp_state_write(store, err);

	return r < 0 ? r : sp_store_sync(store, err);
}

/* A lost file costs nothing to who may read the journals; the next write puts it back. */
static int read_or_build(const struct sp_store *store, json_t **ret, struct sp_error **err)
{
	int r = sp_store_read_state(store, ret, err);

	if (r == 0 && !*ret && from_journals(store, ret, NULL) < 0)
		*ret = NULL; /* no rights: what is applied, if anything, is not known */
	return r;
}

int sp_state_read(const struct sp_session *s, struct sp_state *ret, struct sp_error **err)
{
	struct sp_store *store = NULL;
	json_t *state = NULL;
	int r = sp_store_open(s->root, false, &store, err);

	*ret = (struct sp_state){ 0 };
	if (r < 0)
		return r;
	ret->interrupted = sp_store_interrupted(store);
	r = read_or_build(store, &state, err);
	if (r == 0 && state) {
		ret->transactions = json_incref(json_object_get(state, "transactions"));
		ret->told = json_incref(json_object_get(state, "firmware"));
		ret->trial = json_incref(json_object_get(state, "trial"));
		ret->rollback_boot_id = sp_xstrdup(json_string_value(json_object_get(state, "boot_id")));
		r = sp_applied_from_json(json_object_get(state, "applied"), &ret->applied, err);
	}
	if (r == 0 && state)
		r = sp_applied_from_json(json_object_get(state, "was"), &ret->was, err);
	if (r == -EBADMSG) {
		(void) sp_error_exit(err, SP_EXIT_RECOVER);
		(void) sp_error_hint(err, "'strix-provision recover' as root makes state.json anew from the journals");
	}
	json_decref(state);
	sp_store_close(store);
	if (r < 0)
		sp_state_clear(ret);
	return r;
}

void sp_state_clear(struct sp_state *st)
{
	sp_applied_clear(&st->applied);
	sp_applied_clear(&st->was);
	free(st->rollback_boot_id);
	json_decref(st->transactions);
	json_decref(st->told);
	json_decref(st->trial);
	*st = (struct sp_state){ 0 };
}
