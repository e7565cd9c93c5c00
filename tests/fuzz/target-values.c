/* SPDX-License-Identifier: MIT */
/*
 * Small things: a size or number, three versions, parameters of a module (one a line), a path for an archive, the
 * text of a link.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>

#include "catalog/internal.h"
#include "format/modinfo.h"
#include "format/tar.h"
#include "hw/internal.h"
#include "targets.h"

static void check_sizes(const char *text)
{
	sp_autoerror struct sp_error *err = NULL;
	uint64_t mib = 0, bytes = 0, number = 0, same = 0;

	if (sp_size_parse(text, &mib, &err) == 0) {
		sp_autofree char *written = sp_xasprintf("%lluM", (unsigned long long) mib);

		fuzz_check(mib > 0 && mib <= UINT64_MAX >> 21, "'%s' is %llu MiB", fuzz_shows(text), (unsigned long long) mib);
		fuzz_check(sp_size_parse(written, &same, NULL) == 0 && same == mib, "'%s' is another size", written);
		fuzz_check(sp_hw_parse_size(text, &bytes) < 0 || bytes == mib << 20, "'%s' is %llu MiB, and %llu bytes", fuzz_shows(text),
			   (unsigned long long) mib, (unsigned long long) bytes);
	} else {
		fuzz_check(err && err->message && err->hint, "an error says nothing");
	}
	if (sp_parse_u64(text, &number) < 0)
		return;
	sp_autofree char *written = sp_xasprintf("%llu", (unsigned long long) number);
	fuzz_check(sp_parse_u64(written, &same) == 0 && same == number, "'%s' is another number", written);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void check_versions(const char *a, const char *b, const char *c)
{
	int ab = sign(sp_version_compare(a, b)), bc = sign(sp_version_compare(b, c)), ac = sign(sp_version_compare(a, c));

	fuzz_check(sp_version_compare(a, a) == 0, "'%s' is not in its own place", fuzz_shows(a));
	fuzz_check(ab == -sign(sp_version_compare(b, a)), "'%s' and '%s' are in two orders", fuzz_shows(a), fuzz_shows(b));
	if (ab <= 0 && bc <= 0)
		fuzz_check(ac == (ab + bc < 0 ? -1 : 0), "'%s', '%s', '%s' go round in a circle", fuzz_shows(a), fuzz_shows(b),
			   fuzz_shows(c));
}

static void check_derived(const char *text)
{
	const struct sp_sizes sizes = { .gtt_mib = 60416, .gtt_pages = 15466496 };
	const struct sp_derived all = { &sizes, "ttm" }, nothing = { NULL, NULL };
	sp_autofree char *full = NULL, *sample = NULL, *empty = NULL;
	int r = sp_derive(text, &all, &full, NULL), s = sp_derive_sample(text, &sample, NULL);

	fuzz_check(r == s, "'%s' can be expanded: %d, and checked: %d", fuzz_shows(text), r, s);
	if (!strstr(text, "${"))
		fuzz_check(r == 0 && sp_streq(text, full) && sp_streq(text, sample), "'%s' is expanded to '%s'", fuzz_shows(text),
			   fuzz_shows(full));
	r = sp_derive(text, &nothing, &empty, NULL);
	fuzz_check(r == 0 ? sp_streq(empty, full) : r == -ENODATA || s < 0, "'%s' without values is '%s'", fuzz_shows(text),
		   fuzz_shows(empty));
}

/* --- an archive, read by its description ---------------------------------------------------------------------------- */

static unsigned long long octal(const char *field, size_t n)
{
	unsigned long long v = 0;

	for (size_t i = 0; i + 1 < n; i++) {
		fuzz_check(field[i] >= '0' && field[i] <= '7', "a field is not octal");
		v = v * 8 + (unsigned) (field[i] - '0');
	}
	return v;
}

static void check_archive(const char *path, const char *link, uint64_t number)
{
	const struct sp_tar_entry e = { .type = *link ? SP_TAR_LINK : SP_TAR_FILE, .path = path, .link = *link ? link : NULL,
					.mode = (unsigned) number & 0777, .size = *link ? 0 : number, .mtime = number & 0x1ffffffff };
	sp_autobuf struct sp_buf b = { 0 };
	int r = sp_tar_header(&e, &b);

	fuzz_check(r == 0 || ((r == -ENAMETOOLONG || r == -EFBIG) && b.len == 0), "refused with %d and %zu bytes", r, b.len);
	fuzz_check(r == 0 || strlen(path) > 100 || strlen(link) > 100 || e.size >> 33, "'%s' is refused", fuzz_shows(path));
	if (r < 0)
		return;
	sp_autofree char *prefix = sp_xstrndup(b.data + 345, 155), *name = sp_xstrndup(b.data, 100), *to = sp_xstrndup(b.data + 157, 100);
	sp_autofree char *whole = sp_xasprintf("%s%s%s", prefix, *prefix ? "/" : "", name);
	unsigned sum = 0;
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char) b.data[i];
	fuzz_check(b.len == 512 && sp_streq(whole, path) && sp_streq(to, link), "'%s' is written as '%s'", fuzz_shows(path),
		   fuzz_shows(whole));
	fuzz_check(octal(b.data + 124, 12) == e.size && octal(b.data + 136, 12) == e.mtime && octal(b.data + 100, 8) == e.mode,
		   "the numbers of '%s'", fuzz_shows(path));
	fuzz_check(octal(b.data + 148, 7) == sum, "the sum of '%s'", fuzz_shows(path));
	sp_tar_fill(e.size, &b);
	fuzz_check((b.len + e.size) % 512 == 0 && b.len < 1024, "%zu bytes behind %llu", b.len, (unsigned long long) e.size);
}

/* --- a stub of a module --------------------------------------------------------------------------------------------- */

static void check_stub(const struct sp_strv *parms)
{
	sp_autobuf struct sp_buf b = { 0 };
	Elf64_Ehdr head;
	Elf64_Shdr table[3];
	size_t found = 0;

	sp_modinfo_stub(parms, &b);
	memcpy(&head, b.data, sizeof(head));
	fuzz_check(head.e_shoff % 8 == 0 && head.e_shoff + sizeof(table) == b.len, "the table of sections");
	memcpy(table, b.data + head.e_shoff, sizeof(table));
	fuzz_check(table[1].sh_offset + table[1].sh_size <= table[2].sh_offset && table[2].sh_offset + table[2].sh_size <= head.e_shoff,
		   "the sections");
	const char *info = b.data + table[1].sh_offset, *end = info + table[1].sh_size;
	fuzz_check(end[-1] == '\0', "the texts have no end");
	for (const char *s = info; s < end; s += strlen(s) + 1) {
		sp_autofree char *wanted = found < parms->n ? sp_xasprintf("parm=%s:", parms->v[found]) : NULL;

		found += sp_streq(s, wanted);
	}
	fuzz_check(found == parms->n, "%zu of %zu parameters", found, parms->n);
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };
	sp_autostrv struct sp_strv parms = { 0 };
	uint64_t number = 0;

	fuzz_cut(data, size, &f);
	check_sizes(fuzz_text(&f, 0, "59G"));
	check_derived(fuzz_text(&f, 0, "${gtt_mib}"));
	fuzz_lines(fuzz_text(&f, 1, "6.9\n6.18.4\n6.18"), &parms);
	const char *v[3] = { "6.18~rc1", "", "6.18.4-200.fc43" };
	for (size_t i = 0; i < parms.n && i < 3; i++)
		v[i] = parms.v[i];
	check_versions(v[0], v[1], v[2]);
	check_stub(&parms);
	if (sp_parse_u64(fuzz_text(&f, 4, "0"), &number) < 0)
		number = size;
	check_archive(fuzz_text(&f, 2, "sys/class/dmi/id/sys_vendor"), fuzz_text(&f, 3, ""), number);
}

static const char *const words[] = { "59G", "512 MB", "KiB", "MiB", "60416", "0x", "18446744073709551615", "K", " ", "${gtt_mib}", "${gtt_pages}",
				     "${gtt_gib}", "${ttm_module}", "${x:+y}", "${", "}", "\x1e", "\n", "~rc1", ".fc43", "-1", "^", "00", "/",
				     "a/b/", "0123456789012345678901234567890123456789012345678901234567890123456789", "8589934592", "8589934591", NULL };

const struct fuzz_target fuzz_values = { .name = "values", .run = run, .words = words };
