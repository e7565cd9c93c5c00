/* SPDX-License-Identifier: MIT */
/*
 * What initramfs images say (hw/initramfs.h), remembered for the very file: path, size, time, and inode number but on FAT,
 * which gives a file another one at each mount. Looking into an image may mean to unpack 500 MiB: commands that write
 * do, all others have the answer from the memory. One that is lost or damaged is as if nobody had asked.
 */
#pragma once

#include "base/root.h"
#include "hw/initramfs.h"

/* 0644 in the root; {"schema": ..., "images": [{path, size, mtime, mtime_ns, inode, options, maker}]} */
#define SP_IMAGES_DIR "/var/lib/strix-provision"
#define SP_IMAGES_NAME "images.json"

struct sp_image_memory;
struct sp_image_memory *sp_image_memory_new(const struct sp_root *root, const char *member); /* borrowed both; reads nothing yet */
void sp_image_memory_free(struct sp_image_memory *m);
/* From the memory; false: nothing is known about this file. */
bool sp_image_memory_find(struct sp_image_memory *m, const char *path, struct sp_initramfs *ret);
/* From the memory, else from the image, which is remembered. */
void sp_image_memory_look(struct sp_image_memory *m, const char *path, struct sp_initramfs *ret);
/* The text of the file with what was learned, and without what is no longer so; owned. NULL: nothing was learned. */
char *sp_image_memory_text(const struct sp_image_memory *m);

static inline void sp_cleanup_image_memory_(struct sp_image_memory **m)
{
	sp_image_memory_free(*m);
}
#define sp_autoimage_memory sp_cleanup(sp_cleanup_image_memory_)
