/* SPDX-License-Identifier: MIT */
#include "format/cmdline.h"

void sp_tokens_add(struct sp_tokens *t, const char *text, const struct sp_strv *displaced)
{
	struct sp_token token = { .text = sp_xstrdup(text) };

	if (displaced)
		sp_strv_copy(&token.displaced, displaced);
	t->v = sp_xrealloc(t->v, t->n + 1, sizeof(*t->v));
	t->v[t->n++] = token;
}

const struct sp_token *sp_tokens_find(const struct sp_tokens *t, const char *key)
{
	for (size_t i = 0; i < t->n; i++) {
		sp_autofree char *k = sp_token_key(t->v[i].text);

		if (sp_key_eq(k, key))
			return &t->v[i];
	}
	return NULL;
}

void sp_tokens_copy(struct sp_tokens *to, const struct sp_tokens *from)
{
	for (size_t i = 0; i < from->n; i++)
		sp_tokens_add(to, from->v[i].text, &from->v[i].displaced);
}

static bool strv_eq(const struct sp_strv *a, const struct sp_strv *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!sp_streq(a->v[i], b->v[i]))
			return false;
	return true;
}

bool sp_tokens_eq(const struct sp_tokens *a, const struct sp_tokens *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!sp_streq(a->v[i].text, b->v[i].text) || !strv_eq(&a->v[i].displaced, &b->v[i].displaced))
			return false;
	return true;
}

void sp_tokens_clear(struct sp_tokens *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].text);
		sp_strv_clear(&t->v[i].displaced);
	}
	free(t->v);
	*t = (struct sp_tokens){ 0 };
}
