/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

struct sp_moment sp_moment_begin(const struct sp_session *s)
{
	return (struct sp_moment){ .session = s, .root = sp_root_remember(s->root), .machine = sp_root_remember(s->machine) };
}

void sp_moment_end(struct sp_moment *m)
{
	if (m->root)
		sp_root_forget(m->session->root);
	if (m->machine)
		sp_root_forget(m->session->machine);
}
