/* SPDX-License-Identifier: MIT */
/*
 * What the files of catalog/ share: a small typed reader over libconfig. A
 * group is read by a const table of its keys; every mistake is one message
 * "file:line: what". All text is printable ASCII, because it goes to command
 * lines, to files in /etc, to terminals and to JSON.
 */
#pragma once

#include <libconfig.h>

#include "catalog/catalog.h"
#include "catalog/config.h"
#include "catalog/predicate.h"
#include "catalog/sizes.h"

/* --- parse.c: one file and its values -------------------------------------------------------------------------- */

struct sp_doc {
	config_t config;
	char *file; /* as the user names it; outlives config, which borrows it for messages */
};
/* Read and parse a file; clear the document in any case. */
int sp_doc_read(const struct sp_root *root, const char *path, const char *display, struct sp_doc *ret,
		struct sp_error **err) sp_must_check;
void sp_doc_clear(struct sp_doc *doc);
#define sp_autodoc sp_cleanup(sp_doc_clear)

/* Read one value into the field that it belongs to. */
typedef int sp_value_reader(const config_setting_t *s, void *field, struct sp_error **err);

struct sp_key {
	const char *name;
	sp_value_reader *read;
	size_t offset; /* of the field in the object; 0 for readers that take the object itself */
	bool required;
};
/* Every member of a group by its row; the table ends with a row without a name. Unknown or missing: an error. */
int sp_cfg_group(const config_setting_t *group, const struct sp_key *keys, void *object,
		 struct sp_error **err) sp_must_check;

sp_value_reader sp_cfg_text;  /* char *, not empty */
sp_value_reader sp_cfg_id;    /* char *, [a-z][a-z0-9-]* */
sp_value_reader sp_cfg_texts; /* struct sp_strv: an array, a list, or a single text */
sp_value_reader sp_cfg_ids;   /* struct sp_strv, none twice */
sp_value_reader sp_cfg_bool;  /* bool */
sp_value_reader sp_cfg_count; /* uint64_t */
sp_value_reader sp_cfg_int;   /* int */

/* The index of the text in words; -EINVAL with a message that lists them. */
int sp_cfg_word(const config_setting_t *s, const char *const *words, size_t n, int *ret,
		struct sp_error **err) sp_must_check;
int sp_expect_type(const config_setting_t *s, int type, struct sp_error **err) sp_must_check;
bool sp_id_ok(const char *text);

/* "file:line" of a value, owned. */
char *sp_where(const config_setting_t *s);
/* The message, with the place in front; always -EINVAL. */
int sp_fail_at(const config_setting_t *s, struct sp_error **err, const char *fmt, ...) sp_printf(3, 4);
/* Put the place in front of what a check said. */
int sp_wrap_at(const config_setting_t *s, struct sp_error **err);

/* Add a hint: the nearest name, or all of them. */
int sp_hint_names(struct sp_error **err, const char *word, const char *const *names, size_t n);

/* --- condition.c, log.c, advisory.c ------------------------------------------------------------------------------ */

/* A predicate, { ask; message; }, or a list of these. */
int sp_conditions_read(const config_setting_t *s, struct sp_condition **v, size_t *n,
		       struct sp_error **err) sp_must_check;
void sp_conditions_clear(struct sp_condition *v, size_t n);

sp_value_reader sp_cfg_log; /* struct sp_log */
void sp_log_clear(struct sp_log *log);
int sp_log_entry_read(const config_setting_t *block, const char *file, struct sp_log_entry *ret,
		      struct sp_error **err) sp_must_check;
void sp_log_entry_clear(struct sp_log_entry *entry);
int sp_advisory_read(const config_setting_t *block, const char *file, struct sp_advisory *ret,
		     struct sp_error **err) sp_must_check;
void sp_advisory_clear(struct sp_advisory *advisory);

/* --- predicate-next.c: one row of the table in predicate.c each --------------------------------------------------- */

/* args: as many as its row says; why is set (owned) for SP_UNKNOWN */
typedef enum sp_tristate sp_predicate_fn(const struct sp_question *q, char **args, char **why);

sp_predicate_fn sp_ask_fact_known, sp_ask_fact_is, sp_ask_fact_begins, sp_ask_fact_at_least, sp_ask_fact_at_most;
sp_predicate_fn sp_ask_boot_setup, sp_ask_flavour_since, sp_ask_cmdline_has, sp_ask_gtt_over, sp_ask_gttsize_disagrees;

/* --- setting.c, check.c, profile.c, platform.c ----------------------------------------------------------------- */

int sp_setting_read(const config_setting_t *block, enum sp_dest dest, const char *file, struct sp_setting *ret,
		    struct sp_error **err) sp_must_check;
void sp_setting_clear(struct sp_setting *s);
/* May this stand as the value of this setting? Takes ${names} for what they will be. */
int sp_setting_check_value(const struct sp_setting *s, const char *value, struct sp_error **err) sp_must_check;
int sp_setting_check(const struct sp_setting *s, struct sp_error **err) sp_must_check;
/* Checks that need the whole catalogue. */
int sp_catalog_check(const struct sp_catalog *c, struct sp_error **err) sp_must_check;

struct sp_overrides {
	struct sp_override *v;
	size_t n;
};
sp_value_reader sp_cfg_overrides; /* struct sp_overrides: settings = { id = { value = "..."; }; }; */
void sp_overrides_clear(struct sp_override *v, size_t n);

/* The catalogue holds all settings already: ids are checked where they stand. */
int sp_profile_read(const config_setting_t *root, const struct sp_catalog *c, struct sp_profile *ret,
		    struct sp_error **err) sp_must_check;
void sp_profile_clear(struct sp_profile *p);
int sp_platform_read(const config_setting_t *root, struct sp_platform *ret, struct sp_error **err) sp_must_check;
void sp_platform_clear(struct sp_platform *p);

/* Names of all settings or profiles, borrowed; the array is owned. */
const char **sp_setting_ids(const struct sp_catalog *c);
const char **sp_profile_names(const struct sp_catalog *c);
/* No such setting: the message with a hint, without a place. */
int sp_no_setting(const struct sp_catalog *c, const char *id, struct sp_error **err);

/* --- derive.c -------------------------------------------------------------------------------------------------- */

/* The text with "1" for each derived value: what its form is checked by. */
int sp_derive_sample(const char *text, char **ret, struct sp_error **err) sp_must_check;
