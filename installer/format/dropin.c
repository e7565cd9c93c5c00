/* SPDX-License-Identifier: MIT */
#include "format/dropin.h"

#define COLUMNS 100

static const char head[] = "Written by strix-provision. To change or drop a setting, edit "
			   "/etc/strix-provision.conf and run 'strix-provision apply'; "
			   "to undo it all, run 'strix-provision rollback'.";

void sp_assigns_take(struct sp_assigns *a, char *key, char *value, unsigned line, bool glob)
{
	a->v = sp_xrealloc(a->v, a->n + 1, sizeof(*a->v));
	a->v[a->n++] = (struct sp_assign){ .key = key, .value = value, .line = line, .glob = glob };
}

void sp_assigns_clear(struct sp_assigns *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].key);
		free(a->v[i].value);
	}
	free(a->v);
	*a = (struct sp_assigns){ 0 };
}

/*
 * Text as comment lines, wrapped between words. A word that is longer than a line stands alone; line ends count as
 * blanks, and a backslash at the end of a line, which would continue the comment, gets a blank behind it.
 */
static void add_comment(struct sp_buf *b, const char *text)
{
	static const char blanks[] = " \t\r\n";
	size_t column = 0;

	for (const char *s = text + strspn(text, blanks); *s; s += strspn(s, blanks)) {
		size_t word = strcspn(s, blanks);

		if (column > 0 && column + 1 + word > COLUMNS) {
			sp_buf_adds(b, b->data[b->len - 1] == '\\' ? " \n" : "\n");
			column = 0;
		}
		sp_buf_adds(b, column == 0 ? "# " : " ");
		sp_buf_add(b, s, word);
		column += (column == 0 ? 2 : 1) + word;
		s += word;
	}
	if (column > 0)
		sp_buf_adds(b, b->data[b->len - 1] == '\\' ? " \n" : "\n");
}

void sp_dropin_render(const struct sp_dropin_line *lines, size_t n,
		      void (*line)(const struct sp_dropin_line *line, struct sp_buf *b), struct sp_buf *ret)
{
	sp_buf_clear(ret);
	if (n == 0)
		return;
	add_comment(ret, head);
	for (size_t i = 0; i < n; i++) {
		sp_autofree char *why = sp_xasprintf("%s: %s", lines[i].id, lines[i].reason ? lines[i].reason : "");

		sp_buf_adds(ret, "\n");
		add_comment(ret, why);
		line(&lines[i], ret);
	}
}
