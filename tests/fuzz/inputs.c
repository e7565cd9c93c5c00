/* SPDX-License-Identifier: MIT */
/* The files that a target begins with. */
#include <fcntl.h>
#include <glob.h>

#include "base/root.h"
#include "fuzz.h"

enum { INPUT_MAX = 64 * 1024 };

static void add_file(struct fuzz_inputs *in, const char *path, const char *head)
{
	sp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct fuzz_one one = { .name = sp_xstrdup(path) };

	if (head)
		sp_buf_adds(&one.bytes, head);
	fuzz_check(fd >= 0 && sp_fd_read(fd, INPUT_MAX, &one.bytes) == 0, "%s cannot be read", path);
	fuzz_tighten(&one.bytes);
	in->v = sp_xrealloc(in->v, in->n + 1, sizeof(*in->v));
	in->v[in->n++] = one;
}

/* How many there were. */
static size_t add_all(struct fuzz_inputs *in, const char *dir, const char *pattern, const char *head)
{
	sp_autofree char *full = sp_xasprintf("%s/%s", dir, pattern);
	glob_t found = { 0 };
	int r = glob(full, GLOB_MARK, NULL, &found); /* sorted */
	size_t before = in->n;

	fuzz_check(r == 0 || r == GLOB_NOMATCH, "%s: glob failed", full);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!sp_endswith(found.gl_pathv[i], "/"))
			add_file(in, found.gl_pathv[i], head);
	globfree(&found);
	return in->n - before;
}

void fuzz_inputs(const struct fuzz_target *t, struct fuzz_inputs *ret)
{
	static const char in_corpus[] = "corpus/";
	sp_autofree char *seeds = sp_xasprintf("tests/fuzz/seeds/%s/*", t->name);
	sp_autofree char *regressions = sp_xasprintf("tests/fuzz/regressions/%s/*", t->name);
	const char *corpus = getenv("SP_CORPUS");

	*ret = (struct fuzz_inputs){ 0 };
	ret->regressions = add_all(ret, fuzz_sources(), regressions, NULL);
	ret->seeds = add_all(ret, fuzz_sources(), seeds, NULL);
	for (const struct fuzz_files *f = t->files; f && f->pattern; f++)
		if (!sp_startswith(f->pattern, in_corpus))
			ret->seeds += add_all(ret, fuzz_sources(), f->pattern, f->head);
		else if (corpus && *corpus)
			ret->real += add_all(ret, corpus, f->pattern + strlen(in_corpus), f->head);
}

void fuzz_inputs_clear(struct fuzz_inputs *in)
{
	for (size_t i = 0; i < in->n; i++) {
		free(in->v[i].name);
		sp_buf_clear(&in->v[i].bytes);
	}
	free(in->v);
	*in = (struct fuzz_inputs){ 0 };
}
