/* SPDX-License-Identifier: MIT */
#include "report/internal.h"

#define INDENT 2

static void must(int rc)
{
	if (rc < 0) /* only for want of memory */
		abort();
}

struct libscols_table *sp_table_new(struct sp_report *r, const struct sp_column *columns, size_t n)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		abort();
	must(scols_table_set_stream(table, r->out));
	/* The same on a terminal and in a pipe: as wide as the report says. */
	must(scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS));
	must(scols_table_set_termwidth(table, r->width - INDENT));
	must(scols_table_set_column_separator(table, "  "));
	must(scols_table_enable_colors(table, r->color == SP_COLOR_ALWAYS));
	must(scols_table_enable_ascii(table, !r->utf8));
	for (size_t i = 0; i < n; i++) {
		struct libscols_column *c = scols_table_new_column(table, columns[i].name, 0, columns[i].flags);

		if (!c)
			abort();
		if (columns[i].flags & SCOLS_FL_WRAP) {
			must(scols_column_set_safechars(c, "\n"));
			must(scols_column_set_wrapfunc(c, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL));
		}
	}
	return table;
}

struct libscols_line *sp_table_row(struct libscols_table *table, struct libscols_line *parent, const char *const *cells,
				   size_t n)
{
	struct libscols_line *line = scols_table_new_line(table, parent);

	if (!line)
		abort();
	for (size_t i = 0; i < n; i++)
		must(scols_line_set_data(line, i, cells[i]));
	return line;
}

void sp_table_paint(struct libscols_line *row, size_t column, enum sp_paint paint)
{
	struct libscols_cell *cell = scols_line_get_cell(row, column);

	if (cell && sp_paint_name(paint))
		must(scols_cell_set_color(cell, sp_paint_name(paint)));
}

/* Print what libsmartcols made, which may or may not end in a newline, without the blanks of empty last cells. */
void sp_table_print_lines(struct sp_report *r, char **text, size_t n)
{
	char *line;

	while (n-- > 0 && (line = strsep(text, "\n"))) {
		size_t len = strlen(line);

		while (len && line[len - 1] == ' ')
			len--;
		if (len)
			(void) fprintf(r->out, "%*s%.*s\n", INDENT, "", (int) len, line);
	}
}

char *sp_table_text(struct libscols_table *table)
{
	char *text = NULL;

	if (scols_table_is_empty(table))
		return sp_xstrdup("");
	must(scols_print_table_to_string(table, &text));
	return text;
}

void sp_table_print(struct sp_report *r, struct libscols_table *table)
{
	sp_autofree char *text = sp_table_text(table);
	char *rest = text;

	sp_table_print_lines(r, &rest, SIZE_MAX);
}

static size_t widest_label(const struct sp_pair *pairs, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++) {
		if (pairs[i].value && strlen(pairs[i].label) > width)
			width = strlen(pairs[i].label);
	}
	return width;
}

void sp_pairs_print(struct sp_report *r, struct sp_pair *pairs, size_t n)
{
	static const struct sp_column columns[] = { { "", 0 }, { "", SCOLS_FL_WRAP } };
	sp_autotable struct libscols_table *table = sp_table_new(r, columns, SP_ELEMENTS(columns));
	size_t used = INDENT + widest_label(pairs, n) + 2;

	must(scols_table_enable_noheadings(table, 1));
	for (size_t i = 0; i < n; i++) {
		if (!pairs[i].value)
			continue;
		sp_autofree char *safe = sp_text_safe(r, pairs[i].value);
		sp_autofree char *folded = sp_text_fold(safe, r->width > used + 20 ? r->width - used : 20, true);
		const char *cells[] = { pairs[i].label, folded };

		(void) sp_table_row(table, NULL, cells, SP_ELEMENTS(cells));
		free(sp_steal(pairs[i].value));
	}
	sp_table_print(r, table);
}
