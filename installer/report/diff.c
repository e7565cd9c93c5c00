/* SPDX-License-Identifier: MIT */
/*
 * Lines that both files begin or end with are set aside; what is left is compared by the greedy algorithm of
 * E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986). Files that have more than MAX_COST
 * differences are shown as all old lines followed by all new ones: correct, only longer than it could be.
 */
#include "report/internal.h"

#define CONTEXT 3
#define MAX_COST 1000

struct line {
	const char *text; /* with its newline, if it has one */
	size_t len;
};
struct lines {
	struct line *v;
	size_t n;
};
struct sides {
	struct lines a, b;
	bool *gone, *added; /* marks on the lines of a and of b */
};

static struct lines split(const struct sp_buf *file)
{
	struct lines lines = { 0 };
	size_t cap = 0;

	for (size_t at = 0; file && at < file->len;) {
		const char *start = file->data + at, *end = memchr(start, '\n', file->len - at);
		size_t len = end ? (size_t) (end - start) + 1 : file->len - at;

		if (lines.n == cap) {
			cap = cap ? cap * 2 : 64;
			lines.v = sp_xrealloc(lines.v, cap, sizeof(*lines.v));
		}
		lines.v[lines.n++] = (struct line){ start, len };
		at += len;
	}
	return lines;
}

static bool same(const struct line *x, const struct line *y)
{
	return x->len == y->len && memcmp(x->text, y->text, x->len) == 0;
}

/*
 * The edit graph: x lines of `a` and y lines of `b` are behind us, on diagonal k = x - y. Row d holds, for each
 * diagonal that d differences can reach (k = -d, -d + 2, ... d; at index k + d), the furthest x. The last step to
 * diagonal k was down (a line of b is put in) or to the right (a line of a is taken out).
 */
static bool came_down(const size_t *prev, long d, long k)
{
	return k == -d || (k != d && prev[k - 1 + d - 1] < prev[k + 1 + d - 1]);
}

static long furthest(const size_t *prev, long d, long k)
{
	if (d == 0)
		return 0;
	return came_down(prev, d, k) ? (long) prev[k + 1 + d - 1] : (long) prev[k - 1 + d - 1] + 1;
}

/* Walk back from the end of both files and mark what the path takes out and puts in. */
static void mark_path(size_t **rows, long cost, long k, bool *gone, bool *added)
{
	for (long d = cost; d > 0; d--) {
		const size_t *prev = rows[d - 1];

		if (came_down(prev, d, k)) {
			k++;
			added[(long) prev[k + d - 1] - k] = true;
		} else {
			k--;
			gone[prev[k + d - 1]] = true;
		}
	}
}

static bool myers(const struct line *a, long n, const struct line *b, long m, bool *gone, bool *added)
{
	sp_autofree size_t **rows = sp_xcalloc(MAX_COST + 1, sizeof(*rows));
	bool found = false;
	long d;

	for (d = 0; d <= MAX_COST && d <= n + m && !found; d++) {
		rows[d] = sp_xcalloc((size_t) (2 * d + 1), sizeof(**rows));
		for (long k = -d; k <= d && !found; k += 2) {
			long x = furthest(d ? rows[d - 1] : NULL, d, k), y = x - k;

			while (x < n && y >= 0 && y < m && same(&a[x], &b[y])) {
				x++;
				y++;
			}
			rows[d][k + d] = (size_t) x;
			found = x >= n && y >= m;
		}
	}
	if (found)
		mark_path(rows, d - 1, n - m, gone, added);
	for (long i = 0; i < d; i++)
		free(rows[i]);
	return found;
}

static void compare(struct sides *s)
{
	size_t head = 0, tail = 0, n = s->a.n, m = s->b.n;

	s->gone = sp_xcalloc(n, sizeof(bool));
	s->added = sp_xcalloc(m, sizeof(bool));
	while (head < n && head < m && same(&s->a.v[head], &s->b.v[head]))
		head++;
	while (tail < n - head && tail < m - head && same(&s->a.v[n - tail - 1], &s->b.v[m - tail - 1]))
		tail++;
	n -= head + tail;
	m -= head + tail;
	if (n && m && myers(s->a.v + head, (long) n, s->b.v + head, (long) m, s->gone + head, s->added + head))
		return;
	memset(s->gone + head, true, n);
	memset(s->added + head, true, m);
}

static void put_line(struct sp_buf *out, char sign, const struct line *line)
{
	sp_buf_add(out, &sign, 1);
	sp_buf_add(out, line->text, line->len);
	if (line->text[line->len - 1] != '\n')
		sp_buf_adds(out, "\n\\ No newline at end of file\n");
}

static void put_range(struct sp_buf *out, char sign, size_t start, size_t count)
{
	sp_buf_addf(out, "%c%zu", sign, count ? start + 1 : start); /* an empty range names the line before it */
	if (count != 1)
		sp_buf_addf(out, ",%zu", count);
}

/* Where the next difference begins; false: there is none. */
static bool next_change(const struct sides *s, size_t *i, size_t *j)
{
	for (; *i < s->a.n || *j < s->b.n; (*i)++, (*j)++) {
		if ((*i < s->a.n && s->gone[*i]) || (*j < s->b.n && s->added[*j]))
			return true;
	}
	return false;
}

static void skip_change(const struct sides *s, size_t *i, size_t *j)
{
	while (*i < s->a.n && s->gone[*i])
		(*i)++;
	while (*j < s->b.n && s->added[*j])
		(*j)++;
}

/* The hunk that begins with the difference at (i, j): changes with at most 2 * CONTEXT equal lines between them. */
static void put_hunk(const struct sides *s, struct sp_buf *out, size_t *i, size_t *j)
{
	size_t lead = *i < CONTEXT ? *i : CONTEXT, a = *i - lead, b = *j - lead, end_a, end_b;

	for (;;) {
		skip_change(s, i, j);
		end_a = *i;
		end_b = *j;
		if (!next_change(s, i, j) || *i - end_a > 2 * CONTEXT)
			break;
	}
	size_t trail = s->a.n - end_a < CONTEXT ? s->a.n - end_a : CONTEXT;
	end_a += trail;
	end_b += trail;
	sp_buf_adds(out, "@@ ");
	put_range(out, '-', a, end_a - a);
	sp_buf_adds(out, " ");
	put_range(out, '+', b, end_b - b);
	sp_buf_adds(out, " @@\n");
	while (a < end_a || b < end_b) {
		if (a < end_a && s->gone[a]) {
			put_line(out, '-', &s->a.v[a++]);
		} else if (b < end_b && s->added[b]) {
			put_line(out, '+', &s->b.v[b++]);
		} else {
			put_line(out, ' ', &s->a.v[a++]);
			b++;
		}
	}
}

static bool has_nul(const struct sp_buf *file)
{
	return file && file->len && memchr(file->data, '\0', file->len);
}

char *sp_diff(const char *path, const struct sp_buf *before, const struct sp_buf *after)
{
	static const struct sp_buf empty;
	struct sp_buf out = { 0 };
	size_t i = 0, j = 0;

	if (sp_buf_eq(before ? before : &empty, after ? after : &empty))
		return sp_xstrdup("");
	sp_autofree char *old = before ? sp_xasprintf("a%s", path) : sp_xstrdup("/dev/null");
	sp_autofree char *new = after ? sp_xasprintf("b%s", path) : sp_xstrdup("/dev/null");
	if (has_nul(before) || has_nul(after))
		return sp_xasprintf("Binary files %s and %s differ\n", old, new);

	struct sides s = { .a = split(before), .b = split(after) };
	compare(&s);
	sp_buf_addf(&out, "--- %s\n+++ %s\n", old, new);
	while (next_change(&s, &i, &j))
		put_hunk(&s, &out, &i, &j);
	free(s.a.v);
	free(s.b.v);
	free(s.gone);
	free(s.added);
	return sp_buf_steal(&out);
}
