/* SPDX-License-Identifier: MIT */
/*
 * A file of several lines is changed word by word: the words of the joined
 * line before and after are compared, and only those that differ are touched
 * where they stand.
 */
#include "format/plain.h"

#include <errno.h>

#include "format/cmdline.h"
#include "format/lines.h"

/* The file as one line, and where each of its bytes comes from. */
struct joined {
	struct sp_buf line;
	size_t *from; /* offset in the file of each byte of line; for a joint that of the byte before */
	unsigned n_lines;
	struct sp_textline last; /* the last line that counts */
	struct sp_textline end;	 /* the last line of the file; number 0: it is empty */
};

static void joined_clear(struct joined *j)
{
	sp_buf_clear(&j->line);
	free(j->from);
}

static void add_byte(struct joined *j, char c, size_t from)
{
	j->from[j->line.len] = from;
	sp_buf_add(&j->line, &c, 1);
}

static int join(const struct sp_buf *file, struct joined *ret, struct sp_error **err)
{
	struct sp_textline l = { 0 };
	int r = sp_text_check(file, err);

	*ret = (struct joined){ 0 };
	if (r < 0)
		return r;
	ret->from = sp_xcalloc(file->len + 1, sizeof(*ret->from));
	while (sp_text_next(file, &l)) {
		size_t first = sp_text_skip(file, &l);

		ret->end = l;
		if (first == l.end || file->data[first] == '#')
			continue;
		if (ret->n_lines++ > 0)
			add_byte(ret, ' ', ret->last.end);
		for (size_t i = l.start; i < l.end; i++)
			add_byte(ret, file->data[i], i);
		ret->last = l;
	}
	return 0;
}

int sp_plain_get(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err)
{
	sp_cleanup(joined_clear) struct joined j = { 0 };
	int r = join(file, &j, err);

	(void) var;
	if (r < 0)
		return r;
	if (j.n_lines == 0)
		return sp_error_set(err, -ENOENT, "it holds no command line");
	*ret = sp_buf_steal(&j.line);
	return 0;
}

/* What one run of words becomes: old[a, a_end) is replaced by new[b, b_end). */
struct hunk {
	size_t a, a_end, b, b_end;
};

/* The output grows from the file's bytes up to `done`. */
struct rewrite {
	const struct sp_buf *file;
	const struct joined *j;
	const struct sp_args *was, *now;
	struct sp_buf out;
	size_t done;
};

static size_t word_start(const struct rewrite *w, size_t i)
{
	return w->j->from[w->was->v[i].start];
}

static size_t word_end(const struct rewrite *w, size_t i)
{
	return w->j->from[w->was->v[i].start + w->was->v[i].len - 1] + 1;
}

static void copy_to(struct rewrite *w, size_t offset)
{
	sp_buf_add(&w->out, w->file->data + w->done, offset - w->done);
	w->done = offset;
}

static int check_one_line(const struct rewrite *w, size_t i, struct sp_error **err)
{
	size_t start = word_start(w, i), end = word_end(w, i);

	if (memchr(w->file->data + start, '\n', end - start))
		return sp_error_set(err, -EOPNOTSUPP, "the quotes of '%s' run over a line end", w->was->v[i].key);
	return 0;
}

static void replace_word(struct rewrite *w, size_t i, const char *text)
{
	copy_to(w, word_start(w, i));
	sp_buf_adds(&w->out, text);
	w->done = word_end(w, i);
}

/* Only blanks are in front of it, which are no word's. */
static bool begins_line(const struct sp_buf *file, size_t start)
{
	while (start > 0 && sp_text_is_blank(file->data[start - 1]))
		start--;
	return start == 0 || file->data[start - 1] == '\n';
}

/* With one blank beside it: the one in front, unless the word begins its line and has one behind it. */
static void delete_word(struct rewrite *w, size_t i)
{
	size_t start = word_start(w, i), end = word_end(w, i);
	bool behind = end < w->file->len && sp_text_is_blank(w->file->data[end]);

	if (start > w->done && sp_text_is_blank(w->file->data[start - 1]) && !(behind && begins_line(w->file, start)))
		start--;
	else if (behind)
		end++;
	copy_to(w, start);
	w->done = end;
}

/* Behind old word a - 1, or in front of the first one. */
static void insert_words(struct rewrite *w, size_t a, size_t b, size_t b_end)
{
	if (a > 0 && w->done < word_end(w, a - 1))
		copy_to(w, word_end(w, a - 1));
	else if (a == 0)
		copy_to(w, word_start(w, 0));
	for (; b < b_end; b++)
		sp_buf_addf(&w->out, a > 0 ? " %s" : "%s ", w->now->v[b].text);
}

static int apply_hunk(struct rewrite *w, const struct hunk *h, struct sp_error **err)
{
	size_t a = h->a, b = h->b;

	for (size_t i = a; i < h->a_end; i++) {
		int r = check_one_line(w, i, err);

		if (r < 0)
			return r;
	}
	for (; a < h->a_end && b < h->b_end; a++, b++)
		replace_word(w, a, w->now->v[b].text);
	for (; a < h->a_end; a++)
		delete_word(w, a);
	if (b < h->b_end)
		insert_words(w, a, b, h->b_end);
	return 0;
}

static bool same(const struct rewrite *w, size_t a, size_t b)
{
	return sp_streq(w->was->v[a].text, w->now->v[b].text);
}

/*
 * Walk a longest common subsequence of the words in m, and apply a hunk for each run between them. Quadratic in what
 * is left when the common start and end are cut off, which is a few words.
 */
static int apply_middle(struct rewrite *w, const struct hunk *m, struct sp_error **err)
{
	size_t n = m->a_end - m->a, cols = m->b_end - m->b + 1;
	sp_autofree unsigned *len = NULL;
	struct hunk h = { m->a, m->a, m->b, m->b };

	if (n >= (size_t) 4 * 1024 * 1024 / cols)
		return sp_error_set(err, -E2BIG, "too many words to compare (%zu)", n);
	len = sp_xcalloc((n + 1) * cols, sizeof(*len));
	for (size_t i = n; i-- > 0;)
		for (size_t k = cols - 1; k-- > 0;) {
			unsigned down = len[(i + 1) * cols + k], right = len[i * cols + k + 1];

			len[i * cols + k] = same(w, m->a + i, m->b + k) ? len[(i + 1) * cols + k + 1] + 1
									: (down > right ? down : right);
		}
	while (h.a_end < m->a_end || h.b_end < m->b_end) {
		size_t i = h.a_end - m->a, k = h.b_end - m->b;

		if (h.a_end < m->a_end && h.b_end < m->b_end && same(w, h.a_end, h.b_end)) {
			int r = apply_hunk(w, &h, err);

			if (r < 0)
				return r;
			h = (struct hunk){ h.a_end + 1, h.a_end + 1, h.b_end + 1, h.b_end + 1 };
		} else if (h.b_end == m->b_end ||
			   (h.a_end < m->a_end && len[(i + 1) * cols + k] >= len[i * cols + k + 1])) {
			h.a_end++;
		} else {
			h.b_end++;
		}
	}
	return apply_hunk(w, &h, err);
}

static int rewrite_words(const struct sp_buf *file, const struct joined *j, const char *line, struct sp_buf *ret,
			 struct sp_error **err)
{
	sp_autoargs struct sp_args was = { 0 }, now = { 0 };
	struct rewrite w = { .file = file, .j = j, .was = &was, .now = &now };
	struct hunk m = { 0 };
	int r;

	sp_args_parse(j->line.data, &was);
	sp_args_parse(line, &now);
	m.a_end = was.n;
	m.b_end = now.n;
	while (m.a < m.a_end && m.b < m.b_end && same(&w, m.a, m.b)) {
		m.a++;
		m.b++;
	}
	while (m.a < m.a_end && m.b < m.b_end && same(&w, m.a_end - 1, m.b_end - 1)) {
		m.a_end--;
		m.b_end--;
	}
	r = apply_middle(&w, &m, err);
	if (r == 0) {
		copy_to(&w, file->len);
		sp_buf_clear(ret);
		*ret = w.out;
		return 0;
	}
	sp_buf_clear(&w.out);
	return r;
}

static int put(const struct sp_buf *file, const char *line, struct sp_buf *ret, struct sp_error **err)
{
	sp_cleanup(joined_clear) struct joined j = { 0 };
	int r = join(file, &j, err);

	if (r < 0)
		return r;
	if (strpbrk(line, "\r\n"))
		return sp_error_set(err, -EINVAL, "a command line cannot hold a line end");
	if (j.n_lines == 0 && !*line)
		sp_text_splice(file, 0, 0, "", ret);
	else if (j.n_lines == 0)
		sp_text_add_line(file, &j.end, line, ret);
	else if (j.n_lines == 1 && !*line)
		sp_text_drop_line(file, &j.last, ret);
	else if (j.n_lines == 1)
		sp_text_splice(file, j.last.start, j.last.end, line, ret);
	else
		return rewrite_words(file, &j, line, ret, err);
	return 0;
}

/* Does the file say these words? Not where one that begins with '#' came to begin its line, which is a comment then. */
static bool says(const struct sp_buf *file, const char *line)
{
	sp_cleanup(joined_clear) struct joined j = { 0 };
	sp_autoargs struct sp_args is = { 0 }, wanted = { 0 };
	bool same = join(file, &j, NULL) == 0;

	sp_args_parse(j.line.data ? j.line.data : "", &is);
	sp_args_parse(line, &wanted);
	same = same && is.n == wanted.n;
	for (size_t i = 0; i < is.n && same; i++)
		same = sp_streq(is.v[i].text, wanted.v[i].text);
	return same;
}

int sp_plain_put(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		 struct sp_error **err)
{
	sp_autobuf struct sp_buf new = { 0 };
	int r = put(file, line, &new, err);

	(void) var;
	if (r < 0)
		return r;
	if (!says(&new, line))
		return sp_error_set(err, -EOPNOTSUPP, "a word that begins with '#' would come to begin a line");
	sp_buf_clear(ret);
	*ret = new;
	new = (struct sp_buf){ 0 };
	return 0;
}
