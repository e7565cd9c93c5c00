/* SPDX-License-Identifier: MIT */
/* /proc/cpuinfo: "key<blanks>: value" lines, one block a processor. The first block speaks for all. */
#include "hw/internal.h"

enum { CPUINFO_MAX = 4 * 1024 * 1024 };

static const struct {
	enum sp_fact fact;
	const char *key;
	bool number;
} keys[] = {
	{ SP_FACT_CPU_VENDOR, "vendor_id", false },
	{ SP_FACT_CPU_FAMILY, "cpu family", true },
	{ SP_FACT_CPU_MODEL, "model", true },
	{ SP_FACT_CPU_NAME, "model name", false },
};

static void take_line(struct sp_facts *f, const char *source, const char *key, const char *value)
{
	for (size_t i = 0; i < SP_ELEMENTS(keys); i++) {
		if (!sp_streq(keys[i].key, key) || sp_fact_known(f, keys[i].fact))
			continue;
		if (keys[i].number)
			sp_fact_set_parsed(f, keys[i].fact, source, value);
		else
			sp_fact_set_text(f, keys[i].fact, source, value);
	}
}

static void set_all_unknown(struct sp_facts *f, const char *source, int code)
{
	for (size_t i = 0; i < SP_ELEMENTS(keys); i++)
		sp_fact_set_errno(f, keys[i].fact, source, code);
	sp_fact_set_errno(f, SP_FACT_CPU_COUNT, source, code);
}

void sp_read_cpu(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autobuf struct sp_buf b = { 0 };
	char *save = NULL;
	uint64_t count = 0;
	int r = sp_root_read(f->machine, arg, CPUINFO_MAX, &b, NULL);

	(void) fact;
	if (r < 0) {
		set_all_unknown(f, arg, r);
		return;
	}
	for (size_t i = 0; i < SP_ELEMENTS(keys); i++)
		sp_fact_set_unknown(f, keys[i].fact, arg, "no line '%s'", keys[i].key);
	for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		const char *key = sp_strip(line);
		if (sp_streq(key, "processor"))
			count++;
		take_line(f, arg, key, sp_strip(colon + 1));
	}
	if (count > 0)
		sp_fact_set_num(f, SP_FACT_CPU_COUNT, arg, count);
	else
		sp_fact_set_unknown(f, SP_FACT_CPU_COUNT, arg, "no line 'processor'");
}
