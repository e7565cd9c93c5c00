/* SPDX-License-Identifier: MIT */
/*
 * A Boot Loader Specification entry (type #1, https://uapi-group.org/specifications/specs/boot_loader_specification/)
 * as GRUB's blscfg and systemd-boot read it: "key value" lines, '#' comments. Pure, bytes to bytes.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_bls {
	char *title, *version, *linux_path, *machine_id, *sort_key, *grub_class; /* NULL: not there */
	struct sp_strv initrd;
	struct sp_strv options; /* every options line, in order */
};
/* -EINVAL with the line number for NUL bytes, control bytes or no line that says what to boot (linux, efi, uki). */
int sp_bls_parse(const struct sp_buf *file, struct sp_bls *ret, struct sp_error **err) sp_must_check;
void sp_bls_clear(struct sp_bls *bls);
#define sp_autobls sp_cleanup(sp_bls_clear)

/* Host functions of kind bls: see format/host.h. */
int sp_bls_get_options(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
int sp_bls_put_options(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		       struct sp_error **err) sp_must_check;

/*
 * `$name` and `${name}` in GRUB's options replaced by lookup's value (an unknown name vanishes, "\$" is a dollar);
 * owned. lookup returns a borrowed string or NULL.
 */
char *sp_bls_expand(const char *options, const char *(*lookup)(void *data, const char *name), void *data);

/* Order of entries in GRUB's menu: rpm's version comparison of file names, newest first: <0 when a comes first. */
int sp_bls_compare(const char *a, const char *b);

/* GRUB 2.14's own blscfg (blsuki) cannot boot an entry of this length: 6 + 1 + linux + 1 + options is a multiple of 32. */
bool sp_bls_bad_length(const char *linux_path, const char *options);
