/* SPDX-License-Identifier: MIT */
#include "format/bls.h"

#include <errno.h>

#include "format/joined.h"
#include "format/lines.h"

/* A "key value" line; offsets are bytes of the file. */
struct pair {
	struct sp_textline at;
	size_t key, key_end;
	size_t value; /* at.end when there is none; blanks at the end belong to it */
};

/* Step to the next line that is no comment; an empty one has key == key_end. */
static bool next_pair(const struct sp_buf *file, struct pair *p)
{
	while (sp_text_next(file, &p->at)) {
		p->key = sp_text_skip(file, &p->at);
		if (p->key < p->at.end && file->data[p->key] == '#')
			continue;
		p->key_end = p->key;
		while (p->key_end < p->at.end && !sp_text_is_blank(file->data[p->key_end]))
			p->key_end++;
		p->value = p->key_end;
		while (p->value < p->at.end && sp_text_is_blank(file->data[p->value]))
			p->value++;
		return true;
	}
	return false;
}

static bool key_is(const struct sp_buf *file, const struct pair *p, const char *key)
{
	size_t n = strlen(key);

	return p->key_end - p->key == n && memcmp(file->data + p->key, key, n) == 0;
}

static char *pair_value(const struct sp_buf *file, const struct pair *p)
{
	return sp_xstrndup(file->data + p->value, p->at.end - p->value);
}

/* Keys of which the first one counts, and where they are kept. */
static const struct {
	const char *key;
	size_t offset;
} first_keys[] = {
	{ "title", offsetof(struct sp_bls, title) },	   { "version", offsetof(struct sp_bls, version) },
	{ "linux", offsetof(struct sp_bls, linux_path) },  { "machine-id", offsetof(struct sp_bls, machine_id) },
	{ "sort-key", offsetof(struct sp_bls, sort_key) }, { "grub_class", offsetof(struct sp_bls, grub_class) },
};

static void take_first(const struct sp_buf *file, const struct pair *p, struct sp_bls *bls)
{
	for (size_t i = 0; i < SP_ELEMENTS(first_keys); i++) {
		char **field = (char **) (void *) ((char *) bls + first_keys[i].offset);

		if (key_is(file, p, first_keys[i].key) && !*field) {
			sp_autofree char *value = pair_value(file, p);

			*field = sp_xstrdup(sp_strip(value));
		}
	}
}

static void add_words(struct sp_strv *list, const char *value)
{
	for (size_t n; *value; value += n) {
		n = strcspn(value, " \t");
		if (n > 0)
			sp_strv_take(list, sp_xstrndup(value, n));
		n += strspn(value + n, " \t");
	}
}

int sp_bls_parse(const struct sp_buf *file, struct sp_bls *ret, struct sp_error **err)
{
	sp_autobls struct sp_bls bls = { 0 };
	struct pair p = { 0 };
	bool boots = false;
	int r = sp_text_check(file, err);

	if (r < 0)
		return r;
	while (next_pair(file, &p)) {
		sp_autofree char *value = NULL;

		if (p.value == p.at.end)
			continue;
		value = pair_value(file, &p);
		take_first(file, &p, &bls);
		if (key_is(file, &p, "initrd"))
			add_words(&bls.initrd, value);
		if (key_is(file, &p, "options"))
			sp_strv_add(&bls.options, value);
		boots |= key_is(file, &p, "linux") || key_is(file, &p, "efi") || key_is(file, &p, "uki") ||
			 key_is(file, &p, "uki-url");
	}
	if (!boots)
		return sp_error_set(err, -EINVAL, "none of its %u lines says what to boot (linux, efi or uki)",
				    p.at.number);
	*ret = bls;
	bls = (struct sp_bls){ 0 };
	return 0;
}

void sp_bls_clear(struct sp_bls *bls)
{
	for (size_t i = 0; i < SP_ELEMENTS(first_keys); i++)
		free(*(char **) (void *) ((char *) bls + first_keys[i].offset));
	sp_strv_clear(&bls->initrd);
	sp_strv_clear(&bls->options);
	*bls = (struct sp_bls){ 0 };
}

int sp_bls_last(const struct sp_buf *file, const char *key, char **ret, struct sp_error **err)
{
	struct pair p = { 0 };
	int r = sp_text_check(file, err);

	*ret = NULL;
	while (r == 0 && next_pair(file, &p)) {
		if (!key_is(file, &p, key) || p.value == p.at.end)
			continue;
		sp_autofree char *value = pair_value(file, &p);
		free(*ret);
		*ret = sp_xstrdup(sp_strip(value));
	}
	return r;
}

/* A bare "options" says nothing, and GRUB stops reading there: it is not the line, and stays as it is. */
static bool find_options(const struct sp_buf *file, struct pair *ret)
{
	*ret = (struct pair){ 0 };
	while (next_pair(file, ret))
		if (key_is(file, ret, "options") && ret->value < ret->at.end)
			return true;
	return false;
}

int sp_bls_get_options(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	struct pair p;
	int r = sp_text_check(file, err);

	(void) var;
	if (r < 0)
		return r;
	if (!find_options(file, &p))
		return sp_error_set(err, -ENOENT, "there is no options line");
	*ret = pair_value(file, &p);
	return 0;
}

/* Behind the last "key value" line that GRUB gets to see, since it stops reading at the first other one. */
static void add_options(const struct sp_buf *file, const char *line, struct sp_buf *ret)
{
	sp_autofree char *text = sp_xasprintf("options %s", line);
	struct sp_textline behind = { 0 };
	struct pair p = { 0 };

	while (next_pair(file, &p) && p.value < p.at.end)
		behind = p.at;
	sp_text_add_line(file, &behind, text, ret);
}

int sp_bls_put_options(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		       struct sp_error **err)
{
	struct pair p;
	int r = sp_text_check(file, err);

	(void) var;
	if (r < 0)
		return r;
	if (strpbrk(line, "\r\n"))
		return sp_error_set(err, -EINVAL, "an options line cannot hold a line end");
	if (find_options(file, &p)) {
		if (*line)
			sp_text_splice(file, p.value, p.at.end, line, ret);
		else
			sp_text_drop_line(file, &p.at, ret);
	} else if (*line) {
		add_options(file, line, ret);
	} else {
		sp_text_splice(file, 0, 0, "", ret);
	}
	return 0;
}

/* --- a loader that joins all options lines ----------------------------------------------------------------------- */

/* systemd-boot takes the quotes around a whole value away, so nothing may be put behind it; a word alone is no matter. */
static int check_quotes(const struct sp_buf *file, const struct pair *p, struct sp_error **err)
{
	sp_autofree char *value = pair_value(file, p);
	const char *text = sp_strip(value);
	size_t n = strlen(text);

	if (n < 2 || text[0] != '"' || text[n - 1] != '"')
		return 0;
	return sp_error_set(err, -EOPNOTSUPP, "line %u: systemd-boot takes the quotes at both ends of the line away",
			    p->at.number);
}

static int join_options(const struct sp_buf *file, struct sp_joined *ret, struct sp_error **err)
{
	struct pair p = { 0 };
	int r = sp_text_check(file, err);

	while (r == 0 && next_pair(file, &p)) {
		if (!key_is(file, &p, "options") || p.value == p.at.end)
			continue;
		r = check_quotes(file, &p, err);
		if (r == 0)
			sp_joined_add(ret, file, p.value, p.at.end);
	}
	return r;
}

int sp_bls_get_all_options(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	sp_autojoined struct sp_joined j = { 0 };
	int r = join_options(file, &j, err);

	(void) var;
	if (r < 0)
		return r;
	if (j.n_parts == 0)
		return sp_error_set(err, -ENOENT, "there is no options line");
	*ret = sp_buf_steal(&j.line);
	return 0;
}

/* What came out is looked at again: a word that ends in a quote may stand at the end now. */
static int check_result(struct sp_buf *file, const char *line, struct sp_error **err)
{
	sp_autojoined struct sp_joined j = { 0 };
	int r = join_options(file, &j, err);

	if (r == 0 && !sp_joined_says(&j, line))
		r = sp_error_set(err, -EOPNOTSUPP, "its options lines cannot say what is wanted");
	if (r < 0)
		sp_buf_clear(file);
	return r;
}

int sp_bls_put_all_options(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
			   struct sp_error **err)
{
	sp_autojoined struct sp_joined j = { 0 };
	int r = join_options(file, &j, err);

	if (r == 0 && (j.n_parts < 2 || strspn(j.line.data, " \t") == j.line.len))
		r = sp_bls_put_options(file, var, line, ret, err);
	else if (r == 0 && strpbrk(line, "\r\n"))
		r = sp_error_set(err, -EINVAL, "an options line cannot hold a line end");
	else if (r == 0)
		r = sp_joined_rewrite(file, &j, line, ret, err);
	return r < 0 ? r : check_result(ret, line, err);
}
