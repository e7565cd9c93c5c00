/* SPDX-License-Identifier: MIT */
/* apply --trial: may it be tried, the extra entry as one transaction, then the loader's choice; and what became of it. */
#include <errno.h>
#include <inttypes.h>

#include "engine/trial.h"

#define KEY	   "strix.trial"
#define PANIC	   "panic=30" /* seconds; the kernel restarts by itself then, and the default comes up */
#define KEXEC_SIGN "/sys/kernel/kexec_loaded"
enum { LOADER_EXTRA = 64 }; /* BOOT_IMAGE= and a device */

/* --- what became of it --------------------------------------------------------------------------------------------- */

static bool is_running(const struct sp_facts *f, const struct sp_trial *t)
{
	const char *line = sp_fact_text(f, SP_FACT_CMDLINE);
	sp_autofree char *value = line ? sp_cmdline_value(line, KEY) : NULL;
	sp_autofree char *id = sp_xasprintf("%" PRIu64, t->txn);

	return sp_streq(value, id);
}

static char *tell(const struct sp_trial *t, const struct sp_trial_signs *signs, enum sp_trial_state state)
{
	if (state == SP_TRIAL_FAILED)
		return sp_xstrdup("the machine was started again, and not by the trial's entry, or it did not come up with it");
	if (state == SP_TRIAL_RUNNING && signs->armed)
		return sp_xstrdup("the boot loader has not forgotten its choice, and would start the trial again");
	if (state == SP_TRIAL_ARMED && !signs->same_boot)
		return sp_xasprintf("the machine was started since, and '%s' is still chosen for the next start", t->entry);
	return NULL;
}

int sp_trial_look(const struct sp_session *s, const struct sp_trial *t, enum sp_trial_state *ret, char **why,
		  struct sp_error **err)
{
	sp_autofacts struct sp_facts *facts = NULL;
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autofree char *chosen = NULL;
	struct sp_trial_signs signs = { 0 };
	int r = t->open ? sp_facts_read(s->root, s->machine, &facts, err) : 0;

	*ret = SP_TRIAL_IDLE;
	if (r < 0 || !t->open)
		return r;
	signs.running = is_running(facts, t);
	signs.same_boot = sp_streq(sp_fact_text(facts, SP_FACT_BOOT_ID), t->boot_id);
	r = sp_boot_read(s->root, sp_session_system(s), t->setup, &boot, err);
	if (r == 0)
		r = sp_once_get(s, boot, &chosen, err);
	if (r < 0)
		return r;
	signs.armed = sp_streq(chosen, t->id);
	*ret = sp_trial_judge(t, &signs);
	if (why)
		*why = tell(t, &signs, *ret);
	return 0;
}

/* --- may it be tried? ---------------------------------------------------------------------------------------------- */

static int refuse(int code, enum sp_exit exit, const char *hint, struct sp_error **err, const char *message)
{
	(void) sp_error_set(err, code, "%s", message);
	(void) sp_error_exit(err, exit);
	return sp_error_hint(err, "%s", hint);
}

static bool kexec_waits(const struct sp_session *s)
{
	sp_autofree char *value = NULL;

	return sp_root_read_line(s->machine, KEXEC_SIGN, &value) == 0 && sp_streq(sp_strip(value), "1");
}

static int check_loader(const struct sp_session *s, const struct sp_plan *p, struct sp_error **err)
{
	static const char way_out[] = "without --trial, apply leaves the old line in the menu under the kernels that keep it";
	const struct sp_once_ops *once = p->boot->ops->once;
	sp_autofree char *why = NULL;

	if (!once) {
		sp_autofree char *text = sp_xasprintf("%s is not told to start an entry once", p->boot->ops->title);
		return refuse(-ENOTSUP, SP_EXIT_UNSUPPORTED, way_out, err, text);
	}
	int r = once->refusal(s->root, p->boot, s->live, &why, err);
	if (r < 0 || !why)
		return r;
	sp_autofree char *text = sp_xasprintf("a trial is not safe here: %s", why);
	return refuse(-ENOTSUP, SP_EXIT_UNSUPPORTED, way_out, err, text);
}

static int check_choice(const struct sp_session *s, const struct sp_plan *p, char **before, struct sp_error **err)
{
	int r = sp_once_get(s, p->boot, before, err);

	if (r < 0 || !*before || !**before)
		return r;
	sp_autofree char *text = sp_xasprintf("the boot loader is already to start '%s' next", *before);
	return refuse(-EBUSY, SP_EXIT_CONFLICT, "restart first, or take that choice back", err, text);
}

static int check_all(const struct sp_session *s, const struct sp_plan *p, char **before, struct sp_error **err)
{
	const struct sp_entry *e = p->boot ? sp_boot_default(p->boot) : NULL;

	if (!sp_session_system(s))
		return refuse(-EINVAL, SP_EXIT_USAGE, "leave --trial out", err, "--trial is for the system that runs");
	if (p->gate.write)
		return refuse(-EINVAL, SP_EXIT_USAGE, "set the carve-out first: strix-provision firmware uma SIZE", err,
			      "the firmware's carve-out cannot be tried for one start");
	if (!sp_plan_changes_line(p))
		return refuse(-EINVAL, SP_EXIT_USAGE, "leave --trial out", err,
			      "no boot argument would change, so there is nothing to try at a start");
	int r = p->boot ? check_loader(s, p, err) : 0;
	if (r < 0)
		return r;
	if (!e || !e->ours || e->rescue || !e->linux_path)
		return refuse(-ENOTSUP, SP_EXIT_UNSUPPORTED, "choose one of this system's with the boot loader's own tool", err,
			      "the entry that boots by default is not one of this system's");
	if (kexec_waits(s))
		return refuse(-EBUSY, SP_EXIT_CONFLICT, "unload it: kexec -u", err,
			      "a kernel is loaded for kexec, and a restart by it would pass the boot loader by");
	return check_choice(s, p, before, err);
}

/* --- the entry ------------------------------------------------------------------------------------------------------- */

/* The line of the default entry as apply would leave it, and what makes it a trial. */
static int make_line(const struct sp_session *s, const struct sp_plan *p, const struct sp_entry *e, uint64_t id, char **ret,
		     struct sp_error **err)
{
	const struct sp_owned *o = sp_owned_find(&p->applied.owned, e->path, NULL);
	sp_autotokens struct sp_tokens to = { 0 };
	sp_autotransition struct sp_transition t = { 0 };
	sp_autofree char *mark = sp_xasprintf(KEY "=%" PRIu64, id);

	sp_wanted_tokens(p, &to);
	sp_tokens_add(&to, mark, NULL);
	sp_tokens_add(&to, PANIC, NULL);
	if (sp_root_exists(s->root, "/usr/bin/dracut")) { /* its emergency shell would wait for somebody */
		sp_tokens_add(&to, "rd.shell=0", NULL);
		sp_tokens_add(&to, "rd.emergency=reboot", NULL);
	}
	sp_cmdline_transition(e->line, o ? &o->tokens : &p->applied.common, &to, &t);
	const size_t n = strlen(t.line) + strlen(e->linux_path) + LOADER_EXTRA;
	if (n >= SP_CMDLINE_MAX)
		return sp_error_set(err, -E2BIG, "the trial's command line would be %zu bytes long, and a kernel reads %zu", n,
				    SP_CMDLINE_MAX - 1);
	*ret = sp_steal(t.line);
	return 0;
}

static char *title_of(const struct sp_entry *e)
{
	return sp_xasprintf("%s (strix-provision trial)", e->title ? e->title : e->id);
}

/* The default must be the one that it was. */
static int check_menu(const struct sp_session *s, const void *data, struct sp_error **err)
{
	const struct sp_boot *before = data;
	const struct sp_entry *then = sp_boot_default(before);
	sp_autoboot struct sp_boot *boot = NULL;
	int r = sp_boot_read(s->root, sp_session_system(s), before->ops->name, &boot, err);
	const struct sp_entry *now = r == 0 ? sp_boot_default(boot) : NULL;

	if (r < 0 || (now && sp_streq(now->id, then->id) && sp_streq(now->line, then->line)))
		return r;
	return sp_error_set(err, -EBADMSG, "the trial's entry would become the default");
}

struct making {
	const struct sp_session *s;
	const struct sp_plan *p;
	struct sp_store *store;
	struct sp_trial trial;
};

static int add_entry(struct making *m, struct sp_result *ret, struct sp_error **err)
{
	const struct sp_entry *e = sp_boot_default(m->p->boot);
	const struct sp_once_ops *once = m->p->boot->ops->once;
	static const struct sp_applied none;
	sp_autoedits struct sp_edits edits = { 0 };
	sp_autofree char *line = NULL, *title = title_of(e), *text = sp_xasprintf("the new line once, beside '%s'", e->id);
	int r = make_line(m->s, m->p, e, m->trial.txn, &line, err);
	const struct sp_extra extra = { .name = "trial", .title = title, .like = e, .line = line };

	if (r == 0)
		r = once->put(m->s->root, m->p->boot, &extra, 1, &edits, err);
	if (r < 0)
		return r;
	m->trial.entry = sp_xstrdup(title);
	m->trial.id = once->id(m->p->boot, &extra);
	json_t *about = sp_about("trial", text, m->p->facts, &none);
	json_object_set_new(about, "trial", sp_trial_to_json(&m->trial));
	const struct sp_job job = { .about = about, .edits = &edits, .boot = m->p->boot, .check = check_menu,
				    .check_data = m->p->boot };
	r = sp_commit(m->s, m->store, &job, &ret->txn, &ret->warnings, err);
	json_decref(about);
	return r;
}

/* Not armed, it is taken out again: nothing is left that a person would have to know of. */
static int arm(struct making *m, struct sp_result *ret, struct sp_error **err)
{
	sp_autoerror struct sp_error *late = NULL;
	int r = sp_once_set(m->s, m->p->boot, m->trial.id, err);

	if (r == 0)
		return 0;
	if (sp_trial_end(m->s, m->store, &m->trial, "failed", (*err)->message, ret, &late) < 0)
		(void) sp_error_wrap(err, "%s; then", late->message);
	ret->txn = 0;
	return sp_error_wrap(err, "the boot loader could not be told to start the trial once");
}

static int begin_locked(struct making *m, struct sp_result *ret, struct sp_error **err)
{
	int r = sp_store_lock_packages(m->store, (unsigned) m->p->package_manager_wait, err);

	if (r == 0)
		r = sp_check_fresh(m->s, m->p, err);
	if (r == 0)
		r = sp_store_next_id(m->store, &m->trial.txn, err);
	if (r == 0)
		r = add_entry(m, ret, err);
	if (r < 0)
		return r;
	ret->changed = true;
	ret->unfinished = sp_store_interrupted(m->store);
	if (ret->unfinished)
		return 0; /* and is not armed: confirm takes the entry out again */
	r = arm(m, ret, err);
	if (r < 0)
		return r;
	ret->reboot_required = true;
	ret->trial = sp_xstrdup(m->trial.entry);
	return 0;
}

int sp_trial_begin(const struct sp_session *s, const struct sp_plan *p, struct sp_result *ret, struct sp_error **err)
{
	struct making m = { .s = s, .p = p };
	int r = check_all(s, p, &m.trial.before, err);

	if (r == 0) {
		m.trial.open = true;
		m.trial.boot_id = sp_xstrdup(sp_fact_text(p->facts, SP_FACT_BOOT_ID));
		m.trial.setup = sp_xstrdup(p->boot->ops->name);
		m.trial.next = p->next; /* a view */
		sp_hold_signals();
		r = sp_store_open(s->root, true, &m.store, err);
	}
	if (r == 0)
		r = begin_locked(&m, ret, err);
	sp_store_close(m.store);
	m.trial.next = (struct sp_applied){ 0 };
	sp_trial_clear(&m.trial);
	return r;
}
