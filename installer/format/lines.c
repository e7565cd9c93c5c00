/* SPDX-License-Identifier: MIT */
#include "format/lines.h"

#include <errno.h>

bool sp_text_next(const struct sp_buf *file, struct sp_textline *l)
{
	if (l->next >= file->len)
		return false;
	const char *from = file->data + l->next;
	const char *nl = memchr(from, '\n', file->len - l->next);

	l->start = l->next;
	l->end = nl ? (size_t) (nl - file->data) : file->len;
	l->next = nl ? l->end + 1 : file->len;
	l->number++;
	if (nl && l->end > l->start && file->data[l->end - 1] == '\r')
		l->end--; /* at the end of the file it is half of a line end: a control byte */
	return true;
}

bool sp_text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t sp_text_skip(const struct sp_buf *file, const struct sp_textline *l)
{
	size_t i = l->start;

	while (i < l->end && sp_text_is_blank(file->data[i]))
		i++;
	return i;
}

int sp_text_check(const struct sp_buf *file, struct sp_error **err)
{
	struct sp_textline l = { 0 };

	while (sp_text_next(file, &l))
		for (size_t i = l.start; i < l.end; i++) {
			unsigned char c = (unsigned char) file->data[i];

			if ((c < 0x20 && c != '\t') || c == 0x7f)
				return sp_error_set(err, -EINVAL, "line %u: control byte 0x%02x", l.number, c);
		}
	return 0;
}

void sp_text_splice(const struct sp_buf *file, size_t start, size_t end, const char *text, struct sp_buf *ret)
{
	sp_autobuf struct sp_buf b = { 0 };

	if (start > 0)
		sp_buf_add(&b, file->data, start);
	sp_buf_adds(&b, text);
	if (end < file->len)
		sp_buf_add(&b, file->data + end, file->len - end);
	sp_buf_clear(ret);
	*ret = b;
	b = (struct sp_buf){ 0 };
}

void sp_text_add_line(const struct sp_buf *file, const struct sp_textline *l, const char *text, struct sp_buf *ret)
{
	bool open = l->number > 0 && l->next == file->len && file->data[file->len - 1] != '\n';
	struct sp_textline like = { 0 };

	if (l->number > 0 && !open)
		like = *l;
	else
		(void) sp_text_next(file, &like);
	const char *end = like.next - like.end == 2 ? "\r\n" : "\n";
	sp_autofree char *line = sp_xasprintf("%s%s%s", open ? end : "", text, open ? "" : end);

	sp_text_splice(file, l->next, l->next, line, ret);
}

void sp_text_drop_line(const struct sp_buf *file, const struct sp_textline *l, struct sp_buf *ret)
{
	size_t start = l->start;

	if (l->next == l->end && start > 0) {
		start--;
		if (start > 0 && file->data[start - 1] == '\r')
			start--;
	}
	sp_text_splice(file, start, l->next, "", ret);
}
