/* SPDX-License-Identifier: MIT */
/*
 * The menu that a grub.cfg builds, as far as it stands there in so many words: menuentry and submenu blocks with their
 * titles, identifiers, linux and initrd commands, and which generator script wrote them (the "### BEGIN" comments of
 * grub-mkconfig). Read only: nothing is executed, variables stay as written, conditions are taken for true. What a
 * script computes at boot (source, configfile, functions, blscfg) is not seen. Pure.
 *
 * Grammar: GRUB's manual, "Writing full configuration files directly"; comments and sections: util/grub-mkconfig.in.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_menu_kernel { /* one linux, linux16 or linuxefi command */
	char *path;
	char *args; /* as written behind the path, blanks around it cut off; "" for none */
};

struct sp_menu_item {
	bool submenu;
	int parent;	 /* index of the submenu it stands in; -1: the top */
	unsigned number; /* in its menu, from 0 */
	char *title;
	char *id;      /* NULL: none */
	char *section; /* "/etc/grub.d/10_linux"; NULL: outside of all */
	struct sp_menu_kernel *kernels; /* more than one where the entry chooses at boot */
	size_t n_kernels;
	struct sp_strv initrd; /* paths */
	unsigned line;	       /* 1-based, of its menuentry or submenu */
};

struct sp_menu {
	struct sp_menu_item *v; /* as they stand in the file */
	size_t n;
	char *default_spec; /* the last `set default=` that is not next_entry's, "$" and all; NULL: none */
	bool generated;	    /* it has sections: grub-mkconfig wrote it */
};

/* Far more than any menu; a file beyond is refused. */
enum { SP_MENU_MAX_ITEMS = 4096, SP_MENU_MAX_DEPTH = 32 };

/* -EINVAL with the line: a quote or a block is never closed, a block closes that was not opened; -E2BIG: see above. */
int sp_grubcfg_parse(const struct sp_buf *file, struct sp_menu *ret, struct sp_error **err) sp_must_check;
void sp_menu_clear(struct sp_menu *menu);
#define sp_automenu sp_cleanup(sp_menu_clear)

/*
 * A menuentry that does what `of`, an entry of that file, does, with another header and another command line for its kernel;
 * it saves nothing (savedefault, recordfail). Appended to *ret. -ENOTSUP: it has not exactly one kernel, or is no plain block
 * of lines, or the line cannot be said there.
 */
int sp_grubcfg_copy_entry(const struct sp_buf *file, const struct sp_menu_item *of, const char *header, const char *args,
			  struct sp_buf *ret, struct sp_error **err) sp_must_check;

/*
 * The entry that GRUB takes for a name: a title, an identifier or a number, behind those of its submenus with ">"
 * between them (">>" is a ">" of a title). A submenu named alone means its first entry. -1: none.
 */
int sp_menu_find(const struct sp_menu *menu, const char *spec);
