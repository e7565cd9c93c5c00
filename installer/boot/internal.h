/* SPDX-License-Identifier: MIT */
/* Inside of boot/: what setups share. */
#pragma once

#include "boot/boot.h"
#include "format/grubcfg.h"

extern const struct sp_boot_ops sp_boot_grub_bls;
extern const struct sp_boot_ops sp_boot_grub_d;
extern const struct sp_boot_ops sp_boot_grub_default;
extern const struct sp_boot_ops sp_boot_grub2_default;
extern const struct sp_boot_ops sp_boot_refind;

/* Hand an error over to the caller; returns its code. */
static inline int sp_boot_fail(struct sp_error **err, struct sp_error **why)
{
	int code = (*why)->code;

	if (err) {
		sp_error_free(*err);
		*err = sp_steal(*why);
	}
	return code;
}

/* --- entries.c: Boot Loader Specification entries of a folder ---------------------------------------------------- */

/* File names of entries ("*.conf"), sorted by name. -ENOENT: no such folder. */
int sp_entries_list(const struct sp_root *root, const char *dir, struct sp_strv *ret, struct sp_error **err) sp_must_check;
/* How many of them start a Linux kernel; one that cannot be read counts, so that reading it gives the error. */
int sp_entries_count(const struct sp_root *root, const char *dir, struct sp_error **err) sp_must_check;
/*
 * Fill boot->entries, in the order of GRUB's menu; `line`, `ours` and `by_default` are left to the setup. One of this
 * system's that cannot be understood is an error, a foreign one says so in `why`. -ENXIO: nothing says which are this
 * system's.
 */
int sp_entries_read(const struct sp_root *root, const char *dir, struct sp_boot *boot, struct sp_error **err) sp_must_check;
/* By id (with ".conf", too), title, or number in the menu; NULL: none. */
struct sp_entry *sp_entries_by_name(const struct sp_boot *boot, const char *name);
/* Set `ours` of the named ones whose root= is root_value (NULL: any root= will do), and `why` of the others. */
void sp_entries_claim(struct sp_boot *boot, const char *root_value);
void sp_entries_clear(struct sp_boot *boot);

/* --- places.c ---------------------------------------------------------------------------------------------------- */

/* A new place (borrowed until the next one); the path is resolved. An existing file's line is set by the caller. */
struct sp_place *sp_place_add(const struct sp_root *root, struct sp_boot *boot, enum sp_place_role role,
			      const struct sp_host *host, const char *path);
void sp_places_clear(struct sp_boot *boot);

/* --- sources.c --------------------------------------------------------------------------------------------------- */

/* A new source (borrowed until the next one). */
struct sp_source *sp_source_add(struct sp_boot *boot, const char *path);
void sp_sources_clear(struct sp_boot *boot);

/* --- grub.c: what GRUB itself reads ------------------------------------------------------------------------------ */

#define SP_GRUB_DEFAULTS "/etc/default/grub"
#define SP_GRUB_CFG	 "/boot/grub/grub.cfg"
#define SP_GRUB2_CFG	 "/boot/grub2/grub.cfg"

struct sp_grub {
	const char *dir; /* "/boot/grub2" or "/boot/grub"; NULL: neither */
	char *env_path;	 /* NULL: there is none */
	char *cfg_path;
	bool cfg_denied; /* grub.cfg is there, but not for us to read */
	bool has_defaults;
	struct sp_buf env, cfg, defaults;
	struct sp_strv kept; /* values given out by sp_grub_lookup() */
};
int sp_grub_open(const struct sp_root *root, struct sp_grub *ret, struct sp_error **err) sp_must_check;
void sp_grub_close(struct sp_grub *grub);
#define sp_autogrub sp_cleanup(sp_grub_close)

/* -EINVAL with a hint when there is a grubenv and it is none. */
int sp_grub_check_env(const struct sp_grub *grub, struct sp_error **err) sp_must_check;
char *sp_grub_env(const struct sp_grub *grub, const char *name); /* owned; NULL: not set */
char *sp_grub_cfg_set(const struct sp_grub *grub, const char *name); /* the last `set NAME=` of grub.cfg, owned */
/* A variable as the menu sees it: grubenv's value, else grub.cfg's. For sp_bls_expand(); data is the struct sp_grub. */
const char *sp_grub_lookup(void *data, const char *name);
bool sp_grub_calls_blscfg(const struct sp_grub *grub); /* grub.cfg has the command blscfg */
bool sp_grub_enables_blscfg(const struct sp_grub *grub); /* GRUB_ENABLE_BLSCFG=true in /etc/default/grub */
/* Its blscfg is the one with the length bug: blsuki.mod without blscfg.mod in a folder of modules. */
bool sp_grub_has_length_bug(const struct sp_root *root);

/* --- grub-bls.c, grub-bls-places.c --------------------------------------------------------------------------------- */

#define SP_GRUB_FUTURE "/etc/kernel/cmdline"

/* What reading the setup goes by. */
struct sp_grub_bls {
	const struct sp_root *root;
	struct sp_boot *boot;
	struct sp_grub *grub;
	const char *dir;    /* of the entries */
	const char *future; /* what /etc/kernel/cmdline says; NULL: nothing */
};
/* The entry that this system boots: the default when its name is ours, else the first such; NULL: none. */
const struct sp_entry *sp_grub_bls_own_entry(const struct sp_boot *boot);
bool sp_grub_bls_changes(const struct sp_entry *e); /* it is one that gets our tokens */
/* A file that is a line. 0 with *ret NULL: it is not there, or holds none; a dangling link is an error. */
int sp_grub_bls_read_plain(const struct sp_root *root, const char *path, char **ret, struct sp_error **err) sp_must_check;
int sp_grub_bls_read_places(const struct sp_grub_bls *rd, struct sp_error **err) sp_must_check;

/* --- grub-menu.c, grub-make.c: a menu that grub-mkconfig writes; boot->ops->product is where ------------------------ */

bool sp_grub_menu_is_generated(const struct sp_grub *grub); /* grub.cfg is one, or not ours to read */
/* The entries of the menu on disk; entries_why where they cannot be known. */
void sp_grub_menu_read(const struct sp_grub *grub, struct sp_boot *boot);
/* The menu as entries; sets ours, rescue, by_default and root_arg. */
void sp_grub_menu_fill(const struct sp_menu *menu, const struct sp_grub *grub, struct sp_boot *boot);
/* Each entry has its root=, each normal one of this system ours, once and in effect. -EBADMSG names the entry. */
int sp_grub_menu_check(const struct sp_boot *boot, const struct sp_tokens *wanted, struct sp_error **err) sp_must_check;
/* Recovery entries keep the old line. What others gave them (GRUB_CMDLINE_LINUX) is theirs. */
int sp_grub_menu_check_recovery(const struct sp_boot *before, const struct sp_boot *after, const struct sp_tokens *wanted,
				struct sp_error **err) sp_must_check;

struct sp_grub_maker {
	const char *tool; /* path in the root */
	int (*read_sources)(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err);
};
/* ops->generate of such setups. */
int sp_grub_make(const struct sp_root *root, const struct sp_grub_maker *maker, const struct sp_boot *boot,
		 const struct sp_tokens *wanted, struct sp_buf *product, struct sp_error **err) sp_must_check;

/* --- grub-d.c, grub-d-sources.c ------------------------------------------------------------------------------------ */

#define SP_GRUB_D	"/etc/default/grub.d"
#define SP_GRUB_D_OWN	SP_GRUB_D "/zz-strix-provision.cfg"

bool sp_grub_reads_folder(const struct sp_root *root, const char *tool); /* that grub-mkconfig reads SP_GRUB_D */
int sp_grub_d_read_sources(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err) sp_must_check;

/* --- table.c ----------------------------------------------------------------------------------------------------- */

bool sp_boot_is_ostree(const struct sp_root *root);
