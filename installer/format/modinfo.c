/* SPDX-License-Identifier: MIT */
#include "format/modinfo.h"

#include <elf.h>

static void put_info(const struct sp_strv *parms, struct sp_buf *ret)
{
	static const char head[] = "license=GPL\0description=Stub of a module, with its parameters";

	sp_buf_add(ret, head, sizeof(head));
	for (size_t i = 0; i < parms->n; i++) {
		sp_buf_addf(ret, "parm=%s:", parms->v[i]);
		sp_buf_add(ret, "", 1);
	}
}

void sp_modinfo_stub(const struct sp_strv *parms, struct sp_buf *ret)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	sp_autobuf struct sp_buf info = { 0 };

	put_info(parms, &info);
	const size_t sections = (sizeof(Elf64_Ehdr) + info.len + sizeof(names) + 7) / 8 * 8;
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
		{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = sizeof(head), .sh_size = info.len },
		{ .sh_name = 10,
		  .sh_type = SHT_STRTAB,
		  .sh_offset = sizeof(head) + info.len,
		  .sh_size = sizeof(names) },
	};

	sp_buf_add(ret, &head, sizeof(head));
	sp_buf_add(ret, info.data, info.len);
	sp_buf_add(ret, names, sizeof(names));
	while (ret->len < sections)
		sp_buf_add(ret, "", 1);
	sp_buf_add(ret, table, sizeof(table));
}
