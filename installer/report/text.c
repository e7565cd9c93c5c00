/* SPDX-License-Identifier: MIT */
#include "report/internal.h"

#include <stdarg.h>

static const struct {
	const char *name, *escape;
} paints[] = {
	[SP_PLAIN] = { NULL, "" },
	[SP_BOLD] = { "bold", "\033[1m" },
	[SP_GREEN] = { "green", "\033[32m" },
	[SP_YELLOW] = { "yellow", "\033[33m" },
	[SP_RED] = { "red", "\033[31m" },
	[SP_CYAN] = { "cyan", "\033[36m" },
	[SP_DIM] = { "halfbright", "\033[2m" },
};

const char *sp_paint_name(enum sp_paint paint)
{
	return paints[paint].name;
}

size_t sp_utf8_len(const char *s)
{
	const unsigned char *u = (const unsigned char *) s;
	size_t n = u[0] < 0x80 ? 1 : u[0] >= 0xc2 && u[0] < 0xe0 ? 2 : u[0] >= 0xe0 && u[0] < 0xf0 ? 3 : 4;

	if (n == 4 && (u[0] < 0xf0 || u[0] > 0xf4))
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	/* overlong forms, surrogates, beyond U+10FFFF */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) ||
	    (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return n;
}

char *sp_text_safe(const struct sp_report *r, const char *text)
{
	struct sp_buf b = { 0 };

	for (const char *s = text; *s;) {
		size_t plain = 0;

		while (s[plain] == '\n' || s[plain] == '\t' || (s[plain] >= 0x20 && s[plain] < 0x7f))
			plain++;
		sp_buf_add(&b, s, plain);
		s += plain;
		if (!*s)
			break;
		unsigned char c = (unsigned char) *s;
		size_t n = sp_utf8_len(s);
		if (c < 0x80)
			sp_buf_addf(&b, "^%c", c ^ 0x40);
		else if (!r->utf8 || n == 0 || (c == 0xc2 && (unsigned char) s[1] < 0xa0)) /* C1 controls */
			sp_buf_adds(&b, "?");
		else
			sp_buf_add(&b, s, n);
		s += n ? n : 1;
	}
	return sp_buf_steal(&b);
}

/* The end of the line that begins at s: where to break, and where the next line begins. */
static const char *line_end(const char *s, size_t width, bool cut, const char **next)
{
	const char *blank = NULL;
	size_t used = 0;

	for (const char *p = s;;) {
		size_t n = *p ? sp_utf8_len(p) : 0;

		if (*p == '\0' || *p == '\n') {
			*next = *p ? p + 1 : p;
			return p;
		}
		if (*p == ' ')
			blank = p;
		if (used >= width && (blank || cut)) {
			*next = blank ? blank + 1 : p;
			return blank ? blank : p;
		}
		used++;
		p += n ? n : 1;
	}
}

char *sp_text_fold(const char *text, size_t width, bool cut)
{
	struct sp_buf b = { 0 };

	for (const char *s = text; *s;) {
		const char *next, *end = line_end(s, width ? width : 1, cut, &next);

		if (b.len)
			sp_buf_adds(&b, "\n");
		sp_buf_add(&b, s, (size_t) (end - s));
		s = next;
	}
	return sp_buf_steal(&b);
}

size_t sp_text_lines(const char *folded)
{
	size_t n = 1;

	for (const char *s = strchr(folded, '\n'); s; s = strchr(s + 1, '\n'))
		n++;
	return n;
}

char *sp_text_mib(uint64_t mib)
{
	uint64_t tenths = (mib * 10 + 512) / 1024;

	if (mib < 1024)
		return sp_xasprintf("%ju MiB", (uintmax_t) mib);
	if (tenths % 10 == 0)
		return sp_xasprintf("%ju GiB", (uintmax_t) (tenths / 10));
	return sp_xasprintf("%ju.%ju GiB", (uintmax_t) (tenths / 10), (uintmax_t) (tenths % 10));
}

/* Failures of stdio are kept by the stream and looked at once, in sp_report_finish(). */
static void print_safe(struct sp_report *r, enum sp_paint paint, const char *text)
{
	sp_autofree char *safe = sp_text_safe(r, text);
	bool on = paint != SP_PLAIN && r->color == SP_COLOR_ALWAYS, line = sp_endswith(safe, "\n");

	r->begun = true;
	if (line)
		safe[strlen(safe) - 1] = '\0'; /* colours end before the line does */
	(void) fprintf(r->out, "%s%s%s%s", on ? paints[paint].escape : "", safe, on ? "\033[0m" : "", line ? "\n" : "");
}

void sp_print(struct sp_report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_autofree char *text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	print_safe(r, SP_PLAIN, text);
}

void sp_paint(struct sp_report *r, enum sp_paint paint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_autofree char *text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	print_safe(r, paint, text);
}

void sp_paragraph(struct sp_report *r, const char *first, size_t indent, const char *text)
{
	sp_autofree char *safe = sp_text_safe(r, text);
	sp_autofree char *folded = sp_text_fold(safe, r->width > indent + 20 ? r->width - indent : 20, false);
	char *rest = folded, *line;

	r->begun = true;
	while ((line = strsep(&rest, "\n"))) {
		(void) fprintf(r->out, "%-*s%s\n", (int) indent, first, line);
		first = "";
	}
}

void sp_gap(struct sp_report *r)
{
	if (r->begun)
		sp_print(r, "\n");
}

void sp_heading(struct sp_report *r, const char *text)
{
	sp_gap(r);
	sp_paint(r, SP_BOLD, "%s\n", text);
}

void sp_section(struct sp_report *r, const char *heading, const struct sp_strv *items)
{
	if (items->n == 0)
		return;
	sp_heading(r, heading);
	for (size_t i = 0; i < items->n; i++)
		sp_paragraph(r, "  -", 4, items->v[i]);
}
