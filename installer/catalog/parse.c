/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "catalog/internal.h"

/* --- places ---------------------------------------------------------------------------------------------------- */

/* The name of the file hangs on the root of its values. */
static const char *file_of(const config_setting_t *s)
{
	while (config_setting_parent(s))
		s = config_setting_parent(s);
	return config_setting_get_hook(s);
}

static unsigned line_of(const config_setting_t *s)
{
	unsigned line = config_setting_source_line(s);

	return line ? line : 1; /* the root has none */
}

char *sp_where(const config_setting_t *s)
{
	return sp_xasprintf("%s:%u", file_of(s), line_of(s));
}

int sp_wrap_at(const config_setting_t *s, struct sp_error **err)
{
	(void) sp_error_wrap(err, "%s:%u", file_of(s), line_of(s));
	(void) sp_error_path(err, file_of(s));
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	return -EINVAL;
}

int sp_fail_at(const config_setting_t *s, struct sp_error **err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_autofree char *text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	(void) sp_error_set(err, -EINVAL, "%s", text);
	return sp_wrap_at(s, err);
}

/* --- files ----------------------------------------------------------------------------------------------------- */

static int fail_line(const char *file, int line, const char *what, struct sp_error **err)
{
	(void) sp_error_set(err, -EINVAL, "%s:%d: %s", file, line > 0 ? line : 1, what);
	(void) sp_error_path(err, file);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	return -EINVAL;
}

/*
 * What libconfig would take, and we do not: a NUL byte (also as an escape) hides the rest of a text, and @include
 * opens files behind the back of the root handle.
 */
static int check_raw(const struct sp_buf *b, const char *file, struct sp_error **err)
{
	const char *line = b->data, *end = b->data + b->len;

	for (int n = 1; line < end; n++) {
		const char *nl = memchr(line, '\n', (size_t) (end - line));
		size_t len = (size_t) ((nl ? nl : end) - line);
		sp_autofree char *copy = sp_xstrndup(line, len);

		if (memchr(line, '\0', len) || strstr(copy, "\\x00"))
			return fail_line(file, n, "a NUL byte has no place in it", err);
		if (sp_startswith(copy + strspn(copy, " \t\r"), "@include"))
			return fail_line(file, n, "@include is not supported", err);
		line += len + 1;
	}
	return 0;
}

static int parse(const struct sp_buf *b, struct sp_doc *doc, struct sp_error **err)
{
	int r = b->len ? check_raw(b, doc->file, err) : 0;

	if (r < 0)
		return r;
	if (!config_read_string(&doc->config, b->len ? b->data : ""))
		return fail_line(doc->file, config_error_line(&doc->config), config_error_text(&doc->config), err);
	config_setting_set_hook(config_root_setting(&doc->config), doc->file);
	return 0;
}

int sp_doc_read(const struct sp_root *root, const char *path, const char *display, struct sp_doc *ret,
		struct sp_error **err)
{
	sp_autobuf struct sp_buf b = { 0 };

	config_init(&ret->config);
	ret->file = sp_xstrdup(display);
	int r = sp_root_read(root, path, SP_FILE_MAX, &b, err);
	return r < 0 ? r : parse(&b, ret, err);
}

void sp_doc_clear(struct sp_doc *doc)
{
	if (!doc->file)
		return; /* never read */
	config_destroy(&doc->config);
	free(doc->file);
	doc->file = NULL;
}

/* --- groups ---------------------------------------------------------------------------------------------------- */

static const struct sp_key *find_key(const struct sp_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (sp_streq(keys->name, name))
			return keys;
	return NULL;
}

static int unknown_key(const config_setting_t *s, const struct sp_key *keys, struct sp_error **err)
{
	const char *names[32];
	size_t n = 0;

	for (; keys->name && n < SP_ELEMENTS(names); keys++)
		names[n++] = keys->name;
	(void) sp_fail_at(s, err, "unknown key '%s'", config_setting_name(s));
	(void) sp_hint_names(err, config_setting_name(s), names, n);
	return -EINVAL;
}

int sp_cfg_group(const config_setting_t *group, const struct sp_key *keys, void *object, struct sp_error **err)
{
	int r = sp_expect_type(group, CONFIG_TYPE_GROUP, err), n = config_setting_length(group);

	for (int i = 0; i < n && r == 0; i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned) i);
		const struct sp_key *key = find_key(keys, config_setting_name(s));
		if (!key)
			return unknown_key(s, keys, err);
		r = key->read(s, (char *) object + key->offset, err);
	}
	for (const struct sp_key *key = keys; key->name && r == 0; key++)
		if (key->required && !config_setting_get_member(group, key->name))
			return sp_fail_at(group, err, "the key '%s' is missing", key->name);
	return r;
}

/* --- values ---------------------------------------------------------------------------------------------------- */

static const char *type_name(int type)
{
	static const char *const names[] = {
		[CONFIG_TYPE_NONE] = "nothing",	      [CONFIG_TYPE_GROUP] = "a group { }",
		[CONFIG_TYPE_INT] = "a number",	      [CONFIG_TYPE_INT64] = "a number",
		[CONFIG_TYPE_FLOAT] = "a fraction",   [CONFIG_TYPE_STRING] = "a text in quotes",
		[CONFIG_TYPE_BOOL] = "true or false", [CONFIG_TYPE_ARRAY] = "an array [ ]",
		[CONFIG_TYPE_LIST] = "a list ( )",
	};

	return type >= 0 && (size_t) type < SP_ELEMENTS(names) ? names[type] : "something else";
}

int sp_expect_type(const config_setting_t *s, int type, struct sp_error **err)
{
	const char *name = config_setting_name(s);

	if (config_setting_type(s) == type)
		return 0;
	if (!name)
		return sp_fail_at(s, err, "here stands %s, and not %s", type_name(config_setting_type(s)),
				  type_name(type));
	return sp_fail_at(s, err, "'%s' is %s, and not %s", name, type_name(config_setting_type(s)), type_name(type));
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

bool sp_id_ok(const char *text)
{
	return *text >= 'a' && *text <= 'z' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

int sp_cfg_text(const config_setting_t *s, void *field, struct sp_error **err)
{
	const char *text = NULL;
	int r = sp_expect_type(s, CONFIG_TYPE_STRING, err);

	if (r < 0)
		return r;
	text = config_setting_get_string(s);
	const char *name = config_setting_name(s) ? config_setting_name(s) : "a text";
	if (!text || !*text)
		return sp_fail_at(s, err, "'%s' is empty", name);
	if (!is_printable(text))
		return sp_fail_at(s, err, "'%s' holds a control character, or one beyond ASCII", name);
	*(char **) field = sp_xstrdup(text);
	return 0;
}

static int check_id(const config_setting_t *s, const char *id, struct sp_error **err)
{
	return sp_id_ok(id) ? 0 : sp_fail_at(s, err, "'%s' is no id: a letter, then a-z, 0-9 and '-'", id);
}

int sp_cfg_id(const config_setting_t *s, void *field, struct sp_error **err)
{
	int r = sp_cfg_text(s, field, err);

	return r < 0 ? r : check_id(s, *(char **) field, err);
}

int sp_cfg_texts(const config_setting_t *s, void *field, struct sp_error **err)
{
	struct sp_strv *list = field;
	char *text = NULL;

	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		int r = sp_cfg_text(s, &text, err);
		if (r == 0)
			sp_strv_take(list, text);
		return r;
	}
	if (!config_setting_is_array(s) && !config_setting_is_list(s))
		return sp_expect_type(s, CONFIG_TYPE_ARRAY, err);
	for (int i = 0; i < config_setting_length(s); i++) {
		int r = sp_cfg_text(config_setting_get_elem(s, (unsigned) i), &text, err);
		if (r < 0)
			return r;
		sp_strv_take(list, text);
	}
	return 0;
}

int sp_cfg_ids(const config_setting_t *s, void *field, struct sp_error **err)
{
	sp_autostrv struct sp_strv ids = { 0 };
	struct sp_strv *list = field;
	int r = sp_cfg_texts(s, &ids, err);

	for (size_t i = 0; i < ids.n && r == 0; i++) {
		const bool single = config_setting_type(s) == CONFIG_TYPE_STRING;
		const config_setting_t *at = single ? s : config_setting_get_elem(s, (unsigned) i);
		r = check_id(at, ids.v[i], err);
		if (r == 0 && sp_strv_has(list, ids.v[i]))
			r = sp_fail_at(at, err, "'%s' is named twice", ids.v[i]);
		sp_strv_add(list, ids.v[i]);
	}
	return r;
}

int sp_cfg_bool(const config_setting_t *s, void *field, struct sp_error **err)
{
	int r = sp_expect_type(s, CONFIG_TYPE_BOOL, err);

	if (r == 0)
		*(bool *) field = config_setting_get_bool(s);
	return r;
}

int sp_cfg_count(const config_setting_t *s, void *field, struct sp_error **err)
{
	const bool wide = config_setting_type(s) == CONFIG_TYPE_INT64;
	int r = wide ? 0 : sp_expect_type(s, CONFIG_TYPE_INT, err);

	if (r < 0)
		return r;
	long long n = config_setting_get_int64(s);
	if (n < 0)
		return sp_fail_at(s, err, "'%s' is less than 0", config_setting_name(s));
	*(uint64_t *) field = (uint64_t) n;
	return 0;
}

int sp_cfg_int(const config_setting_t *s, void *field, struct sp_error **err)
{
	int r = sp_expect_type(s, CONFIG_TYPE_INT, err);

	if (r == 0)
		*(int *) field = config_setting_get_int(s);
	return r;
}

int sp_cfg_word(const config_setting_t *s, const char *const *words, size_t n, int *ret, struct sp_error **err)
{
	sp_autofree char *text = NULL;
	int r = sp_cfg_text(s, &text, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (sp_streq(words[i], text)) {
			*ret = (int) i;
			return 0;
		}
	(void) sp_fail_at(s, err, "'%s' cannot be '%s'", config_setting_name(s), text);
	(void) sp_hint_names(err, "", words, n);
	return -EINVAL;
}
