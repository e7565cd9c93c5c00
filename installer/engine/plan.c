/* SPDX-License-Identifier: MIT */
/* The plan, top to bottom: read, select, size, decide, edit. Writes nothing. */
#include <errno.h>
#include <inttypes.h>

#include "engine/internal.h"

/* --- reading --------------------------------------------------------------------------------------------------- */

static int read_boot(const struct sp_session *s, struct sp_boot **boot, struct sp_error **boot_error, struct sp_error **err)
{
	sp_autoerror struct sp_error *e = NULL;
	int r = sp_boot_read(s->root, sp_session_system(s), s->boot_name, boot, &e);

	if (r == 0)
		return 0;
	if (e->exit == SP_EXIT_USAGE) {
		*err = sp_steal(e);
		return r;
	}
	*boot_error = sp_steal(e); /* the plan is shown all the same; apply ends with it */
	return 0;
}

static int read_all(const struct sp_session *s, struct sp_plan *p, struct sp_config *config, struct sp_error **err)
{
	const unsigned parts = SP_CATALOG_SETTINGS | SP_CATALOG_PLATFORMS | SP_CATALOG_ADVICE;
	int r = sp_catalog_load_parts(s->data_dir, parts, &p->catalog, err);

	if (r == 0)
		r = sp_config_load(s->root, s->config_path, config, err);
	if (r == 0)
		r = sp_facts_read(s->root, s->machine, &p->facts, err);
	if (r < 0)
		return r;
	p->platform = sp_platform_match(p->catalog, p->facts, &p->platform_why);
	return read_boot(s, &p->boot, &p->boot_error, err);
}

static int read_applied(const struct sp_session *s, struct sp_plan *p, json_t **told, struct sp_error **err)
{
	sp_autostate struct sp_state st = { 0 };
	int r = sp_state_read(s, &st, err);

	if (r < 0)
		return r;
	if (st.interrupted)
		sp_strv_add(&p->warnings, "an interrupted transaction is not in this plan; apply puts it right first");
	p->applied = st.applied;
	st.applied = (struct sp_applied){ 0 };
	*told = sp_steal(st.told);
	if (json_is_true(json_object_get(st.trial, "open")))
		p->open_trial = (uint64_t) json_integer_value(json_object_get(st.trial, "transaction"));
	if (p->open_trial)
		sp_strv_add(&p->warnings, "a trial is under way; apply waits until 'strix-provision confirm' has ended it");
	return 0;
}

/* --- selection ------------------------------------------------------------------------------------------------- */

/* A size that came from the configuration is wrong there, and that has a file and a line. */
static int say_where(const struct sp_plan *p, const char *key, uint64_t mib, struct sp_error **err)
{
	sp_autofree char *value = sp_xasprintf("%" PRIu64, mib);
	const char *origin = sp_selection_origin(&p->selection, key, value);

	return origin ? sp_error_wrap(err, "%s", origin) : (*err)->code;
}

static int select_all(const struct sp_session *s, struct sp_plan *p, const struct sp_config *config, struct sp_error **err)
{
	const struct sp_selection *chosen = s->selection.given ? &s->selection : &p->applied.selection;

	sp_select(chosen, &config->selection, &p->selection);
	sp_selection_copy(&p->next.selection, chosen);
	if (!p->selection.profile)
		p->selection.profile = sp_xstrdup("zbook");
	int r = sp_selection_check(&p->selection, p->catalog, err);
	if (r == 0)
		p->profile = sp_catalog_profile(p->catalog, p->selection.profile);
	return r;
}

/* --- sizes ----------------------------------------------------------------------------------------------------- */

/* Why no size can be computed here; NULL: it can. Borrowed. */
static const char *no_sizes(const struct sp_plan *p)
{
	if (!sp_fact_known(p->facts, SP_FACT_MEM_TOTAL_KIB))
		return "the size of memory is not known";
	if (p->selection.gtt_mib)
		return NULL;
	if (!p->platform)
		return "this is no Strix Halo machine; --gtt SIZE sets a size by hand";
	if (!sp_fact_known(p->facts, SP_FACT_VRAM_BYTES))
		return "the carve-out is not known (is amdgpu loaded?); --gtt SIZE sets a size by hand";
	return NULL;
}

/* What an earlier apply computed counts while nothing it was computed from has changed. */
static uint64_t recorded_size(const struct sp_plan *p, uint64_t carve_out_mib)
{
	const struct sp_selection *now = &p->next.selection, *then = &p->applied.selection;

	if (p->applied.txn == 0 || p->applied.carve_out_mib != carve_out_mib || p->selection.gtt_mib || then->gtt_mib ||
	    now->host_reserve_mib != then->host_reserve_mib || !!now->profile != !!then->profile ||
	    (now->profile && !sp_streq(now->profile, then->profile)))
		return 0;
	return p->applied.gtt_mib;
}

static int compute_sizes(struct sp_plan *p, struct sp_error **err)
{
	const char *why = no_sizes(p);
	struct sp_size_input in = {
		.mem_total_kib = sp_fact_num(p->facts, SP_FACT_MEM_TOTAL_KIB),
		.carve_out_kib = sp_fact_num(p->facts, SP_FACT_VRAM_BYTES) / 1024,
		.next_carve_out_kib = p->gate.carve_out_mib * 1024,
		.least_carve_out_kib = p->gate.least_mib * 1024,
		.gtt_mib = p->selection.gtt_mib,
		.host_reserve_mib = p->selection.host_reserve_mib,
		.headroom = p->profile->headroom,
	};

	if (why) {
		sp_strv_addf(&p->warnings, "no GTT size: %s", why);
		return 0;
	}
	in.recorded_mib = recorded_size(p, p->next.carve_out_mib);
	int r = sp_sizes_compute(&in, &p->sizes, err);
	if (r < 0)
		return say_where(p, in.gtt_mib ? "gtt" : "host_reserve", in.gtt_mib ? in.gtt_mib : in.host_reserve_mib, err);
	p->has_sizes = true;
	p->next.gtt_mib = p->sizes.gtt_mib;
	p->next.memory_mib = p->sizes.next_mem_kib / 1024;
	sp_strv_copy(&p->warnings, &p->sizes.warnings);
	return 0;
}

/* --- what will be recorded --------------------------------------------------------------------------------------- */

static void record_setting(struct sp_plan *p, const struct sp_decision *d, const struct sp_derived *derived)
{
	const struct sp_setting *s = d->setting;
	sp_autofree char *live = NULL;

	if (d->state == SP_DECIDE_SKIPPED || d->state == SP_DECIDE_BLOCKED)
		return;
	if (s->live && sp_derive(s->live, derived, &live, NULL) < 0)
		live = NULL;
	p->next.settings[p->next.n_settings++] = (struct sp_applied_setting){
		.id = sp_xstrdup(s->id), .key = sp_xstrdup(d->key), .value = sp_xstrdup(d->value),
		.dest = s->dest, .rule = s->rule, .ours = d->ours, .reboot = s->reboot,
		.live = sp_steal(live), .effect = sp_xstrdup(s->effect), .live_bracket = s->live_bracket,
	};
}

static void record(const struct sp_session *s, struct sp_plan *p)
{
	const struct sp_derived derived = { .sizes = p->has_sizes ? &p->sizes : NULL,
					    .ttm_module = sp_kernel_ttm_module(p->facts, sp_plan_kernel(p)) };

	p->next.boot_id = sp_xstrdup(sp_fact_text(p->facts, SP_FACT_BOOT_ID));
	p->next.boot_setup = sp_xstrdup(p->boot ? p->boot->ops->name : NULL);
	p->next.platform = sp_xstrdup(p->platform ? p->platform->id : NULL);
	p->next.settings = sp_xcalloc(p->n_decisions, sizeof(*p->next.settings));
	for (size_t i = 0; i < p->n_decisions; i++)
		record_setting(p, &p->decisions[i], &derived);
	sp_live_plan(s, p, &p->next);
}

/* Selection sticks: another one is recorded, also where it happens to change no file. */
static bool selection_changed(const struct sp_plan *p)
{
	json_t *then = sp_selection_to_json(&p->applied.selection), *now = sp_selection_to_json(&p->next.selection);
	bool changed = p->applied.txn && !json_equal(then, now);

	json_decref(then);
	json_decref(now);
	return changed;
}

static void conclude(const struct sp_session *s, struct sp_plan *p)
{
	p->pending = sp_edits_pending(&p->edits) || selection_changed(p);
	for (size_t i = 0; i < p->n_decisions; i++)
		if (p->decisions[i].state == SP_DECIDE_CHANGE && p->decisions[i].setting->reboot)
			p->reboot_required = true;
	for (size_t i = 0; i < p->edits.n; i++) {
		const struct sp_edit *e = &p->edits.v[i];
		if (e->op != SP_OP_KEEP && (sp_startswith(e->path, "/boot/") || sp_startswith(e->path, "/efi/")))
			p->reboot_required = true;
	}
	for (size_t i = 0; i < p->next.n_live; i++) {
		const struct sp_applied_live *l = &p->next.live[i];
		if (sp_streq(l->before, l->after))
			sp_strv_addf(&p->actions, "set %s back to %s now", l->path, l->after);
		else
			sp_strv_addf(&p->actions, "set %s to %s now (rollback puts %s back)", l->path, l->after, l->before);
	}
	sp_plan_generation(s, p);
	sp_kept_line_actions(s, p);
	sp_plan_firmware_actions(p);
	if (p->reboot_required)
		sp_strv_add(&p->actions, "reboot, so that the kernel reads its new command line");
}

static int make(const struct sp_session *s, struct sp_plan *p, struct sp_error **err)
{
	sp_autoconfig struct sp_config config = { 0 };
	json_t *told = NULL;
	int r = read_all(s, p, &config, err);

	if (r == 0)
		r = read_applied(s, p, &told, err);
	if (r == 0)
		r = select_all(s, p, &config, err);
	if (r == 0)
		sp_plan_firmware(s, p, &config.selection, told);
	json_decref(told);
	if (r == 0)
		r = compute_sizes(p, err);
	if (r == 0)
		r = sp_decide(p, err);
	if (r == 0)
		r = sp_plan_line(s, p, err);
	if (r == 0)
		r = sp_plan_dropins(s, p, err);
	if (r < 0)
		return r;
	sp_fallback_plan(s, p);
	p->promotes = s->promotes;
	p->package_manager_wait = config.package_manager_wait;
	sp_check_names(p);
	record(s, p);
	conclude(s, p);
	sp_plan_images(s, p);
	sp_advise_plan(s, p);
	return 0;
}

int sp_plan_make(const struct sp_session *s, struct sp_plan **ret, struct sp_error **err)
{
	struct sp_plan *p = sp_xcalloc(1, sizeof(*p));
	sp_automoment struct sp_moment now = sp_moment_begin(s);
	int r = make(s, p, err);

	if (r < 0)
		sp_plan_free(p);
	else
		*ret = p;
	return r;
}

static int copy_error(const struct sp_error *e, struct sp_error **err)
{
	int r = sp_error_set(err, e->code, "%s", e->message);

	if (e->hint)
		(void) sp_error_hint(err, "%s", e->hint);
	if (e->path)
		(void) sp_error_path(err, e->path);
	(void) sp_error_exit(err, e->exit);
	return r;
}

int sp_plan_refusal(const struct sp_plan *p, struct sp_error **err)
{
	if (!p->platform && !p->selection.any_platform) {
		(void) sp_error_set(err, -ENOTSUP, "this is not a supported machine: %s", p->platform_why);
		(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
		return sp_error_hint(err, "--any-platform --gtt SIZE applies the settings all the same");
	}
	if (!p->boot)
		return copy_error(p->boot_error, err);
	if (p->conflicts.n) {
		sp_autofree char *all = sp_strv_join(&p->conflicts, "; ");
		(void) sp_error_set(err, -EEXIST, "%s", all);
		(void) sp_error_exit(err, SP_EXIT_CONFLICT);
		return sp_error_hint(err, "move the file away and put what you want changed into /etc/strix-provision.conf");
	}
	if (p->open_trial && p->open_trial != p->promotes) {
		(void) sp_error_set(err, -EBUSY, "trial %" PRIu64 " is under way", p->open_trial);
		(void) sp_error_exit(err, SP_EXIT_CONFLICT);
		return sp_error_hint(err, "'strix-provision confirm' ends it by what the machine shows; confirm --cancel takes it back");
	}
	if (p->boot->refusal && (p->generate || p->next.generation_due))
		return copy_error(p->boot->refusal, err);
	if (p->gate.refusal)
		return copy_error(p->gate.refusal, err);
	if (p->rebuild_refusal)
		return copy_error(p->rebuild_refusal, err);
	return sp_kept_line_refusal(p, err);
}

void sp_plan_free(struct sp_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_decisions; i++) {
		free(p->decisions[i].key);
		free(p->decisions[i].value);
		free(p->decisions[i].reason);
	}
	free(p->decisions);
	sp_facts_free(p->facts);
	sp_catalog_free(p->catalog);
	free(p->platform_why);
	sp_boot_free(p->boot);
	sp_attribute_clear(&p->line);
	sp_error_free(p->boot_error);
	sp_selection_clear(&p->selection);
	sp_sizes_clear(&p->sizes);
	sp_edits_clear(&p->edits);
	sp_strv_clear(&p->actions);
	sp_strv_clear(&p->warnings);
	sp_advices_clear(&p->advisories);
	sp_boot_images_clear(&p->images);
	sp_image_memory_free(p->image_memory);
	free(p->rebuild_options);
	sp_error_free(p->rebuild_refusal);
	sp_strv_clear(&p->conflicts);
	free(p->firmware_text);
	sp_gate_clear(&p->gate);
	sp_carveout_clear(&p->carveout);
	sp_applied_clear(&p->applied);
	sp_applied_clear(&p->next);
	free(p);
}
