/* SPDX-License-Identifier: MIT */
/* The unified diff: expected texts, and a property: applying it gives the second file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/report.h"

#define NO_END "\\ No newline at end of file\n"

static const struct {
	const char *name, *before, *after, *expected; /* before or after NULL: no such file */
} cases[] = {
	{ "equal", "a\nb\n", "a\nb\n", "" },
	{ "both missing", NULL, NULL, "" },
	{ "created", NULL, "a\nb\n", "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n" },
	{ "deleted", "a\n", NULL, "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n" },
	{ "emptied", "a\n", "", "--- a/f\n+++ b/f\n@@ -1 +0,0 @@\n-a\n" },
	{ "one line of one", "a\n", "b\n", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n" },
	{ "middle, three lines around", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
	  "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n" },
	{ "two changes six lines apart: one hunk", "A\n1\n2\n3\n4\n5\n6\nB\n", "a\n1\n2\n3\n4\n5\n6\nb\n",
	  "--- a/f\n+++ b/f\n@@ -1,8 +1,8 @@\n-A\n+a\n 1\n 2\n 3\n 4\n 5\n 6\n-B\n+b\n" },
	{ "two changes seven lines apart: two hunks", "A\n1\n2\n3\n4\n5\n6\n7\nB\n", "a\n1\n2\n3\n4\n5\n6\n7\nb\n",
	  "--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n-A\n+a\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-B\n+b\n" },
	{ "inserted at the start", "b\n", "a\nb\n", "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n+a\n b\n" },
	{ "appended", "a\n", "a\nb\n", "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n a\n+b\n" },
	{ "no newline before", "a", "a\n", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n" NO_END "+a\n" },
	{ "no newline after", "a\n", "a", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+a\n" NO_END },
	{ "no newline in both, changed", "x\na", "x\nb",
	  "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n x\n-a\n" NO_END "+b\n" NO_END },
	{ "no newline in both, kept", "x\na", "y\na", "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-x\n+y\n a\n" NO_END },
	{ "shortest script", "a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n",
	  "--- a/f\n+++ b/f\n@@ -1,7 +1,6 @@\n-a\n-b\n c\n+b\n a\n b\n-b\n a\n+c\n" },
	{ "CRLF is a difference", "a\r\nb\r\n", "a\nb\r\n", "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\r\n+a\n b\r\n" },
};

static struct sp_buf *fill(struct sp_buf *b, const char *text)
{
	if (!text)
		return NULL;
	sp_buf_adds(b, text);
	return b;
}

static void test_texts(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf before = { 0 }, after = { 0 };
		sp_autofree char *diff = sp_diff("/f", fill(&before, cases[i].before), fill(&after, cases[i].after));

		print_message("%s\n", cases[i].name);
		assert_string_equal(diff, cases[i].expected);
	}
}

static void test_binary(void **state)
{
	sp_autobuf struct sp_buf before = { 0 }, after = { 0 };

	(void) state;
	sp_buf_add(&before, "a\0b\n", 4);
	sp_buf_add(&after, "a\n", 2);
	sp_autofree char *diff = sp_diff("/boot/x", &before, &after);
	assert_string_equal(diff, "Binary files a/boot/x and b/boot/x differ\n");
}

/* A reader of unified diffs that believes only what is in them: line numbers, counts and context must be right. */
static void apply_diff(const struct sp_buf *before, const char *diff, struct sp_buf *ret)
{
	const char *src = before->data ? before->data : "", *src_end = src + before->len;
	size_t line = 1;

	for (const char *p = diff; *p;) {
		const char *end = strchr(p, '\n') + 1;
		size_t start = 0, count = 1, new_start = 0;

		if (sp_startswith(p, "---") || sp_startswith(p, "+++")) {
			p = end;
			continue;
		}
		if (*p == '@') {
			assert_true(sscanf(p, "@@ -%zu", &start) == 1);
			if (sscanf(p, "@@ -%zu,%zu +%zu", &start, &count, &new_start) < 3)
				assert_true(sscanf(p, "@@ -%zu +%zu", &start, &new_start) == 2);
			for (start += count == 0; line < start; line++) {
				const char *next = (const char *) memchr(src, '\n', (size_t) (src_end - src)) + 1;
				sp_buf_add(ret, src, (size_t) (next - src));
				src = next;
			}
			p = end;
			continue;
		}
		bool open = sp_startswith(end, "\\");
		size_t len = (size_t) (end - p) - 1 - open;
		if (*p != '+') {
			assert_true((size_t) (src_end - src) >= len && memcmp(src, p + 1, len) == 0);
			src += len;
			line++;
		}
		if (*p != '-')
			sp_buf_add(ret, p + 1, len);
		p = open ? strchr(end, '\n') + 1 : end;
	}
	sp_buf_add(ret, src, (size_t) (src_end - src));
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static void random_file(struct sp_buf *b, uint32_t *seed)
{
	uint32_t n = next_random(seed) % 24;

	for (uint32_t i = 0; i < n; i++)
		sp_buf_addf(b, "%u%s", next_random(seed) % 4, i + 1 == n && next_random(seed) % 2 ? "" : "\n");
}

static void test_round_trip(void **state)
{
	uint32_t seed = 1;

	(void) state;
	for (int i = 0; i < 3000; i++) {
		sp_autobuf struct sp_buf before = { 0 }, after = { 0 }, got = { 0 };

		random_file(&before, &seed);
		random_file(&after, &seed);
		sp_autofree char *diff = sp_diff("/f", &before, &after);
		apply_diff(&before, diff, &got);
		assert_true(sp_buf_eq(&got, &after));
	}
}

/* More differences than are looked for: long, but right. */
static void test_very_different(void **state)
{
	sp_autobuf struct sp_buf before = { 0 }, after = { 0 }, got = { 0 };

	(void) state;
	for (int i = 0; i < 3000; i++) {
		sp_buf_addf(&before, "old %d\n", i);
		sp_buf_addf(&after, i % 100 ? "new %d\n" : "old %d\n", i);
	}
	sp_autofree char *diff = sp_diff("/f", &before, &after);
	apply_diff(&before, diff, &got);
	assert_true(sp_buf_eq(&got, &after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_very_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
