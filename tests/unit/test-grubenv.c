/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/grubenv.h"

#define HEAD "# GRUB Environment Block\n"

static void block(struct sp_buf *b, const char *vars)
{
	sp_buf_clear(b);
	sp_buf_adds(b, HEAD);
	sp_buf_adds(b, vars);
	while (b->len < SP_GRUBENV_SIZE)
		sp_buf_adds(b, "#");
}

static void gets(void **state)
{
	static const struct {
		const char *vars, *name, *want;
	} cases[] = {
		{ "saved_entry=x-1\nkernelopts=root=UUID=1 ro\n", "kernelopts", "root=UUID=1 ro" },
		{ "saved_entry=x-1\n", "saved", NULL },
		{ "saved_entry=x-1\n", "saved_entry2", NULL },
		{ "", "a", NULL },
		{ "a=\n", "a", "" },
		{ "a=1\na=2\n", "a", "2" },
		{ "a=x\\\\y\\\nz\nb=1\n", "a", "x\\y\nz" },
		{ "a=x\\\nb=2\nb=1\n", "b", "1" },
		{ "# WARNING: Do not edit\na=1\n#b=2\n", "b", NULL },
		{ "junk\na=1\n", "a", "1" },
		{ "a=1\\\n", "a", "1\\" },
		{ "a=##\n", "a", "##" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autofree char *value = NULL;

		block(&file, cases[i].vars);
		assert_int_equal(sp_grubenv_get(&file, cases[i].name, &value, NULL), cases[i].want ? 0 : -ENOENT);
		if (cases[i].want)
			assert_string_equal(value, cases[i].want);
	}
}

static void puts_values(void **state)
{
	static const struct {
		const char *before, *name, *value, *after;
	} cases[] = {
		{ "a=1\nb=2\n", "a", "x y", "a=x y\nb=2\n" },
		{ "a=1\nb=2\n", "b", "", "a=1\nb=\n" },
		{ "a=1\n", "c", "3", "a=1\nc=3\n" },
		{ "", "c", "3", "c=3\n" },
		{ "a=1\nb=2\n", "a", NULL, "b=2\n" },
		{ "a=1\n", "z", NULL, "a=1\n" },
		{ "a=1\nb=2\na=3\n", "a", "4", "a=1\nb=2\na=4\n" },
		{ "a=1\nb=2\na=3\n", "a", NULL, "b=2\n" },
		{ "# c\nab=1\na=1\n#\n", "a", "x\\y\nz", "# c\nab=1\na=x\\\\y\\\nz\n#\n" },
		{ "a=\\1\n", "a", "1", "a=\\1\n" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = { 0 }, want = { 0 }, got = { 0 };

		block(&file, cases[i].before);
		block(&want, cases[i].after);
		assert_int_equal(sp_grubenv_put(&file, cases[i].name, cases[i].value, &got, NULL), 0);
		assert_int_equal(got.len, SP_GRUBENV_SIZE);
		assert_string_equal(got.data, want.data);
	}
}

static void a_full_block(void **state)
{
	sp_autobuf struct sp_buf file = { 0 }, got = { 0 }, more = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	char value[SP_GRUBENV_SIZE] = "";
	size_t room = SP_GRUBENV_SIZE - strlen(HEAD) - strlen("a=\n");

	(void) state;
	block(&file, "");
	memset(value, 'v', room);
	assert_int_equal(sp_grubenv_put(&file, "a", value, &got, NULL), 0);
	assert_int_equal(got.data[SP_GRUBENV_SIZE - 1], '\n');
	assert_int_equal(sp_grubenv_put(&got, "b", "1", &more, &err), -ENOSPC);
	assert_string_equal(err->message, "variable 'b' does not fit: 1028 bytes, the block has 1024");
	assert_int_equal(more.len, 0);
}

static void refuses_damage(void **state)
{
	sp_autobuf struct sp_buf good = { 0 };

	(void) state;
	block(&good, "a=1\n");
	for (int i = 0; i < 6; i++) {
		sp_autobuf struct sp_buf file = { 0 }, out = { 0 };
		sp_autofree char *value = NULL;

		sp_buf_add(&file, good.data, i == 0 ? 0 : (i == 1 ? 1023 : good.len));
		if (i == 2)
			sp_buf_adds(&file, "#");
		if (i == 3)
			file.data[3] = 'g';
		if (i == 4)
			file.data[500] = '\0';
		if (i == 5)
			file.data[strlen(HEAD) + 3] = '#'; /* the line end of a=1 */
		assert_int_equal(sp_grubenv_get(&file, "a", &value, NULL), -EINVAL);
		assert_int_equal(sp_grubenv_put(&file, "a", "2", &out, NULL), -EINVAL);
		assert_null(value);
		assert_int_equal(out.len, 0);
	}
}

/* A last line that goes on with a backslash would take what is put behind it. */
static void refuses_to_be_swallowed(void **state)
{
	sp_autobuf struct sp_buf file = { 0 }, out = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	(void) state;
	block(&file, "a=1\n#x=\\\n");
	assert_int_equal(sp_grubenv_put(&file, "b", "1", &out, &err), -EINVAL);
	assert_string_equal(err->message, "damaged GRUB environment block: its last line goes on with a backslash");
	assert_int_equal(out.len, 0);
	assert_int_equal(sp_grubenv_put(&file, "a", "2", &out, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets),
		cmocka_unit_test(puts_values),
		cmocka_unit_test(a_full_block),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(refuses_to_be_swallowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
