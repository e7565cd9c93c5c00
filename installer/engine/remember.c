/* SPDX-License-Identifier: MIT */
/* Under apply's lock: keep what module files said, for everybody's next look (hw/remembered.h). */
#include <fcntl.h>

#include "base/durable.h"
#include "engine/internal.h"
#include "hw/remembered.h"

void sp_remember_modules(const struct sp_session *s, const struct sp_facts *facts, struct sp_strv *warnings)
{
	sp_autofree char *text = sp_facts_learned(facts);

	if (!text)
		return;
	sp_autoclose int dir = sp_root_openat(s->root, SP_REMEMBERED_DIR, O_RDONLY | O_DIRECTORY);
	int r = dir < 0 ? dir : sp_durable_replace(dir, SP_REMEMBERED_NAME, text, strlen(text), 0644, SP_SYNC_NOW);
	if (r < 0)
		sp_strv_addf(warnings, "cannot write '%s/%s', so modules will be asked again: %s", SP_REMEMBERED_DIR,
			     SP_REMEMBERED_NAME, strerror(-r));
}
