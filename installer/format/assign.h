/* SPDX-License-Identifier: MIT */
/*
 * The drop-in formats that say "key is value": sysctl.d, modprobe.d and
 * environment.d. Read to compute what is in effect; written only as files that
 * are wholly ours. Pure, bytes to bytes. One source file per format.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_assign {
	char *key;     /* sysctl: dots ("vm.swappiness"); modprobe: "module.parameter" with '_'; environment: NAME */
	/*
	 * Without surrounding blanks and, where the format has them, without quotes; expansions as written.
	 * NULL: modprobe: a bare parameter; sysctl: "-key", which keeps globs from setting key
	 */
	char *value;
	unsigned line; /* 1-based, of the first physical line */
	bool glob;     /* sysctl: the key has a pattern in it */
};
struct sp_assigns {
	struct sp_assign *v;
	size_t n;
};
void sp_assigns_clear(struct sp_assigns *a);
#define sp_autoassigns sp_cleanup(sp_assigns_clear)

/*
 * Never fail: what is not understood is what the system's own reader would pass over, too. CRLF, NUL, no final
 * newline, continuation lines (modprobe, environment) are handled. In the order of the file; ret is overwritten.
 */
void sp_sysctl_parse(const struct sp_buf *file, struct sp_assigns *ret);      /* sysctl.d(5) */
void sp_modprobe_parse(const struct sp_buf *file, struct sp_assigns *ret);    /* modprobe.d(5): `options` lines */
void sp_environment_parse(const struct sp_buf *file, struct sp_assigns *ret); /* environment.d(5) */

/* A line of a file of ours. */
struct sp_dropin_line {
	const char *id;	    /* of the setting */
	const char *reason; /* one sentence, in the comment above the line */
	const char *key, *value;
};
/*
 * The whole file: a head that says who wrote it and where to change it (/etc/strix-provision.conf, never here), then
 * for each line a comment "# id: reason" (wrapped at 100 columns) and the line itself. No lines: an empty buffer.
 * Reading the result back with the parser gives exactly these keys and values.
 */
void sp_sysctl_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret);
void sp_modprobe_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret);
void sp_environment_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret);
