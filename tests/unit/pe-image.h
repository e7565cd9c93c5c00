/* SPDX-License-Identifier: MIT */
/* Makes small programs for UEFI out of sections, so that tests have images to read, and to damage. */
#pragma once

#include "base/str.h"

enum { PE_AT = 64, PE_OPTIONAL = 240, PE_TABLE = PE_AT + 24 + PE_OPTIONAL, PE_ALIGN = 512 };

struct pe_part {
	const char *name, *text;
};

static inline void pe_number(struct sp_buf *b, size_t at, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++)
		b->data[at + i] = (char) (value >> 8 * i);
}

static inline void pe_fill(struct sp_buf *b, size_t len)
{
	while (b->len < len)
		sp_buf_add(b, "", 1);
}

/* PE32+ for x86-64; each part's text is in the file at a multiple of PE_ALIGN, without a NUL of its own. */
static inline void pe_make(const struct pe_part *parts, size_t n, bool is_signed, struct sp_buf *ret)
{
	pe_fill(ret, PE_TABLE + n * 40);
	memcpy(ret->data, "MZ", 2);
	pe_number(ret, 60, 4, PE_AT);
	memcpy(ret->data + PE_AT, "PE", 2);
	pe_number(ret, PE_AT + 4, 2, 0x8664);
	pe_number(ret, PE_AT + 6, 2, (uint32_t) n);
	pe_number(ret, PE_AT + 20, 2, PE_OPTIONAL);
	pe_number(ret, PE_AT + 24, 2, 0x20b);
	pe_number(ret, PE_AT + 24 + 108, 4, 16);
	for (size_t i = 0; i < n; i++) {
		const size_t at = PE_TABLE + i * 40, len = strlen(parts[i].text);

		pe_fill(ret, (ret->len + PE_ALIGN - 1) / PE_ALIGN * PE_ALIGN);
		memcpy(ret->data + at, parts[i].name, strnlen(parts[i].name, 8));
		pe_number(ret, at + 8, 4, (uint32_t) len);
		pe_number(ret, at + 16, 4, (uint32_t) ((len + PE_ALIGN - 1) / PE_ALIGN * PE_ALIGN));
		pe_number(ret, at + 20, 4, (uint32_t) ret->len);
		sp_buf_adds(ret, parts[i].text);
		pe_fill(ret, (ret->len + PE_ALIGN - 1) / PE_ALIGN * PE_ALIGN);
	}
	if (!is_signed)
		return;
	pe_number(ret, PE_AT + 24 + 112 + 32, 4, (uint32_t) ret->len);
	pe_number(ret, PE_AT + 24 + 112 + 36, 4, 8);
	pe_fill(ret, ret->len + 8);
}
