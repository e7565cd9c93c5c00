/* SPDX-License-Identifier: MIT */
#include "format/shellstep.h"

#include <errno.h>

#include "format/shellvar-scan.h"
#include "format/shellvar.h"

enum { MAX_ASSIGNMENTS = 64 }; /* of one variable in one file, each naming the one before */

#define OLD "\001" /* stands for what the variable was, in a value that is read apart from its file */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* How many bytes at `at` say $VAR or ${VAR}; 0: they do not. */
static size_t names_itself(const char *s, size_t at, size_t end, const char *var)
{
	const size_t n = strlen(var);
	const bool braced = at + 1 < end && s[at + 1] == '{';
	const size_t name = at + 1 + braced;

	if (s[at] != '$' || end - at < 1 + n + (braced ? 2 : 0) || strncmp(s + name, var, n) != 0)
		return 0;
	if (braced)
		return s[name + n] == '}' ? n + 3 : 0;
	return name + n < end && is_name_char(s[name + n]) ? 0 : n + 1;
}

/* The value as written, with OLD for the variable itself; single quotes and a backslash hide it. */
static void mark_itself(const char *s, const struct sp_shell_site *site, const char *var, struct sp_buf *ret)
{
	char quote = 0;

	for (size_t i = site->start; i < site->end; i++) {
		const size_t n = quote == '\'' ? 0 : names_itself(s, i, site->end, var);

		if (n > 0) {
			sp_buf_adds(ret, OLD);
			i += n - 1;
			continue;
		}
		if (quote ? s[i] == quote : s[i] == '\'' || s[i] == '"')
			quote = quote ? 0 : s[i];
		sp_buf_add(ret, s + i, 1);
		if (s[i] == '\\' && quote != '\'' && i + 1 < site->end)
			sp_buf_add(ret, s + ++i, 1);
	}
}

/* The same value assigned in a file that has nothing else. */
static void isolate(const char *s, const struct sp_shell_sites *sites, const char *var, struct sp_buf *ret)
{
	if (sites->v[0].append)
		sp_buf_addf(ret, "%s=%s\n", var, OLD);
	for (size_t i = 0; i < sites->n; i++) {
		sp_buf_addf(ret, "%s%s=", var, sites->v[i].append ? "+" : "");
		mark_itself(s, &sites->v[i], var, ret);
		sp_buf_adds(ret, "\n");
	}
}

static int step_of(const char *s, const struct sp_shell_sites *sites, const char *var, struct sp_shell_step *ret,
		   struct sp_error **err)
{
	const unsigned line = sp_shell_line(s, sites->v[sites->n - 1].word);
	sp_autoerror struct sp_error *why = NULL;
	sp_autobuf struct sp_buf alone = { 0 };
	sp_autofree char *value = NULL;

	isolate(s, sites, var, &alone);
	int r = sp_shellvar_get(&alone, var, &value, &why);
	if (r < 0) /* its line numbers are not those of the file */
		return sp_error_set(err, r, "line %u: the value is computed by the shell", line);
	char *old = strstr(value, OLD);
	if (old && strstr(old + 1, OLD))
		return sp_error_set(err, -EOPNOTSUPP, "line %u: the value names itself twice", line);
	*ret = (struct sp_shell_step){
		.kind = old ? SP_STEP_ADD : SP_STEP_SET, .line = line, .after = sp_xstrdup(old ? old + 1 : ""),
		.before = old ? sp_xstrndup(value, (size_t) (old - value)) : sp_xstrdup(value),
	};
	return 0;
}

/* `later`, which adds, works on what `earlier` left: both as one step, in later. */
static void put_together(const struct sp_shell_step *earlier, struct sp_shell_step *later)
{
	if (earlier->kind == SP_STEP_NONE)
		return;
	bool set = earlier->kind == SP_STEP_SET;
	char *before = sp_xasprintf("%s%s%s", later->before, earlier->before, set ? later->after : "");
	char *after = sp_xasprintf("%s%s", set ? "" : earlier->after, set ? "" : later->after);

	free(later->before);
	free(later->after);
	*later = (struct sp_shell_step){ earlier->kind, before, after, later->line };
}

/* From the last assignment backwards, as long as each names what was before it. */
int sp_shellvar_step(const struct sp_buf *file, const char *var, struct sp_shell_step *ret, struct sp_error **err)
{
	struct sp_buf rest = *file; /* a view */
	sp_autoshellstep struct sp_shell_step all = { 0 };

	for (size_t n = 0;; n++) {
		sp_cleanup(sp_shell_sites_clear) struct sp_shell_sites sites = { 0 };
		sp_autoshellstep struct sp_shell_step one = { 0 };
		sp_autobuf struct sp_buf text = { 0 };

		sp_buf_add(&text, rest.data ? rest.data : "", rest.len); /* ends in a NUL, as the scanner wants it */
		int r = sp_shell_scan(&text, var, &sites, err);
		if (r == 0 && memchr(text.data, *OLD, text.len))
			r = sp_error_set(err, -EINVAL, "a control byte");
		if (r == 0 && n == MAX_ASSIGNMENTS)
			r = sp_error_set(err, -EOPNOTSUPP, "'%s' is assigned too often", var);
		if (r == 0 && sites.n > 0)
			r = step_of(text.data, &sites, var, &one, err);
		if (r < 0)
			return r;
		if (n > 0) {
			put_together(&one, &all);
		} else {
			all = one;
			one = (struct sp_shell_step){ 0 };
		}
		if (sites.n == 0 || all.kind != SP_STEP_ADD)
			break;
		rest.len = sites.v[0].word;
	}
	*ret = all;
	all = (struct sp_shell_step){ 0 };
	return 0;
}

void sp_shell_step_clear(struct sp_shell_step *step)
{
	free(step->before);
	free(step->after);
	*step = (struct sp_shell_step){ 0 };
}
