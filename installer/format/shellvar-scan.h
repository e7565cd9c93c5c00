/* SPDX-License-Identifier: MIT */
/*
 * Inside of format/shellvar.h: as much of the shell's grammar (POSIX XCU chapter 2, and what bash adds to it) as is
 * needed to say which assignments of one variable are in effect, or that this cannot be said without running the file.
 * shellvar-lex.c and shellvar-here.c cut the text into words and operators, shellvar-scan.c follows the
 * commands, shellvar-edit.c changes a value where it stands.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

/* Deepest nesting of substitutions and of compound commands that is followed; deeper is -EOPNOTSUPP. */
#define SP_SHELL_DEPTH 48

struct sp_shell_token {
	enum sp_shell_kind {
		SP_SHELL_END,
		SP_SHELL_WORD,
		SP_SHELL_OP,
	} kind;
	char op; /* ; & | ( ) newline, 'A' for &&, 'O' for ||, 'D' for ;; and '<' for a redirection with its target */
	size_t start, end; /* bytes in the text */
};

/* Where the lexer stands; s, len, var and err are set by the user, the rest starts as zero. */
struct sp_shell_lex {
	const char *s; /* ends in a NUL at s[len], and has no other */
	size_t len, pos;
	const char *var;       /* the variable that is asked for */
	struct sp_error **err;
	const char *sets;      /* why the text read so far may have set var without a command; the user clears it */
	size_t joined;	       /* behind the last backslash in front of a line end, 0 for none */
	unsigned depth;
	struct {
		size_t start, end; /* the delimiter as written */
		bool tabs;
	} here[8]; /* here-documents whose text starts behind the next line end */
	size_t n_here;
};

/*
 * The next token; comments and continuations are none. -EINVAL: something is not closed; -EOPNOTSUPP: nested too
 * deeply.
 */
int sp_shell_next(struct sp_shell_lex *l, struct sp_shell_token *ret) sp_must_check;
/* Behind a '(': move behind the ')' that closes it. */
int sp_shell_skip_parens(struct sp_shell_lex *l) sp_must_check;
/* A word without its quotes and backslashes, owned; expansions are left as written. */
char *sp_shell_unquote(const char *s, size_t start, size_t end);
unsigned sp_shell_line(const char *s, size_t at); /* 1-based */

/* Of shellvar-lex.c and shellvar-here.c only: pass over the text of l->here[i], which begins at l->pos. */
int sp_shell_skip_here(struct sp_shell_lex *l, size_t i) sp_must_check;
int sp_shell_unclosed(const struct sp_shell_lex *l, size_t at, const char *what);

/* The value of one assignment as written, in bytes of the text. */
struct sp_shell_site {
	size_t word;	   /* where the word begins that assigns */
	size_t start, end; /* what stands behind the '=' */
	bool append;	   /* += */
};
struct sp_shell_sites {
	struct sp_shell_site *v; /* the last '=' and every += behind it: their values joined are the variable's */
	size_t n;
	bool stops; /* a return or exit is in the file, so its end may not be reached */
	bool joins; /* the last line goes on: what is added behind it would belong to it */
};

/*
 * 0; -EINVAL: NUL byte, open quote or open compound command; -EOPNOTSUPP: only a shell can tell. No assignment at all
 * is no error: n is 0.
 */
int sp_shell_scan(const struct sp_buf *file, const char *var, struct sp_shell_sites *ret,
		  struct sp_error **err) sp_must_check;

static inline void sp_shell_sites_clear(struct sp_shell_sites *s)
{
	free(s->v);
	*s = (struct sp_shell_sites){ 0 };
}

/* One byte of a value and the bytes of the file that say it: \" takes two. */
struct sp_shell_piece {
	size_t at, end;
	char quote; /* which quotes it stands in, 0 for none */
};
struct sp_shell_value {
	struct sp_buf text;	  /* the values of all sites joined */
	struct sp_shell_piece *v; /* text.len of them */
	size_t *site;		  /* where in text each site begins; one more for the end */
};

/*
 * The file with another value. Words that both values share stay as they are written, with the line continuations
 * between them; what is new takes on the quotes of its neighbour. A site whose quotes cannot hold the new text (blanks
 * without quotes, a single quote within single quotes) is written anew in double quotes.
 */
void sp_shell_edit(const struct sp_buf *file, const struct sp_shell_sites *sites, const struct sp_shell_value *old,
		   const char *value, struct sp_buf *ret);
/* As text within double quotes. */
void sp_shell_escape(struct sp_buf *b, const char *s, size_t len);
