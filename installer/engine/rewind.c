/* SPDX-License-Identifier: MIT */
/*
 * What becomes of each file in a rollback: the before-image where it is as we
 * left it, a token-wise undo where somebody edited it since.
 */
#include "engine/rewind.h"

#include <errno.h>

#include "format/block.h"

struct rewind {
	struct sp_image image; /* what the file is to be, so far */
	bool exact;	       /* with the metadata of a before-image */
	bool lost;	       /* it was generated, and not as we left it: no image of it is the right one */
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
static void add_conflict(struct sp_undo *u, const char *path, const char *what)
{
	sp_autofree char *text = sp_xasprintf("%s: %s", path, what);

	if (!sp_strv_has(&u->conflicts, text))
		sp_strv_add(&u->conflicts, text);
}

static int take_out_tokens(struct sp_undo *u, struct rewind *w, const char *path, const struct sp_line_note *line,
			   struct sp_error **err)
{
	sp_autofree char *text = NULL;
	sp_autobuf struct sp_buf file = { 0 };
	sp_autotransition struct sp_transition t = { 0 };
	int r = sp_host_get(&line->host, &w->image.bytes, &text, err);

	if (r == -ENOENT && line->host.kind == SP_HOST_LIMINE)
		return 0; /* the entry is gone, and stays so */
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

/* Of a file that somebody else changed since: our block goes, and theirs stays. */
static int take_out_block(struct sp_undo *u, struct rewind *w, const char *path, const char *name)
{
	sp_autobuf struct sp_buf file = { 0 };
	bool gone = false;

	if (!w->image.exists)
		return 0;
	if (sp_block_put(&w->image.bytes, name, NULL, &file, &gone, NULL) < 0) {
		add_conflict(u, path, "can no longer be understood");
		return 0;
	}
	w->exact = w->exact && sp_buf_eq(&file, &w->image.bytes);
	w->image.exists = !gone;
	sp_buf_clear(&w->image.bytes);
	sp_buf_add(&w->image.bytes, file.data, file.len);
	return 0;
}

static int rewind_one(struct sp_undo *u, struct rewind *w, const struct sp_edit *e, struct sp_error **err)
{
	sp_autonote struct sp_note note = { 0 };

	int r = e->note ? sp_note_from_json(e->note, &note, err) : 0;
	if (r < 0)
		return sp_error_wrap(err, "%s", e->path);
	if (same_bytes(&w->image, &e->after)) {
		take_before(w, e);
		return 0;
	}
	w->lost = note.product;
	if (note.product || same_bytes(&w->image, &e->before))
		return 0;
	if (note.block)
		return take_out_block(u, w, e->path, note.block);
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
static int take_out_inherited(struct sp_undo *u, struct rewind *w, const struct sp_edit *first, struct sp_error **err)
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

static const struct sp_edit *edit_at(const struct sp_undo *u, const struct sp_record *r, const char *path)
{
	for (size_t i = 0; i < r->edits.n; i++) {
		sp_autofree char *now = sp_path_now(u->s->root, &r->edits.v[i]);
		if (r->edits.v[i].op != SP_OP_KEEP && sp_streq(now, path))
			return &r->edits.v[i];
	}
	return NULL;
}

/* Of the files that are undone, an initramfs image alone may be that large. */
static size_t limit_at(const struct sp_undo *u, const char *path)
{
	size_t max = SP_FILE_MAX;

	for (size_t i = 0; i < u->n; i++)
		for (size_t k = 0; u->chosen[i] && k < u->records[i].edits.n; k++) {
			const struct sp_edit *e = &u->records[i].edits.v[k];

			if ((e->before.bytes.len > max || e->after.bytes.len > max) && sp_streq(e->path, path))
				max = SP_IMAGE_MAX;
		}
	return max;
}

static int rewind_path(struct sp_undo *u, const char *path, struct sp_error **err)
{
	const size_t max = limit_at(u, path);
	const struct sp_edit *first = NULL;
	struct rewind w = { 0 };
	struct sp_edit *edit = NULL;
	int r = sp_image_read_max(u->s->root, path, max, &w.image, err);

	for (size_t i = u->n; i > 0 && r == 0 && !w.lost; i--) {
		const struct sp_edit *e = u->chosen[i - 1] ? edit_at(u, &u->records[i - 1], path) : NULL;
		if (!e)
			continue;
		first = e;
		r = rewind_one(u, &w, e, err);
	}
	if (r == 0 && first)
		r = take_out_inherited(u, &w, first, err);
	if (w.lost) {
		sp_image_clear(&w.image);
		return r;
	}
	u->edits.max = max;
	if (r == 0)
		r = sp_edits_add(&u->edits, u->s->root, path, w.image.exists ? &w.image.bytes : NULL, &edit, err);
	u->edits.max = 0;
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

int sp_rewind_files(struct sp_undo *u, struct sp_error **err)
{
	int r = 0;

	for (size_t i = 0; i < u->n && r == 0; i++) {
		if (!u->chosen[i])
			continue;
		sp_strv_copy(&u->drop_dirs, &u->records[i].made_dirs);
		for (size_t k = 0; k < u->records[i].edits.n && r == 0; k++) {
			sp_autofree char *path = sp_path_now(u->s->root, &u->records[i].edits.v[k]);
			if (!sp_edits_find(&u->edits, path))
				r = rewind_path(u, path, err);
		}
	}
	return r;
}

/* --- places that no transaction touched: entries of kernels that were installed since ---------------------------- */

int sp_rewind_places(struct sp_undo *u, struct sp_boot *boot, struct sp_error **err)
{
	sp_autostrv struct sp_strv changed = { 0 };

	for (size_t i = 0; i < boot->n_places; i++) {
		struct sp_place *place = &boot->places[i];
		sp_autofree char *path = NULL;
		if (sp_root_resolve(u->s->root, place->path, &path) < 0)
			continue;
		if (!place->exists || place->only_displaced || sp_edits_find(&u->edits, path)) {
			free(place->skip);
			place->skip = sp_xstrdup("done");
		}
	}
	/* A value that is not ours in such an entry is the new kernel's own business, so no conflict. */
	return sp_boot_plan(u->s->root, boot, &u->now.owned, &u->now.common, &u->then.common, &u->edits, &changed, err);
}

/* --- what is generated -------------------------------------------------------------------------------------------- */

/*
 * What an entry has as a product of its own is named by us and holds our tokens alone: where none are wanted it goes, and
 * no tool is needed for that, whoever made it.
 */
static int drop_own_products(struct sp_undo *u, const struct sp_boot *boot, struct sp_error **err)
{
	const struct sp_note note = { .product = true };
	int r = 0;

	for (size_t i = 0; i < boot->n_entries && u->then.common.n == 0 && r == 0; i++) {
		const char *path = boot->entries[i].product;
		struct sp_edit *edit = NULL;

		if (!path || sp_edits_find(&u->edits, path) || !sp_root_exists(u->s->root, path))
			continue;
		r = sp_edits_add(&u->edits, u->s->root, path, NULL, &edit, err);
		if (r < 0)
			break;
		edit->note = sp_note_to_json(&note);
		sp_strv_take(&u->drop_dirs, sp_xstrndup(edit->path, (size_t) (strrchr(edit->path, '/') - edit->path)));
	}
	return r;
}

int sp_rewind_product(struct sp_undo *u, const struct sp_boot *boot, struct sp_strv *warnings, struct sp_error **err)
{
	sp_autotokens struct sp_tokens gone = { 0 };
	const char *why = sp_generators_refusal(u->s->root);

	if (!boot->ops->generate)
		return 0;
	u->now.generation_due = u->then.generation_due = false;
	sp_tokens_gone(&u->now.common, &u->then.common, &gone);
	sp_generation_tell_fixed(boot, &gone, warnings);
	int r = drop_own_products(u, boot, err);
	if (r < 0 || !sp_generation_stale(boot, &u->then.common, &gone, &u->edits))
		return r; /* it comes back with the files, or says the right thing already */
	u->generate = !why;
	u->now.generation_due = u->then.generation_due = why;
	if (why)
		sp_strv_addf(warnings, "on its first boot, run as root: %s (%s); the menu is without ours then", sp_generation_later(boot), why);
	return 0;
}
