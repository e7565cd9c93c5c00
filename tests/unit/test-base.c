/* SPDX-License-Identifier: MIT */
/* The root handle keeps everything inside, with openat2 and without it; strings, numbers, checksums, errors. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "base/durable.h"
#include "base/root.h"

struct tree {
	char dir[64];
};

static void put(const struct tree *t, const char *path, const char *text)
{
	sp_autofree char *full = sp_xasprintf("%s%s", t->dir, path);
	FILE *f = fopen(full, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void link_to(const struct tree *t, const char *text, const char *path)
{
	sp_autofree char *full = sp_xasprintf("%s%s", t->dir, path);

	assert_int_equal(symlink(text, full), 0);
}

static int setup(void **state)
{
	static const char *const dirs[] = { "/root", "/root/etc", "/root/etc/d", "/root/boot" };
	struct tree *t = sp_xcalloc(1, sizeof(*t));

	strcpy(t->dir, "/tmp/sp-base-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	for (size_t i = 0; i < SP_ELEMENTS(dirs); i++) {
		sp_autofree char *full = sp_xasprintf("%s%s", t->dir, dirs[i]);
		assert_int_equal(mkdir(full, 0755), 0);
	}
	put(t, "/secret", "outside\n");
	put(t, "/root/etc/file", "inside\n");
	put(t, "/root/secret", "decoy\n");
	link_to(t, "../../../../secret", "/root/etc/up");
	link_to(t, "/secret", "/root/etc/absolute");
	link_to(t, "file", "/root/etc/beside");
	link_to(t, "../etc", "/root/boot/dir");
	link_to(t, "/etc/missing", "/root/etc/dangling");
	link_to(t, "loop2", "/root/etc/loop1");
	link_to(t, "loop1", "/root/etc/loop2");
	sp_autofree char *fifo = sp_xasprintf("%s/root/etc/fifo", t->dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct tree *t = *state;
	sp_autofree char *command = sp_xasprintf("rm -rf %s", t->dir);

	free(t);
	return system(command);
}

static void test_root_read(void **state)
{
	static const struct { const char *path, *text; int code; } rows[] = {
		{ "/etc/file", "inside\n", 0 },
		{ "etc//./file", "inside\n", 0 },
		{ "/etc/../../../etc/file", "inside\n", 0 },
		{ "/etc/up", "decoy\n", 0 }, /* ".." stops at the root */
		{ "/etc/absolute", "decoy\n", 0 },
		{ "/etc/beside", "inside\n", 0 },
		{ "/boot/dir/file", "inside\n", 0 },
		{ "/etc/dangling", NULL, -ENOENT },
		{ "/etc/loop1", NULL, -ELOOP },
		{ "/etc/fifo", NULL, -ENXIO }, /* and no hanging */
		{ "/etc", NULL, -EISDIR },
		{ "/etc/file/x", NULL, -ENOTDIR },
	};
	const struct tree *t = *state;
	sp_autofree char *dir = sp_xasprintf("%s/root", t->dir);

	for (unsigned flags = 0; flags <= SP_ROOT_WALK; flags += SP_ROOT_WALK) {
		sp_autoroot struct sp_root *root = NULL;
		assert_int_equal(sp_root_open(dir, flags, &root, NULL), 0);
		for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
			sp_autobuf struct sp_buf b = { 0 };
			sp_autoerror struct sp_error *err = NULL;
			print_message("flags %u: %s\n", flags, rows[i].path);
			assert_int_equal(sp_root_read(root, rows[i].path, 100, &b, &err), rows[i].code);
			if (rows[i].text)
				assert_string_equal(b.data, rows[i].text);
			else
				assert_non_null(strstr(err->message, rows[i].path));
		}
	}
}

static void test_root_resolve(void **state)
{
	static const struct { const char *path, *to; } rows[] = {
		{ "/etc/beside", "/etc/file" },	   { "/boot/dir/file", "/etc/file" }, { "/etc/dangling", "/etc/missing" },
		{ "/etc/absolute", "/secret" }, { "/etc/new", "/etc/new" },	      { "/", "/" },
	};
	const struct tree *t = *state;
	sp_autofree char *dir = sp_xasprintf("%s/root", t->dir);
	sp_autoroot struct sp_root *root = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
		sp_autofree char *to = NULL;
		assert_int_equal(sp_root_resolve(root, rows[i].path, &to), 0);
		assert_string_equal(to, rows[i].to);
	}
}

static void test_root_limits(void **state)
{
	const struct tree *t = *state;
	sp_autofree char *dir = sp_xasprintf("%s/root", t->dir);
	sp_autoroot struct sp_root *root = NULL, *none = NULL;
	sp_autobuf struct sp_buf b = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	assert_int_equal(sp_root_read(root, "/etc/file", 3, &b, NULL), -EFBIG);
	assert_int_equal(sp_root_open("/nonexistent-root", 0, &none, &err), -ENOENT);
	assert_non_null(strstr(err->message, "/nonexistent-root"));
	assert_false(sp_root_is_host(root));
}

static void test_root_read_part(void **state)
{
	static const struct { const char *path, *text; size_t offset, n; int code; } rows[] = {
		{ "/etc/file", "side", 2, 4, 0 },   { "/etc/file", "inside\n", 0, 7, 0 }, { "/etc/file", "de\n", 4, 99, 0 },
		{ "/etc/file", "", 7, 1, 0 },	    { "/etc/file", "", 1000, 1, 0 },	  { "/etc/file", "", 2, 0, 0 },
		{ "/etc/fifo", NULL, 0, 1, -ENXIO }, { "/etc", NULL, 0, 1, -EISDIR },
	};
	const struct tree *t = *state;
	sp_autofree char *dir = sp_xasprintf("%s/root", t->dir);
	sp_autoroot struct sp_root *root = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
		sp_autobuf struct sp_buf b = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		assert_int_equal(sp_root_read_part(root, rows[i].path, rows[i].offset, rows[i].n, &b, &err), rows[i].code);
		if (rows[i].text)
			assert_string_equal(b.data ? b.data : "", rows[i].text);
		else
			assert_non_null(strstr(err->message, rows[i].path));
	}
}

static void test_replace(void **state)
{
	const struct tree *t = *state;
	sp_autofree char *etc = sp_xasprintf("%s/root/etc", t->dir);
	sp_autoclose int dir = open(etc, O_RDONLY | O_DIRECTORY);
	sp_autobuf struct sp_buf b = { 0 };

	assert_int_equal(sp_durable_replace(dir, "file", "new", 3, 0640, SP_SYNC_NOW), 0);
	sp_autoclose int fd = openat(dir, "file", O_RDONLY);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(sp_fd_read(fd, 10, &b), 0);
	assert_string_equal(b.data, "new");
	assert_int_equal(faccessat(dir, ".file.strix-tmp", F_OK, 0), -1);
	assert_int_equal(sp_durable_rename_new(dir, "file", "beside"), -EEXIST);
}

static void test_crc32c(void **state)
{
	(void) state;
	assert_int_equal(sp_crc32c("123456789", 9), 0xe3069283); /* the check value of the algorithm's catalogues */
	assert_int_equal(sp_crc32c("", 0), 0);
}

static void test_numbers(void **state)
{
	static const struct { const char *text; int code; uint64_t value; } rows[] = {
		{ "0", 0, 0 }, { "18446744073709551615", 0, UINT64_MAX }, { "0x10", 0, 16 },
		{ "18446744073709551616", -ERANGE, 0 }, { "", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 }, { "1 ", -EINVAL, 0 }, { "12a", -EINVAL, 0 },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(rows); i++) {
		uint64_t v = 0;
		assert_int_equal(sp_parse_u64(rows[i].text, &v), rows[i].code);
		assert_true(v == rows[i].value);
	}
}

static void test_errors(void **state)
{
	sp_autoerror struct sp_error *err = NULL;

	(void) state;
	assert_int_equal(sp_error_errno(&err, -ENOSPC, "cannot replace '%s'", "/x"), -ENOSPC);
	assert_int_equal(sp_error_wrap(&err, "apply"), -ENOSPC);
	assert_int_equal(sp_error_hint(&err, "make room"), -ENOSPC);
	assert_int_equal(sp_error_exit(&err, SP_EXIT_CONFLICT), -ENOSPC);
	assert_string_equal(err->message, "apply: cannot replace '/x': No space left on device");
	assert_string_equal(err->hint, "make room");
	assert_int_equal(sp_error_set(&err, -EINVAL, "another"), -EINVAL); /* replaces all of it */
	assert_null(err->hint);
	assert_int_equal(err->exit, SP_EXIT_FAILED);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	sp_autofree char *path = sp_xasprintf("%s/%s", dir, name);
	sp_autofile FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

/* What was read stays as it was, and so does what was not there. */
static void test_memory(void **state)
{
	char dir[] = "/tmp/sp-memory-XXXXXX";
	assert_non_null(mkdtemp(dir));
	sp_autofree char *file = sp_xasprintf("%s/a", dir), *later = sp_xasprintf("%s/b", dir);
	sp_autoroot struct sp_root *seen = NULL, *fresh = NULL;
	sp_autobuf struct sp_buf b = { 0 };

	(void) state;
	write_file(dir, "a", "one\n");
	assert_int_equal(sp_root_open(dir, 0, &seen, NULL), 0);
	assert_int_equal(sp_root_open(dir, 0, &fresh, NULL), 0);
	assert_true(sp_root_remember(seen));
	assert_false(sp_root_remember(seen));
	assert_int_equal(sp_root_read(seen, "/a", SP_FILE_MAX, &b, NULL), 0);
	assert_int_equal(sp_root_read(seen, "/b", SP_FILE_MAX, &b, NULL), -ENOENT);
	assert_false(sp_root_exists(seen, "/b"));
	write_file(dir, "a", "two\n");
	write_file(dir, "b", "three\n");
	for (int i = 0; i < 2; i++) {
		sp_autobuf struct sp_buf again = { 0 };
		assert_int_equal(sp_root_read(i ? fresh : seen, "/a", SP_FILE_MAX, &again, NULL), 0);
		assert_string_equal(again.data, i ? "two\n" : "one\n");
		assert_int_equal(sp_root_exists(i ? fresh : seen, "/b"), i);
	}
	assert_int_equal(sp_root_read(seen, "/a", 3, &b, NULL), -EFBIG);
	sp_root_forget(seen);
	assert_true(sp_root_exists(seen, "/b"));
	assert_int_equal(unlink(file) | unlink(later) | rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_root_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root_resolve, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root_read_part, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_crc32c),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
