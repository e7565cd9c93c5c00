/* SPDX-License-Identifier: MIT */
/* The running kernel's surroundings: IOMMU, chroot, ttm. */
#include <errno.h>

#include "hw/internal.h"

/* The domain type of one group, from the directory that stands for it; 0 or negative errno. */
static int group_type(const struct sp_root *machine, const char *group, char **ret_path, char **ret)
{
	free(*ret_path);
	*ret_path = sp_xasprintf("%s/type", group);
	return sp_root_read_line(machine, *ret_path, ret);
}

static bool gpu_group(struct sp_facts *f, enum sp_fact fact)
{
	sp_autofree char *group = NULL, *path = NULL, *type = NULL;

	if (!sp_fact_known(f, SP_FACT_GPU_ADDRESS))
		return false;
	group = sp_xasprintf(SP_PCI_DEVICES "/%s/iommu_group", sp_fact_text(f, SP_FACT_GPU_ADDRESS));
	if (group_type(f->machine, group, &path, &type) < 0)
		return false;
	sp_fact_set_text(f, fact, path, sp_strip(type));
	return true;
}

void sp_read_iommu_type(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv groups = { 0 };
	sp_autofree char *path = NULL, *common = NULL;
	bool mixed = false;

	if (gpu_group(f, fact))
		return;
	int r = sp_root_list(f->machine, arg, &groups);
	if (r < 0 || groups.n == 0) {
		sp_fact_set_unknown(f, fact, arg, "%s", r < 0 ? sp_hw_reason(r) : "there are no groups");
		return;
	}
	for (size_t i = 0; i < groups.n; i++) {
		sp_autofree char *dir = sp_xasprintf("%s/%s", arg, groups.v[i]), *type = NULL;
		r = group_type(f->machine, dir, &path, &type);
		if (r < 0) {
			sp_fact_set_errno(f, fact, path, r);
			return;
		}
		if (!common)
			common = sp_steal(type);
		else
			mixed |= !sp_streq(common, type);
	}
	sp_fact_set_text(f, fact, arg, mixed ? "mixed" : sp_strip(common));
}

/*
 * In a chroot our / is not that of the first process. Its root is a magic link, which the machine handle does not
 * follow on purpose, so here alone the path is looked up by itself, and on the running machine only.
 */
void sp_read_chroot(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	static const char source[] = "/proc/1/root";
	struct stat ours, first;

	(void) arg;
	if (!sp_root_is_host(f->machine))
		sp_fact_set_num(f, fact, sp_root_display(f->machine), 0);
	else if (stat(source, &first) < 0)
		sp_fact_set_errno(f, fact, source, -errno);
	else if (stat("/", &ours) < 0)
		sp_fact_set_errno(f, fact, "/", -errno);
	else
		sp_fact_set_num(f, fact, source, ours.st_dev != first.st_dev || ours.st_ino != first.st_ino);
}

/*
 * AMD's DKMS driver brings a ttm of its own, and the kernel's may be loaded beside it: the one that amdgpu holds is
 * meant. With a single one loaded (or built in, which has no holders) there is nothing to choose.
 */
void sp_read_ttm_module(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	const char *loaded = NULL;
	int n = 0;

	(void) arg;
	for (const char *const *name = sp_ttm_names; *name; name++) {
		sp_autofree char *module = sp_xasprintf("/sys/module/%s", *name);
		sp_autofree char *holder = sp_xasprintf("%s/holders/amdgpu", module);
		if (sp_root_exists(f->machine, holder)) {
			sp_fact_set_text(f, fact, holder, *name);
			return;
		}
		if (sp_root_exists(f->machine, module)) {
			loaded = *name;
			n++;
		}
	}
	sp_autofree char *source = sp_xasprintf("/sys/module/%s", loaded ? loaded : "ttm");
	if (n == 1)
		sp_fact_set_text(f, fact, source, loaded);
	else
		sp_fact_set_unknown(f, fact, source,
				    n ? "several are loaded, and amdgpu holds none of them" : "not loaded");
}

void sp_read_ttm_number(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	const struct sp_value *module = &f->v[SP_FACT_TTM_MODULE];

	if (!module->known) {
		sp_fact_set_unknown(f, fact, module->source, "%s", module->why);
		return;
	}
	sp_autofree char *path = sp_xasprintf("/sys/module/%s/parameters/%s", module->text, arg);
	sp_read_number(f, fact, path);
}
