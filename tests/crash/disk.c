/* SPDX-License-Identifier: MIT */
#include "disk.h"

struct thing *disk_find(const struct disk *d, const char *path)
{
	for (size_t i = 0; i < d->n; i++)
		if (sp_streq(d->v[i].path, path))
			return &d->v[i];
	return NULL;
}

bool disk_is_dirty(const struct disk *d, const char *path)
{
	const struct thing *t = disk_find(d, path);

	return t && t->dirty;
}

bool disk_is_loader(const char *path)
{
	return sp_startswith(path, "/boot/") || sp_startswith(path, "/efi/");
}

struct thing *disk_soil(struct disk *d, const char *path, uint64_t dev)
{
	struct thing *t = disk_find(d, path);

	if (!t) {
		d->v = sp_xrealloc(d->v, d->n + 1, sizeof(*d->v));
		t = &d->v[d->n++];
		*t = (struct thing){ .path = sp_xstrdup(path) };
	}
	t->dev = dev;
	t->dirty = true;
	t->staged = t->staged || disk_is_loader(path);
	return t;
}

/* The folder that holds path. */
struct thing *disk_soil_folder(struct disk *d, const char *path, uint64_t dev)
{
	sp_autofree char *folder = sp_xstrndup(path, (size_t) (strrchr(path, '/') - path));

	return disk_soil(d, folder, dev);
}

void disk_forget(struct disk *d, const char *path)
{
	struct thing *t = disk_find(d, path);

	if (!t)
		return;
	free(t->path);
	*t = d->v[--d->n];
}

/* What has the name `from` is called `to` now; with `exchange` also the other way round. */
void disk_move(struct disk *d, const char *from, const char *to, bool exchange)
{
	struct thing *moved, *other = disk_find(d, to);

	if (other && exchange) {
		free(other->path);
		other->path = sp_xstrdup(""); /* until `from` is free */
	} else if (other) {
		disk_forget(d, to);
	}
	moved = disk_find(d, from);
	if (moved) {
		free(moved->path);
		moved->path = sp_xstrdup(to);
	}
	other = disk_find(d, "");
	if (other) {
		free(other->path);
		other->path = sp_xstrdup(from);
	}
}

void disk_wash(struct disk *d, uint64_t dev, bool all)
{
	for (size_t i = 0; i < d->n; i++)
		if (all || d->v[i].dev == dev)
			d->v[i].dirty = d->v[i].staged = d->v[i].away = false;
}

bool disk_any_away(const struct disk *d)
{
	bool any = false;

	for (size_t i = 0; i < d->n; i++)
		any = any || d->v[i].away;
	return any;
}

const char *disk_any_staged(const struct disk *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].staged)
			return d->v[i].path;
	return NULL;
}

void disk_clear(struct disk *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].path);
	free(d->v);
	*d = (struct disk){ 0 };
}
