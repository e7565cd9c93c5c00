/* SPDX-License-Identifier: MIT */
/* What systemd-boot makes of entries: boot counters in their names, and the order of versions. */
#include "format/bls.h"

#include <ctype.h>
#include <strings.h>

/* --- boot counters ----------------------------------------------------------------------------------------------- */

#define ENDING ".conf"

static bool is_entry(const char *file, size_t n)
{
	return n > strlen(ENDING) && strcasecmp(file + n - strlen(ENDING), ENDING) == 0;
}

/* A number at s: what is behind it, or NULL when there is none that can be counted with. */
static const char *take_number(const char *s, long *ret)
{
	const size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 9)
		return NULL;
	*ret = strtol(s, NULL, 10);
	return s + n;
}

/* Where the counter begins; where ".conf" does when there is none; -1: this is no entry. */
static ssize_t find_counter(const char *file, struct sp_bls_tries *ret)
{
	const size_t n = strlen(file);
	const char *plus = strrchr(file, '+'), *at = NULL;
	struct sp_bls_tries t = { 0, 0 };

	*ret = (struct sp_bls_tries){ -1, -1 };
	if (!is_entry(file, n))
		return -1;
	if (plus && plus > file)
		at = take_number(plus + 1, &t.left);
	if (at && *at == '-')
		at = take_number(at + 1, &t.done);
	if (!at || at != file + n - strlen(ENDING))
		return (ssize_t) (n - strlen(ENDING));
	*ret = t;
	return plus - file;
}

struct sp_bls_tries sp_bls_tries(const char *file)
{
	struct sp_bls_tries t;

	(void) find_counter(file, &t);
	return t;
}

bool sp_bls_same_name(const char *a, const char *b)
{
	struct sp_bls_tries unused;
	const ssize_t n = find_counter(a, &unused), m = find_counter(b, &unused);

	return n >= 0 && n == m && strncmp(a, b, (size_t) n) == 0;
}

char *sp_bls_plain_name(const char *file)
{
	struct sp_bls_tries unused;
	const ssize_t n = find_counter(file, &unused);

	return n < 0 ? sp_xstrdup(file) : sp_xasprintf("%.*s" ENDING, (int) n, file);
}

/* --- versions ---------------------------------------------------------------------------------------------------- */

static const char separators[] = "~-^."; /* the earlier one here is the older where the other version has none there */

static const char *skip_other(const char *s)
{
	while (*s && !isalnum((unsigned char) *s) && !strchr(separators, *s))
		s++;
	return s;
}

static int sign(long difference)
{
	return difference < 0 ? -1 : difference > 0;
}

/* Both stand at the same separator, or neither does: 0, and both are behind it. */
static int pass_separator(const char **a, const char **b, char c)
{
	if (**a != c && **b != c)
		return 0;
	if (**a != c || **b != c)
		return **a == c ? -1 : 1;
	++*a;
	++*b;
	return 0;
}

/* Runs of digits, one of which may be empty and is the older one then. */
static int compare_numbers(const char **a, const char **b)
{
	size_t n = strspn(*a, "0123456789"), m = strspn(*b, "0123456789");
	const char *x = *a, *y = *b;

	*a += n;
	*b += m;
	if (n == 0 || m == 0)
		return n > 0 ? 1 : -1;
	for (; *x == '0' && n > 0; n--)
		x++;
	for (; *y == '0' && m > 0; m--)
		y++;
	return n != m ? (n > m ? 1 : -1) : sign(strncmp(x, y, n));
}

static int compare_words(const char **a, const char **b)
{
	size_t n = 0, m = 0;

	while (isalpha((unsigned char) (*a)[n]))
		n++;
	while (isalpha((unsigned char) (*b)[m]))
		m++;
	int c = sign(strncmp(*a, *b, n < m ? n : m));
	*a += n;
	*b += m;
	return c != 0 ? c : sign((long) n - (long) m);
}

static bool is_digit(char c)
{
	return isdigit((unsigned char) c);
}

int sp_bls_compare_versions(const char *a, const char *b)
{
	if (!a || !b)
		return a ? (*a ? 1 : 0) : b && *b ? -1 : 0;
	for (;;) {
		a = skip_other(a);
		b = skip_other(b);
		int c = pass_separator(&a, &b, '~');
		if (c != 0)
			return c;
		if (!*a || !*b)
			return *a ? 1 : *b ? -1 : 0;
		for (const char *s = separators + 1; *s && c == 0; s++)
			c = pass_separator(&a, &b, *s);
		if (c == 0)
			c = is_digit(*a) || is_digit(*b) ? compare_numbers(&a, &b) : compare_words(&a, &b);
		if (c != 0)
			return c;
	}
}
