/* SPDX-License-Identifier: MIT */
/*
 * Takes out of texts what names a machine, a disk or a person, and puts in
 * something of the same form: the same identifier always becomes the same
 * replacement, so that what belongs together still does.
 *
 *   UUIDs (also as 32 digits: machine-id; and as mdadm writes them)   00000000-0000-4000-8000-000000000001
 *   volume ids after UUID=, /by-uuid/, --fs-uuid (FAT: 1A2B-3C4D)       0000-0001
 *   hardware addresses, of six bytes or more                          02:00:00:00:00:01
 *   disks below /dev/disk/by-id                                        disk1
 *   names that were made known: hosts, people, serial numbers         host1, user1, serial1
 *   people in /home, /media, /run/media                                user1
 *   values whose key says that they are secret (PASSWORD=, ..._TOKEN=), password hashes of GRUB: "removed"
 *
 * GUIDs that are the same everywhere (EFI, partition types) stay. Two passes: every text is looked at, then every text
 * is rewritten; UUIDs are numbered in the order in which a boot menu sorts them.
 */
#pragma once

#include "base/str.h"

enum sp_anon_kind {
	SP_ANON_ID,
	SP_ANON_VOLUME,
	SP_ANON_ADDRESS,
	SP_ANON_DISK,
	SP_ANON_HOST,
	SP_ANON_USER,
	SP_ANON_SERIAL,
	SP_ANON_SECRET,
	SP_ANON__COUNT,
};
const char *sp_anon_kind_name(enum sp_anon_kind kind); /* "UUIDs", "host names", ...: what there were several of */

struct sp_anon;
struct sp_anon *sp_anon_new(void);
void sp_anon_free(struct sp_anon *a);
/*
 * A name (HOST, USER, SERIAL) that is to go wherever it is a whole word. One that names nobody ("localhost", "fedora",
 * "amd", or shorter than three letters) is passed over: it would be replaced in the names of files and parameters.
 */
void sp_anon_name(struct sp_anon *a, enum sp_anon_kind kind, const char *name);
void sp_anon_look(struct sp_anon *a, const char *data, size_t len);
void sp_anon_rewrite(struct sp_anon *a, const char *data, size_t len, struct sp_buf *out);
char *sp_anon_text(struct sp_anon *a, const char *text);	       /* the same for a string; owned */
size_t sp_anon_count(const struct sp_anon *a, enum sp_anon_kind kind); /* different ones so far */

static inline void sp_cleanup_anon_(struct sp_anon **a)
{
	sp_anon_free(*a);
}
#define sp_autoanon sp_cleanup(sp_cleanup_anon_)
