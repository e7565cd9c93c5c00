/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "hw/facts.h"

/*
 * The order of rpm and dpkg for what kernels are called: runs of digits
 * compare as numbers, runs of letters as text, a number is newer than letters,
 * what goes on is newer than what ends; '~' and a release candidate ("-rc2")
 * come before the end. Other characters only separate. What stands in one
 * place has one rank, so that any three versions are in one order.
 */

enum rank { BEFORE_ALL, CANDIDATE, END, WORD, NUMBER };

static bool separates(char c)
{
	return c && !isalnum((unsigned char) c) && c != '~';
}

static enum rank rank_of(const char *s)
{
	if (*s == '~')
		return BEFORE_ALL;
	if (s[0] == 'r' && s[1] == 'c' && isdigit((unsigned char) s[2]))
		return CANDIDATE;
	if (!*s)
		return END;
	return isdigit((unsigned char) *s) ? NUMBER : WORD;
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

int sp_version_compare(const char *a, const char *b)
{
	int r = 0;

	while (r == 0) {
		while (separates(*a))
			a++;
		while (separates(*b))
			b++;
		const enum rank x = rank_of(a), y = rank_of(b);
		if (x != y)
			return x < y ? -1 : 1;
		if (x == END)
			return 0;
		if (x == BEFORE_ALL) {
			a++;
			b++;
		} else {
			r = x == NUMBER ? compare_numbers(&a, &b) : compare_words(&a, &b);
		}
	}
	return r;
}
