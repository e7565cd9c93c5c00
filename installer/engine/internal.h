/* SPDX-License-Identifier: MIT */
/* What the files of engine/ share among themselves. */
#pragma once

#include "engine/engine.h"
#include "format/assign.h"
#include "txn/attribute.h"

/* --- state.c: state.json, which is a function of the journals --------------------------------------------------- */

/* What a transaction says about itself; owned JSON. */
json_t *sp_about(const char *kind, const char *text, const struct sp_facts *facts, const struct sp_applied *next);
/* state.json anew from the journals: durable with the sp_txn_finish() that follows, or at once. */
int sp_state_write(struct sp_store *store, struct sp_error **err) sp_must_check;
int sp_state_write_now(struct sp_store *store, struct sp_error **err) sp_must_check;

struct sp_state {
	struct sp_applied applied;     /* txn 0: nothing is applied */
	struct sp_applied was;	       /* nothing is applied any more: what was, before the last rollback */
	char *rollback_boot_id;	       /* of the running system when that rollback was made */
	bool interrupted;
	json_t *transactions;	       /* array, as in state.json */
	json_t *trial;		       /* the last one: struct sp_trial; NULL: there was none */
	json_t *told; /* what was last written to the firmware: path, before, after, boot_id; NULL: nothing was */
};
int sp_state_read(const struct sp_session *s, struct sp_state *ret, struct sp_error **err) sp_must_check;
void sp_state_clear(struct sp_state *st);
#define sp_autostate sp_cleanup(sp_state_clear)

/* --- firmware.c, firmware-write.c: the carve-out ------------------------------------------------------------------ */

/* Is the firmware's value the one that we wrote last, and when? */
enum sp_told sp_told(const json_t *told, const struct sp_carveout *c, const struct sp_facts *f);
/* A recorded machine, whose firmware is not written; a test says of its own that it may be (firmware.c). */
bool sp_machine_is_foreign(const struct sp_root *machine);
/* Read the sources, and decide: carveout, gate, and what follows for the plan. */
void sp_plan_firmware(const struct sp_session *s, struct sp_plan *p, const struct sp_selection *config, const json_t *told);
void sp_plan_firmware_actions(struct sp_plan *p);

/* How the firmware is reached for one transaction. */
struct sp_reach {
	struct sp_attribute_access access;
	struct sp_secret secret;
};
/*
 * For the source of c; asks for the password where one is wanted. Nobody to ask: exit SP_EXIT_FIRMWARE. `ret` holds a
 * password then, and must be wiped: sp_autoreach.
 */
int sp_reach_firmware(const struct sp_session *s, const struct sp_carveout *c, struct sp_reach *ret,
		      struct sp_error **err) sp_must_check;
void sp_reach_wipe(struct sp_reach *reach);
#define sp_autoreach sp_cleanup(sp_reach_wipe)
/* Set it in a transaction; the error says what the firmware meant. */
int sp_firmware_write(struct sp_txn *txn, const struct sp_attribute *a, const struct sp_attribute_access *access,
		      struct sp_error **err) sp_must_check;
/*
 * For who finds an interrupted transaction: reaches its value where this machine has it and no password is wanted, so
 * that an undo leaves all others alone.
 */
struct sp_recall {
	struct sp_carveout carveout;
	struct sp_attribute_access access;
};
void sp_recall_firmware(const struct sp_session *s, struct sp_txn *txn, struct sp_recall *ret);
void sp_recall_clear(struct sp_recall *r);
#define sp_autorecall sp_cleanup(sp_recall_clear)
/* "the carve-out stays at '512 MB' ...": an undo could not put it back, and what to do. Owned. */
char *sp_firmware_left(const struct sp_attribute *a);

/* --- select.c ---------------------------------------------------------------------------------------------------- */

/* The selection in force: command line (or, none given, what was recorded) over the configuration. */
void sp_select(const struct sp_selection *chosen, const struct sp_selection *config, struct sp_selection *ret);

/* --- decide.c: which settings, with which values ------------------------------------------------------------------ */

int sp_decide(struct sp_plan *plan, struct sp_error **err) sp_must_check;
/* The kernel that boots by default, else the newest installed; borrowed, may be NULL. boot may be NULL. */
const char *sp_next_kernel(const struct sp_boot *boot, const struct sp_facts *f);
const char *sp_plan_kernel(const struct sp_plan *plan);
/* Tokens of the decisions that are to be on the line; without those that something takes off it again. */
void sp_wanted_tokens(const struct sp_plan *plan, struct sp_tokens *ret);

/* --- names.c: names on the present line that no kernel will understand ------------------------------------------- */

void sp_check_names(struct sp_plan *plan);

/* --- dropins.c, effective.c: sysctl.d, modprobe.d, environment.d as their readers see them ------------------------ */

struct sp_dropin_kind {
	enum sp_dest dest;
	const char *path; /* the file that is ours */
	const char *const *dirs; /* highest precedence first, NULL at the end */
	void (*parse)(const struct sp_buf *file, struct sp_assigns *ret);
	void (*render)(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret);
};
const struct sp_dropin_kind *sp_dropin_kind(enum sp_dest dest); /* NULL for the command line */

/* The files of one kind in the order in which they are read, each read once. */
struct sp_dropins {
	const struct sp_dropin_kind *kind; /* NULL: not read yet */
	struct sp_dropin {
		char *path;
		const char *name; /* the end of path */
		size_t rank;	  /* of its folder */
		struct sp_assigns assigns;
	} *v;
	size_t n;
};
void sp_dropins_read(const struct sp_root *root, const struct sp_dropin_kind *kind, struct sp_dropins *ret);
void sp_dropins_clear(struct sp_dropins *d);
#define sp_autodropins sp_cleanup(sp_dropins_clear)

struct sp_effective {
	char *value, *path;
	unsigned line;
};
/* The assignment of key that wins, with our own file left out (before or after it counts); path NULL: none. */
void sp_dropins_effective(const struct sp_dropins *d, const char *key, bool after_ours, struct sp_effective *ret);
void sp_effective_clear(struct sp_effective *e);
#define sp_autoeffective sp_cleanup(sp_effective_clear)

/* Edits of the files that are ours altogether; sets states and conflicts. */
int sp_plan_dropins(const struct sp_session *s, struct sp_plan *plan, struct sp_error **err) sp_must_check;

/* The edit of a file that is ours altogether; no text: it goes. Edited by hand: a conflict. *ret is borrowed. */
int sp_plan_whole_file(const struct sp_session *s, struct sp_plan *p, const char *path, const struct sp_buf *text,
		       struct sp_edit **ret, struct sp_error **err) sp_must_check;

/* --- plan-line.c: the command line in a plan --------------------------------------------------------------------- */

int sp_plan_line(const struct sp_session *s, struct sp_plan *p, struct sp_error **err) sp_must_check;

/* --- own-file.c: boot setups whose line is extended by a file that is ours altogether ------------------------------ */

/* Leave out what others have already; warn of other values of a key, which ours will win over. */
void sp_sources_decide(struct sp_plan *p);
int sp_own_file_plan(const struct sp_session *s, struct sp_plan *p, struct sp_error **err) sp_must_check;
/* Decisions that a file read after ours undoes. */
void sp_sources_shadows(struct sp_plan *p);

/* --- generate.c: what is generated from the sources that a transaction changes ------------------------------------- */

/*
 * Do the entries not say what they would, generated now: one of this system lacks a wanted token, or has one of
 * `gone`? Entries that we may not read are not called stale, nor those whose product the edits bring.
 */
bool sp_generation_stale(const struct sp_boot *boot, const struct sp_tokens *wanted, const struct sp_tokens *gone,
			 const struct sp_edits *edits);
/* Entries with a part that is not generated here, and one of `gone` in it: a warning each. */
void sp_generation_tell_fixed(const struct sp_boot *boot, const struct sp_tokens *gone, struct sp_strv *warnings);
/* Tokens of `was` that are not in `is`, or with another value. */
void sp_tokens_gone(const struct sp_tokens *was, const struct sp_tokens *is, struct sp_tokens *ret);
/* Whether apply generates, or leaves it for the first boot of the tree: generate, pending, actions, next. */
void sp_plan_generation(const struct sp_session *s, struct sp_plan *p);
/* "grub-mkconfig -o ...: left for ...", why it is not done here. Owned. */
const char *sp_generation_later(const struct sp_boot *boot); /* the command alone */
char *sp_generation_deferred(const struct sp_root *root, const struct sp_boot *boot, const char *why);

/* --- live.c: values of the running system ------------------------------------------------------------------------ */

bool sp_session_is_live(const struct sp_session *s, const struct sp_facts *facts);
/* The machine, where the system of the root is the one that runs on it (or did when it was recorded); else NULL. */
const struct sp_root *sp_session_system(const struct sp_session *s);

/* renamed.c: where the file of an edit is now (owned): links are resolved, and an entry may have another boot counter. */
char *sp_path_now(const struct sp_root *root, const struct sp_edit *e);
sp_same_name sp_is_same_entry;
/* The value of a live file; bracket: the bracketed word. Owned; negative errno. */
int sp_live_read(const struct sp_root *machine, const char *path, bool bracket, char **ret) sp_must_check;
/* Which values apply will set: next->live is filled with what they are now. */
void sp_live_plan(const struct sp_session *s, const struct sp_plan *plan, struct sp_applied *next);
/* Set them and read them back; restore: put the old ones back where ours still stand. Failures are warnings. */
void sp_live_set(const struct sp_session *s, const struct sp_applied *a, bool restore, struct sp_strv *warnings);

/* --- remember.c -------------------------------------------------------------------------------------------------- */

void sp_remember_modules(const struct sp_session *s, const struct sp_facts *facts, struct sp_strv *warnings);

void sp_remember_images(const struct sp_session *s, const struct sp_image_memory *memory, struct sp_strv *warnings);

/* --- images.c: copies of our modprobe.d file in initramfs images --------------------------------------------------- */

struct sp_image_memory *sp_session_image_memory(const struct sp_session *s); /* owned */
/* What each says, from the memory or (look) the image, compared with what our file is to say. */
void sp_boot_images_ask(struct sp_image_memory *memory, bool look, const char *wanted, struct sp_boot_images *l);
void sp_plan_images(const struct sp_session *s, struct sp_plan *p);
/* Those of this system's entries; nobody is asked yet. */
void sp_boot_images_list(const struct sp_session *s, const struct sp_boot *boot, const struct sp_facts *f,
			 struct sp_boot_images *ret);
/* Where our file is gone: the images that still have a copy. boot may be NULL: none are known. */
void sp_images_left(const struct sp_session *s, const struct sp_boot *boot, const struct sp_facts *f, bool look,
		    struct sp_image_memory *memory, struct sp_boot_images *ret);
/* A warning for each, and what is left to do; actions may be NULL. */
void sp_images_tell_left(const struct sp_boot_images *l, struct sp_strv *warnings, struct sp_strv *actions);

/* --- rebuild.c: an initramfs image that is built anew ---------------------------------------------------------------- */

bool sp_wants_initramfs(const struct sp_selection *s);
/* wanted: what our modprobe.d file is to say. Sets rebuild and what goes with it, actions, pending. */
void sp_plan_rebuild(const struct sp_session *s, struct sp_plan *p, const char *wanted);
struct sp_initramfs_job sp_rebuild_job(const struct sp_boot_image *image, const char *wanted); /* a view of both */
/* As sp_generate(). */
int sp_rebuild(const struct sp_session *s, struct sp_txn *txn, const struct sp_initramfs_job *job, struct sp_edits *products,
	       struct sp_error **err) sp_must_check;

/* --- fallback.c: the way back, in the menu until the new line has proved good ----------------------------------------- */

#define SP_FALLBACK "before"
bool sp_plan_changes_line(const struct sp_plan *p); /* of a kernel */
/*
 * An entry with the old line, where the loader shows it; with the kernel's own values for what modprobe.d would size else.
 * One that is there already stays the older of the two, and goes when its kernel is gone. Failing is a warning.
 */
void sp_fallback_plan(const struct sp_session *s, struct sp_plan *p);
/* Is it there? Also where that cannot be read, it is not. */
bool sp_fallback_stands(const struct sp_session *s);
/* Take it out, in a transaction of its own. */
int sp_fallback_drop(const struct sp_session *s, struct sp_result *ret, struct sp_error **err) sp_must_check;

/* --- apply.c: under the lock --------------------------------------------------------------------------------------- */

/* -ESTALE, exit SP_EXIT_CONFLICT: what the plan was made for is no longer what is applied. */
int sp_check_fresh(const struct sp_session *s, const struct sp_plan *p, struct sp_error **err) sp_must_check;

/* --- commit.c ---------------------------------------------------------------------------------------------------- */

/* One transaction from begin to finish, with a check of the product before COMMITTED; undone on any error before. */
struct sp_job {
	json_t *about; /* borrowed */
	const struct sp_edits *edits;
	const struct sp_strv *drop_dirs;      /* may be NULL */
	const char *boot_name;		      /* setup whose product is checked; NULL: none */
	const struct sp_tokens *wanted;	      /* what must stand in its entries */
	const struct sp_boot *boot;	      /* as read before; may be NULL */
	bool generate;			      /* make boot's product between publishing and the check */
	const struct sp_initramfs_job *image; /* built anew, after the menu; NULL: none */
	const struct sp_attribute *attribute; /* set in the same transaction; NULL: none */
	const struct sp_attribute_access *access;
	bool product_as_is;		      /* it is left to be generated elsewhere, so its entries are not checked */
	int (*check)(const struct sp_session *s, const void *data, struct sp_error **err); /* besides; NULL: none */
	const void *check_data;
};
/*
 * Generate the product from what is published, stage and publish it in the same transaction. `products` holds the
 * edit from then on and must live as long as the transaction.
 */
int sp_generate(const struct sp_session *s, struct sp_txn *txn, const struct sp_job *job, struct sp_edits *products,
		struct sp_error **err) sp_must_check;
int sp_commit(const struct sp_session *s, struct sp_store *store, const struct sp_job *job, uint64_t *ret_id,
	      struct sp_strv *warnings, struct sp_error **err) sp_must_check;
/* SIGINT, SIGTERM, SIGHUP wait until the transaction has come to an end. */
void sp_hold_signals(void);
void sp_release_signals(void); /* one that came meanwhile ends the program now */
void sp_progress(const struct sp_session *s, const char *step);

/* --- request.c --------------------------------------------------------------------------------------------------- */

const char *sp_request_unit(const struct sp_root *root); /* that carries it out; NULL: the tree has none */
int sp_request_write(const struct sp_session *s, const struct sp_selection *selection /* NULL: the recorded one */,
		     struct sp_error **err) sp_must_check;

/* --- moment.c ---------------------------------------------------------------------------------------------------- */

/* From begin to end the tree and the machine are read once: what is decided on is of one moment (sp_root_remember()). */
struct sp_moment {
	const struct sp_session *session;
	bool root, machine; /* remembered since begin */
};
struct sp_moment sp_moment_begin(const struct sp_session *s) sp_must_check;
void sp_moment_end(struct sp_moment *m);
#define sp_automoment sp_cleanup(sp_moment_end)

/* --- keeper.c: a command line that a program of the system keeps ---------------------------------------------------- */

struct sp_kept_line {
	const struct sp_root *root;
	const struct sp_keeper_ops *ops;
	struct sp_keeper keeper; /* points back here: it is not moved */
	struct sp_attribute_access access;
};
void sp_kept_line_reach(struct sp_kept_line *l, const struct sp_root *root, const struct sp_boot_ops *ops);
/* How a reopened transaction reaches it; where it cannot be asked now, not at all. */
void sp_kept_line_recall(const struct sp_session *s, struct sp_txn *txn, struct sp_kept_line *ret);
/*
 * From what we own of the line of the next start to what is wanted there. *ret: the change (owned; path NULL: none);
 * ret_owned: what is ours then; changed: keys that hold a value which is not ours.
 */
int sp_kept_line_plan(const struct sp_boot *boot, const struct sp_tokens *owned, const struct sp_tokens *wanted,
		      struct sp_tokens *ret_owned, struct sp_strv *changed, struct sp_attribute *ret,
		      struct sp_error **err) sp_must_check;
void sp_kept_line_actions(const struct sp_session *s, struct sp_plan *p);
int sp_one_at_a_time(struct sp_error **err);
int sp_kept_line_refusal(const struct sp_plan *p, struct sp_error **err) sp_must_check;

/* --- advise.c ---------------------------------------------------------------------------------------------------- */

void sp_advise_plan(const struct sp_session *s, struct sp_plan *p); /* after everything is decided */
void sp_advise_detect(const struct sp_session *s, struct sp_detect *d);
void sp_advise_verify(const struct sp_session *s, const struct sp_boot *boot /* or NULL */, struct sp_verify *v);
