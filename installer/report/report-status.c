/* SPDX-License-Identifier: MIT */
#include "report/internal.h"

static json_t *size_or_null(uint64_t mib)
{
	return mib ? json_integer((json_int_t) mib) : json_null();
}

static json_t *applied_json(const struct sp_applied *a)
{
	json_t *o, *settings;

	if (!a->txn)
		return json_null();
	o = json_object();
	settings = json_array();
	for (size_t i = 0; i < a->n_settings; i++) {
		const struct sp_applied_setting *s = &a->settings[i];
		json_t *item = json_object();

		sp_json_put(item, "id", sp_json_text(s->id));
		sp_json_put(item, "destination", sp_json_text(sp_dest_name(s->dest)));
		sp_json_put(item, "key", sp_json_text(s->key));
		sp_json_put(item, "value", sp_json_text(s->value));
		sp_json_put(item, "ours", json_boolean(s->ours));
		(void) json_array_append_new(settings, item);
	}
	sp_json_put(o, "transaction", json_integer((json_int_t) a->txn));
	sp_json_put(o, "profile", sp_json_text(a->selection.profile));
	sp_json_put(o, "platform", sp_json_text(a->platform));
	sp_json_put(o, "boot_setup", sp_json_text(a->boot_setup));
	sp_json_put(o, "gtt_mib", size_or_null(a->gtt_mib));
	sp_json_put(o, "uma_mib", size_or_null(a->carve_out_mib));
	sp_json_put(o, "settings", settings);
	return o;
}

static json_t *trial_json(const struct sp_status *st)
{
	json_t *o;

	if (!st->trial)
		return json_null();
	o = json_object();
	sp_json_put(o, "transaction", json_integer((json_int_t) st->trial));
	sp_json_put(o, "state", sp_json_text(sp_trial_state_name(st->trial_state)));
	sp_json_put(o, "entry", sp_json_text(st->trial_entry));
	sp_json_put(o, "outcome", sp_json_text(st->trial_outcome));
	sp_json_put(o, "why", sp_json_text(st->trial_why));
	return o;
}

static int status_json(struct sp_report *r, const struct sp_status *st, enum sp_exit status)
{
	json_t *object = sp_json_open(r, status, NULL), *array = json_array();

	for (size_t i = 0; i < st->n_txns; i++) {
		json_t *o = json_object();

		sp_json_put(o, "id", json_integer((json_int_t) st->txns[i].id));
		sp_json_put(o, "kind", sp_json_text(st->txns[i].kind));
		sp_json_put(o, "state", sp_json_text(st->txns[i].state));
		sp_json_put(o, "time", sp_json_text(st->txns[i].time));
		sp_json_put(o, "text", sp_json_text(st->txns[i].text));
		(void) json_array_append_new(array, o);
	}
	sp_json_put(object, "transactions", array);
	sp_json_put(object, "reboot_pending", json_boolean(st->reboot_pending));
	sp_json_put(object, "firmware_set", json_boolean(st->firmware_set));
	sp_json_put(object, "interrupted", json_boolean(st->interrupted));
	sp_json_put(object, "boot_check", st->boot_check < 0 ? json_null() : json_integer(st->boot_check));
	sp_json_put(object, "first_boot", json_boolean(st->requested));
	sp_json_put(object, "trial", trial_json(st));
	sp_json_put(object, "applied", applied_json(&st->applied));
	return sp_json_print(r, object);
}

static void put_transactions(struct sp_report *r, const struct sp_status *st)
{
	static const struct sp_column columns[] = {
		{ "ID", SCOLS_FL_RIGHT }, { "TIME", 0 }, { "KIND", 0 }, { "STATE", 0 }, { "WHAT", SCOLS_FL_WRAP },
	};
	sp_autotable struct libscols_table *table = sp_table_new(r, columns, SP_ELEMENTS(columns));

	sp_heading(r, "Transactions");
	for (size_t i = 0; i < st->n_txns; i++) {
		const struct sp_status_txn *t = &st->txns[i];
		sp_autofree char *id = sp_xasprintf("%ju", (uintmax_t) t->id);
		/* what is left of the line beside the other columns */
		sp_autofree char *text = sp_text_fold(t->text ? t->text : "", r->width > 80 ? r->width - 54 : 26, true);
		const char *cells[] = { id, t->time, t->kind, t->state, text };

		(void) sp_table_row(table, NULL, cells, SP_ELEMENTS(cells));
	}
	sp_table_print(r, table);
}

static void put_applied(struct sp_report *r, const struct sp_applied *a)
{
	sp_autofree char *gtt = sp_text_mib(a->gtt_mib), *carve_out = sp_text_mib(a->carve_out_mib);
	struct sp_pair pairs[] = {
		{ "transaction", sp_xasprintf("%ju", (uintmax_t) a->txn) },
		{ "platform", sp_xstrdup(a->platform) },
		{ "boot setup", sp_xstrdup(a->boot_setup) },
		{ "profile", sp_xstrdup(a->selection.profile) },
		{ "GPU memory", a->gtt_mib ? sp_xasprintf("%s, for a carve-out of %s", gtt, carve_out) : NULL },
		{ "settings", sp_xasprintf("%zu", a->n_settings) },
	};

	sp_heading(r, "Applied");
	sp_pairs_print(r, pairs, SP_ELEMENTS(pairs));
	for (size_t i = 0; r->verbose && i < a->n_settings; i++) {
		const struct sp_applied_setting *s = &a->settings[i];

		sp_print(r, "    %s: %s%s%s%s\n", s->id, s->key, s->value ? "=" : "", s->value ? s->value : "",
			 s->ours ? "" : " (was so already)");
	}
}

static void put_trial(struct sp_report *r, const struct sp_status *st)
{
	struct sp_pair pairs[] = {
		{ "transaction", sp_xasprintf("%ju", (uintmax_t) st->trial) },
		{ "state", sp_xstrdup(sp_trial_state_name(st->trial_state)) },
		{ "outcome", sp_xstrdup(st->trial_outcome) },
		{ "entry", sp_xstrdup(st->trial_entry) },
	};

	sp_heading(r, "Trial");
	sp_pairs_print(r, pairs, SP_ELEMENTS(pairs));
	if (st->trial_why)
		sp_paragraph(r, "", 2, st->trial_why);
}

/* What the user does about a trial next; NULL: nothing. */
static const char *const trial_steps[SP_TRIAL__COUNT][2] = {
	[SP_TRIAL_PREPARED] = { "The trial is not armed", "takes it back" },
	[SP_TRIAL_ARMED] = { "The trial waits for a reboot; then", "makes it permanent" },
	[SP_TRIAL_RUNNING] = { "The trial runs", "makes it permanent if it is good" },
	[SP_TRIAL_VERIFIED] = { "The trial is good", "makes it permanent" },
	[SP_TRIAL_PROMOTED] = { "The trial is permanent", "takes its entry out of the menu" },
	[SP_TRIAL_FAILED] = { "The trial failed", "takes it back" },
};

/* What the check at this start said, by its exit status; NULL: nothing that is not said otherwise. */
static const char *boot_check_text(int status)
{
	static const struct {
		enum sp_exit status;
		const char *text;
	} texts[] = {
		{ SP_EXIT_OK, "The check at this start found all of it in force." },
		{ SP_EXIT_DIFFERS, "The check at this start found something that is not in force:" },
		{ SP_EXIT_FAILED, "The check at this start failed:" },
	};

	for (size_t i = 0; i < SP_ELEMENTS(texts); i++)
		if ((int) texts[i].status == status)
			return texts[i].text;
	return NULL;
}

static void put_boot_check(struct sp_report *r, const struct sp_status *st)
{
	const char *text = st->applied.txn ? boot_check_text(st->boot_check) : NULL;

	if (text && st->boot_check)
		sp_print(r, "%s run `%s verify`.\n", text, r->program);
	else if (text)
		sp_print(r, "%s\n", text);
}

int sp_report_status(struct sp_report *r, const struct sp_status *st, enum sp_exit status)
{
	if (r->json)
		return status_json(r, st, status);
	if (st->n_txns)
		put_transactions(r, st);
	if (st->applied.txn)
		put_applied(r, &st->applied);
	if (st->trial)
		put_trial(r, st);
	sp_gap(r);
	put_boot_check(r, st);
	if (st->requested)
		sp_print(r, "Something is left to the first boot; there `%s apply --requested` does it.\n", r->program);
	if (!st->applied.txn)
		sp_print(r, "Nothing is applied%s.\n", st->n_txns ? " now" : ", and nothing ever was");
	if (st->interrupted)
		sp_print(r, "A transaction was interrupted. Run `%s recover`.\n", r->program);
	else if (st->trial && trial_steps[st->trial_state][0])
		sp_print(r, "%s: `%s confirm` %s.\n", trial_steps[st->trial_state][0], r->program,
			 trial_steps[st->trial_state][1]);
	else if (st->firmware_set)
		sp_print(r, "The firmware's carve-out was set, and waits for a restart; then run `%s verify`.\n", r->program);
	else if (st->reboot_pending)
		sp_print(r, "Waiting for a reboot; then run `%s verify`.\n", r->program);
	else if (st->applied.txn)
		sp_print(r, "Nothing waits.\n");
	return 0;
}
