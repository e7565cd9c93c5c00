/* SPDX-License-Identifier: MIT */
/* sysctl.d, modprobe.d and environment.d: the files of ours there. */
#include <errno.h>

#include "engine/internal.h"

static const char *const sysctl_dirs[] = { "/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d",
					   "/usr/lib/sysctl.d", "/lib/sysctl.d", NULL };
static const char *const modprobe_dirs[] = { "/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
					     "/usr/lib/modprobe.d", "/lib/modprobe.d", NULL };
static const char *const environment_dirs[] = { "/etc/environment.d", "/run/environment.d",
						"/usr/local/lib/environment.d", "/usr/lib/environment.d", NULL };

static const struct sp_dropin_kind kinds[] = {
	{ SP_DEST_SYSCTL, "/etc/sysctl.d/99-zz-strix-provision.conf", sysctl_dirs, sp_sysctl_parse, sp_sysctl_render },
	{ SP_DEST_MODPROBE, "/etc/modprobe.d/zz-strix-provision.conf", modprobe_dirs, sp_modprobe_parse, sp_modprobe_render },
	{ SP_DEST_ENVIRONMENT, "/etc/environment.d/zz-strix-provision.conf", environment_dirs, sp_environment_parse,
	  sp_environment_render },
};

const struct sp_dropin_kind *sp_dropin_kind(enum sp_dest dest)
{
	for (size_t i = 0; i < SP_ELEMENTS(kinds); i++)
		if (kinds[i].dest == dest)
			return &kinds[i];
	return NULL;
}

/* --- the files that are ours ----------------------------------------------------------------------------------- */

static bool satisfies(enum sp_rule rule, const char *have, const char *want)
{
	uint64_t h = 0, w = 0;

	if (rule == SP_RULE_SET || !have || sp_parse_u64(have, &h) < 0 || sp_parse_u64(want, &w) < 0)
		return false;
	return rule == SP_RULE_AT_LEAST ? h >= w : h <= w;
}

/* A limit that the system keeps without us is not written: it would be lowered (or raised) by us one day. */
static void drop_satisfied(const struct sp_dropins *dropins, struct sp_decision *d)
{
	sp_autoeffective struct sp_effective e = { 0 };

	if (d->setting->rule == SP_RULE_SET)
		return;
	sp_dropins_effective(dropins, d->key, false, &e);
	if (!satisfies(d->setting->rule, e.value, d->value))
		return;
	d->ours = false;
	d->state = SP_DECIDE_OK;
	free(d->reason);
	d->reason = sp_xasprintf("%s:%u already sets %s", e.path, e.line, e.value);
}

static void note_shadow(const struct sp_dropins *dropins, struct sp_decision *d)
{
	sp_autoeffective struct sp_effective e = { 0 };

	sp_dropins_effective(dropins, d->key, true, &e);
	if (!e.path || sp_streq(e.value, d->value) || satisfies(d->setting->rule, e.value, d->value))
		return;
	free(d->reason);
	d->state = SP_DECIDE_SHADOWED;
	d->reason = sp_xasprintf("%s:%u sets it to %s and is read after ours", e.path, e.line, e.value);
}

/* Already in our file with this value? */
static bool stands_in(const struct sp_dropin_kind *kind, const struct sp_buf *file, const struct sp_decision *d)
{
	sp_autoassigns struct sp_assigns a = { 0 };

	kind->parse(file, &a);
	for (size_t i = 0; i < a.n; i++)
		if (sp_streq(a.v[i].key, d->key) && sp_streq(a.v[i].value, d->value))
			return true;
	return false;
}

int sp_plan_whole_file(const struct sp_session *s, struct sp_plan *p, const char *path, const struct sp_buf *text,
		       struct sp_edit **ret, struct sp_error **err)
{
	const struct sp_owned *owned = sp_owned_find(&p->applied.owned, path, NULL);
	struct sp_note note = { .whole = true };
	struct sp_edit *e = NULL;
	int r = sp_edits_add(&p->edits, s->root, path, text->len ? text : NULL, &e, err);

	if (r < 0)
		return r;
	if (!sp_streq(e->path, path))
		return sp_error_set(err, -ELOOP, "'%s' is a symbolic link; it must be a file of its own", path);
	e->note = sp_note_to_json(&note);
	bool unchanged = owned && owned->text && e->before.exists && e->before.bytes.len == strlen(owned->text) &&
			 memcmp(e->before.bytes.data, owned->text, e->before.bytes.len) == 0;
	if (e->before.exists && !unchanged && e->op != SP_OP_KEEP)
		sp_strv_addf(&p->conflicts, "'%s' %s", path,
			     owned ? "was edited by hand" : "is there, but not from an apply that is recorded here");
	sp_owned_set_whole(&p->next.owned, path, text->len ? text->data : NULL);
	*ret = e;
	return 0;
}

static int plan_kind(const struct sp_session *s, struct sp_plan *p, const struct sp_dropin_kind *kind,
		     struct sp_error **err)
{
	sp_autofree struct sp_dropin_line *lines = sp_xcalloc(p->n_decisions, sizeof(*lines));
	sp_autobuf struct sp_buf text = { 0 };
	sp_autodropins struct sp_dropins others = { 0 };
	struct sp_edit *e = NULL;
	size_t n = 0;

	sp_dropins_read(s->root, kind, &others);
	for (size_t i = 0; i < p->n_decisions; i++) {
		struct sp_decision *d = &p->decisions[i];
		if (d->setting->dest != kind->dest || !d->ours)
			continue;
		drop_satisfied(&others, d);
		if (d->ours)
			lines[n++] = (struct sp_dropin_line){ d->setting->id, d->setting->summary, d->key, d->value };
	}
	kind->render(lines, n, &text);
	int r = sp_plan_whole_file(s, p, kind->path, &text, &e, err);
	for (size_t i = 0; i < p->n_decisions && r == 0; i++) {
		struct sp_decision *d = &p->decisions[i];
		if (d->setting->dest != kind->dest || !d->ours)
			continue;
		if (e->before.exists && stands_in(kind, &e->before.bytes, d))
			d->state = SP_DECIDE_OK;
		note_shadow(&others, d);
	}
	return r;
}

int sp_plan_dropins(const struct sp_session *s, struct sp_plan *p, struct sp_error **err)
{
	int r = 0;

	for (size_t i = 0; i < SP_ELEMENTS(kinds) && r == 0; i++)
		r = plan_kind(s, p, &kinds[i], err);
	return r;
}
