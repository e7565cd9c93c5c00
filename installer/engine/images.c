/* SPDX-License-Identifier: MIT */
/*
 * Copies of our modprobe.d file in initramfs images. While our arguments are on the command line they are harmless, since that
 * wins; after a rollback nothing but a new image takes them away.
 */
#include "engine/internal.h"

static const char *const names[] = {
	[SP_COPY_UNCHECKED] = "not-checked", [SP_COPY_UNREADABLE] = "unreadable", [SP_COPY_NONE] = "none",
	[SP_COPY_SAME] = "same",	     [SP_COPY_OTHER] = "other",
};

const char *sp_copy_name(enum sp_copy copy)
{
	return names[copy];
}

void sp_boot_images_clear(struct sp_boot_images *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].kernel);
		free(l->v[i].options);
		free(l->v[i].why);
		free(l->v[i].rebuild);
	}
	free(l->v);
	*l = (struct sp_boot_images){ 0 };
}

/* --- which there are ------------------------------------------------------------------------------------------------- */

/* An entry may be called by the package of its kernel. Borrowed; NULL: not known. */
static const char *kernel_of(const struct sp_entry *e, const struct sp_facts *f)
{
	for (size_t i = 0; e->version && f && i < f->n_kernels; i++)
		if (sp_streq(f->kernels[i].pkgbase, e->version))
			return f->kernels[i].version;
	return e->version;
}

static struct sp_boot_image *image_at(struct sp_boot_images *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (sp_streq(l->v[i].path, path))
			return &l->v[i];
	l->v = sp_xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n] = (struct sp_boot_image){ .path = sp_xstrdup(path) };
	return &l->v[l->n++];
}

void sp_boot_images_list(const struct sp_session *s, const struct sp_boot *boot, const struct sp_facts *f,
			 struct sp_boot_images *ret)
{
	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];
		sp_autostrv struct sp_strv paths = { 0 };

		if (!e->ours)
			continue;
		sp_entry_images(s->root, e, &paths);
		for (size_t k = 0; k < paths.n; k++) {
			struct sp_boot_image *image = image_at(ret, paths.v[k]);
			image->by_default = image->by_default || e->by_default;
			image->instead = sp_entry_images_by(s->root, boot, e);
			if (!image->kernel)
				image->kernel = sp_xstrdup(kernel_of(e, f));
		}
	}
}

/* --- what they say ---------------------------------------------------------------------------------------------------- */

/* What takes a copy out of an image that this maker made, as a user would type it. Owned; NULL: not known. */
static char *rebuild_command(const struct sp_boot_image *image, const char *maker)
{
	const bool unified = sp_endswith(image->path, ".efi"), named = strstr(image->path, "/initramfs-");

	if (image->instead)
		return sp_xstrdup(image->instead);
	if (sp_streq(maker, "mkinitcpio") && (unified || named))
		return sp_xstrdup("mkinitcpio -P");
	if (!maker || strstr(image->path, "/ostree/"))
		return NULL;
	if (!image->kernel) /* a copy on the ESP, say, which its hook makes */
		return sp_streq(maker, "initramfs-tools") ? sp_xstrdup("update-initramfs -u -k all") : NULL;
	if (unified || sp_streq(maker, "mkinitcpio"))
		return sp_xasprintf("kernel-install add %s /usr/lib/modules/%s/vmlinuz", image->kernel, image->kernel);
	if (sp_streq(maker, "dracut"))
		return sp_xasprintf("dracut --force %s %s", image->path, image->kernel);
	if (sp_streq(maker, "booster"))
		return sp_xasprintf("booster build --force --kernel-version %s %s", image->kernel, image->path);
	return sp_xasprintf("update-initramfs -u -k %s", image->kernel);
}

static enum sp_copy compare(const char *options, const char *wanted)
{
	if (!options)
		return SP_COPY_UNREADABLE;
	if (!*options)
		return SP_COPY_NONE;
	return sp_streq(options, wanted) ? SP_COPY_SAME : SP_COPY_OTHER;
}

void sp_boot_images_ask(struct sp_image_memory *memory, bool look, const char *wanted, struct sp_boot_images *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct sp_boot_image *image = &l->v[i];
		sp_autoinitramfs struct sp_initramfs said = { 0 };

		if (look)
			sp_image_memory_look(memory, image->path, &said);
		else if (!sp_image_memory_find(memory, image->path, &said))
			continue;
		image->maker = said.maker;
		image->copy = compare(said.options, wanted);
		image->rebuild = rebuild_command(image, said.maker);
		image->options = sp_steal(said.options);
		image->why = sp_steal(said.why);
	}
}

/* --- plan, apply ------------------------------------------------------------------------------------------------------- */

static const char *member(void)
{
	return sp_dropin_kind(SP_DEST_MODPROBE)->path + 1;
}

struct sp_image_memory *sp_session_image_memory(const struct sp_session *s)
{
	return sp_image_memory_new(s->root, member());
}

/* What our modprobe.d file will say; "": there is none. Owned. */
static char *planned_options(const struct sp_plan *p)
{
	const struct sp_edit *e = sp_edits_find(&p->edits, sp_dropin_kind(SP_DEST_MODPROBE)->path);

	return e && e->after.exists ? sp_initramfs_options(&e->after.bytes, false) : sp_xstrdup("");
}

void sp_plan_images(const struct sp_session *s, struct sp_plan *p)
{
	sp_autofree char *wanted = planned_options(p);

	if (!p->boot)
		return;
	p->image_memory = sp_session_image_memory(s);
	sp_boot_images_list(s, p->boot, p->facts, &p->images);
	const bool look = s->looks_into_images && (p->pending || sp_wants_initramfs(&p->selection));
	if (look && p->images.n > 0)
		sp_progress(s, "looking into initramfs images");
	sp_boot_images_ask(p->image_memory, look, wanted, &p->images);
	sp_plan_rebuild(s, p, wanted);
}

/* --- rollback, verify --------------------------------------------------------------------------------------------------- */

/* Our file has no options: what an image has of them is what remains. */
static bool has_gone(const struct sp_session *s)
{
	sp_autobuf struct sp_buf file = { 0 };

	if (sp_root_read(s->root, sp_dropin_kind(SP_DEST_MODPROBE)->path, SP_FILE_MAX, &file, NULL) < 0)
		return !sp_root_exists(s->root, sp_dropin_kind(SP_DEST_MODPROBE)->path);
	sp_autofree char *options = sp_initramfs_options(&file, false);
	return !*options;
}

void sp_images_left(const struct sp_session *s, const struct sp_boot *boot, const struct sp_facts *f, bool look,
		    struct sp_image_memory *memory, struct sp_boot_images *ret)
{
	struct sp_boot_images all = { 0 };

	if (!boot || !has_gone(s))
		return;
	sp_boot_images_list(s, boot, f, &all);
	sp_boot_images_ask(memory, look, "", &all);
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].copy != SP_COPY_OTHER)
			continue;
		ret->v = sp_xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = all.v[i];
		all.v[i] = (struct sp_boot_image){ 0 };
	}
	sp_boot_images_clear(&all);
}

void sp_images_tell_left(const struct sp_boot_images *l, struct sp_strv *warnings, struct sp_strv *actions)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct sp_boot_image *image = &l->v[i];
		const char *command = image->rebuild ? image->rebuild : "build it anew as your distribution does";

		sp_strv_addf(warnings, "'%s' was built with our modprobe.d file in it (%s), which sizes the memory of the GPU until "
			     "the image is built anew", image->path, image->options);
		if (actions && !sp_strv_has(actions, command))
			sp_strv_add(actions, command);
	}
}
