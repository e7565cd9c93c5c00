/* SPDX-License-Identifier: MIT */
/* What GRUB itself reads: its environment block, its configuration, its modules; and what generates them. */
#include <errno.h>

#include "boot/internal.h"
#include "format/grubenv.h"

static const char *const grub_dirs[] = { "/boot/grub2", "/boot/grub" };

static const char *find_dir(const struct sp_root *root)
{
	static const char *const names[] = { "grub.cfg", "grubenv" };

	for (size_t i = 0; i < SP_ELEMENTS(grub_dirs); i++)
		for (size_t k = 0; k < SP_ELEMENTS(names); k++) {
			sp_autofree char *path = sp_xasprintf("%s/%s", grub_dirs[i], names[k]);

			if (sp_root_exists(root, path))
				return grub_dirs[i];
		}
	return NULL;
}

/* 1: read, 0: there is none. */
static int read_optional(const struct sp_root *root, const char *path, struct sp_buf *ret, struct sp_error **err)
{
	sp_autoerror struct sp_error *why = NULL;
	int r = sp_root_read(root, path, SP_FILE_MAX, ret, &why);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? sp_boot_fail(err, &why) : 1;
}

static int open_cfg(const struct sp_root *root, struct sp_grub *g, struct sp_error **err)
{
	sp_autofree char *path = sp_xasprintf("%s/grub.cfg", g->dir);
	sp_autoerror struct sp_error *why = NULL;
	int r = read_optional(root, path, &g->cfg, &why);

	if (r != 0)
		g->cfg_path = sp_steal(path);
	if (r == -EACCES || r == -EPERM) {
		g->cfg_denied = true;
		return 0;
	}
	return r < 0 ? sp_boot_fail(err, &why) : r;
}

static int open_env(const struct sp_root *root, struct sp_grub *g, struct sp_error **err)
{
	sp_autofree char *path = sp_xasprintf("%s/grubenv", g->dir);
	int r = read_optional(root, path, &g->env, err);

	if (r > 0)
		g->env_path = sp_steal(path);
	return r;
}

int sp_grub_open(const struct sp_root *root, struct sp_grub *ret, struct sp_error **err)
{
	int r = read_optional(root, SP_GRUB_DEFAULTS, &ret->defaults, err);

	ret->has_defaults = r > 0;
	ret->dir = find_dir(root);
	if (r >= 0 && ret->dir)
		r = open_cfg(root, ret, err);
	if (r >= 0 && ret->dir)
		r = open_env(root, ret, err);
	return r < 0 ? r : 0;
}

void sp_grub_close(struct sp_grub *g)
{
	free(g->env_path);
	free(g->cfg_path);
	sp_buf_clear(&g->env);
	sp_buf_clear(&g->cfg);
	sp_buf_clear(&g->defaults);
	sp_strv_clear(&g->kept);
	*g = (struct sp_grub){ 0 };
}

/* --- variables --------------------------------------------------------------------------------------------------- */

int sp_grub_check_env(const struct sp_grub *g, struct sp_error **err)
{
	sp_autoerror struct sp_error *why = NULL;
	sp_autofree char *value = NULL;

	if (!g->env_path)
		return 0;
	int r = sp_grubenv_get(&g->env, "saved_entry", &value, &why);
	if (r == 0 || r == -ENOENT)
		return 0;
	(void) sp_error_wrap(&why, "%s", g->env_path);
	(void) sp_error_path(&why, g->env_path);
	(void) sp_error_hint(&why, "grub2-editenv %s create writes an empty one", g->env_path);
	return sp_boot_fail(err, &why);
}

char *sp_grub_env(const struct sp_grub *g, const char *name)
{
	char *value = NULL;

	return g->env_path && sp_grubenv_get(&g->env, name, &value, NULL) == 0 ? value : NULL;
}

/* The next line of grub.cfg without the blanks around it, owned; NULL behind the last. *at starts as 0. */
static char *cfg_line(const struct sp_grub *g, size_t *at)
{
	if (*at >= g->cfg.len)
		return NULL;
	size_t n = strcspn(g->cfg.data + *at, "\n");
	sp_autofree char *line = sp_xstrndup(g->cfg.data + *at, n);

	*at += n + 1;
	return sp_xstrdup(sp_strip(line));
}

char *sp_grub_cfg_set(const struct sp_grub *g, const char *name)
{
	sp_autofree char *head = sp_xasprintf("set %s=", name);
	char *value = NULL, *line = NULL;

	for (size_t at = 0; (line = cfg_line(g, &at)) != NULL; free(line)) {
		if (!sp_startswith(line, head))
			continue;
		const char *text = line + strlen(head);
		size_t n = strlen(text);
		bool quoted = n > 1 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0];
		free(value);
		value = quoted ? sp_xstrndup(text + 1, n - 2) : sp_xstrdup(text);
	}
	return value;
}

const char *sp_grub_lookup(void *data, const char *name)
{
	struct sp_grub *g = data;
	char *value = sp_grub_env(g, name);

	if (!value)
		value = sp_grub_cfg_set(g, name);
	if (value)
		sp_strv_take(&g->kept, value);
	return value;
}

/* --- signs ------------------------------------------------------------------------------------------------------- */

bool sp_grub_calls_blscfg(const struct sp_grub *g)
{
	bool found = false;
	char *line = NULL;

	for (size_t at = 0; !found && (line = cfg_line(g, &at)) != NULL; free(line))
		found = sp_startswith(line, "blscfg") && (!line[6] || strchr(" \t;", line[6]));
	return found;
}

bool sp_grub_enables_blscfg(const struct sp_grub *g)
{
	struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) "GRUB_ENABLE_BLSCFG" };
	sp_autofree char *value = NULL;

	return g->has_defaults && sp_host_get(&host, &g->defaults, &value, NULL) == 0 && sp_streq(value, "true");
}

static bool has_module(const struct sp_root *root, const char *dir, const char *target, const char *module)
{
	sp_autofree char *path = sp_xasprintf("%s/%s/%s", dir, target, module);

	return sp_root_exists(root, path);
}

bool sp_grub_has_length_bug(const struct sp_root *root)
{
	for (size_t i = 0; i < SP_ELEMENTS(grub_dirs); i++) {
		sp_autostrv struct sp_strv targets = { 0 };

		if (sp_root_list(root, grub_dirs[i], &targets) < 0)
			continue; /* not there */
		for (size_t k = 0; k < targets.n; k++)
			if (has_module(root, grub_dirs[i], targets.v[k], "blsuki.mod") &&
			    !has_module(root, grub_dirs[i], targets.v[k], "blscfg.mod"))
				return true;
	}
	return false;
}
