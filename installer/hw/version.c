/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "hw/facts.h"

/*
 * The order of rpm and dpkg for what kernels are called: runs of digits
 * compare as numbers, runs of letters as text, a number is newer than letters,
 * what goes on is newer than what ends; '~' and a release candidate ("-rc2")
 * come before the end. Other characters only separate.
 */

static bool separates(char c)
{
	return c && !isalnum((unsigned char) c) && c != '~';
}

/* Does a run start here that is older than nothing at all? */
static bool before_end(const char *s)
{
	return *s == '~' || (s[0] == 'r' && s[1] == 'c' && isdigit((unsigned char) s[2]));
}

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

static size_t letters(const char *s)
{
	size_t n = 0;

	while (isalpha((unsigned char) s[n]))
		n++;
	return n;
}

static int compare_numbers(const char **a, const char **b)
{
	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	size_t n = digits(*a), m = digits(*b);
	int r = n != m ? (n < m ? -1 : 1) : strncmp(*a, *b, n);

	*a += n;
	*b += m;
	return r;
}

static int compare_words(const char **a, const char **b)
{
	size_t n = letters(*a), m = letters(*b);
	int r = strncmp(*a, *b, n < m ? n : m);

	if (r == 0 && n != m)
		r = n < m ? -1 : 1;
	*a += n;
	*b += m;
	return r;
}

static int at_end(const char *a, const char *b)
{
	if (!*a && !*b)
		return 0;
	if (*a)
		return before_end(a) ? -1 : 1;
	return before_end(b) ? 1 : -1;
}

int sp_version_compare(const char *a, const char *b)
{
	int r = 0;

	while (r == 0) {
		while (separates(*a))
			a++;
		while (separates(*b))
			b++;
		if (!*a || !*b)
			return at_end(a, b);
		if (*a == '~' || *b == '~') {
			if (*a != *b)
				return *a == '~' ? -1 : 1;
			a++;
			b++;
		} else if (isdigit((unsigned char) *a) && isdigit((unsigned char) *b)) {
			r = compare_numbers(&a, &b);
		} else if (isalpha((unsigned char) *a) && isalpha((unsigned char) *b)) {
			r = compare_words(&a, &b);
		} else {
			return isdigit((unsigned char) *a) ? 1 : -1;
		}
	}
	return r;
}
