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

#include "engine/internal.h"

struct undo {
	const struct sp_session *s;
	struct sp_record *records;
	size_t n;
	bool *chosen; /* records that are undone */
	const struct sp_record *target; /* the committed apply that stands afterwards; NULL: none */
	struct sp_applied now, then;
	struct sp_edits edits;
	struct sp_strv conflicts, drop_dirs;
};

/* --- which transactions ------------------------------------------------------------------------------------------ */

static bool is_kind(const struct sp_record *r, const char *kind)
{
	return (r->state == SP_TXN_COMMITTED || r->state == SP_TXN_DONE) &&
	       sp_streq(json_string_value(json_object_get(r->about, "kind")), kind);
}

static bool was_undone(const struct undo *u, uint64_t id)
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

static int choose(struct undo *u, const struct sp_rollback_options *o, struct sp_error **err)
{
	bool found = false;

	for (size_t i = u->n; i > 0; i--) {
		const struct sp_record *r = &u->records[i - 1];
		if (r->state == SP_TXN_DAMAGED && !u->target && !was_undone(u, r->id))
			return damaged(r, err);
		if (!is_kind(r, "apply") || was_undone(u, r->id))
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

/* --- one file ---------------------------------------------------------------------------------------------------- */

struct rewind {
	struct sp_image image; /* what the file is to be, so far */
	bool exact;	       /* with the metadata of a before-image */
};

static bool same_bytes(const struct sp_image *a, const struct sp_image *b)
{
	return a->exists == b->exists && (!a->exists || sp_buf_eq(&a->bytes, &b->bytes));
}

/* The file of before the edit comes back; rights that somebody gave it since stay. */
static void take_before(struct rewind *w, const struct sp_edit *e)
{
	struct sp_image image = { 0 };

	sp_image_copy(&image, &e->before);
	if (w->image.exists && image.exists && !sp_meta_same_rights(&w->image.meta, &e->after.meta)) {
		sp_meta_clear(&image.meta);
		sp_meta_copy(&image.meta, &w->image.meta);
		image.meta.mtime = e->before.meta.mtime;
	}
	sp_image_clear(&w->image);
	*w = (struct rewind){ .image = image, .exact = true };
}

/* Once a file and reason, however many transactions meet it. */
static void add_conflict(struct undo *u, const char *path, const char *what)
{
	sp_autofree char *text = sp_xasprintf("%s: %s", path, what);

	if (!sp_strv_has(&u->conflicts, text))
		sp_strv_add(&u->conflicts, text);
}

static int take_out_tokens(struct undo *u, struct rewind *w, const char *path, const struct sp_line_note *line,
			   struct sp_error **err)
{
	sp_autofree char *text = NULL;
	sp_autobuf struct sp_buf file = { 0 };
	sp_autotransition struct sp_transition t = { 0 };
	int r = sp_host_get(&line->host, &w->image.bytes, &text, err);

	if (r == -ENOENT || r == -EOPNOTSUPP || r == -EINVAL) {
		add_conflict(u, path, "can no longer be understood");
		return 0;
	}
	if (r < 0)
		return r;
	sp_owned_move(text, &line->to, &line->from, line->linux_path, &t);
	for (size_t i = 0; i < t.changed.n; i++) {
		sp_autofree char *what = sp_xasprintf("%s was changed since", t.changed.v[i]);
		add_conflict(u, path, what);
	}
	r = sp_host_put(&line->host, &w->image.bytes, t.line, &file, err);
	if (r < 0)
		return r;
	if (!sp_buf_eq(&file, &w->image.bytes)) {
		sp_buf_clear(&w->image.bytes);
		sp_buf_add(&w->image.bytes, file.data, file.len);
		w->exact = false;
	}
	return 0;
}

static int rewind_one(struct undo *u, struct rewind *w, const struct sp_edit *e, struct sp_error **err)
{
	sp_autonote struct sp_note note = { 0 };

	if (same_bytes(&w->image, &e->after)) {
		take_before(w, e);
		return 0;
	}
	if (same_bytes(&w->image, &e->before))
		return 0;
	int r = e->note ? sp_note_from_json(e->note, &note, err) : 0;
	if (r < 0)
		return sp_error_wrap(err, "%s", e->path);
	if (note.whole && !w->image.exists) {
		take_before(w, e); /* removed by hand: what stood there before us may stand again */
		return 0;
	}
	if (note.whole)
		add_conflict(u, e->path, "was edited by hand");
	for (size_t i = note.n_lines; i > 0 && w->image.exists && r == 0; i--)
		r = take_out_tokens(u, w, e->path, &note.lines[i - 1], err);
	return r; /* an entry that is gone (its kernel was removed) stays gone */
}

/*
 * An entry that was made after an apply had our tokens from the start, so they are in the first before-image that there
 * is of it. What is to stand is known from the place it inherited them from.
 */
static int take_out_inherited(struct undo *u, struct rewind *w, const struct sp_edit *first, struct sp_error **err)
{
	sp_autonote struct sp_note note = { 0 };
	int r = first->note ? sp_note_from_json(first->note, &note, err) : 0;

	for (size_t i = 0; i < note.n_lines && w->image.exists && r == 0; i++) {
		struct sp_line_note line = note.lines[i]; /* a view */
		if (line.from.n == 0 || sp_owned_find(&u->then.owned, first->path, line.host.var))
			continue;
		line.to = line.from;
		line.from = u->then.common;
		r = take_out_tokens(u, w, first->path, &line, err);
	}
	return r;
}

static int rewind_path(struct undo *u, const char *path, struct sp_error **err)
{
	const struct sp_edit *first = NULL;
	struct rewind w = { 0 };
	struct sp_edit *edit = NULL;
	int r = sp_image_read(u->s->root, path, &w.image, err);

	for (size_t i = u->n; i > 0 && r == 0; i--) {
		const struct sp_edit *e = u->chosen[i - 1] ? sp_edits_find(&u->records[i - 1].edits, path) : NULL;
		if (!e || e->op == SP_OP_KEEP)
			continue;
		first = e;
		r = rewind_one(u, &w, e, err);
	}
	if (r == 0 && first)
		r = take_out_inherited(u, &w, first, err);
	if (r == 0)
		r = sp_edits_add(&u->edits, u->s->root, path, w.image.exists ? &w.image.bytes : NULL, &edit, err);
	if (r == 0 && w.exact && w.image.exists) {
		sp_meta_clear(&edit->after.meta);
		sp_meta_copy(&edit->after.meta, &w.image.meta);
		edit->exact_meta = true;
		if (edit->op == SP_OP_KEEP && edit->before.exists && !sp_meta_eq(&edit->before.meta, &edit->after.meta))
			edit->op = SP_OP_REPLACE;
	}
	sp_image_clear(&w.image);
	return r;
}

static int rewind_files(struct undo *u, struct sp_error **err)
{
	int r = 0;

	for (size_t i = 0; i < u->n && r == 0; i++) {
		if (!u->chosen[i])
			continue;
		sp_strv_copy(&u->drop_dirs, &u->records[i].made_dirs);
		for (size_t k = 0; k < u->records[i].edits.n && r == 0; k++)
			if (!sp_edits_find(&u->edits, u->records[i].edits.v[k].path))
				r = rewind_path(u, u->records[i].edits.v[k].path, err);
	}
	return r;
}

/* --- places that no transaction touched: entries of kernels that were installed since ---------------------------- */

static int clean_new_places(struct undo *u, struct sp_boot *boot, struct sp_error **err)
{
	sp_autostrv struct sp_strv changed = { 0 };

	for (size_t i = 0; i < boot->n_places; i++) {
		struct sp_place *place = &boot->places[i];
		sp_autofree char *path = NULL;
		if (sp_root_resolve(u->s->root, place->path, &path) < 0)
			continue;
		if (!place->exists || sp_edits_find(&u->edits, path)) {
			free(place->skip);
			place->skip = sp_xstrdup("done");
		}
	}
	/* A value that is not ours in such an entry is the new kernel's own business, so no conflict. */
	return sp_boot_plan(u->s->root, boot, &u->now.owned, &u->now.common, &u->then.common, &u->edits, &changed, err);
}

static int plan_undo(struct undo *u, struct sp_boot **boot, struct sp_strv *warnings, struct sp_error **err)
{
	sp_autoerror struct sp_error *e = NULL;
	int r = rewind_files(u, err);

	if (r < 0)
		return r;
	if (sp_boot_read(u->s->root, u->now.boot_setup, boot, &e) < 0) {
		sp_strv_addf(warnings, "entries of kernels installed since were not looked at: %s", e->message);
		return 0;
	}
	return clean_new_places(u, *boot, err);
}

/* --- carry it out ------------------------------------------------------------------------------------------------ */

static json_t *about_rollback(const struct undo *u, const struct sp_facts *facts)
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

static int refuse_conflicts(const struct undo *u, struct sp_result *ret, struct sp_error **err)
{
	sp_strv_copy(&ret->conflicts, &u->conflicts);
	sp_autofree char *all = sp_strv_join(&u->conflicts, "; ");
	(void) sp_error_set(err, -EEXIST, "%zu conflict%s, so nothing was changed: %s", u->conflicts.n,
			    u->conflicts.n == 1 ? "" : "s", all);
	(void) sp_error_exit(err, SP_EXIT_CONFLICT);
	return sp_error_hint(err, "--keep-conflicts undoes everything else and leaves these as they are");
}

static int carry_out(struct undo *u, struct sp_store *store, const struct sp_boot *boot, struct sp_result *ret,
		     struct sp_error **err)
{
	sp_autofacts struct sp_facts *facts = NULL;
	sp_autotokens struct sp_tokens none = { 0 };
	int r = sp_facts_read(u->s->root, u->s->machine, &facts, err);

	if (r < 0)
		return r;
	json_t *about = about_rollback(u, facts);
	const struct sp_job job = {
		.about = about, .edits = &u->edits, .drop_dirs = &u->drop_dirs,
		.boot_name = boot ? boot->ops->name : NULL,
		.wanted = u->conflicts.n ? &none : &u->then.common,
	};
	r = sp_commit(u->s, store, &job, &ret->txn, &ret->warnings, err);
	json_decref(about);
	if (r < 0)
		return r;
	for (size_t i = 0; i < u->edits.n; i++)
		if (u->edits.v[i].op != SP_OP_KEEP)
			sp_strv_add(&ret->restored, u->edits.v[i].path);
	sp_strv_copy(&ret->conflicts, &u->conflicts);
	ret->changed = true;
	ret->reboot_required = true;
	if (sp_session_is_live(u->s, facts))
		sp_live_set(u->s, &u->now, true, &ret->warnings);
	return 0;
}

static int rollback_locked(struct undo *u, struct sp_store *store, const struct sp_rollback_options *o,
			   struct sp_result *ret, struct sp_error **err)
{
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
	if (r == 0 && u->conflicts.n && !o->keep_conflicts)
		r = refuse_conflicts(u, ret, err);
	return r < 0 ? r : carry_out(u, store, boot, ret, err);
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

int sp_rollback(const struct sp_session *s, const struct sp_rollback_options *o, struct sp_result *ret,
		struct sp_error **err)
{
	struct undo u = { .s = s };
	struct sp_store *store = NULL;
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
		r = rollback_locked(&u, store, o, ret, err);
	sp_store_close(store);
	sp_records_free(u.records, u.n);
	free(u.chosen);
	sp_applied_clear(&u.now);
	sp_applied_clear(&u.then);
	sp_edits_clear(&u.edits);
	sp_strv_clear(&u.conflicts);
	sp_strv_clear(&u.drop_dirs);
	return r;
}
