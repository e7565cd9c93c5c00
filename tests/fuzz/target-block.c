/* SPDX-License-Identifier: MIT */
/* A block of ours in somebody's file: file, text of the block, text of another one. */
#include "format/block.h"
#include "targets.h"

static bool put(const struct sp_buf *file, const char *name, const char *text, struct sp_buf *ret, bool *gone)
{
	sp_autoerror struct sp_error *err = NULL;

	if (sp_block_put(file, name, text, ret, gone, &err) == 0)
		return true;
	fuzz_check(err && err->message, "an error says nothing");
	return false;
}

static void check_is(const struct sp_buf *file, const char *name, const char *text)
{
	sp_autofree char *got = NULL;

	fuzz_check(sp_block_get(file, name, &got, NULL) == 0 && sp_streq(got, text), "the block '%s' is '%s'", name, fuzz_shows(got));
}

/* In, and out again in either order: the bytes of before. */
static void check_way_back(const struct sp_buf *file, const char *one, const char *two)
{
	static const char *const names[] = { "trial", "before" };
	bool gone = false;

	for (size_t i = 0; i < 2; i++) {
		sp_autofree char *had = NULL;
		if (sp_block_get(file, names[i], &had, NULL) < 0 || had)
			return; /* it has one already */
	}
	for (size_t first = 0; first < 2; first++) {
		sp_autobuf struct sp_buf a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

		if (!put(file, names[0], one, &a, &gone) || !put(&a, names[1], two, &b, &gone))
			return;
		check_is(&b, names[0], one);
		check_is(&b, names[1], two);
		fuzz_check(put(&b, names[first], NULL, &c, &gone) && put(&c, names[!first], NULL, &d, &gone), "a block cannot be taken out");
		fuzz_check(sp_buf_eq(&d, file) && !gone, "'%s' is left of '%s'", fuzz_show(d.data, d.len), fuzz_show(file->data, file->len));
	}
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };

	fuzz_cut(data, size, &f);
	sp_autofree char *one = sp_xasprintf("%s\n", fuzz_text(&f, 1, "menuentry a {\n}")), *two = sp_xasprintf("%s\n", fuzz_text(&f, 2, "b"));
	check_way_back(&f.v[0], one, two);
}

static const char *const words[] = {
	"### BEGIN strix-provision trial ###\n", "### END strix-provision trial ###\n", "### BEGIN strix-provision before (was empty) ###\n",
	"### END strix-provision before ###\n", "### BEGIN strix-provision trial (line end added) ###\n", "### BEGIN ", " ###", "\n", "\r\n", "\x1e",
	"menuentry 'a' {\n", "}\n", NULL
};

static const struct fuzz_files files[] = {
	{ "tests/machines/*/boot/grub*/grub.cfg", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_block = { .name = "block", .run = run, .words = words, .files = files };
