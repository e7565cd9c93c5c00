/* SPDX-License-Identifier: MIT */
/* Entries whose boot loader renames them, and where they are now. */
#include "engine/internal.h"
#include "format/bls.h"

/* Only systemd-boot counts in the names of its entries: elsewhere a "+2" is a part of the kernel's version. */
static bool is_counted(const struct sp_edit *e)
{
	sp_autonote struct sp_note note = { 0 };

	if (!e->note || sp_note_from_json(e->note, &note, NULL) < 0)
		return false;
	return note.n_lines > 0 && note.lines[0].host.kind == SP_HOST_BLS_ALL;
}

bool sp_is_same_entry(const struct sp_edit *e, const char *was, const char *now)
{
	return sp_bls_same_name(was, now) && is_counted(e);
}

/* The one other entry beside it that has its name but for the counter, owned; NULL: none, or several. */
static char *find_renamed(const struct sp_root *root, const struct sp_edit *e)
{
	const char *was = strrchr(e->path, '/') + 1;
	sp_autofree char *folder = sp_xstrndup(e->path, (size_t) (was - 1 - e->path));
	sp_autostrv struct sp_strv names = { 0 };
	const char *found = NULL;
	size_t n = 0;

	if (!is_counted(e) || sp_root_list(root, folder, &names) < 0)
		return NULL;
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.' && sp_bls_same_name(was, names.v[i])) {
			found = names.v[i];
			n++;
		}
	return n == 1 ? sp_xasprintf("%s/%s", folder, found) : NULL;
}

char *sp_path_now(const struct sp_root *root, const struct sp_edit *e)
{
	char *now = sp_root_exists(root, e->path) ? NULL : find_renamed(root, e);

	if (now)
		return now;
	return sp_root_resolve(root, e->path, &now) < 0 ? sp_xstrdup(e->path) : now;
}
