/* SPDX-License-Identifier: MIT */
/* Facts that are one small file, or the names in one directory. */
#include <ctype.h>
#include <errno.h>

#include "hw/internal.h"

/* Firmware strings hold anything; what follows goes to terminals and JSON. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s == 0x7f)
			*s = '?';
}

void sp_read_text(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autofree char *line = NULL;
	int r = sp_root_read_line(f->machine, arg, &line);

	if (r < 0) {
		sp_fact_set_errno(f, fact, arg, r);
		return;
	}
	char *text = sp_strip(line);
	make_printable(text);
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
		make_printable(line);
		sp_fact_set_unknown(f, fact, arg, "no word of '%s' is in brackets", line);
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
	sp_fact_set_text(f, fact, arg, b.data);
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

void sp_read_numbered(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv names = { 0 };
	const char *prefix = strrchr(arg, '/') + 1;
	sp_autofree char *dir = sp_xstrndup(arg, (size_t) (prefix - arg - 1));
	int r = sp_root_list(f->machine, dir, &names);
	uint64_t n = 0, ignored = 0;

	if (r < 0) {
		sp_fact_set_errno(f, fact, dir, r);
		return;
	}
	for (size_t i = 0; i < names.n; i++)
		if (sp_startswith(names.v[i], prefix) && sp_parse_u64(names.v[i] + strlen(prefix), &ignored) == 0)
			n++;
	if (n > 0)
		sp_fact_set_num(f, fact, dir, n);
	else
		sp_fact_set_unknown(f, fact, dir, "no '%s' is there", prefix);
}
