/* SPDX-License-Identifier: MIT */
/* Headers of a program for UEFI: whatever they say, what is found is inside of the file. */
#include <errno.h>

#include "format/pe.h"
#include "targets.h"

static const char *const names[] = { ".cmdline", ".linux", ".initrd", ".osrel", ".uname", ".profile" };

static void check_line(const struct sp_buf *file, const struct sp_pe_section *s)
{
	sp_autobuf struct sp_buf section = { 0 }, again = { 0 };
	sp_autofree char *line = NULL, *same = NULL;

	sp_buf_add(&section, file->data + s->offset, (size_t) s->size);
	fuzz_tighten(&section);
	if (sp_pe_line(&section, &line, NULL) < 0)
		return;
	for (const char *c = line; *c; c++)
		fuzz_check((unsigned char) *c >= 0x20 && *c != 0x7f, "a control character in '%s'", fuzz_shows(line));
	sp_buf_adds(&again, line);
	fuzz_check(sp_pe_line(&again, &same, NULL) == 0 && sp_streq(line, same), "'%s' is another line", fuzz_shows(line));
}

static void check_found(const struct sp_buf *file, const struct sp_pe *pe)
{
	for (size_t i = 0; i < pe->n; i++)
		fuzz_check(pe->v[i].offset <= file->len && pe->v[i].size <= file->len - pe->v[i].offset,
			   "section %zu is not in the file", i);
	for (size_t i = 0; i < SP_ELEMENTS(names); i++) {
		const struct sp_pe_section *s = sp_pe_find(pe, names[i]);

		fuzz_check(!s || (s >= pe->v && s < pe->v + pe->n && sp_streq(s->name, names[i])), "%s is another", names[i]);
		if (s)
			check_line(file, s);
	}
}

static void run(const uint8_t *data, size_t size)
{
	sp_autobuf struct sp_buf file = { 0 };
	sp_autope struct sp_pe pe = { 0 }, of_more = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	sp_buf_add(&file, data, size);
	fuzz_tighten(&file);
	int r = sp_pe_parse(&file, file.len, &pe, &err);
	fuzz_check(r == 0 || (r == -EBADMSG && err && err->message), "refused with %d", r);
	if (r < 0)
		return;
	check_found(&file, &pe);
	fuzz_check(sp_pe_parse(&file, (uint64_t) file.len + 4096, &of_more, NULL) == 0 && of_more.n == pe.n,
		   "a longer file has fewer sections");
}

static const char *const words[] = { "MZ", "PE", "\x64\x86", "\x0b\x02", "\x0b\x01", ".cmdline", ".profile", ".linux", ".osrel",
				     "\xff\xff\xff\xff", "\x01", "\x40", "\x80", "root=UUID=1 rw", "\n", NULL };

static const struct fuzz_files files[] = {
	{ "tests/machines/*/efi/EFI/Linux/*.efi", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_pe = { .name = "pe", .run = run, .words = words, .files = files };
