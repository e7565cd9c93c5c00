/* SPDX-License-Identifier: MIT */
/*
 * Programs for UEFI (PE/COFF): where their sections are in the file. A unified
 * kernel image keeps its kernel, initrd, command line and os-release in
 * sections of such a program; it can have hundreds of MiB, so the headers are
 * read first, and then what is wanted of the file. Pure. (Microsoft PE and
 * COFF Specification; UAPI Group: UKI)
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

/* Bytes at the start of a file that hold all headers; in images of ukify, mkinitcpio and dracut they end before 8 KiB. */
#define SP_PE_HEAD ((size_t) 64 * 1024)
#define SP_PE_X86_64 0x8664

struct sp_pe_section {
	char name[9];
	uint64_t offset, size; /* bytes of the file; what it has in memory behind them is zero */
};
struct sp_pe {
	unsigned machine; /* SP_PE_X86_64, ... */
	bool is_signed;	  /* it carries an Authenticode signature, which is not looked at */
	struct sp_pe_section *v;
	size_t n;
};
/*
 * head: the first SP_PE_HEAD bytes of a file, or all of it; size: of the file. -EBADMSG: it is no such program, or is cut
 * off: every section is inside of the file.
 */
int sp_pe_parse(const struct sp_buf *head, uint64_t size, struct sp_pe *ret, struct sp_error **err) sp_must_check;
void sp_pe_clear(struct sp_pe *pe);
#define sp_autope sp_cleanup(sp_pe_clear)

/*
 * The section that counts when nobody chooses a profile: those behind the first .profile stand in the place of those before
 * it, and those behind the second belong to other profiles. NULL: there is none.
 */
const struct sp_pe_section *sp_pe_find(const struct sp_pe *pe, const char *name);

/* A program of such sections; names of more than 8 bytes are cut off. */
struct sp_pe_text {
	const char *name, *text;
};
void sp_pe_make(const struct sp_pe_text *parts, size_t n, struct sp_buf *ret);

/*
 * The command line in the bytes of a .cmdline section as systemd-stub passes it on: up to the first NUL, control characters
 * as blanks, none at its ends. Owned. -EINVAL: it is no UTF-8.
 */
int sp_pe_line(const struct sp_buf *section, char **ret, struct sp_error **err) sp_must_check;
