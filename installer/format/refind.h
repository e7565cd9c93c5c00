/* SPDX-License-Identifier: MIT */
/*
 * refind_linux.conf, which rEFInd reads beside the kernels: a line is a label
 * and the options it stands for, each in double quotes, where a quote mark is
 * written twice; '#' begins a comment. The first line boots when nobody
 * chooses. Pure, bytes to bytes. (rEFInd's manual, "Methods of booting Linux")
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_refind_line {
	unsigned number; /* 1-based */
	char *label, *options; /* as rEFInd sees them, without their quotes */
};
struct sp_refind {
	struct sp_refind_line *v;
	size_t n;
};
/* -EOPNOTSUPP: a line is not of this shape (err names it); rEFInd splits it in its own way. */
int sp_refind_parse(const struct sp_buf *file, struct sp_refind *ret, struct sp_error **err) sp_must_check;
void sp_refind_clear(struct sp_refind *r);
#define sp_autorefind sp_cleanup(sp_refind_clear)

/* Host functions of kind refind: the options of the first line; see format/host.h. */
int sp_refind_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err) sp_must_check;
int sp_refind_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		  struct sp_error **err) sp_must_check;
