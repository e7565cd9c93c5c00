/* SPDX-License-Identifier: MIT */
/*
 * What is ours in each file: some tokens of a line, or the whole file. Kept
 * as JSON in the journal (a file's change, from -> to) and in state.json (what
 * is ours now), so that an undo can take out exactly that and nothing else.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/str.h"
#include "format/cmdline.h"
#include "format/host.h"

struct sp_owned {
	char *path;
	bool whole;	     /* the file is ours altogether; host and tokens do not count */
	char *text;	     /* whole: its bytes */
	struct sp_host host; /* else: where the line stands */
	struct sp_tokens tokens;
};
struct sp_owned_list {
	struct sp_owned *v;
	size_t n;
};
/*
 * The entry for a path and (where a file has several lines, such as /etc/default/grub) its variable; NULL: none. An entry of
 * systemd-boot is found by its name without the boot counter, too, which changes at each boot.
 */
struct sp_owned *sp_owned_find(const struct sp_owned_list *list, const char *path, const char *var);
/*
 * Add or replace; copies everything. A record without tokens is kept: the place is known, and nothing there is ours
 * (every wanted token was foreign). A place without a record is one that no transaction has seen.
 */
void sp_owned_set_tokens(struct sp_owned_list *list, const char *path, const struct sp_host *host,
			 const struct sp_tokens *tokens);
void sp_owned_set_whole(struct sp_owned_list *list, const char *path, const char *text /* NULL removes */);
void sp_owned_clear(struct sp_owned_list *list);
#define sp_autoowned sp_cleanup(sp_owned_clear)

json_t *sp_tokens_to_json(const struct sp_tokens *tokens);
int sp_tokens_from_json(const json_t *json, struct sp_tokens *ret, struct sp_error **err) sp_must_check;
json_t *sp_owned_to_json(const struct sp_owned_list *list);
int sp_owned_from_json(const json_t *json, struct sp_owned_list *ret, struct sp_error **err) sp_must_check;

/*
 * An edit's note: what was ours in the file before and what is after, one record a line that it holds:
 * {"whole": true}, {"product": true} or {"lines": [{"host", "var", "linux", "from": [...], "to": [...]}]}. Bytes that are no UTF-8 are
 * kept as {"hex": "..."} in the place of a string.
 */
struct sp_line_note {
	struct sp_host host;
	char *linux_path; /* an entry of a GRUB with the length bug; NULL: none, see sp_owned_move() */
	struct sp_tokens from, to;
};
struct sp_note {
	bool whole;
	bool product; /* it was generated from what else is in the transaction */
	char *block;  /* a block of ours in a file of somebody else's: format/block.h; NULL: none */
	struct sp_line_note *lines;
	size_t n_lines;
};
json_t *sp_note_to_json(const struct sp_note *note);
int sp_note_from_json(const json_t *json, struct sp_note *ret, struct sp_error **err) sp_must_check;
void sp_note_add(struct sp_note *note, const struct sp_host *host, const struct sp_tokens *from,
		 const struct sp_tokens *to); /* copies */
void sp_note_clear(struct sp_note *note);
#define sp_autonote sp_cleanup(sp_note_clear)

/*
 * The way in which every line moves, forwards in a plan and backwards in a rollback (from and to exchanged). That of
 * sp_cmdline_transition(), and two things more:
 *
 *  - A line where keys are only taken out (GRUB_CMDLINE_LINUX_DEFAULT, which would win over ours) holds nothing of
 *    ours. Its record is one token with the text "", whose `displaced` are the foreign tokens that were taken out. In
 *    `to`, the displaced of such a token name what may not stand there: all of these keys go, whatever their value.
 *    In `from`, they are put back first, where they stood, unless the key is there again. So the inverse is exact.
 *  - linux_path not NULL (a GRUB that cannot boot entries of some lengths, sp_bls_bad_length()): a line of such a
 *    length gets one more blank between its last two tokens. A second run has nothing to do then. Taking our tokens
 *    out of a line that was edited since leaves that blank; an unedited file gets its before-image back.
 */
void sp_owned_move(const char *line, const struct sp_tokens *from, const struct sp_tokens *to, const char *linux_path,
		   struct sp_transition *ret);
/* `to` for such a line: none of the keys of `wanted` may stand there. ret starts empty. */
void sp_owned_bar(const struct sp_tokens *wanted, struct sp_tokens *ret);
