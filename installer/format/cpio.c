/* SPDX-License-Identifier: MIT */
#include "format/cpio.h"

#include <errno.h>

enum state { REST, HEADER, NAME, NAME_PAD, DATA, DATA_PAD };

#define TRAILER "TRAILER!!!"

enum { KIND = 0170000, FILE_KIND = 0100000, FOLDER_KIND = 0040000 }; /* of a mode, as cpio has them */

void sp_cpio_start(struct sp_cpio *c, struct sp_cpio_want *wants, size_t n)
{
	*c = (struct sp_cpio){ .wants = wants, .n_wants = n, .state = REST };
}

bool sp_cpio_at_rest(const struct sp_cpio *c)
{
	return c->state == REST;
}

/* --- a header ---------------------------------------------------------------------------------------------------- */

/* Field number i: eight hexadecimal digits. */
static int field(const struct sp_cpio *c, size_t i, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	const char *text = c->header + 6 + 8 * i;

	*ret = 0;
	for (size_t k = 0; k < 8; k++) {
		const int lower = text[k] >= 'A' && text[k] <= 'F' ? text[k] + ('a' - 'A') : text[k];
		const char *digit = lower ? strchr(digits, lower) : NULL;

		if (!digit)
			return -EBADMSG;
		*ret = *ret << 4 | (uint32_t) (digit - digits);
	}
	return 0;
}

static int take_header(struct sp_cpio *c, struct sp_error **err)
{
	uint32_t size = 0, name = 0;

	if (memcmp(c->header, "070701", 6) != 0 && memcmp(c->header, "070702", 6) != 0)
		return sp_error_set(err, -EBADMSG, "an archive in it is damaged: member %ju has no header", (uintmax_t) c->members + 1);
	if (field(c, 1, &c->mode) < 0 || field(c, 4, &c->links) < 0 || field(c, 6, &size) < 0 || field(c, 11, &name) < 0)
		return sp_error_set(err, -EBADMSG, "an archive in it is damaged: member %ju has a header with other than digits",
				    (uintmax_t) c->members + 1);
	c->size = size;
	c->name_size = c->left = name;
	c->have = 0;
	c->inside = true;
	c->state = NAME;
	return 0;
}

/* --- a member ---------------------------------------------------------------------------------------------------- */

static struct sp_cpio_want *wanted(const struct sp_cpio *c)
{
	const char *name = c->name;

	while (*name == '/' || (name[0] == '.' && name[1] == '/'))
		name += *name == '/' ? 1 : 2;
	for (size_t i = 0; i < c->n_wants; i++)
		if (sp_streq(name, c->wants[i].path))
			return &c->wants[i];
	return NULL;
}

/* A file of several names has its bytes with one of them only; that is not followed. */
static void meet(struct sp_cpio *c)
{
	struct sp_cpio_want *w = wanted(c);

	c->into = NULL;
	if (!w)
		return;
	sp_buf_clear(&w->bytes);
	w->found = (c->mode & KIND) == FILE_KIND && c->size <= SP_CPIO_MEMBER_MAX && !(c->links > 1 && c->size == 0);
	w->unclear = !w->found && (c->mode & KIND) != FOLDER_KIND;
	if (w->found)
		c->into = w;
}

static void end_name(struct sp_cpio *c)
{
	const size_t kept = c->name_size <= SP_CPIO_NAME_MAX ? (size_t) c->name_size : 0;

	c->name[kept] = '\0';
	c->members++;
	if (sp_streq(c->name, TRAILER)) {
		c->inside = false;
		c->size = 0;
		c->into = NULL;
	} else {
		meet(c);
	}
	c->left = -(SP_CPIO_HEADER + c->name_size) & 3;
	c->state = NAME_PAD;
}

static void end_data(struct sp_cpio *c)
{
	c->left = -c->size & 3;
	c->state = DATA_PAD;
}

static void end_member(struct sp_cpio *c)
{
	c->into = NULL;
	c->have = 0;
	c->state = c->inside ? HEADER : REST;
}

/* --- bytes ------------------------------------------------------------------------------------------------------- */

/* What of n bytes belongs to what is being read. */
static size_t take(struct sp_cpio *c, const char *data, size_t n)
{
	const size_t part = n < c->left ? n : (size_t) c->left;

	if (c->state == NAME && c->name_size <= SP_CPIO_NAME_MAX) {
		memcpy(c->name + c->have, data, part);
		c->have += part;
	}
	if (c->state == DATA && c->into)
		sp_buf_add(&c->into->bytes, data, part);
	c->left -= part;
	return part;
}

static size_t take_header_bytes(struct sp_cpio *c, const char *data, size_t n)
{
	const size_t missing = SP_CPIO_HEADER - c->have, part = n < missing ? n : missing;

	memcpy(c->header + c->have, data, part);
	c->have += part;
	return part;
}

/* Everything that has come to its end, up to where bytes are wanted. */
static int advance(struct sp_cpio *c, struct sp_error **err)
{
	if (c->state == HEADER && c->have == SP_CPIO_HEADER) {
		int r = take_header(c, err);
		if (r < 0)
			return r;
	}
	if (c->state == NAME && c->left == 0)
		end_name(c);
	if (c->state == NAME_PAD && c->left == 0) {
		c->state = DATA;
		c->left = c->size;
	}
	if (c->state == DATA && c->left == 0)
		end_data(c);
	if (c->state == DATA_PAD && c->left == 0)
		end_member(c);
	return 0;
}

int sp_cpio_feed(struct sp_cpio *c, const void *data, size_t len, size_t *used, struct sp_error **err)
{
	const char *p = data;
	size_t at = 0;
	int r = 0;

	while (at < len && r == 0) {
		if (c->state == REST && p[at] == '\0') {
			at++;
			continue;
		}
		if (c->state == REST && p[at] != '0')
			break;
		if (c->state == REST)
			c->state = HEADER;
		at += c->state == HEADER ? take_header_bytes(c, p + at, len - at) : take(c, p + at, len - at);
		r = advance(c, err);
	}
	*used = at;
	return r;
}
