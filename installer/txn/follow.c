/* SPDX-License-Identifier: MIT */
/*
 * Files that their owner renames by a rule, such as a boot loader that counts in their names: what was staged and published
 * under one name is looked for under the name that it has now. What waits beside it is renamed with it, so that from then on
 * the file is as if it had always had that name; cut short, the same steps follow again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/durable.h"
#include "txn/internal.h"

static bool is_there(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The one other name that it may have now, owned; NULL: none, or several. */
static char *find_name(const struct sp_strv *names, const struct sp_edit *e, const char *was, sp_same_name *same)
{
	const char *found = NULL;

	for (size_t i = 0; i < names->n; i++) {
		if (sp_streq(names->v[i], was) || !same(e, was, names->v[i]))
			continue;
		if (found)
			return NULL;
		found = names->v[i];
	}
	return sp_xstrdup(found);
}

/* The slots of any name that it had. */
static int move_slots(int dirfd, const struct sp_strv *names, const struct sp_edit *e, const char *now, sp_same_name *same)
{
	int r = 0;

	for (size_t i = 0; i < names->n && r == 0; i++)
		for (enum sp_slot s = SP_SLOT_NEW; s <= SP_SLOT_OLD && r == 0; s++) {
			sp_autofree char *was = sp_slot_target(names->v[i], s), *to = sp_slot_name(now, s);

			if (was && !sp_streq(was, now) && same(e, was, now))
				r = sp_durable_rename_new(dirfd, names->v[i], to);
		}
	return r == -EEXIST ? 0 : r; /* one of each is enough; the other one is removed with what is left */
}

/* A view of the edit with another path; owned by the transaction. */
static void take_path(struct sp_txn *t, size_t i, char *path)
{
	struct sp_edit *view = sp_xcalloc(1, sizeof(*view));

	*view = *t->edits[i];
	view->path = path;
	t->moved = sp_xrealloc(t->moved, t->n_moved + 1, sizeof(*t->moved));
	t->moved[t->n_moved++] = view;
	t->edits[i] = view;
}

static int follow(struct sp_txn *t, size_t i, sp_same_name *same)
{
	const struct sp_edit *e = t->edits[i];
	sp_autofree char *was = NULL, *folder = sp_xstrndup(e->path, (size_t) (strrchr(e->path, '/') - e->path));
	sp_autoclose int dir = sp_root_open_parent(t->store->root, e->path, &was);
	sp_autostrv struct sp_strv names = { 0 };

	if (dir < 0 || is_there(dir, was) || !e->before.exists)
		return 0; /* undoing it says what is wrong */
	int r = sp_root_list(t->store->root, folder, &names);
	sp_autofree char *now = r == 0 ? find_name(&names, e, was, same) : NULL;
	if (!now)
		return r;
	r = sp_filesystems_add(&t->filesystems, dir, e->path);
	if (r == 0)
		r = move_slots(dir, &names, e, now, same);
	if (r == 0)
		take_path(t, i, sp_xasprintf("%s/%s", folder, now));
	return r;
}

int sp_txn_follow(struct sp_txn *t, sp_same_name *same, struct sp_error **err)
{
	for (size_t i = 0; i < t->n_edits; i++) {
		int r = follow(t, i, same);
		if (r < 0)
			return sp_error_errno(err, r, "cannot follow '%s', which was renamed", t->edits[i]->path);
	}
	return 0;
}

void sp_txn_follow_clear(struct sp_txn *t)
{
	for (size_t i = 0; i < t->n_moved; i++) {
		free(t->moved[i]->path);
		free(t->moved[i]);
	}
	free(t->moved);
}
