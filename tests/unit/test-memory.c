/* SPDX-License-Identifier: MIT */
/* The picture of installed memory: exactly these lines, in ASCII and in UTF-8, never wider than 80 columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/internal.h"

#define GIB UINT64_C(1073741824)
#define UNKNOWN UINT64_MAX

static const struct picture {
	const char *name;
	uint64_t mem_kib, vram, gtt, next, installed_mib; /* facts; bytes where no unit is named */
	uint64_t gtt_mib;
	const char *when;
	bool utf8;
	const char *expected;
} pictures[] = {
	{ "64 GiB at 512 MiB", 65074108, GIB / 2, 65074108 / 2 * UINT64_C(1024), GIB / 2, 65536, 60416,
	  "after apply and a reboot", false,
	  "Use of the 64 GiB that are installed, now and after apply and a reboot\n"
	  "  now     |x#===============================...............................|\n"
	  "  after   |x#===========================================================...|\n"
	  "    GiB                                now   after\n"
	  "  x firmware and the kernel itself     1.4     1.4\n"
	  "  # carve-out: for graphics alone      0.5     0.5\n"
	  "  = GTT ceiling: the GPU may use it   31.0    59.0\n"
	  "  . stays for the host                31.0     3.1\n" },
	{ "the same where the locale can show it", 65074108, GIB / 2, 65074108 / 2 * UINT64_C(1024), GIB / 2, 65536,
	  60416, "after the reboot", true,
	  "Use of the 64 GiB that are installed, now and after the reboot\n"
	  "  now     │×█▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░│\n"
	  "  after   │×█▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓░░░│\n"
	  "    GiB                                now   after\n"
	  "  × firmware and the kernel itself     1.4     1.4\n"
	  "  █ carve-out: for graphics alone      0.5     0.5\n"
	  "  ▓ GTT ceiling: the GPU may use it   31.0    59.0\n"
	  "  ░ stays for the host                31.0     3.1\n" },
	{ "a carve-out of 32 GiB that goes at the next boot", 32560060, 32 * GIB, 16 * GIB, GIB / 2, 65536, 0,
	  "after apply with automatic sizes", false,
	  "Use of the 64 GiB that are installed, now and after apply with automatic sizes\n"
	  "  now     |x################################================...............|\n"
	  "  after   |x#===========================================================...|\n"
	  "    GiB                                now   after\n"
	  "  x firmware and the kernel itself     0.9     1.4\n"
	  "  # carve-out: for graphics alone     32.0     0.5\n"
	  "  = GTT ceiling: the GPU may use it   16.0    59.0\n"
	  "  . stays for the host                15.1     3.1\n" },
	{ "nothing changes: one bar", 65074108, GIB / 2, 59 * GIB, UNKNOWN, 65536, 60416, "after the reboot", false,
	  "Use of the 64 GiB that are installed\n"
	  "  now     |x#===========================================================...|\n"
	  "    GiB                                now\n"
	  "  x firmware and the kernel itself     1.4\n"
	  "  # carve-out: for graphics alone      0.5\n"
	  "  = GTT ceiling: the GPU may use it   59.0\n"
	  "  . stays for the host                 3.1\n" },
	{ "a GTT that no memory stands behind is cut", 65074108, GIB / 2, 128 * GIB, UNKNOWN, 65536, 0, NULL, false,
	  "Use of the 64 GiB that are installed\n"
	  "  now     |x#==============================================================|\n"
	  "    GiB                                now\n"
	  "  x firmware and the kernel itself     1.4\n"
	  "  # carve-out: for graphics alone      0.5\n"
	  "  = GTT ceiling: the GPU may use it   62.1\n"
	  "  . stays for the host                 0.0\n" },
	{ "a GTT that is not known", 65074108, GIB / 2, UNKNOWN, UNKNOWN, 65536, 60416, "after the reboot", false,
	  "Use of the 64 GiB that are installed, now and after the reboot\n"
	  "  now     cannot be drawn: memory.gtt_bytes is not known (not there)\n"
	  "  after   |x#===========================================================...|\n"
	  "    GiB                                now   after\n"
	  "  x firmware and the kernel itself       ?     1.4\n"
	  "  # carve-out: for graphics alone        ?     0.5\n"
	  "  = GTT ceiling: the GPU may use it      ?    59.0\n"
	  "  . stays for the host                   ?     3.1\n" },
	{ "a carve-out that is not known", 65074108, UNKNOWN, 32 * GIB, GIB / 2, 65536, 60416, "after the reboot",
	  false,
	  "Use of the installed memory\n"
	  "  not drawn: memory.vram_bytes is not known (not there)\n" },
};

static void set(struct sp_facts *f, enum sp_fact fact, uint64_t number)
{
	f->v[fact] = number == UNKNOWN ? (struct sp_value){ .why = (char *) "not there" }
				       : (struct sp_value){ .known = true, .is_number = true, .number = number };
}

static char *draw(const struct picture *p)
{
	struct sp_facts *f = sp_xcalloc(1, sizeof(*f));
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct sp_report r = { .out = out, .err = out, .width = 80, .utf8 = p->utf8, .color = SP_COLOR_NEVER };

	assert_non_null(out);
	set(f, SP_FACT_MEM_TOTAL_KIB, p->mem_kib);
	set(f, SP_FACT_VRAM_BYTES, p->vram);
	set(f, SP_FACT_GTT_BYTES, p->gtt);
	set(f, SP_FACT_UMA_NEXT_BYTES, p->next);
	set(f, SP_FACT_INSTALLED_MIB, p->installed_mib);
	sp_memory_picture(&r, f, p->gtt_mib, 0, p->when);
	assert_int_equal(fclose(out), 0);
	free(f);
	return text;
}

static void check_width(const char *text)
{
	size_t used = 0;

	for (const char *s = text; *s; s += sp_utf8_len(s)) {
		used = *s == '\n' ? 0 : used + 1;
		assert_true(used <= 80);
	}
}

static void test_pictures(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(pictures); i++) {
		sp_autofree char *got = draw(&pictures[i]);

		if (!sp_streq(got, pictures[i].expected))
			print_error("%s\n%s", pictures[i].name, got);
		assert_string_equal(got, pictures[i].expected);
		check_width(got);
	}
}

/* Whatever the sizes are, the bar is as long as it should be, and each part that is there is seen. */
static void test_length(void **state)
{
	(void) state;
	for (uint64_t gib = 8; gib <= 512; gib += 8)
		for (uint64_t carve = 0; carve < gib; carve += 1 + gib / 16) {
			const struct picture p = { .mem_kib = (gib - carve) * 1048576 - 1000,
						   .vram = carve * GIB,
						   .gtt = (gib - carve) / 2 * GIB + 1048576,
						   .next = UNKNOWN,
						   .installed_mib = gib * 1024 };
			sp_autofree char *got = draw(&p);
			const char *bar = strchr(got, '|'), *end = bar ? strchr(bar + 1, '|') : NULL;

			assert_non_null(end);
			assert_int_equal(end - bar - 1, 64);
			for (const char *sign = "x=."; *sign; sign++)
				assert_true(memchr(bar, *sign, (size_t) (end - bar)) != NULL);
			assert_int_equal(memchr(bar, '#', (size_t) (end - bar)) != NULL, carve > 0);
		}
}

/* Colours are there when asked for, and only then. */
static void test_colour(void **state)
{
	struct sp_report r = { .width = 80, .color = SP_COLOR_ALWAYS };
	sp_autofree char *plain = draw(&pictures[0]);
	char *text = NULL;
	size_t len = 0;
	struct sp_facts f = { 0 };

	(void) state;
	assert_null(strchr(plain, '\033'));
	r.out = open_memstream(&text, &len);
	assert_non_null(r.out);
	set(&f, SP_FACT_MEM_TOTAL_KIB, 65074108);
	set(&f, SP_FACT_VRAM_BYTES, GIB / 2);
	set(&f, SP_FACT_GTT_BYTES, 31 * GIB);
	set(&f, SP_FACT_INSTALLED_MIB, 65536);
	sp_memory_picture(&r, &f, 0, 0, NULL);
	assert_int_equal(fclose(r.out), 0);
	assert_non_null(strstr(text, "\033[32m====="));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pictures),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
