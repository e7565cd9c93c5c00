/* SPDX-License-Identifier: MIT */
/* An entry of a menu once more, with another command line: grubcfg.h, sp_grubcfg_copy_entry(). */
#include <errno.h>

#include "format/grubcfg.h"

/* The line at *at, without its end; false behind the last. */
static bool next_line(const struct sp_buf *file, size_t *at, const char **line, size_t *len)
{
	if (*at >= file->len)
		return false;
	const char *start = file->data + *at, *nl = memchr(start, '\n', file->len - *at);

	*line = start;
	*len = nl ? (size_t) (nl - start) : file->len - *at;
	*at += *len + 1;
	return true;
}

static bool is_word(const char *text, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == len && memcmp(*words, text, len) == 0)
			return true;
	return false;
}

/* The word at text, which may be quoted, and what stands behind it. */
static size_t word_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] != ' ' && text[n] != '\t')
		n++;
	return n;
}

static size_t blanks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (text[n] == ' ' || text[n] == '\t'))
		n++;
	return n;
}

struct copy {
	const char *args;
	struct sp_buf *ret;
	size_t kernels;
	bool plain;
};

static void copy_line(struct copy *c, const char *line, size_t len)
{
	static const char *const kernel[] = { "linux", "linux16", "linuxefi", NULL };
	static const char *const saves[] = { "savedefault", "recordfail", NULL };
	size_t at = blanks(line, len);
	const size_t word = word_len(line + at, len - at);

	if (is_word(line + at, word, saves))
		return;
	if (!is_word(line + at, word, kernel)) {
		sp_buf_add(c->ret, line, len);
		sp_buf_adds(c->ret, "\n");
		return;
	}
	at += word;
	at += blanks(line + at, len - at);
	const size_t path = word_len(line + at, len - at);
	c->kernels++;
	c->plain = c->plain && path > 0 && line[len - 1] != '\\' && !memchr(line + at, '\'', path) && !memchr(line + at, '"', path);
	sp_buf_add(c->ret, line, at + path);
	sp_buf_addf(c->ret, " %s\n", c->args);
}

static bool is_closing(const char *line, size_t len)
{
	const size_t at = blanks(line, len);

	return len > at && line[at] == '}' && blanks(line + at + 1, len - at - 1) == len - at - 1;
}

static bool same_initrd(const struct sp_menu_item *a, const struct sp_menu_item *b)
{
	bool same = a->initrd.n == b->initrd.n;

	for (size_t i = 0; same && i < a->initrd.n; i++)
		same = sp_streq(a->initrd.v[i], b->initrd.v[i]);
	return same;
}

/* Read back: one entry, with the kernel and the initial RAM disks of the original, and that line. */
static bool is_copy(const struct sp_buf *copy, const struct sp_menu_item *of, const char *args)
{
	sp_automenu struct sp_menu menu = { 0 };

	if (sp_grubcfg_parse(copy, &menu, NULL) < 0 || menu.n != 1 || menu.v[0].n_kernels != 1 || of->n_kernels != 1)
		return false;
	return sp_streq(menu.v[0].kernels[0].path, of->kernels[0].path) && sp_streq(menu.v[0].kernels[0].args, args) &&
	       same_initrd(&menu.v[0], of);
}

int sp_grubcfg_copy_entry(const struct sp_buf *file, const struct sp_menu_item *of, const char *header, const char *args,
			  struct sp_buf *ret, struct sp_error **err)
{
	const unsigned number = of->line;
	sp_autobuf struct sp_buf made = { 0 };
	struct copy c = { .args = args, .ret = &made, .plain = true };
	const char *line = NULL;
	size_t at = 0, len = 0;
	bool closed = false;

	for (unsigned i = 0; i < number && next_line(file, &at, &line, &len); i++)
		;
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	c.plain = number > 0 && len > 0 && line[len - 1] == '{';
	sp_buf_addf(&made, "%s {\n", header);
	while (c.plain && !closed && next_line(file, &at, &line, &len)) {
		closed = is_closing(line, len);
		if (!closed)
			copy_line(&c, line, len);
	}
	sp_buf_adds(&made, "}\n");
	if (!c.plain || !closed || c.kernels != 1 || !is_copy(&made, of, args))
		return sp_error_set(err, -ENOTSUP, "the entry at line %u is not a plain one with one kernel", number);
	sp_buf_add(ret, made.data, made.len);
	return 0;
}
