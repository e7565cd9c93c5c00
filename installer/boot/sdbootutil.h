/* SPDX-License-Identifier: MIT */
/* The two halves of the setup sdbootutil: its entries (sdbootutil.c), and what it makes them of (sdbootutil-sources.c). */
#pragma once

#include "boot/internal.h"

#define SP_CMDLINE_D	 "/etc/kernel/cmdline.d"
#define SP_CMDLINE_D_OWN SP_CMDLINE_D "/50-strix-provision.conf"

/* Sources, and the places among them. The entries are known and claimed. */
int sp_sdbootutil_add_sources(const struct sp_sd_boot *rd, struct sp_error **err) sp_must_check;
void sp_sdbootutil_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret); /* ops->render */
