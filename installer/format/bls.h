/* SPDX-License-Identifier: MIT */
/*
 * A Boot Loader Specification entry (type #1, https://uapi-group.org/specifications/specs/boot_loader_specification/)
 * as GRUB's blscfg and systemd-boot read it: "key value" lines, '#' comments. Pure, bytes to bytes.
 *
 * Where they differ (GRUB: blscfg.c of the Fedora and RHEL branches): GRUB stops reading at the first line that is
 * neither a comment nor "key value" (an empty line, too) and takes the first line of a key; systemd-boot reads on, and
 * joins all options lines. Continuation lines are not part of the format.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_bls {
	char *title, *version, *linux_path, *machine_id, *sort_key, *grub_class; /* first of each; NULL: not there */
	struct sp_strv initrd;	/* every path, also where a line has several; may hold GRUB's "$tuned_initrd" */
	struct sp_strv options; /* every options line, in order */
};
/* -EINVAL with the line number for NUL bytes, control bytes or no line that says what to boot (linux, efi, uki). */
int sp_bls_parse(const struct sp_buf *file, struct sp_bls *ret, struct sp_error **err) sp_must_check;
void sp_bls_clear(struct sp_bls *bls);
#define sp_autobls sp_cleanup(sp_bls_clear)

/*
 * Host functions of kind bls: see format/host.h. A new options line is put where GRUB still reads it. An empty line
 * takes the options line out again, because a bare "options" makes GRUB stop reading there; one that is there already
 * counts for nothing and stays.
 */
int sp_bls_get_options(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
int sp_bls_put_options(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		       struct sp_error **err) sp_must_check;

/*
 * Host functions of kind bls-all: systemd-boot's view, all options lines joined by a blank. -EOPNOTSUPP: quotes at both
 * ends of a line, which systemd-boot takes away, so that what is put behind them would change what is between them.
 */
int sp_bls_get_all_options(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
int sp_bls_put_all_options(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
			   struct sp_error **err) sp_must_check;

/* The last value of a key in a file of this format, such as loader.conf (owned); *ret NULL: none. -EINVAL: as above. */
int sp_bls_last(const struct sp_buf *file, const char *key, char **ret, struct sp_error **err) sp_must_check;

/*
 * `$name` and `${name}` in GRUB's options replaced by lookup's value (an unknown name vanishes, "\$" is a dollar);
 * owned. GRUB sets a blank behind the value of a `$name`, in place of the one that stands there. lookup returns a
 * borrowed string or NULL.
 */
char *sp_bls_expand(const char *options, const char *(*lookup)(void *data, const char *name), void *data);

/*
 * Order of entries in GRUB's menu: file names without ".conf", cut at the last two dashes into name, version and
 * release, each compared like rpm does, newest first: <0 when a comes first. 0: GRUB shows only one of the two.
 */
int sp_bls_compare(const char *a, const char *b);

/* GRUB 2.14's own blscfg (blsuki) cannot boot such an entry: 6 + 1 + linux + 1 + options bytes, a multiple of 32. */
bool sp_bls_bad_length(const char *linux_path, const char *options);

/*
 * systemd-boot counts boots in the names of entries, "NAME+LEFT.conf" or "NAME+LEFT-DONE.conf", and renames them at each
 * boot. LEFT counts down; 0: it is taken for bad. A name without a counter: -1 both.
 */
struct sp_bls_tries {
	long left, done;
};
struct sp_bls_tries sp_bls_tries(const char *file);
bool sp_bls_same_name(const char *a, const char *b); /* but for the counter; both are names of entries */
char *sp_bls_plain_name(const char *file);	     /* without the counter, owned */

/*
 * The order of versions by which systemd-boot sorts (UAPI Version Format Specification, which
 * `systemd-analyze compare-versions` has, too): <0, 0, >0. NULL: an empty one.
 */
int sp_bls_compare_versions(const char *a, const char *b);
