/* SPDX-License-Identifier: MIT */
#include "hw/remembered.h"

#include <jansson.h>

#include "hw/internal.h"

enum { REMEMBERED_MAX = 1024 * 1024 };

struct sp_remembered {
	const struct sp_root *root;
	bool was_read, learned;
	json_t *list; /* of what "modules" holds */
};

struct sp_remembered *sp_remembered_new(const struct sp_root *root)
{
	struct sp_remembered *r = sp_xcalloc(1, sizeof(*r));

	r->root = root;
	return r;
}

void sp_remembered_free(struct sp_remembered *r)
{
	if (!r)
		return;
	json_decref(r->list);
	free(r);
}

/* Whatever is wrong with the file, it is as if it were not there. */
static void read_once(struct sp_remembered *r)
{
	static const char path[] = SP_REMEMBERED_DIR "/" SP_REMEMBERED_NAME;
	sp_autobuf struct sp_buf b = { 0 };
	json_t *all = NULL;

	if (r->was_read)
		return;
	r->was_read = true;
	if (sp_root_read(r->root, path, REMEMBERED_MAX, &b, NULL) == 0)
		all = json_loadb(b.data, b.len, 0, NULL);
	json_t *list = json_object_get(all, "modules");
	r->list = json_is_array(list) ? json_incref(list) : json_array();
	json_decref(all);
}

static bool is_text(const json_t *entry, const char *key, const char *text)
{
	return sp_streq(json_string_value(json_object_get(entry, key)), text);
}

static bool is_number(const json_t *entry, const char *key, json_int_t number)
{
	const json_t *v = json_object_get(entry, key);

	return json_is_integer(v) && json_integer_value(v) == number;
}

static bool is_build(const json_t *entry, const struct stat *st)
{
	return is_number(entry, "size", st->st_size) && is_number(entry, "mtime", st->st_mtim.tv_sec) &&
	       is_number(entry, "mtime_ns", st->st_mtim.tv_nsec);
}

bool sp_remembered_find(struct sp_remembered *r, const char *kernel, const char *path, struct sp_strv *parms)
{
	json_t *entry = NULL, *name = NULL;
	struct stat st;
	size_t i, k;

	read_once(r);
	if (json_array_size(r->list) == 0 || sp_root_stat(r->root, path, &st) < 0)
		return false;
	json_array_foreach(r->list, i, entry)
	{
		const json_t *names = json_object_get(entry, "parameters");
		if (!is_text(entry, "kernel", kernel) || !is_text(entry, "path", path) || !is_build(entry, &st) ||
		    !json_is_array(names))
			continue;
		json_array_foreach(names, k, name) if (json_is_string(name))
			sp_strv_add(parms, json_string_value(name));
		return true;
	}
	return false;
}

/* A file that is there no more, or is another one by now. */
static bool is_stale(const struct sp_root *root, const json_t *entry)
{
	const char *path = json_string_value(json_object_get(entry, "path"));
	struct stat st;

	return !path || sp_root_stat(root, path, &st) < 0 || !is_build(entry, &st);
}

void sp_remembered_learn(struct sp_remembered *r, const char *kernel, const char *path, const struct sp_strv *parms)
{
	json_t *names = json_array();
	struct stat st;

	read_once(r);
	for (size_t i = 0; i < parms->n; i++)
		(void) json_array_append_new(names, json_string(parms->v[i])); /* what is not UTF-8 is left out */
	if (sp_root_stat(r->root, path, &st) < 0) {
		json_decref(names);
		return;
	}
	json_t *entry = json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "kernel", kernel, "path", path, "size",
				  (json_int_t) st.st_size, "mtime", (json_int_t) st.st_mtim.tv_sec, "mtime_ns",
				  (json_int_t) st.st_mtim.tv_nsec, "parameters", names);
	r->learned = entry && json_array_append_new(r->list, entry) == 0;
}

char *sp_remembered_text(const struct sp_remembered *r)
{
	json_t *entry = NULL, *list = NULL;
	size_t i;

	if (!r->learned)
		return NULL;
	list = json_array();
	json_array_foreach(r->list, i, entry) if (!is_stale(r->root, entry))(void) json_array_append(list, entry);
	json_t *all = json_pack("{s:s, s:o}", "schema", "strix-provision/modules/1", "modules", list);
	char *text = json_dumps(all, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	json_decref(all);
	return text;
}
