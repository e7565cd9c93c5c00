/* SPDX-License-Identifier: MIT */
/* An edit as the journal describes it: it reads back as it was, and a description with one thing wrong is refused. */
#include "txn-tree.h"

/* One edit with everything that there is, its images in a file of its own. */
static json_t *describe(struct tree *t, struct sp_edit *edit, int *images)
{
	struct sp_images written = { 0 };
	int error = 0;
	sp_autofree char *path = sp_xasprintf("%s/images", t->dir);

	*images = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(*images >= 0);
	*edit = (struct sp_edit){ .path = sp_xstrdup("/etc/a"), .op = SP_OP_REPLACE, .exact_meta = true };
	edit->before = (struct sp_image){ .exists = true, .meta = { .mode = 0640, .uid = 1, .gid = 2 } };
	edit->before.meta.mtime = (struct timespec){ .tv_sec = -5, .tv_nsec = 999999999 };
	edit->before.meta.xattrs = sp_xcalloc(1, sizeof(*edit->before.meta.xattrs));
	edit->before.meta.n_xattrs = 1;
	edit->before.meta.xattrs[0].name = sp_xstrdup("user.x");
	sp_buf_add(&edit->before.meta.xattrs[0].value, "\0\x7f\x80\xff", 4);
	sp_buf_adds(&edit->before.bytes, "old\n");
	edit->after = (struct sp_image){ .exists = true, .meta = { .mode = 0600 } };
	sp_buf_add(&edit->after.bytes, "", 0);
	edit->note = json_pack("{s:s}", "for", "the engine");
	json_t *json = sp_record_from_edit(edit, &written, &error);
	assert_int_equal(error, 0);
	assert_string_equal(written.bytes.data, "old\n");
	assert_int_equal(write(*images, written.bytes.data, written.bytes.len), written.bytes.len);
	sp_buf_clear(&written.bytes);
	return json;
}

static void release(struct sp_edit *edit)
{
	struct sp_edits one = { .v = sp_xmalloc(sizeof(*edit)), .n = 1 };

	one.v[0] = *edit;
	sp_edits_clear(&one);
}

static void test_reads_back(void **state)
{
	struct sp_edit edit, back;
	int images = -1;
	json_t *json = describe(*state, &edit, &images);

	assert_int_equal(sp_record_to_edit(json, images, &back), 0);
	assert_string_equal(back.path, edit.path);
	assert_int_equal(back.op, edit.op);
	assert_true(back.exact_meta);
	assert_true(sp_meta_eq(&back.before.meta, &edit.before.meta));
	assert_true(sp_buf_eq(&back.before.bytes, &edit.before.bytes));
	assert_true(sp_buf_eq(&back.after.bytes, &edit.after.bytes));
	assert_true(json_equal(back.note, edit.note));
	json_decref(json);
	release(&edit);
	release(&back);
	assert_int_equal(close(images), 0);
}

/* What both images have in common is told once. */
static void test_alike(void **state)
{
	struct sp_edit edit, back;
	struct sp_images more = { .at = strlen("old\n") };
	int images = -1, error = 0;

	json_decref(describe(*state, &edit, &images));
	sp_meta_clear(&edit.after.meta);
	sp_meta_copy(&edit.after.meta, &edit.before.meta);
	json_t *json = sp_record_from_edit(&edit, &more, &error);
	assert_int_equal(error, 0);
	assert_null(json_object_get(json_object_get(json, "after"), "meta"));
	assert_int_equal(write(images, more.bytes.data, more.bytes.len), more.bytes.len);
	assert_int_equal(sp_record_to_edit(json, images, &back), 0);
	assert_true(sp_meta_eq(&back.after.meta, &edit.before.meta));
	assert_true(sp_buf_eq(&back.before.bytes, &edit.before.bytes));
	json_decref(json);
	sp_buf_clear(&more.bytes);
	release(&edit);
	release(&back);
	assert_int_equal(close(images), 0);
}

/* Where (members, "." between), and what it is there instead; NULL: nothing. */
static const struct {
	const char *at, *json;
} wrong[] = {
	{ "path", NULL },
	{ "path", "\"etc/a\"" },
	{ "path", "\"\"" },
	{ "path", "7" },
	{ "op", "\"replace \"" },
	{ "op", "\"\"" },
	{ "exact", "1" },
	{ "before", "[]" },
	{ "before.offset", "-1" },
	{ "before.offset", "1" }, /* other bytes: the checksum tells */
	{ "before.length", "-1" },
	{ "before.length", "3" },
	{ "before.length", "5" }, /* more than there is */
	{ "before.length", "9223372036854775807" },
	{ "before.crc", "0" },
	{ "before.crc", "\"0\"" },
	{ "before.meta", NULL },
	{ "before.meta.mode", "-1" },
	{ "before.meta.mode", "2048" }, /* 04000 */
	{ "before.meta.mtime_ns", "-1" },
	{ "before.meta.mtime_ns", "1000000000" },
	{ "before.meta.xattrs.user#x", "7" },
	{ "before.meta.xattrs.user#x", "\"0\"" },
	{ "before.meta.xattrs.user#x", "\"0g\"" },
	{ "before.meta.xattrs.user#x", "\"g0\"" },
	{ "before.meta.xattrs.user#x", "\" 1\"" },
	{ "before.meta.xattrs.user#x", "\"+1\"" },
	{ "before.meta.xattrs.user#x", "\"-1\"" },
	{ "before.meta.xattrs.user#x", "\"0x41\"" },
	{ "before.meta.xattrs.user#x", "\"AB\"" }, /* we write small letters */
	{ "before.meta.xattrs.security#capability", "\"00\"" },
	{ "after.meta.mode", "512" },
};

static void put_at(json_t *json, const char *at, const char *text)
{
	sp_autofree char *copy = sp_xstrdup(at);
	char *save = NULL, *name = strtok_r(copy, ".", &save), *next;

	while ((next = strtok_r(NULL, ".", &save))) {
		json = json_object_get(json, name);
		name = next;
	}
	if (strchr(name, '#')) /* a name with a dot in it */
		*strchr(name, '#') = '.';
	if (text)
		assert_int_equal(json_object_set_new(json, name, json_loads(text, JSON_DECODE_ANY, NULL)), 0);
	else
		assert_int_equal(json_object_del(json, name), 0);
}

static void test_refuses(void **state)
{
	struct sp_edit edit, back;
	int images = -1;
	json_t *json = describe(*state, &edit, &images);

	for (size_t i = 0; i < SP_ELEMENTS(wrong); i++) {
		json_t *copy = json_deep_copy(json);
		put_at(copy, wrong[i].at, wrong[i].json);
		int r = sp_record_to_edit(copy, images, &back);
		if (r != -EBADMSG)
			fail_msg("%s: %s: %d", wrong[i].at, wrong[i].json ? wrong[i].json : "(nothing)", r);
		release(&back);
		json_decref(copy);
	}
	json_decref(json);
	release(&edit);
	assert_int_equal(close(images), 0);
}

/* JSON is UTF-8; what is not cannot be described, and is refused before anything is done. */
static void test_not_utf8(void **state)
{
	struct sp_images written = { 0 };
	struct sp_edit edit;
	int images = -1, error = 0;

	json_decref(describe(*state, &edit, &images));
	edit.before.meta.xattrs[0].name[0] = '\xff';
	json_decref(sp_record_from_edit(&edit, &written, &error));
	assert_int_equal(error, -EILSEQ);
	edit.before.meta.xattrs[0].name[0] = 'u';
	edit.path[1] = '\xff';
	error = 0;
	assert_null(sp_record_from_edit(&edit, &written, &error));
	assert_int_equal(error, -EILSEQ);
	sp_buf_clear(&written.bytes);
	release(&edit);
	assert_int_equal(close(images), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_utf8, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
