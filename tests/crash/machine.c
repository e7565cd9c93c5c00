/* SPDX-License-Identifier: MIT */
/* The menu entries of a tree, read without the program's own readers. */
#include "crash.h"

#include <ctype.h>

/* What is looked at: the tree now, the one that it is compared with, and what is wrong. */
struct look {
	const struct tree *now, *first;
	const char *base; /* the folder that stands for the root of the file's file system */
	const struct sp_strv *tokens;
	struct sp_strv *problems;
	bool same; /* the file is as in `first`: what it has no root= for is another system's */
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

static bool is_there(const struct tree *t, const char *base, const char *file)
{
	sp_autofree char *below = sp_xasprintf("%s%s", base, file);

	return tree_find(t, file) || tree_find(t, below);
}

/* In `first` a placeholder of another system's kernel is missing, too. */
static void check_file(const struct look *l, const char *path, const char *file)
{
	if (!is_there(l->now, l->base, file) && is_there(l->first, l->base, file))
		problem(l->problems, path, "no such file: ", file);
}

static void check_line(const struct look *l, const char *path, const char *line)
{
	const struct sp_strv *tokens = l->tokens;
	sp_autofree size_t *seen = sp_xcalloc(tokens->n + 1, sizeof(*seen));
	sp_autofree char *copy = sp_xstrdup(line);
	char *save = NULL;
	bool root = false;

	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		root = root || (sp_startswith(word, "root=") && word[5]);
		for (size_t i = 0; i < tokens->n; i++)
			seen[i] += sp_streq(word, tokens->v[i]);
	}
	if (!root && !l->same)
		problem(l->problems, path, "no root= in: ", line);
	for (size_t i = 0; i < tokens->n; i++)
		if (seen[i] > 1)
			problem(l->problems, path, "more than once: ", tokens->v[i]);
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

static void check_initrd(const struct look *l, const char *path, char *value)
{
	char *save = NULL;

	for (char *file = strtok_r(value, " \t", &save); file; file = strtok_r(NULL, " \t", &save))
		check_file(l, path, file);
}

/* Keys and values; `options`: the key whose value is the line. Returns how many kernels it starts. */
static size_t check_keys(const struct look *l, const char *path, char *text, const char *options)
{
	size_t kernels = 0, initrds = 0, lines = 0;
	char *rest = text;

	for (char *line; (line = next_line(&rest));) {
		char *kernel = value_of(line, "linux"), *initrd = value_of(line, "initrd"), *value = value_of(line, options);
		sp_autofree char *expanded = value ? expand(value, l->now) : NULL;

		if (expanded) {
			check_line(l, path, expanded);
			lines++;
		}
		if (kernel) {
			kernel[strcspn(kernel, " \t")] = '\0';
			check_file(l, path, kernel);
			kernels++;
		}
		if (initrd) {
			check_initrd(l, path, initrd);
			initrds++;
		}
	}
	if (lines < kernels || initrds < kernels)
		problem(l->problems, path, "an entry is not complete", "");
	return kernels;
}

/* --- formats: each returns the number of kernels that it starts --------------------------------------------------- */

static size_t check_bls(const struct look *l, const char *path, char *text)
{
	const size_t n = check_keys(l, path, text, "options");

	if (n > 1) /* none: an EFI program */
		problem(l->problems, path, "starts several kernels", "");
	return n;
}

static size_t check_grub_cfg(const struct look *l, const char *path, char *text)
{
	return check_keys(l, path, text, "linux");
}

/* "initrd=boot\name" in the line of a kernel that starts by itself. */
static void check_efi_initrd(const struct look *l, const char *path, const char *line)
{
	for (const char *at = line; (at = strstr(at, "initrd=")); at++) {
		sp_autofree char *file = sp_xasprintf("/%.*s", (int) strcspn(at + 7, " \t\""), at + 7);
		for (char *p = file; (p = strchr(p, '\\'));)
			*p = '/';
		check_file(l, path, file);
	}
}

/* One line each: "title" "options". The kernel is the one beside the file. */
static size_t check_refind(const struct look *l, const char *path, char *text)
{
	char *rest = text;
	size_t n = 0;

	for (char *line; (line = next_line(&rest));) {
		char *end = *line == '"' ? strchr(line + 1, '"') : NULL, *options = end ? strchr(end + 1, '"') : NULL;
		char *last = options ? strrchr(options + 1, '"') : NULL;

		if (!last)
			continue;
		*last = '\0';
		check_line(l, path, options + 1);
		check_efi_initrd(l, path, options + 1);
		n++;
	}
	return n;
}

static size_t number_at(const unsigned char *bytes, size_t n)
{
	return n == 0 ? 0 : bytes[0] | number_at(bytes + 1, n - 1) << 8;
}

/* Of an image that the tests made themselves: where one of its sections is. */
static const unsigned char *find_section(const struct node *n, const char *name, size_t *size)
{
	const unsigned char *bytes = (const unsigned char *) n->bytes.data;
	const size_t at = n->bytes.len > 64 ? number_at(bytes + 60, 4) : 0;

	if (at == 0 || at + 24 > n->bytes.len)
		return NULL;
	const size_t table = at + 24 + number_at(bytes + at + 20, 2);
	for (size_t i = 0; i < number_at(bytes + at + 6, 2) && table + 40 * (i + 1) <= n->bytes.len; i++) {
		const unsigned char *header = bytes + table + 40 * i;
		const size_t offset = number_at(header + 20, 4);
		*size = number_at(header + 8, 4);
		if (strncmp((const char *) header, name, 8) == 0)
			return offset + *size <= n->bytes.len ? bytes + offset : NULL;
	}
	return NULL;
}

/* A unified kernel image, with its addon of ours: kernel, initrd and line are in it. */
static size_t check_image(const struct look *l, const char *path, char *text)
{
	static const char *const needed[] = { ".linux", ".initrd", ".osrel" };
	sp_autofree char *addon_path = sp_xasprintf("%s.extra.d/strix-provision.addon.efi", path);
	const struct node *image = tree_find(l->now, path), *addon = tree_find(l->now, addon_path);
	size_t size = 0, more = 0;
	const unsigned char *line = find_section(image, ".cmdline", &size);
	const unsigned char *added = addon ? find_section(addon, ".cmdline", &more) : NULL;

	(void) text;
	if (strstr(path, ".extra.d/"))
		return 0; /* looked at with its image */
	for (size_t i = 0; i < SP_ELEMENTS(needed); i++)
		if (!find_section(image, needed[i], &(size_t){ 0 }))
			problem(l->problems, path, "it has no ", needed[i]);
	if (addon && !added)
		problem(l->problems, addon_path, "it has no .cmdline", "");
	sp_autofree char *whole = sp_xasprintf("%.*s %.*s", (int) size, line ? (const char *) line : "", (int) (added ? more : 0),
					       added ? (const char *) added : "");
	check_line(l, path, whole);
	return 1;
}

/* A kernel's line comes behind it. */
static size_t check_limine(const struct look *l, const char *path, char *text)
{
	char *rest = text;
	size_t n = 0;

	for (char *line; (line = next_line(&rest));) {
		static const char *const files[] = { "kernel_path: boot():", "module_path: boot():" };

		for (size_t i = 0; i < 2; i++)
			if (sp_startswith(line, files[i]))
				check_file(l, path, line + strlen(files[i]));
		if (!sp_startswith(line, "cmdline: "))
			continue;
		check_line(l, path, line + strlen("cmdline: "));
		n++;
	}
	return n;
}

static const struct format {
	const char *folder, *end;
	size_t (*check)(const struct look *l, const char *path, char *text);
} formats[] = {
	{ "/EFI/Linux/", ".efi", check_image },
	{ "/loader/entries/", ".conf", check_bls },
	{ "/loader.1/entries/", ".conf", check_bls }, /* of ostree, behind its link */
	{ "/grub/", "/grub.cfg", check_grub_cfg },
	{ "/grub2/", "/grub.cfg", check_grub_cfg },
	{ "/", "/limine.conf", check_limine },
	{ "/", "/refind_linux.conf", check_refind },
};

static bool is_same(const struct node *a, const struct node *b)
{
	return b && sp_buf_eq(&a->bytes, &b->bytes);
}

static size_t check_all(const struct look *l)
{
	size_t kernels = 0;

	for (size_t i = 0; i < l->now->n; i++) {
		const struct node *n = &l->now->v[i];
		for (size_t k = 0; k < SP_ELEMENTS(formats); k++) {
			if (!strstr(n->path, formats[k].folder) || !sp_endswith(n->path, formats[k].end))
				continue;
			sp_autofree char *text = sp_xstrndup(n->bytes.len ? n->bytes.data : "", n->bytes.len);
			sp_autofree char *base = sp_xstrndup(n->path, (size_t) (strstr(n->path, formats[k].folder) - n->path));
			struct look here = *l;
			here.base = base;
			here.same = l->now != l->first && is_same(n, tree_find(l->first, n->path));
			kernels += formats[k].check(&here, n->path, text);
		}
	}
	return kernels;
}

static size_t count_entries(const struct tree *t, const struct tree *first)
{
	sp_autostrv struct sp_strv unused = { 0 }, none = { 0 };

	return check_all(&(struct look){ t, first, NULL, &none, &unused, false });
}

void check_entries(const struct tree *now, const struct tree *const known[2], const struct sp_strv *tokens,
		   struct sp_strv *problems)
{
	const size_t has = check_all(&(struct look){ now, known[0], NULL, tokens, problems, false });
	const size_t had[2] = { count_entries(known[0], known[0]), count_entries(known[1], known[0]) };
	const size_t least = had[0] < had[1] ? had[0] : had[1]; /* the way back comes and goes */

	if (least == 0)
		sp_strv_add(problems, "no menu entry of a known format: give machine.c a row for it");
	if (has < least)
		sp_strv_addf(problems, "%zu menu entries where there were %zu", has, least);
}
