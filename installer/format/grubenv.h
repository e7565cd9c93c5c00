/* SPDX-License-Identifier: MIT */
/*
 * GRUB's environment block: exactly 1024 bytes, "# GRUB Environment Block\n", name=value lines, '\\' before '\\' and
 * newline, filled up with '#'. Pure, bytes to bytes; the order of the variables is kept.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

#define SP_GRUBENV_SIZE 1024

/* Value, owned. -ENOENT: not there; -EINVAL: not an environment block (size, first line): message says which. */
int sp_grubenv_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
/*
 * A variable that is there more than once: the last one counts. A new one is added at the end.
 * -ENOSPC: the block would be larger than 1024 bytes. value NULL removes the variable.
 */
int sp_grubenv_put(const struct sp_buf *file, const char *var, const char *value, struct sp_buf *ret,
		   struct sp_error **err) sp_must_check;
