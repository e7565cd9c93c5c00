/* SPDX-License-Identifier: MIT */
#include "journal-text.h"

#include <jansson.h>

static enum record record_of(const char *type)
{
	static const char *const names[] = {
		[RECORD_BEGIN] = "begin",	  [RECORD_FILES] = "files", [RECORD_PREPARED] = "prepared",
		[RECORD_COMMITTED] = "committed", [RECORD_DONE] = "done",   [RECORD_UNDONE] = "undone",
	};

	for (size_t i = 0; i < SP_ELEMENTS(names); i++)
		if (sp_streq(names[i], type))
			return (enum record) i;
	return RECORD_OTHER;
}

static void add_names(struct sp_strv *l, const json_t *array, const char *key)
{
	json_t *v = NULL;
	size_t i;

	json_array_foreach (array, i, v) {
		const char *name = json_string_value(key ? json_object_get(v, key) : v);
		if (name)
			sp_strv_add(l, name);
	}
}

/* "CRC SEQUENCE JSON" */
static void fold_line(struct journal_text *j, const char *line, size_t len)
{
	const char *json = memchr(line, '{', len);
	json_t *record = json ? json_loadb(json, len - (size_t) (json - line), 0, NULL) : NULL;

	j->n++;
	j->last = record_of(json_string_value(json_object_get(record, "type")));
	add_names(&j->listed, json_object_get(record, "files"), "path");
	if (j->last == RECORD_FILES)
		add_names(&j->listed, json_object_get(record, "dirs"), NULL);
	if (j->last == RECORD_PREPARED) {
		sp_strv_clear(&j->prepared);
		sp_strv_copy(&j->prepared, &j->listed);
	}
	json_decref(record);
}

static void fold(struct journal_text *j)
{
	j->n = 0;
	j->last = RECORD_NONE;
	sp_strv_clear(&j->listed);
	sp_strv_clear(&j->prepared);
	for (size_t at = 0; at < j->text.len;) {
		const char *line = j->text.data + at, *end = memchr(line, '\n', j->text.len - at);
		if (!end)
			return;
		fold_line(j, line, (size_t) (end - line));
		at += (size_t) (end - line) + 1;
	}
}

void journal_text_add(struct journal_text *j, const char *path, const char *text)
{
	if (!sp_streq(j->path, path)) {
		journal_text_clear(j);
		j->path = sp_xstrdup(path);
	}
	sp_buf_adds(&j->text, text);
	fold(j);
}

void journal_text_cut(struct journal_text *j, size_t size)
{
	if (size < j->text.len)
		j->text.len = size;
	fold(j);
}

void journal_text_clear(struct journal_text *j)
{
	free(j->path);
	sp_buf_clear(&j->text);
	sp_strv_clear(&j->listed);
	sp_strv_clear(&j->prepared);
	*j = (struct journal_text){ 0 };
}
