/* SPDX-License-Identifier: MIT */
/* Under the lock: keep what module files and images said, for everybody's next look (hw/remembered.h, hw/images.h). */
#include <fcntl.h>

#include "base/durable.h"
#include "engine/internal.h"
#include "hw/remembered.h"

static void keep(const struct sp_session *s, const char *name, const char *text, const char *what, struct sp_strv *warnings)
{
	sp_autoclose int dir = sp_root_openat(s->root, SP_REMEMBERED_DIR, O_RDONLY | O_DIRECTORY);
	int r = dir < 0 ? dir : sp_durable_replace(dir, name, text, strlen(text), 0644, SP_SYNC_NOW);

	if (r < 0)
		sp_strv_addf(warnings, "cannot write '%s/%s', so %s will be asked again: %s", SP_REMEMBERED_DIR, name, what,
			     strerror(-r));
}

void sp_remember_modules(const struct sp_session *s, const struct sp_facts *facts, struct sp_strv *warnings)
{
	sp_autofree char *text = sp_facts_learned(facts);

	if (text)
		keep(s, SP_REMEMBERED_NAME, text, "modules", warnings);
}

void sp_remember_images(const struct sp_session *s, const struct sp_image_memory *memory, struct sp_strv *warnings)
{
	sp_autofree char *text = memory ? sp_image_memory_text(memory) : NULL;

	if (text)
		keep(s, SP_IMAGES_NAME, text, "images", warnings);
}
