/* SPDX-License-Identifier: MIT */
/*
 * Arguments on the present line that the kernel will not understand, and says
 * so only in its log: real typos of real machines, and parameters that the
 * module does not have.
 */
#include "engine/internal.h"

/* What people wrote, and what they meant. Sources: reports against ROCm (gtt_size), a toolbox guide (ggtsize, amd_iommu=pt). */
static const struct {
	const char *wrong, *right;
} typos[] = {
	{ "amdgpu.gtt_size", "amdgpu.gttsize" },
	{ "amdgpu.ggtsize", "amdgpu.gttsize" },
	{ "amd_iommu=pt", "iommu=pt" },
	{ "ttm.page_limit", "ttm.pages_limit" },
	{ "amdgpu.pages_limit", "ttm.pages_limit" },
	{ "transparent_hugepages", "transparent_hugepage" },
};

static const char *meant(const struct sp_arg *a)
{
	for (size_t i = 0; i < SP_ELEMENTS(typos); i++) {
		bool whole = strchr(typos[i].wrong, '=');
		if (whole ? sp_streq(a->text, typos[i].wrong) : sp_key_eq(a->key, typos[i].wrong))
			return typos[i].right;
	}
	return NULL;
}

/* Modules whose parameters are worth asking for: each answer may cost the reading of a module. */
static bool worth_asking(const char *module)
{
	static const char *const modules[] = { "amdgpu", "ttm", "amdttm", "amd_ttm", "amdxdna" };

	for (size_t i = 0; i < SP_ELEMENTS(modules); i++)
		if (sp_key_eq(module, modules[i]))
			return true;
	return false;
}

static void check_arg(struct sp_plan *p, const struct sp_arg *a, const char *kernel)
{
	const char *right = meant(a), *dot = strchr(a->key, '.');

	if (right) {
		sp_strv_addf(&p->warnings, "the kernel ignores '%s' on the command line; the name is '%s'", a->text, right);
		return;
	}
	if (!dot || !kernel)
		return;
	sp_autofree char *module = sp_xstrndup(a->key, (size_t) (dot - a->key));
	if (!worth_asking(module))
		return;
	if (sp_kernel_has_parm(p->facts, kernel, module, dot + 1, NULL) == SP_NO)
		sp_strv_addf(&p->warnings, "kernel %s ignores '%s' on the command line: %s has no parameter '%s'", kernel,
			     a->text, module, dot + 1);
}

void sp_check_names(struct sp_plan *p)
{
	const struct sp_entry *e = p->boot ? sp_boot_default(p->boot) : NULL;
	sp_autoargs struct sp_args args = { 0 };

	if (!e)
		return;
	sp_args_parse(e->line, &args);
	for (size_t i = 0; i < args.n; i++)
		if (!args.v[i].for_init)
			check_arg(p, &args.v[i], sp_plan_kernel(p));
}
