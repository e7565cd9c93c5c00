/* SPDX-License-Identifier: MIT */
/* The smallest program that has the same sections; it runs nowhere. */
#include "format/pe.h"

enum { HEAD_AT = 64, OPTIONAL = 240, TABLE_AT = HEAD_AT + 24 + OPTIONAL, SECTION = 40, ALIGN = 512 };

static void put(struct sp_buf *b, size_t at, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++, value >>= 8)
		b->data[at + i] = (char) (value & 0xff);
}

static void fill(struct sp_buf *b, size_t len)
{
	static const char zeros[ALIGN];

	while (b->len < len)
		sp_buf_add(b, zeros, len - b->len < sizeof(zeros) ? len - b->len : sizeof(zeros));
}

static size_t rounded(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

void sp_pe_make(const struct sp_pe_text *parts, size_t n, struct sp_buf *ret)
{
	sp_buf_clear(ret);
	fill(ret, rounded(TABLE_AT + n * SECTION));
	memcpy(ret->data, "MZ", 2);
	put(ret, 60, 4, HEAD_AT);
	memcpy(ret->data + HEAD_AT, "PE", 2);
	put(ret, HEAD_AT + 4, 2, SP_PE_X86_64);
	put(ret, HEAD_AT + 6, 2, (uint32_t) n);
	put(ret, HEAD_AT + 20, 2, OPTIONAL);
	put(ret, HEAD_AT + 24, 2, 0x20b);
	put(ret, HEAD_AT + 24 + 108, 4, 16);
	for (size_t i = 0; i < n; i++) {
		const size_t at = TABLE_AT + i * SECTION, len = strlen(parts[i].text);

		memcpy(ret->data + at, parts[i].name, strnlen(parts[i].name, 8));
		put(ret, at + 8, 4, (uint32_t) len);
		put(ret, at + 16, 4, (uint32_t) rounded(len));
		put(ret, at + 20, 4, (uint32_t) ret->len);
		sp_buf_adds(ret, parts[i].text);
		fill(ret, rounded(ret->len));
	}
}
