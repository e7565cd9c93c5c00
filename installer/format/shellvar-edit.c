/* SPDX-License-Identifier: MIT */
#include "format/shellvar-scan.h"

/* More cells than this in the comparison of two values: the value is written anew instead. */
#define DIFF_MAX ((size_t) 1 << 20)

/* A run of blanks, or what stands between two of them. */
struct chunk {
	const char *s;
	size_t len;
};

static size_t cut_chunks(const char *s, struct chunk **ret)
{
	size_t n = 0;

	*ret = sp_xcalloc(strlen(s) + 1, sizeof(**ret));
	for (; *s; s += (*ret)[n++].len) {
		size_t blanks = strspn(s, " \t\n");

		(*ret)[n] = (struct chunk){ .s = s, .len = blanks > 0 ? blanks : strcspn(s, " \t\n") };
	}
	return n;
}

static bool chunk_eq(const struct chunk *a, const struct chunk *b)
{
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

/* Text to put in front of byte `at` of the old value. */
struct insertion {
	size_t at;
	const char *s;
	size_t len;
};

/* How the new value comes out of the old one. */
struct diff {
	bool *drop; /* for each byte of the old value */
	struct insertion *add;
	size_t n;
};

static void diff_clear(struct diff *d)
{
	free(d->drop);
	free(d->add);
}

static void diff_add(struct diff *d, size_t at, const struct chunk *c)
{
	struct insertion *last = d->n > 0 ? &d->add[d->n - 1] : NULL;

	if (last && last->at == at && last->s + last->len == c->s)
		last->len += c->len;
	else
		d->add[d->n++] = (struct insertion){ .at = at, .s = c->s, .len = c->len };
}

/*
 * Longest common subsequence of chunks: len[i * (m + 1) + j] is its length for the chunks from i and j on. Where the
 * values are too long for that, nothing between the equal ends counts as common.
 */
static unsigned *common_lengths(const struct chunk *a, size_t n, const struct chunk *b, size_t m)
{
	if ((n + 1) > DIFF_MAX / (m + 1))
		return NULL;
	unsigned *len = sp_xcalloc((n + 1) * (m + 1), sizeof(*len));
	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			unsigned down = len[(i + 1) * (m + 1) + j], right = len[i * (m + 1) + j + 1];

			len[i * (m + 1) + j] = chunk_eq(&a[i], &b[j]) ? len[(i + 1) * (m + 1) + j + 1] + 1
					       : down > right	       ? down
								       : right;
		}
	return len;
}

static void compare(const char *old, const char *new, struct diff *ret)
{
	sp_autofree struct chunk *a = NULL, *b = NULL;
	size_t n = cut_chunks(old, &a), m = cut_chunks(new, &b), i = 0, j = 0, tail = 0;

	ret->drop = sp_xcalloc(strlen(old), sizeof(*ret->drop));
	ret->add = sp_xcalloc(m, sizeof(*ret->add));
	while (i < n && i < m && chunk_eq(&a[i], &b[i]))
		i++;
	while (tail < n - i && tail < m - i && chunk_eq(&a[n - tail - 1], &b[m - tail - 1]))
		tail++;
	size_t head = i, w = m - tail - head + 1;
	n -= tail;
	m -= tail;
	sp_autofree unsigned *len = common_lengths(a + head, n - head, b + head, m - head);

	for (j = head; i < n || j < m;) {
		size_t at = (size_t) ((i < n || tail > 0 ? a[i].s : old + strlen(old)) - old);
		bool left = i < n && j < m;

		if (left && len && chunk_eq(&a[i], &b[j])) {
			i++;
			j++;
		} else if (i < n && (!left || !len || len[(i + 1 - head) * w + j - head] >= len[(i - head) * w + j + 1 - head])) {
			memset(ret->drop + at, true, a[i].len);
			i++;
		} else {
			diff_add(ret, at, &b[j++]);
		}
	}
}

static bool is_plain(const char *s, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%^";

	return strspn(s, plain) >= len;
}

void sp_shell_escape(struct sp_buf *b, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("\"\\$`", s[i]))
			sp_buf_adds(b, "\\");
		sp_buf_add(b, s + i, 1);
	}
}

/*
 * Where in the file an insertion goes, and in which quotes it stands there: in the place of what it replaces, else
 * behind its neighbour, else before the next.
 */
static struct sp_shell_piece find_place(const char *s, const struct sp_shell_site *site, const struct sp_shell_value *v,
					size_t k, const bool *drop, size_t at)
{
	const struct sp_shell_piece *before = at > v->site[k] ? &v->v[at - 1] : NULL;
	const struct sp_shell_piece *after = at < v->site[k + 1] ? &v->v[at] : NULL;

	if (before && (before->quote || !after || drop[at - 1]))
		return (struct sp_shell_piece){ .at = before->end, .quote = before->quote };
	if (after)
		return (struct sp_shell_piece){ .at = after->at, .quote = after->quote };
	bool quotes = site->end - site->start >= 2 && strchr("'\"", s[site->start]);
	return (struct sp_shell_piece){ .at = site->start + quotes, .quote = (char) (quotes ? s[site->start] : 0) };
}

/* One site written with as few changed bytes as can be; false: its quotes do not allow the new text. */
static bool edit_site(const char *s, const struct sp_shell_site *site, const struct sp_shell_value *v, size_t k,
		      const struct insertion *add, size_t n, const struct diff *d, struct sp_buf *ret)
{
	size_t from = v->site[k], to = v->site[k + 1], raw = site->start, next = 0;

	for (size_t i = from; i <= to; i++) {
		for (; next < n && add[next].at == i; next++) {
			const struct insertion *a = &add[next];
			struct sp_shell_piece place = find_place(s, site, v, k, d->drop, i);

			if (place.quote == '\'' ? memchr(a->s, '\'', a->len) != NULL
						: !place.quote && !is_plain(a->s, a->len))
				return false;
			sp_buf_add(ret, s + raw, place.at - raw);
			raw = place.at;
			if (place.quote == '"')
				sp_shell_escape(ret, a->s, a->len);
			else
				sp_buf_add(ret, a->s, a->len);
		}
		if (i == to || !d->drop[i])
			continue;
		sp_buf_add(ret, s + raw, v->v[i].at - raw);
		raw = v->v[i].end;
	}
	sp_buf_add(ret, s + raw, site->end - raw);
	return true;
}

/* One site written anew, in double quotes. */
static void rewrite_site(const struct sp_shell_value *v, size_t k, const struct insertion *add, size_t n,
			 const struct diff *d, struct sp_buf *ret)
{
	size_t next = 0;

	sp_buf_adds(ret, "\"");
	for (size_t i = v->site[k]; i <= v->site[k + 1]; i++) {
		for (; next < n && add[next].at == i; next++)
			sp_shell_escape(ret, add[next].s, add[next].len);
		if (i < v->site[k + 1] && !d->drop[i])
			sp_shell_escape(ret, v->text.data + i, 1);
	}
	sp_buf_adds(ret, "\"");
}

void sp_shell_edit(const struct sp_buf *file, const struct sp_shell_sites *sites, const struct sp_shell_value *old,
		   const char *value, struct sp_buf *ret)
{
	sp_cleanup(diff_clear) struct diff d = { 0 };
	size_t raw = 0, first = 0;

	compare(old->text.data, value, &d);
	for (size_t k = 0; k < sites->n; k++) {
		const struct sp_shell_site *site = &sites->v[k];
		sp_autobuf struct sp_buf edited = { 0 };
		size_t n = 0;

		/* what is inserted between two sites goes to the end of the first one */
		while (first + n < d.n && (d.add[first + n].at <= old->site[k + 1] || k + 1 == sites->n))
			n++;
		sp_buf_add(ret, file->data + raw, site->start - raw);
		if (edit_site(file->data, site, old, k, d.add + first, n, &d, &edited))
			sp_buf_add(ret, edited.data, edited.len);
		else
			rewrite_site(old, k, d.add + first, n, &d, ret);
		raw = site->end;
		first += n;
	}
	sp_buf_add(ret, file->data + raw, file->len - raw);
}
