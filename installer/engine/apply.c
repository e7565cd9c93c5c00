/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include "engine/internal.h"

void sp_result_clear(struct sp_result *r)
{
	sp_strv_clear(&r->restored);
	sp_strv_clear(&r->conflicts);
	sp_boot_images_clear(&r->images);
	sp_strv_clear(&r->actions);
	sp_strv_clear(&r->recovered);
	sp_strv_clear(&r->warnings);
	free(r->firmware);
	free(r->trial);
	*r = (struct sp_result){ 0 };
}

/* --- recover --------------------------------------------------------------------------------------------------- */

static int finish(struct sp_store *store, struct sp_txn *txn, struct sp_result *ret, struct sp_error **err)
{
	int r = sp_state_write(store, err);

	if (r == 0)
		r = sp_txn_finish(txn, err);
	if (r == 0)
		sp_strv_addf(&ret->recovered, "transaction %" PRIu64 " had been carried out; it is finished now", sp_txn_id(txn));
	return r;
}

/*
 * The larger carve-out is set, and cannot be taken back without a password; the files, which are all in place by then,
 * fit it, and the old ones would not.
 */
static int finish_all_the_same(struct sp_store *store, struct sp_txn *txn, struct sp_result *ret, struct sp_error **err)
{
	const struct sp_attribute *a = sp_txn_attribute(txn);
	int r = sp_txn_commit(txn, err);

	if (r == 0)
		r = finish(store, txn, ret, err);
	if (r == 0)
		ret->firmware = sp_xasprintf("the firmware's carve-out was set to '%s' already, and is not set back without its "
					     "password, so the files that belong to it stay; 'strix-provision rollback' undoes "
					     "both", a->after);
	return r;
}

static int settle(const struct sp_session *s, struct sp_store *store, struct sp_txn *txn, struct sp_result *ret,
		  struct sp_error **err)
{
	const struct sp_attribute *a = sp_txn_attribute(txn);
	sp_autoerror struct sp_error *e = NULL;
	sp_autorecall struct sp_recall recall = { 0 };
	struct sp_kept_line kept = { 0 };
	const uint64_t id = sp_txn_id(txn);

	if (sp_txn_state(txn) == SP_TXN_COMMITTED)
		return finish(store, txn, ret, err);
	if (a && sp_attribute_is_line(a))
		sp_kept_line_recall(s, txn, &kept);
	else if (a)
		sp_recall_firmware(s, txn, &recall);
	int r = sp_txn_follow(txn, sp_is_same_entry, &e);
	if (r == 0)
		r = sp_txn_undo(txn, &e);
	if (r < 0 && a && a->last && sp_txn_attribute_left(txn))
		return finish_all_the_same(store, txn, ret, err);
	if (r < 0 && err)
		*err = sp_steal(e);
	if (sp_txn_attribute_left(txn) && !sp_attribute_is_line(a))
		ret->firmware = sp_firmware_left(a);
	/* It ends also where somebody else's file could not be put back, and then that is known. */
	if (r < 0 && sp_txn_state(txn) == SP_TXN_UNDONE && sp_state_write_now(store, NULL) < 0)
		sp_strv_add(&ret->warnings, "state.json could not be written; the next run does it");
	if (r == 0)
		sp_strv_addf(&ret->recovered, "transaction %" PRIu64 " was cut short; everything is as it was before it", id);
	return r;
}

static bool has_journals(const struct sp_store *store)
{
	struct sp_record *records = NULL;
	size_t n = 0;
	int r = sp_store_list(store, false, &records, &n, NULL);

	sp_records_free(records, n);
	return r == 0 && n > 0;
}

static int left_to_do(struct sp_error *why, struct sp_error **err)
{
	*err = why;
	(void) sp_error_exit(err, SP_EXIT_RECOVER);
	return why->hint ? why->code : sp_error_hint(err, "mend what it names, then run: strix-provision recover");
}

int sp_recover(const struct sp_session *s, struct sp_result *ret, struct sp_error **err)
{
	struct sp_store *store = NULL;
	struct sp_txn *txn = NULL;
	sp_autostate struct sp_state st = { 0 };
	sp_autoerror struct sp_error *damage = NULL, *late = NULL;
	int readable = sp_state_read(s, &st, &damage);

	if (readable == 0 && !st.interrupted)
		return 0;
	sp_hold_signals();
	int r = sp_store_open(s->root, true, &store, err);
	if (r == 0)
		r = sp_txn_reopen(store, &txn, err);
	if (r == 0 && txn)
		r = settle(s, store, txn, ret, err);
	if (r < 0 && txn) /* also where nothing was done yet */
		r = left_to_do(*err, err);
	if (r == 0 && readable < 0 && !has_journals(store)) { /* it would be made anew as "nothing was ever applied" */
		*err = sp_steal(damage);
		r = sp_error_hint(err, "there is no journal to make it anew from; move it away if nothing was applied here");
	}
	if (r == 0 && sp_state_write_now(store, &late) < 0) {
		if (readable == 0) /* only the list of what was undone; the next write has it, too */
			sp_strv_add(&ret->warnings, late->message);
		else
			r = left_to_do(sp_steal(late), err);
	}
	if (r == 0 && !txn && readable < 0)
		sp_strv_add(&ret->recovered, "state.json was made anew from the journals");
	sp_txn_free(txn);
	sp_store_close(store);
	sp_release_signals(); /* a question may follow, and it must be possible to leave it */
	ret->changed = ret->recovered.n > 0;
	return r;
}

/* --- apply ----------------------------------------------------------------------------------------------------- */

static char *describe(const struct sp_plan *p)
{
	size_t settings = 0, files = 0;

	for (size_t i = 0; i < p->n_decisions; i++)
		settings += p->decisions[i].ours;
	for (size_t i = 0; i < p->edits.n; i++)
		files += p->edits.v[i].op != SP_OP_KEEP;
	return sp_xasprintf("profile %s: %zu settings, %zu files written", p->profile->name, settings, files);
}

/* The plan was made before the lock was ours. */
int sp_check_fresh(const struct sp_session *s, const struct sp_plan *p, struct sp_error **err)
{
	sp_autostate struct sp_state st = { 0 };
	int r = sp_state_read(s, &st, err);

	if (r < 0)
		return r;
	if (st.applied.txn == p->applied.txn && !st.interrupted)
		return 0;
	(void) sp_error_set(err, -ESTALE, "another strix-provision has changed this system since the plan was made");
	(void) sp_error_exit(err, SP_EXIT_CONFLICT);
	return sp_error_hint(err, "repeat the command");
}

/* sp_applied says which transaction made it, and that is known only under the lock. */
static json_t *about_apply(const struct sp_plan *p, uint64_t id)
{
	sp_autofree char *text = describe(p);
	json_t *about = sp_about("apply", text, p->facts, &p->next);

	struct sp_applied next = p->next; /* a view */
	next.txn = id;
	json_object_set_new(about, "applied", sp_applied_to_json(&next));
	if (p->promotes)
		json_object_set_new(about, "promotes", json_integer((json_int_t) p->promotes));
	return about;
}

/* What no tool of this tree may make here, its first boot makes. */
static void leave_the_rest(const struct sp_session *s, const struct sp_plan *p, struct sp_result *ret)
{
	sp_autoerror struct sp_error *err = NULL;

	if (p->next.generation_due && sp_request_unit(s->root) && sp_request_write(s, NULL, &err) < 0)
		sp_strv_addf(&ret->warnings, "%s; run 'strix-provision apply' there", err->message);
}

static int apply_locked(const struct sp_session *s, const struct sp_plan *p, const struct sp_reach *reach,
			struct sp_store *store, struct sp_result *ret, struct sp_error **err)
{
	const struct sp_uma_source *source = p->carveout.source;
	sp_autotokens struct sp_tokens wanted = { 0 };
	uint64_t id = 0;
	int r = s->in_hook ? 0 : sp_store_lock_packages(store, (unsigned) p->package_manager_wait, err);

	if (r == 0)
		r = sp_check_fresh(s, p, err);
	if (r == 0)
		r = sp_store_next_id(store, &id, err);
	if (r < 0)
		return r;
	sp_wanted_tokens(p, &wanted);
	json_t *about = about_apply(p, id);
	const struct sp_initramfs_job image = p->rebuild ? sp_rebuild_job(p->rebuild, p->rebuild_options)
							 : (struct sp_initramfs_job){ 0 };
	const struct sp_attribute carve_out = { .path = source ? source->path : NULL, .before = source ? source->value : NULL,
						.after = p->gate.write ? p->gate.write->text : NULL,
						.last = !p->gate.shrinks };
	struct sp_kept_line kept = { 0 };

	if (p->change_line)
		sp_kept_line_reach(&kept, s->root, p->boot->ops);
	const struct sp_job job = {
		.attribute = p->change_line ? &p->line : p->gate.write ? &carve_out : NULL,
		.access = p->change_line ? &kept.access : &reach->access,
		.about = about, .edits = &p->edits, .boot_name = p->boot->ops->name, .wanted = &wanted, .boot = p->boot,
		.generate = p->generate, .product_as_is = p->next.generation_due,
		.image = p->rebuild ? &image : NULL,
	};
	r = sp_commit(s, store, &job, &ret->txn, &ret->warnings, err);
	json_decref(about);
	if (r < 0)
		return r;
	ret->changed = true;
	ret->unfinished = sp_store_interrupted(store);
	ret->reboot_required = p->reboot_required;
	sp_live_set(s, &p->next, false, &ret->warnings);
	sp_remember_modules(s, p->facts, &ret->warnings);
	if (p->rebuild) {
		sp_autoinitramfs struct sp_initramfs said = { 0 };
		sp_image_memory_look(p->image_memory, p->rebuild->path, &said);
	}
	sp_remember_images(s, p->image_memory, &ret->warnings);
	leave_the_rest(s, p, ret);
	return 0;
}

int sp_apply(const struct sp_session *s, const struct sp_plan *p, struct sp_result *ret, struct sp_error **err)
{
	sp_autoreach struct sp_reach reach = { 0 };
	struct sp_store *store = NULL;
	int r = p->pending && p->gate.write ? sp_reach_firmware(s, &p->carveout, &reach, err) : 0;

	if (!p->pending || r < 0)
		return r;
	sp_hold_signals();
	r = sp_store_open(s->root, true, &store, err);
	if (r == 0)
		r = apply_locked(s, p, &reach, store, ret, err);
	sp_store_close(store);
	return r;
}
