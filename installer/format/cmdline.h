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
	bool for_init;	   /* is a lone "--" or stands behind it */
};
struct sp_args {
	struct sp_arg *v;
	size_t n;
};

void sp_args_parse(const char *line, struct sp_args *ret); /* never fails; an open quote runs to the end */
void sp_args_clear(struct sp_args *args);
#define sp_autoargs sp_cleanup(sp_args_clear)

bool sp_key_eq(const char *a, const char *b);	  /* '-' equals '_' */
bool sp_key_is_multi(const char *key);		  /* console, earlycon, ip, rd.*, initrd, hugepages, ... */
char *sp_token_key(const char *token);		  /* owned key of "key=value" or "flag" */
bool sp_token_eq(const char *a, const char *b);	  /* same key and same value, however spelled and quoted */
bool sp_token_is_open(const char *token);	  /* its quote never closes: what is put behind it would be swallowed */
/* Value in effect for key (last token before "--"), owned; NULL when absent; "" for a bare flag. */
char *sp_cmdline_value(const char *line, const char *key);

/* How a wanted token stands on a line. A multi-valued key is looked at by key and value: other values do not count. */
enum sp_presence {
	SP_PRESENT,    /* exactly once, and the only one of its key: what we leave behind */
	SP_EFFECTIVE,  /* last of its key, but others of the key or a repetition stand before it */
	SP_OVERRIDDEN, /* there, but a later token of the key wins */
	SP_OTHER,      /* the key is there with another value only */
	SP_ABSENT,
};
enum sp_presence sp_cmdline_presence(const char *line, const char *token);

/*
 * One token of ours, and what it displaced on this line: foreign tokens of the same key, in the order in which they
 * were displaced. The one that stood where ours stands now is kept as its text alone. One that was taken out is
 * kept with where it stood, "@N", the blanks that went with it, and its text: "@3 iommu=soft" stood behind three
 * tokens. (No token begins with "@N" and a blank, so the two cannot be mixed up.) Show sp_displaced_text() to people.
 */
struct sp_token {
	char *text;
	struct sp_strv displaced;
};
const char *sp_displaced_text(const char *displaced); /* the token in it, borrowed */
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
 *    displaced is put back where it stood. Copies of our token that a tool made go, too. Our token gone, key
 *    absent: what was displaced is appended again. The key there with another value: somebody changed it; it stays,
 *    and "key" is added to `changed` (unless it is just what we had displaced: then somebody undid it already).
 *  - A token of `to`: already there exactly once and alone of its key: not a byte changes; it is ours only if
 *    `from` has the key. Our old value of `from` is replaced where it stands, and keeps what it displaced. Foreign
 *    tokens of the key are replaced where the last one stands (where ours stands, if it does), the others taken
 *    out, and all recorded as displaced. Else it is appended, one blank between, trailing blanks of the line kept
 *    behind it: before a lone "--", and before a token with an open quote, which would swallow it. A value that
 *    somebody gave to a key of `from` is replaced too, recorded as displaced, and the key added to `changed`.
 *    The `displaced` of a token of `to` name foreign tokens of other keys that cannot stand beside it
 *    ("amd_iommu=off" for "iommu=pt"): they go where it is claimed, and are recorded with it.
 *  - A token of a multi-valued key is ours alone: it is appended when it is not there, and displaces nothing.
 *
 * Nothing else of the line changes, not even runs of blanks. Idempotent: a second call with from = owned and the
 * same `to` returns the same line and the same owned. Invertible: a call with from = owned and to empty returns the
 * bytes that the first one started from. Both hold whatever bytes the line has. What is in `to` and is no single
 * token is passed over; of two values for one key the last counts. Pure; everything in ret is owned. line may be
 * NULL, which is an empty one.
 */
struct sp_transition {
	char *line;
	struct sp_tokens owned; /* what is ours on the new line: first what was before, in its order, then the new */
	struct sp_strv changed; /* keys of `from` that hold a value which is not ours */
};
void sp_cmdline_transition(const char *line, const struct sp_tokens *from, const struct sp_tokens *to,
			   struct sp_transition *ret);
void sp_transition_clear(struct sp_transition *t);
#define sp_autotransition sp_cleanup(sp_transition_clear)

/*
 * May this text be written into a command line anywhere: one token with a key, printable ASCII, and nothing in it that
 * a shell, GRUB's scripts or sed read as their own (blanks, quotes, # $ \ ; & | { } ( ) < > * ? ! ` ~)?
 */
bool sp_token_is_safe(const char *token);
