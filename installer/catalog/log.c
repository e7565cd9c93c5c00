/* SPDX-License-Identifier: MIT */
/* The optimization log: its part of a setting, and entries of their own. */
#include "catalog/internal.h"

static const char *const verdict_names[] = {
	[SP_VERDICT_KEEP] = "keep",	  [SP_VERDICT_REVERTED] = "reverted",	[SP_VERDICT_PENDING] = "pending",
	[SP_VERDICT_BLOCKED] = "blocked", [SP_VERDICT_AVAILABLE] = "available", [SP_VERDICT_CLOSED] = "closed",
};

const char *sp_verdict_name(enum sp_verdict verdict)
{
	return verdict_names[verdict];
}

static int read_verdict(const config_setting_t *s, void *field, struct sp_error **err)
{
	int i = 0, r = sp_cfg_word(s, verdict_names, SP_ELEMENTS(verdict_names), &i, err);

	*(enum sp_verdict *) field = (enum sp_verdict) i;
	return r;
}

#define LOG(field) offsetof(struct sp_log, field)
static const struct sp_key log_keys[] = {
	{ "date", sp_cfg_text, LOG(date), true },
	{ "change", sp_cfg_text, LOG(change), true },
	{ "evidence", sp_cfg_text, LOG(evidence), true },
	{ "verdict", read_verdict, LOG(verdict), true },
	{ "tradeoff", sp_cfg_text, LOG(tradeoff), false },
	{ "doubts", sp_cfg_texts, LOG(doubts), false },
	{ 0 },
};

int sp_cfg_log(const config_setting_t *s, void *field, struct sp_error **err)
{
	return sp_cfg_group(s, log_keys, field, err);
}

void sp_log_clear(struct sp_log *log)
{
	free(log->date);
	free(log->change);
	free(log->evidence);
	free(log->tradeoff);
	sp_strv_clear(&log->doubts);
	*log = (struct sp_log){ 0 };
}

#define ENTRY(field) offsetof(struct sp_log_entry, field)
static const struct sp_key entry_keys[] = {
	{ "id", sp_cfg_id, ENTRY(id), true },
	{ "summary", sp_cfg_text, ENTRY(summary), true },
	{ "reason", sp_cfg_text, ENTRY(reason), false },
	{ "log", sp_cfg_log, ENTRY(log), true },
	{ 0 },
};

int sp_log_entry_read(const config_setting_t *block, const char *file, struct sp_log_entry *ret, struct sp_error **err)
{
	ret->file = sp_xstrdup(file);
	ret->line = config_setting_source_line(block);
	return sp_cfg_group(block, entry_keys, ret, err);
}

void sp_log_entry_clear(struct sp_log_entry *e)
{
	free(e->id);
	free(e->summary);
	free(e->reason);
	sp_log_clear(&e->log);
	free(e->file);
	*e = (struct sp_log_entry){ 0 };
}
