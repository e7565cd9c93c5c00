/* SPDX-License-Identifier: MIT */
/*
 * What an initramfs image (or a unified kernel image with one in it) says to modules that are loaded from it: its maker
 * copied modprobe.d into it when it was built. dracut, initramfs-tools and mkinitcpio copy the files, booster keeps their
 * options. The whole image is unpacked for that, in pieces, so nobody asks twice: hw/images.h
 */
#pragma once

#include "base/root.h"
#include "base/str.h"

struct sp_initramfs {
	char *why; /* what it says is not known: the reason; NULL: it is */
	const char *maker; /* who made it: one of sp_initramfs_makers; NULL: not known */
	char *options; /* those of our file in it, "amdgpu.gttsize=98304 ttm.pages_limit=25165824"; "": it has none; NULL: see why */
};
/* member: our file, "etc/modprobe.d/NAME". Of a booster's image the options that size the GTT count. */
void sp_initramfs_read(const struct sp_root *root, const char *path, const char *member, struct sp_initramfs *ret);
void sp_initramfs_clear(struct sp_initramfs *i);
#define sp_autoinitramfs sp_cleanup(sp_initramfs_clear)

extern const char *const sp_initramfs_makers[]; /* "dracut", "initramfs-tools", ...; NULL at the end */

/* The options of a modprobe.d file in that form, owned; sizes_only: those of the GTT's size alone. */
char *sp_initramfs_options(const struct sp_buf *file, bool sizes_only);
