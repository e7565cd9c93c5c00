/* SPDX-License-Identifier: MIT */
#include "hw/images.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/magic.h>
#include <sys/vfs.h>

enum { MEMORY_MAX = 1024 * 1024 };

struct sp_image_memory {
	const struct sp_root *root;
	const char *member;
	bool was_read, learned;
	json_t *list; /* of what "images" holds */
};

struct sp_image_memory *sp_image_memory_new(const struct sp_root *root, const char *member)
{
	struct sp_image_memory *m = sp_xcalloc(1, sizeof(*m));

	m->root = root;
	m->member = member;
	return m;
}

void sp_image_memory_free(struct sp_image_memory *m)
{
	if (!m)
		return;
	json_decref(m->list);
	free(m);
}

/* Whatever is wrong with the file, it is as if it were not there. */
static void read_once(struct sp_image_memory *m)
{
	static const char path[] = SP_IMAGES_DIR "/" SP_IMAGES_NAME;
	sp_autobuf struct sp_buf b = { 0 };
	json_t *all = NULL;

	if (m->was_read)
		return;
	m->was_read = true;
	if (sp_root_read(m->root, path, MEMORY_MAX, &b, NULL) == 0)
		all = json_loadb(b.data, b.len, 0, NULL);
	json_t *list = json_object_get(all, "images");
	m->list = json_is_array(list) ? json_incref(list) : json_array();
	json_decref(all);
}

/* --- which file it is ----------------------------------------------------------------------------------------------- */

/* Owned; NULL: it cannot be looked at. */
static json_t *identity(const struct sp_root *root, const char *path)
{
	sp_autoclose int fd = sp_root_openat(root, path, O_PATH);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return NULL;
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "path", path, "size", (json_int_t) st.st_size, "mtime",
			 (json_int_t) st.st_mtim.tv_sec, "mtime_ns", (json_int_t) st.st_mtim.tv_nsec, "inode",
			 fs.f_type == MSDOS_SUPER_MAGIC ? (json_int_t) 0 : (json_int_t) st.st_ino);
}

static bool is_of(const json_t *entry, const json_t *id)
{
	const char *key = NULL;
	json_t *value = NULL;

	if (!id)
		return false;
	json_object_foreach((json_t *) id, key, value)
		if (!json_equal(json_object_get(entry, key), value))
			return false;
	return true;
}

static bool is_now(const struct sp_root *root, const json_t *entry)
{
	const char *path = json_string_value(json_object_get(entry, "path"));
	json_t *id = path ? identity(root, path) : NULL;
	const bool now = is_of(entry, id);

	json_decref(id);
	return now;
}

/* --- ask ------------------------------------------------------------------------------------------------------------ */

static const char *maker_by_name(const char *name)
{
	for (const char *const *maker = sp_initramfs_makers; *maker; maker++)
		if (sp_streq(*maker, name))
			return *maker;
	return NULL;
}

static bool find(struct sp_image_memory *m, const json_t *id, struct sp_initramfs *ret)
{
	json_t *entry = NULL;
	size_t i;

	read_once(m);
	json_array_foreach(m->list, i, entry)
	{
		const char *options = json_string_value(json_object_get(entry, "options"));

		if (!options || !is_of(entry, id))
			continue;
		*ret = (struct sp_initramfs){ .options = sp_xstrdup(options) };
		ret->maker = maker_by_name(json_string_value(json_object_get(entry, "maker")));
		return true;
	}
	return false;
}

bool sp_image_memory_find(struct sp_image_memory *m, const char *path, struct sp_initramfs *ret)
{
	json_t *id = identity(m->root, path);
	const bool known = find(m, id, ret);

	json_decref(id);
	return known;
}

/* What was not understood is not remembered: it may be for want of a library. Nor what was written meanwhile. */
static void learn(struct sp_image_memory *m, json_t *entry, const struct sp_initramfs *i)
{
	if (!entry || !i->options || !is_now(m->root, entry))
		return;
	if (json_object_set_new(entry, "options", json_string(i->options)) < 0)
		return; /* no UTF-8 */
	if (i->maker)
		(void) json_object_set_new(entry, "maker", json_string(i->maker));
	m->learned = json_array_append(m->list, entry) == 0;
}

void sp_image_memory_look(struct sp_image_memory *m, const char *path, struct sp_initramfs *ret)
{
	json_t *id = identity(m->root, path);

	if (!find(m, id, ret)) {
		sp_initramfs_read(m->root, path, m->member, ret);
		learn(m, id, ret);
	}
	json_decref(id);
}

char *sp_image_memory_text(const struct sp_image_memory *m)
{
	json_t *entry = NULL, *list = NULL;
	size_t i;

	if (!m->learned)
		return NULL;
	list = json_array();
	json_array_foreach(m->list, i, entry) if (is_now(m->root, entry))(void) json_array_append(list, entry);
	json_t *all = json_pack("{s:s, s:o}", "schema", "strix-provision/images/1", "images", list);
	char *text = json_dumps(all, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	json_decref(all);
	return text;
}
