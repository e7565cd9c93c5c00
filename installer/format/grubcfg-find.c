/* SPDX-License-Identifier: MIT */
/* A menu that was read: which entry a name means, and its end. */
#include "format/grubcfg.h"

#include <stdint.h>

void sp_menu_clear(struct sp_menu *menu)
{
	for (size_t i = 0; i < menu->n; i++) {
		struct sp_menu_item *item = &menu->v[i];

		free(item->title);
		free(item->id);
		free(item->section);
		for (size_t k = 0; k < item->n_kernels; k++) {
			free(item->kernels[k].path);
			free(item->kernels[k].args);
		}
		free(item->kernels);
		sp_strv_clear(&item->initrd);
	}
	free(menu->v);
	free(menu->default_spec);
	*menu = (struct sp_menu){ 0 };
}

/* The first part of a name, with ">>" as ">"; *rest: what stands behind the ">", NULL: nothing. Owned. */
static char *first_part(const char *spec, const char **rest)
{
	struct sp_buf part = { 0 };

	for (; *spec; spec++) {
		if (*spec == '>' && spec[1] != '>')
			break;
		spec += *spec == '>';
		sp_buf_add(&part, spec, 1);
	}
	*rest = *spec ? spec + 1 : NULL;
	return sp_buf_steal(&part);
}

static bool is_meant(const struct sp_menu_item *item, const char *name, uint64_t number, bool numeric)
{
	return numeric ? item->number == number : sp_streq(item->title, name) || sp_streq(item->id, name);
}

static int find_in(const struct sp_menu *menu, int parent, const char *name)
{
	uint64_t number = 0;
	const bool numeric = *name >= '0' && *name <= '9' && sp_parse_u64(name, &number) == 0;

	for (size_t i = 0; i < menu->n; i++)
		if (menu->v[i].parent == parent && is_meant(&menu->v[i], name, number, numeric))
			return (int) i;
	return -1;
}

int sp_menu_find(const struct sp_menu *menu, const char *spec)
{
	int at = -1;

	for (const char *rest = spec; rest;) {
		sp_autofree char *name = first_part(rest, &rest);

		at = find_in(menu, at, name);
		if (at < 0 || !menu->v[at].submenu)
			return at; /* what stands behind an entry means nothing */
	}
	while (at >= 0 && menu->v[at].submenu)
		at = find_in(menu, at, "0");
	return at;
}
