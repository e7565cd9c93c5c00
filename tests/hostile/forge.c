/* SPDX-License-Identifier: MIT */
/* The link "open", folders in tx/, state.json and modules.json, written by somebody else; and what all forgeries share. */
#include "forge.h"

/* Who reads journals, on what, and which of them. */
const struct command journal_readers[] = {
	{ "recover", "interrupted", { "recover", NULL }, false },
	{ "rollback", "applied", { "rollback", "--yes", NULL }, false },
	{ "apply again", "applied", { "apply", "--yes", "--gtt", "40G", NULL }, false },
	{ "rollback", "interrupted", { "rollback", "--yes", NULL }, false },
	{ "status", "applied-stateless", { "status", NULL }, false },
	{ "rollback", "rolledback", { "rollback", "--yes", "--all", NULL }, false },
	{ "apply after a rollback", "rolledback", { "apply", "--yes", NULL }, false },
};
const size_t n_journal_readers = SP_ELEMENTS(journal_readers);

void judge_run(struct lab *lab, const struct command *c, unsigned flags)
{
	struct result r = { 0 };

	canary_arm(lab);
	run_program(lab, c, flags, &r);
	canary_check(lab, false);
	judge(lab, c, flags, &r);
	result_clear(&r);
}

void load_for(struct lab *lab, const struct command *c)
{
	sp_autofree char *state = sp_xasprintf("%s/" STATE "/state.json", lab->tree);
	const bool stateless = sp_streq(c->state, "applied-stateless");

	load_state(lab, stateless ? "applied" : c->state);
	if (stateless)
		(void) unlink(state);
}

bool has_state(struct lab *lab, const struct command *c)
{
	return sp_strv_has(&lab->states, sp_streq(c->state, "applied-stateless") ? "applied" : c->state);
}

/* --- names in the state directory ---------------------------------------------------------------------------------- */

void forge_links(struct lab *lab)
{
	static const char *const texts[] = { "tx/../../x", "tx/1/../1", "/etc", "tx/", "tx/0", "tx/01", "tx/18446744073709551616",
					     "tx/-1", "tx/2", "../../x", "tx/1\n", "tx/1/journal", "\033[31m", "tx/9007199254740993" };
	static const char *const names[] = { "0", "01", "-1", "2", "..x", "99999999999999999999", "9007199254740991",
					     "9007199254740992", "1 ", "\033[31m", "a\nFORGED-LINE" };
	sp_autofree char *open_link = sp_xasprintf("%s/" STATE "/open", lab->tree);

	for (size_t i = 0; i < n_journal_readers; i++)
		for (size_t k = 0; has_state(lab, &journal_readers[i]) && k < SP_ELEMENTS(texts); k++) {
			if (!take_case(lab, "%s (%s): open leads to '%s'", journal_readers[i].name, journal_readers[i].state, texts[k]))
				continue;
			load_for(lab, &journal_readers[i]);
			(void) unlink(open_link);
			if (symlink(texts[k], open_link) < 0)
				die("cannot link");
			judge_run(lab, &journal_readers[i], k & 1 ? RUN_JSON : 0);
		}
	for (size_t i = 0; i < n_journal_readers; i++)
		for (size_t k = 0; has_state(lab, &journal_readers[i]) && k < SP_ELEMENTS(names); k++) {
			sp_autofree char *dir = sp_xasprintf("%s/" STATE "/tx/%s", lab->tree, names[k]);
			sp_autofree char *from = sp_xasprintf("%s/" STATE "/tx/1", lab->tree);
			if (!take_case(lab, "%s (%s): there is a transaction '%s'", journal_readers[i].name, journal_readers[i].state,
				       names[k]))
				continue;
			load_for(lab, &journal_readers[i]);
			clear_tree(dir);
			copy_tree(from, dir);
			judge_run(lab, &journal_readers[i], k & 1 ? RUN_JSON : 0);
		}
}

/* --- state.json and modules.json ------------------------------------------------------------------------------------ */

static const struct command state_readers[] = {
	{ "status", "applied", { "status", NULL }, false },	{ "verify", "applied", { "verify", NULL }, false },
	{ "plan", "applied", { "plan", NULL }, false },		{ "rollback", "applied", { "rollback", "--yes", NULL }, false },
	{ "apply again", "applied", { "apply", "--yes", NULL }, false }, { "explain", "applied", { "explain", NULL }, false },
};

void forge_json(struct lab *lab)
{
	static const char *const files[] = { "state.json", "modules.json" };

	for (size_t f = 0; f < SP_ELEMENTS(files); f++) {
		sp_autofree char *path = sp_xasprintf("%s/" STATE "/%s", lab->tree, files[f]);
		load_state(lab, "applied");
		sp_autobuf struct sp_buf text = read_text(path);
		json_t *good = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
		const size_t n = good ? count_values(good) : 0;
		for (size_t v = 0; v < n; v++)
			for (size_t which = 0; which < n_hostile_values; which++) {
				/* One reader a mutation, another one for the next: all of them read all of it alike. */
				const struct command *c = &state_readers[(v * 7 + which) % SP_ELEMENTS(state_readers)];
				if (!take_case(lab, "%s: value %zu of %s becomes hostile value %zu", c->name, v, files[f], which))
					continue;
				json_t *forged = mutated(good, v, which);
				sp_autofree char *bad = forged ? json_dumps(forged, JSON_INDENT(1)) : NULL;
				json_decref(forged);
				if (!bad)
					continue;
				load_state(lab, "applied");
				write_text(path, bad, strlen(bad), 0644);
				judge_run(lab, c, (v + which) & 1 ? RUN_JSON : 0);
			}
		json_decref(good);
	}
}
