/* SPDX-License-Identifier: MIT */
/* "${name}" in keys, values and paths of the catalogue. A name is in lower case; all else with a '$' is the shell's. */
#include <errno.h>
#include <inttypes.h>

#include "catalog/internal.h"

static char *gtt_mib(const struct sp_derived *d)
{
	return d->sizes ? sp_xasprintf("%" PRIu64, d->sizes->gtt_mib) : NULL;
}

static char *gtt_gib(const struct sp_derived *d)
{
	return d->sizes ? sp_xasprintf("%" PRIu64, d->sizes->gtt_mib / 1024) : NULL;
}

static char *gtt_pages(const struct sp_derived *d)
{
	return d->sizes ? sp_xasprintf("%" PRIu64, d->sizes->gtt_pages) : NULL;
}

static char *ttm_module(const struct sp_derived *d)
{
	return sp_xstrdup(d->ttm_module);
}

/* What a name stands for (owned), and what to say where it is not known. */
static const struct derived {
	const char *name;
	char *(*get)(const struct sp_derived *d);
	const char *unknown;
} table[] = {
	{ "gtt_mib", gtt_mib, "the GTT size is not known here" },
	{ "gtt_gib", gtt_gib, "the GTT size is not known here" },
	{ "gtt_pages", gtt_pages, "the GTT size is not known here" },
	{ "ttm_module", ttm_module, "the name of the ttm module is not known here" },
};

static const struct derived *find(const char *name, size_t len)
{
	for (size_t i = 0; i < SP_ELEMENTS(table); i++)
		if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

bool sp_derived_name_ok(const char *name, size_t len)
{
	return find(name, len) != NULL;
}

/* Length of the name in a "${name}" that stands here; 0: there is none. */
static size_t name_here(const char *text)
{
	if (!sp_startswith(text, "${"))
		return 0;
	size_t len = strspn(text + 2, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return text[2 + len] == '}' ? len : 0;
}

static int add_value(const char *name, size_t len, const struct sp_derived *d, struct sp_buf *out,
		     struct sp_error **err)
{
	const struct derived *row = find(name, len);

	if (!row) {
		(void) sp_error_set(err, -EINVAL, "'${%.*s}' is not known", (int) len, name);
		(void) sp_error_exit(err, SP_EXIT_USAGE);
		(void) sp_error_hint(err, "known are ${gtt_mib}, ${gtt_gib}, ${gtt_pages} and ${ttm_module}");
		return -EINVAL;
	}
	sp_autofree char *value = d ? row->get(d) : sp_xstrdup("1");
	if (!value)
		return sp_error_set(err, -ENODATA, "%s", row->unknown);
	sp_buf_adds(out, value);
	return 0;
}

/* d NULL: a sample. */
static int expand(const char *text, const struct sp_derived *d, char **ret, struct sp_error **err)
{
	sp_autobuf struct sp_buf out = { 0 };

	while (*text) {
		size_t len = name_here(text);
		if (len == 0) {
			sp_buf_add(&out, text++, 1);
			continue;
		}
		int r = add_value(text + 2, len, d, &out, err);
		if (r < 0)
			return r;
		text += len + 3;
	}
	*ret = sp_buf_steal(&out);
	return 0;
}

int sp_derive(const char *text, const struct sp_derived *d, char **ret, struct sp_error **err)
{
	return expand(text, d, ret, err);
}

int sp_derive_sample(const char *text, char **ret, struct sp_error **err)
{
	return expand(text, NULL, ret, err);
}
