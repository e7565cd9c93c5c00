/* SPDX-License-Identifier: MIT */
/*
 * Installed memory as one bar: what the firmware keeps, the carve-out, what
 * the GPU may use of the rest, and what stays for the host then. Each part
 * has its own sign, so that it reads without colour. What is not known is
 * said, not drawn.
 */
#include "report/internal.h"

enum { PART_FIRMWARE, PART_CARVE_OUT, PART_GTT, PART_HOST, PARTS };

#define CELLS 64 /* 1 GiB each on a machine with 64 GiB */

static const struct {
	const char *ascii, *utf8, *label;
	enum sp_paint paint;
} parts[PARTS] = {
	[PART_FIRMWARE] = { "x", "\u00d7", "firmware and the kernel itself", SP_DIM },
	[PART_CARVE_OUT] = { "#", "\u2588", "carve-out: for graphics alone", SP_YELLOW },
	[PART_GTT] = { "=", "\u2593", "GTT ceiling: the GPU may use it", SP_GREEN },
	[PART_HOST] = { ".", "\u2591", "stays for the host", SP_CYAN },
};

struct bar {
	uint64_t mib[PARTS];
	char *why; /* it cannot be drawn: the reason */
};

/* What a fact that is missing says about itself; NULL: all are known. Owned. */
static char *missing(const struct sp_facts *f, const enum sp_fact *needs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct sp_value *v = &f->v[needs[i]];

		if (!v->known)
			return sp_xasprintf("%s is not known (%s)", sp_fact_name(needs[i]),
					    v->why ? v->why : "no reason");
	}
	return NULL;
}

/* Firmware is what nobody else accounts for; when the carve-out grows its page structs are freed, and a little lacks.
 */
static void fill(struct bar *b, uint64_t installed, uint64_t carve_out, uint64_t visible, uint64_t gtt)
{
	const uint64_t told = carve_out + visible, may = gtt < visible ? gtt : visible;

	b->mib[PART_FIRMWARE] = installed > told ? installed - told : 0;
	b->mib[PART_CARVE_OUT] = carve_out;
	b->mib[PART_GTT] = may;
	b->mib[PART_HOST] = visible - may;
}

static void fill_now(const struct sp_facts *f, struct bar *b)
{
	static const enum sp_fact needs[] = { SP_FACT_GTT_BYTES };

	b->why = missing(f, needs, SP_ELEMENTS(needs));
	if (!b->why)
		fill(b, sp_fact_num(f, SP_FACT_INSTALLED_MIB), sp_fact_num(f, SP_FACT_VRAM_BYTES) >> 20,
		     sp_fact_num(f, SP_FACT_MEM_TOTAL_KIB) / 1024, sp_fact_num(f, SP_FACT_GTT_BYTES) >> 20);
}

/* gtt_mib 0: what would be chosen. */
static void fill_after(const struct sp_facts *f, uint64_t gtt_mib, uint64_t uma_mib, struct bar *b)
{
	const uint64_t now = sp_fact_num(f, SP_FACT_VRAM_BYTES) / 1024;
	const uint64_t next =
		uma_mib ? uma_mib * 1024
		: sp_fact_known(f, SP_FACT_UMA_NEXT_BYTES) ? sp_fact_num(f, SP_FACT_UMA_NEXT_BYTES) / 1024 : now;
	const struct sp_size_input in = { .mem_total_kib = sp_fact_num(f, SP_FACT_MEM_TOTAL_KIB),
					  .carve_out_kib = now,
					  .next_carve_out_kib = next,
					  .gtt_mib = gtt_mib };
	sp_autoerror struct sp_error *error = NULL;
	struct sp_sizes sizes = { 0 };

	if (sp_sizes_compute(&in, &sizes, &error) < 0) {
		b->why = sp_xstrdup(error->message);
		return;
	}
	fill(b, sp_fact_num(f, SP_FACT_INSTALLED_MIB), next / 1024, sizes.next_mem_kib / 1024, sizes.gtt_mib);
	sp_sizes_clear(&sizes);
}

/* Shares of the bar that add up to CELLS: each rounded down, the largest remainders up; what there is shows. */
static void share(const struct bar *b, size_t *cells)
{
	uint64_t total = 0, rest[PARTS];
	size_t used = 0;

	for (size_t i = 0; i < PARTS; i++)
		total += b->mib[i];
	for (size_t i = 0; i < PARTS; i++) {
		cells[i] = total ? (size_t) (b->mib[i] * CELLS / total) : 0;
		rest[i] = total ? b->mib[i] * CELLS % total : 0;
		if (b->mib[i] && !cells[i]) {
			cells[i] = 1;
			rest[i] = 0;
		}
		used += cells[i];
	}
	while (total && used != CELLS) {
		size_t at = 0;

		for (size_t i = 1; i < PARTS; i++)
			if (used < CELLS ? rest[i] > rest[at] : cells[i] > cells[at])
				at = i;
		rest[at] = 0;
		cells[at] += used < CELLS ? 1 : (size_t) -1;
		used += used < CELLS ? 1 : (size_t) -1;
	}
}

static void put_bar(struct sp_report *r, const char *label, const struct bar *b)
{
	const char *edge = r->utf8 ? "\u2502" : "|";
	size_t cells[PARTS];

	if (b->why) {
		sp_autofree char *text = sp_xasprintf("cannot be drawn: %s", b->why),
				 *first = sp_xasprintf("  %s", label);

		sp_paragraph(r, first, 10, text);
		return;
	}
	share(b, cells);
	sp_print(r, "  %-7s %s", label, edge);
	for (size_t i = 0; i < PARTS; i++) {
		sp_autobuf struct sp_buf run = { 0 };

		for (size_t n = 0; n < cells[i]; n++)
			sp_buf_adds(&run, r->utf8 ? parts[i].utf8 : parts[i].ascii);
		if (run.len)
			sp_paint(r, parts[i].paint, "%s", run.data);
	}
	sp_print(r, "%s\n", edge);
}

static char *gib(const struct bar *b, size_t part)
{
	uint64_t tenths = (b->mib[part] * 10 + 512) / 1024;

	return b->why ? sp_xstrdup("?") : sp_xasprintf("%ju.%ju", (uintmax_t) (tenths / 10), (uintmax_t) (tenths % 10));
}

/* The second column is empty (NULL) where there is no bar for it. */
static void put_numbers(struct sp_report *r, const char *label, const char *now, const char *after)
{
	sp_print(r, " %-31s%7s%*s\n", label, now, after ? 8 : 0, after ? after : "");
}

static void put_legend(struct sp_report *r, const struct bar *now, const struct bar *after)
{
	sp_print(r, "   ");
	put_numbers(r, "GiB", "now", after ? "after" : NULL);
	for (size_t i = 0; i < PARTS; i++) {
		sp_autofree char *first = gib(now, i), *second = after ? gib(after, i) : NULL;

		sp_print(r, "  ");
		sp_paint(r, parts[i].paint, "%s", r->utf8 ? parts[i].utf8 : parts[i].ascii);
		put_numbers(r, parts[i].label, first, second);
	}
}

/* Do both read the same? */
static bool same(const struct bar *a, const struct bar *b)
{
	for (size_t i = 0; i < PARTS; i++) {
		sp_autofree char *first = gib(a, i), *second = gib(b, i);

		if (!sp_streq(first, second))
			return false;
	}
	return true;
}

static void draw(struct sp_report *r, const struct sp_facts *f, uint64_t gtt_mib, uint64_t uma_mib, const char *when)
{
	struct bar now = { 0 }, after = { 0 };

	fill_now(f, &now);
	if (when)
		fill_after(f, gtt_mib, uma_mib, &after);
	const bool both = when && !same(&now, &after);
	sp_autofree char *installed = sp_text_mib(sp_fact_num(f, SP_FACT_INSTALLED_MIB));
	sp_autofree char *heading = sp_xasprintf("Use of the %s that are installed%s%s", installed,
						 both ? ", now and " : "", both ? when : "");

	sp_heading(r, heading);
	put_bar(r, "now", &now);
	if (both)
		put_bar(r, "after", &after);
	put_legend(r, &now, both ? &after : NULL);
	free(now.why);
	free(after.why);
}

void sp_memory_picture(struct sp_report *r, const struct sp_facts *f, uint64_t gtt_mib, uint64_t uma_mib,
		       const char *when)
{
	static const enum sp_fact needs[] = { SP_FACT_MEM_TOTAL_KIB, SP_FACT_VRAM_BYTES, SP_FACT_INSTALLED_MIB };
	sp_autofree char *why = missing(f, needs, SP_ELEMENTS(needs));

	if (!why) {
		draw(r, f, gtt_mib, uma_mib, when);
		return;
	}
	sp_autofree char *text = sp_xasprintf("not drawn: %s", why);
	sp_heading(r, "Use of the installed memory");
	sp_paragraph(r, "", 2, text);
}
