/* SPDX-License-Identifier: MIT */
/*
 * A record of this machine, for a report or for a test: what facts come from
 * (and, with boot, what boot setups and drop-ins are made of) is collected,
 * identifiers are replaced, and it is written.
 */
#include <errno.h>

#include "engine/record.h"

enum { GRUBENV_SIZE = 1024 };

void sp_recording_clear(struct sp_recording *r)
{
	free(r->path);
	sp_strv_clear(&r->unread);
	*r = (struct sp_recording){ 0 };
}

/* --- without identifiers -------------------------------------------------------------------------------------------
 */

static void look(const struct sp_items *items, struct sp_anon *anon)
{
	for (size_t i = 0; i < items->n; i++) {
		const struct sp_item *item = &items->v[i];
		sp_anon_look(anon, item->path, strlen(item->path));
		if (item->link)
			sp_anon_look(anon, item->link, strlen(item->link));
		if (!item->plain)
			sp_anon_look(anon, item->bytes.data, item->bytes.len);
	}
}

static void replace_text(struct sp_anon *anon, char **text)
{
	char *now = *text ? sp_anon_text(anon, *text) : NULL;

	free(*text);
	*text = now;
}

/* GRUB's block of variables has one size; what fills it up are '#'. */
static void fill_grubenv(struct sp_item *item)
{
	while (item->bytes.len > 0 && item->bytes.data[item->bytes.len - 1] == '#')
		item->bytes.len--;
	while (item->bytes.len < GRUBENV_SIZE)
		sp_buf_adds(&item->bytes, "#");
}

static void replace(struct sp_item *item, struct sp_anon *anon)
{
	const bool grubenv = sp_endswith(item->path, "/grubenv") && item->bytes.len == GRUBENV_SIZE;
	struct sp_buf out = { 0 };

	replace_text(anon, &item->path);
	replace_text(anon, &item->link);
	if (item->plain)
		return;
	sp_anon_rewrite(anon, item->bytes.data, item->bytes.len, &out);
	sp_buf_clear(&item->bytes);
	item->bytes = out;
	if (grubenv)
		fill_grubenv(item);
	if (item->image)
		sp_record_image_make(item);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct sp_item *) a)->path, ((const struct sp_item *) b)->path);
}

static void anonymise(const struct sp_session *s, struct sp_items *items, struct sp_recording *ret)
{
	sp_autoanon struct sp_anon *anon = sp_anon_new();

	sp_record_names(s, anon);
	look(items, anon);
	for (size_t i = 0; i < items->n; i++)
		replace(&items->v[i], anon);
	for (size_t i = 0; i < items->unread.n; i++)
		replace_text(anon, &items->unread.v[i]);
	if (items->n)
		qsort(items->v, items->n, sizeof(*items->v), by_path);
	for (int k = 0; k < SP_ANON__COUNT; k++)
		ret->replaced[k] = sp_anon_count(anon, (enum sp_anon_kind) k);
}

/* --- together ------------------------------------------------------------------------------------------------------
 */

static void count(const struct sp_items *items, struct sp_recording *ret)
{
	for (size_t i = 0; i < items->n; i++) {
		ret->files += items->v[i].kind != SP_ITEM_FOLDER;
		ret->bytes += items->v[i].bytes.len;
	}
	sp_strv_copy(&ret->unread, &items->unread);
}

static int record(const struct sp_session *s, const char *output, bool boot, struct sp_items *items,
		  struct sp_recording *ret, struct sp_error **err)
{
	sp_autocatalog struct sp_catalog *catalog = NULL;
	sp_autofacts struct sp_facts *facts = NULL;
	sp_autofree char *why = NULL;
	int r = sp_catalog_load(s->data_dir, &catalog, err);

	if (r == 0)
		r = sp_facts_read(s->root, s->machine, &facts, err);
	if (r < 0)
		return r;
	const struct sp_platform *platform = sp_platform_match(catalog, facts, &why);
	sp_autofree char *top = sp_xasprintf("strix-record-%s", platform ? platform->id : "unknown");
	ret->path = output ? sp_xstrdup(output) : sp_xasprintf("%s.tar", top);
	sp_record_collect(s, facts, catalog, boot, items);
	anonymise(s, items, ret);
	count(items, ret);
	ret->tar = sp_endswith(ret->path, ".tar");
	return sp_record_write(ret->path, ret->tar, top, items, err);
}

int sp_record_machine(const struct sp_session *s, const char *output, bool boot, struct sp_recording *ret,
		      struct sp_error **err)
{
	struct sp_items items = { 0 };
	int r = record(s, output, boot, &items, ret, err);

	sp_items_clear(&items);
	return r;
}
