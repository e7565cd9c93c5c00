/* SPDX-License-Identifier: MIT */
/* Facts that are one small file, or the names in one directory. */
#include "hw/internal.h"

void sp_read_text(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autofree char *line = NULL;
	int r = sp_root_read_line(f->machine, arg, &line);

	if (r < 0) {
		sp_fact_set_errno(f, fact, arg, r);
		return;
	}
	const char *text = sp_strip(line);
	if (*text)
		sp_fact_set_text(f, fact, arg, text);
	else
		sp_fact_set_unknown(f, fact, arg, "empty");
}

void sp_read_number(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autofree char *line = NULL;
	int r = sp_root_read_line(f->machine, arg, &line);

	if (r < 0)
		sp_fact_set_errno(f, fact, arg, r);
	else
		sp_fact_set_parsed(f, fact, arg, sp_strip(line));
}

void sp_read_mib(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_read_number(f, fact, arg);
	if (sp_fact_known(f, fact))
		sp_fact_set_num(f, fact, arg, sp_fact_num(f, fact) >> 20);
}

void sp_read_bracketed(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autofree char *line = NULL;
	int r = sp_root_read_line(f->machine, arg, &line);

	if (r < 0) {
		sp_fact_set_errno(f, fact, arg, r);
		return;
	}
	char *from = strchr(line, '['), *to = from ? strchr(from, ']') : NULL;
	if (!to) {
		sp_fact_set_unknown(f, fact, arg, "'%s' is not understood", line);
		return;
	}
	*to = '\0';
	sp_fact_set_text(f, fact, arg, from + 1);
}

void sp_read_whole(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autobuf struct sp_buf b = { 0 };
	int r = sp_root_read(f->machine, arg, SP_FILE_MAX, &b, NULL);

	if (r < 0) {
		sp_fact_set_errno(f, fact, arg, r);
		return;
	}
	while (b.len > 0 && b.data[b.len - 1] == '\n')
		b.data[--b.len] = '\0';
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i] == '\n' || b.data[i] == '\0')
			b.data[i] = ' ';
	sp_fact_set_bytes(f, fact, arg, b.data);
}

void sp_read_count(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv names = { 0 };
	int r = sp_root_list(f->machine, arg, &names);

	if (r < 0)
		sp_fact_set_errno(f, fact, arg, r);
	else
		sp_fact_set_num(f, fact, arg, names.n);
}

/* How many numbers "0-3,8" names; 0: not such a list. */
static uint64_t count_ranges(char *list)
{
	char *save = NULL;
	uint64_t n = 0;

	for (char *range = strtok_r(list, ",", &save); range; range = strtok_r(NULL, ",", &save)) {
		char *dash = strchr(range, '-');
		uint64_t from = 0, to = 0;
		if (dash)
			*dash = '\0';
		if (sp_parse_u64(range, &from) < 0 || sp_parse_u64(dash ? dash + 1 : range, &to) < 0)
			return 0;
		if (to < from || to > UINT32_MAX)
			return 0;
		n += to - from + 1;
	}
	return n;
}

void sp_read_ranges(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autofree char *line = NULL, *copy = NULL;
	int r = sp_root_read_line(f->machine, arg, &line);

	if (r < 0) {
		sp_fact_set_errno(f, fact, arg, r);
		return;
	}
	copy = sp_xstrdup(line);
	uint64_t n = count_ranges(sp_strip(copy));
	if (n > 0)
		sp_fact_set_num(f, fact, arg, n);
	else
		sp_fact_set_unknown(f, fact, arg, "'%s' is not understood", line);
}
