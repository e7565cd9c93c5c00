/* SPDX-License-Identifier: MIT */
/*
 * /etc/kernelstub/configuration, from which kernelstub of Pop!_OS writes the boot entries: JSON, where the list
 * user.kernel_options holds the command line behind "root=UUID=... ro", one argument an item, joined with blanks. Pure,
 * bytes to bytes. (kernelstub: config.py, application.py)
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

/*
 * Host functions of kind kernelstub; see format/host.h. Only the list is changed: an item that stays keeps its bytes, a new one
 * looks like its neighbour. -EOPNOTSUPP: no such list, or it is not one of texts (older versions: one text, which
 * kernelstub itself brings up to date); -EINVAL: this is no JSON.
 */
int sp_kernelstub_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
int sp_kernelstub_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		      struct sp_error **err) sp_must_check;
