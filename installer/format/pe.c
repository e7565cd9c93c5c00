/* SPDX-License-Identifier: MIT */
#include "format/pe.h"

#include <errno.h>

/* Offsets and sizes of the specification. */
enum {
	DOS_HEADER = 64, /* "MZ"; at 60 the offset of the signature "PE\0\0" */
	SIGNATURE_AT = 60,
	COFF_HEADER = 24, /* with the signature */
	SECTION_HEADER = 40,
	MACHINE_AT = 4, N_SECTIONS_AT = 6, OPTIONAL_SIZE_AT = 20, /* behind the signature's start */
	MAGIC_PE32 = 0x10b, MAGIC_PE32_PLUS = 0x20b,
	CERTIFICATES = 4, /* the fifth data directory */
};

/* A number of n bytes, little-endian. */
static uint32_t number(const struct sp_buf *b, size_t at, size_t n)
{
	uint32_t v = 0;

	for (size_t i = n; i > 0; i--)
		v = v << 8 | (unsigned char) b->data[at + i - 1];
	return v;
}

static bool has(const struct sp_buf *b, uint64_t at, uint64_t n)
{
	return at <= b->len && n <= b->len - at;
}

static int cut_off(struct sp_error **err)
{
	return sp_error_set(err, -EBADMSG, "it is cut off, or damaged");
}

/* Where "PE\0\0" is. */
static int find_signature(const struct sp_buf *head, size_t *ret, struct sp_error **err)
{
	if (head->len < 2 || memcmp(head->data, "MZ", 2) != 0)
		return sp_error_set(err, -EBADMSG, "it is no program for UEFI");
	if (!has(head, 0, DOS_HEADER))
		return cut_off(err);
	const uint32_t at = number(head, SIGNATURE_AT, 4);
	if (!has(head, at, COFF_HEADER))
		return cut_off(err);
	if (memcmp(head->data + at, "PE\0", 4) != 0)
		return sp_error_set(err, -EBADMSG, "it is no program for UEFI");
	*ret = at;
	return 0;
}

/* A directory that is not there means that there is no signature. */
static int read_optional(const struct sp_buf *head, size_t at, size_t size, struct sp_pe *pe, struct sp_error **err)
{
	const uint32_t magic = size >= 2 ? number(head, at, 2) : 0;
	const size_t count = magic == MAGIC_PE32 ? 92 : 108, entry = count + 4 + (size_t) 8 * CERTIFICATES;

	if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
		return sp_error_set(err, -EBADMSG, "it is no program for UEFI");
	pe->is_signed = size >= entry + 8 && number(head, at + count, 4) > CERTIFICATES && number(head, at + entry, 4) > 0 &&
			number(head, at + entry + 4, 4) > 0;
	return 0;
}

/* What is in the file beyond the size in memory is padding. */
static int read_section(const struct sp_buf *head, size_t at, uint64_t file_size, struct sp_pe_section *ret,
			struct sp_error **err)
{
	const uint64_t in_memory = number(head, at + 8, 4), in_file = number(head, at + 16, 4);
	const uint64_t offset = number(head, at + 20, 4);

	memcpy(ret->name, head->data + at, 8);
	ret->size = in_memory > 0 && in_memory < in_file ? in_memory : in_file;
	ret->offset = ret->size > 0 ? offset : 0;
	if (ret->offset > file_size || ret->size > file_size - ret->offset)
		return cut_off(err);
	return 0;
}

int sp_pe_parse(const struct sp_buf *head, uint64_t size, struct sp_pe *ret, struct sp_error **err)
{
	sp_autope struct sp_pe pe = { 0 };
	size_t at = 0;
	int r = find_signature(head, &at, err);

	if (r < 0)
		return r;
	const size_t n = number(head, at + N_SECTIONS_AT, 2), optional = number(head, at + OPTIONAL_SIZE_AT, 2);
	if (!has(head, at + COFF_HEADER, (uint64_t) optional + (uint64_t) n * SECTION_HEADER))
		return cut_off(err);
	pe.machine = number(head, at + MACHINE_AT, 2);
	r = read_optional(head, at + COFF_HEADER, optional, &pe, err);
	pe.v = sp_xcalloc(n + 1, sizeof(*pe.v));
	for (size_t table = at + COFF_HEADER + optional; pe.n < n && r == 0; pe.n++)
		r = read_section(head, table + pe.n * SECTION_HEADER, size, &pe.v[pe.n], err);
	if (r < 0)
		return r;
	sp_pe_clear(ret);
	*ret = pe;
	pe = (struct sp_pe){ 0 };
	return 0;
}

void sp_pe_clear(struct sp_pe *pe)
{
	free(pe->v);
	*pe = (struct sp_pe){ 0 };
}

const struct sp_pe_section *sp_pe_find(const struct sp_pe *pe, const char *name)
{
	const struct sp_pe_section *found = NULL;
	bool found_in_base = false;
	size_t profiles = 0;

	for (size_t i = 0; i < pe->n; i++) {
		const struct sp_pe_section *s = &pe->v[i];

		profiles += sp_streq(s->name, ".profile");
		const bool in_base = profiles == 0;
		if (profiles > 1 || !sp_streq(s->name, name) || (found && found_in_base == in_base))
			continue; /* of several in one place the first counts */
		found = s;
		found_in_base = in_base;
	}
	return found;
}

/* Of a sequence that begins with c: how many bytes follow; -1: none begins so. */
static int bytes_behind(unsigned char c)
{
	if (c < 0x80)
		return 0;
	return c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : -1;
}

static bool is_utf8(const char *s)
{
	while (*s) {
		for (int n = bytes_behind((unsigned char) *s++); n != 0; n--)
			if (n < 0 || ((unsigned char) *s++ & 0xc0) != 0x80)
				return false;
	}
	return true;
}

int sp_pe_line(const struct sp_buf *section, char **ret, struct sp_error **err)
{
	sp_autofree char *line = sp_xstrndup(section->data ? section->data : "", section->len);

	if (!is_utf8(line))
		return sp_error_set(err, -EINVAL, "its command line is no text");
	for (char *c = line; *c; c++)
		if ((unsigned char) *c < 0x20 || *c == 0x7f)
			*c = ' ';
	*ret = sp_xstrdup(sp_strip(line));
	return 0;
}
