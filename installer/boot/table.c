/* SPDX-License-Identifier: MIT */
/* The table of boot setups, and recognising the one of a tree. */
#include <errno.h>

#include "boot/internal.h"
#include "hw/partitions.h"

const struct sp_boot_ops *const sp_boot_table[] = {
	&sp_boot_grub_bls,   &sp_boot_grub_d, &sp_boot_grub_default,  &sp_boot_grub2_default,
	&sp_boot_kernelstub, &sp_boot_limine, &sp_boot_ostree,	      &sp_boot_refind,
	&sp_boot_sdbootutil, &sp_boot_sdbootutil_grub, &sp_boot_systemd_boot, &sp_boot_uki,
	NULL,
};

/* --- what is there when nothing was recognised ------------------------------------------------------------------- */

/* Signs of setups, whether or not we know what to do with them. */
static const struct {
	const char *path, *what;
} signs[] = {
	{ "/ostree/repo", "an ostree deployment" },
	{ "/sysroot/ostree/repo", "an ostree deployment" },
	{ "/run/ostree-booted", "an ostree deployment" },
	{ "/boot/loader/loader.conf", "systemd-boot" },
	{ "/efi/loader/loader.conf", "systemd-boot" },
	{ "/boot/efi/loader/loader.conf", "systemd-boot" },
	{ "/boot/EFI/Linux", "unified kernel images" },
	{ "/efi/EFI/Linux", "unified kernel images" },
	{ "/boot/efi/EFI/Linux", "unified kernel images" },
	{ "/boot/limine.conf", "Limine" },
	{ "/boot/limine/limine.conf", "Limine" },
	{ "/boot/efi/limine.conf", "Limine" },
	{ "/boot/refind_linux.conf", "rEFInd" },
	{ "/etc/kernelstub/configuration", "kernelstub" },
	{ "/etc/kernel/cmdline", "a kernel command line" },
};

bool sp_boot_is_ostree(const struct sp_root *root)
{
	for (size_t i = 0; i < SP_ELEMENTS(signs); i++)
		if (sp_streq(signs[i].what, "an ostree deployment") && sp_root_exists(root, signs[i].path))
			return true;
	return false;
}

/* How many entries there are that start a kernel. */
static int see_entries(const struct sp_root *root, struct sp_strv *found)
{
	static const char dir[] = "/boot/loader/entries";
	sp_autostrv struct sp_strv files = { 0 };
	int r = sp_entries_list(root, dir, &files, NULL);
	int n = r < 0 ? 0 : sp_entries_count(root, dir, NULL);

	if (r < 0) {
		if (sp_root_exists(root, dir))
			sp_strv_addf(found, "%s cannot be read", dir);
	} else if (files.n == 0) {
		sp_strv_addf(found, "%s is there but empty", dir);
	} else if (n == 0) {
		sp_strv_addf(found, "%zu entries in %s, but none that starts a kernel", files.n, dir);
	} else {
		sp_strv_addf(found, "%zu %s in %s", files.n, files.n == 1 ? "entry" : "entries", dir);
	}
	return n;
}

static void see_grub(const struct sp_root *root, struct sp_strv *found)
{
	sp_autogrub struct sp_grub grub = { 0 };

	if (sp_grub_open(root, &grub, NULL) < 0)
		return;
	if (grub.cfg_path)
		sp_strv_addf(found, "%s %s", grub.cfg_path,
			     grub.cfg_denied		     ? "that cannot be read"
			     : sp_grub_calls_blscfg(&grub) ? "with blscfg"
							   : "without blscfg");
	else if (found->n > 0)
		sp_strv_add(found, "no grub.cfg");
	if (grub.has_defaults && !sp_grub_enables_blscfg(&grub))
		sp_strv_add(found, SP_GRUB_DEFAULTS " without GRUB_ENABLE_BLSCFG=true");
}

static void see_signs(const struct sp_root *root, struct sp_strv *found)
{
	const char *last = NULL;

	for (size_t i = 0; i < SP_ELEMENTS(signs); i++) {
		if (sp_streq(last, signs[i].what) || !sp_root_exists(root, signs[i].path))
			continue;
		last = signs[i].what;
		sp_strv_addf(found, "%s (%s)", signs[i].what, signs[i].path);
	}
}

/* Folders of an ESP that only root may look into. */
static bool see_denied(const struct sp_root *root, struct sp_strv *found)
{
	static const char *const folders[] = { "/efi", "/boot", "/boot/efi" };
	bool any = false;

	for (size_t i = 0; i < SP_ELEMENTS(folders); i++) {
		sp_autofree char *path = sp_xasprintf("%s/loader", folders[i]);
		struct stat st;

		if (sp_root_stat(root, path, &st) != -EACCES)
			continue;
		sp_strv_addf(found, "%s that cannot be read", folders[i]);
		any = true;
	}
	return any;
}

static char *known_names(const char *between)
{
	sp_autostrv struct sp_strv names = { 0 };

	for (const struct sp_boot_ops *const *ops = sp_boot_table; *ops; ops++)
		sp_strv_addf(&names, "%s (%s)", (*ops)->name, (*ops)->title);
	return sp_strv_join(&names, between);
}

/* What no path leads to: partitions that a boot loader reads. NULL: none. Owned. */
static char *unmounted(const struct sp_root *machine)
{
	sp_autostrv struct sp_strv names = { 0 };

	if (machine)
		sp_partitions_unmounted(machine, &names);
	return names.n ? sp_strv_join(&names, ", ") : NULL;
}

static int unsupported(const struct sp_root *root, const struct sp_root *machine, const struct sp_started *started,
		       struct sp_error **err)
{
	sp_autostrv struct sp_strv found = { 0 };
	sp_autofree char *hidden = unmounted(machine);

	int n = see_entries(root, &found);
	see_grub(root, &found);
	see_signs(root, &found);
	bool denied = see_denied(root, &found);
	if (started->loader || started->stub)
		sp_strv_take(&found, sp_started_text(started));
	if (found.n == 0)
		sp_strv_add(&found, "no /boot/loader/entries, no grub.cfg, nothing else that names a command line");
	if (hidden)
		sp_strv_addf(&found, "%s not mounted", hidden);
	sp_autofree char *text = sp_strv_join(&found, "; ");
	sp_autofree char *known = known_names(", ");
	(void) sp_error_set(err, -ENOTSUP, "no boot setup that is supported was found in '%s': %s", sp_root_display(root),
			    text);
	if (denied)
		(void) sp_error_hint(err, "only root may read all of it: run this as root");
	else if (hidden)
		(void) sp_error_hint(err, "mount %s where this system has it (/efi, /boot, /boot/efi), and repeat the command", hidden);
	else if (n > 0)
		(void) sp_error_hint(err, "supported: %s; if GRUB's menu shows these entries all the same, say --boot %s",
				     known, sp_boot_grub_bls.name);
	else
		(void) sp_error_hint(err, "supported: %s", known);
	(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	return -ENOTSUP;
}

/* --- recognise --------------------------------------------------------------------------------------------------- */

static int by_name(const struct sp_root *root, const char *name, struct sp_boot *boot, struct sp_error **err)
{
	for (const struct sp_boot_ops *const *ops = sp_boot_table; *ops; ops++) {
		if (!sp_streq((*ops)->name, name))
			continue;
		boot->ops = *ops;
		int r = (*ops)->probe(root, &boot->seen, err);
		if (r == 0)
			sp_strv_addf(&boot->seen, "it was named (%s), not recognised", name);
		return r < 0 ? r : 0;
	}
	sp_autofree char *known = known_names(", ");
	(void) sp_error_set(err, -EINVAL, "unknown boot setup '%s'", name);
	(void) sp_error_hint(err, "known: %s", known);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	return -EINVAL;
}

/* A setup that the tree has, and what was seen of it. */
struct candidate {
	const struct sp_boot_ops *ops;
	struct sp_strv seen;
};
struct candidates {
	struct candidate v[16];
	size_t n;
};

static void candidates_clear(struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		sp_strv_clear(&c->v[i].seen);
}

static int probe_all(const struct sp_root *root, struct candidates *ret, struct sp_error **err)
{
	_Static_assert(SP_ELEMENTS(sp_boot_table) - 1 <= SP_ELEMENTS(ret->v), "one candidate a setup");

	for (const struct sp_boot_ops *const *ops = sp_boot_table; *ops; ops++) {
		struct candidate *c = &ret->v[ret->n];
		int r = (*ops)->probe(root, &c->seen, err);

		if (r > 0) {
			c->ops = *ops;
			ret->n++;
		} else {
			sp_strv_clear(&c->seen);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Leave those that the evidence is for, or else those that it is not against, if there are any. */
static void keep_started(struct candidates *c, const struct sp_started *s,
			 int (*verdict)(const struct sp_started *s, const char *loader))
{
	int best = -1;
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++) {
		const int v = verdict(s, c->v[i].ops->loader);
		best = v > best ? v : best;
	}
	for (size_t i = 0; i < c->n; i++) {
		if (verdict(s, c->v[i].ops->loader) == best)
			c->v[kept++] = c->v[i];
		else
			sp_strv_clear(&c->v[i].seen);
	}
	c->n = kept;
}

static int ambiguous(const struct candidates *c, const struct sp_started *started, struct sp_error **err)
{
	sp_autostrv struct sp_strv texts = { 0 }, options = { 0 };

	for (size_t i = 0; i < c->n; i++) {
		sp_autofree char *seen = sp_strv_join(&c->v[i].seen, ", ");
		sp_strv_addf(&texts, "%s (%s)", c->v[i].ops->name, seen);
		sp_strv_addf(&options, "--boot %s", c->v[i].ops->name);
	}
	if (started->loader || started->stub)
		sp_strv_take(&texts, sp_started_text(started));
	sp_autofree char *all = sp_strv_join(&texts, " and "), *hint = sp_strv_join(&options, " or ");
	(void) sp_error_set(err, -ENOTSUP, "%zu boot setups are there that cannot be told apart: %s", c->n, all);
	(void) sp_error_hint(err, "say which one starts this system: %s", hint);
	(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	return -ENOTSUP;
}

/* It is there, and something else started this system: what that reads would not be changed. */
static int not_started(const struct candidate *c, const struct sp_root *machine, const struct sp_started *started,
		       struct sp_error **err)
{
	sp_autofree char *seen = sp_strv_join(&c->seen, ", "), *why = sp_started_text(started), *hidden = unmounted(machine);

	(void) sp_error_set(err, -ENOTSUP, "the boot setup that is there is %s (%s), but it did not start this system: %s",
			    c->ops->name, seen, why);
	if (hidden)
		(void) sp_error_hint(err, "mount what the boot loader reads (%s), or, if this one starts the system all the same, say "
				     "--boot %s", hidden, c->ops->name);
	else if (started->partition)
		(void) sp_error_hint(err, "mount what the boot loader reads (it is on the partition with the PARTUUID %s), or, "
				     "if this one starts the system all the same, say --boot %s",
				     started->partition, c->ops->name);
	else
		(void) sp_error_hint(err, "if it starts the system all the same, say --boot %s", c->ops->name);
	(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	return -ENOTSUP;
}

/*
 * A boot manager that leaves its name may have started GRUB, which not every version of writes over it. And a kernel that
 * GRUB's menu is for may be started without it, and then has no BOOT_IMAGE=.
 */
static bool is_refuted(const struct sp_boot_ops *ops, const struct sp_started *s)
{
	const int by = sp_started_by(s, ops->loader), like = sp_started_like(s, ops->loader);
	const bool by_grub = sp_started_like(s, sp_boot_grub_bls.loader) > 0;

	return by < 0 ? like <= 0 : by == 0 && like < 0 && by_grub;
}

static int recognise(const struct sp_root *root, const struct sp_root *machine, struct sp_boot *boot, struct sp_error **err)
{
	sp_cleanup(candidates_clear) struct candidates c = { 0 };
	int r = probe_all(root, &c, err);

	if (r < 0)
		return r;
	if (c.n > 1)
		keep_started(&c, &boot->started, sp_started_by);
	if (c.n > 1)
		keep_started(&c, &boot->started, sp_started_like);
	if (c.n == 0)
		return unsupported(root, machine, &boot->started, err);
	if (c.n > 1)
		return ambiguous(&c, &boot->started, err);
	if (is_refuted(c.v[0].ops, &boot->started))
		return not_started(&c.v[0], machine, &boot->started, err);
	boot->ops = c.v[0].ops;
	sp_strv_copy(&boot->seen, &c.v[0].seen);
	if (sp_started_by(&boot->started, boot->ops->loader) > 0)
		sp_strv_take(&boot->seen, sp_started_text(&boot->started));
	return 0;
}

int sp_boot_read(const struct sp_root *root, const struct sp_root *machine, const char *name, struct sp_boot **ret,
		 struct sp_error **err)
{
	sp_autoboot struct sp_boot *boot = sp_xcalloc(1, sizeof(*boot));

	sp_started_read(machine, &boot->started);
	int r = name ? by_name(root, name, boot, err) : recognise(root, machine, boot, err);
	if (r == 0)
		r = boot->ops->read(root, boot, err);
	if (r == 0)
		*ret = sp_steal(boot);
	return r;
}

void sp_boot_free(struct sp_boot *boot)
{
	if (!boot)
		return;
	sp_entries_clear(boot);
	sp_places_clear(boot);
	sp_sources_clear(boot);
	sp_started_clear(&boot->started);
	sp_strv_clear(&boot->seen);
	sp_strv_clear(&boot->warnings);
	free(boot->entries_why);
	sp_error_free(boot->refusal);
	free(boot->root_arg);
	free(boot);
}

const struct sp_entry *sp_boot_default(const struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_entries; i++)
		if (boot->entries[i].by_default)
			return &boot->entries[i];
	return NULL;
}
