/* SPDX-License-Identifier: MIT */
/* The command line: on disk, in every boot entry, and as the running kernel got it. */
#include "engine/check.h"

/* How a token stands on one line, as a sentence; NULL when it is as it should be. Owned. */
static char *complaint(const char *line, const char *token, const char *key, const char *where)
{
	sp_autofree char *value = sp_cmdline_value(line, key);

	switch (sp_cmdline_presence(line, token)) {
	case SP_PRESENT:
	case SP_EFFECTIVE:
		return NULL;
	case SP_OVERRIDDEN:
		return sp_xasprintf("%s: a later '%s=%s' wins", where, key, value ? value : "");
	case SP_OTHER:
		return sp_xasprintf("%s: it was changed to '%s=%s'", where, key, value ? value : "");
	case SP_ABSENT:
		break;
	}
	return sp_xasprintf("%s: it is not there", where);
}

static char *actual_value(const char *line, const char *key)
{
	sp_autofree char *value = line ? sp_cmdline_value(line, key) : NULL;

	return sp_xstrdup(value ? value : "absent");
}

static void check_disk(struct sp_verifier *v, const struct sp_applied_setting *s, const char *token)
{
	size_t seen = 0;

	for (size_t i = 0; i < v->boot->n_places; i++) {
		const struct sp_place *p = &v->boot->places[i];
		if (p->role == SP_PLACE_ENTRY || p->skip || p->only_remove || !p->exists)
			continue;
		char *why = complaint(p->line ? p->line : "", token, s->key, p->path);
		seen++;
		if (!why)
			continue;
		sp_check_add(v, s, SP_LAYER_DISK, s->value, actual_value(p->line, s->key), SP_CHECK_FAIL, why);
		return;
	}
	if (seen)
		sp_check_add(v, s, SP_LAYER_DISK, s->value, sp_xstrdup(s->value), SP_CHECK_OK, NULL);
}

static void check_entries(struct sp_verifier *v, const struct sp_applied_setting *s, const char *token)
{
	size_t good = 0;

	for (size_t i = 0; i < v->boot->n_entries; i++) {
		const struct sp_entry *e = &v->boot->entries[i];
		if (!e->ours || e->rescue)
			continue;
		char *why = complaint(e->line, token, s->key, e->path);
		good++;
		if (!why)
			continue;
		sp_check_add(v, s, SP_LAYER_ENTRY, s->value, actual_value(e->line, s->key), SP_CHECK_FAIL, why);
		return;
	}
	sp_check_add(v, s, SP_LAYER_ENTRY, s->value, good ? sp_xstrdup(s->value) : NULL, good ? SP_CHECK_OK : SP_CHECK_FAIL,
		     good ? NULL : sp_xstrdup("there is no boot entry of this system"));
}

/* Does any entry of this system have the token? Then the running kernel was started in another way. */
static bool in_some_entry(const struct sp_verifier *v, const char *token)
{
	for (size_t i = 0; v->boot && i < v->boot->n_entries; i++) {
		const struct sp_entry *e = &v->boot->entries[i];
		enum sp_presence p = sp_cmdline_presence(e->line, token);
		if (e->ours && !e->rescue && (p == SP_PRESENT || p == SP_EFFECTIVE))
			return true;
	}
	return false;
}

static void check_cmdline(struct sp_verifier *v, const struct sp_applied_setting *s, const char *token)
{
	const char *line = sp_fact_text(v->facts, SP_FACT_CMDLINE);
	char *why = line ? complaint(line, token, s->key, "/proc/cmdline") : NULL;

	if (!line) {
		const char *reason = v->facts->v[SP_FACT_CMDLINE].why;
		sp_check_add(v, s, SP_LAYER_CMDLINE, s->value, NULL, SP_CHECK_SKIPPED,
			     sp_xasprintf("/proc/cmdline: %s", reason ? reason : "unknown"));
	} else if (!why) {
		sp_check_add(v, s, SP_LAYER_CMDLINE, s->value, sp_xstrdup(s->value), SP_CHECK_OK, NULL);
	} else if (v->same_boot) {
		free(why);
		sp_check_add(v, s, SP_LAYER_CMDLINE, s->value, actual_value(line, s->key), SP_CHECK_PENDING,
			     sp_xstrdup("not rebooted since apply"));
	} else {
		if (sp_cmdline_presence(line, token) == SP_ABSENT && in_some_entry(v, token)) {
			free(why);
			why = sp_xstrdup("the entries have it, but another entry or a line edited in the menu was booted");
		}
		sp_check_add(v, s, SP_LAYER_CMDLINE, s->value, actual_value(line, s->key), SP_CHECK_FAIL, why);
	}
}

void sp_check_line(struct sp_verifier *v, const struct sp_applied_setting *s)
{
	sp_autofree char *token = sp_xasprintf("%s=%s", s->key, s->value);

	if (v->boot) {
		check_disk(v, s, token);
		check_entries(v, s, token);
	} else {
		sp_check_add(v, s, SP_LAYER_ENTRY, s->value, NULL, SP_CHECK_SKIPPED, sp_xstrdup(v->boot_why));
	}
	check_cmdline(v, s, token);
}

/* --- after a rollback -------------------------------------------------------------------------------------------- */

static bool is_on(const char *line, const char *token)
{
	enum sp_presence p = line ? sp_cmdline_presence(line, token) : SP_ABSENT;

	return p == SP_PRESENT || p == SP_EFFECTIVE || p == SP_OVERRIDDEN;
}

/* Was it ours there? Where it stood before us it stands again, and rightly. */
static bool was_ours(const struct sp_verifier *v, const struct sp_entry *e, const char *key)
{
	const struct sp_owned *o = sp_owned_find(&v->applied->owned, e->path, NULL);

	return sp_tokens_find(o ? &o->tokens : &v->applied->common, key) != NULL;
}

static void gone_from_line(struct sp_verifier *v, const struct sp_applied_setting *s, const char *token)
{
	const char *line = sp_fact_text(v->facts, SP_FACT_CMDLINE);

	for (size_t i = 0; v->boot && i < v->boot->n_entries; i++) {
		const struct sp_entry *e = &v->boot->entries[i];
		if (!e->ours || e->rescue || !is_on(e->line, token) || !was_ours(v, e, s->key))
			continue;
		sp_check_add(v, s, SP_LAYER_ENTRY, "absent", sp_xstrdup(s->value), SP_CHECK_FAIL,
			     sp_xasprintf("%s still has '%s'", e->path, token));
		return;
	}
	sp_check_add(v, s, SP_LAYER_ENTRY, "absent", sp_xstrdup("absent"), SP_CHECK_OK, NULL);
	if (!is_on(line, token))
		sp_check_add(v, s, SP_LAYER_CMDLINE, "absent", sp_xstrdup("absent"), SP_CHECK_OK, NULL);
	else if (in_some_entry(v, token))
		sp_check_add(v, s, SP_LAYER_CMDLINE, "as before", sp_xstrdup(s->value), SP_CHECK_OK, NULL);
	else if (v->same_boot)
		sp_check_add(v, s, SP_LAYER_CMDLINE, "absent", sp_xstrdup(s->value), SP_CHECK_PENDING,
			     sp_xstrdup("not rebooted since rollback"));
	else
		sp_check_add(v, s, SP_LAYER_CMDLINE, "absent", sp_xstrdup(s->value), SP_CHECK_FAIL,
			     sp_xasprintf("/proc/cmdline still has '%s'", token));
}

void sp_check_gone(struct sp_verifier *v, const struct sp_applied_setting *s)
{
	const struct sp_dropin_kind *kind = sp_dropin_kind(s->dest);
	sp_autofree char *token = sp_xasprintf("%s=%s", s->key, s->value);

	if (!s->ours)
		return;
	if (!kind)
		gone_from_line(v, s, token);
	else if (sp_root_exists(v->s->root, kind->path))
		sp_check_add(v, s, SP_LAYER_DISK, "absent", sp_xstrdup(kind->path), SP_CHECK_FAIL,
			     sp_xasprintf("'%s' is still there", kind->path));
	else
		sp_check_add(v, s, SP_LAYER_DISK, "absent", sp_xstrdup("absent"), SP_CHECK_OK, NULL);
}
