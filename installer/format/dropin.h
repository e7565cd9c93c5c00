/* SPDX-License-Identifier: MIT */
/* Inside of format/assign.h: what the three formats share. Pure. */
#pragma once

#include "format/assign.h"

/* Add one; key and value are owned by the list from now on. */
void sp_assigns_take(struct sp_assigns *a, char *key, char *value, unsigned line, bool glob);

/*
 * The file of n lines, each written by line(); an empty buffer for none. All three formats take a line that begins
 * with '#' as a comment.
 */
void sp_dropin_render(const struct sp_dropin_line *lines, size_t n,
		      void (*line)(const struct sp_dropin_line *line, struct sp_buf *b), struct sp_buf *ret);
