/* SPDX-License-Identifier: MIT */
#include "boot/owned.h"

#include "format/bls.h"

/* --- what is ours now -------------------------------------------------------------------------------------------- */

static bool same_var(const char *a, const char *b)
{
	return a ? sp_streq(a, b) : !b;
}

static struct sp_owned *find_exactly(const struct sp_owned_list *list, const char *path, const char *var)
{
	for (size_t i = 0; i < list->n; i++)
		if (sp_streq(list->v[i].path, path) && same_var(list->v[i].host.var, var))
			return &list->v[i];
	return NULL;
}

static bool is_renamed(const struct sp_owned *o, const char *path)
{
	const char *was = strrchr(o->path, '/'), *now = strrchr(path, '/');

	return !o->whole && o->host.kind == SP_HOST_BLS_ALL && was && now && was - o->path == now - path &&
	       strncmp(o->path, path, (size_t) (now - path)) == 0 && sp_bls_same_name(was + 1, now + 1);
}

struct sp_owned *sp_owned_find(const struct sp_owned_list *list, const char *path, const char *var)
{
	struct sp_owned *o = find_exactly(list, path, var);

	for (size_t i = 0; i < list->n && !o && !var; i++)
		if (is_renamed(&list->v[i], path))
			o = &list->v[i];
	return o;
}

static void owned_clear(struct sp_owned *o)
{
	free(o->path);
	free(o->text);
	free(o->host.var);
	sp_tokens_clear(&o->tokens);
	*o = (struct sp_owned){ 0 };
}

/* Add a record, or put it in the place of the one that the list has; takes it over. */
static void put(struct sp_owned_list *list, struct sp_owned record)
{
	struct sp_owned *o = find_exactly(list, record.path, record.host.var);

	if (o) {
		owned_clear(o);
	} else {
		list->v = sp_xrealloc(list->v, list->n + 1, sizeof(*list->v));
		o = &list->v[list->n++];
	}
	*o = record;
}

static void forget(struct sp_owned_list *list, struct sp_owned *o)
{
	size_t at = (size_t) (o - list->v);

	owned_clear(o);
	list->n--;
	memmove(o, o + 1, (list->n - at) * sizeof(*o));
}

void sp_owned_set_tokens(struct sp_owned_list *list, const char *path, const struct sp_host *host,
			 const struct sp_tokens *tokens)
{
	struct sp_owned record = {
		.path = sp_xstrdup(path),
		.host = { .kind = host->kind, .var = sp_xstrdup(host->var) },
	};

	sp_tokens_copy(&record.tokens, tokens);
	put(list, record);
}

void sp_owned_set_whole(struct sp_owned_list *list, const char *path, const char *text)
{
	struct sp_owned *o = find_exactly(list, path, NULL);

	if (text)
		put(list, (struct sp_owned){ .path = sp_xstrdup(path), .whole = true, .text = sp_xstrdup(text) });
	else if (o)
		forget(list, o);
}

void sp_owned_clear(struct sp_owned_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		owned_clear(&list->v[i]);
	free(list->v);
	*list = (struct sp_owned_list){ 0 };
}

/* --- notes ------------------------------------------------------------------------------------------------------- */

void sp_note_add(struct sp_note *note, const struct sp_host *host, const struct sp_tokens *from,
		 const struct sp_tokens *to)
{
	struct sp_line_note line = { .host = { .kind = host->kind, .var = sp_xstrdup(host->var) } };

	sp_tokens_copy(&line.from, from);
	sp_tokens_copy(&line.to, to);
	note->lines = sp_xrealloc(note->lines, note->n_lines + 1, sizeof(*note->lines));
	note->lines[note->n_lines++] = line;
}

void sp_note_clear(struct sp_note *note)
{
	for (size_t i = 0; i < note->n_lines; i++) {
		free(note->lines[i].host.var);
		free(note->lines[i].linux_path);
		sp_tokens_clear(&note->lines[i].from);
		sp_tokens_clear(&note->lines[i].to);
	}
	free(note->block);
	free(note->lines);
	*note = (struct sp_note){ 0 };
}
