/* SPDX-License-Identifier: MIT */
/*
 * An extra entry of GRUB, started once. It stands between our marks in custom.cfg, which a menu reads at its end without
 * being made anew (41_custom), so that no entry changes its number and no default changes; not a Boot Loader
 * Specification entry, as Fedora's grub2-mkconfig rewrites all of those. next_entry in grubenv chooses it: the head of
 * the menu (00_header) empties that and saves the block before the entry starts. GRUB writes the block by its place
 * on the disk, which works on plain disks with simple file systems alone; where it cannot, "once" would be "for ever".
 * (GRUB: 00_header.in, 41_custom.in, loadenv.c; manual, "Environment block")
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "boot/internal.h"
#include "format/block.h"
#include "format/grubenv.h"

#define NEXT "next_entry"
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* --- can it? ----------------------------------------------------------------------------------------------------- */

static bool says(const struct sp_grub *grub, const char *text)
{
	return memmem(grub->cfg.data, grub->cfg.len, text, strlen(text)) != NULL;
}

static char *menu_refusal(const struct sp_grub *grub)
{
	if (grub->cfg_denied)
		return sp_xasprintf("%s: needs root to be read", grub->cfg_path);
	if (!grub->cfg_path || !says(grub, "save_env " NEXT))
		return sp_xasprintf("%s/grub.cfg does not empty " NEXT " at a start", grub->dir);
	if (!says(grub, "custom.cfg"))
		return sp_xasprintf("%s does not read custom.cfg (41_custom is missing)", grub->cfg_path);
	return grub->env_path ? NULL : sp_xasprintf("there is no %s/grubenv", grub->dir);
}

/* File systems that GRUB writes to in place: no checksums over data, no copy on write. */
static const struct {
	long magic;
	const char *name;
	bool written;
} filesystems[] = {
	{ EXT4_SUPER_MAGIC, "ext4", true }, /* ext2 and ext3 have the same */
	{ XFS_SUPER_MAGIC, "xfs", true },
	{ MSDOS_SUPER_MAGIC, "FAT", true },
	{ BTRFS_SUPER_MAGIC, "btrfs", false },
	{ F2FS_SUPER_MAGIC, "f2fs", false },
};

static char *filesystem_refusal(const char *path, long magic)
{
	for (size_t i = 0; i < SP_ELEMENTS(filesystems); i++)
		if (filesystems[i].magic == magic)
			return filesystems[i].written ? NULL :
			       sp_xasprintf("'%s' is on %s, where GRUB cannot write", path, filesystems[i].name);
	return sp_xasprintf("'%s' is on a file system of which it is not known that GRUB can write there", path);
}

/* Volumes that are made of others. */
static char *device_refusal(const struct sp_root *root, const char *path, dev_t device)
{
	static const char *const kinds[] = { "dm", "md", "bcache" };

	for (size_t i = 0; i < SP_ELEMENTS(kinds); i++) {
		sp_autofree char *sign = sp_xasprintf("/sys/dev/block/%u:%u/%s", major(device), minor(device), kinds[i]);

		if (sp_root_exists(root, sign))
			return sp_xasprintf("'%s' is on a volume of LVM, RAID or encryption, where GRUB cannot write", path);
	}
	return NULL;
}

static int disk_refusal(const struct sp_root *root, const char *path, char **ret, struct sp_error **err)
{
	sp_autoclose int fd = sp_root_openat(root, path, O_RDONLY);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return sp_error_errno(err, fd < 0 ? fd : -errno, "cannot look at '%s'", path);
	*ret = filesystem_refusal(path, (long) fs.f_type);
	if (!*ret)
		*ret = device_refusal(root, path, st.st_dev);
	return 0;
}

static int refusal(const struct sp_root *root, const struct sp_boot *boot, bool live, char **ret, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	int r = sp_grub_open(root, &grub, err);

	(void) boot;
	if (r == 0)
		r = sp_grub_check_env(&grub, err);
	if (r < 0)
		return r;
	*ret = grub.dir ? menu_refusal(&grub) : sp_xstrdup("there is no folder of GRUB");
	return *ret || !live ? 0 : disk_refusal(root, grub.env_path, ret, err);
}

static bool shows(const struct sp_root *root, const struct sp_boot *boot)
{
	sp_autogrub struct sp_grub grub = { 0 };

	(void) boot;
	return sp_grub_open(root, &grub, NULL) == 0 && grub.dir && says(&grub, "custom.cfg");
}

/* --- the entry --------------------------------------------------------------------------------------------------- */

static char *entry_id(const struct sp_boot *boot, const struct sp_extra *extra)
{
	(void) boot;
	return sp_xasprintf("strix-provision-%s", extra->name);
}

static char *header(const struct sp_boot *boot, const struct sp_extra *x)
{
	sp_autofree char *id = entry_id(boot, x), *title = sp_xstrdup(x->title);

	for (char *c = title; *c; c++)
		if (*c == '\'' || (unsigned char) *c < ' ')
			*c = ' ';
	return sp_xasprintf("menuentry '%s' --class strix-provision --id %s", title, id);
}

/* A menu that is generated: its own entry once more, which finds the disk in the way that suits this machine. */
static int copy_of_menu(const struct sp_grub *grub, const struct sp_extra *x, const char *head, struct sp_buf *text,
			struct sp_error **err)
{
	sp_automenu struct sp_menu menu = { 0 };
	int r = sp_grubcfg_parse(&grub->cfg, &menu, err);

	for (size_t i = 0; r == 0 && i < menu.n; i++)
		if (menu.v[i].n_kernels && sp_streq(menu.v[i].id ? menu.v[i].id : menu.v[i].title, x->like->id))
			return sp_grubcfg_copy_entry(&grub->cfg, &menu.v[i], head, x->line, text, err);
	return r < 0 ? r : sp_error_set(err, -ENOENT, "'%s' has no entry '%s' any more", grub->cfg_path, x->like->id);
}

/* What blscfg makes of such an entry, which begins at $root. A variable that is not set is nothing. */
static int like_blscfg(struct sp_grub *grub, const struct sp_extra *x, const char *head, struct sp_buf *text,
		       struct sp_error **err)
{
	if (strpbrk(x->line, "$\\;|&<>{}\n"))
		return sp_error_set(err, -ENOTSUP, "the command line of '%s' has characters that GRUB's scripts read as their own",
				    x->like->id);
	sp_buf_addf(text, "%s {\n", head);
	if (says(grub, "function load_video"))
		sp_buf_adds(text, "\tload_video\n");
	sp_buf_addf(text, "\tset gfxpayload=keep\n\tinsmod gzio\n\tlinux ($root)%s %s\n", x->like->linux_path, x->line);
	for (size_t i = 0; i < x->like->initrd.n; i++) {
		const char *path = x->like->initrd.v[i], *value = *path == '$' ? sp_grub_lookup(grub, path + 1) : path;

		if (value && *value)
			sp_buf_addf(text, "%s($root)%s", i == 0 ? "\tinitrd " : " ", value);
	}
	sp_buf_adds(text, x->like->initrd.n ? "\n}\n" : "}\n");
	return 0;
}

static int make_text(struct sp_grub *grub, const struct sp_boot *boot, const struct sp_extra *x, struct sp_buf *text,
		     struct sp_error **err)
{
	sp_autofree char *head = header(boot, x);

	return boot->ops->product ? copy_of_menu(grub, x, head, text, err) : like_blscfg(grub, x, head, text, err);
}

static int put_one(struct sp_grub *grub, const struct sp_boot *boot, const struct sp_extra *x, struct sp_buf *file,
		   bool *there, struct sp_error **err)
{
	sp_autobuf struct sp_buf text = { 0 }, next = { 0 };
	bool gone = false;
	int r = x->like ? make_text(grub, boot, x, &text, err) : 0;

	if (r == 0)
		r = sp_block_put(*there ? file : NULL, x->name, x->like ? text.data : NULL, &next, &gone, err);
	if (r < 0)
		return r;
	*there = !gone;
	sp_buf_clear(file);
	*file = next;
	next = (struct sp_buf){ 0 };
	return 0;
}

static char *custom_path(const struct sp_grub *grub)
{
	return grub->dir ? sp_xasprintf("%s/custom.cfg", grub->dir) : NULL;
}

/* The word behind linux, without the variable in front of it. */
static char *kernel_of(const char *text)
{
	static const char top[] = "($root)";
	const char *path = strstr(text, "\tlinux");

	if (!path)
		return sp_xstrdup("");
	path++;
	path += strcspn(path, " \t\n");
	path += strspn(path, " \t");
	if (sp_startswith(path, top))
		path += strlen(top);
	return sp_xstrndup(path, strcspn(path, " \t\n"));
}

static int find(const struct sp_root *root, const struct sp_boot *boot, const char *name, char **ret, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	sp_autobuf struct sp_buf file = { 0 };
	sp_autofree char *path = NULL, *text = NULL;
	int r = sp_grub_open(root, &grub, err);

	(void) boot;
	*ret = NULL;
	path = r == 0 ? custom_path(&grub) : NULL;
	if (!path || !sp_root_exists(root, path))
		return r;
	r = sp_root_read(root, path, SP_FILE_MAX, &file, err);
	if (r == 0)
		r = sp_block_get(&file, name, &text, err);
	*ret = text ? kernel_of(text) : NULL;
	return r;
}

static int put(const struct sp_root *root, const struct sp_boot *boot, const struct sp_extra *v, size_t n,
	       struct sp_edits *edits, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	sp_autobuf struct sp_buf file = { 0 };
	int r = sp_grub_open(root, &grub, err);

	if (r < 0 || !grub.dir)
		return r < 0 ? r : sp_error_set(err, -ENOENT, "there is no folder of GRUB");
	sp_autofree char *path = custom_path(&grub);
	const struct sp_note note = { .block = (char *) v[0].name };
	struct sp_edit *edit = NULL;
	bool there = sp_root_exists(root, path);
	if (there)
		r = sp_root_read(root, path, SP_FILE_MAX, &file, err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = put_one(&grub, boot, &v[i], &file, &there, err);
	if (r < 0)
		return sp_error_wrap(err, "%s", path);
	r = sp_edits_add(edits, root, path, there ? &file : NULL, &edit, err);
	if (r == 0)
		edit->note = sp_note_to_json(&note);
	return r;
}

/* --- the choice -------------------------------------------------------------------------------------------------- */

static int get(const struct sp_root *root, const struct sp_boot *boot, char **ret, struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	int r = sp_grub_open(root, &grub, err);

	(void) boot;
	*ret = r == 0 ? sp_grub_env(&grub, NEXT) : NULL;
	return r;
}

static int edit(const struct sp_root *root, const struct sp_boot *boot, const char *value, struct sp_edits *edits,
		struct sp_error **err)
{
	sp_autogrub struct sp_grub grub = { 0 };
	sp_autobuf struct sp_buf file = { 0 };
	int r = sp_grub_open(root, &grub, err);

	(void) boot;
	if (r == 0 && !grub.env_path)
		r = sp_error_set(err, -ENOENT, "there is no grubenv");
	if (r == 0)
		r = sp_grubenv_put(&grub.env, NEXT, value, &file, err);
	return r < 0 ? r : sp_edits_add(edits, root, grub.env_path, &file, NULL, err);
}

const struct sp_once_ops sp_once_grub = {
	.refusal = refusal,
	.shows = shows,
	.find = find,
	.id = entry_id,
	.put = put,
	.get = get,
	.edit = edit,
};
