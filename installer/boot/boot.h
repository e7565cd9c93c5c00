/* SPDX-License-Identifier: MIT */
/*
 * Boot setups: where a machine keeps its kernel command line. One file per
 * setup, one row in boot/table.c. A setup reads, and returns edits; it never
 * writes.
 */
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "boot/owned.h"
#include "format/assign.h"
#include "format/cmdline.h"
#include "format/host.h"
#include "txn/edit.h"

/* One menu entry. */
struct sp_entry {
	char *id;	   /* file name without ".conf" */
	char *path;	   /* in the root */
	char *title;	   /* NULL: none */
	char *version;	   /* kernel version; NULL: unknown */
	char *machine_id, *sort_key; /* NULL: it has none */
	char *linux_path;  /* as written in the entry */
	struct sp_strv initrd;
	char *options;	   /* the options line that its loader reads, as written; NULL: it has none */
	char *line;	   /* what the loader would pass: variables expanded; "" when none */
	char *product;	   /* what is generated for it alone, in the root; NULL: it is of ops->product, or nothing is */
	char *fixed;	   /* with a product: what is on the line without it */
	bool named;	   /* its file name says that it is this system's */
	bool ours;	   /* belongs to this system (named, and with our root=) and is ours to change */
	bool rescue;	   /* left as it is */
	bool hidden;	   /* the loader does not show it; why says why */
	bool by_default;   /* boots when nobody chooses */
	char *why;	   /* not ours: the reason */
};

enum sp_place_role {
	SP_PLACE_ENTRY,	    /* a menu entry */
	SP_PLACE_FUTURE,    /* what kernels installed later inherit (/etc/kernel/cmdline) */
	SP_PLACE_GENERATOR, /* what a configuration generator uses (/etc/default/grub) */
};
const char *sp_place_role_name(enum sp_place_role role); /* "entry", "future", "generator" */

/* A file that holds the line, or a part of it. */
struct sp_place {
	enum sp_place_role role;
	char *path; /* in the root, symbolic links resolved, as the path of an edit */
	struct sp_host host;
	bool exists;
	bool only_remove; /* our keys are taken out here and nothing is added (GRUB_CMDLINE_LINUX_DEFAULT) */
	bool only_displaced; /* with only_remove: not our keys, but the foreign tokens that ours displace (--replace); where it has
			      * to be created, it is with the line of `create` and nothing of ours */
	bool whole;	  /* the setup's own_file: sp_boot_plan() passes it over; line is all that is generated from */
	char *line;	  /* NULL: the file is there, but holds none */
	char *create;	  /* the complete line to start from when the place has to be created (rule R0); NULL: do not */
	size_t extra;	  /* bytes that the loader adds to this line: BOOT_IMAGE=, values of variables */
	char *linux_path; /* entry: for GRUB 2.14's length bug; NULL elsewhere */
	bool bad_length;  /* this machine's GRUB has that bug */
	char *skip;	  /* why it is left alone ("line 7 needs a shell to be understood"); NULL: it is used */
};

/* What another file says of the line, where ours is one of several that a generator reads in order. */
struct sp_source {
	char *path;    /* in the root */
	unsigned line; /* of path, where it says so; 0: see why */
	char *text;    /* the tokens it gives; NULL: see why */
	char *why;     /* it cannot be understood without a shell, or not be read; NULL: it can */
	bool behind;   /* read after ours */
	bool anew;     /* with behind: what stands before it is lost, ours too */
};

/*
 * How the running system was started, which decides between setups that are both there. Of the machine's EFI variables
 * (the Boot Loader Interface) and its /proc, and only where the machine is the system of the tree. NULL: not known.
 */
struct sp_started {
	char *loader;	     /* LoaderInfo: "systemd-boot 257.9", "GRUB 2.12", "Limine 12.9.0" */
	char *stub;	     /* StubInfo: "systemd-stub 257.9", where a unified kernel image was started */
	char *partition;     /* LoaderDevicePartUUID: that of the loader */
	char *entry_default; /* LoaderEntryDefault */
	char *entry_last;    /* LoaderEntryLastBooted */
	char *cmdline;	     /* of the running kernel */
	bool secure_boot;    /* it is known to be on */
};

/* An entry of our own in the menu, beside the system's: a trial's, or the way back. It starts the same kernel as `like`. */
struct sp_extra {
	const char *name;	     /* "trial" */
	const char *title;
	const struct sp_entry *like; /* NULL: the extra entry is taken out */
	const char *line;	     /* its whole command line, for a kernel: no variables of a loader in it */
};

/*
 * A loader that can start an entry once, and by itself goes back to the default at the next start: it forgets the
 * choice before it starts the entry, so that a kernel that hangs is not started again.
 */
struct sp_boot;
struct sp_once_ops {
	/*
	 * Why that cannot be relied upon here (owned); *ret NULL: it can. live: the tree is the running system's, so what its
	 * disks are can be looked at.
	 */
	int (*refusal)(const struct sp_root *root, const struct sp_boot *boot, bool live, char **ret, struct sp_error **err);
	/* What names such an entry to the loader, owned. */
	char *(*id)(const struct sp_boot *boot, const struct sp_extra *extra);
	/* Does the loader show such entries at all? */
	bool (*shows)(const struct sp_root *root, const struct sp_boot *boot);
	/* The kernel of the extra entry of that name, as the loader knows it (owned); *ret NULL: there is no such entry. */
	int (*find)(const struct sp_root *root, const struct sp_boot *boot, const char *name, char **ret, struct sp_error **err);
	/* Put entries into the menu, where they change no default, or take them out. */
	int (*put)(const struct sp_root *root, const struct sp_boot *boot, const struct sp_extra *v, size_t n,
		   struct sp_edits *edits, struct sp_error **err);
	/*
	 * The choice for the next start: an EFI variable of the Boot Loader Interface, else a variable of a file that edit()
	 * changes. value NULL: it is not set.
	 */
	const char *variable; /* "LoaderEntryOneShot"; NULL: it is in a file */
	int (*get)(const struct sp_root *root, const struct sp_boot *boot, char **ret, struct sp_error **err);
	int (*edit)(const struct sp_root *root, const struct sp_boot *boot, const char *value, struct sp_edits *edits,
		    struct sp_error **err);
};

/*
 * A program of the system that keeps the line, and makes what is booted from it: it is asked for changes, and no file of
 * that is edited. Only where sp_generators_refusal() has none.
 */
struct sp_keeper_ops {
	const char *command; /* as a user would type it */
	/* The line of the next start, owned. */
	int (*read)(const struct sp_root *root, char **ret, struct sp_error **err);
	/* Take tokens out, and add others behind the rest; all of it or nothing. */
	int (*change)(const struct sp_root *root, const struct sp_strv *gone, const struct sp_strv *come, struct sp_error **err);
};

struct sp_boot_ops {
	const char *name;  /* "grub-bls": --boot NAME */
	const char *title; /* "GRUB with Boot Loader Specification entries" */
	const char *loader; /* how LoaderInfo begins when it starts the system: "GRUB"; NULL: that tells nothing of it */
	/* Does the tree have this setup? 1 or 0, with what was seen added to `seen`; negative errno with err set. */
	int (*probe)(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err);
	/* Fill entries, places, default_entry, warnings. */
	int (*read)(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err);
	/* After publishing: does the tree (read anew into boot) hold what it must? -EBADMSG with the entry named. */
	int (*check)(const struct sp_boot *boot, const struct sp_tokens *wanted, struct sp_error **err);

	const struct sp_once_ops *once; /* NULL: an entry cannot be started just once */
	const struct sp_keeper_ops *keeper; /* NULL: the line is in files; else there are no places */

	/*
	 * The command that builds initramfs images and the entries that name them, where an image has a name or a checksum by
	 * what is in it, so that it cannot be replaced alone. NULL: there is none.
	 */
	const char *images;

	/* --- setups whose entries are generated from a file that is ours altogether; all of it or nothing ------------- */

	const char *own_file; /* it extends the line; NULL: tokens are moved in the places */
	void (*render)(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret); /* none: empty */
	const char *product;  /* what is generated: it holds the entries; where each has one of its own, how they are called */
	const char *command;  /* what makes it, as a user would type it */
	const char *later;    /* what a user types where it was not made by apply; NULL: the command */
	/*
	 * Make the products from the sources as they stand on disk, with the system's own tool, and check them; an edit each
	 * is added to products. Only where sp_generators_refusal() has none. boot: as read before the sources changed.
	 * -EBADMSG: a product is not what it must be; else as sp_child_run().
	 */
	int (*generate)(const struct sp_root *root, const struct sp_boot *boot, const struct sp_tokens *wanted,
			struct sp_edits *products, struct sp_error **err);
};

struct sp_boot {
	const struct sp_boot_ops *ops;
	struct sp_started started;
	struct sp_strv seen; /* why this setup was recognised */
	struct sp_entry *entries; /* in menu order */
	size_t n_entries;
	struct sp_place *places; /* in the order in which they must be published */
	size_t n_places;
	struct sp_source *sources; /* setups with an own_file: what counts beside it, in the order it is read */
	size_t n_sources;
	bool own_file_idle; /* the setup's own_file would not count here: it is not made, and goes where it is */
	char *entries_why; /* why the entries are not known; NULL: they are */
	bool entries_broken; /* with entries_why: the product itself is missing or damaged, and has to be made anew */
	struct sp_error *refusal; /* why nothing can be generated, whoever does it; NULL: it can */
	struct sp_strv warnings;
	char *root_arg; /* "root=UUID=..." of this system; NULL: unknown */
};

extern const struct sp_boot_ops *const sp_boot_table[]; /* in probe order, NULL at the end */

/*
 * Recognise the setup (or take `name`, NULL: recognise) and read it. machine: where the system of this tree runs, or NULL:
 * it does not, or is not known to. -ENOTSUP with exit SP_EXIT_UNSUPPORTED and a text of what was found: no setup, several
 * that cannot be told apart, or one that did not start this system (hint: --boot NAME).
 */
int sp_boot_read(const struct sp_root *root, const struct sp_root *machine, const char *name, struct sp_boot **ret,
		 struct sp_error **err) sp_must_check;
void sp_boot_free(struct sp_boot *boot);
const struct sp_entry *sp_boot_default(const struct sp_boot *boot); /* NULL: none */
/* The initramfs images that an entry loads, or the unified image that it is: those that are there, as paths in the root. */
void sp_entry_images(const struct sp_root *root, const struct sp_entry *e, struct sp_strv *ret);

/* One of them that is built anew by the program that made it. Borrowed all. */
struct sp_initramfs_job {
	const char *path, *kernel; /* kernel NULL: not known */
	const char *maker;	   /* "dracut", ...; NULL: not known */
	const char *member;	   /* our modprobe.d file in it, "etc/modprobe.d/NAME" */
	const char *instead;	   /* the command that builds it with its entry; NULL: it is built alone */
	const char *options;	   /* what that must say: as it is on disk when the image is made; "": it is not in it */
};
/* ops->images where its program is there; else one for an entry that names an image with its checksum. NULL: neither. */
const char *sp_entry_images_by(const struct sp_root *root, const struct sp_boot *boot, const struct sp_entry *e);
/* Why that cannot be done, room on the disks among it; NULL: it can. Only for the running system: sp_generators_refusal(). */
struct sp_error *sp_initramfs_refusal(const struct sp_root *root, const struct sp_initramfs_job *job);
/* Make and check it, as ops->generate does. */
int sp_initramfs_make(const struct sp_root *root, const struct sp_initramfs_job *job, struct sp_edits *products,
		      struct sp_error **err) sp_must_check;

/*
 * May a generator run? Only when the root is the "/" of this process, and has what generators ask: /proc, /sys and
 * /dev, as the running system has, or a chroot that was prepared. NULL: it may; else the reason, borrowed.
 */
const char *sp_generators_refusal(const struct sp_root *root);

/* Is a token, or another value of its key, in effect before or behind ours? The source that decides; NULL: none. */
const struct sp_source *sp_source_before(const struct sp_boot *boot, const char *key);
const struct sp_source *sp_source_behind(const struct sp_boot *boot, const char *key);

/*
 * Edits that bring every place of this system from what we own there to `wanted`, one edit a file. `owned` is what
 * the last transaction recorded (a place it does not know, such as the entry of a kernel installed since, counts as
 * owning `common`, the tokens that a new entry inherits). Each edit's note is a struct sp_note with a line for each of
 * the file's places. Keys that somebody changed by hand come back in `changed` as "path: key". Places with a `skip`
 * are passed over. Refuses a line that would grow over SP_CMDLINE_MAX (-E2BIG), a line created without root=
 * (-EBADMSG), and a file that changes while it is read (-EAGAIN). Serves rollback, too: `wanted` is then what was
 * wanted before; a line that we only make shorter is never refused.
 */
int sp_boot_plan(const struct sp_root *root, const struct sp_boot *boot, const struct sp_owned_list *owned,
		 const struct sp_tokens *common, const struct sp_tokens *wanted, struct sp_edits *edits,
		 struct sp_strv *changed, struct sp_error **err) sp_must_check;

static inline void sp_cleanup_boot_(struct sp_boot **b)
{
	sp_boot_free(*b);
}
#define sp_autoboot sp_cleanup(sp_cleanup_boot_)
