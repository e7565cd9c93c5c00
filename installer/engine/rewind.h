/* SPDX-License-Identifier: MIT */
/* The two halves of a rollback: which transactions (rollback.c), and what becomes of each file (rewind.c). */
#pragma once

#include "engine/internal.h"

struct sp_undo {
	const struct sp_session *s;
	struct sp_record *records;
	size_t n;
	bool *chosen; /* records that are undone */
	const struct sp_record *target; /* the committed apply that stands afterwards; NULL: none */
	struct sp_applied now, then;
	struct sp_edits edits;
	struct sp_strv conflicts, drop_dirs;
	bool generate; /* what was generated is made anew */
	struct sp_boot_images images;
	const struct sp_boot_image *rebuild; /* of images: one that was ours and is not as we left it is made anew; NULL: none */
	char *rebuild_options;
	struct sp_carveout carveout;
	struct sp_attribute firmware; /* path NULL: it is not written; a view into carveout and records */
	char *firmware_shown;
	struct sp_attribute line; /* path NULL: no program is asked to change the line; owned */
	bool change_line;
};

/* Edits that take every file of the chosen transactions back; conflicts, and the folders they made. */
int sp_rewind_files(struct sp_undo *u, struct sp_error **err) sp_must_check;
/* And of places that none of them touched: entries of kernels that were installed since. */
int sp_rewind_places(struct sp_undo *u, struct sp_boot *boot, struct sp_error **err) sp_must_check;
/* The line that a program keeps, without what is not to stand afterwards. */
int sp_rewind_kept_line(struct sp_undo *u, const struct sp_boot *boot, struct sp_strv *warnings, struct sp_error **err) sp_must_check;
/* The carve-out that the chosen transactions found; a conflict where it cannot be set. */
void sp_rewind_firmware(struct sp_undo *u, const struct sp_facts *facts, struct sp_strv *warnings);
/*
 * What is generated and did not come back with the files is to be made anew, or, where that cannot be done here, is
 * recorded as due, with a warning that says what to do.
 */
int sp_rewind_product(struct sp_undo *u, const struct sp_boot *boot, struct sp_strv *warnings,
		      struct sp_error **err) sp_must_check;
/* An initramfs image that was built for us, was built again since, and says what is to go: it is made anew where it can be. */
void sp_rewind_image(struct sp_undo *u, const struct sp_boot *boot, const struct sp_facts *facts);
