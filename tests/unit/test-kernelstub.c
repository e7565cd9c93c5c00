/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/json-scan.h"
#include "format/kernelstub.h"

#define USER(list) "{\n  \"default\": {\n    \"kernel_options\": [\n      \"quiet\"\n    ]\n  },\n  \"user\": {\n    \"kernel_options\": " \
	list ",\n    \"esp_path\": \"/boot/efi\",\n    \"live_mode\": false,\n    \"config_rev\": 3\n  }\n}"

static const struct {
	const char *before, *line, *put, *after; /* put NULL: only read */
} files[] = {
	{ USER("[\n      \"quiet\",\n      \"splash\"\n    ]"), "quiet splash", "quiet splash a=1 b",
	  USER("[\n      \"quiet\",\n      \"splash\",\n      \"a=1\",\n      \"b\"\n    ]") },
	{ USER("[\n      \"quiet\",\n      \"a=0\",\n      \"splash\"\n    ]"), "quiet a=0 splash", "quiet a=1 splash",
	  USER("[\n      \"quiet\",\n      \"a=1\",\n      \"splash\"\n    ]") },
	{ USER("[\n      \"a=0\",\n      \"splash\"\n    ]"), "a=0 splash", "splash", USER("[\n      \"splash\"\n    ]") },
	{ USER("[\n      \"quiet\"\n    ]"), "quiet", "a quiet", USER("[\n      \"a\",\n      \"quiet\"\n    ]") },
	{ USER("[]"), "", "a b", USER("[\n      \"a\",\n      \"b\"\n    ]") },
	{ USER("[\"quiet\", \"splash\"]"), "quiet splash", "quiet splash a", USER("[\"quiet\", \"splash\", \"a\"]") },
	{ USER("[\"quiet\"]"), "quiet", "quiet a", USER("[\"quiet\", \"a\"]") },
	{ USER("[\"x=\\\"1 2\\\"\", \"\", \"\\u00e4\"]"), "x=\"1 2\"  ä", "x=\"1 2\"  ä y=\"\\\"",
	  USER("[\"x=\\\"1 2\\\"\", \"\", \"\\u00e4\", \"y=\\\"\\\\\\\"\"]") },
	{ "{\"user\":{\"kernel_options\":[\"a b\"],\"kernel_options\":[\"c d\"]}}", "c d", "c d e",
	  "{\"user\":{\"kernel_options\":[\"a b\"],\"kernel_options\":[\"c d\", \"e\"]}}" },
};

static void lists_are_changed(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 }, same = { 0 }, after = { 0 }, back = { 0 };
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, files[i].before);
		assert_int_equal(sp_kernelstub_get(&file, NULL, &line, NULL), 0);
		assert_string_equal(line, files[i].line);
		assert_int_equal(sp_kernelstub_put(&file, NULL, line, &same, NULL), 0);
		assert_string_equal(same.data, files[i].before);
		assert_int_equal(sp_kernelstub_put(&file, NULL, files[i].put, &after, NULL), 0);
		assert_string_equal(after.data, files[i].after);
		assert_int_equal(sp_kernelstub_put(&after, NULL, line, &back, NULL), 0);
		assert_string_equal(back.data, files[i].before);
	}
}

static void what_is_no_such_list_is_refused(void **state)
{
	static const struct {
		const char *file;
		int code;
	} cases[] = {
		{ "", -EINVAL },
		{ "{", -EINVAL },
		{ "{} x", -EINVAL },
		{ "{\"user\":{\"kernel_options\":[\"a\",]}}", -EINVAL },
		{ "{\"user\":{\"kernel_options\":[\"a\" \"b\"]}}", -EINVAL },
		{ "{\"user\":{\"kernel_options\":[\"a\n\"]}}", -EINVAL },
		{ "{\"user\":{\"kernel_options\":[\"\\x\"]}}", -EINVAL },
		{ "{\"user\":{\"kernel_options\":[\"\\u00g0\"]}}", -EINVAL },
		{ "{\"user\":{\"kernel_options\":[\"a\"]},}", -EINVAL },
		{ "{\"user\":{kernel_options:[]}}", -EINVAL },
		{ "{}", -EOPNOTSUPP },
		{ "[]", -EOPNOTSUPP },
		{ "{\"user\":[]}", -EOPNOTSUPP },
		{ "{\"user\":{\"kernel_options\":\"quiet splash\"}}", -EOPNOTSUPP },
		{ "{\"user\":{\"kernel_options\":[1]}}", -EOPNOTSUPP },
		{ "{\"user\":{\"kernel_options\":[null, true, -1.5e3]}}", -EOPNOTSUPP },
		{ "{\"user\":{\"kernel_options\":[\"\\n\"]}}", -EOPNOTSUPP },
		{ "{\"user\":{\"kernel_options\":[\"\\ud83d\"]}}", -EOPNOTSUPP },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 }, after = { 0 };
		sp_autoerror struct sp_error *err = NULL, *err2 = NULL;
		sp_autofree char *line = NULL;

		sp_buf_adds(&file, cases[i].file);
		int r = sp_kernelstub_get(&file, NULL, &line, &err);
		if (r != cases[i].code || !err || line || sp_kernelstub_put(&file, NULL, "a", &after, &err2) != r)
			fail_msg("%s: %d", cases[i].file, r);
	}
}

/* However deep it is: an end, and no stack that is used up. */
static void a_deep_value_is_refused(void **state)
{
	sp_autobuf struct sp_buf file = { 0 };
	struct sp_json_span s;

	(void) state;
	for (unsigned i = 0; i < 100000; i++)
		sp_buf_adds(&file, "[");
	assert_int_equal(sp_json_scan(&file, &s, NULL), -EINVAL);
}

static void control_bytes_are_not_written(void **state)
{
	sp_autobuf struct sp_buf file = { 0 }, after = { 0 };

	(void) state;
	sp_buf_adds(&file, USER("[\"a\"]"));
	assert_int_equal(sp_kernelstub_put(&file, NULL, "a b\n", &after, NULL), -EINVAL);
	assert_int_equal(after.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_changed),
		cmocka_unit_test(what_is_no_such_list_is_refused),
		cmocka_unit_test(a_deep_value_is_refused),
		cmocka_unit_test(control_bytes_are_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
