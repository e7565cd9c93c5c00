/* SPDX-License-Identifier: MIT */
/* The places of the setup grub-bls, in the order in which they must be published. */
#include <errno.h>

#include "boot/internal.h"
#include "format/bls.h"

/* GRUB puts "BOOT_IMAGE=(device)path" in front; the longest device that is likely. */
#define BOOT_IMAGE "BOOT_IMAGE=(hd15,gpt128) "

/* --- /etc/default/grub --------------------------------------------------------------------------------------------- */

static int add_generator(const struct sp_grub_bls *rd, const char *var, bool only_remove, struct sp_error **err)
{
	const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) var };
	sp_autoerror struct sp_error *why = NULL;
	sp_autofree char *line = NULL;
	int r = sp_host_get(&host, &rd->grub->defaults, &line, &why);

	if (r < 0 && r != -ENOENT && r != -EOPNOTSUPP) {
		(void) sp_error_wrap(&why, SP_GRUB_DEFAULTS);
		(void) sp_error_path(&why, SP_GRUB_DEFAULTS);
		return sp_boot_fail(err, &why);
	}
	if (r == -ENOENT && only_remove)
		return 0;
	struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_GENERATOR, &host, SP_GRUB_DEFAULTS);
	p->only_remove = only_remove;
	p->line = sp_steal(line);
	p->skip = r == -EOPNOTSUPP ? sp_xasprintf("%s: %s", var, why->message) : NULL;
	return r == -EOPNOTSUPP;
}

/* What is not added to the one variable must not be taken out of the other either. */
static int add_generators(const struct sp_grub_bls *rd, struct sp_error **err)
{
	int r = rd->grub->has_defaults ? add_generator(rd, "GRUB_CMDLINE_LINUX", false, err) : 1;

	if (r == 0)
		r = add_generator(rd, "GRUB_CMDLINE_LINUX_DEFAULT", true, err);
	return r < 0 ? r : 0;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool names_kernelopts(const struct sp_entry *e)
{
	static const char bare[] = "$kernelopts", braced[] = "${kernelopts}";

	if (!e->options)
		return false;
	for (const char *s = strchr(e->options, '$'); s; s = strchr(s + 1, '$')) {
		bool escaped = s > e->options && s[-1] == '\\';

		if (!escaped && (sp_startswith(s, braced) || (sp_startswith(s, bare) && !is_name_char(s[strlen(bare)]))))
			return true;
	}
	return false;
}

static size_t extra_of(const struct sp_entry *e)
{
	size_t written = e->options ? strlen(e->options) : 0, booted = strlen(e->line);

	return strlen(BOOT_IMAGE) + strlen(e->linux_path) + (booted > written && e->options ? booted - written : 0);
}

static int add_kernelopts(const struct sp_grub_bls *rd, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_GRUBENV, .var = (char *) "kernelopts" };
	size_t extra = 0;
	bool used = false;

	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		const struct sp_entry *e = &rd->boot->entries[i];
		if (!sp_entry_changes(e) || !names_kernelopts(e))
			continue;
		used = true;
		extra = strlen(BOOT_IMAGE) + strlen(e->linux_path);
	}
	if (!used)
		return 0;
	if (!rd->grub->env_path) {
		(void) sp_error_set(err, -ENOENT, "entries name $kernelopts, but there is no grubenv in '%s'",
				    rd->grub->dir ? rd->grub->dir : "/boot/grub2");
		return sp_error_hint(err, "grub2-editenv - create writes one");
	}
	struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_ENTRY, &host, rd->grub->env_path);
	p->line = sp_grub_env(rd->grub, "kernelopts");
	p->create = p->line ? NULL : sp_grub_cfg_set(rd->grub, "kernelopts");
	p->extra = extra;
	return 0;
}

static int add_future(const struct sp_grub_bls *rd, struct sp_error **err)
{
	const struct sp_entry *e = sp_entries_own(rd->boot);
	const struct sp_future f = { .line = rd->future, .booted = e ? e->line : NULL, .extra = strlen(BOOT_IMAGE) };

	return sp_future_add(rd->root, rd->boot, &f, err);
}

static void add_entries(const struct sp_grub_bls *rd)
{
	static const struct sp_host host = { .kind = SP_HOST_BLS };
	bool bug = sp_grub_has_length_bug(rd->root);

	for (size_t i = 0; i < rd->boot->n_entries; i++) {
		const struct sp_entry *e = &rd->boot->entries[i];

		if (bug && e->linux_path && sp_bls_bad_length(e->linux_path, e->line))
			sp_strv_addf(&rd->boot->warnings, "'%s': this machine's GRUB cannot boot an entry of exactly this "
				     "length; one blank more in its options line mends it", e->path);
		if (!sp_entry_changes(e) || names_kernelopts(e))
			continue;
		struct sp_place *p = sp_place_add(rd->root, rd->boot, SP_PLACE_ENTRY, &host, e->path);
		p->line = sp_xstrdup(e->options);
		p->create = e->options ? NULL : sp_xstrdup(e->line);
		p->extra = extra_of(e);
		p->linux_path = sp_xstrdup(e->linux_path);
		p->bad_length = bug;
	}
}

int sp_grub_bls_read_places(const struct sp_grub_bls *rd, struct sp_error **err)
{
	int r = add_generators(rd, err);

	if (r == 0)
		r = add_kernelopts(rd, err);
	if (r == 0)
		r = add_future(rd, err);
	if (r == 0)
		add_entries(rd);
	return r;
}
