/* SPDX-License-Identifier: MIT */
/* The data that is installed: what each setting, profile and platform is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "catalog/sizes.h"

static struct sp_catalog *real(void)
{
	const char *dir = getenv("SP_SRCDIR");
	struct sp_error *err = NULL;
	struct sp_catalog *c = NULL;

	if (sp_catalog_load(dir ? dir : ".", &c, &err) < 0)
		fail_msg("%s", err->message);
	return c;
}

static const struct {
	const char *id, *dest, *key, *value;
	bool zbook, headroom;
} settings[] = {
	{ "iommu", "cmdline", "iommu", "pt", true, true },
	{ "gttsize", "cmdline", "amdgpu.gttsize", "60416", true, false },
	{ "pages-limit", "cmdline", "ttm.pages_limit", "15466496", true, true },
	{ "thp", "cmdline", "transparent_hugepage", "always", true, true },
	{ "noretry", "cmdline", "amdgpu.noretry", "0", false, false },
	{ "swappiness", "sysctl", "vm.swappiness", "1", true, false },
	{ "dirty-ratio", "sysctl", "vm.dirty_ratio", "40", true, true },
	{ "dirty-background-ratio", "sysctl", "vm.dirty_background_ratio", "10", true, true },
	{ "max-map-count", "sysctl", "vm.max_map_count", "500000", true, true },
	{ "zone-reclaim", "sysctl", "vm.zone_reclaim_mode", "0", true, true },
	{ "gttsize-module", "modprobe", "amdgpu.gttsize", "60416", false, false },
	{ "pages-limit-module", "modprobe", "ttm.pages_limit", "15466496", false, false },
	{ "radv-nogttspill", "environment", "RADV_PERFTEST", "${RADV_PERFTEST:+$RADV_PERFTEST,}nogttspill", true,
	  false },
};

static void test_real(void **state)
{
	const struct sp_sizes sizes = { .gtt_mib = 60416, .gtt_pages = 15466496 };
	const struct sp_derived derived = { &sizes, "ttm" };
	sp_autocatalog struct sp_catalog *c = real();

	(void) state;
	assert_int_equal(c->n_settings, SP_ELEMENTS(settings));
	for (size_t i = 0; i < SP_ELEMENTS(settings); i++) {
		const struct sp_setting *s = &c->settings[i];
		sp_autofree char *key = NULL, *value = NULL;

		assert_string_equal(s->id, settings[i].id);
		assert_string_equal(sp_dest_name(s->dest), settings[i].dest);
		assert_int_equal(sp_derive(s->key, &derived, &key, NULL), 0);
		assert_int_equal(sp_derive(s->value, &derived, &value, NULL), 0);
		assert_string_equal(key, settings[i].key);
		assert_string_equal(value, settings[i].value);
		assert_int_equal(sp_strv_has(&sp_catalog_profile(c, "zbook")->settings, s->id), settings[i].zbook);
		assert_int_equal(sp_strv_has(&sp_catalog_profile(c, "headroom")->settings, s->id),
				 settings[i].headroom);
		if (!s->follows && (!s->log.date || !s->log.evidence || !s->log.tradeoff))
			fail_msg("'%s' has no complete entry in the log", s->id);
	}
	assert_int_equal(sp_catalog_profile(c, "zbook")->headroom, SP_HEADROOM_REFERENCE);
	assert_int_equal(sp_catalog_profile(c, "headroom")->headroom, SP_HEADROOM_HOST);
	assert_int_equal(sp_catalog_setting(c, "max-map-count")->rule, SP_RULE_AT_LEAST);
	assert_false(sp_catalog_setting(c, "noretry")->by_default);
	assert_int_equal(sp_catalog_setting(c, "pages-limit")->n_when, 0);
}

/* What the design names is there, and everything says on what it rests. */
static void test_log(void **state)
{
	static const struct {
		const char *id;
		enum sp_verdict verdict;
	} entries[] = {
		{ "batch-size-256", SP_VERDICT_REVERTED },	{ "kv-cache-q4-0", SP_VERDICT_KEEP },
		{ "rocwmma", SP_VERDICT_PENDING },		{ "draft-model-speculation", SP_VERDICT_BLOCKED },
		{ "native-mtp", SP_VERDICT_BLOCKED },		{ "ngram-speculation", SP_VERDICT_AVAILABLE },
		{ "carve-out", SP_VERDICT_KEEP },		{ "tuned", SP_VERDICT_KEEP },
		{ "power", SP_VERDICT_KEEP },			{ "gpu-clock-reporting", SP_VERDICT_CLOSED },
	};
	sp_autocatalog struct sp_catalog *c = real();

	(void) state;
	assert_int_equal(c->n_entries, SP_ELEMENTS(entries));
	for (size_t i = 0; i < c->n_entries; i++) {
		assert_string_equal(c->entries[i].id, entries[i].id);
		assert_int_equal(c->entries[i].log.verdict, entries[i].verdict);
		assert_non_null(c->entries[i].log.tradeoff);
		assert_non_null(c->entries[i].reason);
	}
	assert_true(c->n_advisories >= 10);
}

/* --- platforms ------------------------------------------------------------------------------------------------- */

#define ZBOOK "HP ZBook Ultra G1a 14 inch Mobile Workstation PC"
static const struct {
	const char *vendor, *product, *board, *family, *model, *gpu;
	const char *id;	 /* NULL: none */
	const char *why; /* a part of it */
} machines[] = {
	{ "HP", ZBOOK, "8D01", "26", "112", "1002:1586", "hp-zbook-ultra-g1a", "dmi.product '" ZBOOK "'" },
	{ "HP", "HP Z2 Mini G1a Workstation Desktop PC", "8D02", "26", "112", "1002:1586",
	  "hp-z2-mini-g1a", "cpu.model '112'" },
	{ "Framework", "Desktop (AMD Ryzen AI Max 300 Series)", "FRANMFCP06", "26", "112", "1002:1586",
	  "framework-desktop", "Framework" },
	{ "ASUSTeK COMPUTER INC.", "ROG Flow Z13 GZ302EA_GZ302EA", "GZ302EA", "26", "112", "1002:1586",
	  "asus-rog-flow-z13", "GZ302EA" },
	{ "ASUSTeK COMPUTER INC.", "ROG Flow Z13 GZ302EAC", "GZ302EAC", "26", "112", "1002:1586",
	  "asus-rog-flow-z13", "GZ302EAC" },
	{ "GMKtec", "NucBox_EVO-X2", "AXB35-02", "26", "112", "1002:1586", "gmktec-evo-x2", "EVO-X2" },
	{ "Bosgame", "BeyondMax Series", "AXB35-02", "26", "112", "1002:1586", "sixunited-axb35", "AXB35-02" },
	{ "Somebody", "Something", "X", "26", "112", "1002:1586", "strix-halo-other", "gpu.id '1002:1586'" },
	{ "HP", "HP ZBook 8 G1a", "8D03", "26", "112", "1002:1586", "strix-halo-other", "cpu.family '26'" },
	{ NULL, NULL, NULL, "26", "112", "1002:1586", "strix-halo-other", "cpu.family '26'" },
	{ "HP", ZBOOK, "8D01", "26", "36", "1002:150e",
	  NULL, "model 36, which is Strix Point, the AMD GPU is 1002:150e; Strix Halo is" },
	{ "X", "X", "X", "26", "32", "1002:150e", NULL, "Strix Point" },
	{ "X", "X", "X", "26", "96", "1002:1114", NULL, "Krackan" },
	{ "X", "X", "X", "26", "68", "1002:13c0", NULL, "Fire Range" },
	{ "HP", ZBOOK, "8D01", "26", "112", NULL, NULL, "model 112, as it should be, no AMD GPU is known (because)" },
	{ "HP", ZBOOK, "8D01", "26", "112", "1002:7550", NULL, "the AMD GPU is 1002:7550" },
	{ "X", "X", "X", "25", "97", "1002:164e", NULL, "family 25 model 97, the AMD GPU" },
	{ "X", "X", "X", NULL, NULL, "1002:1586", NULL, "the CPU is unknown (because)" },
};

static void set(struct sp_facts *f, enum sp_fact fact, const char *text)
{
	uint64_t n = 0;

	f->v[fact] = (struct sp_value){ .known = text,
					.text = (char *) (uintptr_t) text,
					.why = (char *) (uintptr_t) "because" };
	if (text && sp_parse_u64(text, &n) == 0) {
		f->v[fact].is_number = true;
		f->v[fact].number = n;
	}
}

static void test_platforms(void **state)
{
	sp_autocatalog struct sp_catalog *c = real();

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(machines); i++) {
		struct sp_facts f = { 0 };
		sp_autofree char *why = NULL;

		set(&f, SP_FACT_DMI_VENDOR, machines[i].vendor);
		set(&f, SP_FACT_DMI_PRODUCT, machines[i].product);
		set(&f, SP_FACT_DMI_BOARD, machines[i].board);
		set(&f, SP_FACT_CPU_FAMILY, machines[i].family);
		set(&f, SP_FACT_CPU_MODEL, machines[i].model);
		set(&f, SP_FACT_GPU_ID, machines[i].gpu);
		const struct sp_platform *p = sp_platform_match(c, &f, &why);
		if (!p != !machines[i].id || (p && strcmp(p->id, machines[i].id) != 0))
			fail_msg("%s %s: %s", machines[i].vendor, machines[i].product, p ? p->id : "none");
		if (!strstr(why, machines[i].why))
			fail_msg("'%s' does not say '%s'", why, machines[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_platforms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
