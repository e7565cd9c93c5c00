/* SPDX-License-Identifier: MIT */
/* Advisories: reading one, and saying what it found here. */
#include <errno.h>

#include "catalog/internal.h"

/* --- the text -------------------------------------------------------------------------------------------------- */

struct name {
	const char *start;
	size_t len; /* without ":source" */
	bool source;
};

/* The next "${name}" or "${name:source}" at or behind text; NULL: none. *ret_end is what follows it. */
static const char *next_name(const char *text, struct name *ret, const char **ret_end)
{
	static const char source[] = ":source";

	for (; (text = strstr(text, "${")) != NULL; text += 2) {
		const char *close = strchr(text, '}');
		if (!close)
			return NULL;
		ret->start = text + 2;
		ret->len = (size_t) (close - ret->start);
		ret->source = ret->len > strlen(source) &&
			      memcmp(close - strlen(source), source, strlen(source)) == 0;
		if (ret->source)
			ret->len -= strlen(source);
		*ret_end = close + 1;
		return text;
	}
	return NULL;
}

static const char *value_of(const struct name *n, const struct sp_question *q)
{
	sp_autofree char *name = sp_xstrndup(n->start, n->len);
	enum sp_fact fact;

	if (sp_streq(name, "kernel") && !n->source)
		return q->kernel;
	if (sp_fact_by_name(name, &fact) < 0 || !q->facts)
		return NULL;
	return n->source ? q->facts->v[fact].source : sp_fact_text(q->facts, fact);
}

static int check_text(const char *text, struct sp_error **err)
{
	struct name n = { 0 };
	const char *names[SP_FACT__COUNT];
	enum sp_fact fact;

	while (next_name(text, &n, &text)) {
		sp_autofree char *name = sp_xstrndup(n.start, n.len);
		if ((sp_streq(name, "kernel") && !n.source) || sp_fact_by_name(name, &fact) == 0)
			continue;
		for (int i = 0; i < SP_FACT__COUNT; i++)
			names[i] = sp_fact_name((enum sp_fact) i);
		(void) sp_error_set(err, -EINVAL, "there is no fact '%s'", name);
		(void) sp_hint_names(err, name, names, SP_FACT__COUNT);
		return -EINVAL;
	}
	return 0;
}

char *sp_advisory_text(const struct sp_advisory *a, const struct sp_question *q)
{
	struct sp_buf b = { 0 };
	const char *text = a->text, *found, *end = NULL;
	struct name n = { 0 };

	while ((found = next_name(text, &n, &end)) != NULL) {
		const char *value = value_of(&n, q);
		sp_buf_add(&b, text, (size_t) (found - text));
		sp_buf_adds(&b, value ? value : "unknown");
		text = end;
	}
	sp_buf_adds(&b, text);
	return sp_buf_steal(&b);
}

/* --- does it hold? --------------------------------------------------------------------------------------------- */

static bool all_are(const struct sp_condition *c, size_t n, enum sp_tristate answer, const struct sp_question *q)
{
	for (size_t i = 0; i < n; i++)
		if (sp_predicate_ask(c[i].text, q, NULL) != answer)
			return false;
	return true;
}

bool sp_advisory_holds(const struct sp_advisory *a, const struct sp_question *q)
{
	return all_are(a->when, a->n_when, SP_YES, q) && all_are(a->unless, a->n_unless, SP_NO, q);
}

/* --- reading --------------------------------------------------------------------------------------------------- */

static int read_when(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_advisory *a = object;

	return sp_conditions_read(s, &a->when, &a->n_when, err);
}

static int read_unless(const config_setting_t *s, void *object, struct sp_error **err)
{
	struct sp_advisory *a = object;

	return sp_conditions_read(s, &a->unless, &a->n_unless, err);
}

static int read_text(const config_setting_t *s, void *field, struct sp_error **err)
{
	int r = sp_cfg_text(s, field, err);

	if (r == 0 && check_text(*(char **) field, err) < 0)
		r = sp_wrap_at(s, err);
	return r;
}

#define ADVISORY(field) offsetof(struct sp_advisory, field)
static const struct sp_key keys[] = {
	{ "id", sp_cfg_id, ADVISORY(id), true },
	{ "when", read_when, 0, true },
	{ "unless", read_unless, 0, false },
	{ "text", read_text, ADVISORY(text), true },
	{ "evidence", sp_cfg_text, ADVISORY(evidence), true },
	{ 0 },
};

int sp_advisory_read(const config_setting_t *block, const char *file, struct sp_advisory *ret, struct sp_error **err)
{
	ret->file = sp_xstrdup(file);
	ret->line = config_setting_source_line(block);
	int r = sp_cfg_group(block, keys, ret, err);
	if (r == 0 && ret->n_when == 0)
		r = sp_fail_at(block, err, "'when' is empty: it would be said everywhere");
	return r;
}

void sp_advisory_clear(struct sp_advisory *a)
{
	free(a->id);
	sp_conditions_clear(a->when, a->n_when);
	sp_conditions_clear(a->unless, a->n_unless);
	free(a->text);
	free(a->evidence);
	free(a->file);
	*a = (struct sp_advisory){ 0 };
}
