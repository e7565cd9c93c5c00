/* SPDX-License-Identifier: MIT */
/* After publishing: do the entries of this system hold what they must? For setups whose entries are edited. */
#include <errno.h>

#include "boot/internal.h"
#include "format/bls.h"

static int check_line(const char *path, const char *line, const struct sp_tokens *wanted, bool alone, struct sp_error **err)
{
	for (size_t i = 0; i < wanted->n; i++) {
		enum sp_presence p = sp_cmdline_presence(line, wanted->v[i].text);

		/* A variable may hold the key, too: it is enough then that ours wins. */
		if (p != SP_PRESENT && (alone || p != SP_EFFECTIVE))
			return sp_error_set(err, -EBADMSG, "'%s': '%s' is not in effect on its line", path,
					    wanted->v[i].text);
	}
	return 0;
}

/*
 * One of ours that lost its root= would not count as ours any more: it is known by our tokens, all of them. One or two
 * of them may stand in any entry.
 */
static int check_root(const struct sp_entry *e, const struct sp_tokens *wanted, struct sp_error **err)
{
	sp_autofree char *root = sp_cmdline_value(e->line, "root");

	if (root || !e->named || e->rescue || wanted->n == 0)
		return 0;
	for (size_t i = 0; i < wanted->n; i++) {
		enum sp_presence p = sp_cmdline_presence(e->line, wanted->v[i].text);

		if (p != SP_PRESENT && p != SP_EFFECTIVE)
			return 0;
	}
	return sp_error_set(err, -EBADMSG, "'%s' has no root=, so it would not boot", e->path);
}

static int check_entry(const struct sp_entry *e, const struct sp_tokens *wanted, struct sp_error **err)
{
	int r = check_root(e, wanted, err);

	return r < 0 || !sp_entry_changes(e) ? r : check_line(e->path, e->line, wanted, false, err);
}

static int check_place(const struct sp_place *p, const struct sp_tokens *wanted, struct sp_error **err)
{
	if (p->role != SP_PLACE_ENTRY || !p->line || p->skip)
		return 0;
	if (p->bad_length && wanted->n > 0 && sp_bls_bad_length(p->linux_path, p->line))
		return sp_error_set(err, -EBADMSG, "'%s' has a length that this machine's GRUB cannot boot", p->path);
	return check_line(p->path, p->line, wanted, true, err);
}

int sp_entries_check(const struct sp_boot *boot, const struct sp_tokens *wanted, struct sp_error **err)
{
	int r = 0;

	for (size_t i = 0; i < boot->n_entries && r == 0; i++)
		r = check_entry(&boot->entries[i], wanted, err);
	for (size_t i = 0; i < boot->n_places && r == 0; i++)
		r = check_place(&boot->places[i], wanted, err);
	return r;
}
