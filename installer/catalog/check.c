/* SPDX-License-Identifier: MIT */
/*
 * What a key and a value may look like at each destination, and what must hold
 * between settings. All is checked on load, so that nothing is found out when
 * half of a plan is made. The forms are checked with a "1" for each derived value.
 */
#include <errno.h>

#include "catalog/internal.h"
#include "format/assign.h"
#include "format/cmdline.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool only(const char *text, const char *chars)
{
	return *text && text[strspn(text, chars)] == '\0';
}

static bool is_token(const char *key, const char *value)
{
	sp_autofree char *token = sp_xasprintf("%s=%s", key, value);

	return sp_token_is_safe(token);
}

static bool is_trimmed(const char *value)
{
	return *value && *value != ' ' && value[strlen(value) - 1] != ' ';
}

static bool cmdline_key(const char *key)
{
	return only(key, LETTERS DIGITS "._-") && *key != '-';
}

/* With '_', as it is read from a file: one with '-' would not be found again. */
static bool modprobe_key(const char *key)
{
	const char *dot = strchr(key, '.');

	return only(key, LETTERS DIGITS "._") && dot && dot != key && dot[1] && !strchr(dot + 1, '.');
}

/* As it is read from a file: "net/ipv4/x" is "net.ipv4.x", and would not be found again. */
static bool sysctl_key(const char *key)
{
	sp_autofree char *text = sp_xasprintf("%s = 1\n", key);
	const struct sp_buf file = { .data = text, .len = strlen(text) };
	sp_autoassigns struct sp_assigns read = { 0 };

	sp_sysctl_parse(&file, &read);
	return only(key, LETTERS DIGITS "._/-") && read.n == 1 && sp_streq(read.v[0].key, key);
}

static bool environment_key(const char *key)
{
	return only(key, LETTERS DIGITS "_") && !strchr(DIGITS, *key);
}

static bool sysctl_value(const char *key, const char *value)
{
	(void) key;
	return is_trimmed(value) && !strchr(value, '$');
}

static bool environment_value(const char *key, const char *value)
{
	(void) key;
	return is_trimmed(value) && !strpbrk(value, "\"'`\\");
}

static const struct {
	bool (*key_ok)(const char *key);
	bool (*value_ok)(const char *key, const char *value);
	const char *key_form, *value_form;
} forms[] = {
	[SP_DEST_CMDLINE] = { cmdline_key, is_token, "a kernel parameter", "safe on a kernel command line" },
	[SP_DEST_SYSCTL] = { sysctl_key, sysctl_value, "a sysctl name", "a sysctl value" },
	[SP_DEST_MODPROBE] = { modprobe_key, is_token, "'module.parameter'", "safe in an options line" },
	[SP_DEST_ENVIRONMENT] = { environment_key, environment_value, "a variable's name", "safe in environment.d" },
};

static int fail(struct sp_error **err, const char *fmt, ...) sp_printf(2, 3);
static int fail(struct sp_error **err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_autofree char *text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	(void) sp_error_set(err, -EINVAL, "%s", text);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	return -EINVAL;
}

int sp_setting_check_value(const struct sp_setting *s, const char *value, struct sp_error **err)
{
	sp_autofree char *key = NULL, *sample = NULL;
	uint64_t number = 0;
	int r = sp_derive_sample(s->key, &key, err);

	if (r == 0)
		r = sp_derive_sample(value, &sample, err);
	if (r < 0)
		return r;
	if (!forms[s->dest].value_ok(key, sample))
		return fail(err, "the value '%s' of '%s' is not %s", value, s->id, forms[s->dest].value_form);
	if (s->rule != SP_RULE_SET && sp_parse_u64(sample, &number) < 0)
		return fail(err, "the value '%s' of '%s' is no number to compare with", value, s->id);
	return 0;
}

static int check_key(const struct sp_setting *s, struct sp_error **err)
{
	sp_autofree char *key = NULL;
	int r = sp_derive_sample(s->key, &key, err);

	if (r < 0)
		return r;
	return forms[s->dest].key_ok(key) ? 0 : fail(err, "the key '%s' is not %s", s->key, forms[s->dest].key_form);
}

/* "amd_iommu=off", "iommu=*" */
static int check_conflicts(const struct sp_setting *s, struct sp_error **err)
{
	if (s->conflicts.n && s->dest != SP_DEST_CMDLINE)
		return fail(err, "'conflicts' is for the command line only");
	for (size_t i = 0; i < s->conflicts.n; i++) {
		sp_autofree char *token = sp_xstrdup(s->conflicts.v[i]);
		if (sp_endswith(token, "=*"))
			token[strlen(token) - 1] = '1';
		if (!sp_token_is_safe(token))
			return fail(err, "the conflict '%s' is no argument of a command line", s->conflicts.v[i]);
	}
	return 0;
}

static int check_live(const struct sp_setting *s, struct sp_error **err)
{
	sp_autofree char *path = NULL;

	if (!s->live)
		return s->live_set || s->live_bracket ? fail(err, "the key 'live' is missing") : 0;
	int r = sp_derive_sample(s->live, &path, err);
	if (r < 0)
		return r;
	if ((!sp_startswith(path, "/proc/sys/") && !sp_startswith(path, "/sys/")) || strchr(path, '$') ||
	    strstr(path, ".."))
		return fail(err, "the live value '%s' is no path in /proc/sys or /sys", s->live);
	return 0;
}

int sp_setting_check(const struct sp_setting *s, struct sp_error **err)
{
	int r = check_key(s, err);

	if (r == 0)
		r = sp_setting_check_value(s, s->value, err);
	if (r == 0)
		r = check_conflicts(s, err);
	return r < 0 ? r : check_live(s, err);
}

/* --- between settings ------------------------------------------------------------------------------------------ */

/* Put the place in front. */
static int fail_in(const char *file, unsigned line, struct sp_error **err)
{
	(void) sp_error_wrap(err, "%s:%u", file, line);
	(void) sp_error_path(err, file);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	return -EINVAL;
}

static int check_twice(const struct sp_catalog *c, size_t i, struct sp_error **err)
{
	const struct sp_setting *s = &c->settings[i];

	for (size_t k = 0; k < i; k++) {
		const struct sp_setting *first = &c->settings[k];
		if (sp_streq(s->id, first->id))
			return fail(err, "the id '%s' is taken by %s:%u", s->id, first->file, first->line);
		if (s->dest == first->dest && sp_key_eq(s->key, first->key))
			return fail(err, "the key '%s' is set by '%s', too (%s:%u)", s->key, first->id, first->file,
				    first->line);
	}
	return 0;
}

/* A leader leads itself: so there is no chain and no circle. */
static int check_follows(const struct sp_catalog *c, const struct sp_setting *s, struct sp_error **err)
{
	if (!s->follows)
		return 0;
	const struct sp_setting *leader = sp_catalog_setting(c, s->follows);
	if (!leader) {
		(void) sp_no_setting(c, s->follows, err);
		return sp_error_wrap(err, "follows");
	}
	return leader->follows ? fail(err, "'%s' follows '%s', which follows another", s->id, s->follows) : 0;
}

/* The platform that a condition names must be there: a typo would never match, and nobody would see it. */
static int check_platforms(const struct sp_catalog *c, const struct sp_condition *v, size_t n, struct sp_error **err)
{
	for (size_t i = 0; i < n; i++) {
		sp_autofree char *id = sp_predicate_platform(v[i].text);
		bool found = !id;
		for (size_t k = 0; k < c->n_platforms && !found; k++)
			found = sp_streq(c->platforms[k].id, id);
		if (!found)
			return fail(err, "'%s': there is no platform '%s'", v[i].text, id);
	}
	return 0;
}

static int check_settings(const struct sp_catalog *c, struct sp_error **err)
{
	for (size_t i = 0; i < c->n_settings; i++) {
		const struct sp_setting *s = &c->settings[i];
		int r = check_follows(c, s, err);
		if (r == 0)
			r = check_platforms(c, s->when, s->n_when, err);
		if (r == 0)
			r = check_platforms(c, s->unless, s->n_unless, err);
		if (r == 0)
			r = check_platforms(c, s->warn, s->n_warn, err);
		if (r == 0)
			r = check_twice(c, i, err);
		if (r < 0)
			return fail_in(s->file, s->line, err);
	}
	return 0;
}

/* explain finds both by their id. */
static int check_entries(const struct sp_catalog *c, struct sp_error **err)
{
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct sp_log_entry *e = &c->entries[i];
		const struct sp_setting *s = sp_catalog_setting(c, e->id);
		int r = s ? fail(err, "the id '%s' is taken by %s:%u", e->id, s->file, s->line) : 0;
		for (size_t k = 0; k < i && r == 0; k++)
			if (sp_streq(c->entries[k].id, e->id))
				r = fail(err, "the id '%s' is taken by %s:%u", e->id, c->entries[k].file,
					 c->entries[k].line);
		if (r < 0)
			return fail_in(e->file, e->line, err);
	}
	return 0;
}

static int check_advisories(const struct sp_catalog *c, struct sp_error **err)
{
	for (size_t i = 0; i < c->n_advisories; i++) {
		const struct sp_advisory *a = &c->advisories[i];
		int r = check_platforms(c, a->when, a->n_when, err);
		if (r == 0)
			r = check_platforms(c, a->unless, a->n_unless, err);
		for (size_t k = 0; k < i && r == 0; k++)
			if (sp_streq(c->advisories[k].id, a->id))
				r = fail(err, "the id '%s' is taken by %s:%u", a->id, c->advisories[k].file,
					 c->advisories[k].line);
		if (r < 0)
			return fail_in(a->file, a->line, err);
	}
	return 0;
}

int sp_catalog_check(const struct sp_catalog *c, struct sp_error **err)
{
	int r = check_settings(c, err);

	if (r == 0)
		r = check_entries(c, err);
	return r < 0 ? r : check_advisories(c, err);
}
