/* SPDX-License-Identifier: MIT */
/*
 * Archives of an initramfs image: whatever they say, they are read to the same end in pieces of any size. And what booster puts
 * into its images.
 */
#include <errno.h>

#include "format/assign.h"
#include "format/booster.h"
#include "format/cpio.h"
#include "targets.h"

struct outcome {
	int r;
	size_t end;
	bool at_rest;
	struct sp_cpio c;
	struct sp_cpio_want wants[2];
};

static void feed(const uint8_t *data, size_t size, size_t piece, struct outcome *ret)
{
	sp_autoerror struct sp_error *err = NULL;

	*ret = (struct outcome){ .wants = { { .path = "a" }, { .path = "etc/modprobe.d/zz-strix-provision.conf" } } };
	sp_cpio_start(&ret->c, ret->wants, SP_ELEMENTS(ret->wants));
	while (ret->end < size && ret->r == 0) {
		const size_t n = size - ret->end < piece ? size - ret->end : piece;
		sp_autobuf struct sp_buf part = { 0 };
		size_t used = 0;

		sp_buf_add(&part, data + ret->end, n);
		fuzz_tighten(&part);
		ret->r = sp_cpio_feed(&ret->c, part.data, n, &used, &err);
		fuzz_check(used <= n, "more was used than there is");
		ret->end += used;
		if (ret->r == 0 && used < n) {
			fuzz_check(sp_cpio_at_rest(&ret->c), "it stopped inside of an archive");
			ret->end++; /* as what was not an archive would have been unpacked */
		}
	}
	ret->at_rest = sp_cpio_at_rest(&ret->c);
	fuzz_check(ret->r == 0 || (ret->r == -EBADMSG && err && err->message), "refused with %d", ret->r);
}

static void check(const struct outcome *o)
{
	for (size_t i = 0; i < SP_ELEMENTS(o->wants); i++) {
		const struct sp_cpio_want *w = &o->wants[i];

		fuzz_check(!w->found || !w->unclear, "it is known and not known");
		fuzz_check(w->found || w->bytes.len == 0, "bytes of what was not found");
		fuzz_check(w->bytes.len <= SP_CPIO_MEMBER_MAX && w->bytes.len <= o->end, "%zu bytes", w->bytes.len);
	}
}

/* Each line that comes out is one of modprobe.d's, and nothing comes out of nothing. */
static void check_booster(const uint8_t *data, size_t size)
{
	sp_autobuf struct sp_buf yaml = { 0 }, options = { 0 };
	sp_autoassigns struct sp_assigns a = { 0 };

	sp_buf_add(&yaml, data, size);
	fuzz_tighten(&yaml);
	sp_booster_options(&yaml, &options);
	sp_modprobe_parse(&options, &a);
	fuzz_check(a.n == 0 || memmem(data, size, "modprobeoptions:", 16), "options of nothing");
	for (const char *c = options.data; c && *c; c = strchr(c, '\n') + 1)
		fuzz_check(sp_startswith(c, "options ") && strchr(c, '\n'), "a line that is none: '%s'", fuzz_shows(c));
}

static void run(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 113 };
	struct outcome whole, parts;

	check_booster(data, size);
	feed(data, size, size ? size : 1, &whole);
	check(&whole);
	for (size_t k = 0; k < SP_ELEMENTS(pieces); k++) {
		feed(data, size, pieces[k], &parts);
		check(&parts);
		fuzz_check(whole.r == parts.r && whole.at_rest == parts.at_rest && whole.c.members == parts.c.members,
			   "in pieces of %zu it is another", pieces[k]);
		for (size_t i = 0; i < SP_ELEMENTS(whole.wants); i++) {
			const struct sp_cpio_want *a = &whole.wants[i], *b = &parts.wants[i];

			fuzz_check(a->found == b->found && a->unclear == b->unclear && sp_buf_eq(&a->bytes, &b->bytes),
				   "in pieces of %zu '%s' is another", pieces[k], a->path);
			sp_buf_clear(&parts.wants[i].bytes);
		}
	}
	for (size_t i = 0; i < SP_ELEMENTS(whole.wants); i++)
		sp_buf_clear(&whole.wants[i].bytes);
}

static const char *const words[] = { "070701", "070702", "00000000", "00000001", "00000002", "0000000B", "000081A4", "0000A1FF",
				     "0000002b", "TRAILER!!!", "a", "./a", "etc/modprobe.d/zz-strix-provision.conf", "\x1f\x8b",
				     "modprobeoptions:\n", "    amdgpu: gttsize=1\n", "    \"ttm\": 'pages_limit=2'\n", NULL };

static const struct fuzz_files files[] = { { NULL, NULL } };

const struct fuzz_target fuzz_cpio = { .name = "cpio", .run = run, .words = words, .files = files };
