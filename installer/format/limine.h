/* SPDX-License-Identifier: MIT */
/*
 * limine.conf, the configuration of the boot loader Limine: options "key: value", one a line, their keys in any case;
 * '/' at the start of a line opens an entry, one more a level, "/+" one whose sub-entries are shown. Blanks at both
 * ends of a line do not count. Of an option that stands twice in an entry the first counts. Pure, bytes to bytes.
 * (Limine: CONFIG.md, common/lib/config.c)
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

#define SP_LIMINE_NONE ((size_t) -1)

struct sp_limine_entry {
	/*
	 * The titles from the top, with '/' between them, as Limine's default_entry names an entry: '/', '\' and '#' in a title
	 * have a '\' in front, and "#N" follows where N entries beside it and above it have the same title.
	 */
	char *path;
	char *title;
	unsigned line;	/* 1-based */
	size_t parent;	/* index; SP_LIMINE_NONE: it is at the top */
	bool folder;	/* it has sub-entries */
	bool open;	/* they are shown */
	char *protocol, *kernel; /* NULL: it does not say */
	struct sp_strv modules;
	char *line_text; /* its command line; NULL: it has none */
	char *why;	 /* that cannot be told or changed; NULL: it can */
	struct sp_strv remarks; /* its comments: of the option, and of lines with '#' */
};
struct sp_limine {
	struct sp_limine_entry *v; /* as they stand in the file */
	size_t n;
	char *default_entry; /* the global option: a number or a path; NULL: not set */
};
/* -EINVAL: damaged, which Limine itself would stop at (a sub-entry without its entry; control bytes). */
int sp_limine_parse(const struct sp_buf *file, struct sp_limine *ret, struct sp_error **err) sp_must_check;
void sp_limine_clear(struct sp_limine *l);
#define sp_autolimine sp_cleanup(sp_limine_clear)
/* The entry that boots when nobody chooses: index; a folder stands for the first entry in it. SP_LIMINE_NONE: none. */
size_t sp_limine_default(const struct sp_limine *l);

/* Host functions of kind limine: the command line of the entry with the path var; see format/host.h. */
int sp_limine_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
int sp_limine_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		  struct sp_error **err) sp_must_check;

/*
 * Does Limine's program hold a checksum that its configuration must have ("limine enroll-config")? 1, 0, or -ENOENT: these
 * are not the bytes of Limine. Behind a marker there are digits, all '0' where there is none.
 */
int sp_limine_enrolled(const struct sp_buf *program) sp_must_check;
