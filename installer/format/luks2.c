/* SPDX-License-Identifier: MIT */
#include "format/luks2.h"

#include <errno.h>

#include <jansson.h>

#include "format/luks2-tokens.h"

enum {
	AT_VERSION = 6,	  /* 2 bytes, big-endian, as all numbers are */
	AT_SIZE = 8,	  /* 8 bytes: of this copy, with its JSON */
	AT_SEQUENCE = 16, /* 8 bytes: the later copy has the higher one */
	AT_OFFSET = 256,  /* 8 bytes: where this copy stands */
	BINARY = 4096,
};

static const char magic_first[6] = "LUKS\xba\xbe", magic_second[6] = "SKUL\xba\xbe"; /* without a NUL */

/* What a copy may be long, which is where the second one may begin. */
static const size_t sizes[] = { 0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000 };

static uint64_t number(const char *at, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | (unsigned char) at[i];
	return value;
}

/* The binary part of a copy at this place, with its size; 0: it is none. */
static size_t size_at(const struct sp_buf *b, size_t at, const char *magic)
{
	if (at > b->len || b->len - at < BINARY || memcmp(b->data + at, magic, sizeof(magic_first)) != 0 ||
	    number(b->data + at + AT_VERSION, 2) != 2 || number(b->data + at + AT_OFFSET, 8) != at)
		return 0;
	const uint64_t size = number(b->data + at + AT_SIZE, 8);
	for (size_t i = 0; i < SP_ELEMENTS(sizes); i++)
		if (size == sizes[i] && (at == 0 || at == size))
			return sizes[i];
	return 0;
}

size_t sp_luks2_wants(const struct sp_buf *start)
{
	const size_t size = size_at(start, 0, magic_first);

	return size ? 2 * size : SP_LUKS2_MAX;
}

struct copy {
	json_t *json; /* NULL: not there, or damaged */
	uint64_t sequence;
};

/* seen: there is one, whatever it is like. */
static struct copy read_copy(const struct sp_buf *b, size_t at, const char *magic, bool *seen)
{
	const size_t size = size_at(b, at, magic);

	if (size == 0)
		return (struct copy){ 0 };
	*seen = true;
	if (b->len - at < size)
		return (struct copy){ 0 };
	const char *text = b->data + at + BINARY;
	return (struct copy){ json_loadb(text, strnlen(text, size - BINARY), 0, NULL), number(b->data + at + AT_SEQUENCE, 8) };
}

static json_t *read_latest(const struct sp_buf *b, bool *seen)
{
	struct copy best = read_copy(b, 0, magic_first, seen);

	for (size_t i = 0; i < SP_ELEMENTS(sizes); i++) {
		struct copy second = read_copy(b, sizes[i], magic_second, seen);
		if (second.json && (!best.json || second.sequence > best.sequence)) {
			json_decref(best.json);
			best = second;
		} else {
			json_decref(second.json);
		}
	}
	return best.json;
}

int sp_luks2_read(const struct sp_buf *start, struct sp_seals *ret, struct sp_error **err)
{
	bool seen = false;
	json_t *all = read_latest(start, &seen);

	*ret = (struct sp_seals){ 0 };
	if (all) {
		sp_luks2_tokens(json_object_get(all, "tokens"), ret);
		json_decref(all);
		return 0;
	}
	if (!seen && (start->len < AT_SIZE || memcmp(start->data, magic_first, sizeof(magic_first)) != 0))
		return sp_error_set(err, -ENOENT, "there is no LUKS header");
	if (!seen && number(start->data + AT_VERSION, 2) == 1)
		return sp_error_set(err, -EOPNOTSUPP, "it is LUKS1, whose header has no tokens");
	return sp_error_set(err, -EBADMSG, "the LUKS2 header is damaged");
}
