/* SPDX-License-Identifier: MIT */
/* Writing the carve-out: the password, the transaction, and what the firmware means by its errors. */
#include <errno.h>
#include <inttypes.h>

#include "engine/internal.h"

/* --- the password --------------------------------------------------------------------------------------------------- */

static int nobody_to_ask(struct sp_error **err)
{
	(void) sp_error_set(err, -EKEYREJECTED, "the firmware wants its administrator password; nothing was changed");
	(void) sp_error_exit(err, SP_EXIT_FIRMWARE);
	return sp_error_hint(err, "give it with --password-fd N (a descriptor that it is read from), or run this on a terminal");
}

int sp_reach_firmware(const struct sp_session *s, const struct sp_carveout *c, struct sp_reach *ret,
		      struct sp_error **err)
{
	*ret = (struct sp_reach){ .access = { .machine = s->machine, .credential = c->credential } };
	if (!c->credential)
		return 0;
	int r = s->password ? s->password(s->password_data, &ret->secret, err) : -ENOTTY;
	if (r == -ENOTTY)
		return nobody_to_ask(err);
	if (r == 0)
		ret->access.secret = &ret->secret;
	return r;
}

void sp_reach_wipe(struct sp_reach *reach)
{
	sp_secret_wipe(&reach->secret);
	*reach = (struct sp_reach){ 0 };
}

/* --- what an error means -------------------------------------------------------------------------------------------- */

static const char setup_hint[] = "'strix-provision firmware setup' leads to the firmware's own screen; "
				 "'strix-provision apply --uma-by-hand SIZE' writes the sizes for what you set there";

/* By the step that failed, the code, and whether a password was given; the first that fits. */
static const struct meaning {
	enum sp_attribute_step step;
	int code; /* 0: any */
	enum { EITHER, WITH_PASSWORD, WITHOUT_PASSWORD } password;
	const char *text, *hint;
} meanings[] = {
	{ SP_ATTRIBUTE_READ, 0, EITHER, "its present value cannot be read", "is the driver still loaded?" },
	{ SP_ATTRIBUTE_OPEN, -EROFS, EITHER, "/sys is mounted read-only", "run it outside of the container" },
	{ SP_ATTRIBUTE_OPEN, -EACCES, EITHER, "it may not be written", "run it as root, for example with sudo" },
	{ SP_ATTRIBUTE_OPEN, -EPERM, EITHER, "it may not be written", "run it as root, for example with sudo" },
	{ SP_ATTRIBUTE_PASSWORD, -EINVAL, EITHER, "the driver does not take this password: it is too short, too long, or has "
	  "characters that the firmware does not know", "give the administrator password of the setup screen" },
	{ SP_ATTRIBUTE_PASSWORD, 0, EITHER, "the password cannot be given to the driver",
	  "run it as root, for example with sudo" },
	{ SP_ATTRIBUTE_WRITE, -EINVAL, WITH_PASSWORD, "the administrator password is wrong",
	  "give the administrator password of the setup screen; too many wrong ones lock it until the next start" },
	{ SP_ATTRIBUTE_WRITE, -EINVAL, WITHOUT_PASSWORD, "the firmware does not take this value from here", setup_hint },
	{ SP_ATTRIBUTE_WRITE, -EACCES, EITHER, "the firmware refused the password", "give the administrator password of the "
	  "setup screen" },
	{ SP_ATTRIBUTE_WRITE, -EPERM, EITHER, "the firmware takes signed changes only (HP Sure Admin)", setup_hint },
	{ SP_ATTRIBUTE_WRITE, -EOPNOTSUPP, EITHER, "the firmware does not support this change from here", setup_hint },
	{ SP_ATTRIBUTE_WRITE, -EIO, EITHER, "the firmware's interface (WMI) failed",
	  "the kernel log has its code (hp_bioscfg); set it in the firmware's setup screen, or try again after a restart" },
	{ SP_ATTRIBUTE_READ_BACK, 0, EITHER, "it took the write, and reads back something else", setup_hint },
};

static int explain(const struct sp_attribute *a, const struct sp_attribute_access *access, enum sp_attribute_step step,
		   int code, struct sp_error **err)
{
	for (size_t i = 0; i < SP_ELEMENTS(meanings); i++) {
		const struct meaning *m = &meanings[i];
		if (m->step != step || (m->code && m->code != code) ||
		    (m->password != EITHER && (m->password == WITH_PASSWORD) != (access->secret != NULL)))
			continue;
		(void) sp_error_set(err, code, "cannot set the firmware's carve-out to '%s': %s (%s)", a->after, m->text,
				    strerror(-code));
		return sp_error_hint(err, "%s", m->hint);
	}
	return sp_error_wrap(err, "cannot set the firmware's carve-out");
}

int sp_firmware_write(struct sp_txn *txn, const struct sp_attribute *a, const struct sp_attribute_access *access,
		      struct sp_error **err)
{
	enum sp_attribute_step step = SP_ATTRIBUTE_READ;

	sp_txn_reach(txn, access);
	int r = sp_txn_set(txn, a, &step, err);
	if (r == 0 || r == -ESTALE || step == SP_ATTRIBUTE_JOURNAL)
		return r;
	return explain(a, access, step, r, err);
}

/* --- after a crash -------------------------------------------------------------------------------------------------- */

static bool has_choice(const struct sp_uma_source *s, const char *text)
{
	for (size_t i = 0; i < s->n_choices; i++)
		if (sp_streq(s->choices[i].text, text))
			return true;
	return false;
}

/* A journal is believed only where this machine has that source, and offers that value. */
void sp_recall_firmware(const struct sp_session *s, struct sp_txn *txn, struct sp_recall *ret)
{
	const struct sp_attribute *a = sp_txn_attribute(txn);
	sp_autofacts struct sp_facts *facts = NULL;

	if (sp_machine_is_foreign(s->machine) || sp_facts_read(s->root, s->machine, &facts, NULL) < 0)
		return;
	sp_carveout_read(s->machine, sp_fact_text(facts, SP_FACT_GPU_ADDRESS), &ret->carveout);
	ret->access = (struct sp_attribute_access){ .machine = s->machine, .credential = ret->carveout.credential };
	const struct sp_uma_source *source = ret->carveout.source;
	if (source && sp_streq(source->path, a->path) && has_choice(source, a->before))
		sp_txn_reach(txn, &ret->access);
}

void sp_recall_clear(struct sp_recall *r)
{
	sp_carveout_clear(&r->carveout);
}

char *sp_firmware_left(const struct sp_attribute *a)
{
	return sp_xasprintf("the firmware's carve-out could not be set back from '%s' to '%s'; the files fit either. "
			    "'strix-provision apply' goes on from there; 'strix-provision firmware uma SIZE' sets it back",
			    a->after, a->before);
}

/* --- by itself ------------------------------------------------------------------------------------------------------ */

/* A carve-out may leave less memory than what was applied lets the GPU have: then both must change together. */
static int check_sizes(const struct sp_firmware *fw, const struct sp_applied *applied, struct sp_error **err)
{
	const struct sp_size_input in = {
		.mem_total_kib = sp_fact_num(fw->facts, SP_FACT_MEM_TOTAL_KIB),
		.carve_out_kib = sp_fact_num(fw->facts, SP_FACT_VRAM_BYTES) / 1024,
		.next_carve_out_kib = fw->gate.carve_out_mib * 1024,
		.gtt_mib = applied->gtt_mib,
	};
	struct sp_sizes sizes = { 0 };

	if (!applied->gtt_mib || sp_sizes_compute(&in, &sizes, NULL) == 0) {
		sp_sizes_clear(&sizes);
		return 0;
	}
	sp_autofree char *argument = sp_uma_argument(fw->gate.carve_out_mib);
	(void) sp_error_set(err, -ERANGE, "the sizes that are applied (%" PRIu64 " MiB for the GPU) do not fit beside a carve-out "
			    "of %" PRIu64 " MiB", applied->gtt_mib, fw->gate.carve_out_mib);
	(void) sp_error_exit(err, SP_EXIT_CONFLICT);
	return sp_error_hint(err, "strix-provision apply --uma %s changes both together", argument);
}

static json_t *about_firmware(const struct sp_firmware *fw, const struct sp_state *st)
{
	const struct sp_uma_source *source = fw->carveout.source;
	sp_autofree char *from = sp_uma_shown(source, source->value), *to = sp_uma_shown(source, fw->gate.write->text);
	sp_autofree char *text = sp_xasprintf("carve-out from %s to %s", from, to);
	json_t *about = sp_about("firmware", text, fw->facts, &st->applied);

	if (st->was.txn)
		(void) json_object_set_new(about, "was", sp_applied_to_json(&st->was));
	return about;
}

static int set_locked(const struct sp_session *s, struct sp_store *store, const struct sp_firmware *fw,
		      const struct sp_reach *reach, struct sp_result *ret, struct sp_error **err)
{
	const struct sp_uma_source *source = fw->carveout.source;
	const struct sp_attribute a = { source->path, source->value, fw->gate.write->text, !fw->gate.shrinks };
	const struct sp_edits none = { 0 };
	sp_autostate struct sp_state st = { 0 };
	int r = sp_state_read(s, &st, err);

	if (r == 0)
		r = check_sizes(fw, &st.applied, err);
	if (r < 0)
		return r;
	json_t *about = about_firmware(fw, &st);
	const struct sp_job job = { .about = about, .edits = &none, .attribute = &a, .access = &reach->access };
	r = sp_commit(s, store, &job, &ret->txn, &ret->warnings, err);
	json_decref(about);
	if (r < 0)
		return r;
	ret->changed = ret->reboot_required = true;
	ret->unfinished = sp_store_interrupted(store);
	return 0;
}

int sp_firmware_set(const struct sp_session *s, const struct sp_firmware *fw, struct sp_result *ret, struct sp_error **err)
{
	sp_autoreach struct sp_reach reach = { 0 };
	struct sp_store *store = NULL;
	int r = sp_reach_firmware(s, &fw->carveout, &reach, err);

	if (r < 0)
		return r;
	sp_hold_signals();
	r = sp_store_open(s->root, true, &store, err);
	if (r == 0)
		r = set_locked(s, store, fw, &reach, ret, err);
	sp_store_close(store);
	return r;
}
