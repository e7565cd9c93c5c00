/* SPDX-License-Identifier: MIT */
/*
 * What GRUB's blscfg makes of entries: the order of its menu, variables, and
 * the length that its newest version cannot boot.
 */
#include "format/bls.h"

#include <ctype.h>

static bool is_name(char c)
{
	return isalnum((unsigned char) c) || c == '_';
}

static const char *look_up(const char *name, size_t n, const char *(*lookup)(void *data, const char *name), void *data)
{
	sp_autofree char *key = sp_xstrndup(name, n);

	return lookup(data, key);
}

/* "${name}" at s: its length, and the name; 0 when it is none. */
static size_t braced(const char *s, const char **name, size_t *n)
{
	const char *end = s[1] == '{' ? strchr(s + 2, '}') : NULL;

	if (!end)
		return 0;
	*name = s + 2;
	*n = (size_t) (end - *name);
	return (size_t) (end - s) + 1;
}

char *sp_bls_expand(const char *options, const char *(*lookup)(void *data, const char *name), void *data)
{
	struct sp_buf b = { 0 };

	for (const char *s = options; *s;) {
		const char *name = s + 1, *value;
		size_t n = 0, skip;

		if (s[0] == '\\' && s[1] == '$') {
			sp_buf_adds(&b, "$");
			s += 2;
			continue;
		}
		if (s[0] != '$') {
			sp_buf_add(&b, s++, 1);
			continue;
		}
		skip = braced(s, &name, &n);
		bool bare = skip == 0;
		if (bare) {
			while (is_name(name[n]))
				n++;
			skip = 1 + n;
		}
		value = look_up(name, n, lookup, data);
		s += skip;
		if (value)
			sp_buf_adds(&b, value);
		if (bare && *s == ' ')
			s++;
		if (bare && value && *s)
			sp_buf_adds(&b, " ");
	}
	return sp_buf_steal(&b);
}

/* '~' sorts before everything, '+' before everything but the end of the text. */
static bool is_mark(char c)
{
	return c == '~' || c == '+';
}

static size_t run_length(const char *s, bool digits)
{
	size_t n = 0;

	while (digits ? isdigit((unsigned char) s[n]) : isalpha((unsigned char) s[n]))
		n++;
	return n;
}

/* Both begin with a run of digits: the greater number. */
static int compare_numbers(const char *a, size_t n, const char *b, size_t m)
{
	for (; n > 0 && *a == '0'; n--)
		a++;
	for (; m > 0 && *b == '0'; m--)
		b++;
	if (n != m)
		return n > m ? 1 : -1;
	return strncmp(a, b, n);
}

static int compare_words(const char *a, size_t n, const char *b, size_t m)
{
	int c = strncmp(a, b, n < m ? n : m);

	if (c != 0 || n == m)
		return c;
	return n > m ? 1 : -1;
}

/* One of the two stands at a mark: which version is the newer one; 0 when both do. */
static int compare_marks(const char *a, const char *b)
{
	if (*a == '~' || *b == '~')
		return *a == *b ? 0 : (*a == '~' ? -1 : 1);
	if (!*a || !*b)
		return *a ? 1 : -1;
	return *a == *b ? 0 : (*a == '+' ? -1 : 1);
}

/* The comparison of versions that rpm made common; >0 when a is the newer one. */
static int compare_versions(const char *a, const char *b)
{
	while (*a || *b) {
		while (*a && !isalnum((unsigned char) *a) && !is_mark(*a))
			a++;
		while (*b && !isalnum((unsigned char) *b) && !is_mark(*b))
			b++;
		if (is_mark(*a) || is_mark(*b)) {
			int c = compare_marks(a, b);

			if (c != 0)
				return c;
			a++;
			b++;
			continue;
		}
		if (!*a || !*b)
			break;
		bool digits = isdigit((unsigned char) *a);
		size_t n = run_length(a, digits), m = run_length(b, digits);

		if (m == 0)
			return digits ? 1 : -1; /* a number is newer than a word */
		int c = digits ? compare_numbers(a, n, b, m) : compare_words(a, n, b, m);
		if (c != 0)
			return c;
		a += n;
		b += m;
	}
	return *a ? 1 : (*b ? -1 : 0);
}

enum { NAME, VERSION, RELEASE, N_PARTS };

/* Cut at the last two dashes; with fewer of them the parts behind are empty. id is owned and cut up. */
static void split_id(char *id, const char *parts[N_PARTS])
{
	char *release = strrchr(id, '-'), *version = NULL;

	if (release)
		*release++ = '\0';
	version = release ? strrchr(id, '-') : NULL;
	if (version)
		*version++ = '\0';
	parts[NAME] = id;
	parts[VERSION] = version ? version : (release ? release : "");
	parts[RELEASE] = version ? release : "";
}

static char *entry_id(const char *name)
{
	return sp_xstrndup(name, strlen(name) - (sp_endswith(name, ".conf") ? strlen(".conf") : 0));
}

int sp_bls_compare(const char *a, const char *b)
{
	sp_autofree char *x = entry_id(a), *y = entry_id(b);
	const char *p[N_PARTS], *q[N_PARTS];

	split_id(x, p);
	split_id(y, q);
	for (size_t i = 0; i < N_PARTS; i++) {
		int c = compare_versions(p[i], q[i]);

		if (c != 0)
			return c > 0 ? -1 : 1;
	}
	return 0;
}

bool sp_bls_bad_length(const char *linux_path, const char *options)
{
	return (strlen("linux ") + 1 + strlen(linux_path) + 1 + strlen(options)) % 32 == 0;
}
