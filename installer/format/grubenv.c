/* SPDX-License-Identifier: MIT */
#include "format/grubenv.h"

#include <errno.h>

static const char head[] = "# GRUB Environment Block\n";

struct var {
	size_t start; /* of the name */
	size_t name_len;
	size_t value, end; /* escaped; end is at the newline */
};

/* 0 and where the variables end and the filling begins, or -EINVAL. */
static int check(const struct sp_buf *file, size_t *ret_end, struct sp_error **err)
{
	size_t end = file->len;

	if (file->len != SP_GRUBENV_SIZE)
		return sp_error_set(err, -EINVAL, "not a GRUB environment block: %zu bytes instead of %d", file->len,
				    SP_GRUBENV_SIZE);
	if (memcmp(file->data, head, strlen(head)) != 0)
		return sp_error_set(err, -EINVAL, "not a GRUB environment block: the first line is not '%.*s'",
				    (int) strlen(head) - 1, head);
	if (memchr(file->data, '\0', file->len))
		return sp_error_set(err, -EINVAL, "damaged GRUB environment block: it has NUL bytes");
	while (file->data[end - 1] == '#')
		end--;
	if (file->data[end - 1] != '\n')
		return sp_error_set(err, -EINVAL, "damaged GRUB environment block: the last variable has no line end");
	*ret_end = end;
	return 0;
}

/* The next variable from *pos on; lines without '=' and comments are passed over. */
static bool next_var(const struct sp_buf *file, size_t end, size_t *pos, struct var *ret)
{
	const char *d = file->data;

	while (*pos < end) {
		size_t i = *pos, name_end;

		ret->start = i;
		while (d[i] != '\n' && d[i] != '=')
			i++;
		name_end = i;
		while (i < end && d[i] != '\n')
			i += d[i] == '\\' && i + 2 < end ? 2 : 1; /* the last line end cannot be escaped */
		*pos = i + 1;
		if (d[ret->start] == '#' || d[name_end] != '=')
			continue;
		ret->name_len = name_end - ret->start;
		ret->value = name_end + 1;
		ret->end = i;
		return true;
	}
	return false;
}

static bool is_named(const struct sp_buf *file, const struct var *v, const char *name)
{
	return strlen(name) == v->name_len && memcmp(file->data + v->start, name, v->name_len) == 0;
}

static char *unescape(const char *s, size_t n)
{
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\' && i + 1 < n)
			i++;
		sp_buf_add(&b, s + i, 1);
	}
	return sp_buf_steal(&b);
}

static void add_escaped(struct sp_buf *b, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '\n')
			sp_buf_adds(b, "\\");
		sp_buf_add(b, value, 1);
	}
}

int sp_grubenv_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	sp_autofree char *value = NULL;
	size_t end, pos = strlen(head);
	struct var v;
	int r = check(file, &end, err);

	if (r < 0)
		return r;
	while (next_var(file, end, &pos, &v))
		if (is_named(file, &v, var)) {
			free(value);
			value = unescape(file->data + v.value, v.end - v.value);
		}
	if (!value)
		return sp_error_set(err, -ENOENT, "there is no variable '%s'", var);
	*ret = sp_steal(value);
	return 0;
}

/* The variables with this one changed, removed (value NULL) or added, without the filling. */
static void rewrite(const struct sp_buf *file, size_t end, const char *var, const char *value, struct sp_buf *ret)
{
	size_t pos = strlen(head), done = 0, last = 0;
	struct var v;

	while (next_var(file, end, &pos, &v))
		if (is_named(file, &v, var))
			last = v.start;
	for (pos = strlen(head); next_var(file, end, &pos, &v);) {
		if (!is_named(file, &v, var) || (value && v.start != last))
			continue;
		sp_buf_add(ret, file->data + done, (value ? v.value : v.start) - done);
		if (value)
			add_escaped(ret, value);
		done = value ? v.end : v.end + 1;
	}
	sp_buf_add(ret, file->data + done, end - done);
	if (value && last == 0) {
		sp_buf_addf(ret, "%s=", var);
		add_escaped(ret, value);
		sp_buf_adds(ret, "\n");
	}
}

/* Is it what was put in? Not behind a last line that goes on with a backslash, which is no variable that we change. */
static bool says(const struct sp_buf *file, const char *var, const char *value)
{
	sp_autofree char *is = NULL;
	int r = sp_grubenv_get(file, var, &is, NULL);

	return value ? r == 0 && sp_streq(is, value) : r == -ENOENT;
}

int sp_grubenv_put(const struct sp_buf *file, const char *var, const char *value, struct sp_buf *ret,
		   struct sp_error **err)
{
	sp_autofree char *old = NULL;
	sp_autobuf struct sp_buf b = { 0 };
	size_t end;
	int r = check(file, &end, err);

	if (r < 0)
		return r;
	r = sp_grubenv_get(file, var, &old, NULL);
	if (r == 0 && value && sp_streq(old, value))
		sp_buf_add(&b, file->data, file->len); /* escapes that nobody needs stay as they are */
	else
		rewrite(file, end, var, value, &b);
	if (b.len > SP_GRUBENV_SIZE)
		return sp_error_set(err, -ENOSPC, "variable '%s' does not fit: %zu bytes, the block has %d", var, b.len,
				    SP_GRUBENV_SIZE);
	while (b.len < SP_GRUBENV_SIZE)
		sp_buf_adds(&b, "#");
	if (!says(&b, var, value))
		return sp_error_set(err, -EINVAL, "damaged GRUB environment block: its last line goes on with a backslash");
	sp_buf_clear(ret);
	*ret = b;
	b = (struct sp_buf){ 0 };
	return 0;
}
