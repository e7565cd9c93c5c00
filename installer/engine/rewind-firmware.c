/* SPDX-License-Identifier: MIT */
/*
 * The carve-out in a rollback: back through the values that the transactions
 * set, as long as each still is what the next one found. One that somebody
 * else has set since stays, as edits of others do.
 */
#include <errno.h>

#include "engine/rewind.h"

static bool is_touched(const struct sp_undo *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->chosen[i] && u->records[i].attribute.path && !sp_attribute_is_line(&u->records[i].attribute))
			return true;
	return false;
}

/* Newest first. What is not ours any more ends the walk. */
static const char *walk_back(const struct sp_undo *u, const struct sp_uma_source *source, struct sp_strv *warnings)
{
	const char *value = source->value;

	for (size_t i = u->n; i > 0; i--) {
		const struct sp_attribute *a = &u->records[i - 1].attribute;
		if (!u->chosen[i - 1] || !a->path || sp_attribute_is_line(a))
			continue;
		if (!sp_streq(a->path, source->path) || !sp_streq(a->after, value)) {
			sp_autofree char *set = sp_uma_shown(source, a->after), *is = sp_uma_shown(source, value);
			sp_strv_addf(warnings, "the firmware's carve-out is not what transaction %ju set it to (%s), so it stays "
				     "%s", (uintmax_t) u->records[i - 1].id, set, is);
			break;
		}
		value = a->before;
	}
	return value;
}

static uint64_t size_of(const struct sp_uma_source *s, const char *text)
{
	for (size_t i = 0; i < s->n_choices; i++)
		if (sp_streq(s->choices[i].text, text))
			return s->choices[i].mib;
	return 0;
}

static void add_conflict(struct sp_undo *u, const char *value, const char *why)
{
	sp_strv_addf(&u->conflicts, "the firmware's carve-out cannot be set back%s%s%s: %s", value ? " to '" : "",
		     value ? value : "", value ? "'" : "", why);
}

void sp_rewind_firmware(struct sp_undo *u, const struct sp_facts *facts, struct sp_strv *warnings)
{
	const struct sp_uma_source *source;
	struct sp_gate_input in = { .firmware = &u->carveout, .now_mib = 1 };

	if (!is_touched(u))
		return;
	sp_carveout_read(u->s->machine, sp_fact_text(facts, SP_FACT_GPU_ADDRESS), &u->carveout);
	source = u->carveout.source;
	const char *why = sp_gate_cannot_write(&in);
	if (!source || !source->value) {
		add_conflict(u, NULL, why);
		return;
	}
	const char *value = walk_back(u, source, warnings);
	if (sp_streq(value, source->value))
		return;
	if (sp_machine_is_foreign(u->s->machine))
		why = "the firmware of a recorded machine is not written";
	if (why) {
		add_conflict(u, value, why);
		return;
	}
	const uint64_t now = source->mib, then = size_of(source, value);
	u->firmware_shown = sp_uma_shown(source, value);
	u->firmware = (struct sp_attribute){ .path = source->path, .before = source->value, .after = (char *) value,
					     .last = !then || !now || then > now };
}
