/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <search.h>

struct item {
	char *path;
	bool absent;
	struct sp_buf bytes;
};
struct sp_memory {
	void *items; /* of tsearch(3) */
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct item *) a)->path, ((const struct item *) b)->path);
}

static void free_item(void *p)
{
	struct item *i = p;

	free(i->path);
	sp_buf_clear(&i->bytes);
	free(i);
}

struct sp_memory *sp_memory_new(void)
{
	return sp_xcalloc(1, sizeof(struct sp_memory));
}

void sp_memory_free(struct sp_memory *m)
{
	if (!m)
		return;
	tdestroy(m->items, free_item);
	free(m);
}

static const struct item *find(const struct sp_memory *m, const char *path)
{
	const struct item key = { .path = (char *) path };
	void *const *found = m ? tfind(&key, (void *const *) &m->items, by_path) : NULL;

	return found ? *found : NULL;
}

static void keep(struct sp_memory *m, struct item item)
{
	if (!m || find(m, item.path))
		return;
	struct item *kept = sp_xmalloc(sizeof(*kept));
	*kept = item;
	kept->path = sp_xstrdup(item.path);
	if (!tsearch(kept, &m->items, by_path))
		free_item(kept); /* no memory left: it is read again */
}

void sp_memory_keep_absent(struct sp_memory *m, const char *path)
{
	keep(m, (struct item){ .path = (char *) path, .absent = true });
}

void sp_memory_keep(struct sp_memory *m, const char *path, const struct sp_buf *bytes)
{
	struct item item = { .path = (char *) path };

	if (!m || find(m, path))
		return;
	sp_buf_add(&item.bytes, bytes->data, bytes->len);
	keep(m, item);
}

bool sp_memory_is_absent(const struct sp_memory *m, const char *path)
{
	const struct item *i = find(m, path);

	return i && i->absent;
}

const struct sp_buf *sp_memory_find(const struct sp_memory *m, const char *path)
{
	const struct item *i = find(m, path);

	return i && !i->absent ? &i->bytes : NULL;
}
