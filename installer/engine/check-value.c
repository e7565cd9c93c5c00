/* SPDX-License-Identifier: MIT */
/* Drop-in files, live values and measured effects. */
#include <errno.h>
#include <inttypes.h>

#include "engine/check.h"

/* --- disk: is it in our file, and does no later file undo it? ---------------------------------------------------- */

static char *value_in_own_file(const struct sp_root *root, const struct sp_dropin_kind *kind, const char *key, int *ret)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_autoassigns struct sp_assigns a = { 0 };

	*ret = sp_root_read(root, kind->path, SP_FILE_MAX, &file, NULL);
	if (*ret < 0)
		return NULL;
	kind->parse(&file, &a);
	for (size_t i = a.n; i > 0; i--)
		if (sp_streq(a.v[i - 1].key, key))
			return sp_xstrdup(a.v[i - 1].value);
	return NULL;
}

static bool reaches(const struct sp_applied_setting *s, const char *value)
{
	uint64_t have = 0, want = 0;

	if (sp_streq(value, s->value))
		return true;
	if (s->rule == SP_RULE_SET || !value || sp_parse_u64(value, &have) < 0 || sp_parse_u64(s->value, &want) < 0)
		return false;
	return s->rule == SP_RULE_AT_LEAST ? have >= want : have <= want;
}

static const struct sp_dropins *dropins_of(struct sp_verifier *v, const struct sp_dropin_kind *kind)
{
	struct sp_dropins *d = &v->dropins[kind->dest];

	if (!d->kind)
		sp_dropins_read(v->s->root, kind, d);
	return d;
}

void sp_check_dropin(struct sp_verifier *v, const struct sp_applied_setting *s)
{
	const struct sp_dropin_kind *kind = sp_dropin_kind(s->dest);
	sp_autoeffective struct sp_effective e = { 0 };
	int r = 0;
	char *actual = s->ours ? value_in_own_file(v->s->root, kind, s->key, &r) : NULL;

	sp_dropins_effective(dropins_of(v, kind), s->key, s->ours, &e);
	if (s->ours && r == -EACCES)
		sp_check_add(v, s, SP_LAYER_DISK, s->value, NULL, SP_CHECK_SKIPPED,
			     sp_xasprintf("%s: needs root to be read", kind->path));
	else if (s->ours && !sp_streq(actual, s->value))
		sp_check_add(v, s, SP_LAYER_DISK, s->value, actual ? sp_xstrdup(actual) : sp_xstrdup("absent"), SP_CHECK_FAIL,
			     sp_xasprintf(r == -ENOENT ? "%s was removed" : "%s was edited since apply", kind->path));
	else if (e.path && !reaches(s, e.value))
		sp_check_add(v, s, SP_LAYER_DISK, s->value, sp_xstrdup(e.value), SP_CHECK_FAIL,
			     sp_xasprintf("%s:%u sets it to %s and is read later", e.path, e.line, e.value));
	else if (!s->ours && !e.path)
		sp_check_add(v, s, SP_LAYER_DISK, s->value, sp_xstrdup("absent"), SP_CHECK_FAIL,
			     sp_xstrdup("the file that set it at apply no longer does; run apply again"));
	else
		sp_check_add(v, s, SP_LAYER_DISK, s->value, sp_xstrdup(actual ? actual : e.value), SP_CHECK_OK, NULL);
	free(actual);
}

/* --- live -------------------------------------------------------------------------------------------------------- */

static bool was_set_live(const struct sp_verifier *v, const char *path)
{
	for (size_t i = 0; i < v->applied->n_live; i++)
		if (sp_streq(v->applied->live[i].path, path))
			return true;
	return false;
}

static char *why_unreadable(const struct sp_verifier *v, const char *path, int r, enum sp_check_result *result)
{
	sp_autofree char *folder = sp_xstrdup(path);
	char *slash = strrchr(folder, '/');

	*result = SP_CHECK_SKIPPED;
	if (r == -EACCES || r == -EPERM)
		return sp_xasprintf("%s: needs root to be read", path);
	if (slash)
		*slash = '\0';
	if (r == -ENOENT && sp_startswith(path, "/sys/module/") && sp_root_exists(v->s->machine, folder)) {
		*result = SP_CHECK_FAIL;
		return sp_xasprintf("%s is not there: the kernel does not know the parameter and ignores it", path);
	}
	if (r == -ENOENT && sp_startswith(path, "/sys/module/"))
		return sp_xasprintf("%s is not there: the module is not loaded", path);
	return sp_xasprintf("%s: %s", path, strerror(-r));
}

void sp_check_live(struct sp_verifier *v, const struct sp_applied_setting *s)
{
	sp_autofree char *now = NULL;
	enum sp_check_result result = SP_CHECK_FAIL;

	if (!s->live)
		return;
	int r = sp_live_read(v->s->machine, s->live, s->live_bracket, &now);
	if (r == 0 && reaches(s, now)) {
		sp_check_add(v, s, SP_LAYER_LIVE, s->value, sp_steal(now), SP_CHECK_OK, NULL);
		return;
	}
	const char *waiting = sp_check_waiting(v, s);
	if (waiting && !was_set_live(v, s->live) && r != -EACCES) {
		sp_check_add(v, s, SP_LAYER_LIVE, s->value, sp_steal(now), SP_CHECK_PENDING, sp_xstrdup(waiting));
		return;
	}
	char *why = r < 0 ? why_unreadable(v, s->live, r, &result)
			  : sp_xasprintf("%s has %s: something set it since boot, or the kernel did not take it", s->live, now);
	sp_check_add(v, s, SP_LAYER_LIVE, s->value, sp_steal(now), result, why);
}

/* --- effect ------------------------------------------------------------------------------------------------------ */

static char *mib(uint64_t bytes)
{
	return sp_xasprintf("%" PRIu64 " MiB", bytes >> 20);
}

static void add_effect(struct sp_verifier *v, const struct sp_applied_setting *s, const char *expected, char *actual,
		       bool good, char *why)
{
	const char *waiting = sp_check_waiting(v, s);
	enum sp_check_result result = good ? SP_CHECK_OK : waiting ? SP_CHECK_PENDING : SP_CHECK_FAIL;

	if (!good && waiting) {
		free(why);
		why = sp_xstrdup(waiting);
	}
	sp_check_add(v, s, SP_LAYER_EFFECT, expected, actual, result, why);
}

static void unknown_effect(struct sp_verifier *v, const struct sp_applied_setting *s, enum sp_fact fact)
{
	const struct sp_value *value = &v->facts->v[fact];

	sp_check_add(v, s, SP_LAYER_EFFECT, s->value, NULL, SP_CHECK_SKIPPED,
		     sp_xasprintf("%s: %s", sp_fact_name(fact), value->why ? value->why : "unknown"));
}

/*
 * The driver caps the GTT at the memory that the system has (amdgpu since 2026-07), and pages_limit is the cap of TTM: the
 * GTT is the smaller of the two. Less than asked for is a clamp, and a finding.
 */
static void check_gtt(struct sp_verifier *v, const struct sp_applied_setting *s)
{
	uint64_t pages = 0, have = sp_fact_num(v->facts, SP_FACT_GTT_BYTES);
	const uint64_t ram = sp_fact_num(v->facts, SP_FACT_MEM_TOTAL_KIB) * 1024;

	if (!sp_fact_known(v->facts, SP_FACT_GTT_BYTES)) {
		unknown_effect(v, s, SP_FACT_GTT_BYTES);
		return;
	}
	if (sp_parse_u64(s->value, &pages) < 0)
		return;
	sp_autofree char *expected = mib(pages * 4096);
	char *why = NULL;
	if (have != pages * 4096 && have == ram)
		why = sp_xasprintf("clamped: the driver does not go beyond the %" PRIu64 " MiB of system memory", ram >> 20);
	else if (have != pages * 4096)
		why = sp_xasprintf("the GTT is not what %s asks for; is 'amdgpu.gttsize' set to something else?", s->key);
	add_effect(v, s, expected, mib(have), !why, why);
}

static void check_passthrough(struct sp_verifier *v, const struct sp_applied_setting *s)
{
	const char *type = sp_fact_text(v->facts, SP_FACT_IOMMU_TYPE);
	bool good = sp_streq(type, "identity");

	if (!type) {
		unknown_effect(v, s, SP_FACT_IOMMU_TYPE);
		return;
	}
	add_effect(v, s, "identity", sp_xstrdup(type), good,
		   good ? NULL : sp_xasprintf("the IOMMU groups are of type '%s'", type));
}

static const struct {
	const char *name;
	void (*check)(struct sp_verifier *v, const struct sp_applied_setting *s);
} effects[] = {
	{ "gtt-total", check_gtt },
	{ "iommu-passthrough", check_passthrough },
};

void sp_check_effect(struct sp_verifier *v, const struct sp_applied_setting *s)
{
	for (size_t i = 0; i < SP_ELEMENTS(effects); i++)
		if (sp_streq(s->effect, effects[i].name))
			effects[i].check(v, s);
}
