/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <search.h>

struct item {
	char *path;
	bool absent, direct, known; /* known: its content */
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

static struct item *find(const struct sp_memory *m, const char *path)
{
	const struct item key = { .path = (char *) path };
	void *const *found = m ? tfind(&key, (void *const *) &m->items, by_path) : NULL;

	return found ? *found : NULL;
}

/* NULL: nothing is remembered, or there is no memory left: it is read again. */
static struct item *find_or_add(struct sp_memory *m, const char *path)
{
	struct item *i = find(m, path);

	if (i || !m)
		return i;
	i = sp_xcalloc(1, sizeof(*i));
	i->path = sp_xstrdup(path);
	if (tsearch(i, &m->items, by_path))
		return i;
	free_item(i);
	return NULL;
}

void sp_memory_keep_absent(struct sp_memory *m, const char *path)
{
	struct item *i = find_or_add(m, path);

	if (i && !i->known && !i->direct)
		i->absent = true;
}

void sp_memory_keep(struct sp_memory *m, const char *path, const struct sp_buf *bytes)
{
	struct item *i = find_or_add(m, path);

	if (!i || i->known || i->absent)
		return;
	i->known = true;
	sp_buf_add(&i->bytes, bytes->data, bytes->len);
}

void sp_memory_keep_direct(struct sp_memory *m, const char *path)
{
	struct item *i = find_or_add(m, path);

	if (i && !i->absent)
		i->direct = true;
}

bool sp_memory_is_absent(const struct sp_memory *m, const char *path)
{
	const struct item *i = find(m, path);

	return i && i->absent;
}

bool sp_memory_is_direct(const struct sp_memory *m, const char *path)
{
	const struct item *i = find(m, path);

	return i && i->direct;
}

const struct sp_buf *sp_memory_find(const struct sp_memory *m, const char *path)
{
	const struct item *i = find(m, path);

	return i && i->known ? &i->bytes : NULL;
}
