/* SPDX-License-Identifier: MIT */
/*
 * A command line taken apart so that it can be put together again to the byte:
 * each word with the blanks in front of it, and the blanks behind the last
 * one. For transition.c only. Pure.
 */
#pragma once

#include "base/str.h"

struct sp_word {
	char *gap;  /* the blanks in front; empty at most for the first word */
	char *text; /* as written */
	char *key;
	char *value; /* NULL for a flag */
};
struct sp_words {
	struct sp_word *v;
	size_t n;
	char *tail; /* the blanks behind the last word; the whole line when there is none */
};
void sp_words_parse(const char *line, struct sp_words *ret);
char *sp_words_line(const struct sp_words *w); /* owned */
void sp_words_clear(struct sp_words *w);
#define sp_autowords sp_cleanup(sp_words_clear)

/* How many words are the kernel's and can have one of ours behind them: those before "--" and before an open quote. */
size_t sp_words_limit(const struct sp_words *w);

void sp_words_set(struct sp_words *w, size_t at, const char *text);
/*
 * Insert and take out are inverse: taking out returns the blanks that went with the word (owned; those in front, for
 * the first word those behind), inserting takes them.
 */
void sp_words_insert(struct sp_words *w, size_t at, const char *text, const char *gap);
char *sp_words_take_out(struct sp_words *w, size_t at);
/* The word and one blank beside it; inverse of inserting it with a gap of one blank. */
void sp_words_drop(struct sp_words *w, size_t at);
