/* SPDX-License-Identifier: MIT */
/* A journal, as the writes to it tell. */
#pragma once

#include "base/str.h"

enum record { RECORD_NONE, RECORD_BEGIN, RECORD_FILES, RECORD_PREPARED, RECORD_COMMITTED, RECORD_DONE, RECORD_UNDONE,
	      RECORD_OTHER };

struct journal_text {
	char *path;
	struct sp_buf text;
	size_t n;		/* whole records */
	enum record last;
	struct sp_strv listed;	 /* files, and folders that are to be made */
	struct sp_strv prepared; /* files of a FILES record with PREPARED behind it */
};
void journal_text_add(struct journal_text *j, const char *path, const char *text); /* another path: another journal */
void journal_text_cut(struct journal_text *j, size_t size);
void journal_text_clear(struct journal_text *j);
