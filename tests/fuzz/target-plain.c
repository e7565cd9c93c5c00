/* SPDX-License-Identifier: MIT */
/*
 * Files that are little more than a line: /etc/kernel/cmdline, and GRUB's environment block. File, our tokens, a
 * value. The text is taken for both; for the block also as what stands in one.
 */
#include <errno.h>

#include "format/grubenv.h"
#include "targets.h"

#define BLOCK_HEAD "# GRUB Environment Block\n"

/* --- the environment block ---------------------------------------------------------------------------------------- */

static const char *const names[] = { "kernelopts", "a", "saved_entry" };

/* What the other variables say is as it was. */
static void check_others(const struct sp_buf *file, const struct sp_buf *changed, const char *var)
{
	for (size_t i = 0; i < SP_ELEMENTS(names); i++) {
		sp_autofree char *a = NULL, *b = NULL;

		if (sp_streq(names[i], var))
			continue;
		int r = sp_grubenv_get(file, names[i], &a, NULL), now = sp_grubenv_get(changed, names[i], &b, NULL);
		fuzz_check(r == now && (r < 0 || sp_streq(a, b)), "'%s' was '%s' and is '%s'", names[i], fuzz_shows(a),
			   fuzz_shows(b));
	}
}

/* Does the last line go on with a backslash? It would take what is put behind it. */
static bool goes_on(const struct sp_buf *file)
{
	size_t end = file->len;

	while (end > 0 && file->data[end - 1] == '#')
		end--;
	return end > 1 && file->data[end - 2] == '\\';
}

static void check_value(const struct sp_buf *file, const char *var, const char *value)
{
	sp_autobuf struct sp_buf out = { 0 }, gone = { 0 };
	sp_autofree char *back = NULL, *nothing = NULL;

	int r = sp_grubenv_put(file, var, value, &out, NULL);
	fuzz_check(r == 0 || r == -ENOSPC || r == -EINVAL, "refused with %d", r);
	fuzz_check(r != -EINVAL || goes_on(file) || sp_grubenv_get(file, var, &back, NULL) == -EINVAL, "'%s' is refused",
		   fuzz_shows(value));
	if (r < 0)
		return;
	fuzz_check(out.len == SP_GRUBENV_SIZE, "a block of %zu bytes", out.len);
	fuzz_check(sp_grubenv_get(&out, var, &back, NULL) == 0 && sp_streq(back, value), "'%s' was written and '%s' is read",
		   fuzz_shows(value), fuzz_shows(back));
	check_others(file, &out, var);
	fuzz_check(sp_grubenv_put(&out, var, NULL, &gone, NULL) == 0 && sp_grubenv_get(&gone, var, &nothing, NULL) == -ENOENT,
		   "'%s' cannot be removed", var);
	check_others(file, &gone, var);
}

static void check_block(const struct sp_buf *file, const struct sp_tokens *to, const char *value)
{
	for (size_t i = 0; i < 2; i++) {
		const struct sp_host host = { .kind = SP_HOST_GRUBENV, .var = (char *) names[i] };
		sp_autobuf struct sp_buf out = { 0 };
		sp_autofree char *line = NULL;

		check_value(file, names[i], value);
		if (sp_grubenv_get(file, names[i], &line, NULL) != 0)
			continue; /* a line is never put where none was */
		/* Escapes that nobody needs are written as they are needed, and of two values the one that counts is changed. */
		if (fuzz_check_host(&host, file, to, false, &out))
			check_others(file, &out, names[i]);
	}
}

/* A block with this text in it, as long as it may be. */
static void make_block(const struct sp_buf *text, struct sp_buf *ret)
{
	const size_t head = strlen(BLOCK_HEAD), room = SP_GRUBENV_SIZE - head - 1;

	sp_buf_adds(ret, BLOCK_HEAD);
	sp_buf_add(ret, text->data, text->len < room ? text->len : room);
	sp_buf_adds(ret, "\n");
	while (ret->len < SP_GRUBENV_SIZE)
		sp_buf_adds(ret, "#");
	fuzz_tighten(ret);
}

/* --- the plain line ------------------------------------------------------------------------------------------------ */

static void check_plain(const struct sp_buf *file, const struct sp_tokens *to)
{
	const struct sp_host host = { .kind = SP_HOST_PLAIN };
	sp_autobuf struct sp_buf out = { 0 };

	(void) fuzz_check_host(&host, file, to, true, &out);
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };
	sp_autotokens struct sp_tokens to = { 0 };
	sp_autobuf struct sp_buf block = { 0 };

	fuzz_cut(data, size, &f);
	fuzz_tokens(fuzz_text(&f, 1, "iommu=pt<amd_iommu=off\nttm.pages_limit=15466496"), &to);
	check_plain(&f.v[0], &to);
	check_block(&f.v[0], &to, fuzz_text(&f, 2, "x \\ y"));
	make_block(&f.v[0], &block);
	check_block(&block, &to, fuzz_text(&f, 2, "x \\ y"));
}

static const char *const words[] = { BLOCK_HEAD, "\na=", "\nkernelopts=", "kernelopts=root=LABEL=a ro ", "\nsaved_entry=0\n", "\\",
				     "\\\n", "#", "\n#", "\n", "\r\n", " iommu=off ", "iommu=pt", "amd_iommu=off ", "\"", " -- ",
				     "x=\"y\nz\"", "\x1e", "root=UUID=1 ", "  ", "\t", NULL };

static const struct fuzz_files files[] = {
	{ "tests/machines/*/etc/kernel/cmdline", NULL },
	{ "tests/machines/*/boot/grub*/grubenv", NULL },
	{ "corpus/kernel-cmdline/*", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_plain = { .name = "plain", .run = run, .words = words, .files = files };
