/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing: one target for each parser, or family of parsers. A target takes
 * any bytes, gives them to its parser, and checks what must hold whatever they
 * are; a violation ends the process as a crash does. Two drivers use the same
 * table: replay.c (any compiler; files, and mutations of its own) and
 * libfuzzer.c.
 *
 * An input is a row of texts with a record separator (0x1e) between them: the
 * file first, then what is done with it. A text that is missing is empty, and
 * targets have something to put in its place: so the file of a stranger is an
 * input as it is.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define FUZZ_SEPARATOR '\x1e'
#define FUZZ_MAX ((size_t) 6000)

/* Files that are inputs as they are, besides seeds/ and regressions/. */
struct fuzz_files {
	const char *pattern; /* glob(7), in the sources; "corpus/...": in $SP_CORPUS */
	const char *head;    /* put in front of the bytes of each; NULL: nothing */
};

struct fuzz_target {
	const char *name;
	void (*run)(const uint8_t *data, size_t size);
	const char *const *words;	/* that the format knows: mutations put them in; NULL at the end */
	const struct fuzz_files *files; /* the last has no pattern; NULL: none */
	size_t max;			/* bytes of an input that a mutation makes; 0: FUZZ_MAX */
	void (*start)(void);		/* once, before the first input; NULL: nothing to do */
};
extern const struct fuzz_target *const fuzz_targets[]; /* NULL at the end */
const struct fuzz_target *fuzz_target(const char *name); /* NULL: none */

size_t fuzz_max(const struct fuzz_target *t);

/* The message, and the end of the process, with the input kept. */
_Noreturn void fuzz_fail(const char *fmt, ...) sp_printf(1, 2);
#define fuzz_check(condition, ...)                                                                                     \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			fuzz_fail(__VA_ARGS__);                                                                        \
	} while (0)
/* Bytes as they can be shown in a message: C escapes. Freed never: the process ends. */
const char *fuzz_show(const void *data, size_t len);
const char *fuzz_shows(const char *s);

/* --- texts of an input ------------------------------------------------------------------------------------------- */

enum { FUZZ_FIELDS = 8 };
struct fuzz_fields {
	struct sp_buf v[FUZZ_FIELDS]; /* each as large as it must be, so that no byte behind it can be read unseen */
	size_t n;		      /* as many were there */
};
void fuzz_cut(const uint8_t *data, size_t size, struct fuzz_fields *ret); /* the last takes what is left */
void fuzz_fields_clear(struct fuzz_fields *f);
#define fuzz_autofields sp_cleanup(fuzz_fields_clear)
/* The text up to its first NUL; one that is empty or missing: the other. Borrowed. */
const char *fuzz_text(const struct fuzz_fields *f, size_t i, const char *otherwise);
/* The same as a list of its lines; the empty ones are left out. */
void fuzz_lines(const char *text, struct sp_strv *ret);
/* A copy that is no longer than it must be, which sp_buf_add() does not make. */
void fuzz_tighten(struct sp_buf *b);

/* --- a tree on disk, for parsers that read through a root handle -------------------------------------------------- */

/* A new folder (in memory, where there is such a file system), removed when the process ends. Borrowed. */
const char *fuzz_tree(void);
/*
 * Write a file of it, in the place of another one, with its folders; dir is a folder of the tree, of any name. Links are
 * never followed. The second form: -errno where something is in the way.
 */
void fuzz_tree_write(const char *dir, const char *path, const void *data, size_t len);
int fuzz_tree_try(const char *dir, const char *path, const void *data, size_t len);
void fuzz_tree_remove(const char *dir, const char *path); /* a file, which may be missing */
/* Open (O_PATH) the folder that path is in; it is made. name: the rest of path. -errno: something is in the way. */
int fuzz_tree_parent(const char *dir, const char *path, const char **name);
const char *fuzz_sources(void); /* $SP_SRCDIR, or "." */

/* --- mutate.c ---------------------------------------------------------------------------------------------------- */

struct fuzz_random {
	uint64_t state; /* not 0 */
};
size_t fuzz_below(struct fuzz_random *r, size_t n); /* 0 .. n - 1; n 0: 0 */
/*
 * Change an input in some places: bytes and runs of them, words of the format, pieces of another input. At most max
 * bytes come out.
 */
void fuzz_mutate(struct fuzz_random *r, struct sp_buf *input, const struct sp_buf *other, const char *const *words,
		 size_t max);

/* --- inputs.c ---------------------------------------------------------------------------------------------------- */

struct fuzz_inputs {
	struct fuzz_one {
		char *name;
		struct sp_buf bytes;
	} *v;
	size_t n;
	size_t seeds, regressions, real; /* of each kind; seeds: with the files of the sources */
};
/* In a fixed order. The corpus ($SP_CORPUS) where there is one. */
void fuzz_inputs(const struct fuzz_target *t, struct fuzz_inputs *ret);
void fuzz_inputs_clear(struct fuzz_inputs *in);
#define fuzz_autoinputs sp_cleanup(fuzz_inputs_clear)
