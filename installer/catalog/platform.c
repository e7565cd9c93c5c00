/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "catalog/internal.h"

/* --- reading --------------------------------------------------------------------------------------------------- */

static int read_fact(const config_setting_t *s, void *field, struct sp_error **err)
{
	const char *names[SP_FACT__COUNT];
	sp_autofree char *name = NULL;
	int r = sp_cfg_text(s, &name, err);

	if (r < 0 || sp_fact_by_name(name, field) == 0)
		return r;
	for (int i = 0; i < SP_FACT__COUNT; i++)
		names[i] = sp_fact_name((enum sp_fact) i);
	(void) sp_fail_at(s, err, "there is no fact '%s'", name);
	(void) sp_hint_names(err, name, names, SP_FACT__COUNT);
	return -EINVAL;
}

static const struct sp_key match_keys[] = {
	{ "fact", read_fact, offsetof(struct sp_match, fact), true },
	{ "equals", sp_cfg_text, offsetof(struct sp_match, equals), false },
	{ "contains", sp_cfg_text, offsetof(struct sp_match, contains), false },
	{ 0 },
};

static int read_matches(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_platform *p = object;
	int r = sp_expect_type(s, CONFIG_TYPE_LIST, err), n = config_setting_length(s);

	if (r == 0 && n == 0)
		r = sp_fail_at(s, err, "'match' is empty: every machine would match");
	if (r < 0)
		return r;
	p->matches = sp_xcalloc((size_t) n, sizeof(*p->matches));
	for (int i = 0; i < n && r == 0; i++) {
		const config_setting_t *one = config_setting_get_elem(s, (unsigned) i);
		struct sp_match *m = &p->matches[p->n_matches++];
		r = sp_cfg_group(one, match_keys, m, err);
		if (r == 0 && !m->equals == !m->contains)
			r = sp_fail_at(one, err, "a match has either 'equals' or 'contains'");
	}
	return r;
}

#define PLATFORM(field) offsetof(struct sp_platform, field)
static const struct sp_key platform_keys[] = {
	{ "name", sp_cfg_text, PLATFORM(name), true },
	{ "supported", sp_cfg_bool, PLATFORM(supported), false },
	{ "priority", sp_cfg_int, PLATFORM(priority), false },
	{ "match", read_matches, 0, true },
	{ "setup_key", sp_cfg_text, PLATFORM(setup_key), false },
	{ "setup_path", sp_cfg_text, PLATFORM(setup_path), false },
	{ "note", sp_cfg_text, PLATFORM(note), false },
	{ 0 },
};

int sp_platform_read(const config_setting_t *root, struct sp_platform *ret, struct sp_error **err)
{
	ret->line = 1;
	ret->supported = true;
	return sp_cfg_group(root, platform_keys, ret, err);
}

void sp_platform_clear(struct sp_platform *p)
{
	for (size_t i = 0; i < p->n_matches; i++) {
		free(p->matches[i].equals);
		free(p->matches[i].contains);
	}
	free(p->matches);
	free(p->id);
	free(p->name);
	free(p->setup_key);
	free(p->setup_path);
	free(p->note);
	free(p->file);
	*p = (struct sp_platform){ 0 };
}

/* --- matching -------------------------------------------------------------------------------------------------- */

static bool holds(const struct sp_match *m, const struct sp_facts *f)
{
	const char *text = sp_fact_text(f, m->fact);

	if (!text)
		return false;
	return m->equals ? sp_streq(text, m->equals) : strcasestr(text, m->contains) != NULL;
}

static bool matches(const struct sp_platform *p, const struct sp_facts *f)
{
	for (size_t i = 0; i < p->n_matches; i++)
		if (!holds(&p->matches[i], f))
			return false;
	return true;
}

static char *what_matched(const struct sp_platform *p, const struct sp_facts *f)
{
	sp_autostrv struct sp_strv parts = { 0 };

	for (size_t i = 0; i < p->n_matches; i++)
		sp_strv_addf(&parts, "%s '%s'", sp_fact_name(p->matches[i].fact), sp_fact_text(f, p->matches[i].fact));
	return sp_strv_join(&parts, ", ");
}

/* Strix Halo is CPU family 26 (1Ah) model 112 (70h) with GPU 1002:1586. Its neighbours are easily mistaken for it. */
#define HALO_FAMILY 26
#define HALO_MODEL 112
static const struct {
	uint64_t family, model;
	const char *name;
} neighbours[] = {
	{ 26, 32, "Strix Point" },
	{ 26, 36, "Strix Point" },
	{ 26, 68, "Fire Range" },
	{ 26, 96, "Krackan" },
};

static char *cpu_text(const struct sp_facts *f)
{
	const struct sp_value *family = &f->v[SP_FACT_CPU_FAMILY], *model = &f->v[SP_FACT_CPU_MODEL];

	if (!family->known || !model->known)
		return sp_xasprintf("the CPU is unknown (%s)", !family->known ? family->why : model->why);
	for (size_t i = 0; i < SP_ELEMENTS(neighbours); i++)
		if (neighbours[i].family == family->number && neighbours[i].model == model->number)
			return sp_xasprintf("the CPU is family %s model %s, which is %s", family->text, model->text,
					    neighbours[i].name);
	if (family->number == HALO_FAMILY && model->number == HALO_MODEL)
		return sp_xasprintf("the CPU is family %s model %s, as it should be", family->text, model->text);
	return sp_xasprintf("the CPU is family %s model %s", family->text, model->text);
}

static char *what_did_not(const struct sp_facts *f)
{
	const struct sp_value *gpu = &f->v[SP_FACT_GPU_ID];
	sp_autofree char *cpu = cpu_text(f);
	sp_autofree char *seen = gpu->known ? sp_xasprintf("the AMD GPU is %s", gpu->text)
					    : sp_xasprintf("no AMD GPU is known (%s)", gpu->why);

	return sp_xasprintf("%s, %s; Strix Halo is CPU family %d model %d with GPU 1002:1586", cpu, seen, HALO_FAMILY,
			    HALO_MODEL);
}

const struct sp_platform *sp_platform_match(const struct sp_catalog *c, const struct sp_facts *f, char **why)
{
	const struct sp_platform *best = NULL;

	for (size_t i = 0; i < c->n_platforms; i++)
		if (matches(&c->platforms[i], f) && (!best || c->platforms[i].priority > best->priority))
			best = &c->platforms[i];
	*why = best ? what_matched(best, f) : what_did_not(f);
	return best;
}
