/* SPDX-License-Identifier: MIT */
/* detect as JSON: the keys that others rely on, and every fact with where it came from. */
#include "report/internal.h"

/* A number in another unit, or null; shift_down as in bytes >> 20 = MiB. */
static json_t *number(const struct sp_facts *f, enum sp_fact fact, unsigned shift_down)
{
	return sp_fact_known(f, fact) ? json_integer((json_int_t) (sp_fact_num(f, fact) >> shift_down)) : json_null();
}

static json_t *yes_no(const struct sp_facts *f, enum sp_fact fact)
{
	return sp_fact_known(f, fact) ? json_boolean(sp_fact_num(f, fact) != 0) : json_null();
}

static json_t *text(const struct sp_facts *f, enum sp_fact fact)
{
	return sp_json_text(sp_fact_text(f, fact));
}

static json_t *tristate(enum sp_tristate t)
{
	return t == SP_UNKNOWN ? json_null() : json_boolean(t == SP_YES);
}

static json_t *platform_json(const struct sp_detect *d)
{
	json_t *o = json_object();

	sp_json_put(o, "id", sp_json_text(d->platform ? d->platform->id : NULL));
	sp_json_put(o, "name", sp_json_text(d->platform ? d->platform->name : NULL));
	sp_json_put(o, "supported", json_boolean(d->platform && d->platform->supported));
	sp_json_put(o, "why", sp_json_text(d->platform_why));
	return o;
}

static json_t *memory_json(const struct sp_facts *f)
{
	json_t *o = json_object();

	sp_json_put(o, "installed_mib", number(f, SP_FACT_INSTALLED_MIB, 0));
	sp_json_put(o, "visible_mib", number(f, SP_FACT_MEM_TOTAL_KIB, 10));
	sp_json_put(o, "uma_mib", number(f, SP_FACT_VRAM_BYTES, 20));
	sp_json_put(o, "uma_next_boot_mib", number(f, SP_FACT_UMA_NEXT_BYTES, 20));
	sp_json_put(o, "gtt_mib", number(f, SP_FACT_GTT_BYTES, 20));
	sp_json_put(o, "swap_mib", number(f, SP_FACT_SWAP_KIB, 10));
	sp_json_put(o, "zram_mib", number(f, SP_FACT_ZRAM_KIB, 10));
	return o;
}

static json_t *entry_json(const struct sp_entry *e)
{
	json_t *o = json_object();

	sp_json_put(o, "id", sp_json_text(e->id));
	sp_json_put(o, "path", sp_json_text(e->path));
	sp_json_put(o, "title", sp_json_text(e->title));
	sp_json_put(o, "version", sp_json_text(e->version));
	sp_json_put(o, "options", sp_json_text(e->line));
	sp_json_put(o, "ours", json_boolean(e->ours));
	sp_json_put(o, "rescue", json_boolean(e->rescue));
	sp_json_put(o, "default", json_boolean(e->by_default));
	sp_json_put(o, "why", sp_json_text(e->why));
	return o;
}

static json_t *boot_json(const struct sp_detect *d)
{
	const struct sp_entry *entry = d->boot ? sp_boot_default(d->boot) : NULL;
	json_t *o = json_object(), *entries = json_array();

	for (size_t i = 0; d->boot && i < d->boot->n_entries; i++)
		(void) json_array_append_new(entries, entry_json(&d->boot->entries[i]));
	sp_json_put(o, "setup", sp_json_text(d->boot ? d->boot->ops->name : NULL));
	sp_json_put(o, "default_entry", sp_json_text(entry ? entry->id : NULL));
	sp_json_put(o, "entries", entries);
	sp_json_put(o, "seen", d->boot ? sp_json_strv(&d->boot->seen) : json_array());
	sp_json_put(o, "why", sp_json_text(d->boot_error ? d->boot_error->message : NULL));
	return o;
}

static json_t *firmware_json(const struct sp_facts *f, const struct sp_carveout *c)
{
	json_t *o = json_object();

	sp_json_put(o, "bios_version", text(f, SP_FACT_BIOS_VERSION));
	sp_json_put(o, "bios_date", text(f, SP_FACT_BIOS_DATE));
	sp_json_put(o, "efi", yes_no(f, SP_FACT_EFI));
	sp_json_put(o, "secure_boot", yes_no(f, SP_FACT_SECURE_BOOT));
	sp_json_put(o, "carve_out", sp_json_carveout(f, c));
	return o;
}

static json_t *kernel_json(const struct sp_detect *d)
{
	const struct sp_entry *entry = d->boot ? sp_boot_default(d->boot) : NULL;
	const struct sp_facts *f = d->facts;
	json_t *o = json_object(), *installed = json_array();

	for (size_t i = 0; i < f->n_kernels; i++)
		(void) json_array_append_new(installed, sp_json_text(f->kernels[i].version));
	sp_json_put(o, "running", text(f, SP_FACT_KERNEL_RELEASE));
	sp_json_put(o, "default", sp_json_text(entry ? entry->version : NULL));
	sp_json_put(o, "installed", installed);
	sp_json_put(o, "cmdline", text(f, SP_FACT_CMDLINE));
	sp_json_put(o, "lockdown", text(f, SP_FACT_LOCKDOWN));
	sp_json_put(o, "transparent_hugepage", text(f, SP_FACT_THP));
	sp_json_put(o, "iommu_groups", number(f, SP_FACT_IOMMU_GROUPS, 0));
	sp_json_put(o, "iommu_type", text(f, SP_FACT_IOMMU_TYPE));
	sp_json_put(o, "chroot", yes_no(f, SP_FACT_CHROOT));
	return o;
}

static json_t *module_json(const struct sp_facts *f, const char *kernel, const char *module, const char *parm)
{
	enum sp_tristate has = sp_kernel_has_module(f, kernel, module);
	json_t *o = json_object(), *parms = json_object();

	if (parm)
		sp_json_put(parms, parm, tristate(sp_kernel_has_parm(f, kernel, module, parm, NULL)));
	sp_json_put(o, "name", sp_json_text(module));
	sp_json_put(o, "present", tristate(has));
	sp_json_put(o, "builtin", json_boolean(has == SP_YES && sp_kernel_module_builtin(f, kernel, module)));
	sp_json_put(o, "parameters", parms);
	return o;
}

/* The modules that settings are about, in the kernel that boots by default; which kernel is not known: none. */
static json_t *modules_json(const struct sp_detect *d)
{
	const struct sp_entry *entry = d->boot ? sp_boot_default(d->boot) : NULL;
	const char *kernel = entry ? entry->version : sp_fact_text(d->facts, SP_FACT_KERNEL_RELEASE);
	json_t *array = json_array();

	if (!kernel)
		return array;
	(void) json_array_append_new(array, module_json(d->facts, kernel, "amdgpu", "gttsize"));
	(void) json_array_append_new(
		array, module_json(d->facts, kernel, sp_kernel_ttm_module(d->facts, kernel), "pages_limit"));
	(void) json_array_append_new(array, module_json(d->facts, kernel, "amdxdna", NULL));
	return array;
}

static json_t *facts_json(const struct sp_facts *f)
{
	json_t *facts = json_object();

	for (int i = 0; i < SP_FACT__COUNT; i++) {
		const struct sp_value *v = &f->v[i];
		json_t *o = json_object();

		sp_json_put(o, "value",
			    !v->known	   ? json_null()
			    : v->is_number ? json_integer((json_int_t) v->number)
					   : sp_json_text(v->text));
		sp_json_put(o, "source", sp_json_text(v->source));
		sp_json_put(o, "why", sp_json_text(v->known ? NULL : v->why));
		sp_json_put(facts, sp_fact_name((enum sp_fact) i), o);
	}
	return facts;
}

int sp_report_detect(struct sp_report *r, const struct sp_detect *d, enum sp_exit status)
{
	json_t *object;

	if (!r->json) {
		sp_detect_text(r, d);
		return 0;
	}
	object = sp_json_open(r, status, &d->warnings);
	sp_json_put(object, "advisories", sp_json_advisories(&d->advisories));
	sp_json_put(object, "platform", platform_json(d));
	sp_json_put(object, "memory", memory_json(d->facts));
	sp_json_put(object, "boot", boot_json(d));
	sp_json_put(object, "firmware", firmware_json(d->facts, &d->carveout));
	sp_json_put(object, "kernel", kernel_json(d));
	sp_json_put(object, "modules", modules_json(d));
	sp_json_put(object, "facts", facts_json(d->facts));
	return sp_json_print(r, object);
}
