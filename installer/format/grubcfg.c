/* SPDX-License-Identifier: MIT */
#include "format/grubcfg.h"

#include <errno.h>
#include <stdint.h>

enum { MAX_WORDS = 64 }; /* of a command; what stands behind them does not tell us anything */
enum { NO_ITEM = -2 };	 /* an entry within an entry: made when that one is booted, so never part of the menu */

struct word {
	char *text;	   /* without its quotes; variables as written */
	size_t start, end; /* bytes of the file */
};

struct parser {
	const char *s;
	size_t len, pos;
	struct sp_menu *menu;
	struct sp_error **err;
	char *section;
	int open[SP_MENU_MAX_DEPTH]; /* items whose blocks are open; -1: the block of a function; or NO_ITEM */
	size_t open_at[SP_MENU_MAX_DEPTH];
	size_t depth;
	struct word words[MAX_WORDS]; /* of the command that is read */
	size_t n_words, end;	      /* end: behind its last word */
	size_t counted, newlines;     /* newlines in front of the byte `counted` */
};

/* Counted on from the last one that was asked for, unless this one is in front of it. */
static unsigned line_of(struct parser *p, size_t at)
{
	if (at < p->counted)
		p->counted = p->newlines = 0;
	for (; p->counted < at && p->counted < p->len; p->counted++)
		p->newlines += p->s[p->counted] == '\n';
	return (unsigned) p->newlines + 1;
}

static int refuse(struct parser *p, int code, size_t at, const char *what)
{
	return sp_error_set(p->err, code, "line %u: %s", line_of(p, at), what);
}

/* --- words ------------------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_word(char c)
{
	return is_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|';
}

/* A backslash and what it stands in front of; a line end behind it is none. */
static void read_escape(struct parser *p, bool quoted, struct sp_buf *text)
{
	char c = p->pos + 1 < p->len ? p->s[p->pos + 1] : '\0';

	if (quoted && !strchr("\"\\$\n", c))
		sp_buf_add(text, p->s + p->pos, 1);
	if (c && c != '\n')
		sp_buf_add(text, &c, 1);
	p->pos += p->pos + 1 < p->len ? 2 : 1;
}

/* Behind an opening quote: the text up to the closing one. */
static int read_quoted(struct parser *p, char quote, struct sp_buf *text)
{
	const size_t start = p->pos++;

	while (p->pos < p->len && p->s[p->pos] != quote) {
		if (quote == '"' && p->s[p->pos] == '\\') {
			read_escape(p, true, text);
			continue;
		}
		sp_buf_add(text, p->s + p->pos, 1);
		p->pos++;
	}
	if (p->pos >= p->len)
		return refuse(p, -EINVAL, start, "a quote is never closed");
	p->pos++;
	return 0;
}

static int read_word(struct parser *p)
{
	sp_autobuf struct sp_buf text = { 0 };
	const size_t start = p->pos;
	int r = 0;

	while (r == 0 && p->pos < p->len && !ends_word(p->s[p->pos])) {
		const char c = p->s[p->pos];

		if (c == '\'' || c == '"') {
			r = read_quoted(p, c, &text);
		} else if (c == '\\') {
			read_escape(p, false, &text);
		} else {
			sp_buf_add(&text, &c, 1);
			p->pos++;
		}
	}
	p->end = p->pos;
	if (r == 0 && p->n_words < MAX_WORDS)
		p->words[p->n_words++] = (struct word){ sp_buf_steal(&text), start, p->pos };
	return r;
}

static void drop_words(struct parser *p)
{
	for (size_t i = 0; i < p->n_words; i++)
		free(p->words[i].text);
	p->n_words = 0;
}

/* --- comments ---------------------------------------------------------------------------------------------------- */

/* "### BEGIN /etc/grub.d/10_linux ###" and the END of it. */
static void read_comment(struct parser *p)
{
	static const char begin[] = "### BEGIN ", end[] = "### END ", tail[] = " ###";
	const char *nl = memchr(p->s + p->pos, '\n', p->len - p->pos);
	const size_t n = nl ? (size_t) (nl - (p->s + p->pos)) : p->len - p->pos;
	sp_autofree char *text = sp_xstrndup(p->s + p->pos, n);
	char *line = sp_strip(text);

	p->pos += n;
	if (sp_startswith(line, begin) && sp_endswith(line, tail) && strlen(line) >= strlen(begin) + strlen(tail)) {
		free(p->section);
		p->section = sp_xstrndup(line + strlen(begin), strlen(line) - strlen(begin) - strlen(tail));
		p->menu->generated = true;
	} else if (sp_startswith(line, end)) {
		free(p->section);
		p->section = NULL;
	}
}

/* --- commands ---------------------------------------------------------------------------------------------------- */

static bool is_word(const struct parser *p, size_t i, const char *text)
{
	return i < p->n_words && sp_streq(p->words[i].text, text);
}

static int current(const struct parser *p)
{
	for (size_t i = p->depth; i > 0; i--)
		if (p->open[i - 1] != -1)
			return p->open[i - 1];
	return -1;
}

/* Debian writes $menuentry_id_option, which is "--id" where GRUB knows it. */
static char *find_id(const struct parser *p, size_t first)
{
	for (size_t i = first; i < p->n_words; i++) {
		if (sp_startswith(p->words[i].text, "--id="))
			return sp_xstrdup(p->words[i].text + strlen("--id="));
		if ((is_word(p, i, "--id") || is_word(p, i, "$menuentry_id_option") ||
		     is_word(p, i, "${menuentry_id_option}")) && i + 1 < p->n_words)
			return sp_xstrdup(p->words[i + 1].text);
	}
	return NULL;
}

static unsigned count_in(const struct sp_menu *menu, int parent)
{
	unsigned n = 0;

	for (size_t i = 0; i < menu->n; i++)
		n += menu->v[i].parent == parent;
	return n;
}

static int add_item(struct parser *p, size_t first, bool submenu)
{
	const int parent = current(p);
	const unsigned number = count_in(p->menu, parent);

	if (p->menu->n == SP_MENU_MAX_ITEMS)
		return refuse(p, -E2BIG, p->words[first].start, "more entries than any menu has");
	p->menu->v = sp_xrealloc(p->menu->v, p->menu->n + 1, sizeof(*p->menu->v));
	p->menu->v[p->menu->n++] = (struct sp_menu_item){
		.submenu = submenu, .parent = parent, .number = number,
		.title = sp_xstrdup(first + 1 < p->n_words ? p->words[first + 1].text : ""),
		.id = find_id(p, first + 2), .section = sp_xstrdup(p->section),
		.line = line_of(p, p->words[first].start),
	};
	return 0;
}

/* A '{' that ends a command: a menu entry, a submenu, or a function. */
static int open_block(struct parser *p, size_t first)
{
	const bool submenu = is_word(p, first, "submenu"), entry = submenu || is_word(p, first, "menuentry");
	const int at = current(p);
	int item = -1;

	if (p->depth == SP_MENU_MAX_DEPTH)
		return refuse(p, -E2BIG, p->pos, "blocks stand too deeply in one another");
	if (entry && (at == NO_ITEM || (at >= 0 && !p->menu->v[at].submenu))) {
		item = NO_ITEM;
	} else if (entry) {
		int r = add_item(p, first, submenu);
		if (r < 0)
			return r;
		item = (int) p->menu->n - 1;
	}
	p->open_at[p->depth] = p->pos;
	p->open[p->depth++] = item;
	return 0;
}

static void add_kernel(struct parser *p, size_t first, struct sp_menu_item *item)
{
	const struct word *path = &p->words[first + 1];
	sp_autofree char *rest = sp_xstrndup(p->s + path->end, p->end - path->end);

	item->kernels = sp_xrealloc(item->kernels, item->n_kernels + 1, sizeof(*item->kernels));
	item->kernels[item->n_kernels++] = (struct sp_menu_kernel){ sp_xstrdup(path->text), sp_xstrdup(sp_strip(rest)) };
}

static void read_default(struct parser *p, size_t first)
{
	const char *text = is_word(p, first, "set") && first + 1 < p->n_words ? p->words[first + 1].text : NULL;

	if (!text || !sp_startswith(text, "default=") || strstr(text, "next_entry"))
		return;
	free(p->menu->default_spec);
	p->menu->default_spec = sp_xstrdup(text + strlen("default="));
}

/* Where the command itself begins: behind what conditions and loops are made of. */
static size_t first_word(const struct parser *p)
{
	static const char *const keywords[] = { "if", "then", "else", "elif", "do", "while", "until", "!" };
	size_t i = 0;

	for (bool more = true; more && i < p->n_words; i += more) {
		more = false;
		for (size_t k = 0; k < SP_ELEMENTS(keywords); k++)
			more = more || sp_streq(p->words[i].text, keywords[k]);
	}
	return i;
}

static void run_command(struct parser *p)
{
	static const char *const linux_commands[] = { "linux", "linux16", "linuxefi" };
	static const char *const initrd_commands[] = { "initrd", "initrd16", "initrdefi" };
	const size_t first = first_word(p);
	const int at = current(p);
	struct sp_menu_item *item = at >= 0 && !p->menu->v[at].submenu ? &p->menu->v[at] : NULL;

	read_default(p, first);
	for (size_t k = 0; item && first + 1 < p->n_words && k < SP_ELEMENTS(linux_commands); k++) {
		if (is_word(p, first, linux_commands[k]))
			add_kernel(p, first, item);
		for (size_t i = first + 1; is_word(p, first, initrd_commands[k]) && i < p->n_words; i++)
			sp_strv_add(&item->initrd, p->words[i].text);
	}
	drop_words(p);
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

/* A word that is a brace by itself opens or closes a block. */
static bool is_brace(const struct parser *p, char c)
{
	return p->s[p->pos] == c && (p->pos + 1 >= p->len || ends_word(p->s[p->pos + 1]) || p->s[p->pos + 1] == c);
}

static int read_brace(struct parser *p)
{
	int r = 0;

	if (p->s[p->pos] == '{') {
		r = p->n_words > 0 ? open_block(p, first_word(p)) : open_block(p, 0);
		drop_words(p);
	} else {
		run_command(p);
		if (p->depth == 0)
			return refuse(p, -EINVAL, p->pos, "a block is closed that was not opened");
		p->depth--;
	}
	p->pos++;
	return r;
}

static int parse(struct parser *p)
{
	int r = 0;

	while (r == 0 && p->pos < p->len) {
		const char c = p->s[p->pos];

		if (is_blank(c)) {
			p->pos++;
		} else if (c == '\\' && p->pos + 1 < p->len && p->s[p->pos + 1] == '\n') {
			p->pos += 2;
		} else if (ends_word(c)) {
			run_command(p);
			p->pos++;
		} else if (c == '#') {
			read_comment(p);
		} else if (is_brace(p, '{') || is_brace(p, '}')) {
			r = read_brace(p);
		} else {
			r = read_word(p);
		}
	}
	if (r == 0)
		run_command(p);
	if (r == 0 && p->depth > 0)
		r = refuse(p, -EINVAL, p->open_at[p->depth - 1], "a block is never closed");
	drop_words(p);
	free(p->section);
	return r;
}

int sp_grubcfg_parse(const struct sp_buf *file, struct sp_menu *ret, struct sp_error **err)
{
	struct parser p = { .s = file->len > 0 ? file->data : "", .len = file->len, .menu = ret, .err = err };

	*ret = (struct sp_menu){ 0 };
	int r = parse(&p);
	if (r < 0)
		sp_menu_clear(ret);
	return r;
}
