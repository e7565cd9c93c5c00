/* SPDX-License-Identifier: MIT */
#include "format/block.h"

#include <errno.h>

#define BEGIN "### BEGIN strix-provision "
#define END   "### END strix-provision "

/* What had to be done for the block, so that it can be undone; behind the name, before the last three. */
#define WAS_EMPTY "(was empty) "
#define ADDED_EOL "(line end added) "

struct block {
	size_t start, text, text_end, end; /* of the first mark, behind it, of the last mark, behind that */
	bool was_empty, added_eol;
};

static size_t line_end(const struct sp_buf *file, size_t at)
{
	const char *nl = memchr(file->data + at, '\n', file->len - at);

	return nl ? (size_t) (nl - file->data) + 1 : file->len;
}

static bool begins(const struct sp_buf *file, size_t at, const char *text)
{
	const size_t n = strlen(text);

	return file->len - at >= n && memcmp(file->data + at, text, n) == 0;
}

static int broken(const char *name, const char *what, struct sp_error **err)
{
	return sp_error_set(err, -EINVAL, "the block '%s' of strix-provision has no %s", name, what);
}

/* 1: found, 0: none. */
static int find(const struct sp_buf *file, const char *name, struct block *ret, struct sp_error **err)
{
	sp_autofree char *begin = sp_xasprintf(BEGIN "%s ", name), *end = sp_xasprintf(END "%s ", name);
	bool open = false;

	for (size_t at = 0; at < file->len; at = line_end(file, at)) {
		if (!open && begins(file, at, end))
			return broken(name, "beginning", err);
		if (begins(file, at, begin)) {
			if (open)
				return broken(name, "end", err);
			const size_t rest = at + strlen(begin);
			*ret = (struct block){ .start = at, .text = line_end(file, at),
					       .was_empty = begins(file, rest, WAS_EMPTY),
					       .added_eol = begins(file, rest, ADDED_EOL) };
			open = true;
		} else if (open && begins(file, at, end)) {
			ret->text_end = at;
			ret->end = line_end(file, at);
			return 1;
		}
	}
	return open ? broken(name, "end", err) : 0;
}

int sp_block_get(const struct sp_buf *file, const char *name, char **ret, struct sp_error **err)
{
	struct block b = { 0 };
	int r = find(file, name, &b, err);

	*ret = r > 0 ? sp_xstrndup(file->data + b.text, b.text_end - b.text) : NULL;
	return r < 0 ? r : 0;
}

static void add_block(struct sp_buf *ret, const char *name, const char *text, const struct block *how)
{
	sp_buf_addf(ret, BEGIN "%s %s###\n%s" END "%s ###\n", name, how->was_empty ? WAS_EMPTY : how->added_eol ? ADDED_EOL : "",
		    text, name);
}

static int check_text(const char *text, struct sp_error **err)
{
	const size_t n = strlen(text);

	if (n > 0 && text[n - 1] == '\n' && !strstr(text, BEGIN) && !strstr(text, END))
		return 0;
	return sp_error_set(err, -EINVAL, "a block is whole lines, without a mark in it");
}

static void take_out(const struct sp_buf *file, const struct block *b, struct sp_buf *ret, bool *gone)
{
	const size_t eol = b->added_eol && b->start > 0 && b->end == file->len ? 1 : 0; /* else a line would join another */

	sp_buf_add(ret, file->data, b->start - eol);
	sp_buf_add(ret, file->data + b->end, file->len - b->end);
	*gone = ret->len == 0 && !b->was_empty;
}

/* The mark of a block begins here, and says that of the file. */
static bool says(const struct sp_buf *file, size_t at, const char *what)
{
	const size_t n = line_end(file, at) - at, len = strlen(what);
	const char *tail = "###\n";

	return begins(file, at, BEGIN) && n > len + strlen(tail) &&
	       memcmp(file->data + at + n - strlen(tail) - len, what, len) == 0;
}

/* There is nothing in it, or there was not before the blocks that it begins with. */
static bool was_empty(const struct sp_buf *file)
{
	return file->len == 0 || says(file, 0, WAS_EMPTY);
}

/* It ends without a line end, or did before the block of ours that it ends with. */
static bool wants_eol(const struct sp_buf *file)
{
	bool added = false;

	for (size_t at = 0; at < file->len; at = line_end(file, at)) {
		const size_t end = line_end(file, at);
		if (begins(file, at, BEGIN))
			added = says(file, at, ADDED_EOL);
		else if (end == file->len)
			return file->data[end - 1] != '\n' || (added && begins(file, at, END));
	}
	return false;
}

int sp_block_put(const struct sp_buf *file, const char *name, const char *text, struct sp_buf *ret, bool *gone,
		 struct sp_error **err)
{
	static const struct sp_buf nothing = { 0 };
	const struct sp_buf *f = file ? file : &nothing;
	struct block b = { .start = f->len, .end = f->len, .was_empty = file && was_empty(file),
			   .added_eol = wants_eol(f) };
	int found = find(f, name, &b, err);

	*gone = false;
	if (found < 0 || (text && check_text(text, err) < 0))
		return -EINVAL;
	if (!found && !text) {
		sp_buf_add(ret, f->data, f->len);
		*gone = !file;
	} else if (!text) {
		take_out(f, &b, ret, gone);
	} else {
		sp_buf_add(ret, f->data, b.start);
		if (!found && b.added_eol && f->data[f->len - 1] != '\n')
			sp_buf_adds(ret, "\n");
		add_block(ret, name, text, &b);
		sp_buf_add(ret, f->data + b.end, f->len - b.end);
	}
	return 0;
}
