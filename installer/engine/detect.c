/* SPDX-License-Identifier: MIT */
/* detect and status: what there is, without a judgement. */
#include <errno.h>

#include "engine/trial.h"

/* What the line of the entry that boots by default says, whoever wrote it; 0: nothing. */
static uint64_t next_gtt_mib(const struct sp_detect *d)
{
	const struct sp_entry *e = d->boot ? sp_boot_default(d->boot) : NULL;
	sp_autofree char *key = sp_xasprintf("%s.pages_limit", sp_kernel_ttm_module(d->facts, e ? e->version : NULL));
	sp_autofree char *size = e ? sp_cmdline_value(e->line, "amdgpu.gttsize") : NULL;
	sp_autofree char *limit = e ? sp_cmdline_value(e->line, key) : NULL;
	uint64_t mib = 0, pages = 0;

	if (size && sp_parse_u64(size, &mib) == 0) /* -1 is "as if it was not there" */
		return mib;
	return limit && sp_parse_u64(limit, &pages) == 0 ? pages / 256 : 0;
}

static int detect(const struct sp_session *s, struct sp_detect *d, struct sp_error **err)
{
	int r = sp_catalog_load_parts(s->data_dir, SP_CATALOG_PLATFORMS | SP_CATALOG_ADVICE, &d->catalog, err);

	if (r == 0)
		r = sp_facts_read(s->root, s->machine, &d->facts, err);
	if (r < 0)
		return r;
	d->platform = sp_platform_match(d->catalog, d->facts, &d->platform_why);
	sp_carveout_read(s->machine, sp_fact_text(d->facts, SP_FACT_GPU_ADDRESS), &d->carveout);
	r = sp_boot_read(s->root, sp_session_system(s), s->boot_name, &d->boot, &d->boot_error);
	if (r < 0 && d->boot_error->exit == SP_EXIT_USAGE) {
		*err = sp_steal(d->boot_error);
		return r;
	}
	if (d->boot)
		sp_strv_copy(&d->warnings, &d->boot->warnings);
	d->next_gtt_mib = next_gtt_mib(d);
	sp_advise_detect(s, d);
	return 0;
}

int sp_detect(const struct sp_session *s, struct sp_detect **ret, struct sp_error **err)
{
	struct sp_detect *d = sp_xcalloc(1, sizeof(*d));
	int r = detect(s, d, err);

	if (r < 0)
		sp_detect_free(d);
	else
		*ret = d;
	return r;
}

void sp_detect_free(struct sp_detect *d)
{
	if (!d)
		return;
	sp_facts_free(d->facts);
	sp_catalog_free(d->catalog);
	sp_carveout_clear(&d->carveout);
	free(d->platform_why);
	sp_boot_free(d->boot);
	sp_error_free(d->boot_error);
	sp_strv_clear(&d->warnings);
	sp_advices_clear(&d->advisories);
	free(d);
}

/* --- status ---------------------------------------------------------------------------------------------------- */

static char *member(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return sp_xstrdup(s ? s : "");
}

static void read_txns(const json_t *list, struct sp_status *st)
{
	json_t *v = NULL;
	size_t i;

	st->txns = sp_xcalloc(json_array_size(list), sizeof(*st->txns));
	json_array_foreach (list, i, v)
		st->txns[st->n_txns++] = (struct sp_status_txn){
			.id = (uint64_t) json_integer_value(json_object_get(v, "id")),
			.kind = member(v, "kind"), .state = member(v, "state"),
			.time = member(v, "time"), .text = member(v, "text"),
		};
}

/* Something that takes effect at boot was written (or taken back) in this very boot. */
static bool waits_for_reboot(const struct sp_state *st, const char *boot_id)
{
	const struct sp_applied *a = st->applied.txn ? &st->applied : &st->was;
	const char *written = st->applied.txn ? st->applied.boot_id : st->rollback_boot_id;

	if (!boot_id || !sp_streq(boot_id, written))
		return false;
	for (size_t i = 0; i < a->n_settings; i++)
		if (a->settings[i].ours && a->settings[i].reboot)
			return true;
	return false;
}

/* The firmware has its new value from the next start on. */
static bool written_now(const struct sp_state *st, const char *boot_id)
{
	const char *then = json_string_value(json_object_get(st->told, "boot_id"));

	return boot_id && sp_streq(boot_id, then);
}

/* What it waits for is read from the machine; where that cannot be read, it is said why. */
static int read_trial(const struct sp_session *s, const struct sp_state *st, struct sp_status *out, struct sp_error **err)
{
	sp_autotrial struct sp_trial t = { 0 };
	sp_autoerror struct sp_error *unread = NULL;
	int r = sp_trial_from_json(st->trial, &t, err);

	if (r < 0 || !t.txn)
		return r;
	out->trial = t.txn;
	out->trial_entry = sp_steal(t.entry);
	out->trial_outcome = sp_steal(t.outcome);
	out->trial_why = sp_steal(t.why);
	if (sp_trial_look(s, &t, &out->trial_state, out->trial_why ? NULL : &out->trial_why, &unread) < 0) {
		out->trial_state = SP_TRIAL_PREPARED;
		out->trial_why = sp_xasprintf("what became of it is not known: %s", unread->message);
	}
	out->reboot_pending = out->reboot_pending || out->trial_state == SP_TRIAL_ARMED;
	return 0;
}

/* The unit of verify writes "STATUS BOOT-ID"; of another start it says nothing. */
static int read_boot_check(const struct sp_session *s, const char *boot_id)
{
	sp_autofree char *line = NULL;
	uint64_t status = 0;

	if (!boot_id || sp_root_read_line(s->machine, "/run/strix-provision/verify", &line) < 0)
		return -1;
	char *id = strchr(line, ' ');
	if (!id || !sp_streq(id + 1, boot_id))
		return -1;
	*id = '\0';
	return sp_parse_u64(line, &status) < 0 || status > 255 ? -1 : (int) status;
}

int sp_status_read(const struct sp_session *s, struct sp_status **ret, struct sp_error **err)
{
	sp_autostate struct sp_state st = { 0 };
	sp_autofree char *boot_id = NULL;
	int r = sp_state_read(s, &st, err);

	if (r < 0)
		return r;
	if (sp_root_read_line(s->machine, "/proc/sys/kernel/random/boot_id", &boot_id) < 0)
		boot_id = NULL; /* then nothing is said to wait */
	struct sp_status *out = sp_xcalloc(1, sizeof(*out));
	read_txns(st.transactions, out);
	out->interrupted = st.interrupted;
	out->firmware_set = written_now(&st, boot_id);
	out->reboot_pending = out->firmware_set || waits_for_reboot(&st, boot_id);
	out->applied = st.applied;
	st.applied = (struct sp_applied){ 0 };
	out->boot_check = read_boot_check(s, boot_id);
	sp_autorequest struct sp_request request = { 0 };
	r = sp_request_read(s, &request, err);
	out->requested = request.there;
	if (r == 0)
		r = read_trial(s, &st, out, err);
	if (r < 0)
		sp_status_free(out);
	else
		*ret = out;
	return r;
}

void sp_status_free(struct sp_status *st)
{
	if (!st)
		return;
	for (size_t i = 0; i < st->n_txns; i++) {
		free(st->txns[i].kind);
		free(st->txns[i].state);
		free(st->txns[i].time);
		free(st->txns[i].text);
	}
	free(st->txns);
	sp_applied_clear(&st->applied);
	free(st->trial_entry);
	free(st->trial_outcome);
	free(st->trial_why);
	free(st);
}
