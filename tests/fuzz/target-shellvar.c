/* SPDX-License-Identifier: MIT */
/* A file that a shell sources: file, our tokens, a value. The variable is GRUB's, and one with a short name. */
#include <errno.h>

#include "format/shellstep.h"
#include "format/shellvar-scan.h"
#include "format/shellvar.h"
#include "targets.h"

#define MARKER "# Added by strix-provision, taken out again by 'strix-provision rollback'\n"

static const char *const names[] = { "GRUB_CMDLINE_LINUX", "A", "GRUB_CMDLINE_LINUX_DEFAULT" };

/* Is the value one word in quotes of one kind? Then every change can be undone to the byte. */
static bool is_quoted(const struct sp_buf *file, const char *var)
{
	sp_cleanup(sp_shell_sites_clear) struct sp_shell_sites sites = { 0 };

	if (sp_shell_scan(file, var, &sites, NULL) < 0 || sites.n != 1)
		return false;
	const char *s = file->data + sites.v[0].start, quote = *s;
	size_t len = sites.v[0].end - sites.v[0].start;
	return len >= 2 && strchr("\"'", quote) && s[len - 1] == quote && !memchr(s, '\\', len) &&
	       !memchr(s + 1, quote, len - 2);
}

static void check_sites(const struct sp_buf *file, const char *var)
{
	sp_cleanup(sp_shell_sites_clear) struct sp_shell_sites sites = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	size_t done = 0;

	if (sp_shell_scan(file, var, &sites, &err) < 0) {
		fuzz_check(err && err->message, "an error says nothing");
		return;
	}
	for (size_t i = 0; i < sites.n; i++) {
		const struct sp_shell_site *s = &sites.v[i];
		size_t n = strlen(var);

		fuzz_check(s->word >= done && s->start > s->word && s->end >= s->start && s->end <= file->len,
			   "site %zu is out of place", i);
		fuzz_check(s->start - s->word == n + 1 + s->append && file->data[s->start - 1] == '=', "site %zu assigns nothing", i);
		done = s->end;
	}
}

/* What one file of a chain does agrees with what the file alone says. */
static void check_step(const struct sp_buf *file, const char *var)
{
	sp_autoshellstep struct sp_shell_step step = { 0 };
	sp_autofree char *value = NULL;
	int r = sp_shellvar_get(file, var, &value, NULL), s = sp_shellvar_step(file, var, &step, NULL);

	if (s < 0)
		return;
	fuzz_check(step.kind == SP_STEP_NONE ? r == -ENOENT : step.before && step.after, "a step of kind %d where get says %d",
		   (int) step.kind, r);
	if (r == 0 && step.kind == SP_STEP_SET)
		fuzz_check(sp_streq(step.before, value), "it is '%s', and the step says '%s'", fuzz_shows(value),
			   fuzz_shows(step.before));
	if (r == -ENOENT)
		fuzz_check(step.kind == SP_STEP_NONE, "it is not assigned, and the step is of kind %d", (int) step.kind);
}

/* The file behind another that assigns the variable: what it does to that value is what the step says. */
static void check_chain(const struct sp_buf *file, const char *var)
{
	sp_autoshellstep struct sp_shell_step step = { 0 }, all = { 0 };
	sp_autobuf struct sp_buf chain = { 0 };

	if (sp_shellvar_step(file, var, &step, NULL) < 0)
		return;
	sp_autofree char *wanted = step.kind == SP_STEP_NONE  ? sp_xstrdup("was")
				   : step.kind == SP_STEP_SET ? sp_xstrdup(step.before)
							      : sp_xasprintf("%swas%s", step.before, step.after);
	sp_buf_addf(&chain, "%s=was\n", var);
	sp_buf_add(&chain, file->data, file->len);
	if (sp_shellvar_step(&chain, var, &all, NULL) < 0)
		return; /* assigned too often */
	fuzz_check(all.kind == SP_STEP_SET && sp_streq(all.before, wanted), "behind 'was' it is '%s' instead of '%s'",
		   fuzz_shows(all.before), fuzz_shows(wanted));
}

/* All that is no value of the variable has stayed. What append() added goes as it came: whole lines. */
static void check_outside(const struct sp_buf *file, const struct sp_buf *out, const char *var)
{
	sp_cleanup(sp_shell_sites_clear) struct sp_shell_sites a = { 0 }, b = { 0 };
	size_t from = 0, at = 0;

	if (sp_shell_scan(file, var, &a, NULL) < 0 || sp_shell_scan(out, var, &b, NULL) < 0 || a.n == 0)
		return;
	if (b.n == 0 || b.v[0].word < a.v[0].word) { /* the line of ours is gone; an earlier one may count again */
		size_t n = strlen(MARKER), word = a.v[0].word;

		fuzz_check(word >= n && memcmp(file->data + word - n, MARKER, n) == 0 && (word == n || file->data[word - n - 1] == '\n'),
			   "what was taken out was not ours: '%s'", fuzz_show(file->data, file->len));
		return;
	}
	fuzz_check(a.n == b.n, "%zu assignments became %zu", a.n, b.n);
	for (size_t i = 0; i <= a.n; i++) {
		size_t n = (i < a.n ? a.v[i].start : file->len) - from, m = (i < a.n ? b.v[i].start : out->len) - at;

		fuzz_check(n == m && memcmp(file->data + from, out->data + at, n) == 0, "changed beside the value:\n'%s'\n'%s'",
			   fuzz_show(file->data, file->len), fuzz_show(out->data, out->len));
		from = i < a.n ? a.v[i].end : 0;
		at = i < a.n ? b.v[i].end : 0;
	}
}

/* What is said of the other variables is as it was; where only a shell can tell, that need not be so for one reason. */
static void check_others(const struct sp_buf *file, const struct sp_buf *changed, const char *var)
{
	for (size_t i = 0; i < SP_ELEMENTS(names); i++) {
		sp_autofree char *a = NULL, *b = NULL;

		if (sp_streq(names[i], var))
			continue;
		int r = sp_shellvar_get(file, names[i], &a, NULL), now = sp_shellvar_get(changed, names[i], &b, NULL);
		fuzz_check(r == now && (r < 0 || sp_streq(a, b)), "'%s' was '%s' (%d) and is '%s' (%d)", names[i], fuzz_shows(a), r,
			   fuzz_shows(b), now);
	}
}

static void check_value(const struct sp_buf *file, const char *var, const char *value)
{
	sp_autobuf struct sp_buf out = { 0 }, restored = { 0 };
	sp_autofree char *was = NULL, *is = NULL;
	sp_autoerror struct sp_error *err = NULL;
	int r = sp_shellvar_put(file, var, value, &out, &err);

	fuzz_check(r == 0 || (err && err->message), "an error says nothing");
	if (r < 0)
		return;
	r = sp_shellvar_get(&out, var, &is, NULL);
	fuzz_check(r == 0 ? sp_streq(is, value) : r == -ENOENT && !*value, "'%s' was written and '%s' is read", fuzz_shows(value),
		   fuzz_shows(is));
	check_others(file, &out, var);
	check_outside(file, &out, var);
	if (sp_shellvar_get(file, var, &was, NULL) < 0)
		return;
	r = sp_shellvar_put(&out, var, was, &restored, NULL);
	fuzz_check(r == 0, "the way back to '%s' is refused", fuzz_shows(was));
	sp_buf_clear(&restored);
	if (sp_shellvar_put(file, var, "", &restored, NULL) == 0)
		check_outside(file, &restored, var);
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };
	sp_autotokens struct sp_tokens to = { 0 };

	fuzz_cut(data, size, &f);
	fuzz_tokens(fuzz_text(&f, 1, "iommu=pt<amd_iommu=off\nttm.pages_limit=15466496"), &to);
	for (size_t i = 0; i < 2; i++) {
		const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) names[i] };
		sp_autobuf struct sp_buf out = { 0 };
		sp_autofree char *line = NULL;

		check_sites(&f.v[0], names[i]);
		check_step(&f.v[0], names[i]);
		check_chain(&f.v[0], names[i]);
		check_value(&f.v[0], names[i], fuzz_text(&f, 2, "x \"y\" $z 'w'"));
		bool exact = sp_shellvar_get(&f.v[0], names[i], &line, NULL) == -ENOENT || is_quoted(&f.v[0], names[i]);
		if (fuzz_check_host(&host, &f.v[0], &to, exact, &out))
			check_others(&f.v[0], &out, names[i]);
	}
}

static const char *const words[] = {
	"\nA=", "A=\"", "A='", "A+=\" b\"", "A=\"$A b\"", "A=\"${A} b\"", "export A=", "\nGRUB_CMDLINE_LINUX=\"", "GRUB_CMDLINE_LINUX",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n", MARKER, "\\\n",
	"\\", "$(", "`", "<<EOF\n", "\nEOF\n", "<<-'E'\n", "if true; then\n", "\nfi\n", "case $x in\n", "a) ", ";;\nesac\n", "for i in a; do\n",
	"done\n", "f() {\n", "}\n", "{ ", "; ", "&& ", "|| ", "| ", "&", "(", ")", "[[ ", " ]]", ". ./x\n", "source x\n", "return\n", "exit\n",
	"unset A\n", "read A\n", "eval ", "local ", "declare A=", "readonly A\n", "function g {\n", "$((1+2))", "${B:-c}", "${B#'}'}", "#", " #",
	"\r\n", "\n\n", "\"", "'", "\x1e", "iommu=pt", " iommu=off ", "amd_iommu=off", "A=(", "A[0]=1", "~", "{a,b}", "$'", "$\"", "!", "time ", NULL
};

static const struct fuzz_files files[] = {
	{ "tests/machines/*/etc/default/grub", NULL },
	{ "corpus/default-grub/*", NULL },
	{ "corpus/grub.d/*", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_shellvar = { .name = "shellvar", .run = run, .words = words, .files = files };
