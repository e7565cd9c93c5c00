/* SPDX-License-Identifier: MIT */
/* The kernels of the root, and what their modules know. */
#include <errno.h>

#include "hw/internal.h"
#include "hw/paths.h"

const char *const sp_ttm_names[] = { "amdttm", "amd_ttm", "ttm", NULL };

/* A directory that a removed kernel left behind, or that only holds headers, is no kernel. */
static bool is_kernel(const struct sp_root *root, const char *dir)
{
	static const char *const proofs[] = { "modules.dep", "modules.builtin", "vmlinuz", "kernel" };

	for (size_t i = 0; i < SP_ELEMENTS(proofs); i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", dir, proofs[i]);
		if (sp_root_exists(root, path))
			return true;
	}
	return false;
}

static int by_version(const void *a, const void *b)
{
	const char *v = ((const struct sp_kernel *) a)->version, *w = ((const struct sp_kernel *) b)->version;
	int r = sp_version_compare(v, w);

	return r ? r : strcmp(v, w);
}

static bool has_kernel(const struct sp_facts *f, const char *version)
{
	for (size_t i = 0; i < f->n_kernels; i++)
		if (sp_streq(f->kernels[i].version, version))
			return true;
	return false;
}

static char *read_pkgbase(const struct sp_root *root, const char *dir)
{
	sp_autofree char *path = sp_xasprintf("%s/pkgbase", dir);
	char *line = NULL;

	return sp_root_read_line(root, path, &line) == 0 ? line : NULL;
}

static void add_kernels(struct sp_facts *f, const char *base)
{
	sp_autostrv struct sp_strv names = { 0 };

	if (sp_root_list(f->root, base, &names) < 0)
		return; /* no such directory: no kernels there */
	for (size_t i = 0; i < names.n; i++) {
		sp_autofree char *dir = sp_xasprintf("%s/%s", base, names.v[i]);
		if (has_kernel(f, names.v[i]) || !is_kernel(f->root, dir))
			continue;
		f->kernels = sp_xrealloc(f->kernels, f->n_kernels + 1, sizeof(*f->kernels));
		f->kernels[f->n_kernels++] = (struct sp_kernel){
			.version = sp_xstrdup(names.v[i]),
			.pkgbase = read_pkgbase(f->root, dir),
			.running = sp_streq(names.v[i], sp_fact_text(f, SP_FACT_KERNEL_RELEASE)),
		};
	}
}

void sp_kernels_read(struct sp_facts *f)
{
	add_kernels(f, "/usr/lib/modules");
	add_kernels(f, "/lib/modules"); /* mostly a link to the same place */
	if (f->n_kernels > 1)
		qsort(f->kernels, f->n_kernels, sizeof(*f->kernels), by_version);
}

/* What cannot be the name of a module or a parameter, which must not lead anywhere in /sys either. */
static bool is_name(const char *s)
{
	return *s && !strpbrk(s, "./ ");
}

/* /sys/module speaks for the kernel that runs. `parm` NULL: is the module in it at all? */
static bool running_has(const struct sp_facts *f, const char *kernel, const char *module, const char *parm)
{
	sp_autofree char *name = sp_module_name(module), *path = NULL;

	if (!f->machine || !sp_streq(kernel, sp_fact_text(f, SP_FACT_KERNEL_RELEASE)))
		return false;
	path = parm ? sp_xasprintf("/sys/module/%s/parameters/%s", name, parm) : sp_xasprintf("/sys/module/%s", name);
	return sp_root_exists(f->machine, path);
}

static enum sp_tristate unknown(char **why, const char *text)
{
	if (why)
		*why = sp_xstrdup(text);
	return SP_UNKNOWN;
}

enum sp_tristate sp_kernel_has_parm(const struct sp_facts *f, const char *kernel, const char *module, const char *parm,
				    char **why)
{
	sp_autofree char *name = sp_module_name(parm);

	if (!is_name(module) || !is_name(parm))
		return SP_NO;
	if (!kernel)
		return unknown(why, "the kernel that will boot is not known");
	if (running_has(f, kernel, module, name))
		return SP_YES;
	if (!f->kmod_cache)
		return unknown(why, "no modules were read");
	/* A parameter without permissions is not in sysfs, so a loaded module that does not show it proves nothing. */
	const struct sp_module *m = sp_modules_parms(f->kmod_cache, kernel, module);
	if (m->why)
		return unknown(why, m->why);
	return sp_strv_has(&m->parms, name) ? SP_YES : SP_NO;
}

enum sp_tristate sp_kernel_has_module(const struct sp_facts *f, const char *kernel, const char *module)
{
	if (!is_name(module))
		return SP_NO;
	if (!kernel)
		return SP_UNKNOWN;
	if (running_has(f, kernel, module, NULL))
		return SP_YES;
	return f->kmod_cache ? sp_modules_find(f->kmod_cache, kernel, module)->present : SP_UNKNOWN;
}

bool sp_kernel_module_builtin(const struct sp_facts *f, const char *kernel, const char *module)
{
	return kernel && f->kmod_cache && sp_modules_find(f->kmod_cache, kernel, module)->builtin;
}

int sp_kernel_module_file(const struct sp_facts *f, const char *kernel, const char *module, char **ret_path,
			  struct sp_strv *parms)
{
	const struct sp_module *m = f->kmod_cache ? sp_modules_parms(f->kmod_cache, kernel, module) : NULL;

	if (!m || m->present != SP_YES || !m->path || m->why)
		return -ENOENT;
	*ret_path = sp_xstrdup(m->path);
	sp_strv_copy(parms, &m->parms);
	return 0;
}

/* Was this module file put there beside the kernel's own (by DKMS, or a package of drivers)? */
static bool is_external(const char *path)
{
	static const char *const dirs[] = { "/updates/", "/extra/", "/weak-updates/" };

	for (size_t i = 0; path && i < SP_ELEMENTS(dirs); i++)
		if (strstr(path, dirs[i]))
			return true;
	return false;
}

static const char *ttm_name(const char *name)
{
	for (const char *const *n = sp_ttm_names; *n; n++)
		if (sp_streq(*n, name))
			return *n;
	return "ttm";
}

const char *sp_kernel_ttm_module(const struct sp_facts *f, const char *kernel)
{
	if (!kernel || !f->kmod_cache)
		return "ttm";
	const struct sp_module *amdgpu = sp_modules_find(f->kmod_cache, kernel, "amdgpu");
	if (amdgpu->present == SP_UNKNOWN && sp_streq(kernel, sp_fact_text(f, SP_FACT_KERNEL_RELEASE)))
		return ttm_name(sp_fact_text(f, SP_FACT_TTM_MODULE)); /* what is loaded tells it, too */
	if (!is_external(amdgpu->path))
		return "ttm";
	for (const char *const *name = sp_ttm_names; *name; name++)
		if (sp_modules_find(f->kmod_cache, kernel, *name)->present == SP_YES)
			return *name;
	return "ttm";
}
