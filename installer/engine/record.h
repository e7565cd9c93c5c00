/* SPDX-License-Identifier: MIT */
/* Inside of record: what a record consists of, before it is written. */
#pragma once

#include "engine/internal.h"
#include "format/anonymise.h"

enum sp_item_kind { SP_ITEM_FILE, SP_ITEM_FOLDER, SP_ITEM_LINK };

struct sp_item {
	char *path; /* "/sys/class/dmi/id/sys_vendor" */
	enum sp_item_kind kind;
	bool image;  /* of a program for UEFI: bytes are the texts in it, until sp_record_image_make() */
	bool plain;  /* comes from a package or names nobody: is left as it is */
	bool denied; /* there, but not for us to read: is empty, and nobody may read it in the record either */
	bool read_only; /* nobody may write it: for firmware that is the answer */
	struct sp_buf bytes;
	char *link; /* text of a symbolic link */
};

struct sp_items {
	struct sp_item *v;
	size_t n;
	struct sp_strv unread; /* "path: reason" */
};
void sp_items_clear(struct sp_items *items);
/* Add one (borrowed until the next); NULL: the path is there already. */
struct sp_item *sp_items_add(struct sp_items *items, enum sp_item_kind kind, const char *path);

/* --- record-list.c: what is taken; boot: of the root, too ----------------------------------------------------------
 */

void sp_record_collect(const struct sp_session *s, const struct sp_facts *facts, const struct sp_catalog *catalog,
		       bool boot, struct sp_items *ret);

/* --- record-take.c: one path ---------------------------------------------------------------------------------------
 */

/* How a path is taken. */
enum sp_take {
	SP_TAKE_COPY,	/* whole, without identifiers */
	SP_TAKE_PLAIN,	/* whole, as it is */
	SP_TAKE_LINES,	/* of settings for the GPU; the others are left empty, so that lines keep their numbers */
	SP_TAKE_IMAGE,	/* of a unified kernel image: what is read of it */
	SP_TAKE_NAME,	/* as an empty file, or folder */
	SP_TAKE_TARGET, /* of a link: the last part of its text, as a file */
	SP_TAKE_GROUP,	/* of a link to an IOMMU group: a link in the record */
	SP_TAKE_PEOPLE, /* of passwd: who may log in, without full names */
	SP_TAKE_GROUPS, /* of group: those that devices of the GPU belong to */
};
/* Whatever it is, and nothing where it is not there. Symbolic links of the root stay links; their target is taken, too.
 */
void sp_record_take(const struct sp_root *root, bool machine, const char *path, enum sp_take how, struct sp_items *ret);
/* A folder that may not be entered, or not listed, is such a folder in the record, too; path: it, or something below.
 */
void sp_record_denied(const struct sp_root *root, const char *path, int code, struct sp_items *ret);
bool sp_is_person(const char *line, char **ret_name); /* of passwd; the name is owned */

/* --- record-image.c ------------------------------------------------------------------------------------------------
 */

void sp_record_image(const struct sp_root *root, const char *path, struct sp_item *item);
void sp_record_image_make(struct sp_item *item);

/* --- record-names.c: who is to go ----------------------------------------------------------------------------------
 */

/* Host, people and serial numbers of the machine and the root; what they are read from is not recorded. */
void sp_record_names(const struct sp_session *s, struct sp_anon *anon);

/* --- record-write.c ------------------------------------------------------------------------------------------------
 */

/* Items sorted by path; -EEXIST: the output is there. */
int sp_record_write(const char *output, bool tar, const char *top, const struct sp_items *items,
		    struct sp_error **err) sp_must_check;
