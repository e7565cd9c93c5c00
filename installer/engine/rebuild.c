/* SPDX-License-Identifier: MIT */
/*
 * --with initramfs: the image of the kernel that boots by default is built anew where its copy of our modprobe.d file is not as
 * it is to be. The images of other kernels stay as they are, so that there is something to start when this one does not.
 */
#include "engine/rewind.h"

/* How the selection calls it; it is no setting, as nothing of it is in a catalogue. */
bool sp_wants_initramfs(const struct sp_selection *s)
{
	return sp_strv_has(&s->with, SP_WITH_INITRAMFS) && !sp_strv_has(&s->without, SP_WITH_INITRAMFS);
}

struct sp_initramfs_job sp_rebuild_job(const struct sp_boot_image *image, const char *wanted)
{
	return (struct sp_initramfs_job){
		.path = image->path, .kernel = image->kernel, .maker = image->maker, .instead = image->instead, .options = wanted,
		.member = sp_dropin_kind(SP_DEST_MODPROBE)->path + 1,
	};
}

/* --- plan ---------------------------------------------------------------------------------------------------------- */

static struct sp_boot_image *by_default(struct sp_boot_images *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].by_default)
			return &l->v[i];
	return NULL;
}

static void plan_later(struct sp_plan *p, const struct sp_boot_image *image, const char *why)
{
	if (image->rebuild)
		sp_strv_addf(&p->actions, "on its first boot, run as root: %s (%s)", image->rebuild, why);
	else
		sp_strv_addf(&p->actions, "on its first boot, build '%s' anew (%s)", image->path, why);
}

void sp_plan_rebuild(const struct sp_session *s, struct sp_plan *p, const char *wanted)
{
	const char *why = sp_generators_refusal(s->root);
	struct sp_boot_image *image = by_default(&p->images);

	if (!sp_wants_initramfs(&p->selection))
		return;
	if (!image) {
		sp_strv_add(&p->warnings, "the initramfs image that boots by default is not known, so it is not built anew");
		return;
	}
	if (sp_streq(image->options, wanted))
		return;
	if (image->copy == SP_COPY_UNCHECKED && !why) {
		sp_strv_addf(&p->actions, "look into '%s', and build it anew where its copy of modprobe.d is another", image->path);
		return;
	}
	if (why) {
		plan_later(p, image, why);
		return;
	}
	const struct sp_initramfs_job job = sp_rebuild_job(image, wanted);
	p->rebuild_refusal = sp_initramfs_refusal(s->root, &job);
	p->rebuild = image;
	p->rebuild_options = sp_xstrdup(wanted);
	p->pending = p->reboot_required = true;
	sp_strv_addf(&p->actions, "build '%s' anew with %s; it is checked before it takes the place of the old one", image->path,
		     image->maker ? image->maker : "its maker");
}

/* --- do it ----------------------------------------------------------------------------------------------------------- */

static int build(const struct sp_session *s, struct sp_txn *txn, const struct sp_initramfs_job *job, struct sp_edits *products,
		 struct sp_error **err)
{
	const struct sp_note note = { .product = true };
	int r = sp_initramfs_make(s->root, job, products, err);

	for (size_t i = 0; i < products->n; i++)
		products->v[i].note = sp_note_to_json(&note);
	if (r == 0)
		r = sp_txn_stage(txn, products, err);
	return r < 0 ? r : sp_txn_publish(txn, err);
}

int sp_rebuild(const struct sp_session *s, struct sp_txn *txn, const struct sp_initramfs_job *job, struct sp_edits *products,
	       struct sp_error **err)
{
	int r = build(s, txn, job, products, err);

	return r < 0 ? sp_error_wrap(err, "'%s' could not be made, so everything was put back", job->path) : 0;
}

/* --- rollback -------------------------------------------------------------------------------------------------------- */

static bool was_ours(const struct sp_undo *u, const char *path)
{
	for (size_t i = 0; i < u->n; i++)
		for (size_t k = 0; u->chosen[i] && k < u->records[i].edits.n; k++)
			if (sp_streq(u->records[i].edits.v[k].path, path))
				return true;
	return false;
}

/* What our modprobe.d file will say when it is rolled back. Owned. */
static char *options_then(const struct sp_undo *u)
{
	const char *path = sp_dropin_kind(SP_DEST_MODPROBE)->path;
	const struct sp_edit *e = sp_edits_find(&u->edits, path);
	sp_autobuf struct sp_buf file = { 0 };

	if (e)
		return e->after.exists ? sp_initramfs_options(&e->after.bytes, false) : sp_xstrdup("");
	if (sp_root_read(u->s->root, path, SP_FILE_MAX, &file, NULL) < 0)
		return sp_xstrdup("");
	return sp_initramfs_options(&file, false);
}

void sp_rewind_image(struct sp_undo *u, const struct sp_boot *boot, const struct sp_facts *facts)
{
	sp_autoimage_memory struct sp_image_memory *memory = sp_session_image_memory(u->s);
	sp_autofree char *then = options_then(u);

	if (!boot || sp_generators_refusal(u->s->root))
		return;
	sp_boot_images_list(u->s, boot, facts, &u->images);
	for (size_t i = 0; i < u->images.n && !u->rebuild; i++) {
		struct sp_boot_images one = { &u->images.v[i], 1 }; /* a view */

		if (!was_ours(u, one.v->path) || sp_edits_find(&u->edits, one.v->path))
			continue; /* nobody made it anew for us, or the old one comes back */
		sp_boot_images_ask(memory, true, then, &one);
		const struct sp_initramfs_job job = sp_rebuild_job(one.v, then);
		sp_autoerror struct sp_error *refusal = sp_initramfs_refusal(u->s->root, &job);
		if (one.v->options && !sp_streq(one.v->options, then) && !refusal) {
			u->rebuild = one.v;
			u->rebuild_options = sp_xstrdup(then);
		}
	}
}
