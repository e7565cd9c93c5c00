/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hw/facts.h"

static const struct {
	const char *older, *newer;
} order[] = {
	{ "6.9", "6.18.4" },
	{ "6.18.3", "6.18.4" },
	{ "6.18.4", "6.18.4-200.fc43.x86_64" },
	{ "6.18.4-100.fc43.x86_64", "6.18.4-200.fc43.x86_64" },
	{ "6.18.4-200.fc42.x86_64", "6.18.4-200.fc43.x86_64" },
	{ "6.17.9-300.fc43.x86_64", "6.18.4" },
	{ "6.14.0-1014-oem", "6.14.0-1018-oem" },
	{ "6.14.0-1018-oem", "6.14.0-1018-oem1" },
	{ "6.9.9", "6.10" },
	{ "6.18-rc6", "6.18" },
	{ "6.18-rc6", "6.18.4" },
	{ "6.18.0-rc6", "6.18.0" },
	{ "6.18.0-rc2", "6.18.0-rc10" },
	{ "6.18.0-0.rc6.20251101git1.fc44", "6.18.0-65.fc44" },
	/* a candidate is older than whatever goes on, too: all three are in one order */
	{ "6.18-rc1", "6.18-arch1-1" },
	{ "6.18", "6.18-arch1-1" },
	{ "6.18~rc1", "6.18-rc1" },
	{ "6.12~rc1", "6.12" },
	{ "6.12~rc1", "6.12~rc2" },
	{ "6.1.0-31-amd64", "6.12.48+deb13-amd64" },
	{ "6.12.48+deb13-amd64", "6.12.48+deb13.1-amd64" },
	{ "6.18.9-arch1-1", "6.18.9-arch1-2" },
	{ "6.18.9-arch1-1", "6.18.9-zen1-1" },
	{ "6.9.99999999999999999998", "6.9.99999999999999999999" },
	{ "", "0" },
	{ "a", "1" },
	{ "fc4", "fc40" },
	{ "1.0", "1.0a" },
};

static const struct {
	const char *a, *b;
} same[] = { { "", "" }, { "6.18.4", "6.18.4" }, { "6.018.4", "6.18.04" }, { "6.1-2", "6.1.2" }, { "6.18.", "6.18" } };

static void test_order(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(order); i++) {
		int there = sp_version_compare(order[i].older, order[i].newer);
		int back = sp_version_compare(order[i].newer, order[i].older);
		if (there >= 0 || back <= 0)
			fail_msg("'%s' is older than '%s': %d, %d", order[i].older, order[i].newer, there, back);
	}
}

static void test_same(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(same); i++)
		if (sp_version_compare(same[i].a, same[i].b) != 0 || sp_version_compare(same[i].b, same[i].a) != 0)
			fail_msg("'%s' is the same as '%s'", same[i].a, same[i].b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order), cmocka_unit_test(test_same) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
