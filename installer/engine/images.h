/* SPDX-License-Identifier: MIT */
/* Initramfs images of this system, and the copies of our modprobe.d file in them. */
#pragma once

#include "hw/images.h"

enum sp_copy {
	SP_COPY_UNCHECKED,
	SP_COPY_UNREADABLE,
	SP_COPY_NONE,
	SP_COPY_SAME,  /* with the values that the file is to have */
	SP_COPY_OTHER, /* with others */
};
const char *sp_copy_name(enum sp_copy copy); /* "not-checked", "unreadable", "none", "same", "other" */

struct sp_boot_image {
	char *path, *kernel; /* kernel NULL: not known */
	const char *maker;   /* "dracut", ...; NULL: not known */
	const char *instead; /* the boot setup's own command that builds it; NULL: it is built alone */
	bool by_default;
	enum sp_copy copy;
	char *options; /* "amdgpu.gttsize=98304 ...": what it says; NULL: not known */
	char *why;     /* unreadable */
	char *rebuild; /* the command that builds it anew; NULL: not known */
};
struct sp_boot_images { /* of this system's entries, in the order of the menu */
	struct sp_boot_image *v;
	size_t n;
};
void sp_boot_images_clear(struct sp_boot_images *l);
