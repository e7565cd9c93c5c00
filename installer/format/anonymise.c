/* SPDX-License-Identifier: MIT */
#include "format/anonymise.h"

#include <ctype.h>

#include "format/anonymise-match.h"
#include "format/bls.h"

struct known {
	enum sp_anon_kind kind;
	char *key;     /* in lower case; of numbers the digits alone */
	size_t number; /* from 1, by kind */
};

struct sp_anon {
	struct known *v;
	size_t n, of_kind[SP_ANON__COUNT];
	bool numbered;
};

static const struct {
	const char *name, *word; /* word: the replacement is this and the number; NULL: it keeps its form */
} kinds[SP_ANON__COUNT] = {
	[SP_ANON_ID] = { "UUIDs", NULL },
	[SP_ANON_VOLUME] = { "volume ids", NULL },
	[SP_ANON_ADDRESS] = { "hardware addresses", NULL },
	[SP_ANON_DISK] = { "disk names", "disk" },
	[SP_ANON_HOST] = { "host names", "host" },
	[SP_ANON_USER] = { "user names", "user" },
	[SP_ANON_SERIAL] = { "serial numbers", "serial" },
	[SP_ANON_SECRET] = { "secrets", "removed" },
};

const char *sp_anon_kind_name(enum sp_anon_kind kind)
{
	return kinds[kind].name;
}

struct sp_anon *sp_anon_new(void)
{
	return sp_xcalloc(1, sizeof(struct sp_anon));
}

void sp_anon_free(struct sp_anon *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i].key);
	free(a->v);
	free(a);
}

size_t sp_anon_count(const struct sp_anon *a, enum sp_anon_kind kind)
{
	return a->of_kind[kind];
}

/* --- what is known --------------------------------------------------------------------------------------------- */

/* Digits alone count: the same id may be written with dashes and without. */
static bool is_number(enum sp_anon_kind kind)
{
	return kind == SP_ANON_ID || kind == SP_ANON_ADDRESS;
}

static char *key_of(enum sp_anon_kind kind, const char *text, size_t len)
{
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < len; i++)
		if (!is_number(kind) || isxdigit((unsigned char) text[i]))
			sp_buf_add(&b, &(char){ (char) tolower((unsigned char) text[i]) }, 1);
	return sp_buf_steal(&b);
}

static struct known *learn(struct sp_anon *a, enum sp_anon_kind kind, const char *text, size_t len)
{
	char *key = key_of(kind, text, len);

	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].kind == kind && sp_streq(a->v[i].key, key)) {
			free(key);
			return &a->v[i];
		}
	a->v = sp_xrealloc(a->v, a->n + 1, sizeof(*a->v));
	a->v[a->n] = (struct known){ .kind = kind, .key = key, .number = ++a->of_kind[kind] };
	return &a->v[a->n++];
}

/* A menu shows the highest first, so the highest number is for what it shows first. */
static int in_order(const void *x, const void *y)
{
	const struct known *a = x, *b = y;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int c = sp_bls_compare(b->key, a->key);
	return c ? c : strcmp(a->key, b->key);
}

/* What is found later, while texts are rewritten, is counted on. */
static void number(struct sp_anon *a)
{
	size_t counted[SP_ANON__COUNT] = { 0 };

	if (a->numbered)
		return;
	a->numbered = true;
	if (a->n)
		qsort(a->v, a->n, sizeof(*a->v), in_order);
	for (size_t i = 0; i < a->n; i++)
		a->v[i].number = ++counted[a->v[i].kind];
}

void sp_anon_name(struct sp_anon *a, enum sp_anon_kind kind, const char *name)
{
	if (sp_anon_names_somebody(name))
		(void) learn(a, kind, name, strlen(name));
}

/* --- finding --------------------------------------------------------------------------------------------------- */

/* The longest known name at this place that is a whole word, in any case. 0: none. */
static size_t match_name(const struct sp_anon *a, const char *data, size_t len, size_t at, enum sp_anon_kind *kind)
{
	size_t best = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct known *k = &a->v[i];
		size_t n = strlen(k->key);

		if (is_number(k->kind) || n <= best || n > len - at || strncasecmp(k->key, data + at, n) != 0 ||
		    !sp_anon_names_somebody(k->key) || !sp_anon_is_word(data, len, at, n, k->kind == SP_ANON_USER))
			continue;
		best = n;
		*kind = k->kind;
	}
	return best;
}

/* An identifier never begins within a word. */
static bool may_begin(const char *data, size_t at)
{
	return at == 0 || !isalnum((unsigned char) data[at - 1]);
}

static size_t match(const struct sp_anon *a, const char *data, size_t len, size_t at, enum sp_anon_kind *kind)
{
	size_t n = may_begin(data, at) ? sp_anon_match(data, len, at, kind) : 0;

	return n || !may_begin(data, at) ? n : match_name(a, data, len, at, kind);
}

void sp_anon_look(struct sp_anon *a, const char *data, size_t len)
{
	enum sp_anon_kind kind = SP_ANON_ID;

	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = may_begin(data, i) ? sp_anon_match(data, len, i, &kind) : 0;
		if (n)
			(void) learn(a, kind, data + i, n);
	}
}

/* --- replacing ------------------------------------------------------------------------------------------------- */

/* The digits of `digits` in the places of the letters and digits of the original, the rest as it was. */
static void put_form(const char *original, size_t len, const char *digits, struct sp_buf *out)
{
	for (size_t i = 0; i < len; i++) {
		bool digit = isalnum((unsigned char) original[i]);

		sp_buf_add(out, digit ? digits : original + i, 1);
		digits += digit && digits[1];
	}
}

static void put(const struct known *k, const char *original, size_t len, struct sp_buf *out)
{
	size_t width = 0;

	if (k->kind == SP_ANON_SECRET) {
		sp_buf_adds(out, kinds[k->kind].word);
		return;
	}
	if (kinds[k->kind].word) {
		sp_buf_addf(out, "%s%zu", kinds[k->kind].word, k->number);
		return;
	}
	for (size_t i = 0; i < len; i++)
		width += isalnum((unsigned char) original[i]) != 0;
	sp_autofree char *all = sp_xasprintf("%0*zu", (int) width, k->number);
	char *digits = all + strlen(all) - width; /* a number that does not fit loses its upper digits */
	if (k->kind == SP_ANON_ID) {		  /* version 4, and its variant */
		digits[12] = '4';
		digits[16] = '8';
	} else if (k->kind == SP_ANON_ADDRESS) {
		digits[1] = '2'; /* locally administered */
	}
	put_form(original, len, digits, out);
}

void sp_anon_rewrite(struct sp_anon *a, const char *data, size_t len, struct sp_buf *out)
{
	enum sp_anon_kind kind = SP_ANON_ID;

	number(a);
	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = match(a, data, len, i, &kind);
		if (n)
			put(learn(a, kind, data + i, n), data + i, n, out);
		else
			sp_buf_add(out, data + i, 1);
	}
	sp_buf_add(out, "", 0); /* an empty text has data, too */
}

char *sp_anon_text(struct sp_anon *a, const char *text)
{
	struct sp_buf out = { 0 };

	sp_anon_rewrite(a, text, strlen(text), &out);
	return sp_buf_steal(&out);
}
