/* SPDX-License-Identifier: MIT */
/* Carry edits out as one transaction, and look at the product before it counts. */
#include <errno.h>
#include <signal.h>

#include "engine/internal.h"

void sp_progress(const struct sp_session *s, const char *step)
{
	if (s->progress)
		s->progress(s->progress_data, step);
}

static void mask_signals(int how)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;

	(void) sigemptyset(&set);
	for (size_t i = 0; i < SP_ELEMENTS(held); i++)
		(void) sigaddset(&set, held[i]);
	(void) sigprocmask(how, &set, NULL);
}

void sp_hold_signals(void)
{
	mask_signals(SIG_BLOCK);
}

void sp_release_signals(void)
{
	mask_signals(SIG_UNBLOCK);
}

/* Read back every file; a success that was not read back is none. */
static int check_files(const struct sp_session *s, const struct sp_edits *edits, struct sp_error **err)
{
	for (size_t i = 0; i < edits->n; i++) {
		const struct sp_edit *e = &edits->v[i];
		struct sp_image now = { 0 };
		const size_t max = e->after.bytes.len > SP_FILE_MAX ? SP_IMAGE_MAX : SP_FILE_MAX;
		int r = e->op == SP_OP_KEEP ? 0 : sp_image_read_max(s->root, e->path, max, &now, err);
		bool good = e->op == SP_OP_KEEP ||
			    (now.exists == e->after.exists && (!now.exists || sp_buf_eq(&now.bytes, &e->after.bytes)));
		sp_image_clear(&now);
		if (r == 0 && !good)
			r = sp_error_set(err, -EBADMSG, "'%s' does not read back as it was written", e->path);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_product(const struct sp_session *s, const struct sp_job *job, const struct sp_edits *products,
			 const struct sp_edits *images, struct sp_error **err)
{
	sp_automoment struct sp_moment now = sp_moment_begin(s);
	sp_autoboot struct sp_boot *boot = NULL;
	int r = check_files(s, images, err);

	if (r == 0)
		r = check_files(s, job->edits, err);
	if (r == 0)
		r = check_files(s, products, err);
	if (r == 0 && job->check)
		r = job->check(s, job->check_data, err);
	if (r < 0 || !job->boot_name || job->product_as_is)
		return r;
	r = sp_boot_read(s->root, sp_session_system(s), job->boot_name, &boot, err);
	if (r == 0 && boot->ops->check)
		r = boot->ops->check(boot, job->wanted, err);
	return r < 0 ? sp_error_wrap(err, "the result is not right, so everything was put back") : 0;
}

/*
 * A smaller carve-out is set before the files, a larger one after them: whenever it stops, the memory of the next start is
 * not less than the files are for.
 */
static int set_attribute(const struct sp_session *s, struct sp_txn *txn, const struct sp_job *job, struct sp_error **err)
{
	enum sp_attribute_step step = SP_ATTRIBUTE_READ;

	if (sp_attribute_is_line(job->attribute)) {
		sp_progress(s, "making a new deployment, which takes a while");
		sp_txn_reach(txn, job->access);
		return sp_txn_set(txn, job->attribute, &step, err);
	}
	sp_progress(s, "setting the firmware's carve-out");
	return sp_firmware_write(txn, job->attribute, job->access, err);
}

static int carry_out(const struct sp_session *s, struct sp_txn *txn, const struct sp_job *job, struct sp_edits *products,
		     struct sp_edits *images, struct sp_error **err)
{
	int r = job->drop_dirs ? sp_txn_drop_dirs(txn, job->drop_dirs, err) : 0;

	sp_progress(s, "writing the new files beside the old ones");
	if (r == 0)
		r = sp_txn_stage(txn, job->edits, err);
	if (r == 0 && job->attribute && !job->attribute->last)
		r = set_attribute(s, txn, job, err);
	sp_progress(s, "putting them in place");
	if (r == 0)
		r = sp_txn_publish(txn, err);
	if (r == 0 && job->generate) {
		sp_progress(s, "making the boot menu anew");
		r = sp_generate(s, txn, job, products, err);
	}
	if (r == 0 && job->image) {
		sp_progress(s, "building the initramfs image anew");
		r = sp_rebuild(s, txn, job->image, images, err);
	}
	sp_progress(s, "reading the result back");
	if (r == 0)
		r = check_product(s, job, products, images, err);
	if (r == 0 && job->attribute && job->attribute->last)
		r = set_attribute(s, txn, job, err);
	if (r == 0)
		r = sp_txn_commit(txn, err);
	return r;
}

/* What failed is the error; that the undo failed as well is more important. */
static int undo(struct sp_txn *txn, int r, struct sp_error **err)
{
	sp_autoerror struct sp_error *e = NULL;

	int undone = sp_txn_follow(txn, sp_is_same_entry, &e);
	if (undone == 0)
		undone = sp_txn_undo(txn, &e);
	if (undone == 0 && !sp_txn_attribute_left(txn))
		return r;
	if (undone == 0 && sp_attribute_is_line(sp_txn_attribute(txn))) {
		(void) sp_error_wrap(err, "the files are put back, but somebody else has changed the kernel arguments meanwhile, which stay");
		return sp_error_exit(err, SP_EXIT_RECOVER);
	}
	if (!e) {
		sp_autofree char *left = sp_firmware_left(sp_txn_attribute(txn)), *why = sp_xstrdup((*err)->message);
		(void) sp_error_set(err, r, "%s; and %s", why, left);
		return sp_error_exit(err, SP_EXIT_FIRMWARE);
	}
	sp_autofree char *first = sp_xstrdup(err && *err ? (*err)->message : "failed");
	(void) sp_error_set(err, e->code, "%s; and it could not be undone: %s", first, e->message);
	(void) sp_error_exit(err, SP_EXIT_RECOVER);
	return sp_error_hint(err, "%s", e->hint ? e->hint : "run: strix-provision recover");
}

int sp_commit(const struct sp_session *s, struct sp_store *store, const struct sp_job *job, uint64_t *ret_id,
	      struct sp_strv *warnings, struct sp_error **err)
{
	sp_autoerror struct sp_error *late = NULL;
	sp_autoedits struct sp_edits products = { 0 }, images = { 0 };
	struct sp_txn *txn = NULL;

	int r = sp_txn_begin(store, job->about, &txn, err);
	if (r < 0)
		return r;
	r = carry_out(s, txn, job, &products, &images, err);
	if (r < 0) {
		r = undo(txn, r, err);
		if (sp_state_write_now(store, &late) < 0) /* only the list of what was undone; the next write has it, too */
			sp_strv_add(warnings, late->message);
		sp_txn_free(txn);
		return r;
	}
	/* It stands. What fails now is done by the next run. */
	*ret_id = sp_txn_id(txn);
	r = sp_state_write(store, &late);
	if (r == 0)
		r = sp_txn_finish(txn, &late);
	if (r < 0)
		sp_strv_addf(warnings, "it is done, but %s; 'strix-provision recover' completes it", late->message);
	sp_txn_free(txn);
	return 0;
}
