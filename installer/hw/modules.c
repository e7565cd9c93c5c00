/* SPDX-License-Identifier: MIT */
/*
 * Which modules an installed kernel has, and their parameters. Lists are the
 * text files that depmod and the kernel's build leave:
 *
 *   modules.dep              "kernel/drivers/gpu/drm/ttm/ttm.ko.xz: other.ko ..."
 *   modules.builtin          "kernel/drivers/..../x.ko", one a line
 *   modules.builtin.modinfo  "module.tag=value", each ended by a NUL; tags parm and parmtype have "name:..."
 *
 * A file is read when a module of its kernel is first asked for; the last, which is the largest, when it is needed.
 */
#include <errno.h>

#include "hw/internal.h"
#include "hw/remembered.h"

enum { LIST_MAX = 32 * 1024 * 1024 };

enum list { LIST_DEP, LIST_BUILTIN, LIST_MODINFO, LIST__COUNT };
static const char *const list_names[LIST__COUNT] = { "modules.dep", "modules.builtin", "modules.builtin.modinfo" };

struct tree { /* one kernel */
	const struct sp_root *root;
	char *kernel, *dir;
	bool was_read[LIST__COUNT];
	struct sp_buf lists[LIST__COUNT];
	char *missing[LIST__COUNT]; /* why a list could not be read; NULL: it was */
	struct sp_module *modules;  /* asked for so far */
	struct tree *next;
};

struct sp_modules {
	const struct sp_root *root;
	struct tree *trees;
	struct sp_remembered *remembered;
};

struct sp_modules *sp_modules_new(const struct sp_root *root)
{
	struct sp_modules *m = sp_xcalloc(1, sizeof(*m));

	m->root = root;
	m->remembered = sp_remembered_new(root);
	return m;
}

static void free_module(struct sp_module *m)
{
	free(m->path);
	free(m->why);
	free(m->name);
	sp_strv_clear(&m->parms);
	free(m);
}

static void free_tree(struct tree *t)
{
	while (t->modules) {
		struct sp_module *m = t->modules;
		t->modules = m->next;
		free_module(m);
	}
	for (int i = 0; i < LIST__COUNT; i++) {
		sp_buf_clear(&t->lists[i]);
		free(t->missing[i]);
	}
	free(t->kernel);
	free(t->dir);
	free(t);
}

void sp_modules_free(struct sp_modules *modules)
{
	if (!modules)
		return;
	while (modules->trees) {
		struct tree *t = modules->trees;
		modules->trees = t->next;
		free_tree(t);
	}
	sp_remembered_free(modules->remembered);
	free(modules);
}

char *sp_module_name(const char *name)
{
	char *copy = sp_xstrdup(name);

	for (char *c = copy; *c; c++)
		if (*c == '-')
			*c = '_';
	return copy;
}

/* Does text start with this name (spelled with '_'), ended by a point? */
static bool is_named(const char *text, const char *name)
{
	for (; *name; name++, text++)
		if (*text != *name && !(*text == '-' && *name == '_'))
			return false;
	return *text == '.';
}

int sp_modules_dir(const struct sp_root *root, const char *kernel, char **ret)
{
	static const char *const bases[] = { "/usr/lib/modules", "/lib/modules" };

	if (!*kernel || strchr(kernel, '/') || sp_streq(kernel, ".") || sp_streq(kernel, ".."))
		return -EINVAL;
	for (size_t i = 0; i < SP_ELEMENTS(bases); i++) {
		sp_autofree char *dir = sp_xasprintf("%s/%s", bases[i], kernel);
		if (sp_root_exists(root, dir)) {
			*ret = sp_steal(dir);
			return 0;
		}
	}
	return -ENOENT;
}

/* Read when it is first asked for; empty where it could not be read, and `missing` says why. */
static const struct sp_buf *list_of(struct tree *t, enum list which)
{
	sp_autoerror struct sp_error *err = NULL;

	if (t->was_read[which])
		return &t->lists[which];
	t->was_read[which] = true;
	sp_autofree char *path = t->dir ? sp_xasprintf("%s/%s", t->dir, list_names[which]) : NULL;
	if (!path)
		t->missing[which] = sp_xasprintf("the kernel '%s' has no modules", t->kernel);
	else if (sp_root_read(t->root, path, LIST_MAX, &t->lists[which], &err) < 0)
		t->missing[which] = sp_steal(err->message);
	return &t->lists[which];
}

static struct tree *tree_of(struct sp_modules *modules, const char *kernel)
{
	for (struct tree *t = modules->trees; t; t = t->next)
		if (sp_streq(t->kernel, kernel))
			return t;
	struct tree *t = sp_xcalloc(1, sizeof(*t));
	t->root = modules->root;
	t->kernel = sp_xstrdup(kernel);
	if (sp_modules_dir(modules->root, kernel, &t->dir) < 0)
		t->dir = NULL;
	t->next = modules->trees;
	modules->trees = t;
	return t;
}

/* The path that a list of paths has for a module (owned), as written there; NULL: none. Lines end at ':' or '\n'. */
static char *path_in_list(const struct sp_buf *list, const char *name)
{
	for (const char *line = list->data; line && *line; line += *line == '\n') {
		size_t n = strcspn(line, ":\n"), base = n;
		while (base > 0 && line[base - 1] != '/')
			base--;
		if (is_named(line + base, name))
			return sp_xstrndup(line, n);
		line += strcspn(line, "\n");
	}
	return NULL;
}

/* The next record "NAME.rest" of modules.builtin.modinfo from *at on: what follows the point; NULL: no more. */
static const char *next_builtin(const struct sp_buf *list, const char *name, size_t *at)
{
	while (*at < list->len) {
		const char *record = list->data + *at;
		*at += strlen(record) + 1;
		if (is_named(record, name))
			return record + strlen(name) + 1;
	}
	return NULL;
}

static void locate(struct tree *t, struct sp_module *m)
{
	sp_autofree char *dep = path_in_list(list_of(t, LIST_DEP), m->name);
	sp_autofree char *builtin = path_in_list(list_of(t, LIST_BUILTIN), m->name);
	size_t at = 0;

	m->builtin = builtin || (!dep && next_builtin(list_of(t, LIST_MODINFO), m->name, &at));
	if (m->builtin || dep)
		m->present = SP_YES;
	else
		m->present = t->missing[LIST_DEP] || t->missing[LIST_BUILTIN] ? SP_UNKNOWN : SP_NO;
	if (m->present == SP_UNKNOWN)
		m->why = sp_xstrdup(t->missing[t->missing[LIST_DEP] ? LIST_DEP : LIST_BUILTIN]);
	if (dep && !m->builtin)
		m->path = *dep == '/' ? sp_steal(dep) : sp_xasprintf("%s/%s", t->dir, dep);
}

static struct sp_module *find(struct tree *t, const char *module)
{
	sp_autofree char *name = sp_module_name(module);

	for (struct sp_module *m = t->modules; m; m = m->next)
		if (sp_streq(m->name, name))
			return m;
	struct sp_module *m = sp_xcalloc(1, sizeof(*m));
	m->name = sp_steal(name);
	locate(t, m);
	m->next = t->modules;
	t->modules = m;
	return m;
}

const struct sp_module *sp_modules_find(struct sp_modules *modules, const char *kernel, const char *name)
{
	return find(tree_of(modules, kernel), name);
}

static void read_builtin(struct tree *t, struct sp_module *m)
{
	static const char *const tags[] = { "parm=", "parmtype=" };
	const struct sp_buf *list = list_of(t, LIST_MODINFO);
	const char *text = NULL;
	size_t at = 0;

	if (t->missing[LIST_MODINFO]) {
		m->why = sp_xstrdup(t->missing[LIST_MODINFO]);
		return;
	}
	while ((text = next_builtin(list, m->name, &at)))
		for (size_t i = 0; i < SP_ELEMENTS(tags); i++)
			if (sp_startswith(text, tags[i]))
				sp_parms_add(&m->parms, text + strlen(tags[i]));
}

static void ask_file(struct sp_modules *modules, const char *kernel, struct sp_module *m)
{
	if (sp_remembered_find(modules->remembered, kernel, m->path, &m->parms))
		return;
	if (sp_parms_of_file(modules->root, m->path, &m->parms, &m->why) == 0)
		sp_remembered_learn(modules->remembered, kernel, m->path, &m->parms);
	else
		sp_strv_clear(&m->parms);
}

char *sp_facts_learned(const struct sp_facts *f)
{
	const struct sp_modules *modules = f->kmod_cache;

	return modules ? sp_remembered_text(modules->remembered) : NULL;
}

const struct sp_module *sp_modules_parms(struct sp_modules *modules, const char *kernel, const char *name)
{
	struct tree *t = tree_of(modules, kernel);
	struct sp_module *m = find(t, name);

	if (m->asked || m->present != SP_YES)
		return m;
	m->asked = true;
	if (m->builtin)
		read_builtin(t, m);
	else
		ask_file(modules, kernel, m);
	return m;
}
