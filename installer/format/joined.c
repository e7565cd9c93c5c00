/* SPDX-License-Identifier: MIT */
/*
 * The words of the joined line before and after are compared, and only those that differ are touched where they stand.
 */
#include "format/joined.h"

#include <errno.h>

#include "format/cmdline.h"
#include "format/lines.h"

void sp_joined_add(struct sp_joined *j, const struct sp_buf *file, size_t start, size_t end)
{
	j->from = sp_xrealloc(j->from, j->line.len + 1 + (end - start) + 1, sizeof(*j->from));
	if (j->n_parts++ > 0) {
		j->from[j->line.len] = j->end;
		sp_buf_adds(&j->line, " ");
	}
	for (size_t i = start; i < end; i++)
		j->from[j->line.len + (i - start)] = i;
	sp_buf_add(&j->line, file->data + start, end - start);
	j->end = end;
}

void sp_joined_clear(struct sp_joined *j)
{
	sp_buf_clear(&j->line);
	free(j->from);
}

/* What one run of words becomes: old[a, a_end) is replaced by new[b, b_end). */
struct hunk {
	size_t a, a_end, b, b_end;
};

/* The output grows from the file's bytes up to `done`. */
struct rewrite {
	const struct sp_buf *file;
	const struct sp_joined *j;
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

/* The byte in front of it in the file is of its part, and not of what introduces that ("options "). */
static bool follows(const struct rewrite *w, size_t at)
{
	return at > 0 && w->j->from[at - 1] + 1 == w->j->from[at] && sp_text_is_blank(w->file->data[w->j->from[at - 1]]);
}

/* Only blanks are in front of it in its part, which are no word's. */
static bool begins_part(const struct rewrite *w, size_t i)
{
	size_t at = w->was->v[i].start;

	while (follows(w, at))
		at--;
	return at == 0 || w->j->from[at - 1] + 1 != w->j->from[at] || w->file->data[w->j->from[at - 1]] == '\n';
}

/* With one blank beside it: the one in front, unless the word begins its part and has one behind it. */
static void delete_word(struct rewrite *w, size_t i)
{
	size_t start = word_start(w, i), end = word_end(w, i);
	bool behind = end < w->file->len && sp_text_is_blank(w->file->data[end]);

	if (start > w->done && follows(w, w->was->v[i].start) && !(behind && begins_part(w, i)))
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

/* Then the last word has all that stands behind it, blanks too, and would have other ones once it was moved. */
static bool has_open_quote(const char *line)
{
	bool open = false;

	for (; *line; line++)
		open = open != (*line == '"');
	return open;
}

int sp_joined_rewrite(const struct sp_buf *file, const struct sp_joined *j, const char *line, struct sp_buf *ret,
		      struct sp_error **err)
{
	sp_autoargs struct sp_args was = { 0 }, now = { 0 };
	struct rewrite w = { .file = file, .j = j, .was = &was, .now = &now };
	struct hunk m = { 0 };
	int r;

	if (!sp_joined_says(j, line) && has_open_quote(j->line.data))
		return sp_error_set(err, -EOPNOTSUPP, "a quote is opened in its lines and never closed");
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

bool sp_joined_says(const struct sp_joined *j, const char *line)
{
	sp_autoargs struct sp_args is = { 0 }, wanted = { 0 };

	sp_args_parse(j->line.data ? j->line.data : "", &is);
	sp_args_parse(line, &wanted);
	bool says = is.n == wanted.n;
	for (size_t i = 0; i < is.n && says; i++)
		says = sp_streq(is.v[i].text, wanted.v[i].text);
	return says;
}
