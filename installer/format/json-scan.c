/* SPDX-License-Identifier: MIT */
#include "format/json-scan.h"

#include <ctype.h>
#include <errno.h>

enum { DEPTH_MAX = 64 };

static size_t skip(const struct sp_buf *file, size_t i)
{
	while (i < file->len && strchr(" \t\r\n", file->data[i]) && file->data[i])
		i++;
	return i;
}

static bool is_at(const struct sp_buf *file, size_t i, char c)
{
	return i < file->len && file->data[i] == c;
}

/* --- values: each returns what is behind it, 0 when there is none ---------------------------------------------------- */

/* Behind the backslash: how many bytes belong to it; 0: none that may. */
static size_t escape_len(const struct sp_buf *file, size_t i)
{
	if (i >= file->len || !file->data[i] || !strchr("\"\\/bfnrtu", file->data[i]))
		return 0;
	if (file->data[i] != 'u')
		return 1;
	for (size_t k = 1; k <= 4; k++)
		if (i + k >= file->len || !isxdigit((unsigned char) file->data[i + k]))
			return 0;
	return 5;
}

static size_t scan_string(const struct sp_buf *file, size_t i)
{
	if (!is_at(file, i, '"'))
		return 0;
	for (i++; i < file->len && (unsigned char) file->data[i] >= 0x20; i++) {
		if (file->data[i] == '"')
			return i + 1;
		if (file->data[i] != '\\')
			continue;
		const size_t n = escape_len(file, i + 1);
		if (n == 0)
			return 0;
		i += n;
	}
	return 0;
}

static size_t scan_word(const struct sp_buf *file, size_t i)
{
	static const char *const words[] = { "true", "false", "null" };
	const size_t left = file->len - i;
	size_t n = 0;

	for (size_t k = 0; k < SP_ELEMENTS(words); k++)
		if (left >= strlen(words[k]) && memcmp(file->data + i, words[k], strlen(words[k])) == 0)
			return i + strlen(words[k]);
	while (n < left && file->data[i + n] && strchr("+-.0123456789eE", file->data[i + n]))
		n++;
	return n > 0 && (isdigit((unsigned char) file->data[i]) || file->data[i] == '-') ? i + n : 0;
}

static size_t scan_value(const struct sp_buf *file, size_t i, unsigned depth);

/* "key": in an object; what is behind the colon. */
static size_t scan_key(const struct sp_buf *file, size_t i)
{
	i = scan_string(file, i);
	i = i ? skip(file, i) : 0;
	return i && is_at(file, i, ':') ? skip(file, i + 1) : 0;
}

static size_t scan_list(const struct sp_buf *file, size_t i, char close, unsigned depth)
{
	i = skip(file, i + 1);
	if (is_at(file, i, close))
		return i + 1;
	for (;;) {
		if (close == '}')
			i = scan_key(file, i);
		i = i ? scan_value(file, i, depth + 1) : 0;
		if (!i)
			return 0;
		i = skip(file, i);
		if (is_at(file, i, close))
			return i + 1;
		if (!is_at(file, i, ','))
			return 0;
		i = skip(file, i + 1);
	}
}

static size_t scan_value(const struct sp_buf *file, size_t i, unsigned depth)
{
	if (i >= file->len || depth > DEPTH_MAX)
		return 0;
	if (file->data[i] == '{' || file->data[i] == '[')
		return scan_list(file, i, file->data[i] == '{' ? '}' : ']', depth);
	return file->data[i] == '"' ? scan_string(file, i) : scan_word(file, i);
}

/* --- outside ------------------------------------------------------------------------------------------------------ */

int sp_json_scan(const struct sp_buf *file, struct sp_json_span *ret, struct sp_error **err)
{
	ret->start = skip(file, 0);
	ret->end = scan_value(file, ret->start, 0);
	if (ret->end && skip(file, ret->end) == file->len)
		return 0;
	return sp_error_set(err, -EINVAL, "it is not one complete JSON value");
}

int sp_json_member(const struct sp_buf *file, struct sp_json_span object, const char *key, struct sp_json_span *ret)
{
	bool found = false;

	if (!is_at(file, object.start, '{'))
		return -ENOENT;
	for (size_t i = skip(file, object.start + 1); i + 1 < object.end;) {
		const struct sp_json_span name = { i, scan_string(file, i) };
		sp_autofree char *text = sp_json_string(file, name);
		const struct sp_json_span value = { scan_key(file, i), scan_value(file, scan_key(file, i), 0) };

		if (sp_streq(text, key)) {
			*ret = value;
			found = true;
		}
		i = skip(file, skip(file, value.end) + 1); /* behind the comma, or the brace */
	}
	return found ? 0 : -ENOENT;
}

bool sp_json_item(const struct sp_buf *file, struct sp_json_span array, size_t *at, size_t *gap, struct sp_json_span *ret)
{
	if (*at == array.start)
		++*at; /* the bracket */
	else if (is_at(file, skip(file, *at), ','))
		*at = skip(file, *at) + 1;
	*gap = *at;
	ret->start = skip(file, *at);
	if (ret->start + 1 >= array.end)
		return false;
	ret->end = *at = scan_value(file, ret->start, 0);
	return true;
}

/* Four hexadecimal digits as UTF-8; false: a control byte, or half of a pair. */
static bool add_unicode(const char *digits, struct sp_buf *b)
{
	unsigned c = 0;

	for (unsigned i = 0; i < 4; i++)
		c = c << 4 | (unsigned) (isdigit((unsigned char) digits[i]) ? digits[i] - '0' : (digits[i] | 0x20) - 'a' + 10);
	if (c < 0x20 || c == 0x7f || (c >= 0xd800 && c < 0xe000))
		return false;
	if (c < 0x80)
		sp_buf_addf(b, "%c", (char) c);
	else if (c < 0x800)
		sp_buf_addf(b, "%c%c", (char) (0xc0 | c >> 6), (char) (0x80 | (c & 0x3f)));
	else
		sp_buf_addf(b, "%c%c%c", (char) (0xe0 | c >> 12), (char) (0x80 | (c >> 6 & 0x3f)), (char) (0x80 | (c & 0x3f)));
	return true;
}

char *sp_json_string(const struct sp_buf *file, struct sp_json_span s)
{
	sp_autobuf struct sp_buf b = { 0 };

	if (s.end <= s.start + 1 || file->data[s.start] != '"')
		return NULL;
	sp_buf_adds(&b, "");
	for (size_t i = s.start + 1; i + 1 < s.end; i++) {
		const char *c = &file->data[i];

		if (*c != '\\') {
			sp_buf_add(&b, c, 1);
		} else if (c[1] == 'u') {
			if (!add_unicode(c + 2, &b))
				return NULL;
			i += 5;
		} else if (strchr("\"\\/", c[1])) {
			sp_buf_add(&b, c + 1, 1);
			i++;
		} else {
			return NULL;
		}
	}
	return sp_buf_steal(&b);
}
