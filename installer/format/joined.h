/* SPDX-License-Identifier: MIT */
/*
 * A command line that stands in several lines of a file: read as one, with a blank between its parts, and changed where
 * its words stand. For the files of this folder only. Pure.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_joined {
	struct sp_buf line;
	size_t *from;	/* offset in the file of each byte of line; for a joint that behind the part before */
	size_t n_parts;
	size_t end;	/* of the last part */
};
/* One part more: the bytes [start, end) of the file, which stand behind those that were added before. */
void sp_joined_add(struct sp_joined *j, const struct sp_buf *file, size_t start, size_t end);
void sp_joined_clear(struct sp_joined *j);
#define sp_autojoined sp_cleanup(sp_joined_clear)
/*
 * The file with this line in the place of the joined one. What is new goes behind the word that it follows. -EOPNOTSUPP:
 * a word that changes runs over a line end.
 */
int sp_joined_rewrite(const struct sp_buf *file, const struct sp_joined *j, const char *line, struct sp_buf *ret,
		      struct sp_error **err) sp_must_check;
bool sp_joined_says(const struct sp_joined *j, const char *line); /* the words of this line, and no others */
