/* SPDX-License-Identifier: MIT */
/* The menu entries of a tree, read without the program's own readers. */
#include "crash.h"

#include <ctype.h>

/* One format: which files are of it, and what introduces a line that counts. */
static const struct {
	const char *folder, *end;
	bool one_each; /* one entry a file; else one for each kernel */
} formats[] = {
	{ "/loader/entries/", ".conf", true },
	{ "/grub/", "/grub.cfg", false },
	{ "/grub2/", "/grub.cfg", false },
};

static void problem(struct sp_strv *problems, const char *path, const char *what, const char *which)
{
	sp_strv_addf(problems, "%s: %s%s", path, what, which);
}

static char *next_line(char **rest)
{
	char *line = strsep(rest, "\n");

	while (line && isblank((unsigned char) *line))
		line++;
	return line;
}

/* "linux  /vmlinuz ..." with "linux": "/vmlinuz ..." */
static char *value_of(char *line, const char *key)
{
	const size_t n = strlen(key);

	if (strncmp(line, key, n) != 0 || !isblank((unsigned char) line[n]))
		return NULL;
	for (line += n; isblank((unsigned char) *line);)
		line++;
	return line;
}

static bool is_there(const struct tree *t, const char *file)
{
	sp_autofree char *in_boot = sp_xasprintf("/boot%s", file);

	return tree_find(t, file) || tree_find(t, in_boot);
}

/* In `first` a placeholder of another system's kernel is missing, too. */
static void check_file(const char *path, const char *file, const struct tree *now, const struct tree *first,
		       struct sp_strv *problems)
{
	if (!is_there(now, file) && is_there(first, file))
		problem(problems, path, "no such file: ", file);
}

static void check_line(const char *path, const char *line, const struct sp_strv *tokens, struct sp_strv *problems)
{
	sp_autofree size_t *seen = sp_xcalloc(tokens->n + 1, sizeof(*seen));
	sp_autofree char *copy = sp_xstrdup(line);
	char *save = NULL;
	bool root = false;

	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		root = root || (sp_startswith(word, "root=") && word[5]);
		for (size_t i = 0; i < tokens->n; i++)
			seen[i] += sp_streq(word, tokens->v[i]);
	}
	if (!root)
		problem(problems, path, "no root= in: ", line);
	for (size_t i = 0; i < tokens->n; i++)
		if (seen[i] > 1)
			problem(problems, path, "more than once: ", tokens->v[i]);
}

/* A Boot Loader Specification entry says "$kernelopts" where the line is in grubenv. */
static char *expand(const char *options, const struct tree *now)
{
	const struct node *env = tree_find(now, "/boot/grub2/grubenv");
	const char *at = strstr(options, "$kernelopts");
	const char *value = at && env ? strstr(env->bytes.data, "\nkernelopts=") : NULL;

	if (!value)
		return sp_xstrdup(options);
	value += strlen("\nkernelopts=");
	return sp_xasprintf("%.*s%.*s%s", (int) (at - options), options, (int) strcspn(value, "\n"), value,
			    at + strlen("$kernelopts"));
}

static void check_initrd(const char *path, char *value, const struct tree *now, const struct tree *first,
			 struct sp_strv *problems)
{
	char *save = NULL;

	for (char *file = strtok_r(value, " \t", &save); file; file = strtok_r(NULL, " \t", &save))
		check_file(path, file, now, first, problems);
}

/* Returns how many kernels it starts. */
static size_t check_text(const struct node *n, bool one_each, const struct tree *now, const struct tree *first,
			 const struct sp_strv *tokens, struct sp_strv *problems)
{
	sp_autofree char *text = sp_xstrndup(n->bytes.len ? n->bytes.data : "", n->bytes.len);
	size_t kernels = 0, initrds = 0, lines = 0;
	char *rest = text;

	for (char *line; (line = next_line(&rest));) {
		char *linux_is = value_of(line, "linux"), *initrd = value_of(line, "initrd");
		char *options = one_each ? value_of(line, "options") : linux_is;
		sp_autofree char *expanded = options ? expand(options, now) : NULL;

		if (expanded) {
			check_line(n->path, expanded, tokens, problems);
			lines++;
		}
		if (linux_is) {
			linux_is[strcspn(linux_is, " \t")] = '\0';
			check_file(n->path, linux_is, now, first, problems);
			kernels++;
		}
		if (initrd) {
			check_initrd(n->path, initrd, now, first, problems);
			initrds++;
		}
	}
	if (lines < kernels || initrds < kernels || (one_each && kernels == 0))
		problem(problems, n->path, "an entry is not complete", "");
	return kernels;
}

/* With problems NULL it only counts. */
static size_t each_file(const struct tree *now, const struct tree *first, const struct sp_strv *tokens,
			struct sp_strv *problems)
{
	sp_autostrv struct sp_strv unused = { 0 };
	size_t kernels = 0;

	for (size_t i = 0; i < now->n; i++)
		for (size_t k = 0; k < SP_ELEMENTS(formats); k++)
			if (strstr(now->v[i].path, formats[k].folder) && sp_endswith(now->v[i].path, formats[k].end))
				kernels += check_text(&now->v[i], formats[k].one_each, now, first, tokens,
						      problems ? problems : &unused);
	return kernels;
}

void check_entries(const struct tree *now, const struct tree *first, const struct sp_strv *tokens,
		   struct sp_strv *problems)
{
	const size_t had = each_file(first, first, tokens, NULL), has = each_file(now, first, tokens, problems);

	if (had == 0)
		sp_strv_add(problems, "no menu entry of a known format: give machine.c a row for it");
	if (has < had)
		sp_strv_addf(problems, "%zu menu entries where there were %zu", has, had);
}
