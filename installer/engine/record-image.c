/* SPDX-License-Identifier: MIT */
/*
 * Unified kernel images and addons in a record: hundreds of MiB are left out, and what is read of them stays. The texts
 * stand in an item one behind the other until names are taken out of them, and then in a small image again.
 */
#include "engine/record.h"
#include "format/pe.h"

enum { TEXT_MAX = 64 * 1024 };

/* What stands behind each text: nothing that a text can have, and no name goes across it. */
#define END "\f"

static const char *const sections[] = { ".osrel", ".cmdline", ".uname", ".sdmagic", ".linux" };
static const size_t kernel = SP_ELEMENTS(sections) - 1; /* it is there, or not */

static void take_text(const struct sp_root *root, const char *path, const struct sp_pe_section *s, struct sp_buf *ret)
{
	sp_autobuf struct sp_buf text = { 0 };

	if (s->size == 0 || s->size > TEXT_MAX || sp_root_read_part(root, path, s->offset, (size_t) s->size, &text, NULL) < 0)
		return;
	sp_buf_adds(ret, text.data); /* up to the first NUL */
}

void sp_record_image(const struct sp_root *root, const char *path, struct sp_item *item)
{
	sp_autobuf struct sp_buf head = { 0 };
	sp_autope struct sp_pe pe = { 0 };
	struct stat st;

	if (sp_root_read_part(root, path, 0, SP_PE_HEAD, &head, NULL) < 0 || sp_root_stat(root, path, &st) < 0 ||
	    sp_pe_parse(&head, (uint64_t) st.st_size, &pe, NULL) < 0)
		return; /* it is none: an empty file stands for it */
	item->image = true;
	for (size_t i = 0; i < SP_ELEMENTS(sections); i++) {
		const struct sp_pe_section *s = sp_pe_find(&pe, sections[i]);

		if (s)
			sp_buf_adds(&item->bytes, "+ ");
		if (s && i != kernel)
			take_text(root, path, s, &item->bytes);
		sp_buf_adds(&item->bytes, END);
	}
}

void sp_record_image_make(struct sp_item *item)
{
	struct sp_pe_text parts[SP_ELEMENTS(sections)];
	struct sp_buf image = { 0 };
	char *rest = item->bytes.data;
	size_t n = 0;

	for (size_t i = 0; i < SP_ELEMENTS(sections); i++) {
		const char *text = strsep(&rest, END);

		if (text && *text == '+')
			parts[n++] = (struct sp_pe_text){ sections[i], text + 2 };
	}
	sp_pe_make(parts, n, &image);
	sp_buf_clear(&item->bytes);
	item->bytes = image;
}
