/* SPDX-License-Identifier: MIT */
/*
 * verify: compares the machine with what the last committed transaction
 * recorded, layer by layer. Never writes; what cannot be read is said to be
 * unchecked, never good.
 */
#include "engine/check.h"
#include "engine/trial.h"

static const char *const layer_names[] = { "disk", "entry", "cmdline", "live", "effect" };
static const char *const result_names[] = { "ok", "fail", "pending-reboot", "skipped" };

const char *sp_layer_name(enum sp_layer layer)
{
	return layer_names[layer];
}

const char *sp_check_result_name(enum sp_check_result r)
{
	return result_names[r];
}

void sp_check_add(struct sp_verifier *v, const struct sp_applied_setting *s, enum sp_layer layer, const char *expected,
		  char *actual, enum sp_check_result result, char *reason)
{
	struct sp_verify *out = v->out;

	out->checks = sp_xrealloc(out->checks, out->n_checks + 1, sizeof(*out->checks));
	out->checks[out->n_checks++] = (struct sp_check){
		.id = sp_xstrdup(s->id), .layer = layer, .expected = sp_xstrdup(expected),
		.actual = actual, .result = result, .reason = reason,
	};
}

static void check_setting(struct sp_verifier *v, const struct sp_applied_setting *s)
{
	if (s->dest == SP_DEST_CMDLINE)
		sp_check_line(v, s);
	else
		sp_check_dropin(v, s);
	sp_check_live(v, s);
	sp_check_effect(v, s);
}

/* --- the closing sentence and the exit status ---------------------------------------------------------------------- */

static size_t count(const struct sp_verify *v, enum sp_check_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_checks; i++)
		n += v->checks[i].result == result;
	return n;
}

static char *unchecked(const struct sp_verify *v)
{
	sp_autostrv struct sp_strv names = { 0 };

	for (size_t i = 0; i < v->n_checks; i++) {
		sp_autofree char *name = sp_xasprintf("%s (%s)", v->checks[i].id, sp_layer_name(v->checks[i].layer));
		if (v->checks[i].result == SP_CHECK_SKIPPED && !sp_strv_has(&names, name))
			sp_strv_add(&names, name);
	}
	sp_autofree char *all = sp_strv_join(&names, ", ");
	return names.n ? sp_xasprintf(" Not checked: %s.", all) : sp_xstrdup("");
}

/* After a rollback, what images that were built in between still have of us, and nobody has looked into since. */
static void find_copies(struct sp_verifier *v)
{
	sp_autoimage_memory struct sp_image_memory *memory = sp_session_image_memory(v->s);

	sp_images_left(v->s, v->boot, v->facts, false, memory, &v->out->images);
	sp_images_tell_left(&v->out->images, &v->out->warnings, NULL);
	for (size_t i = 0; i < v->out->images.n; i++)
		if (v->out->images.v[i].rebuild)
			sp_strv_addf(&v->out->warnings, "'%s' is built anew by: %s", v->out->images.v[i].path,
				     v->out->images.v[i].rebuild);
}

static void conclude(struct sp_verify *v)
{
	const size_t fail = count(v, SP_CHECK_FAIL), pending = count(v, SP_CHECK_PENDING), ok = count(v, SP_CHECK_OK);
	sp_autofree char *rest = unchecked(v);

	if (fail) {
		v->status = v->firmware ? SP_EXIT_FIRMWARE : SP_EXIT_DIFFERS;
		v->sentence = sp_xasprintf("%zu of %zu checks %s; the reasons are above.%s", fail, v->n_checks,
					   fail == 1 ? "fails" : "fail", rest);
	} else if (pending) {
		v->status = SP_EXIT_REBOOT;
		v->sentence = sp_xasprintf("What is on disk is right (%zu checks); %zu more wait for a reboot.%s", ok, pending,
					   rest);
	} else if (v->images.n) {
		v->status = SP_EXIT_DIFFERS;
		v->sentence = sp_xasprintf("Of strix-provision, copies of its modprobe.d file are left in %zu initramfs %s, which size "
					   "the memory of the GPU.%s", v->images.n, v->images.n == 1 ? "image" : "images", rest);
	} else if (v->rolled_back) {
		v->sentence = sp_xasprintf("Nothing of strix-provision is left (%zu checks).%s", ok, rest);
	} else {
		v->sentence = sp_xasprintf("All settings hold: %zu checks are right.%s", ok, rest);
	}
}

static void never_applied(struct sp_verify *v)
{
	v->never_applied = true;
	v->status = SP_EXIT_DIFFERS;
	v->sentence = sp_xstrdup("Nothing was ever applied here; 'strix-provision plan' shows what would be.");
}

/* --- together -------------------------------------------------------------------------------------------------------- */

static bool is_same_boot(const struct sp_facts *f, const char *boot_id)
{
	const char *now = sp_fact_text(f, SP_FACT_BOOT_ID);

	return now && sp_streq(now, boot_id);
}

static void run_checks(struct sp_verifier *v, const struct sp_state *st)
{
	const bool gone = st->applied.txn == 0;

	v->applied = gone ? &st->was : &st->applied;
	v->same_boot = is_same_boot(v->facts, gone ? st->rollback_boot_id : st->applied.boot_id);
	v->out->rolled_back = gone;
	v->out->txn = v->applied->txn;
	for (size_t i = 0; i < v->applied->n_settings; i++) {
		if (gone)
			sp_check_gone(v, &v->applied->settings[i]);
		else
			check_setting(v, &v->applied->settings[i]);
	}
	if (gone)
		find_copies(v);
	else
		sp_check_firmware(v, st->told);
}

static int verify(const struct sp_session *s, struct sp_verify *out, struct sp_error **err)
{
	sp_autostate struct sp_state st = { 0 };
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autoerror struct sp_error *boot_error = NULL;
	int r = sp_state_read(s, &st, err);

	if (r == 0)
		r = sp_facts_read(s->root, s->machine, &out->facts, err);
	if (r < 0)
		return r;
	out->gtt_mib = st.applied.gtt_mib;
	const char *name = st.applied.txn ? st.applied.boot_setup : st.was.txn ? st.was.boot_setup : s->boot_name;
	struct sp_verifier v = { .s = s, .facts = out->facts, .out = out };
	if (sp_boot_read(s->root, sp_session_system(s), name, &boot, &boot_error) < 0)
		v.boot_why = boot_error->message;
	v.boot = boot;
	if (st.applied.txn == 0 && st.was.txn == 0) {
		never_applied(out);
	} else {
		run_checks(&v, &st);
		for (size_t i = 0; i < SP_ELEMENTS(v.dropins); i++)
			sp_dropins_clear(&v.dropins[i]);
		conclude(out);
	}
	sp_advise_verify(s, boot, out);
	if (st.interrupted) {
		out->status = SP_EXIT_RECOVER;
		sp_strv_add(&out->warnings, "a transaction was cut short; 'strix-provision recover' puts it right");
	}
	return 0;
}

static int verify_trial(const struct sp_session *s, const struct sp_trial *t, struct sp_verify *out, struct sp_error **err)
{
	int r = sp_facts_read(s->root, s->machine, &out->facts, err);
	struct sp_verifier v = { .s = s, .facts = out->facts, .out = out, .applied = &t->next };

	if (r < 0)
		return r;
	out->gtt_mib = t->next.gtt_mib;
	out->txn = t->txn;
	for (size_t i = 0; i < t->next.n_settings; i++) {
		const struct sp_applied_setting *setting = &t->next.settings[i];
		if (setting->dest != SP_DEST_CMDLINE)
			continue;
		sp_check_cmdline(&v, setting);
		sp_check_live(&v, setting);
		sp_check_effect(&v, setting);
	}
	conclude(out);
	return 0;
}

int sp_verify_trial(const struct sp_session *s, const struct sp_trial *t, struct sp_verify **ret, struct sp_error **err)
{
	struct sp_verify *v = sp_xcalloc(1, sizeof(*v));
	int r = verify_trial(s, t, v, err);

	if (r < 0)
		sp_verify_free(v);
	else
		*ret = v;
	return r;
}

int sp_verify(const struct sp_session *s, struct sp_verify **ret, struct sp_error **err)
{
	struct sp_verify *v = sp_xcalloc(1, sizeof(*v));
	int r = verify(s, v, err);

	if (r < 0)
		sp_verify_free(v);
	else
		*ret = v;
	return r;
}

void sp_verify_free(struct sp_verify *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n_checks; i++) {
		free(v->checks[i].id);
		free(v->checks[i].expected);
		free(v->checks[i].actual);
		free(v->checks[i].reason);
	}
	free(v->checks);
	free(v->sentence);
	free(v->firmware);
	sp_boot_images_clear(&v->images);
	sp_strv_clear(&v->warnings);
	sp_advices_clear(&v->advisories);
	sp_facts_free(v->facts);
	free(v);
}
