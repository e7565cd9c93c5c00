/* SPDX-License-Identifier: MIT */
#include "format/plain.h"

#include <errno.h>

#include "format/joined.h"
#include "format/lines.h"

/* The file as one line, and the last of its lines. */
struct lines {
	struct sp_joined joined;
	struct sp_textline last; /* the last line that counts */
	struct sp_textline end;	 /* the last line of the file; number 0: it is empty */
};

static void lines_clear(struct lines *l)
{
	sp_joined_clear(&l->joined);
}

static int join(const struct sp_buf *file, struct lines *ret, struct sp_error **err)
{
	struct sp_textline l = { 0 };
	int r = sp_text_check(file, err);

	*ret = (struct lines){ 0 };
	if (r < 0)
		return r;
	while (sp_text_next(file, &l)) {
		size_t first = sp_text_skip(file, &l);

		ret->end = l;
		if (first == l.end || file->data[first] == '#')
			continue;
		sp_joined_add(&ret->joined, file, l.start, l.end);
		ret->last = l;
	}
	return 0;
}

int sp_plain_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	sp_cleanup(lines_clear) struct lines l = { 0 };
	int r = join(file, &l, err);

	(void) var;
	if (r < 0)
		return r;
	if (l.joined.n_parts == 0)
		return sp_error_set(err, -ENOENT, "it holds no command line");
	*ret = sp_buf_steal(&l.joined.line);
	return 0;
}

static int put(const struct sp_buf *file, const char *line, struct sp_buf *ret, struct sp_error **err)
{
	sp_cleanup(lines_clear) struct lines l = { 0 };
	int r = join(file, &l, err);

	if (r < 0)
		return r;
	if (strpbrk(line, "\r\n"))
		return sp_error_set(err, -EINVAL, "a command line cannot hold a line end");
	if (l.joined.n_parts == 0 && !*line)
		sp_text_splice(file, 0, 0, "", ret);
	else if (l.joined.n_parts == 0)
		sp_text_add_line(file, &l.end, line, ret);
	else if (l.joined.n_parts == 1 && !*line)
		sp_text_drop_line(file, &l.last, ret);
	else if (l.joined.n_parts == 1)
		sp_text_splice(file, l.last.start, l.last.end, line, ret);
	else
		return sp_joined_rewrite(file, &l.joined, line, ret, err);
	return 0;
}

/* Does the file say these words? Not where one that begins with '#' came to begin its line, which is a comment then. */
static bool says(const struct sp_buf *file, const char *line)
{
	sp_cleanup(lines_clear) struct lines l = { 0 };

	return join(file, &l, NULL) == 0 && sp_joined_says(&l.joined, line);
}

int sp_plain_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		 struct sp_error **err)
{
	sp_autobuf struct sp_buf new = { 0 };
	int r = put(file, line, &new, err);

	(void) var;
	if (r < 0)
		return r;
	if (!says(&new, line))
		return sp_error_set(err, -EOPNOTSUPP, "a word that begins with '#' would come to begin a line");
	sp_buf_clear(ret);
	*ret = new;
	new = (struct sp_buf){ 0 };
	return 0;
}
