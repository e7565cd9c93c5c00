/* SPDX-License-Identifier: MIT */
/*
 * What is not yet on disk for certain: things become dirty by calls that change them, and clean by a sync of them or of
 * their file system.
 */
#pragma once

#include "base/str.h"

/* A file or a folder, by its name of the moment: nothing here has two. */
struct thing {
	char *path;
	uint64_t dev;
	bool dirty;  /* content of a file, names in a folder */
	bool placed; /* it got a final name in the tree, or a final name changed in it */
	/* Where boot loaders read, and not brought home by a syncfs: */
	bool staged; /* written */
	bool away;   /* a folder: a final name changed */
};

struct disk {
	struct thing *v;
	size_t n;
};

bool disk_is_loader(const char *path); /* boot loaders read there */
struct thing *disk_find(const struct disk *d, const char *path);
bool disk_is_dirty(const struct disk *d, const char *path);
/* Made dirty, and known from now on. */
struct thing *disk_soil(struct disk *d, const char *path, uint64_t dev);
struct thing *disk_soil_folder(struct disk *d, const char *path, uint64_t dev); /* the one that holds path */
void disk_forget(struct disk *d, const char *path);
/* What has the name `from` is called `to` now; with `exchange` also the other way round. */
void disk_move(struct disk *d, const char *from, const char *to, bool exchange);
void disk_wash(struct disk *d, uint64_t dev, bool all); /* synced: a file system, or everything */
bool disk_any_away(const struct disk *d);
const char *disk_any_staged(const struct disk *d); /* NULL: none */
void disk_clear(struct disk *d);
