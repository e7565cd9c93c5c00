/* SPDX-License-Identifier: MIT */
/*
 * The way back: an entry "before strix-provision" with the old line of the entry that boots by default. An apply leaves
 * it in the menu, and confirm takes it out when the new line has proved good.
 */
#include <errno.h>

#include "engine/internal.h"

bool sp_plan_changes_line(const struct sp_plan *p)
{
	for (size_t i = 0; i < p->n_decisions; i++)
		if (p->decisions[i].setting->dest == SP_DEST_CMDLINE && p->decisions[i].state == SP_DECIDE_CHANGE)
			return true;
	return false;
}

/* GRUB and systemd-boot know paths from the top of their partition. */
static bool kernel_is_there(const struct sp_root *root, const char *kernel)
{
	static const char *const tops[] = { "", "/boot", "/efi", "/boot/efi" };

	for (size_t i = 0; i < SP_ELEMENTS(tops); i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", tops[i], kernel);

		if (sp_root_exists(root, path))
			return true;
	}
	return false;
}

static char *old_line(const struct sp_plan *p, const struct sp_entry *e)
{
	static const struct sp_tokens none;
	sp_autotokens struct sp_tokens to = { 0 };
	sp_autotransition struct sp_transition t = { 0 };

	for (size_t i = 0; i < p->n_decisions; i++) {
		const struct sp_decision *d = &p->decisions[i];
		sp_autofree char *has = d->key ? sp_cmdline_value(e->line, d->key) : NULL;
		sp_autofree char *token = d->key ? sp_xasprintf("%s=%s", d->key, d->setting->neutral) : NULL;
		if (d->ours && d->setting->neutral && !has)
			sp_tokens_add(&to, token, NULL);
	}
	sp_cmdline_transition(e->line, &none, &to, &t);
	return sp_steal(t.line);
}

static int plan_it(const struct sp_session *s, struct sp_plan *p, const struct sp_entry *e, struct sp_error **err)
{
	const struct sp_once_ops *once = p->boot->ops->once;
	sp_autofree char *kernel = NULL, *title = NULL, *line = NULL;
	int r = once->find(s->root, p->boot, SP_FALLBACK, &kernel, err);

	if (r < 0 || (kernel && kernel_is_there(s->root, kernel)))
		return r;
	struct sp_extra extra = { .name = SP_FALLBACK };
	if (sp_plan_changes_line(p) && !s->promotes) {
		line = old_line(p, e);
		title = sp_xasprintf("%s (before strix-provision)", e->title ? e->title : e->id);
		extra = (struct sp_extra){ .name = SP_FALLBACK, .title = title, .like = e, .line = line };
	}
	return extra.like || kernel ? once->put(s->root, p->boot, &extra, 1, &p->edits, err) : 0;
}

void sp_fallback_plan(const struct sp_session *s, struct sp_plan *p)
{
	const struct sp_once_ops *once = p->boot ? p->boot->ops->once : NULL;
	const struct sp_entry *e = once ? sp_boot_default(p->boot) : NULL;
	sp_autoerror struct sp_error *why = NULL;

	if (!e || !e->ours || e->rescue || !e->linux_path || !once->shows(s->root, p->boot))
		return;
	if (plan_it(s, p, e, &why) < 0)
		sp_strv_addf(&p->warnings, "the old line is not kept in the menu: %s", why->message);
}

/* --- when it is not needed any more --------------------------------------------------------------------------------- */

static int find(const struct sp_session *s, struct sp_boot **boot, char **kernel, struct sp_error **err)
{
	sp_autostate struct sp_state st = { 0 };
	int r = sp_state_read(s, &st, err);

	if (r < 0 || !st.applied.txn)
		return r;
	r = sp_boot_read(s->root, sp_session_system(s), st.applied.boot_setup, boot, err);
	if (r == 0 && (*boot)->ops->once)
		r = (*boot)->ops->once->find(s->root, *boot, SP_FALLBACK, kernel, err);
	return r;
}

bool sp_fallback_stands(const struct sp_session *s)
{
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autofree char *kernel = NULL;

	return find(s, &boot, &kernel, NULL) == 0 && kernel;
}

static int drop_locked(const struct sp_session *s, struct sp_store *store, struct sp_result *ret, struct sp_error **err)
{
	static const struct sp_extra extra = { .name = SP_FALLBACK };
	static const struct sp_applied none;
	sp_autoboot struct sp_boot *boot = NULL;
	sp_autoedits struct sp_edits edits = { 0 };
	sp_autofree char *kernel = NULL;
	int r = find(s, &boot, &kernel, err);

	if (r < 0 || !kernel)
		return r;
	r = boot->ops->once->put(s->root, boot, &extra, 1, &edits, err);
	if (r < 0)
		return r;
	json_t *about = sp_about("tidy", "takes the old line out of the menu", NULL, &none);
	const struct sp_job job = { .about = about, .edits = &edits, .boot = boot };
	r = sp_commit(s, store, &job, &ret->txn, &ret->warnings, err);
	json_decref(about);
	ret->changed = ret->changed || r == 0;
	ret->unfinished = sp_store_interrupted(store);
	return r;
}

int sp_fallback_drop(const struct sp_session *s, struct sp_result *ret, struct sp_error **err)
{
	struct sp_store *store = NULL;

	sp_hold_signals();
	int r = sp_store_open(s->root, true, &store, err);
	if (r == 0)
		r = drop_locked(s, store, ret, err);
	sp_store_close(store);
	sp_release_signals();
	return r;
}
