/* SPDX-License-Identifier: MIT */
/* Initramfs images: what each has of our modprobe.d file. */
#include "report/internal.h"

json_t *sp_json_images(const struct sp_boot_images *l)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct sp_boot_image *image = &l->v[i];
		json_t *o = json_object();

		sp_json_put(o, "path", sp_json_text(image->path));
		sp_json_put(o, "kernel", sp_json_text(image->kernel));
		sp_json_put(o, "default", json_boolean(image->by_default));
		sp_json_put(o, "copy", sp_json_text(sp_copy_name(image->copy)));
		sp_json_put(o, "options", sp_json_text(image->options));
		sp_json_put(o, "reason", sp_json_text(image->why));
		sp_json_put(o, "rebuild", sp_json_text(image->rebuild));
		(void) json_array_append_new(array, o);
	}
	return array;
}

static char *copy_text(const struct sp_boot_image *image)
{
	switch (image->copy) {
	case SP_COPY_UNCHECKED:
		break;
	case SP_COPY_UNREADABLE:
		return sp_xasprintf("%s: cannot be read: %s", image->path, image->why);
	case SP_COPY_NONE:
		return sp_xasprintf("%s: no copy of our modprobe.d file in it", image->path);
	case SP_COPY_SAME:
		return sp_xasprintf("%s: has our modprobe.d file as it is to be", image->path);
	case SP_COPY_OTHER:
		return sp_xasprintf("%s: has an older copy of our modprobe.d file (%s), which our command line wins over", image->path,
				    image->options);
	}
	return sp_xasprintf("%s: not checked", image->path);
}

void sp_report_images(struct sp_report *r, const struct sp_boot_images *l)
{
	sp_autostrv struct sp_strv lines = { 0 };

	for (size_t i = 0; i < l->n; i++)
		sp_strv_take(&lines, copy_text(&l->v[i]));
	sp_section(r, "Initramfs", &lines);
}
