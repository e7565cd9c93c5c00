/* SPDX-License-Identifier: MIT */
/* Inside of boot/: what setups share. */
#pragma once

#include "boot/boot.h"
#include "format/grubcfg.h"

extern const struct sp_boot_ops sp_boot_grub_bls;
extern const struct sp_boot_ops sp_boot_grub_d;
extern const struct sp_boot_ops sp_boot_grub_default;
extern const struct sp_boot_ops sp_boot_grub2_default;
extern const struct sp_boot_ops sp_boot_kernelstub;
extern const struct sp_boot_ops sp_boot_limine;
extern const struct sp_boot_ops sp_boot_ostree;
extern const struct sp_boot_ops sp_boot_refind;
extern const struct sp_boot_ops sp_boot_sdbootutil;
extern const struct sp_boot_ops sp_boot_sdbootutil_grub;
extern const struct sp_boot_ops sp_boot_systemd_boot;
extern const struct sp_boot_ops sp_boot_uki;

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

/* --- started.c: how the running system was started ---------------------------------------------------------------- */

void sp_started_read(const struct sp_root *machine, struct sp_started *ret); /* machine NULL: nothing is known */
void sp_started_clear(struct sp_started *s);
/* Was it this loader (a row's, may be NULL)? 1 yes, -1 no, 0 not known. By LoaderInfo; by what GRUB adds to the line. */
int sp_started_by(const struct sp_started *s, const char *loader);
int sp_started_like(const struct sp_started *s, const char *loader);
char *sp_started_text(const struct sp_started *s); /* what tells it, for messages, owned; NULL: nothing does */

/* --- entries.c: Boot Loader Specification entries of a folder ---------------------------------------------------- */

/* How a boot loader takes them. */
struct sp_entry_rules {
	bool all_options;			      /* it joins all options lines; else the first one counts */
	int (*compare)(const void *a, const void *b); /* the order of its menu: struct sp_entry */
};

/* What the names of this system's entries begin with: "<entry-token>-", "<machine-id>-". */
void sp_entries_prefixes(const struct sp_root *root, struct sp_strv *ret);
/* File names of entries ("*.conf"), sorted by name. -ENOENT: no such folder. */
int sp_entries_list(const struct sp_root *root, const char *dir, struct sp_strv *ret, struct sp_error **err) sp_must_check;
/* How many of them start a Linux kernel; one that cannot be read counts, so that reading it gives the error. */
int sp_entries_count(const struct sp_root *root, const char *dir, struct sp_error **err) sp_must_check;
/*
 * Add those of a folder to boot->entries, which are then in the order of the menu; `line`, `ours` and `by_default` are left
 * to the setup. One of this system's that cannot be understood is an error, a foreign one says so in `why`. -ENXIO: nothing
 * says which are this system's.
 */
int sp_entries_read(const struct sp_root *root, const char *dir, const struct sp_entry_rules *rules, struct sp_boot *boot,
		    struct sp_error **err) sp_must_check;
/* By id (with ".conf", too), title, or number in the menu; NULL: none. */
struct sp_entry *sp_entries_by_name(const struct sp_boot *boot, const char *name);
/* Set `ours` of the named ones whose root= is root_value (NULL: any root= will do), and `why` of the others. */
void sp_entries_claim(struct sp_boot *boot, const char *root_value);
bool sp_entry_changes(const struct sp_entry *e); /* it is one that gets our tokens */
/* The entry that this system boots: the default when its name is ours, else the first such; NULL: none. */
const struct sp_entry *sp_entries_own(const struct sp_boot *boot);
void sp_entries_clear(struct sp_boot *boot);
/* ops->check of setups whose entries are edited: each of this system's has its root=, and ours once and in effect. */
int sp_entries_check(const struct sp_boot *boot, const struct sp_tokens *wanted, struct sp_error **err) sp_must_check;

/* --- places.c ---------------------------------------------------------------------------------------------------- */

/* A new place (borrowed until the next one); the path is resolved. An existing file's line is set by the caller. */
struct sp_place *sp_place_add(const struct sp_root *root, struct sp_boot *boot, enum sp_place_role role,
			      const struct sp_host *host, const char *path);
void sp_places_clear(struct sp_boot *boot);

/* --- future.c: what kernel-install gives to the entries of new kernels --------------------------------------------- */

#define SP_FUTURE "/etc/kernel/cmdline"

/* A file that is a line. 0 with *ret NULL: it is not there, or holds none; a dangling link is an error. */
int sp_line_read(const struct sp_root *root, const char *path, char **ret, struct sp_error **err) sp_must_check;
/* A line as kernel-install would take it from /proc/cmdline: without what a boot loader adds, and one token more. Owned. */
char *sp_line_without_loader(const char *line, const char *but);
struct sp_future {
	const char *line;  /* what SP_FUTURE says; NULL: nothing */
	const char *booted; /* the line to begin with where there is none (rule R0); NULL: none is known */
	const char *but;    /* a token of that which kernel-install adds by itself; NULL */
	size_t extra;	   /* see struct sp_place */
};
int sp_future_add(const struct sp_root *root, struct sp_boot *boot, const struct sp_future *f, struct sp_error **err) sp_must_check;

/* --- fixed-root.c ------------------------------------------------------------------------------------------------- */

/* -ENOTSUP: "/" is a read-only snapshot of transactional-update; what to do in its shell ends the hint. */
int sp_check_fixed_root(const struct sp_root *root, const char *todo, struct sp_error **err) sp_must_check;

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

/* --- once-grub.c, once-sd-boot.c: an extra entry, started once ---------------------------------------------------- */

extern const struct sp_once_ops sp_once_grub;	 /* custom.cfg, and next_entry in grubenv */
extern const struct sp_once_ops sp_once_sd_boot; /* a file beside the entries, and LoaderEntryOneShot */
#define SP_EXTRA_MARK "~strix-" /* in the name of an entry's file: it is one of our extra ones */

/* --- grub-bls.c, grub-bls-places.c --------------------------------------------------------------------------------- */

/* What reading the setup goes by. */
struct sp_grub_bls {
	const struct sp_root *root;
	struct sp_boot *boot;
	struct sp_grub *grub;
	const char *dir;    /* of the entries */
	const char *future; /* what /etc/kernel/cmdline says; NULL: nothing */
};
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
		 const struct sp_tokens *wanted, struct sp_edits *products, struct sp_error **err) sp_must_check;

/* --- grub-d.c, grub-d-sources.c ------------------------------------------------------------------------------------ */

#define SP_GRUB_D	"/etc/default/grub.d"
#define SP_GRUB_D_OWN	SP_GRUB_D "/zz-strix-provision.cfg"

bool sp_grub_reads_folder(const struct sp_root *root, const char *tool); /* that grub-mkconfig reads SP_GRUB_D */
int sp_grub_d_read_sources(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err) sp_must_check;

/* --- sd-boot.c, sd-boot-default.c, sd-boot-claim.c ---------------------------------------------------------------- */

/* What reading the setup goes by. */
struct sp_sd_boot {
	const struct sp_root *root;
	struct sp_boot *boot;
	struct sp_strv folders; /* where the ESP and XBOOTLDR are mounted, as far as anything of a boot loader is there */
	char *future;		/* what /etc/kernel/cmdline says; NULL: nothing */
	char *machine_id;	/* NULL: none */
	struct sp_strv roots;	/* values of root= that are this system's */
	bool proven;		/* they are known from elsewhere than its entries */
	bool old_ids;		/* a default without ".conf" is found, too: Pop!_OS's own systemd-boot, as all once did */
};
/* The folders where the partitions that it reads are mounted, each once. */
void sp_sd_boot_folders(const struct sp_root *root, struct sp_strv *ret);
void sp_sd_boot_clear(struct sp_sd_boot *rd);
bool sp_sd_boot_is_way_out(const struct sp_entry *e); /* people go to it when the others fail */
/* The entries of all folders, with line, rescue and hidden; -ENOTSUP: there is none. */
int sp_sd_boot_read_entries(const struct sp_sd_boot *rd, struct sp_error **err) sp_must_check;
extern const struct sp_entry_rules sp_sd_boot_rules; /* how systemd-boot reads entries, and sorts them */
/* Set by_default as systemd-boot does: LoaderEntryDefault, loader.conf's default, the first of the menu. */
int sp_sd_boot_mark_default(const struct sp_sd_boot *rd, struct sp_error **err) sp_must_check;
/* Set ours, why of the others, and root_arg. -ENOENT: none is this system's. */
int sp_sd_boot_claim(struct sp_sd_boot *rd, struct sp_error **err) sp_must_check;
int sp_sd_boot_add_places(const struct sp_sd_boot *rd, struct sp_error **err) sp_must_check;

/* --- uki.c, uki-image.c, uki-addon.c: unified kernel images -------------------------------------------------------- */

#define SP_UKI_FOLDER "/EFI/Linux"
#define SP_UKI_SOURCE "/etc/kernel/strix-provision.cmdline" /* of our addons: a line of our arguments */
#define SP_UKI_ADDON  "strix-provision.addon.efi"
#define SP_UKI_EXTRA  ".extra.d" /* behind an image's name: the folder of its addons */

struct sp_uki {
	char *line;	/* .cmdline */
	char *version;	/* .uname; NULL: it does not say */
	char *os, *title, *sort_key; /* of .osrel: ID, PRETTY_NAME, IMAGE_ID or ID; NULL */
	unsigned stub;	/* version of systemd-stub; 0: it is another stub, or does not say */
	bool is_image;	/* it has a kernel; else it is an addon */
	bool is_signed;
	unsigned machine; /* SP_PE_X86_64 */
};
/* -EBADMSG: it is no image and no addon with a command line; -EINVAL: the line is no text. */
int sp_uki_read(const struct sp_root *root, const char *path, struct sp_uki *ret, struct sp_error **err) sp_must_check;
void sp_uki_clear(struct sp_uki *u);
#define sp_autouki sp_cleanup(sp_uki_clear)

/* What keeps us from making an addon; NULL: nothing. Owned. */
struct sp_error *sp_uki_refusal(const struct sp_root *root, const struct sp_boot *boot);
int sp_uki_generate(const struct sp_root *root, const struct sp_boot *boot, const struct sp_tokens *wanted,
		    struct sp_edits *products, struct sp_error **err) sp_must_check; /* ops->generate */

/* --- table.c ----------------------------------------------------------------------------------------------------- */

bool sp_boot_is_ostree(const struct sp_root *root);
