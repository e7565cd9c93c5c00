/* SPDX-License-Identifier: MIT */
#include "report/internal.h"

json_t *sp_json_text(const char *text)
{
	sp_autobuf struct sp_buf b = { 0 };

	if (!text)
		return json_null();
	for (const char *s = text; *s;) {
		size_t n = sp_utf8_len(s);

		if (n)
			sp_buf_add(&b, s, n);
		else
			sp_buf_adds(&b, "\xef\xbf\xbd");
		s += n ? n : 1;
	}
	return json_stringn(b.data ? b.data : "", b.len);
}

void sp_json_put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		abort(); /* out of memory: names and values are checked above */
}

json_t *sp_json_strv(const struct sp_strv *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++) {
		if (json_array_append_new(array, sp_json_text(list->v[i])) < 0)
			abort();
	}
	return array;
}

json_t *sp_json_open(const struct sp_report *r, enum sp_exit status, const struct sp_strv *warnings)
{
	static const struct sp_strv none = { 0 };
	sp_autofree char *schema = sp_xasprintf("%s/%s/1", r->program, r->command ? r->command : "error");
	json_t *object = json_object();

	sp_json_put(object, "schema", sp_json_text(schema));
	sp_json_put(object, "exit_status", json_integer(status));
	sp_json_put(object, "warnings", sp_json_strv(warnings ? warnings : &none));
	sp_json_put(object, "advisories", json_array());
	return object;
}

void sp_json_error(json_t *object, const struct sp_error *error)
{
	json_t *e;

	if (!error)
		return;
	e = json_object();
	sp_json_put(e, "message", sp_json_text(error->message));
	sp_json_put(e, "hint", sp_json_text(error->hint));
	sp_json_put(e, "path", sp_json_text(error->path));
	sp_json_put(object, "error", e);
}

int sp_json_print(struct sp_report *r, json_t *object)
{
	/* ASCII: the C1 controls are characters that a terminal may obey, and this may be read on one. */
	sp_autofree char *text = json_dumps(object, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	if (!text)
		abort(); /* out of memory: every value is a JSON value */
	json_decref(object);
	r->object_done = true;
	(void) fprintf(r->out, "%s\n", text);
	return 0;
}
