/* SPDX-License-Identifier: MIT */
/*
 * The protocol, top to bottom: facts + catalogue + selection -> plan ->
 * transaction -> verify -> rollback. Nothing here prints.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/root.h"
#include "base/secret.h"
#include "boot/boot.h"
#include "catalog/catalog.h"
#include "catalog/config.h"
#include "catalog/sizes.h"
#include "engine/gate.h"
#include "engine/images.h"
#include "format/anonymise.h"
#include "hw/carveout.h"
#include "hw/facts.h"
#include "txn/edit.h"
#include "txn/txn.h"

/* What main and the commands agreed on; owned by main. */
struct sp_session {
	struct sp_root *root, *machine;
	const char *data_dir;
	const char *config_path; /* --config; NULL: the root's */
	const char *boot_name;	 /* --boot; NULL: recognise */
	struct sp_selection selection; /* of the command line */
	uint64_t promotes; /* the trial that was found good and is made permanent; 0: none */
	bool live; /* root and machine are the running system and we are not in a chroot */
	bool in_hook; /* the package manager, which holds its locks, has started us */
	bool looks_into_images; /* initramfs images, of which nothing is remembered */
	void (*progress)(void *data, const char *step); /* may be NULL */
	void *progress_data;
	/* The firmware's administrator password, when a write needs it; NULL, or -ENOTTY: nobody has given it. */
	int (*password)(void *data, struct sp_secret *ret, struct sp_error **err);
	void *password_data;
};

/* --- what was applied last: the engine's part of state.json ---------------------------------------------------- */

struct sp_applied_setting {
	char *id, *key, *value;
	enum sp_dest dest;
	enum sp_rule rule;
	bool ours;   /* false: it already was so; nothing of ours was written */
	bool reboot;
	char *live, *effect; /* as in the catalogue, expanded; NULL */
	bool live_bracket;
};
struct sp_applied_live { /* a live value that we set, and what it was */
	char *path, *before, *after;
};
struct sp_applied {
	uint64_t txn;		/* 0: nothing is applied */
	char *boot_id;		/* of the running system when it was applied; NULL: unknown */
	char *boot_setup;
	char *platform;
	struct sp_selection selection;
	uint64_t gtt_mib, carve_out_mib; /* recorded sizes and the carve-out they were computed for */
	uint64_t memory_mib; /* MemTotal that they were computed for; 0: not recorded */
	struct sp_applied_setting *settings;
	size_t n_settings;
	struct sp_owned_list owned;
	struct sp_tokens common; /* what entries of later kernels inherit */
	bool generation_due;	 /* the entries were not generated: their generator belongs to another system */
	struct sp_applied_live *live;
	size_t n_live;
};
json_t *sp_applied_to_json(const struct sp_applied *a);
int sp_applied_from_json(const json_t *json, struct sp_applied *ret, struct sp_error **err) sp_must_check;
void sp_applied_clear(struct sp_applied *a);
#define sp_autoapplied sp_cleanup(sp_applied_clear)

/* --- advice about the machine, of no effect on anything ----------------------------------------------------------- */

struct sp_advice {
	char *id, *text, *evidence;
};
struct sp_advices { /* in the order of the catalogue */
	struct sp_advice *v;
	size_t n;
};
void sp_advices_clear(struct sp_advices *a);

/* --- plan ------------------------------------------------------------------------------------------------------ */

enum sp_decision_state { SP_DECIDE_CHANGE, SP_DECIDE_OK, SP_DECIDE_SKIPPED, SP_DECIDE_SHADOWED, SP_DECIDE_BLOCKED };
const char *sp_decision_state_name(enum sp_decision_state state);

struct sp_decision {
	const struct sp_setting *setting;
	char *key, *value; /* expanded; NULL where they could not be */
	enum sp_decision_state state;
	char *reason; /* why this state, one sentence; shadowed: names file and line */
	bool ours;    /* it is, or will be, written by us */
};

struct sp_plan {
	struct sp_facts *facts;
	struct sp_catalog *catalog;
	const struct sp_platform *platform; /* NULL: none */
	char *platform_why;
	struct sp_boot *boot; /* NULL: not recognised; boot_error says why */
	struct sp_error *boot_error;
	struct sp_selection selection; /* in force: command line, else recorded, else configuration, else default */
	const struct sp_profile *profile;
	struct sp_carveout carveout;
	struct sp_gate gate; /* the carve-out of the next boot, and what is written for it */
	bool has_sizes;
	struct sp_sizes sizes;
	struct sp_decision *decisions;
	size_t n_decisions;
	struct sp_edits edits;
	struct sp_strv actions;	 /* what is done or left to do besides files */
	struct sp_strv warnings;
	struct sp_advices advisories;
	struct sp_boot_images images;
	struct sp_image_memory *image_memory; /* NULL: nobody was asked */
	const struct sp_boot_image *rebuild; /* of images: it is built anew; NULL: none is */
	char *rebuild_options;		     /* what our modprobe.d file in it must say */
	struct sp_error *rebuild_refusal;    /* with rebuild: why it cannot be */
	struct sp_strv conflicts; /* own files edited by hand: apply exits SP_EXIT_CONFLICT */
	bool pending;		 /* something would be written */
	bool firmware_gate;	 /* the gate is red: exit SP_EXIT_FIRMWARE, and no restart but into the setup screen */
	char *firmware_text;	 /* what to do about it */
	bool reboot_required;
	bool generate;		 /* the boot setup's product is made anew */
	struct sp_attribute line; /* what a program that keeps the line is to change; path NULL: nothing. Owned */
	bool change_line;	 /* it is asked to; else that is left to the first boot */
	uint64_t package_manager_wait; /* seconds, from the configuration */
	struct sp_applied applied; /* before this plan */
	struct sp_applied next;	   /* after it */
	uint64_t open_trial;	   /* one that was not ended yet; 0: none */
	uint64_t promotes;	   /* the trial that this makes permanent; 0: none */
};
/*
 * Read everything and decide; writes nothing and works anywhere: on an unsupported platform or boot setup the plan
 * says so (apply refuses it with sp_plan_refusal()).
 */
int sp_plan_make(const struct sp_session *s, struct sp_plan **ret, struct sp_error **err) sp_must_check;
void sp_plan_free(struct sp_plan *plan);
/* 0 when the plan may be carried out; else the error that apply ends with (unsupported: 6, conflict: 4, sizes: 2). */
int sp_plan_refusal(const struct sp_plan *plan, struct sp_error **err) sp_must_check;

/* --- apply ----------------------------------------------------------------------------------------------------- */

struct sp_result {
	uint64_t txn; /* 0: nothing was written */
	bool changed;
	struct sp_strv restored;   /* rollback: paths */
	struct sp_strv conflicts;  /* rollback: "path: what", all of them */
	struct sp_boot_images images; /* rollback: with a copy of our file that is gone */
	struct sp_strv actions;	      /* rollback: what is left to do, as commands */
	struct sp_strv recovered;  /* interrupted work that was finished or undone first */
	struct sp_strv warnings;
	bool reboot_required;
	char *firmware; /* the carve-out was left in another state than the files are for: what to do; exit SP_EXIT_FIRMWARE */
	char *trial;	 /* the title of the entry that is started once, at the next start; NULL: no trial was begun */
	bool unfinished; /* it stands, but what it left beside the files could not be tidied up: exit SP_EXIT_RECOVER */
};
void sp_result_clear(struct sp_result *r);
#define sp_autoresult sp_cleanup(sp_result_clear)

/* Recover what is open, so that a plan is made on a settled tree. Opens the store for writing only where needed. */
int sp_recover(const struct sp_session *s, struct sp_result *ret, struct sp_error **err) sp_must_check;
/* Carry the plan out as one transaction; nothing pending: writes nothing, not even the lock. */
int sp_apply(const struct sp_session *s, const struct sp_plan *plan, struct sp_result *ret, struct sp_error **err) sp_must_check;

struct sp_rollback_options {
	uint64_t to; /* this transaction and all later ones; 0: the last */
	bool all;
	bool keep_conflicts;
};
int sp_rollback(const struct sp_session *s, const struct sp_rollback_options *o, struct sp_result *ret,
		struct sp_error **err) sp_must_check;

/* --- what is left to the first boot: request.c ------------------------------------------------------------------ */

struct sp_request {
	bool there;
	struct sp_selection selection; /* given false: what was recorded */
};
int sp_request_read(const struct sp_session *s, struct sp_request *ret, struct sp_error **err) sp_must_check;
void sp_request_clear(struct sp_request *r);
#define sp_autorequest sp_cleanup(sp_request_clear)
/* Leave the session's selection to it. -ENOENT, exit SP_EXIT_UNSUPPORTED: the tree has no unit that would do it. */
int sp_request_leave(const struct sp_session *s, struct sp_error **err) sp_must_check;
int sp_request_done(const struct sp_session *s, struct sp_error **err) sp_must_check; /* there may be none */

/* --- trial boot: engine/trial.h -------------------------------------------------------------------------------- */

enum sp_trial_state {
	SP_TRIAL_IDLE,
	SP_TRIAL_PREPARED,
	SP_TRIAL_ARMED,
	SP_TRIAL_RUNNING,
	SP_TRIAL_VERIFIED,
	SP_TRIAL_PROMOTED, /* the extra entry is still there */
	SP_TRIAL_FAILED,   /* the same */
	SP_TRIAL__COUNT,
};
const char *sp_trial_state_name(enum sp_trial_state state); /* "armed" */

/*
 * apply --trial: the plan's boot arguments in one extra entry, and the loader told to start that once. Nothing else is
 * changed. Exit SP_EXIT_UNSUPPORTED: the loader could not be trusted to forget it; SP_EXIT_CONFLICT: it has another such choice.
 */
int sp_trial_begin(const struct sp_session *s, const struct sp_plan *plan, struct sp_result *ret,
		   struct sp_error **err) sp_must_check;

struct sp_verify;
struct sp_confirm {
	uint64_t trial;		   /* its transaction; 0: there was none */
	enum sp_trial_state state; /* as it was found, or how far it came */
	struct sp_verify *verify;  /* the checks; NULL: none were made */
	struct sp_result result;
	char *sentence;
	enum sp_exit status;
};
enum sp_confirm_how {
	SP_CONFIRM_NOW,
	SP_CONFIRM_IF_ARMED, /* where there is no trial, nothing is done */
	SP_CONFIRM_CANCEL,   /* whatever became of it, it is taken back */
};
/* *ret is set in any case, and says what happened up to an error. */
int sp_confirm(const struct sp_session *s, enum sp_confirm_how how, struct sp_confirm **ret,
	       struct sp_error **err) sp_must_check;
void sp_confirm_free(struct sp_confirm *c);

/* --- verify ---------------------------------------------------------------------------------------------------- */

enum sp_layer { SP_LAYER_DISK, SP_LAYER_ENTRY, SP_LAYER_CMDLINE, SP_LAYER_LIVE, SP_LAYER_EFFECT };
const char *sp_layer_name(enum sp_layer layer);
enum sp_check_result { SP_CHECK_OK, SP_CHECK_FAIL, SP_CHECK_PENDING, SP_CHECK_SKIPPED };
const char *sp_check_result_name(enum sp_check_result r); /* "ok", "fail", "pending-reboot", "skipped" */

struct sp_check {
	char *id; /* setting */
	enum sp_layer layer;
	char *expected, *actual; /* actual NULL: could not be read */
	enum sp_check_result result;
	char *reason; /* NULL when ok; else one sentence that names the file, the later token, the clamp, ... */
};
struct sp_verify {
	struct sp_check *checks;
	size_t n_checks;
	enum sp_exit status;
	char *sentence; /* the closing one: what holds, what was not checked */
	struct sp_strv warnings;
	struct sp_advices advisories;
	uint64_t txn;
	bool never_applied, rolled_back;
	struct sp_facts *facts;
	uint64_t gtt_mib; /* in the recorded sizes; 0: none, or they no longer hold */
	struct sp_boot_images images; /* with a copy of our file that is gone */
	char *firmware;	  /* the carve-out is not the one that the sizes are for: which is stale, and what mends it */
};
int sp_verify(const struct sp_session *s, struct sp_verify **ret, struct sp_error **err) sp_must_check;
void sp_verify_free(struct sp_verify *v);

/* --- status ---------------------------------------------------------------------------------------------------- */

struct sp_status_txn {
	uint64_t id;
	char *kind;  /* "apply", "rollback" */
	char *state; /* "committed", "undone", "interrupted", "rolled-back" */
	char *time;  /* UTC, ISO 8601 */
	char *text;  /* "profile zbook, 10 settings, 6 files" */
};
struct sp_status {
	struct sp_status_txn *txns;
	size_t n_txns;
	bool interrupted, reboot_pending;
	bool firmware_set; /* the carve-out was written in this boot, and waits for the next */
	bool requested;	   /* something was left to the first boot, and is not done yet */
	int boot_check;	   /* exit status of the verify of this start, by its unit; -1: not known */
	uint64_t trial;	   /* the last one; 0: there was none */
	enum sp_trial_state trial_state;
	char *trial_entry, *trial_outcome, *trial_why; /* outcome: of one that was ended, else NULL */
	struct sp_applied applied;
};
int sp_status_read(const struct sp_session *s, struct sp_status **ret, struct sp_error **err) sp_must_check;
void sp_status_free(struct sp_status *st);

/* --- record ---------------------------------------------------------------------------------------------------- */

struct sp_recording {
	char *path; /* what was written */
	bool tar;   /* a file; else a folder */
	size_t files;
	uint64_t bytes;
	size_t replaced[SP_ANON__COUNT]; /* different identifiers */
	struct sp_strv unread;		 /* "path: reason" */
};
/*
 * Write a tree that --machine reads (boot: and --root), or with a name that ends in ".tar" one file, from which
 * identifiers are gone. output NULL: strix-record-PLATFORM.tar. -EEXIST, exit SP_EXIT_USAGE: it is there already.
 */
int sp_record_machine(const struct sp_session *s, const char *output, bool boot, struct sp_recording *ret,
		      struct sp_error **err) sp_must_check;
void sp_recording_clear(struct sp_recording *r);
#define sp_autorecording sp_cleanup(sp_recording_clear)

/* --- detect ---------------------------------------------------------------------------------------------------- */

struct sp_detect {
	struct sp_facts *facts;
	struct sp_catalog *catalog;
	const struct sp_platform *platform;
	char *platform_why;
	struct sp_boot *boot;
	struct sp_error *boot_error;
	struct sp_carveout carveout;
	uint64_t next_gtt_mib; /* that the command line of the next boot asks for; 0: none */
	struct sp_strv warnings;
	struct sp_advices advisories;
};
int sp_detect(const struct sp_session *s, struct sp_detect **ret, struct sp_error **err) sp_must_check;
void sp_detect_free(struct sp_detect *d);

/* --- firmware -------------------------------------------------------------------------------------------------- */

struct sp_firmware {
	struct sp_facts *facts;
	struct sp_catalog *catalog;
	const struct sp_platform *platform; /* NULL: none */
	struct sp_carveout carveout;
	struct sp_gate gate; /* for the size that was asked for; 0: none was, and it stays */
	const char *locked;  /* why it cannot be written from here; NULL: it can. Borrowed */
	bool setup_set;	     /* setup: it was asked */
};
/* uma_mib 0: what there is. Otherwise also what setting it would mean, which gate.refusal may refuse. */
int sp_firmware_read(const struct sp_session *s, uint64_t uma_mib, struct sp_firmware **ret,
		     struct sp_error **err) sp_must_check;
/* Write what fw->gate says, as a transaction that changes no file. Sizes that were applied and no longer fit: refused. */
int sp_firmware_set(const struct sp_session *s, const struct sp_firmware *fw, struct sp_result *ret,
		    struct sp_error **err) sp_must_check;
/*
 * Ask the firmware to stop in its setup screen at the next start, once, and read that back. Exit SP_EXIT_FIRMWARE: it
 * cannot be asked (an old BIOS start, no such feature), and the hint says which key does.
 */
int sp_firmware_setup(const struct sp_session *s, struct sp_firmware **ret, struct sp_error **err) sp_must_check;
void sp_firmware_free(struct sp_firmware *fw);

/* --- explain --------------------------------------------------------------------------------------------------- */

struct sp_proof {
	enum sp_layer layer;
	char *how; /* what must hold; for the live layer the path */
};
struct sp_explained { /* a setting, or an entry of the log that is none */
	const char *id, *summary; /* borrowed from the catalogue, as follows and log */
	const char *destination;  /* NULL: no setting */
	const char *follows;	  /* the setting that it goes with and whose log it shares; NULL */
	char *key, *value;	  /* as they are here; NULL: not known, or no setting */
	const char *state;	  /* of its decision, or "not-selected", "not-applied", "unknown" */
	char *reason;		  /* why */
	const struct sp_log *log;
	struct sp_proof *proofs;
	size_t n_proofs;
	char *undo;
};
struct sp_explain {
	struct sp_plan *plan;	    /* NULL: none could be made */
	struct sp_catalog *catalog; /* with the log, which a plan does without */
	struct sp_explained *v;
	size_t n;
	struct sp_strv warnings;
};
/*
 * One setting or entry, or all of them (id NULL): settings first. Works on any machine; only a mistake in the
 * catalogue, the configuration or the id is an error (SP_EXIT_USAGE).
 */
int sp_explain(const struct sp_session *s, const char *id, struct sp_explain **ret, struct sp_error **err) sp_must_check;
void sp_explain_free(struct sp_explain *x);
