/* SPDX-License-Identifier: MIT */
#include "format/limine.h"

#include <ctype.h>
#include <errno.h>

#include "format/lines.h"

#define MARK_FRONT "++CONFIG_"
#define MARK_BACK  "_SIGNATURE++"

enum { DIGITS = 128 };

/* A line without the blanks at its ends, which Limine takes away. */
struct span {
	size_t start, end;
};

static struct span trimmed(const struct sp_buf *file, const struct sp_textline *l)
{
	struct span s = { sp_text_skip(file, l), l->end };

	while (s.end > s.start && sp_text_is_blank(file->data[s.end - 1]))
		s.end--;
	return s;
}

/* The value of the option on this line; false: it is another one. */
static bool option(const struct sp_buf *file, struct span s, const char *key, struct span *ret)
{
	const size_t n = strlen(key);

	if (s.end - s.start <= n || strncasecmp(file->data + s.start, key, n) != 0 || file->data[s.start + n] != ':')
		return false;
	for (s.start += n + 1; s.start < s.end && sp_text_is_blank(file->data[s.start]);)
		s.start++;
	*ret = s;
	return true;
}

static char *text_of(const struct sp_buf *file, struct span s)
{
	return sp_xstrndup(file->data + s.start, s.end - s.start);
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

/* How many '/' there are at its start: 0, it opens no entry. */
static size_t depth_of(const struct sp_buf *file, struct span s)
{
	size_t n = 0;

	while (s.start + n < s.end && file->data[s.start + n] == '/')
		n++;
	return n;
}

static char *escaped(const char *title)
{
	struct sp_buf b = { 0 };

	sp_buf_adds(&b, "");
	for (; *title; title++)
		sp_buf_addf(&b, "%s%c", strchr("/\\#", *title) ? "\\" : "", *title);
	return sp_buf_steal(&b);
}

static void set_path(struct sp_limine *l, struct sp_limine_entry *e)
{
	sp_autofree char *name = escaped(e->title), *number = NULL;
	const char *above = e->parent == SP_LIMINE_NONE ? "" : l->v[e->parent].path;
	size_t same = 0;

	for (struct sp_limine_entry *other = l->v; other < e; other++)
		same += other->parent == e->parent && sp_streq(other->title, e->title);
	number = same ? sp_xasprintf("#%zu", same) : sp_xstrdup("");
	e->path = sp_xasprintf("%s%s%s%s", above, *above ? "/" : "", name, number);
}

/* The entry that one of this depth is below: depths[d] is the last one at depth d. */
static int open_entry(const struct sp_buf *file, struct span s, unsigned line, struct sp_limine *l, size_t *depth,
		      struct sp_error **err)
{
	const size_t d = depth_of(file, s);
	size_t parent = l->n - 1;

	if (d > *depth + 1)
		return sp_error_set(err, -EINVAL, "line %u: a sub-entry that is in no entry", line);
	for (size_t up = *depth + 1; up > d; up--)
		parent = parent == SP_LIMINE_NONE ? parent : l->v[parent].parent;
	*depth = d;
	s.start += d;
	const bool open = s.start < s.end && file->data[s.start] == '+';
	for (s.start += open; s.start < s.end && file->data[s.start] == ' ';)
		s.start++;
	l->v = sp_xrealloc(l->v, l->n + 1, sizeof(*l->v));
	struct sp_limine_entry *e = &l->v[l->n++];
	*e = (struct sp_limine_entry){ .title = text_of(file, s), .line = line, .parent = parent, .open = open };
	if (parent != SP_LIMINE_NONE)
		l->v[parent].folder = true;
	set_path(l, e);
	return 0;
}

/* --- options ----------------------------------------------------------------------------------------------------- */

/* Names of the command line, the first of which wins wherever it stands; and those of the kernel. */
static const char *const line_keys[] = { "kernel_cmdline", "cmdline" };
static const char *const kernel_keys[] = { "kernel_path", "path", "image_path" };

static void take_line(const struct sp_buf *file, struct span s, const char *key, struct sp_limine_entry *e, const char **had)
{
	if (*had && !sp_streq(*had, key) && !e->why)
		e->why = sp_xstrdup("it has both cmdline and kernel_cmdline");
	if (*had)
		return;
	*had = key;
	e->line_text = text_of(file, s);
	if (strstr(e->line_text, "${"))
		e->why = sp_xstrdup("its command line has a macro in it, which Limine replaces");
}

static void take_option(const struct sp_buf *file, struct span s, struct sp_limine_entry *e, const char **had)
{
	struct span value;

	if (s.start < s.end && file->data[s.start] == '#')
		sp_strv_take(&e->remarks, text_of(file, s));
	else if (option(file, s, "comment", &value))
		sp_strv_take(&e->remarks, text_of(file, value));
	else if (option(file, s, "module_path", &value))
		sp_strv_take(&e->modules, text_of(file, value));
	else if (option(file, s, "protocol", &value) && !e->protocol)
		e->protocol = text_of(file, value);
	for (size_t i = 0; i < SP_ELEMENTS(kernel_keys); i++)
		if (option(file, s, kernel_keys[i], &value) && !e->kernel)
			e->kernel = text_of(file, value);
	for (size_t i = 0; i < SP_ELEMENTS(line_keys); i++)
		if (option(file, s, line_keys[i], &value))
			take_line(file, value, line_keys[i], e, had);
}

int sp_limine_parse(const struct sp_buf *file, struct sp_limine *ret, struct sp_error **err)
{
	struct sp_textline l = { 0 };
	const char *had = NULL;
	size_t depth = 0;
	int r = sp_text_check(file, err);

	*ret = (struct sp_limine){ 0 };
	while (r == 0 && sp_text_next(file, &l)) {
		const struct span s = trimmed(file, &l);
		struct span value;

		if (depth_of(file, s) > 0) {
			r = open_entry(file, s, l.number, ret, &depth, err);
			had = NULL;
		} else if (ret->n > 0) {
			take_option(file, s, &ret->v[ret->n - 1], &had);
		} else if (option(file, s, "default_entry", &value) && !ret->default_entry) {
			ret->default_entry = text_of(file, value);
		}
	}
	if (r < 0)
		sp_limine_clear(ret);
	return r;
}

void sp_limine_clear(struct sp_limine *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct sp_limine_entry *e = &l->v[i];

		free(e->path);
		free(e->title);
		free(e->protocol);
		free(e->kernel);
		free(e->line_text);
		free(e->why);
		sp_strv_clear(&e->modules);
		sp_strv_clear(&e->remarks);
	}
	free(l->v);
	free(l->default_entry);
	*l = (struct sp_limine){ 0 };
}

/* --- default ----------------------------------------------------------------------------------------------------- */

/* The menu shows what is at the top, and what is in open folders. */
static bool is_shown(const struct sp_limine *l, size_t i)
{
	for (size_t up = l->v[i].parent; up != SP_LIMINE_NONE; up = l->v[up].parent)
		if (!l->v[up].open)
			return false;
	return true;
}

static size_t by_number(const struct sp_limine *l, uint64_t number)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_shown(l, i) && --number == 0)
			return i;
	return SP_LIMINE_NONE;
}

static size_t by_path(const struct sp_limine *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (sp_streq(l->v[i].path, path))
			return i;
	return SP_LIMINE_NONE;
}

size_t sp_limine_default(const struct sp_limine *l)
{
	uint64_t number = 0;
	size_t i = SP_LIMINE_NONE;

	if (l->default_entry && sp_parse_u64(l->default_entry, &number) == 0)
		i = by_number(l, number ? number : 1);
	else if (l->default_entry)
		i = by_path(l, l->default_entry);
	if (i == SP_LIMINE_NONE && l->n > 0)
		i = 0;
	while (i != SP_LIMINE_NONE && l->v[i].folder)
		i++; /* the first one in it follows it */
	return i;
}

/* --- host -------------------------------------------------------------------------------------------------------- */

/* Where the command line of an entry stands. */
static int find_line(const struct sp_buf *file, const char *var, struct span *ret, struct sp_error **err)
{
	sp_autolimine struct sp_limine l = { 0 };
	struct sp_textline at = { 0 };
	int r = sp_limine_parse(file, &l, err);

	if (r < 0)
		return r;
	const size_t i = by_path(&l, var);
	if (i == SP_LIMINE_NONE || !l.v[i].line_text)
		return sp_error_set(err, -ENOENT, "it has no entry '%s' with a command line", var);
	if (l.v[i].why)
		return sp_error_set(err, -EOPNOTSUPP, "the entry '%s' cannot be changed: %s", var, l.v[i].why);
	while (at.number < l.v[i].line && sp_text_next(file, &at))
		;
	while (sp_text_next(file, &at))
		for (size_t k = 0; k < SP_ELEMENTS(line_keys); k++)
			if (option(file, trimmed(file, &at), line_keys[k], ret))
				return 0;
	return sp_error_set(err, -ENOENT, "the entry '%s' has no command line", var);
}

int sp_limine_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	struct span s;
	int r = find_line(file, var, &s, err);

	if (r == 0)
		*ret = text_of(file, s);
	return r;
}

int sp_limine_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret, struct sp_error **err)
{
	struct span s;
	int r = find_line(file, var, &s, err);

	if (r < 0)
		return r;
	if (strpbrk(line, "\r\n") || strstr(line, "${"))
		return sp_error_set(err, -EINVAL, "a command line cannot hold a line end or a macro");
	sp_text_splice(file, s.start, s.end, line, ret);
	return 0;
}

/* --- program ----------------------------------------------------------------------------------------------------- */

/* "++CONFIG_B2SUM_SIGNATURE++"; the name of the sum may be another one. NULL: it is no marker. */
static const char *behind_mark(const char *at, const char *end)
{
	at += strlen(MARK_FRONT);
	while (at < end && (isupper((unsigned char) *at) || isdigit((unsigned char) *at)))
		at++;
	if ((size_t) (end - at) < strlen(MARK_BACK) + DIGITS || memcmp(at, MARK_BACK, strlen(MARK_BACK)) != 0)
		return NULL;
	return at + strlen(MARK_BACK);
}

int sp_limine_enrolled(const struct sp_buf *program)
{
	const char *at = program->data, *end = program->data + program->len;
	int found = -ENOENT;

	while (program->len > 0 && (at = memmem(at, (size_t) (end - at), MARK_FRONT, strlen(MARK_FRONT)))) {
		const char *digits = behind_mark(at, end);

		at += strlen(MARK_FRONT);
		for (size_t i = 0; digits && i < DIGITS; i++)
			if (digits[i] != '0')
				return 1;
		found = digits ? 0 : found;
	}
	return found;
}
