/* SPDX-License-Identifier: MIT */
/*
 * An edit: one file as it was read and as it is to become. Planners and boot
 * setups return edits; only the transaction carries them out.
 */
#pragma once

#include <jansson.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "base/root.h"
#include "base/str.h"

struct sp_xattr {
	char *name;
	struct sp_buf value;
};

/* Everything about a file but its bytes. */
struct sp_meta {
	mode_t mode; /* permission bits only */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	struct sp_xattr *xattrs;
	size_t n_xattrs;
};
void sp_meta_clear(struct sp_meta *meta);
void sp_meta_copy(struct sp_meta *to, const struct sp_meta *from);
bool sp_meta_eq(const struct sp_meta *a, const struct sp_meta *b);
bool sp_meta_same_rights(const struct sp_meta *a, const struct sp_meta *b); /* all but the mtime */

/* A file at one moment. exists false: nothing else counts. */
struct sp_image {
	bool exists;
	struct sp_buf bytes;
	struct sp_meta meta;
};
void sp_image_clear(struct sp_image *image);
void sp_image_copy(struct sp_image *to, const struct sp_image *from);
/*
 * Read a file with its metadata. A missing file is no error (exists false). Refused with a message and -errno:
 * not a regular file, more than SP_FILE_MAX bytes, more than one hard link (-EMLINK: replacing it would tear the
 * names apart), immutable or append-only flag (-EPERM, hint names chattr), set-id or sticky bits or capabilities (-EPERM:
 * no configuration file has them, and what has them must not be written anew).
 */
#define SP_XATTR_CAPABILITY "security.capability"
int sp_image_read(const struct sp_root *root, const char *path, struct sp_image *ret,
		  struct sp_error **err) sp_must_check;
/* The same with another limit. A transaction carries files of up to SP_IMAGE_MAX: initramfs images have firmware in them. */
#define SP_IMAGE_MAX ((size_t) 512 * 1024 * 1024)
int sp_image_read_max(const struct sp_root *root, const char *path, size_t max, struct sp_image *ret,
		      struct sp_error **err) sp_must_check;

enum sp_op {
	SP_OP_KEEP,
	SP_OP_CREATE,
	SP_OP_REPLACE,
	SP_OP_DELETE,
};
const char *sp_op_name(enum sp_op op); /* "keep", "create", "replace", "delete" */

struct sp_edit {
	char *path; /* in the root, absolute, symbolic links resolved */
	enum sp_op op;
	struct sp_image before;
	struct sp_image after;
	bool exact_meta; /* after.meta is to be restored to the letter, mtime too (rollback); else mode, owner and
			    xattrs of before, or 0644 root for a new file, and the present time */
	json_t *note;	 /* the engine's, kept in the journal and not looked into; may be NULL */
};
struct sp_edits {
	struct sp_edit *v;
	size_t n;
	size_t max; /* bytes of a file that is added; 0: SP_FILE_MAX */
};
/*
 * Add an edit: path is resolved in the root, the before-image read, op decided by comparing (same bytes: keep). after
 * NULL deletes. Returns the edit (borrowed, until the next add) in *ret when ret is not NULL.
 */
int sp_edits_add(struct sp_edits *edits, const struct sp_root *root, const char *path, const struct sp_buf *after,
		 struct sp_edit **ret, struct sp_error **err) sp_must_check;
bool sp_edits_pending(const struct sp_edits *edits); /* any that is not keep */
struct sp_edit *sp_edits_find(const struct sp_edits *edits, const char *path);
void sp_edits_clear(struct sp_edits *edits);
#define sp_autoedits sp_cleanup(sp_edits_clear)
