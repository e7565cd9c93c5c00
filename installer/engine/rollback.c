/* SPDX-License-Identifier: MIT */
/*
 * Undo of what was committed: again one transaction, whose edits are computed
 * from the images and ownership records of the transactions it undoes, newest
 * first. Where a file is just as we left it, its before-image comes back to
 * the byte; where somebody edited it since, only our tokens go. All conflicts
 * are found before anything is written.
 */
#include <errno.h>
#include <inttypes.h>

#include "engine/rewind.h"
#include "engine/trial.h"

/* --- which transactions ------------------------------------------------------------------------------------------ */

static bool is_kind(const struct sp_record *r, const char *kind)
{
	return (r->state == SP_TXN_COMMITTED || r->state == SP_TXN_DONE) &&
	       sp_streq(json_string_value(json_object_get(r->about, "kind")), kind);
}

static bool was_undone(const struct sp_undo *u, uint64_t id)
{
	for (size_t i = 0; i < u->n; i++) {
		const json_t *list = json_object_get(u->records[i].about, "undoes");
		json_t *v = NULL;
		size_t k;
		json_array_foreach (list, k, v)
			if (is_kind(&u->records[i], "rollback") && (uint64_t) json_integer_value(v) == id)
				return true;
	}
	return false;
}

static int nothing(const struct sp_rollback_options *o, struct sp_error **err)
{
	if (o->to)
		(void) sp_error_set(err, -ENOENT, "there is no transaction %" PRIu64 " to roll back", o->to);
	else
		(void) sp_error_set(err, -ENOENT, "there is nothing to roll back");
	return sp_error_hint(err, "'strix-provision status' lists the transactions");
}

/* What it wrote, and what was to stand after it, is not known: nothing older may be undone in its place. */
static int damaged(const struct sp_record *r, struct sp_error **err)
{
	(void) sp_error_set(err, -EBADMSG, "the record of transaction %" PRIu64 " is damaged, so nothing was rolled back",
			    r->id);
	return sp_error_hint(err, "bring /var/lib/strix-provision/tx/%" PRIu64 " back from a backup; or move it away, and "
			     "--keep-conflicts undoes what the others tell", r->id);
}

static int choose(struct sp_undo *u, const struct sp_rollback_options *o, struct sp_error **err)
{
	bool found = false;

	for (size_t i = u->n; i > 0; i--) {
		const struct sp_record *r = &u->records[i - 1];
		if (r->state == SP_TXN_DAMAGED && !u->target && !was_undone(u, r->id))
			return damaged(r, err);
		if (!(is_kind(r, "apply") || is_kind(r, "firmware")) || was_undone(u, r->id))
			continue;
		bool more = o->all || (o->to ? r->id >= o->to : !found);
		u->chosen[i - 1] = more;
		found = found || (more && (!o->to || r->id == o->to));
		if (!more && !u->target)
			u->target = r;
	}
	if (!found)
		return nothing(o, err);
	int r = sp_applied_from_json(u->target ? json_object_get(u->target->about, "applied") : NULL, &u->then, err);
	return r;
}

/* --- plan --------------------------------------------------------------------------------------------------------- */

static int plan_undo(struct sp_undo *u, struct sp_boot **boot, struct sp_strv *warnings, struct sp_error **err)
{
	sp_autoerror struct sp_error *e = NULL;
	int r = sp_rewind_files(u, err);

	if (r < 0 || u->now.txn == 0) /* nothing was applied, and the firmware alone goes back */
		return r;
	if (sp_boot_read(u->s->root, sp_session_system(u->s), u->now.boot_setup, boot, &e) < 0) {
		sp_strv_addf(warnings, "entries of kernels installed since were not looked at: %s", e->message);
		return 0;
	}
	if ((*boot)->ops->keeper)
		return sp_rewind_kept_line(u, *boot, warnings, err);
	r = sp_rewind_places(u, *boot, err);
	return r < 0 ? r : sp_rewind_product(u, *boot, warnings, err);
}

/* --- carry it out ------------------------------------------------------------------------------------------------ */

static json_t *about_rollback(const struct sp_undo *u, const struct sp_facts *facts)
{
	sp_autostrv struct sp_strv ids = { 0 };
	json_t *list = json_array();

	for (size_t i = 0; i < u->n; i++) {
		if (!u->chosen[i])
			continue;
		sp_strv_addf(&ids, "%" PRIu64, u->records[i].id);
		json_array_append_new(list, json_integer((json_int_t) u->records[i].id));
	}
	sp_autofree char *all = sp_strv_join(&ids, ", ");
	sp_autofree char *text = sp_xasprintf("undoes %s", all);
	json_t *about = sp_about("rollback", text, facts, &u->then);
	json_object_set_new(about, "undoes", list);
	json_object_set_new(about, "was", sp_applied_to_json(&u->now));
	return about;
}

static int refuse_conflicts(const struct sp_undo *u, struct sp_result *ret, struct sp_error **err)
{
	sp_strv_copy(&ret->conflicts, &u->conflicts);
	sp_autofree char *all = sp_strv_join(&u->conflicts, "; ");
	(void) sp_error_set(err, -EEXIST, "%zu conflict%s, so nothing was changed: %s", u->conflicts.n,
			    u->conflicts.n == 1 ? "" : "s", all);
	(void) sp_error_exit(err, SP_EXIT_CONFLICT);
	return sp_error_hint(err, "--keep-conflicts undoes everything else and leaves these as they are");
}

/* What the apply that stands afterwards had set stands again; only what none of them set goes back to the first value. */
static void aim_live(struct sp_undo *u)
{
	for (size_t i = 0; i < u->now.n_live; i++)
		for (size_t k = 0; k < u->then.n_live; k++)
			if (sp_streq(u->now.live[i].path, u->then.live[k].path)) {
				free(u->now.live[i].before);
				u->now.live[i].before = sp_xstrdup(u->then.live[k].after);
			}
}

/* Images that were built in between keep a copy of the file that is gone now. */
static void find_copies(const struct sp_undo *u, const struct sp_boot *boot, const struct sp_facts *facts, struct sp_result *ret)
{
	sp_autoimage_memory struct sp_image_memory *memory = sp_session_image_memory(u->s);

	sp_progress(u->s, "looking into initramfs images");
	sp_images_left(u->s, boot, facts, true, memory, &ret->images);
	sp_images_tell_left(&ret->images, &ret->warnings, &ret->actions);
	sp_remember_images(u->s, memory, &ret->warnings);
}

static int carry_out(struct sp_undo *u, struct sp_store *store, const struct sp_boot *boot, const struct sp_facts *facts,
		     struct sp_result *ret, struct sp_error **err)
{
	sp_autoreach struct sp_reach reach = { 0 };
	sp_autotokens struct sp_tokens none = { 0 };
	int r = u->firmware.path ? sp_reach_firmware(u->s, &u->carveout, &reach, err) : 0;

	if (r < 0)
		return r;
	struct sp_kept_line kept = { 0 };
	if (u->change_line)
		sp_kept_line_reach(&kept, u->s->root, boot->ops);
	json_t *about = about_rollback(u, facts);
	const struct sp_initramfs_job image = u->rebuild ? sp_rebuild_job(u->rebuild, u->rebuild_options)
							 : (struct sp_initramfs_job){ 0 };
	const struct sp_job job = {
		.about = about, .edits = &u->edits, .drop_dirs = &u->drop_dirs,
		.boot_name = boot ? boot->ops->name : NULL,
		.wanted = u->conflicts.n ? &none : &u->then.common,
		.attribute = u->change_line ? &u->line : u->firmware.path ? &u->firmware : NULL,
		.access = u->change_line ? &kept.access : &reach.access,
		.boot = boot, .generate = u->generate, .product_as_is = u->now.generation_due,
		.image = u->rebuild ? &image : NULL,
	};
	r = sp_commit(u->s, store, &job, &ret->txn, &ret->warnings, err);
	json_decref(about);
	if (r < 0)
		return r;
	for (size_t i = 0; i < u->edits.n; i++)
		if (u->edits.v[i].op != SP_OP_KEEP)
			sp_strv_add(&ret->restored, u->edits.v[i].path);
	if (u->rebuild)
		sp_strv_addf(&ret->restored, "%s, built anew", u->rebuild->path);
	if (u->firmware.path)
		sp_strv_addf(&ret->restored, "the firmware's carve-out: %s at the next start", u->firmware_shown);
	sp_strv_copy(&ret->conflicts, &u->conflicts);
	ret->changed = true;
	ret->unfinished = sp_store_interrupted(store);
	ret->reboot_required = true;
	if (sp_session_is_live(u->s, facts)) {
		aim_live(u);
		sp_live_set(u->s, &u->now, true, &ret->warnings);
	}
	find_copies(u, boot, facts, ret);
	return 0;
}

static int rollback_locked(struct sp_undo *u, struct sp_store *store, const struct sp_rollback_options *o,
			   struct sp_result *ret, struct sp_error **err)
{
	sp_autofacts struct sp_facts *facts = NULL;
	sp_autostate struct sp_state st = { 0 };
	sp_autoboot struct sp_boot *boot = NULL;
	int r = sp_store_list(store, true, &u->records, &u->n, err);

	if (r == 0)
		r = sp_state_read(u->s, &st, err);
	if (r < 0)
		return r;
	u->now = st.applied;
	st.applied = (struct sp_applied){ 0 };
	u->chosen = sp_xcalloc(u->n, sizeof(*u->chosen));
	r = choose(u, o, err);
	if (r == 0)
		r = plan_undo(u, &boot, &ret->warnings, err);
	if (r == 0)
		r = sp_facts_read(u->s->root, u->s->machine, &facts, err);
	if (r == 0)
		sp_rewind_firmware(u, facts, &ret->warnings);
	if (r == 0)
		sp_rewind_image(u, boot, facts);
	if (r == 0 && u->change_line && u->firmware.path)
		r = sp_one_at_a_time(err);
	if (r == 0 && u->conflicts.n && !o->keep_conflicts)
		r = refuse_conflicts(u, ret, err);
	return r < 0 ? r : carry_out(u, store, boot, facts, ret, err);
}

/* Asked before anything is locked, so that a system without us is not even given a state directory. */
static int has_any(const struct sp_session *s, const struct sp_rollback_options *o, struct sp_error **err)
{
	struct sp_store *store = NULL;
	struct sp_record *records = NULL;
	size_t n = 0;
	int r = sp_store_open(s->root, false, &store, err);

	if (r == 0)
		r = sp_store_list(store, false, &records, &n, err);
	if (r == 0 && n == 0)
		r = nothing(o, err);
	sp_records_free(records, n);
	sp_store_close(store);
	return r;
}

/* A trial is the last thing that was done, so it is the first to go; *ended: there was one. */
static int end_trial(const struct sp_session *s, struct sp_store *store, struct sp_result *ret, bool *ended,
		     struct sp_error **err)
{
	sp_autostate struct sp_state st = { 0 };
	sp_autotrial struct sp_trial t = { 0 };
	int r = sp_state_read(s, &st, err);

	if (r == 0)
		r = sp_trial_from_json(st.trial, &t, err);
	*ended = r == 0 && t.open && !t.promoted;
	if (r == 0 && t.open)
		r = sp_trial_end(s, store, &t, t.promoted ? "promoted" : "cancelled", NULL, ret, err);
	if (r == 0 && *ended)
		sp_strv_addf(&ret->restored, "the boot menu, without trial %" PRIu64, t.txn);
	return r;
}

int sp_rollback(const struct sp_session *s, const struct sp_rollback_options *o, struct sp_result *ret,
		struct sp_error **err)
{
	struct sp_undo u = { .s = s };
	struct sp_store *store = NULL;
	bool ended = false;
	int r = has_any(s, o, err);

	if (r == 0)
		r = sp_recover(s, ret, err);
	if (r < 0)
		return r;
	sp_hold_signals();
	r = sp_store_open(s->root, true, &store, err);
	if (r == 0)
		r = sp_store_lock_packages(store, 0, err);
	if (r == 0)
		r = end_trial(s, store, ret, &ended, err);
	if (r == 0 && (!ended || o->all || o->to))
		r = rollback_locked(&u, store, o, ret, err);
	sp_store_close(store);
	sp_records_free(u.records, u.n);
	free(u.chosen);
	sp_applied_clear(&u.now);
	sp_applied_clear(&u.then);
	sp_edits_clear(&u.edits);
	sp_strv_clear(&u.conflicts);
	sp_strv_clear(&u.drop_dirs);
	sp_carveout_clear(&u.carveout);
	sp_boot_images_clear(&u.images);
	free(u.rebuild_options);
	free(u.firmware_shown);
	sp_attribute_clear(&u.line);
	return r;
}
