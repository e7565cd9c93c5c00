/* SPDX-License-Identifier: MIT */
/*
 * Boot setups whose line is put together from several files by a generator. What others say there is read and not
 * changed: what stands in front of ours, ours wins over; what stands behind it wins over ours. Some of these setups have
 * a file that is ours altogether.
 */
#include <errno.h>

#include "engine/internal.h"

/* BOOT_IMAGE= and the device in front of the kernel's path. */
enum { LOADER_EXTRA = 64 };

static bool is_of_line(const struct sp_decision *d)
{
	return d->setting->dest == SP_DEST_CMDLINE && d->ours;
}

static bool was_ours(const struct sp_plan *p, const struct sp_decision *d)
{
	for (size_t i = 0; i < p->applied.n_settings; i++)
		if (sp_streq(p->applied.settings[i].id, d->setting->id))
			return p->applied.settings[i].ours;
	return false;
}

/* "/etc/default/grub:7"; "/efi/EFI/Linux/arch.efi". Owned. */
static char *where_of(const struct sp_source *source)
{
	return source->line ? sp_xasprintf("%s:%u", source->path, source->line) : sp_xstrdup(source->path);
}

static void look_in_front(struct sp_plan *p, struct sp_decision *d)
{
	const struct sp_source *source = sp_source_before(p->boot, d->key);
	sp_autofree char *value = source && !sp_key_is_multi(d->key) ? sp_cmdline_value(source->text, d->key) : NULL;

	if (!value)
		return;
	sp_autofree char *where = where_of(source);
	if (!sp_streq(value, d->value)) {
		sp_strv_addf(&p->warnings, "%s says '%s=%s'; it stays there, and ours is read later and wins", where, d->key, value);
	} else if (!was_ours(p, d) && !sp_strv_has(&p->selection.replace, d->setting->id)) {
		free(d->reason);
		d->reason = sp_xasprintf("%s already says so", where);
		d->state = SP_DECIDE_OK;
		d->ours = false;
	}
}

static bool can_take_out(const struct sp_boot *boot, const char *token)
{
	for (size_t i = 0; i < boot->n_places; i++) {
		const struct sp_place *place = &boot->places[i];
		const enum sp_presence now = place->only_displaced ? sp_cmdline_presence(place->line, token) : SP_ABSENT;
		if (now != SP_ABSENT && now != SP_OTHER)
			return true;
	}
	return false;
}

/* --replace takes out what stands against ours, where it stands in so many words. */
static void look_for_displaced(struct sp_plan *p, const struct sp_decision *d)
{
	const struct sp_entry *e = sp_boot_default(p->boot);

	for (size_t i = 0; e && i < d->setting->conflicts.n; i++) {
		const char *token = d->setting->conflicts.v[i];
		const enum sp_presence now = sp_cmdline_presence(e->line, token);
		if (now != SP_ABSENT && now != SP_OTHER && !can_take_out(p->boot, token))
			sp_strv_addf(&p->warnings, "'%s' stands against %s and is not taken out: no file that can be changed says "
				     "it in so many words", token, d->setting->id);
	}
}

void sp_sources_decide(struct sp_plan *p)
{
	for (size_t i = 0; i < p->n_decisions; i++) {
		struct sp_decision *d = &p->decisions[i];
		if (is_of_line(d))
			look_in_front(p, d);
		if (is_of_line(d) && sp_strv_has(&p->selection.replace, d->setting->id))
			look_for_displaced(p, d);
	}
}

static void look_behind(const struct sp_plan *p, struct sp_decision *d)
{
	const struct sp_source *source = sp_source_behind(p->boot, d->key);
	sp_autofree char *value = source ? sp_cmdline_value(source->text, d->key) : NULL;

	if (!source || sp_streq(value, d->value) || (value && sp_key_is_multi(d->key)))
		return;
	free(d->reason);
	d->state = SP_DECIDE_SHADOWED;
	d->reason = value ? sp_xasprintf("%s:%u sets it to '%s' and is read after ours", source->path, source->line, value) :
			    sp_xasprintf("%s:%u assigns the whole variable anew and is read after ours", source->path,
					 source->line);
}

void sp_sources_shadows(struct sp_plan *p)
{
	for (size_t i = 0; i < p->n_decisions; i++)
		if (is_of_line(&p->decisions[i]))
			look_behind(p, &p->decisions[i]);
}

/* A line that a kernel would cut off is refused before it is written. */
static int check_length(const struct sp_plan *p, const struct sp_entry *e, struct sp_error **err)
{
	size_t n = LOADER_EXTRA + strlen(e->line) + strlen(e->linux_path), added = 0;

	for (size_t i = 0; i < p->n_decisions; i++) {
		const struct sp_decision *d = &p->decisions[i];
		sp_autofree char *token = is_of_line(d) ? sp_xasprintf("%s=%s", d->key, d->value) : NULL;
		if (token && sp_cmdline_presence(e->line, token) == SP_ABSENT)
			added += strlen(token) + 1;
	}
	if (added == 0 || n + added < SP_CMDLINE_MAX)
		return 0;
	(void) sp_error_set(err, -E2BIG, "the command line of '%s' would be %zu bytes long, and a kernel reads %zu", e->title,
			    n + added, SP_CMDLINE_MAX - 1);
	return sp_error_hint(err, "take arguments out of it that are not needed");
}

int sp_own_file_plan(const struct sp_session *s, struct sp_plan *p, struct sp_error **err)
{
	sp_autofree struct sp_dropin_line *lines = sp_xcalloc(p->n_decisions, sizeof(*lines));
	sp_autobuf struct sp_buf text = { 0 };
	struct sp_edit *edit = NULL;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < p->n_decisions; i++) {
		const struct sp_decision *d = &p->decisions[i];
		if (is_of_line(d) && !p->boot->own_file_idle)
			lines[n++] = (struct sp_dropin_line){ d->setting->id, d->setting->summary, d->key, d->value };
	}
	for (size_t i = 0; i < p->boot->n_entries && r == 0; i++)
		if (p->boot->entries[i].ours && !p->boot->entries[i].rescue)
			r = check_length(p, &p->boot->entries[i], err);
	if (r < 0)
		return r;
	p->boot->ops->render(lines, n, &text);
	return sp_plan_whole_file(s, p, p->boot->ops->own_file, &text, &edit, err);
}
