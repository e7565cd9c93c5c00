/* SPDX-License-Identifier: MIT */
/*
 * The journal of a transaction: records, images. The records are taken as the bytes of a journal, and as JSON texts,
 * one a line, that are given the sums and numbers which a journal has.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/crc32c.h"
#include "boot/owned.h"
#include "targets.h"
#include "txn/internal.h"

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	fuzz_check(fd >= 0 && (len == 0 || write(fd, data, len) == (ssize_t) len) && lseek(fd, 0, SEEK_SET) == 0, "memfd_create");
	return fd;
}

static json_t *read_journal(const void *data, size_t len, size_t *end, int *ret)
{
	sp_autoclose int fd = memory_file(data, len);
	json_t *records = NULL;

	*end = 0;
	*ret = sp_journal_read(fd, &records, end);
	fuzz_check((*ret < 0) == !records, "half read");
	fuzz_check(*end <= len, "%zu good bytes of %zu", *end, len);
	return records;
}

/* --- a record and what it says ------------------------------------------------------------------------------------- */

/* What an edit did to lines, or to a file, is in its note: rollback undoes that. */
static void check_note(const json_t *json)
{
	struct sp_note note = { 0 }, read = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	if (!json || sp_note_from_json(json, &note, &err) < 0) {
		fuzz_check(!json || (err && err->message), "an error says nothing");
		return;
	}
	json_t *written = sp_note_to_json(&note), *again = NULL;
	fuzz_check(sp_note_from_json(written, &read, NULL) == 0, "a note cannot be read");
	again = sp_note_to_json(&read);
	fuzz_check(json_equal(written, again), "another note is read");
	json_decref(written);
	json_decref(again);
	sp_note_clear(&note);
	sp_note_clear(&read);
}

static bool same_image(const struct sp_image *a, const struct sp_image *b)
{
	return a->exists == b->exists && (!a->exists || (sp_buf_eq(&a->bytes, &b->bytes) && sp_meta_eq(&a->meta, &b->meta)));
}

/* Written down again it is the same edit. */
static void check_edit(const struct sp_edit *e)
{
	struct sp_images written = { 0 };
	struct sp_edit again = { 0 };
	int error = 0;
	json_t *json = sp_record_from_edit(e, &written, &error);
	sp_autoclose int images = memory_file(written.bytes.data, written.bytes.len);

	fuzz_check(json && error == 0, "'%s' cannot be written: %d", fuzz_shows(e->path), error);
	int r = sp_record_to_edit(json, images, &again);
	fuzz_check(r == 0, "'%s' cannot be read: %d", fuzz_shows(e->path), r);
	fuzz_check(sp_streq(e->path, again.path) && e->op == again.op && e->exact_meta == again.exact_meta &&
			   same_image(&e->before, &again.before) && same_image(&e->after, &again.after) &&
			   (e->note ? json_equal(e->note, again.note) : !again.note),
		   "'%s' is read as another", fuzz_shows(e->path));
	struct sp_edits one = { .v = sp_xmalloc(sizeof(again)), .n = 1 };
	one.v[0] = again;
	sp_edits_clear(&one);
	sp_buf_clear(&written.bytes);
	json_decref(json);
}

static void check_image(const struct sp_image *i)
{
	fuzz_check(!(i->meta.mode & ~0777u), "mode %o", (unsigned) i->meta.mode);
	fuzz_check(i->bytes.len <= SP_FILE_MAX, "an image of %zu bytes", i->bytes.len);
}

static void check_record(const struct sp_record *r)
{
	fuzz_check(r->state >= SP_TXN_OPEN && r->state < SP_TXN_DAMAGED, "state %d", (int) r->state);
	fuzz_check(r->n_prepared <= r->edits.n, "%zu prepared of %zu", r->n_prepared, r->edits.n);
	for (size_t i = 0; i < r->edits.n; i++) {
		fuzz_check(r->edits.v[i].path && *r->edits.v[i].path == '/', "a path that is none");
		check_image(&r->edits.v[i].before);
		check_image(&r->edits.v[i].after);
		check_note(r->edits.v[i].note);
		if (i < 4)
			check_edit(&r->edits.v[i]);
	}
	for (size_t i = 0; i < r->made_dirs.n; i++)
		fuzz_check(*r->made_dirs.v[i] == '/', "a folder that is none");
	if (r->attribute.path) /* what recovery writes to */
		fuzz_check(sp_startswith(r->attribute.path, "/sys/") && !strstr(r->attribute.path, "..") && !strchr(r->attribute.before, '\n'),
			   "'%s' is written to", fuzz_shows(r->attribute.path));
}

static void fold(const json_t *records, const struct sp_buf *images)
{
	sp_autoclose int fd = memory_file(images->data, images->len);

	for (int i = 0; i < 2; i++) {
		struct sp_record record = { 0 };
		int r = sp_record_fold(records, i ? fd : -1, &record);

		fuzz_check(r == 0 || r == -EBADMSG, "folded with %d", r);
		if (r == 0)
			check_record(&record);
		sp_record_clear(&record);
	}
}

/* --- the bytes ----------------------------------------------------------------------------------------------------- */

/* Cut off anywhere, what is left is a row of the same records; and a record can be added behind it. */
static void check_torn(const struct sp_buf *journal, const json_t *records)
{
	size_t at = journal->len ? (size_t) sp_crc32c(journal->data, journal->len) % (journal->len + 1) : 0, end = 0, again = 0;
	int r = 0;
	json_t *some = read_journal(journal->data, at, &end, &r);

	fuzz_check(r == 0, "cut off at byte %zu of %zu it cannot be read: %d", at, journal->len, r);
	fuzz_check(json_array_size(some) <= json_array_size(records), "cut off, it has more records");
	for (size_t i = 0; i < json_array_size(some); i++)
		fuzz_check(json_equal(json_array_get(some, i), json_array_get(records, i)), "record %zu is another when it is cut off", i);
	sp_autoclose int fd = memory_file(journal->data, at);
	struct sp_journal j = { .fd = fd, .next = json_array_size(some), .end = (off_t) end, .torn = true };
	json_t *one = json_pack("{s:s}", "type", "undone"), *all = NULL;
	fuzz_check(sp_journal_append(&j, one, false) == 0 && lseek(fd, 0, SEEK_SET) == 0, "nothing can be added");
	fuzz_check(sp_journal_read(fd, &all, &again) == 0 && json_array_size(all) == json_array_size(some) + 1 &&
			   (off_t) again == j.end && json_equal(json_array_get(all, json_array_size(some)), one),
		   "what was added is not read");
	json_decref(one);
	json_decref(all);
	json_decref(some);
}

/* With one bit wrong, anything may be missing, and nothing is another. */
static void check_rotten(const struct sp_buf *journal, const json_t *records)
{
	sp_autofree char *copy = sp_xmalloc(journal->len + 1);
	size_t at = journal->len ? (sp_crc32c(journal->data, journal->len) >> 8) % journal->len : 0, end = 0;
	int r = 0;

	memcpy(copy, journal->data, journal->len);
	copy[at] = (char) (copy[at] ^ (1 << at % 8));
	json_t *some = journal->len ? read_journal(copy, journal->len, &end, &r) : NULL;
	for (size_t i = 0; i < json_array_size(some); i++)
		fuzz_check(json_equal(json_array_get(some, i), json_array_get(records, i)), "with a wrong bit in byte %zu, record %zu is another",
			   at, i);
	json_decref(some);
}

/* The texts as a journal has them. */
static void make_journal(const char *texts, struct sp_buf *ret)
{
	sp_autostrv struct sp_strv lines = { 0 };

	fuzz_lines(texts, &lines);
	for (size_t i = 0; i < lines.n; i++) {
		sp_autofree char *body = sp_xasprintf("%zu %s", i, lines.v[i]);

		sp_buf_addf(ret, "%08" PRIx32 " %s\n", sp_crc32c(body, strlen(body)), body);
	}
	sp_buf_add(ret, "", 0);
}

static void check_bytes(const struct sp_buf *journal, const struct sp_buf *images)
{
	size_t end = 0;
	int r = 0;
	json_t *records = read_journal(journal->data, journal->len, &end, &r);

	fuzz_check(r == 0 || r == -EBADMSG, "read with %d", r);
	if (r < 0)
		return;
	fold(records, images);
	check_torn(&(struct sp_buf){ journal->data, end, end + 1 }, records);
	check_rotten(&(struct sp_buf){ journal->data, end, end + 1 }, records);
	json_decref(records);
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };
	sp_autobuf struct sp_buf journal = { 0 };

	fuzz_cut(data, size, &f);
	check_bytes(&f.v[0], &f.v[1]);
	make_journal(f.v[0].data, &journal);
	check_bytes(&journal, &f.v[1]);
}

static const char *const words[] = {
	"{\"type\":\"begin\",\"about\":{\"kind\":\"apply\"}}\n", "{\"type\":\"prepared\"}\n", "{\"type\":\"committed\"}\n", "{\"type\":\"done\"}\n",
	"{\"type\":\"undone\"}\n", "{\"type\":\"files\",\"files\":[", "]}\n", "\"dirs\":[\"/etc/a\"]", "{\"type\":\"drop\",\"dirs\":[\"/etc/b\"]}\n",
	"{\"type\":\"attribute\",\"path\":\"/sys/class/firmware-attributes/hp-bioscfg/attributes/Dedicated Graphics Memory/current_value\","
	"\"before\":\"512 MB\",\"after\":\"1 GB\",\"last\":true}\n",
	"{\"path\":\"/etc/a\",\"op\":\"create\",\"exact\":false,\"before\":null,\"after\":null,\"note\":null}",
	"{\"offset\":0,\"length\":1,\"crc\":0,\"meta\":{\"mode\":420,\"uid\":0,\"gid\":0,\"mtime\":1,\"mtime_ns\":0,\"xattrs\":{}}}",
	"\"xattrs\":{\"user.a\":\"00ff\"}", "\"mode\":2541", "\"length\":524289", "-1", "9223372036854775807", "1e9", "null", "true", ",", "{", "}", "[",
	"]", "\"", "\\u0000", "\\ud800", "\n", "\x1e", "\"op\":\"replace\"", "\"op\":\"delete\"",
	"\"note\":{\"whole\":true}", "\"note\":{\"lines\":[{\"host\":\"bls\",\"linux\":\"/l\",\"from\":[],\"to\":[{\"text\":\"a=1\",\"displaced\":[]}]}]}",
	"{\"hex\":\"613de9\"}", NULL
};

const struct fuzz_target fuzz_journal = { .name = "journal", .run = run, .words = words };
