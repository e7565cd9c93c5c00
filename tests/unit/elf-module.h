/* SPDX-License-Identifier: MIT */
/*
 * The smallest file that is a kernel module to libkmod: a relocatable ELF64
 * object with a section .modinfo of "key=value" texts, each ended by a NUL.
 */
#pragma once

#include <elf.h>

#include "base/str.h"

/* Fill an empty buffer. `info` is what .modinfo holds, `len` bytes with its NULs. */
static inline void elf_module(struct sp_buf *ret, const char *info, size_t len)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	const size_t sections = (sizeof(Elf64_Ehdr) + len + sizeof(names) + 7) / 8 * 8;
	const Elf64_Ehdr head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_shoff = sections,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	const Elf64_Shdr table[3] = {
		{ .sh_type = SHT_NULL },
		{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_offset = sizeof(head),
		  .sh_size = len, .sh_addralign = 1 },
		{ .sh_name = 10, .sh_type = SHT_STRTAB, .sh_offset = sizeof(head) + len, .sh_size = sizeof(names),
		  .sh_addralign = 1 },
	};

	sp_buf_add(ret, &head, sizeof(head));
	sp_buf_add(ret, info, len);
	sp_buf_add(ret, names, sizeof(names));
	while (ret->len < sections)
		sp_buf_add(ret, "", 1);
	sp_buf_add(ret, table, sizeof(table));
}

/* The same bytes as a zstd frame that compresses nothing: one raw block (RFC 8878, sections 3.1.1.1 and 3.1.1.2). */
static inline void elf_module_zstd(struct sp_buf *ret, const struct sp_buf *plain)
{
	static const unsigned char magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
	const unsigned char frame = 0xa0; /* single segment, four bytes of content size */
	const uint32_t size = (uint32_t) plain->len, block = 1 | size << 3;

	sp_buf_add(ret, magic, sizeof(magic));
	sp_buf_add(ret, &frame, 1);
	for (int i = 0; i < 4; i++)
		sp_buf_add(ret, &(unsigned char){ (unsigned char) (size >> 8 * i) }, 1);
	for (int i = 0; i < 3; i++)
		sp_buf_add(ret, &(unsigned char){ (unsigned char) (block >> 8 * i) }, 1);
	sp_buf_add(ret, plain->data, plain->len);
}
