/* SPDX-License-Identifier: MIT */
/* From what is ours in each place to what is wanted there: edits. The same for every setup. */
#include <errno.h>

#include "boot/internal.h"

const char *sp_place_role_name(enum sp_place_role role)
{
	static const char *const names[] = { "entry", "future", "generator" };

	return names[role];
}

struct sp_place *sp_place_add(const struct sp_root *root, struct sp_boot *boot, enum sp_place_role role,
			      const struct sp_host *host, const char *path)
{
	boot->places = sp_xrealloc(boot->places, boot->n_places + 1, sizeof(*boot->places));
	struct sp_place *p = &boot->places[boot->n_places++];

	*p = (struct sp_place){ .role = role, .host = { .kind = host->kind, .var = sp_xstrdup(host->var) } };
	if (sp_root_resolve(root, path, &p->path) < 0)
		p->path = sp_xstrdup(path); /* a folder on the way is missing */
	p->exists = sp_root_exists(root, p->path);
	return p;
}

void sp_places_clear(struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_places; i++) {
		struct sp_place *p = &boot->places[i];

		free(p->path);
		free(p->host.var);
		free(p->line);
		free(p->create);
		free(p->linux_path);
		free(p->skip);
	}
	free(boot->places);
	boot->places = NULL;
	boot->n_places = 0;
}

/* --- one line ---------------------------------------------------------------------------------------------------- */

struct planner {
	const struct sp_owned_list *owned;
	const struct sp_tokens *common, *wanted;
	struct sp_strv *changed;
};

static const struct sp_tokens *owned_at(const struct planner *pl, const struct sp_place *p)
{
	static const struct sp_tokens nothing;
	const struct sp_owned *o = sp_owned_find(pl->owned, p->path, p->host.var);

	if (o)
		return &o->tokens;
	return p->only_remove ? &nothing : pl->common;
}

/* The line to start from. *ret NULL: there is none, and none is to be made. */
static int get_line(const struct planner *pl, const struct sp_place *p, const struct sp_buf *file, char **ret,
		    bool *created, struct sp_error **err)
{
	sp_autoerror struct sp_error *why = NULL;
	int r = sp_host_get(&p->host, file, ret, &why);

	*created = r == -ENOENT;
	if (r == 0)
		return 0;
	if (r != -ENOENT)
		return sp_boot_fail(err, &why);
	*ret = NULL;
	if (pl->wanted->n == 0 || (p->only_remove && !p->create))
		return 0;
	if (p->role == SP_PLACE_GENERATOR && !p->create) {
		*ret = sp_xstrdup(""); /* what the generator puts in front has the root= */
		return 0;
	}
	sp_autofree char *root = p->create ? sp_cmdline_value(p->create, "root") : NULL;
	if (p->create && !root)
		return sp_error_set(err, -EBADMSG, "the line it would begin with has no root=, so what boots by it would "
				    "not find the root file system");
	*ret = sp_xstrdup(p->create);
	return 0;
}

static int check_length(const struct sp_place *p, const char *before, const char *after, struct sp_error **err)
{
	size_t n = strlen(after) + p->extra;

	if (n < SP_CMDLINE_MAX || strlen(after) <= strlen(before))
		return 0;
	(void) sp_error_set(err, -E2BIG, "the command line would be %zu bytes long, and a kernel reads %zu", n,
			    SP_CMDLINE_MAX - 1);
	return sp_error_hint(err, "take arguments out of it that are not needed");
}

static void note_changed(const struct planner *pl, const struct sp_place *p, const struct sp_strv *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		sp_strv_addf(pl->changed, "%s: %s", p->path, keys->v[i]);
}

static bool stands_on(const struct sp_args *args, const char *token)
{
	for (size_t i = 0; i < args->n; i++)
		if (!args->v[i].for_init && sp_token_eq(args->v[i].text, token))
			return true;
	return false;
}

static bool was_taken_out(const struct sp_tokens *owned, const char *token)
{
	for (size_t i = 0; i < owned->n; i++)
		for (size_t k = 0; k < owned->v[i].displaced.n; k++)
			if (sp_token_eq(sp_displaced_text(owned->v[i].displaced.v[k]), token))
				return true;
	return false;
}

/* Of what the wanted tokens displace, what stands here or was taken out here before. */
static void bar_displaced(const struct planner *pl, const struct sp_place *p, const char *line, struct sp_tokens *ret)
{
	sp_autoargs struct sp_args args = { 0 };
	sp_autotokens struct sp_tokens found = { 0 };

	sp_args_parse(line, &args);
	for (size_t i = 0; i < pl->wanted->n; i++)
		for (size_t k = 0; k < pl->wanted->v[i].displaced.n; k++) {
			const char *token = pl->wanted->v[i].displaced.v[k];

			if (stands_on(&args, token) || was_taken_out(owned_at(pl, p), token))
				sp_tokens_add(&found, token, NULL);
		}
	sp_owned_bar(&found, ret);
}

/* Move the line of one place in the bytes of its file. */
static int plan_line(const struct planner *pl, const struct sp_place *p, struct sp_buf *file, struct sp_note *note,
		     struct sp_error **err)
{
	sp_autotokens struct sp_tokens barred = { 0 };
	sp_autotransition struct sp_transition t = { 0 };
	sp_autofree char *line = NULL;
	struct sp_buf moved = { 0 };
	const char *linux_path = p->bad_length ? p->linux_path : NULL;
	bool created = false;
	int r = get_line(pl, p, file, &line, &created, err);

	if (r < 0 || !line)
		return r;
	if (p->only_displaced)
		bar_displaced(pl, p, line, &barred);
	else if (p->only_remove)
		sp_owned_bar(pl->wanted, &barred);
	if (p->only_displaced && barred.n == 0 && owned_at(pl, p)->n == 0 && !created)
		return 0; /* a foreign file that has nothing to do with us */
	sp_owned_move(line, owned_at(pl, p), p->only_remove ? &barred : pl->wanted, linux_path, &t);
	r = check_length(p, line, t.line, err);
	if (r < 0)
		return r;
	note_changed(pl, p, &t.changed);
	sp_note_add(note, &p->host, owned_at(pl, p), &t.owned);
	note->lines[note->n_lines - 1].linux_path = sp_xstrdup(linux_path);
	if (created ? !*t.line : sp_streq(line, t.line))
		return 0;
	r = sp_host_put(&p->host, file, t.line, &moved, err);
	if (r < 0)
		return r;
	sp_buf_clear(file);
	*file = moved;
	return 0;
}

/* --- one file ---------------------------------------------------------------------------------------------------- */

static int read_file(const struct sp_root *root, const char *path, struct sp_buf *ret, bool *exists, struct sp_error **err)
{
	sp_autoerror struct sp_error *why = NULL;
	int r = sp_root_read(root, path, SP_FILE_MAX, ret, &why);

	*exists = r != -ENOENT;
	return r < 0 && r != -ENOENT ? sp_boot_fail(err, &why) : 0;
}

static int add_edit(const struct sp_root *root, const char *path, bool existed, const struct sp_buf *before,
		    const struct sp_buf *after, const struct sp_note *note, struct sp_edits *edits, struct sp_error **err)
{
	struct sp_edit *edit = NULL;
	int r = sp_edits_add(edits, root, path, after, &edit, err);

	if (r < 0)
		return r;
	edit->note = sp_note_to_json(note);
	if (edit->before.exists != existed || (existed && !sp_buf_eq(&edit->before.bytes, before)))
		return sp_error_set(err, -EAGAIN, "'%s' changed while it was read", path);
	return 0;
}

static bool is_used(const struct sp_place *p)
{
	return !p->skip && !p->whole;
}

/* All places of one file, applied to the same bytes one after the other. */
static int plan_file(const struct planner *pl, const struct sp_root *root, const struct sp_boot *boot, const char *path,
		     struct sp_edits *edits, struct sp_error **err)
{
	sp_autonote struct sp_note note = { 0 };
	sp_autobuf struct sp_buf before = { 0 }, after = { 0 };
	bool exists = false;
	int r = read_file(root, path, &before, &exists, err);

	if (r < 0)
		return r;
	sp_buf_add(&after, before.data, before.len);
	for (size_t i = 0; i < boot->n_places && r == 0; i++) {
		const struct sp_place *p = &boot->places[i];

		if (is_used(p) && sp_streq(p->path, path))
			r = plan_line(pl, p, &after, &note, err);
	}
	if (r < 0) {
		(void) sp_error_wrap(err, "'%s'", path);
		(void) sp_error_path(err, path);
		return r;
	}
	if (note.n_lines == 0 || (!exists && after.len == 0))
		return 0;
	return add_edit(root, path, exists, &before, &after, &note, edits, err);
}

static bool is_first_of_file(const struct sp_boot *boot, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_used(&boot->places[i]) && sp_streq(boot->places[i].path, boot->places[at].path))
			return false;
	return is_used(&boot->places[at]);
}

static bool is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/*
 * Fedora's grub2-mkconfig makes /etc/kernel/cmdline anew from /etc/default/grub when that is younger, and loses what
 * stands only in the former. A change of ours must not be what makes it younger: the other file is then written again,
 * with the bytes that it has.
 */
static void keep_younger(const struct sp_boot *boot, struct sp_edits *edits)
{
	const struct sp_edit *changed = NULL;

	for (size_t i = 0; i < boot->n_places; i++) {
		struct sp_edit *e = sp_edits_find(edits, boot->places[i].path);

		if (!e || !e->before.exists)
			continue;
		if (boot->places[i].role == SP_PLACE_GENERATOR && e->op == SP_OP_REPLACE)
			changed = e;
		if (boot->places[i].role == SP_PLACE_FUTURE && e->op == SP_OP_KEEP && changed &&
		    !is_older(&e->before.meta.mtime, &changed->before.meta.mtime))
			e->op = SP_OP_REPLACE;
	}
}

int sp_boot_plan(const struct sp_root *root, const struct sp_boot *boot, const struct sp_owned_list *owned,
		 const struct sp_tokens *common, const struct sp_tokens *wanted, struct sp_edits *edits,
		 struct sp_strv *changed, struct sp_error **err)
{
	const struct planner pl = { owned, common, wanted, changed };
	int r = 0;

	for (size_t i = 0; i < boot->n_places && r == 0; i++)
		if (is_first_of_file(boot, i))
			r = plan_file(&pl, root, boot, boot->places[i].path, edits, err);
	if (r == 0)
		keep_younger(boot, edits);
	return r;
}
