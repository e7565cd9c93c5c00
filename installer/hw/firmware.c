/* SPDX-License-Identifier: MIT */
/*
 * The carve-out that the firmware will make at the next boot. Two sources:
 *
 *   <gpu>/uma/carveout          index of the choice, since Linux 7.0
 *   <gpu>/uma/carveout_options  lines "INDEX: NAME (N GB)" or "(N MB)"; NAME may be empty
 *   /sys/class/firmware-attributes/hp-bioscfg/attributes/NAME/current_value   "512 MB", read once when the driver loads
 *
 * Both show a value that was written and waits for the reboot.
 */
#include <ctype.h>
#include <errno.h>

#include "hw/internal.h"
#include "hw/paths.h"

#define HP_ATTRIBUTES "/sys/class/firmware-attributes/hp-bioscfg/attributes"

int sp_hw_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct {
		const char *unit;
		unsigned shift;
	} units[] = { { "MB", 20 }, { "M", 20 }, { "MiB", 20 }, { "GB", 30 }, { "G", 30 }, { "GiB", 30 } };
	size_t n = strspn(text, "0123456789");
	sp_autofree char *digits = sp_xstrndup(text, n), *rest = sp_xstrdup(text + n);
	const char *unit = sp_strip(rest);
	uint64_t number = 0;
	int r = sp_parse_u64(digits, &number);

	if (r < 0)
		return r;
	for (size_t i = 0; i < SP_ELEMENTS(units); i++) {
		if (strcasecmp(units[i].unit, unit) != 0)
			continue;
		if (number > UINT64_MAX >> units[i].shift)
			return -ERANGE;
		*ret_bytes = number << units[i].shift;
		return 0;
	}
	return -EINVAL;
}

/* The size in the last parentheses of a line "INDEX: NAME (SIZE)". */
static int option_size(char *line, uint64_t wanted, uint64_t *ret_bytes)
{
	char *colon = strchr(line, ':'), *open = strrchr(line, '('), *close = open ? strchr(open, ')') : NULL;
	uint64_t index = 0;

	if (!colon || !close || open < colon)
		return -EINVAL;
	*colon = *close = '\0';
	if (sp_parse_u64(sp_strip(line), &index) < 0 || index != wanted)
		return -EINVAL;
	return sp_hw_parse_size(sp_strip(open + 1), ret_bytes);
}

static int amdgpu_size(const struct sp_root *machine, const char *options_path, uint64_t index, uint64_t *ret_bytes)
{
	sp_autobuf struct sp_buf options = { 0 };
	char *save = NULL;
	int r = sp_root_read(machine, options_path, SP_FILE_MAX, &options, NULL);

	if (r < 0)
		return r;
	for (char *line = strtok_r(options.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (option_size(line, index, ret_bytes) == 0)
			return 0;
	return -EINVAL;
}

/* true: the fact is set. Otherwise the reason is added to why. */
static bool from_amdgpu(struct sp_facts *f, enum sp_fact fact, struct sp_strv *why)
{
	const struct sp_value *gpu = &f->v[SP_FACT_GPU_ADDRESS];
	sp_autofree char *line = NULL;
	uint64_t index = 0, bytes = 0;

	if (!gpu->known) {
		sp_strv_addf(why, "%s: %s", gpu->source, gpu->why);
		return false;
	}
	sp_autofree char *path = sp_xasprintf(SP_PCI_DEVICES "/%s/uma/carveout", gpu->text);
	sp_autofree char *options = sp_xasprintf("%s_options", path);
	int r = sp_root_read_line(f->machine, path, &line);
	if (r < 0) {
		sp_strv_addf(why, "%s: %s", path, sp_hw_reason(r));
		return false;
	}
	if (sp_parse_u64(sp_strip(line), &index) < 0) {
		sp_strv_addf(why, "%s: '%s' is not a number", path, line);
		return false;
	}
	r = amdgpu_size(f->machine, options, index, &bytes);
	if (r < 0) {
		sp_strv_addf(why, "%s: %s", options, r == -EINVAL ? "the chosen line is not there" : sp_hw_reason(r));
		return false;
	}
	sp_fact_set_num(f, fact, path, bytes);
	return true;
}

/*
 * How sure a BIOS attribute's name is to mean the carve-out; 0: it does not. Firmware differs in case and in '_' for
 * ' '. "Dedicated Graphics Memory" is HP's; the others are labels of menus.
 */
static int rate_name(const char *name)
{
	static const char *const known[] = { "dedicated graphics memory", "uma video memory size", "video memory size",
					     "uma frame buffer size" };
	sp_autofree char *plain = sp_xstrdup(name);

	for (char *c = plain; *c; c++)
		*c = *c == '_' ? ' ' : (char) tolower((unsigned char) *c);
	for (size_t i = 0; i < SP_ELEMENTS(known); i++)
		if (sp_streq(plain, known[i]))
			return 10 - (int) i;
	return sp_startswith(plain, "uma ") ? 1 : 0;
}

bool sp_firmware_is_carve_out(const char *attribute)
{
	return rate_name(attribute) > 0;
}

static bool from_attribute(struct sp_facts *f, enum sp_fact fact, const char *name, struct sp_strv *why)
{
	sp_autofree char *path = sp_xasprintf(HP_ATTRIBUTES "/%s/current_value", name), *line = NULL;
	uint64_t bytes = 0;
	int r = sp_root_read_line(f->machine, path, &line);

	if (r < 0) {
		sp_strv_addf(why, "%s: %s", path, sp_hw_reason(r));
		return false;
	}
	const char *text = sp_strip(line);
	if (sp_hw_parse_size(text, &bytes) < 0) {
		sp_strv_addf(why, "%s: '%s' is not a size", path, text);
		return false;
	}
	sp_fact_set_num(f, fact, path, bytes);
	return true;
}

static bool from_hp(struct sp_facts *f, enum sp_fact fact, struct sp_strv *why)
{
	sp_autostrv struct sp_strv names = { 0 };
	int r = sp_root_list(f->machine, HP_ATTRIBUTES, &names);

	for (int rating = 10; rating > 0; rating--)
		for (size_t i = 0; i < names.n; i++)
			if (rate_name(names.v[i]) == rating && from_attribute(f, fact, names.v[i], why))
				return true;
	sp_strv_addf(why, HP_ATTRIBUTES ": %s", r < 0 ? sp_hw_reason(r) : "none tells the carve-out");
	return false;
}

void sp_read_uma_next(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv why = { 0 };

	(void) arg;
	if (from_amdgpu(f, fact, &why) || from_hp(f, fact, &why))
		return;
	sp_autofree char *reasons = sp_strv_join(&why, "; ");
	sp_fact_set_unknown(f, fact, "firmware", "%s", reasons);
}
