/* SPDX-License-Identifier: MIT */
/* detect as text: facts in groups, the boot entries, the kernels. */
#include "report/internal.h"

static char *mib_of(uint64_t number, unsigned shift_down)
{
	return sp_text_mib(number >> shift_down);
}
static char *as_text(const struct sp_value *v)
{
	return sp_xstrdup(v->text);
}
static char *as_kib(const struct sp_value *v)
{
	sp_autofree char *text = mib_of(v->number, 10);

	return v->number ? sp_xasprintf("%s (%ju KiB)", text, (uintmax_t) v->number) : sp_xstrdup("none");
}
static char *as_bytes(const struct sp_value *v)
{
	return mib_of(v->number, 20);
}
static char *as_mib(const struct sp_value *v)
{
	return mib_of(v->number, 0);
}
static char *as_pages(const struct sp_value *v)
{
	sp_autofree char *text = mib_of(v->number, 8); /* of 4 KiB */

	return sp_xasprintf("%ju (%s)", (uintmax_t) v->number, text);
}
static char *as_yes_no(const struct sp_value *v)
{
	return sp_xstrdup(v->number ? "yes" : "no");
}

static const struct row {
	const char *heading; /* set: a group begins */
	const char *label;
	enum sp_fact fact;
	char *(*show)(const struct sp_value *v);
	bool detail; /* with --verbose only */
} rows[] = {
	{ "Machine", "maker", SP_FACT_DMI_VENDOR, as_text, false },
	{ NULL, "model", SP_FACT_DMI_PRODUCT, as_text, false },
	{ NULL, "family", SP_FACT_DMI_FAMILY, as_text, true },
	{ NULL, "board maker", SP_FACT_DMI_BOARD_VENDOR, as_text, true },
	{ NULL, "board", SP_FACT_DMI_BOARD, as_text, false },
	{ NULL, "CPU", SP_FACT_CPU_NAME, as_text, false },
	{ NULL, "CPU maker", SP_FACT_CPU_VENDOR, as_text, true },
	{ NULL, "CPU family", SP_FACT_CPU_FAMILY, as_text, false },
	{ NULL, "CPU model", SP_FACT_CPU_MODEL, as_text, false },
	{ NULL, "CPUs", SP_FACT_CPU_COUNT, as_text, false },
	{ NULL, "GPU", SP_FACT_GPU_ID, as_text, false },
	{ NULL, "GPU address", SP_FACT_GPU_ADDRESS, as_text, true },
	{ NULL, "GPU revision", SP_FACT_GPU_REVISION, as_text, true },
	{ NULL, "GPU driver", SP_FACT_GPU_DRIVER, as_text, false },
	{ NULL, "NPU", SP_FACT_NPU_ID, as_text, false },
	{ NULL, "NPU address", SP_FACT_NPU_ADDRESS, as_text, true },
	{ NULL, "NPU driver", SP_FACT_NPU_DRIVER, as_text, false },
	{ "Memory", "installed", SP_FACT_INSTALLED_MIB, as_mib, false },
	{ NULL, "visible", SP_FACT_MEM_TOTAL_KIB, as_kib, false },
	{ NULL, "carve-out", SP_FACT_VRAM_BYTES, as_bytes, false },
	{ NULL, "at the next boot", SP_FACT_UMA_NEXT_BYTES, as_bytes, false },
	{ NULL, "GTT", SP_FACT_GTT_BYTES, as_bytes, false },
	{ NULL, "TTM pages limit", SP_FACT_PAGES_LIMIT, as_pages, false },
	{ NULL, "amdgpu gttsize", SP_FACT_GTTSIZE, as_text, true },
	{ NULL, "TTM module", SP_FACT_TTM_MODULE, as_text, true },
	{ NULL, "disk swap", SP_FACT_SWAP_KIB, as_kib, false },
	{ NULL, "zram swap", SP_FACT_ZRAM_KIB, as_kib, false },
	{ NULL, "NUMA nodes", SP_FACT_NUMA_NODES, as_text, true },
	{ "Firmware", "BIOS", SP_FACT_BIOS_VERSION, as_text, false },
	{ NULL, "BIOS date", SP_FACT_BIOS_DATE, as_text, false },
	{ NULL, "UEFI", SP_FACT_EFI, as_yes_no, false },
	{ NULL, "Secure Boot", SP_FACT_SECURE_BOOT, as_yes_no, false },
	{ "Running kernel", "release", SP_FACT_KERNEL_RELEASE, as_text, false },
	{ NULL, "command line", SP_FACT_CMDLINE, as_text, false },
	{ NULL, "lockdown", SP_FACT_LOCKDOWN, as_text, false },
	{ NULL, "huge pages", SP_FACT_THP, as_text, false },
	{ NULL, "IOMMU groups", SP_FACT_IOMMU_GROUPS, as_text, false },
	{ NULL, "IOMMU type", SP_FACT_IOMMU_TYPE, as_text, false },
	{ NULL, "boot ID", SP_FACT_BOOT_ID, as_text, true },
	{ NULL, "in a chroot", SP_FACT_CHROOT, as_yes_no, true },
};

static char *show(const struct row *row, const struct sp_value *v, bool verbose)
{
	if (!v->known)
		return sp_xasprintf("unknown (%s)", v->why ? v->why : "no reason given");
	sp_autofree char *text = row->show(v);

	return verbose && v->source ? sp_xasprintf("%s [%s]", text, v->source) : sp_steal(text);
}

/* Where the carve-out is told and set, in the order in which it is looked for. */
static void put_carveout(struct sp_report *r, const struct sp_detect *d)
{
	struct sp_pair pairs[] = {
		{ "at the next start", sp_carveout_next(&d->carveout) },
		{ "on offer", sp_carveout_choices(&d->carveout) },
		{ "password", sp_xstrdup(d->carveout.credential ? "an administrator password is set" : NULL) },
		{ "Sure Admin", sp_xstrdup(d->carveout.sure_admin ? "guards the firmware" : NULL) },
	};

	sp_heading(r, "Carve-out");
	sp_pairs_print(r, pairs, SP_ELEMENTS(pairs));
	sp_carveout_sources(r, &d->carveout);
}

static void put_facts(struct sp_report *r, const struct sp_facts *f)
{
	struct sp_pair pairs[SP_ELEMENTS(rows)];

	for (size_t i = 0; i < SP_ELEMENTS(rows);) {
		size_t n = 0;

		sp_heading(r, rows[i].heading);
		do {
			if (r->verbose || !rows[i].detail)
				pairs[n++] = (struct sp_pair){ rows[i].label,
							       show(&rows[i], &f->v[rows[i].fact], r->verbose) };
			i++;
		} while (i < SP_ELEMENTS(rows) && !rows[i].heading);
		sp_pairs_print(r, pairs, n);
	}
}

/* The title, with the kernel's version where it does not say it. */
static char *entry_title(const struct sp_entry *e)
{
	const char *title = e->title ? e->title : e->id;

	if (!e->version || e->rescue || strstr(title, e->version))
		return sp_xstrdup(title);
	return sp_xasprintf("%s (%s)", title, e->version);
}

static void put_boot(struct sp_report *r, const struct sp_boot *boot)
{
	static const struct sp_column columns[] = { { "", 0 }, { "KIND", 0 }, { "ENTRY", SCOLS_FL_WRAP } };
	sp_autotable struct libscols_table *table = sp_table_new(r, columns, SP_ELEMENTS(columns));

	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];
		sp_autofree char *title = entry_title(e), *safe = sp_text_safe(r, title);
		sp_autofree char *folded = sp_text_fold(safe, r->width - 16, true);
		const char *kind = e->rescue ? "rescue" : e->ours ? "ours" : "foreign";
		const char *cells[] = { e->by_default ? "*" : " ", kind, folded };
		struct libscols_line *row = sp_table_row(table, NULL, cells, SP_ELEMENTS(cells));

		sp_table_paint(row, 1, e->rescue || !e->ours ? SP_DIM : SP_GREEN);
	}
	sp_table_print(r, table);
	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];

		if (e->why && (r->verbose || !e->rescue)) {
			sp_autofree char *text = sp_xasprintf("%s: %s", e->id, e->why);
			sp_paragraph(r, "", 4, text);
		}
	}
}

static void put_boot_group(struct sp_report *r, const struct sp_detect *d)
{
	sp_heading(r, "Boot setup");
	if (!d->boot) {
		sp_paragraph(r, "", 2, d->boot_error ? d->boot_error->message : "not recognised");
		if (d->boot_error && d->boot_error->hint)
			sp_paragraph(r, "", 2, d->boot_error->hint);
		return;
	}
	sp_paragraph(r, "", 2, d->boot->ops->title);
	sp_autofree char *seen = sp_strv_join(&d->boot->seen, "; ");
	sp_autofree char *why = sp_xasprintf("recognised by: %s", seen);
	sp_paragraph(r, "", 4, why);
	put_boot(r, d->boot);
}

static void put_kernels(struct sp_report *r, const struct sp_detect *d)
{
	static const struct sp_column columns[] = { { "KERNEL", 0 }, { "", 0 } };
	sp_autotable struct libscols_table *table = sp_table_new(r, columns, SP_ELEMENTS(columns));
	const struct sp_entry *entry = d->boot ? sp_boot_default(d->boot) : NULL;

	sp_heading(r, "Installed kernels");
	if (d->facts->n_kernels == 0)
		sp_print(r, "  none found\n");
	for (size_t i = 0; i < d->facts->n_kernels; i++) {
		const struct sp_kernel *k = &d->facts->kernels[i];
		bool next = entry && sp_streq(entry->version, k->version);
		const char *note = k->running && next ? "running, boots by default"
				   : k->running	      ? "running"
				   : next	      ? "boots by default"
						      : NULL;
		const char *cells[] = { k->version, note };

		(void) sp_table_row(table, NULL, cells, SP_ELEMENTS(cells));
	}
	sp_table_print(r, table);
}

/* After a reboot where the next line has a size; else after an apply, where sizes are computed at all. */
static void put_memory(struct sp_report *r, const struct sp_detect *d)
{
	const char *when = d->next_gtt_mib ? "after a reboot" : d->platform ? "after apply with automatic sizes" : NULL;

	sp_memory_picture(r, d->facts, d->next_gtt_mib, 0, when);
}

void sp_detect_text(struct sp_report *r, const struct sp_detect *d)
{
	struct sp_pair pairs[] = {
		{ "name", sp_xstrdup(d->platform ? d->platform->name : "unknown") },
		{ "supported", sp_xstrdup(d->platform && d->platform->supported ? "yes" : "no") },
		{ "why", sp_xstrdup(d->platform_why) },
		{ "note", sp_xstrdup(d->platform ? d->platform->note : NULL) },
	};

	sp_heading(r, "Platform");
	sp_pairs_print(r, pairs, SP_ELEMENTS(pairs));
	put_facts(r, d->facts);
	put_carveout(r, d);
	put_memory(r, d);
	put_boot_group(r, d);
	put_kernels(r, d);
	sp_report_warnings(r, &d->warnings);
	sp_report_advisories(r, &d->advisories, false);
}
