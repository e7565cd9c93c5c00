/* SPDX-License-Identifier: MIT */
/*
 * The kernel command line as text: split into tokens, find the one that is in
 * effect, and move a line from one set of our tokens to another without
 * touching anything else.
 *
 * Rules (kernel: lib/cmdline.c, kernel/params.c, Documentation/admin-guide/kernel-parameters.rst):
 * blanks separate tokens, double quotes hide blanks (around the value or the whole token), '-' and '_' are
 * the same in a key, the last token of a key wins, and what follows a lone "--" belongs to init and is not ours.
 * Some keys repeat on purpose (console=, ip=, rd.luks.*): those are never taken for duplicates.
 */
#pragma once

#include "base/str.h"

/* x86 COMMAND_LINE_SIZE, with the final NUL: one byte less can be used. */
#define SP_CMDLINE_MAX ((size_t) 2048)

struct sp_arg {
	size_t start, len; /* where the token stands in the line, bytes */
	char *text;	   /* as written, quotes included; owned */
	char *key;	   /* without quotes, as written; owned */
	char *value;	   /* without quotes; NULL for a flag; owned */
	bool for_init;	   /* stands behind "--" */
};
struct sp_args {
	struct sp_arg *v;
	size_t n;
};

void sp_args_parse(const char *line, struct sp_args *ret); /* never fails; an open quote runs to the end */
void sp_args_clear(struct sp_args *args);
#define sp_autoargs sp_cleanup(sp_args_clear)

bool sp_key_eq(const char *a, const char *b);	/* '-' equals '_' */
bool sp_key_is_multi(const char *key);		/* console, earlycon, ip, rd.*, initrd, hugepages, ... */
char *sp_token_key(const char *token);		/* owned key of "key=value" or "flag" */
/* Value in effect for key (last token before "--"), owned; NULL when absent; "" for a bare flag. */
char *sp_cmdline_value(const char *line, const char *key);

/* How a wanted token stands on a line. */
enum sp_presence {
	SP_PRESENT,    /* exactly once, and the only one of its key: what we leave behind */
	SP_EFFECTIVE,  /* last of its key, but others of the key or a repetition stand before it */
	SP_OVERRIDDEN, /* there, but a later token of the key wins */
	SP_OTHER,      /* the key is there with another value only */
	SP_ABSENT,
};
enum sp_presence sp_cmdline_presence(const char *line, const char *token);

/* One token of ours, and what it displaced on this line (foreign tokens of the same key, in order). */
struct sp_token {
	char *text;
	struct sp_strv displaced;
};
struct sp_tokens {
	struct sp_token *v;
	size_t n;
};
void sp_tokens_add(struct sp_tokens *t, const char *text, const struct sp_strv *displaced /* or NULL */);
const struct sp_token *sp_tokens_find(const struct sp_tokens *t, const char *key);
void sp_tokens_copy(struct sp_tokens *to, const struct sp_tokens *from);
bool sp_tokens_eq(const struct sp_tokens *a, const struct sp_tokens *b); /* text and displaced, in order */
void sp_tokens_clear(struct sp_tokens *t);
#define sp_autotokens sp_cleanup(sp_tokens_clear)

/*
 * Move a line from owning `from` to owning `to`.
 *
 *  - A key of `from` that is not in `to`: our token is taken out together with one blank beside it, or what it
 *    displaced is put back in its place. Our token gone, key absent: what was displaced is appended again. The key
 *    there with another value: somebody changed it; it stays, and "key" is added to `changed`.
 *  - A token of `to`: already there exactly once and alone of its key: not a byte changes; it is ours only if
 *    `from` has it. Our old value of `from` is replaced where it stands, and keeps what it displaced. Foreign
 *    tokens of the key are replaced where the last one stands, the others taken out, and all recorded as displaced.
 *    Else it is appended (before a lone "--"), one blank between, trailing blanks of the line kept behind it.
 *
 * Nothing else of the line changes, not even runs of blanks. The result is idempotent: a second call with
 * from = owned, to = to returns the same line. Pure; everything in ret is owned.
 */
struct sp_transition {
	char *line;
	struct sp_tokens owned; /* what is ours on the new line */
	struct sp_strv changed; /* keys of `from` that hold a value which is not ours */
};
void sp_cmdline_transition(const char *line, const struct sp_tokens *from, const struct sp_tokens *to,
			   struct sp_transition *ret);
void sp_transition_clear(struct sp_transition *t);
#define sp_autotransition sp_cleanup(sp_transition_clear)

/* May this text be written into a command line anywhere (no control bytes, quotes, '#', '$', '\', ';', '&', '|', '{', '}')? */
bool sp_token_is_safe(const char *token);
