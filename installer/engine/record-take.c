/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "engine/record.h"

enum { LIST_MAX = 32 * 1024 * 1024, FIRST_PERSON = 1000, LAST_PERSON = 60000 };

void sp_items_clear(struct sp_items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		free(items->v[i].path);
		free(items->v[i].link);
		sp_buf_clear(&items->v[i].bytes);
	}
	free(items->v);
	sp_strv_clear(&items->unread);
	*items = (struct sp_items){ 0 };
}

struct sp_item *sp_items_add(struct sp_items *items, enum sp_item_kind kind, const char *path)
{
	for (size_t i = 0; i < items->n; i++)
		if (sp_streq(items->v[i].path, path))
			return NULL;
	items->v = sp_xrealloc(items->v, items->n + 1, sizeof(*items->v));
	items->v[items->n] = (struct sp_item){ .path = sp_xstrdup(path), .kind = kind };
	return &items->v[items->n++];
}

/* --- parts of a file -----------------------------------------------------------------------------------------------
 */

static bool is_about_gpu(const char *line)
{
	static const char *const words[] = { "RADV_", "HSA_", "AMD_", "ROC", "HIP_", "GPU_", "GGML_", "VK_", "MESA_" };

	for (size_t i = 0; i < SP_ELEMENTS(words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static void field(const char *line, size_t number, char **ret)
{
	for (; number > 0 && *line; number--)
		line += strcspn(line, ":") + (line[strcspn(line, ":")] == ':');
	*ret = sp_xstrndup(line, strcspn(line, ":"));
}

bool sp_is_person(const char *line, char **ret_name)
{
	sp_autofree char *uid = NULL;
	uint64_t n = 0;

	field(line, 2, &uid);
	if (sp_parse_u64(uid, &n) < 0 || n < FIRST_PERSON || n > LAST_PERSON)
		return false;
	field(line, 0, ret_name);
	return true;
}

static void put_person(const char *line, struct sp_buf *out)
{
	sp_autofree char *name = NULL, *uid = NULL, *gid = NULL, *shell = NULL;

	if (!sp_is_person(line, &name))
		return;
	field(line, 2, &uid);
	field(line, 3, &gid);
	field(line, 6, &shell);
	sp_buf_addf(out, "%s:x:%s:%s::/home/%s:%s\n", name, uid, gid, name, shell);
}

static void put_gpu_line(const char *line, struct sp_buf *out)
{
	sp_buf_addf(out, "%s\n", is_about_gpu(line) ? line : "");
}

static void put_gpu_group(const char *line, struct sp_buf *out)
{
	if (sp_startswith(line, "render:") || sp_startswith(line, "video:"))
		sp_buf_addf(out, "%s\n", line);
}

static void filter(struct sp_buf *b, void (*put)(const char *line, struct sp_buf *out))
{
	struct sp_buf out = { 0 };
	char *rest = b->data, *line;

	while ((line = strsep(&rest, "\n")))
		if (rest || *line) /* not what is behind the last line end */
			put(line, &out);
	sp_buf_add(&out, "", 0);
	sp_buf_clear(b);
	*b = out;
}

static void keep_part(struct sp_item *item, enum sp_take how)
{
	if (how == SP_TAKE_LINES)
		filter(&item->bytes, put_gpu_line);
	else if (how == SP_TAKE_PEOPLE)
		filter(&item->bytes, put_person);
	else if (how == SP_TAKE_GROUPS)
		filter(&item->bytes, put_gpu_group);
}

/* --- one path ------------------------------------------------------------------------------------------------------
 */

static void take_file(const struct sp_root *root, const char *path, enum sp_take how, struct sp_items *ret)
{
	struct sp_item *item = sp_items_add(ret, SP_ITEM_FILE, path);

	if (!item)
		return;
	item->plain = how == SP_TAKE_PLAIN;
	sp_buf_add(&item->bytes, "", 0);
	if (how == SP_TAKE_IMAGE)
		sp_record_image(root, path, item);
	if (how == SP_TAKE_NAME || how == SP_TAKE_IMAGE)
		return;
	int r = sp_root_read(root, path, LIST_MAX, &item->bytes, NULL);
	item->denied = r < 0;
	if (r < 0)
		sp_strv_addf(&ret->unread, "%s: %s", path, strerror(-r));
	else
		keep_part(item, how);
}

/* The text of a link; NULL: it is none. Owned. */
static char *link_text(const struct sp_root *root, const char *path)
{
	sp_autofree char *name = NULL;
	sp_autoclose int dir = sp_root_open_parent(root, path, &name);
	char text[PATH_MAX];
	ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, text, sizeof(text));

	return n < 0 ? NULL : sp_xstrndup(text, (size_t) n);
}

/* Links of sysfs lead to folders that are not recorded. A recorded machine has what stands for them. */
static void take_sys_link(const struct sp_root *root, const char *path, enum sp_take how, struct sp_items *ret)
{
	sp_autofree char *text = link_text(root, path);
	const char *base = text && strrchr(text, '/') ? strrchr(text, '/') + 1 : text;

	if (!text) {
		take_file(root, path, SP_TAKE_PLAIN, ret);
		return;
	}
	struct sp_item *item = sp_items_add(ret, how == SP_TAKE_GROUP ? SP_ITEM_LINK : SP_ITEM_FILE, path);
	if (!item)
		return;
	item->plain = true;
	if (how == SP_TAKE_GROUP)
		item->link = sp_xasprintf("../../../../kernel/iommu_groups/%s", base);
	else
		sp_buf_addf(&item->bytes, "%s\n", base);
}

/* 1: it was a link. */
static int take_link(const struct sp_root *root, const char *path, enum sp_take how, struct sp_items *ret)
{
	sp_autofree char *text = link_text(root, path), *target = NULL;
	struct sp_item *item = text ? sp_items_add(ret, SP_ITEM_LINK, path) : NULL;

	if (item)
		item->link = sp_steal(text);
	if (item && sp_root_resolve(root, path, &target) == 0 && !sp_streq(target, path))
		sp_record_take(root, false, target, how, ret);
	return item || text ? 1 : 0;
}

void sp_record_denied(const struct sp_root *root, const char *path, int code, struct sp_items *ret)
{
	sp_autofree char *dir = sp_xstrdup(path);
	struct stat st;

	while (*dir && sp_root_stat(root, dir, &st) < 0) /* the nearest that can be looked at is the one */
		*strrchr(dir, '/') = '\0';
	struct sp_item *item = *dir ? sp_items_add(ret, SP_ITEM_FOLDER, dir) : NULL;
	if (!item)
		return;
	item->denied = true;
	sp_strv_addf(&ret->unread, "%s: %s", dir, strerror(-code));
}

void sp_record_take(const struct sp_root *root, bool machine, const char *path, enum sp_take how, struct sp_items *ret)
{
	struct stat st;
	int r = sp_root_stat(root, path, &st);

	if (how == SP_TAKE_TARGET || how == SP_TAKE_GROUP) {
		if (sp_root_lstat(root, path, &st) == 0)
			take_sys_link(root, path, how, ret);
		return;
	}
	if (!machine && take_link(root, path, how, ret))
		return;
	if (r == -EACCES || r == -EPERM)
		sp_record_denied(root, path, r, ret);
	if (r < 0)
		return;
	if (S_ISDIR(st.st_mode))
		(void) sp_items_add(ret, SP_ITEM_FOLDER, path);
	else if (S_ISREG(st.st_mode))
		take_file(root, path, how, ret);
}
