/* SPDX-License-Identifier: MIT */
/*
 * Which assignment in sysctl.d, modprobe.d or environment.d wins, as each system's own reader sees it (sysctl.d(5),
 * modprobe.d(5), environment.d(5)): a name in an earlier folder hides the same name in a later one; the files that are
 * left are read in the order of their names; the last one wins.
 */
#include "engine/internal.h"

static int by_name(const void *a, const void *b)
{
	const struct sp_dropin *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	return order ? order : x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void dropin_clear(struct sp_dropin *d)
{
	free(d->path);
	sp_assigns_clear(&d->assigns);
}

static void list_folder(const struct sp_root *root, const char *dir, struct sp_dropins *ret)
{
	sp_autostrv struct sp_strv names = { 0 };

	if (sp_root_list(root, dir, &names) < 0)
		return; /* not there: nothing in it counts */
	ret->v = sp_xrealloc(ret->v, ret->n + names.n, sizeof(*ret->v));
	for (size_t i = 0; i < names.n; i++) {
		if (!sp_endswith(names.v[i], ".conf"))
			continue;
		struct sp_dropin *d = &ret->v[ret->n];
		*d = (struct sp_dropin){ .path = sp_xasprintf("%s/%s", dir, names.v[i]), .rank = ret->n };
		d->name = strrchr(d->path, '/') + 1;
		ret->n++;
	}
}

/* Sorted, a hidden file stands behind the one that hides it. */
static void drop_hidden(struct sp_dropins *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (kept > 0 && sp_streq(d->v[kept - 1].name, d->v[i].name))
			dropin_clear(&d->v[i]);
		else
			d->v[kept++] = d->v[i];
	}
	d->n = kept;
}

void sp_dropins_read(const struct sp_root *root, const struct sp_dropin_kind *kind, struct sp_dropins *ret)
{
	*ret = (struct sp_dropins){ .kind = kind };
	for (const char *const *dir = kind->dirs; *dir; dir++)
		list_folder(root, *dir, ret);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
	drop_hidden(ret);
	for (size_t i = 0; i < ret->n; i++) {
		sp_autobuf struct sp_buf file = { 0 };
		/* A link to /dev/null masks the name; what cannot be read sets nothing that we could show. */
		if (sp_root_read(root, ret->v[i].path, SP_FILE_MAX, &file, NULL) == 0)
			kind->parse(&file, &ret->v[i].assigns);
	}
}

static void look_in(const struct sp_dropin *d, const char *key, struct sp_effective *ret)
{
	for (size_t i = 0; i < d->assigns.n; i++) {
		const struct sp_assign *a = &d->assigns.v[i];
		if (!sp_streq(a->key, key) || !a->value)
			continue;
		sp_effective_clear(ret);
		*ret = (struct sp_effective){ sp_xstrdup(a->value), sp_xstrdup(d->path), a->line };
	}
}

void sp_dropins_effective(const struct sp_dropins *d, const char *key, bool after_ours, struct sp_effective *ret)
{
	const char *own = d->kind ? strrchr(d->kind->path, '/') + 1 : "";

	*ret = (struct sp_effective){ 0 };
	for (size_t i = 0; i < d->n; i++) {
		int order = strcmp(d->v[i].name, own);
		if (order > 0 || (order < 0 && !after_ours))
			look_in(&d->v[i], key, ret);
	}
}

void sp_effective_clear(struct sp_effective *e)
{
	free(e->value);
	free(e->path);
	*e = (struct sp_effective){ 0 };
}

void sp_dropins_clear(struct sp_dropins *d)
{
	for (size_t i = 0; i < d->n; i++)
		dropin_clear(&d->v[i]);
	free(d->v);
	*d = (struct sp_dropins){ 0 };
}
