/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/crc32c.h"
#include "base/durable.h"
#include "txn/internal.h"

enum { EDITS_MAX = 4096 }; /* files of one transaction: what a forged journal can make us hold in memory */

static char *to_hex(const struct sp_buf *b)
{
	char *hex = sp_xmalloc(b->len * 2 + 1);

	for (size_t i = 0; i < b->len; i++)
		(void) snprintf(hex + i * 2, 3, "%02x", (unsigned char) b->data[i]);
	hex[b->len * 2] = '\0';
	return hex;
}

static int from_hex(const char *hex, struct sp_buf *ret)
{
	static const char digits[] = "0123456789abcdef"; /* sscanf would take " 1" and "0g", too */
	size_t n = strlen(hex);

	if (n % 2 != 0 || strspn(hex, digits) != n)
		return -EBADMSG;
	sp_buf_add(ret, "", 0);
	for (size_t i = 0; i < n; i += 2) {
		const long high = strchr(digits, hex[i]) - digits, low = strchr(digits, hex[i + 1]) - digits;
		sp_buf_add(ret, &(char){ (char) (high * 16 + low) }, 1);
	}
	return 0;
}

static json_t *meta_to_json(const struct sp_meta *m, int *error)
{
	json_t *xattrs = m->n_xattrs > 0 ? json_object() : NULL;

	for (size_t i = 0; i < m->n_xattrs; i++) {
		sp_autofree char *hex = to_hex(&m->xattrs[i].value);
		if (json_object_set_new(xattrs, m->xattrs[i].name, json_string(hex)) < 0)
			*error = -EILSEQ; /* a name that is no UTF-8 */
	}
	return json_pack("{s:i, s:i, s:i, s:I, s:I, s:o*}", "mode", (int) m->mode, "uid", (int) m->uid, "gid", (int) m->gid,
			 "mtime", (json_int_t) m->mtime.tv_sec, "mtime_ns", (json_int_t) m->mtime.tv_nsec, "xattrs",
			 xattrs);
}

static int meta_from_json(const json_t *json, struct sp_meta *ret)
{
	json_int_t sec = 0, nsec = 0;
	int mode = 0, uid = 0, gid = 0;
	json_t *xattrs = NULL, *value = NULL;
	const char *name = NULL;

	if (json_unpack((json_t *) json, "{s:i, s:i, s:i, s:I, s:I, s?o}", "mode", &mode, "uid", &uid, "gid", &gid, "mtime",
			&sec, "mtime_ns", &nsec, "xattrs", &xattrs) < 0)
		return -EBADMSG;
	if (mode & ~0777 || nsec < 0 || nsec > 999999999)
		return -EBADMSG; /* no file that we take on has set-id bits, so none is given any by a forged journal */
	*ret = (struct sp_meta){ .mode = (mode_t) mode, .uid = (uid_t) uid, .gid = (gid_t) gid };
	ret->mtime = (struct timespec){ .tv_sec = sec, .tv_nsec = nsec };
	ret->xattrs = sp_xcalloc(json_object_size(xattrs), sizeof(*ret->xattrs));
	json_object_foreach (xattrs, name, value) {
		struct sp_xattr *x = &ret->xattrs[ret->n_xattrs++];
		x->name = sp_xstrdup(name);
		if (sp_streq(name, SP_XATTR_CAPABILITY) || !json_is_string(value) || from_hex(json_string_value(value), &x->value) < 0)
			return -EBADMSG;
	}
	return 0;
}

/* `like`: the image that has the same owner, mode and so on, which are told there. */
static json_t *image_to_json(const struct sp_image *image, const struct sp_image *like, struct sp_images *images, int *error)
{
	const bool alike = like && like->exists && sp_meta_eq(&image->meta, &like->meta);

	if (!image->exists)
		return json_null();
	const size_t offset = images->at + images->bytes.len;
	json_t *json = json_pack("{s:I, s:I, s:I, s:o*}", "offset", (json_int_t) offset, "length",
				 (json_int_t) image->bytes.len, "crc",
				 (json_int_t) sp_crc32c(image->bytes.data, image->bytes.len), "meta",
				 alike ? NULL : meta_to_json(&image->meta, error));
	sp_buf_add(&images->bytes, image->bytes.data, image->bytes.len);
	return json;
}

static int read_image(int images, json_int_t offset, json_int_t length, json_int_t crc, struct sp_buf *ret)
{
	struct stat st;

	if (length < 0 || (size_t) length > SP_IMAGE_MAX || offset < 0)
		return -EBADMSG;
	if (fstat(images, &st) < 0)
		return -errno;
	if (offset > st.st_size || length > st.st_size - offset)
		return -EBADMSG;
	sp_autofree char *data = sp_xmalloc((size_t) length + 1);
	ssize_t n = pread(images, data, (size_t) length, (off_t) offset);
	if (n < 0)
		return -errno;
	if (n != length || sp_crc32c(data, (size_t) n) != (uint32_t) crc)
		return -EBADMSG;
	sp_buf_add(ret, data, (size_t) n);
	return 0;
}

static int image_from_json(const json_t *json, const struct sp_image *like, int images, struct sp_image *ret)
{
	json_int_t offset = 0, length = 0, crc = 0;
	json_t *meta = NULL;

	*ret = (struct sp_image){ .exists = !json_is_null(json) };
	if (!ret->exists)
		return 0;
	if (json_unpack((json_t *) json, "{s:I, s:I, s:I, s?o}", "offset", &offset, "length", &length, "crc", &crc, "meta",
			&meta) < 0 || (!meta && (!like || !like->exists)))
		return -EBADMSG;
	int r = meta ? meta_from_json(meta, &ret->meta) : 0;
	if (!meta)
		sp_meta_copy(&ret->meta, &like->meta);
	if (r == 0 && images >= 0)
		r = read_image(images, offset, length, crc, &ret->bytes);
	return r;
}

json_t *sp_record_from_edit(const struct sp_edit *e, struct sp_images *images, int *error)
{
	json_t *before = image_to_json(&e->before, NULL, images, error);
	json_t *after = image_to_json(&e->after, &e->before, images, error);

	json_t *json = json_pack("{s:s, s:s, s:b, s:o, s:o, s:O?}", "path", e->path, "op", sp_op_name(e->op), "exact",
				 (int) e->exact_meta, "before", before, "after", after, "note", e->note);

	if (!json && *error == 0)
		*error = -EILSEQ; /* a path that is no UTF-8 */
	return json;
}

static int op_by_name(const char *name, enum sp_op *ret)
{
	for (enum sp_op op = SP_OP_KEEP; op <= SP_OP_DELETE; op++)
		if (sp_streq(name, sp_op_name(op))) {
			*ret = op;
			return 0;
		}
	return -EBADMSG;
}

int sp_record_to_edit(const json_t *json, int images, struct sp_edit *ret)
{
	const char *path = NULL, *op = NULL;
	json_t *before = NULL, *after = NULL, *note = NULL;
	int exact = 0;

	*ret = (struct sp_edit){ 0 };
	if (json_unpack((json_t *) json, "{s:s, s:s, s:b, s:o, s:o, s?o}", "path", &path, "op", &op, "exact", &exact,
			"before", &before, "after", &after, "note", &note) < 0)
		return -EBADMSG;
	if (*path != '/')
		return -EBADMSG;
	ret->path = sp_xstrdup(path);
	ret->exact_meta = exact;
	ret->note = note && !json_is_null(note) ? json_incref(note) : NULL;
	int r = op_by_name(op, &ret->op);
	if (r == 0)
		r = image_from_json(before, NULL, images, &ret->before);
	if (r == 0)
		r = image_from_json(after, &ret->before, images, &ret->after);
	return r;
}

static void fold_dirs(const json_t *dirs, struct sp_strv *ret)
{
	json_t *v = NULL;
	size_t i;

	json_array_foreach (dirs, i, v)
		if (json_is_string(v) && *json_string_value(v) == '/')
			sp_strv_add(ret, json_string_value(v));
}

static int fold_files(const json_t *record, int images, struct sp_record *ret)
{
	const json_t *files = json_object_get(record, "files");
	json_t *v = NULL;
	size_t i;

	json_array_foreach (files, i, v) {
		struct sp_edits *edits = &ret->edits;
		if (edits->n == EDITS_MAX)
			return -EBADMSG;
		edits->v = sp_xrealloc(edits->v, edits->n + 1, sizeof(*edits->v));
		int r = sp_record_to_edit(v, images, &edits->v[edits->n++]);
		if (r < 0)
			return r;
	}
	fold_dirs(json_object_get(record, "dirs"), &ret->made_dirs);
	return 0;
}

/* Which state a record leads to; what is not in the table (files) leaves it. */
static const struct {
	const char *type;
	enum sp_txn_state state;
} transitions[] = {
	{ "begin", SP_TXN_OPEN },	  { "prepared", SP_TXN_PREPARED }, { "committed", SP_TXN_COMMITTED },
	{ "done", SP_TXN_DONE }, { "undone", SP_TXN_UNDONE },
};

/* Images are whole up to the last "prepared"; what was being staged behind it has only temporaries to remove. */
static size_t last_prepared(const json_t *journal)
{
	json_t *record = NULL;
	size_t i, last = 0;

	json_array_foreach (journal, i, record)
		if (sp_streq(json_string_value(json_object_get(record, "type")), "prepared"))
			last = i;
	return last;
}

int sp_record_fold(const json_t *journal, int images, struct sp_record *ret)
{
	const size_t whole = last_prepared(journal);
	json_t *record = NULL;
	size_t i;
	int r = 0;

	ret->state = SP_TXN_OPEN;
	if (json_array_size(journal) && !sp_streq(json_string_value(json_object_get(json_array_get(journal, 0), "type")), "begin"))
		return -EBADMSG;
	json_array_foreach (journal, i, record) {
		const char *type = json_string_value(json_object_get(record, "type"));
		for (size_t t = 0; t < SP_ELEMENTS(transitions); t++)
			if (sp_streq(type, transitions[t].type))
				ret->state = transitions[t].state;
		if (sp_streq(type, "begin") && !ret->about)
			ret->about = json_incref(json_object_get(record, "about"));
		if (sp_streq(type, "drop"))
			fold_dirs(json_object_get(record, "dirs"), &ret->drop_dirs);
		if (sp_streq(type, "files"))
			r = fold_files(record, i < whole ? images : -1, ret);
		if (sp_streq(type, "attribute"))
			r = sp_record_to_attribute(record, &ret->attribute);
		if (i == whole)
			ret->n_prepared = ret->edits.n;
		if (r < 0)
			return r;
	}
	return 0;
}

void sp_record_clear(struct sp_record *r)
{
	json_decref(r->about);
	sp_edits_clear(&r->edits);
	sp_strv_clear(&r->made_dirs);
	sp_strv_clear(&r->drop_dirs);
	sp_attribute_clear(&r->attribute);
	*r = (struct sp_record){ 0 };
}
