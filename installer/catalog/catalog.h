/* SPDX-License-Identifier: MIT */
/*
 * The data: settings, profiles, platforms, advisories and the log, read from libconfig files of the
 * data directory and checked on load. Every mistake is one message
 * "file:line: what", exit SP_EXIT_USAGE, and nothing is half loaded.
 *
 *   DATA/grub/(*.cfg)  sysctl.d/  modprobe.d/  environment.d/     settings = ( { ... }, ... );
 *   DATA/log/(*.cfg)                                          entries = ( { ... }, ... );
 *   DATA/advisories/(*.cfg)                                   advisories = ( { ... }, ... );
 *   DATA/profiles/NAME.cfg                                    one profile a file
 *   DATA/platforms/NAME.cfg                                   one platform a file
 */
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "base/str.h"
#include "hw/facts.h"

enum sp_dest {
	SP_DEST_CMDLINE,     /* folder grub/ */
	SP_DEST_SYSCTL,	     /* folder sysctl.d/ */
	SP_DEST_MODPROBE,    /* folder modprobe.d/ */
	SP_DEST_ENVIRONMENT, /* folder environment.d/ */
	SP_DEST__COUNT,
};
const char *sp_dest_name(enum sp_dest dest); /* "cmdline", "sysctl", "modprobe", "environment" */

enum sp_rule {
	SP_RULE_SET,
	SP_RULE_AT_LEAST, /* written only where what is in effect without us is less */
	SP_RULE_AT_MOST,
};

enum sp_verdict {
	SP_VERDICT_KEEP,
	SP_VERDICT_REVERTED,
	SP_VERDICT_PENDING,
	SP_VERDICT_BLOCKED,
	SP_VERDICT_AVAILABLE, /* works, and is chosen elsewhere */
	SP_VERDICT_CLOSED,    /* there was nothing to do */
};
const char *sp_verdict_name(enum sp_verdict verdict);

/* What was tried, what came out, and what speaks against it. Without a date nothing is known. */
struct sp_log {
	char *date, *change, *evidence, *tradeoff; /* tradeoff may be NULL */
	enum sp_verdict verdict;
	struct sp_strv doubts; /* contrary measurements, each with its source */
};

/* A predicate that is to be asked: "kernel-has-parm amdgpu gttsize". */
struct sp_condition {
	char *text;    /* predicate and arguments */
	char *message; /* warnings: what to say when it holds; when/unless: why the setting is skipped; may be NULL */
};

struct sp_setting {
	char *id;
	enum sp_dest dest;
	char *key;   /* may name derived values: "${ttm_module}.pages_limit" */
	char *value; /* likewise: "${gtt_pages}" */
	enum sp_rule rule;
	char *summary; /* one sentence: what it does; it is the comment in the file, too */
	bool by_default; /* false: only with a profile that names it, or --with */
	bool reboot;	 /* takes effect at the next boot only */
	char *follows;	 /* id: chosen exactly when that one is, and reads the same numbers; NULL */
	struct sp_condition *when, *unless, *warn;
	size_t n_when, n_unless, n_warn;
	struct sp_strv conflicts; /* foreign command-line tokens that block it: "amd_iommu=off", "iommu=*" */
	char *live;		  /* path of the live value in the machine (may name derived values), NULL: none */
	bool live_bracket;	  /* the live file lists words and brackets the one in force */
	bool live_set;		  /* apply may set it on the running system */
	char *neutral;		  /* a value that is as good as none, for an entry that is to be as before us; NULL */
	char *effect;		  /* name of the effect that verify measures ("gtt-total", "iommu-passthrough"); NULL */
	struct sp_log log;
	char *file; /* where it is defined */
	unsigned line;
};

/* Something of the log that strix-provision does not set. */
struct sp_log_entry {
	char *id; /* no setting has it */
	char *summary;
	char *reason; /* why it is not set; NULL */
	struct sp_log log;
	char *file;
	unsigned line;
};

/* A read-only warning about the machine: shown where every `when` holds and no `unless` does, which must be known. */
struct sp_advisory {
	char *id;
	struct sp_condition *when, *unless;
	size_t n_when, n_unless;
	char *text; /* may name facts: "${memory.crash_mib}", "${vulkan.amdvlk:source}", and "${kernel}" */
	char *evidence;
	char *file;
	unsigned line;
};

struct sp_override { /* from a profile or the configuration: settings = { id = { value = "..."; }; } */
	char *id, *value;
};

/* How sizes are found when no size is given. */
enum sp_headroom {
	SP_HEADROOM_REFERENCE, /* min(round_GiB(m + c) - 4, floor_GiB(m) - 3): the reference log */
	SP_HEADROOM_HOST,      /* leave max(8 GiB, 12.5 %) to the host */
};

struct sp_profile {
	char *name, *summary;
	struct sp_strv settings; /* ids, in the order they are listed */
	struct sp_override *overrides;
	size_t n_overrides;
	enum sp_headroom headroom;
	char *file;
	unsigned line;
};

struct sp_match { /* one test of a platform: all of its tests must hold */
	enum sp_fact fact;
	char *equals, *contains; /* one of the two; contains ignores case */
};
struct sp_platform {
	char *id, *name;
	bool supported;
	int priority; /* the highest that matches is taken: exact models before "other maker" */
	struct sp_match *matches;
	size_t n_matches;
	char *setup_key;  /* "F10": enters the firmware's setup; NULL */
	char *setup_path; /* "Advanced > Device Options > UMA Video Memory Size"; NULL */
	char *note;	  /* NULL, or what to know about this model, with its source */
	char *file;
	unsigned line;
};

struct sp_catalog {
	struct sp_setting *settings; /* grub, sysctl.d, modprobe.d, environment.d; files by name, blocks in order */
	size_t n_settings;
	struct sp_profile *profiles;
	size_t n_profiles;
	struct sp_platform *platforms;
	size_t n_platforms;
	struct sp_log_entry *entries; /* files by name, blocks in order; advisories likewise */
	size_t n_entries;
	struct sp_advisory *advisories;
	size_t n_advisories;
};

enum sp_catalog_part {
	SP_CATALOG_SETTINGS = 1 << 0, /* and the profiles, which name them */
	SP_CATALOG_PLATFORMS = 1 << 1,
	SP_CATALOG_LOG = 1 << 2,
	SP_CATALOG_ADVICE = 1 << 3, /* names platforms */
	SP_CATALOG_ALL = (1 << 4) - 1,
};
int sp_catalog_load(const char *data_dir, struct sp_catalog **ret, struct sp_error **err) sp_must_check; /* all of it */
/* Some of it, for who needs no more: to read it all takes longer than to look at a machine. */
int sp_catalog_load_parts(const char *data_dir, unsigned parts, struct sp_catalog **ret,
			  struct sp_error **err) sp_must_check;
void sp_catalog_free(struct sp_catalog *catalog);
const struct sp_setting *sp_catalog_setting(const struct sp_catalog *c, const char *id);  /* NULL: none */
const struct sp_profile *sp_catalog_profile(const struct sp_catalog *c, const char *name); /* NULL: none */
/* -EINVAL, exit SP_EXIT_USAGE, with the nearest id of a setting or of a log entry as hint. */
int sp_catalog_no_entry(const struct sp_catalog *c, const char *id, struct sp_error **err);

/* The platform of these facts: NULL when none matches. why (owned) says what matched, or what did not. */
const struct sp_platform *sp_platform_match(const struct sp_catalog *c, const struct sp_facts *f, char **why);

static inline void sp_cleanup_catalog_(struct sp_catalog **c)
{
	sp_catalog_free(*c);
}
#define sp_autocatalog sp_cleanup(sp_cleanup_catalog_)
