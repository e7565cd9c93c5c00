/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "catalog/config.h"
#include "catalog/sizes.h"

#define GIB UINT64_C(1048576) /* KiB */
#define SMALL (GIB / 2)

static const struct {
	const char *name;
	struct sp_size_input in;
	int r;
	uint64_t mib, pages, next_kib, host_mib, gain_mib;
	const char *origin, *says; /* a part of the warning, or of the error; NULL: no warning */
} sizes[] = {
	{ "ZBook 64 GB, the reference", { 65074108, SMALL, SMALL, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 60416, 15466496, 65074108, 3132, 0, "auto", "3132 MiB stay for everything else; with less than 8192 MiB" },
	{ "ZBook 64 GB, headroom", { 65074108, SMALL, SMALL, 0, 0, 0, SP_HEADROOM_HOST, 0 },
	  0, 55296, 14155776, 65074108, 8252, 0, "auto", NULL },
	{ "32 GB", { 32231424, SMALL, SMALL, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 27 * 1024, 27 * 262144, 32231424, 3828, 0, "auto", "8192 MiB" },
	{ "32 GB, headroom", { 32231424, SMALL, SMALL, 0, 0, 0, SP_HEADROOM_HOST, 0 },
	  0, 22 * 1024, 22 * 262144, 32231424, 8948, 0, "auto", NULL },
	{ "96 GB", { 98042880, SMALL, SMALL, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 90 * 1024, 90 * 262144, 98042880, 3585, 0, "auto", "11968 MiB" },
	{ "128 GB, host share is an eighth", { 131091456, SMALL, SMALL, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 122 * 1024, 122 * 262144, 131091456, 3091, 0, "auto", "16002 MiB" },
	{ "128 GB, headroom", { 131091456, SMALL, SMALL, 0, 0, 0, SP_HEADROOM_HOST, 0 },
	  0, 109 * 1024, 109 * 262144, 131091456, 16403, 0, "auto", NULL },
	{ "64 GB, carve-out of 32 GB stays", { 32560060, 32 * GIB, 32 * GIB, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 28 * 1024, 28 * 262144, 32560060, 3124, 31 * 1024, "auto", "8192 MiB" },
	/* d = 31.5 GiB comes back less a 64th of it: 32560060 + 33030144 - 516096 */
	{ "64 GB, carve-out goes from 32 GB to 512 MB", { 32560060, 32 * GIB, SMALL, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 59 * 1024, 59 * 262144, 65074108, 3132, 0, "auto", "8192 MiB" },
	{ "64 GB, the firmware offers nothing below 2 GiB",
	  { 32560060, 32 * GIB, 32 * GIB, 0, 0, 0, SP_HEADROOM_REFERENCE, 2 * GIB },
	  0, 28 * 1024, 28 * 262144, 32560060, 3124, 29 * 1024, "auto", "8192 MiB" },
	{ "64 GB, that is the smallest", { 32560060, 32 * GIB, 32 * GIB, 0, 0, 0, SP_HEADROOM_REFERENCE, 32 * GIB },
	  0, 28 * 1024, 28 * 262144, 32560060, 3124, 0, "auto", "8192 MiB" },
	{ "64 GB, carve-out grows to 32 GB", { 65074108, SMALL, 32 * GIB, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 28 * 1024, 28 * 262144, 32560060, 3124, 31 * 1024, "auto", "8192 MiB" },
	{ "512 MB that turned out as 4 GiB", { 61461100, 4 * GIB, 4 * GIB, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 55 * 1024, 55 * 262144, 61461100, 3700, 4 * 1024, "auto", "8192 MiB" },
	{ "given", { 65074108, SMALL, SMALL, 49152, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 49152, 12582912, 65074108, 14396, 0, "given", NULL },
	{ "given, all of it", { 65074108, SMALL, SMALL, 63548, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 63548, 16268288, 65074108, 0, 0, "given", "0 MiB stay" },
	{ "given, one too much", { 65074108, SMALL, SMALL, 63549, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  -ERANGE, 0, 0, 0, 0, 0, NULL,
	  "63549 MiB (62 GiB) is more than there is: the memory at the next boot is 63548 MiB" },
	{ "given 200G", { 65074108, SMALL, SMALL, 204800, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  -ERANGE, 0, 0, 0, 0, 0, NULL, "204800 MiB (200 GiB)" },
	{ "given, fits without the carve-out only", { 32560060, 32 * GIB, SMALL, 49152, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 49152, 12582912, 65074108, 14396, 0, "given", NULL },
	{ "given beats what was recorded", { 65074108, SMALL, SMALL, 49152, 0, 49153, SP_HEADROOM_REFERENCE, 0 },
	  0, 49152, 12582912, 65074108, 14396, 0, "given", NULL },
	{ "host reserve", { 65074108, SMALL, SMALL, 0, 12288, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 50 * 1024, 50 * 262144, 65074108, 12348, 0, "given", NULL },
	{ "host reserve wins over headroom, and is small", { 65074108, SMALL, SMALL, 0, 2048, 0, SP_HEADROOM_HOST, 0 },
	  0, 60 * 1024, 60 * 262144, 65074108, 2108, 0, "given", "8192 MiB" },
	{ "host reserve that leaves nothing", { 65074108, SMALL, SMALL, 0, 63488, 0, SP_HEADROOM_REFERENCE, 0 },
	  -ERANGE, 0, 0, 0, 0, 0, NULL, "a host reserve of 63488 MiB leaves less than 1 GiB" },
	{ "host reserve beyond all memory", { 65074108, SMALL, SMALL, 0, 204800, 0, SP_HEADROOM_REFERENCE, 0 },
	  -ERANGE, 0, 0, 0, 0, 0, NULL, "204800" },
	{ "given wins over a host reserve", { 65074108, SMALL, SMALL, 49152, 16384, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 49152, 12582912, 65074108, 14396, 0, "given", "14396 MiB stay, not 16384" },
	{ "recorded, 1 GiB more", { 65074108, SMALL, SMALL, 0, 0, 61440, SP_HEADROOM_REFERENCE, 0 },
	  0, 61440, 15728640, 65074108, 2108, 0, "recorded", "8192 MiB" },
	{ "recorded, 1 GiB less", { 65074108, SMALL, SMALL, 0, 0, 59392, SP_HEADROOM_REFERENCE, 0 },
	  0, 59392, 15204352, 65074108, 4156, 0, "recorded", "8192 MiB" },
	{ "recorded, more than 1 GiB away", { 65074108, SMALL, SMALL, 0, 0, 59391, SP_HEADROOM_REFERENCE, 0 },
	  0, 60416, 15466496, 65074108, 3132, 0, "auto", "8192 MiB" },
	{ "recorded, more than 1 GiB above", { 65074108, SMALL, SMALL, 0, 0, 61441, SP_HEADROOM_REFERENCE, 0 },
	  0, 60416, 15466496, 65074108, 3132, 0, "auto", "8192 MiB" },
	{ "recorded, but more than there is", { 65074108, SMALL, SMALL, 0, 1, 64512, SP_HEADROOM_REFERENCE, 0 },
	  0, 63488, 16252928, 65074108, 60, 0, "given", "8192 MiB" },
	{ "a carve-out of 1 GiB costs one, too", { 64802000, GIB, GIB, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 58 * 1024, 58 * 262144, 64802000, 3891, 1024, "auto", "8192 MiB" },
	{ "just enough for the host", { 64 * GIB, 0, 0, 57344, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  0, 57344, 14680064, 64 * GIB, 8192, 0, "given", NULL },
	{ "hardly any memory", { 3 * GIB, 0, 0, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  -ERANGE, 0, 0, 0, 0, 0, NULL, "nothing is left for the GPU" },
	{ "8 GB, headroom", { 8 * GIB, 0, 0, 0, 0, 0, SP_HEADROOM_HOST, 0 },
	  -ERANGE, 0, 0, 0, 0, 0, NULL, "nothing is left" },
	{ "no memory", { 0, 0, 0, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 }, -ERANGE, 0, 0, 0, 0, 0, NULL, "cannot be" },
	{ "absurd memory", { UINT64_MAX, 0, 0, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  -ERANGE, 0, 0, 0, 0, 0, NULL, "cannot be" },
	{ "a carve-out that takes it all", { 32 * GIB, 0, 64 * GIB, 0, 0, 0, SP_HEADROOM_REFERENCE, 0 },
	  -ERANGE, 0, 0, 0, 0, 0, NULL, "the carve-out of the next boot takes it all" },
};

static void test_sizes(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(sizes); i++) {
		struct sp_sizes s = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		int r = sp_sizes_compute(&sizes[i].in, &s, &err);

		if (r != sizes[i].r || s.gtt_mib != sizes[i].mib || s.gtt_pages != sizes[i].pages ||
		    s.next_mem_kib != sizes[i].next_kib || s.host_mib != sizes[i].host_mib ||
		    s.gain_mib != sizes[i].gain_mib)
			fail_msg("%s: %d, %ju MiB, %ju pages, next %ju, host %ju MiB, gain %ju MiB", sizes[i].name, r,
				 (uintmax_t) s.gtt_mib, (uintmax_t) s.gtt_pages, (uintmax_t) s.next_mem_kib,
				 (uintmax_t) s.host_mib, (uintmax_t) s.gain_mib);
		const char *said = err ? err->message : s.warnings.n ? s.warnings.v[0] : NULL;
		if (!said != !sizes[i].says || (said && !strstr(said, sizes[i].says)) || s.warnings.n > 1)
			fail_msg("%s: it says '%s'", sizes[i].name, said);
		if (r == 0)
			assert_string_equal(s.origin, sizes[i].origin);
		else
			assert_int_equal(err->exit, SP_EXIT_USAGE);
		sp_sizes_clear(&s);
	}
}

static const struct {
	const char *text;
	uint64_t mib; /* 0: refused */
} texts[] = {
	{ "59G", 60416 }, { "60416M", 60416 }, { "512 MB", 512 }, { "4GiB", 4096 }, { "4 GB", 4096 }, { "1024K", 1 },
	{ "61865984KiB", 60416 }, { "1g", 1024 }, { "7mib", 7 }, { "1048576G", 1073741824 },
	{ "", 0 }, { "0", 0 }, { "0G", 0 }, { "59", 0 }, { "G", 0 }, { "banana", 0 }, { "-5G", 0 }, { "+5G", 0 },
	{ " 5G", 0 }, { "5G ", 0 }, { "5 G B", 0 }, { "5.5G", 0 }, { "5,5G", 0 }, { "5T", 0 }, { "0x10G", 0 },
	{ "1025K", 0 }, { "5GG", 0 }, { "1048577G", 0 }, { "99999999999999999999G", 0 }, { "18446744073709551615K", 0 },
	{ "17179869184G", 0 },
};

static void test_texts(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(texts); i++) {
		sp_autoerror struct sp_error *err = NULL;
		uint64_t mib = 0;
		int r = sp_size_parse(texts[i].text, &mib, &err);

		if (mib != texts[i].mib || r != (texts[i].mib ? 0 : -EINVAL))
			fail_msg("'%s': %d, %ju MiB", texts[i].text, r, (uintmax_t) mib);
		if (r == 0)
			continue;
		assert_int_equal(err->exit, SP_EXIT_USAGE);
		assert_non_null(strstr(err->message, texts[i].text));
		assert_non_null(strstr(err->hint, "59G"));
	}
}

static const struct {
	const char *text, *result; /* NULL: refused */
	int r;
	bool no_sizes, no_module;
} derivations[] = {
	{ "${gtt_mib}", "60416", 0, false, false },
	{ "${gtt_pages}", "15466496", 0, false, false },
	{ "${gtt_gib}G", "59G", 0, false, false },
	{ "${ttm_module}.pages_limit", "amdttm.pages_limit", 0, true, false },
	{ "/sys/${ttm_module}/${gtt_gib}", "/sys/amdttm/59", 0, false, false },
	{ "${RADV_PERFTEST:+$RADV_PERFTEST,}nogttspill", "${RADV_PERFTEST:+$RADV_PERFTEST,}nogttspill", 0, true, true },
	{ "${PATH}:$HOME", "${PATH}:$HOME", 0, true, true },
	{ "${gtt_mib:-1}", "${gtt_mib:-1}", 0, true, true },
	{ "${gtt_mib", "${gtt_mib", 0, true, true },
	{ "${}", "${}", 0, true, true },
	{ "$", "$", 0, true, true },
	{ "", "", 0, true, true },
	{ "${gtt_mib}", NULL, -ENODATA, true, false },
	{ "x${gtt_pages}", NULL, -ENODATA, true, false },
	{ "${ttm_module}.x", NULL, -ENODATA, false, true },
	{ "${gtt}", NULL, -EINVAL, false, false },
	{ "${gtt_mibs}", NULL, -EINVAL, false, false },
};

static void test_derive(void **state)
{
	const struct sp_sizes known = { .gtt_mib = 60416, .gtt_pages = 15466496 };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(derivations); i++) {
		const struct sp_derived d = { derivations[i].no_sizes ? NULL : &known,
					      derivations[i].no_module ? NULL : "amdttm" };
		sp_autoerror struct sp_error *err = NULL;
		sp_autofree char *text = NULL;
		int r = sp_derive(derivations[i].text, &d, &text, &err);

		if (r != derivations[i].r)
			fail_msg("'%s': %d", derivations[i].text, r);
		if (r == 0)
			assert_string_equal(text, derivations[i].result);
		else
			assert_non_null(strstr(err->message, r == -ENODATA ? "is not known here" : "' is not known"));
	}
	assert_true(sp_derived_name_ok("gtt_mib}", 7));
	assert_false(sp_derived_name_ok("gtt_mib", 6));
	assert_false(sp_derived_name_ok("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_derive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
