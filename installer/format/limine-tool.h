/* SPDX-License-Identifier: MIT */
/*
 * The configuration of limine-entry-tool: KERNEL_CMDLINE[NAME]="..." gives kernels of that name, or "default", their
 * command line, and KERNEL_CMDLINE[NAME]+="..." adds to what earlier lines and files gave. Blanks may stand around the name and
 * the sign; one double quote at each end of a value is taken away, and nothing else in it means anything. What is
 * added is joined as it stands, so values that are added to others begin or end with a blank. Pure, bytes to bytes.
 * (limine-entry-tool: limine-entry-tool.conf, load_key_value_config)
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_limine_assign {
	unsigned line; /* 1-based */
	char *name;    /* "default", "fallback", a kernel's */
	bool anew;     /* '=': what was said before does not count */
	char *value;   /* without its quotes */
};
struct sp_limine_assigns {
	struct sp_limine_assign *v;
	size_t n;
};
/* -EINVAL: control bytes. Lines of other settings, and such as are no assignment, are passed over. */
int sp_limine_tool_parse(const struct sp_buf *file, struct sp_limine_assigns *ret, struct sp_error **err) sp_must_check;
void sp_limine_tool_clear(struct sp_limine_assigns *a);
#define sp_autolayer sp_cleanup(sp_limine_tool_clear)

/*
 * Host functions of kind limine-tool: what the file gives to the name var, from its last '=' on; see format/host.h. Where the
 * file gives nothing, put() adds a line that adds, and an empty text takes such a line out again.
 */
int sp_limine_tool_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
int sp_limine_tool_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		       struct sp_error **err) sp_must_check;
