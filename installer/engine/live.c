/* SPDX-License-Identifier: MIT */
/*
 * Values of the running system that can be changed without a reboot (sysctl,
 * transparent huge pages). Their old values are recorded, and put back by
 * rollback where ours still stand.
 */
#include <errno.h>

#include "base/durable.h"
#include "engine/internal.h"

bool sp_session_is_live(const struct sp_session *s, const struct sp_facts *facts)
{
	return s->live && sp_root_is_host(s->root) && sp_root_is_host(s->machine) &&
	       sp_fact_known(facts, SP_FACT_CHROOT) && sp_fact_num(facts, SP_FACT_CHROOT) == 0;
}

const struct sp_root *sp_session_system(const struct sp_session *s)
{
	struct stat root, machine;

	if (sp_root_is_host(s->root) && sp_root_is_host(s->machine))
		return s->live ? s->machine : NULL;
	if (sp_root_stat(s->root, "/", &root) < 0 || sp_root_stat(s->machine, "/", &machine) < 0)
		return NULL;
	return root.st_dev == machine.st_dev && root.st_ino == machine.st_ino ? s->machine : NULL;
}

int sp_live_read(const struct sp_root *machine, const char *path, bool bracket, char **ret)
{
	sp_autofree char *line = NULL;
	int r = sp_root_read_line(machine, path, &line);

	if (r < 0)
		return r;
	char *open = bracket ? strchr(line, '[') : NULL, *close = open ? strchr(open, ']') : NULL;
	if (close) {
		*close = '\0';
		*ret = sp_xstrdup(open + 1);
	} else {
		*ret = sp_xstrdup(sp_strip(line));
	}
	return 0;
}

static const struct sp_applied_setting *by_path(const struct sp_applied *a, const char *path)
{
	for (size_t i = 0; i < a->n_settings; i++)
		if (sp_streq(a->settings[i].live, path))
			return &a->settings[i];
	return NULL;
}

static const struct sp_applied_live *find_live(const struct sp_applied *a, const char *path)
{
	for (size_t i = 0; i < a->n_live; i++)
		if (sp_streq(a->live[i].path, path))
			return &a->live[i];
	return NULL;
}

static void add_live(struct sp_applied *a, const char *path, const char *before, const char *after)
{
	a->live = sp_xrealloc(a->live, a->n_live + 1, sizeof(*a->live));
	a->live[a->n_live++] = (struct sp_applied_live){ sp_xstrdup(path), sp_xstrdup(before), sp_xstrdup(after) };
}

/* What an earlier apply set and this one leaves out goes back, where it still is what was set. */
static void plan_put_back(const struct sp_session *s, const struct sp_applied *then, struct sp_applied *next)
{
	for (size_t i = 0; i < then->n_live; i++) {
		const struct sp_applied_live *l = &then->live[i];
		sp_autofree char *now = NULL;
		if (!find_live(next, l->path) && !sp_streq(l->before, l->after) &&
		    sp_live_read(s->machine, l->path, true, &now) == 0 && sp_streq(now, l->after))
			add_live(next, l->path, l->before, l->before);
	}
}

void sp_live_plan(const struct sp_session *s, const struct sp_plan *plan, struct sp_applied *next)
{
	if (!sp_session_is_live(s, plan->facts))
		return;
	for (size_t i = 0; i < plan->n_decisions; i++) {
		const struct sp_decision *d = &plan->decisions[i];
		const struct sp_applied_setting *a = NULL;
		sp_autofree char *now = NULL;
		for (size_t k = 0; k < next->n_settings; k++)
			if (sp_streq(next->settings[k].id, d->setting->id))
				a = &next->settings[k];
		if (!a || !a->live || !d->ours || !d->setting->live_set ||
		    sp_live_read(s->machine, a->live, a->live_bracket, &now) < 0)
			continue;
		/* The value before the first of our applies: what a chain of them displaced is what rollback puts back. */
		const struct sp_applied_live *earlier = find_live(&plan->applied, a->live);
		if (!earlier && sp_streq(now, d->value))
			continue; /* nothing to set, nothing to put back */
		add_live(next, a->live, earlier ? earlier->before : now, d->value);
	}
	plan_put_back(s, &plan->applied, next);
}

static void set_one(const struct sp_session *s, const char *path, bool bracket, const char *value,
		    struct sp_strv *warnings)
{
	sp_autofree char *now = NULL;
	int r = sp_durable_poke(s->machine, path, value);

	if (r == 0)
		r = sp_live_read(s->machine, path, bracket, &now);
	if (r < 0)
		sp_strv_addf(warnings, "cannot set '%s' to %s now: %s; the next boot will", path, value, strerror(-r));
	else if (!sp_streq(now, value))
		sp_strv_addf(warnings, "'%s' was set to %s, but reads %s", path, value, now);
}

void sp_live_set(const struct sp_session *s, const struct sp_applied *a, bool restore, struct sp_strv *warnings)
{
	for (size_t i = 0; i < a->n_live; i++) {
		const struct sp_applied_live *l = &a->live[i];
		const struct sp_applied_setting *setting = by_path(a, l->path);
		const bool bracket = !setting || setting->live_bracket; /* one without brackets is read as it is */
		sp_autofree char *now = NULL;
		if (sp_live_read(s->machine, l->path, bracket, &now) < 0)
			now = NULL;
		if (sp_streq(now, restore ? l->before : l->after))
			continue;
		if (restore && !sp_streq(now, l->after))
			continue; /* somebody set it since: theirs stays */
		set_one(s, l->path, bracket, restore ? l->before : l->after, warnings);
	}
}
