/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "catalog/config.h"

#define MAX_MIB ((uint64_t) 1 << 30) /* a pebibyte: no product with it overflows */

static const struct {
	const char *name;
	unsigned shift; /* KiB to the left */
} units[] = {
	{ "K", 0 },    { "KB", 0 }, { "KiB", 0 }, { "M", 10 },	 { "MB", 10 },
	{ "MiB", 10 }, { "G", 20 }, { "GB", 20 }, { "GiB", 20 },
};

static int unit_shift(const char *unit)
{
	for (size_t i = 0; i < SP_ELEMENTS(units); i++)
		if (strcasecmp(units[i].name, unit) == 0)
			return (int) units[i].shift;
	return -EINVAL;
}

static int fail(struct sp_error **err, const char *text, const char *why)
{
	(void) sp_error_set(err, -EINVAL, "'%s' %s", text, why);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	(void) sp_error_hint(err, "a size is a whole number with K, M or G (binary), such as 59G, 60416M or '512 MB'");
	return -EINVAL;
}

int sp_size_parse(const char *text, uint64_t *ret_mib, struct sp_error **err)
{
	size_t digits = strspn(text, "0123456789");
	sp_autofree char *number = sp_xstrndup(text, digits);
	const char *unit = text + digits + strspn(text + digits, " ");
	const int shift = unit_shift(unit);
	uint64_t n = 0;

	if (digits == 0 || shift < 0)
		return fail(err, text, "is not a size");
	if (sp_parse_u64(number, &n) < 0 || n > (MAX_MIB << 10) >> shift)
		return fail(err, text, "is more than any machine has");
	uint64_t kib = n << shift;
	if (kib == 0)
		return fail(err, text, "is nothing at all");
	if (kib % 1024)
		return fail(err, text, "is not a whole number of MiB");
	*ret_mib = kib / 1024;
	return 0;
}
