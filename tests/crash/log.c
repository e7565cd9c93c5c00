/* SPDX-License-Identifier: MIT */
/*
 * A trace as text, one call a line, tab separated:
 *   name  result  flags  device  path  path2  text
 * device: of the file or the folder, hexadecimal; flags: 'n' a new file, 'x' an exchange, '-', or a number: the new size,
 * what an ioctl asks. What is written to a journal has its line ends as form feeds, which JSON and paths do not hold. '#'
 * begins a comment.
 */
#include "crash.h"

#include <errno.h>
#include <inttypes.h>

#define LINE_END '\f'

static void put_flags(FILE *f, const struct call *c)
{
	if (c->size)
		(void) fprintf(f, "%" PRIu64, c->size);
	else
		(void) fputc(!c->fresh ? '-' : c->type->kind == CALL_RENAME ? 'x' : 'n', f);
}

static void put_text(FILE *f, const char *text)
{
	(void) fputc('\t', f);
	for (; text && *text; text++)
		(void) fputc(*text == '\n' ? LINE_END : *text, f);
	(void) fputc('\n', f);
}

void log_write(FILE *f, const struct calls *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct call *c = &all->v[i];
		(void) fprintf(f, "%s\t%ld\t", c->type->name, c->result);
		put_flags(f, c);
		(void) fprintf(f, "\t%" PRIx64 "\t%s\t%s", c->dev, c->path ? c->path : "-", c->path2 ? c->path2 : "-");
		put_text(f, c->text);
	}
}

static char *get_path(const char *text)
{
	return sp_streq(text, "-") ? NULL : sp_xstrdup(text);
}

static struct call parse(char *line)
{
	enum { NAME, RESULT, FLAGS, DEVICE, PATH1, PATH2, TEXT, N_FIELDS };
	char *field[N_FIELDS], *rest = line;
	struct call c = { 0 };

	for (size_t i = 0; i < N_FIELDS; i++) {
		field[i] = strsep(&rest, "\t");
		if (!field[i])
			die("not a call: '%s'", line);
	}
	c.type = call_type_by_name(field[NAME]);
	if (!c.type)
		die("an unknown call: '%s'", field[NAME]);
	c.result = strtol(field[RESULT], NULL, 10);
	c.fresh = *field[FLAGS] == 'n' || *field[FLAGS] == 'x';
	c.size = strtoull(field[FLAGS], NULL, 10);
	c.dev = strtoull(field[DEVICE], NULL, 16);
	c.path = get_path(field[PATH1]);
	c.path2 = get_path(field[PATH2]);
	if (*field[TEXT])
		c.text = sp_xstrdup(field[TEXT]);
	for (char *p = c.text; p && (p = strchr(p, LINE_END)); p++)
		*p = '\n';
	return c;
}

void log_read(const char *path, struct calls *ret)
{
	sp_autofile FILE *f = fopen(path, "re");
	sp_autofree char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f)
		die("%s", path);
	errno = 0;
	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (*line == '#' || !*line)
			continue;
		ret->v = sp_xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = parse(line);
	}
}
