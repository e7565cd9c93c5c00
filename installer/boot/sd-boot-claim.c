/* SPDX-License-Identifier: MIT */
/*
 * Which of systemd-boot's entries are this system's, and the places of its line. kernel-install names entries by the
 * entry-token or the machine-id. People and installers of some distributions name them as they like: such an entry is
 * this system's when its root= is, and that is known from elsewhere (/etc/kernel/cmdline, the running kernel).
 */
#include <ctype.h>
#include <errno.h>

#include "boot/internal.h"

/* --- whose ------------------------------------------------------------------------------------------------------- */

static void add_root(struct sp_sd_boot *rd, const char *line)
{
	sp_autofree char *value = line ? sp_cmdline_value(line, "root") : NULL;

	if (value && !sp_strv_has(&rd->roots, value))
		sp_strv_add(&rd->roots, value);
}

static void find_roots(struct sp_sd_boot *rd)
{
	const struct sp_entry *own = sp_entries_own(rd->boot);

	add_root(rd, rd->future);
	add_root(rd, rd->boot->started.cmdline);
	rd->proven = rd->roots.n > 0;
	if (!rd->future && own)
		add_root(rd, own->line);
}

/* "0123456789abcdef0123456789abcdef-..." is named by a machine-id. */
static bool is_named_by_id(const struct sp_entry *e)
{
	return strspn(e->id, "0123456789abcdefABCDEF") == 32 && e->id[32] == '-';
}

/* Two systems on one btrfs have the same root=, and differ in this. */
static bool has_other_flags(const struct sp_sd_boot *rd, const struct sp_entry *e)
{
	const char *line = rd->boot->started.cmdline ? rd->boot->started.cmdline : rd->future;
	sp_autofree char *here = line ? sp_cmdline_value(line, "rootflags") : NULL;
	sp_autofree char *there = sp_cmdline_value(e->line, "rootflags");

	return here && there ? !sp_streq(here, there) : here || there;
}

static char *why_not(const struct sp_sd_boot *rd, const struct sp_entry *e)
{
	sp_autofree char *value = sp_cmdline_value(e->line, "root");
	sp_autofree char *ours = sp_strv_join(&rd->roots, " or root=");

	if (!value)
		return sp_xstrdup("it has no root=");
	if (!e->named && e->machine_id && rd->machine_id && !sp_streq(e->machine_id, rd->machine_id))
		return sp_xasprintf("it says that it is the system with the machine-id %s", e->machine_id);
	if (!e->named && (is_named_by_id(e) || !rd->proven))
		return sp_xstrdup("its name does not begin with this system's id");
	if (rd->roots.n > 0 && !sp_strv_has(&rd->roots, value))
		return sp_xasprintf("its root=%s is not this system's root=%s", value, ours);
	if (!e->named && has_other_flags(rd, e))
		return sp_xstrdup("its rootflags= are not this system's");
	return NULL;
}

/* Of those that were refused, the one that is most likely meant. */
static const struct sp_entry *nearest(const struct sp_boot *boot)
{
	const struct sp_entry *found = NULL;

	for (size_t i = 0; i < boot->n_entries; i++) {
		const struct sp_entry *e = &boot->entries[i];

		if (e->why && !e->rescue && (!found || (e->named && !found->named)))
			found = e;
	}
	return found;
}

static int none_is_ours(const struct sp_sd_boot *rd, struct sp_error **err)
{
	const struct sp_entry *e = nearest(rd->boot);

	if (e)
		(void) sp_error_set(err, -ENOENT, "no boot entry is this system's; '%s': %s", e->path, e->why);
	else
		(void) sp_error_set(err, -ENOENT, "only a rescue entry is this system's");
	(void) sp_error_path(err, e ? e->path : rd->boot->entries[0].path);
	return sp_error_hint(err, "this system's begin with the id in /etc/machine-id or /etc/kernel/entry-token, or have the "
			     "root= of " SP_FUTURE " or of the running kernel");
}

int sp_sd_boot_claim(struct sp_sd_boot *rd, struct sp_error **err)
{
	const struct sp_entry *first = NULL;

	if (sp_root_read_line(rd->root, "/etc/machine-id", &rd->machine_id) < 0)
		rd->machine_id = NULL;
	find_roots(rd);
	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		struct sp_entry *e = &rd->boot->entries[i];

		if (!e->why)
			e->why = why_not(rd, e);
		e->ours = !e->why;
		if (sp_entry_changes(e) && (!first || e->by_default))
			first = e;
	}
	if (!first)
		return none_is_ours(rd, err);
	sp_autofree char *value = sp_cmdline_value(first->line, "root");
	rd->boot->root_arg = sp_xasprintf("root=%s", value);
	return 0;
}

/* --- places ------------------------------------------------------------------------------------------------------ */

/* The loader adds " initrd=" with a path each. */
static size_t extra_of(const struct sp_entry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->initrd.n; i++)
		n += strlen(" initrd=") + strlen(e->initrd.v[i]);
	return n;
}

/* The entry that this system boots: the default where it is ours. */
static const struct sp_entry *booted(const struct sp_boot *boot)
{
	const struct sp_entry *found = NULL;

	for (size_t i = 0; i < boot->n_entries; i++)
		if (sp_entry_changes(&boot->entries[i]) && (!found || boot->entries[i].by_default))
			found = &boot->entries[i];
	return found;
}

/* Where nothing says that kernel-install makes the entries here, no file is made for it. */
static bool is_used(const struct sp_sd_boot *rd)
{
	bool named = false;

	for (size_t i = 0; i < rd->boot->n_entries; i++)
		named = named || (rd->boot->entries[i].ours && rd->boot->entries[i].named);
	return named || rd->future;
}

static int add_future(const struct sp_sd_boot *rd, struct sp_error **err)
{
	const struct sp_entry *e = booted(rd->boot);
	/* Where entries are named by the machine-id, kernel-install adds it to the line, too. */
	sp_autofree char *id = rd->machine_id ? sp_xasprintf("systemd.machine_id=%s", rd->machine_id) : NULL;
	const bool by_id = id && sp_startswith(e->id, rd->machine_id);
	const struct sp_future f = {
		.line = rd->future, .booted = e->line, .but = by_id ? id : NULL,
		.extra = extra_of(e) + (by_id ? 1 + strlen(id) : 0),
	};

	return is_used(rd) ? sp_future_add(rd->root, rd->boot, &f, err) : 0;
}

int sp_sd_boot_add_places(const struct sp_sd_boot *rd, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_BLS_ALL };
	int r = add_future(rd, err);

	for (size_t i = 0; i < rd->boot->n_entries && r == 0; i++) {
		const struct sp_entry *e = &rd->boot->entries[i];

		if (!sp_entry_changes(e))
			continue;
		struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_ENTRY, &host, e->path);
		p->line = sp_xstrdup(e->options);
		p->create = e->options ? NULL : sp_xstrdup(e->line);
		p->extra = extra_of(e);
	}
	return r;
}
