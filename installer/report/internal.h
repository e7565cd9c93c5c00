/* SPDX-License-Identifier: MIT */
/* What the reports share: text on so many columns, tables, the common keys of a JSON object. */
#pragma once

#include <libsmartcols.h>

#include "report/report.h"

/* --- text.c ---------------------------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character at s; 0: not UTF-8. */
size_t sp_utf8_len(const char *s);
/* Text for a terminal: control characters as ^X, what the locale cannot show as '?'; tab and newline stay. Owned. */
char *sp_text_safe(const struct sp_report *r, const char *text);
/*
 * The text broken at blanks into lines of at most width characters; a longer word is cut (for a column), or left whole
 * (in prose: it may be a path that is to be copied). Owned.
 */
char *sp_text_fold(const char *text, size_t width, bool cut);
/* "59 GiB", "62.1 GiB", "512 MiB"; owned. */
char *sp_text_mib(uint64_t mib);

enum sp_paint { SP_PLAIN, SP_BOLD, SP_GREEN, SP_YELLOW, SP_RED, SP_CYAN, SP_DIM };
const char *sp_paint_name(enum sp_paint paint); /* for libsmartcols; NULL: none */

/* Print to `out`: made safe, painted where colours are on. */
void sp_print(struct sp_report *r, const char *fmt, ...) sp_printf(2, 3);
void sp_paint(struct sp_report *r, enum sp_paint paint, const char *fmt, ...) sp_printf(3, 4);
/* A paragraph: folded, indented, with `first` (borrowed, shorter than the indent) at its start. */
void sp_paragraph(struct sp_report *r, const char *first, size_t indent, const char *text);
/* The empty line between two parts. */
void sp_gap(struct sp_report *r);
void sp_heading(struct sp_report *r, const char *text);
/* A bold heading and one paragraph an item; nothing when the list is empty. */
void sp_section(struct sp_report *r, const char *heading, const struct sp_strv *items);

/* --- images.c: initramfs images, and what each has of our modprobe.d file ---------------------------------------- */

json_t *sp_json_images(const struct sp_boot_images *l);
void sp_report_images(struct sp_report *r, const struct sp_boot_images *l); /* nothing where there are none */

/* --- table.c --------------------------------------------------------------------------------------------------- */

struct sp_column {
	const char *name;
	int flags; /* of libsmartcols */
};
/* A table as wide as the report; columns with SCOLS_FL_WRAP break at newlines (fold the text before). */
struct libscols_table *sp_table_new(struct sp_report *r, const struct sp_column *columns, size_t n);
/* A row of n cells; a NULL cell is empty. parent: of a tree, or NULL. */
struct libscols_line *sp_table_row(struct libscols_table *table, struct libscols_line *parent, const char *const *cells,
				   size_t n);
void sp_table_paint(struct libscols_line *row, size_t column, enum sp_paint paint);
void sp_table_print(struct sp_report *r, struct libscols_table *table);
/*
 * A table with text between its rows: all of it as text (owned), of which lines are taken and printed: one of headings,
 * then for each row as many as its folded cell has.
 */
char *sp_table_text(struct libscols_table *table);
void sp_table_print_lines(struct sp_report *r, char **text, size_t n);
size_t sp_text_lines(const char *folded);

static inline void sp_cleanup_table_(struct libscols_table **t)
{
	scols_unref_table(*t);
}
#define sp_autotable sp_cleanup(sp_cleanup_table_)

/* "label  value" lines, indented by two; values are folded. A NULL value is left out. */
struct sp_pair {
	const char *label;
	char *value; /* owned */
};
void sp_pairs_print(struct sp_report *r, struct sp_pair *pairs, size_t n); /* frees the values */

/* --- json.c ---------------------------------------------------------------------------------------------------- */

/* null for NULL; bytes that are not UTF-8 become U+FFFD. */
json_t *sp_json_text(const char *text);
json_t *sp_json_strv(const struct sp_strv *list);
/* The object with schema, exit_status, warnings, advisories. */
json_t *sp_json_open(const struct sp_report *r, enum sp_exit status, const struct sp_strv *warnings);
/* "key": value (stolen; NULL is a failure of jansson and ends the program as out of memory does). */
void sp_json_put(json_t *object, const char *key, json_t *value);
void sp_report_checks(struct sp_report *r, const struct sp_verify *v); /* the table; report-verify.c */
json_t *sp_json_checks(const struct sp_verify *v); /* report-verify.c */
void sp_json_error(json_t *object, const struct sp_error *error); /* error NULL: adds nothing */
int sp_json_print(struct sp_report *r, json_t *object);		  /* steals the object; 0, see sp_report_finish() */
/* The keys that plan and apply have in common. */
void sp_json_plan(json_t *object, const struct sp_plan *plan);

/* --- report.c -------------------------------------------------------------------------------------------------- */

void sp_report_warnings(struct sp_report *r, const struct sp_strv *warnings);
void sp_report_firmware(struct sp_report *r, const struct sp_plan *plan);

/* --- advice.c -------------------------------------------------------------------------------------------------- */

/* For the key "advisories". */
json_t *sp_json_advisories(const struct sp_advices *a);
/* A part of its own, or nothing; evidence: also without --verbose. */
void sp_report_advisories(struct sp_report *r, const struct sp_advices *a, bool evidence);

/* --- report-explain.c, markdown-explain.c ---------------------------------------------------------------------- */

/* "key=value" of a setting, "not known here" (owned); NULL: it is no setting. */
char *sp_explained_value(const struct sp_explained *e);
/* whole: with a title and a table in front. */
void sp_explain_markdown(struct sp_report *r, const struct sp_explain *x, bool whole);

/* --- plan-text.c ----------------------------------------------------------------------------------------------- */

void sp_plan_text(struct sp_report *r, const struct sp_plan *p, bool evidence);
size_t sp_plan_changes(const struct sp_plan *p); /* files that would be written */

/* --- detect-text.c --------------------------------------------------------------------------------------------- */

void sp_detect_text(struct sp_report *r, const struct sp_detect *d);

/* --- report-firmware.c ------------------------------------------------------------------------------------------- */

json_t *sp_json_carveout(const struct sp_facts *f, const struct sp_carveout *c);
/* "512 MiB (hp-bioscfg 'Dedicated Graphics Memory')"; "512 MB, 4 GB and 8 GB"; owned. */
char *sp_carveout_next(const struct sp_carveout *c);
char *sp_carveout_choices(const struct sp_carveout *c);
void sp_carveout_sources(struct sp_report *r, const struct sp_carveout *c); /* a paragraph each, in their order */

/* --- memory.c --------------------------------------------------------------------------------------------------- */

/*
 * The picture of installed memory: now, and, where it differs, `when` ("after the reboot"; NULL: now alone), with a GTT
 * of gtt_mib (0: the size that would be chosen) and a carve-out of uma_mib (0: the one of the next boot; one that is not
 * known is taken to stay as it is).
 */
void sp_memory_picture(struct sp_report *r, const struct sp_facts *f, uint64_t gtt_mib, uint64_t uma_mib,
		       const char *when);
