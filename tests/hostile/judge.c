/* SPDX-License-Identifier: MIT */
/*
 * What must hold after every run, whatever the tree was:
 *   - it ended by itself, in time, with an exit status that the manual lists
 *   - with --json there is one JSON object on standard output; no control characters of others reach a terminal
 *   - outside was neither opened nor changed (canary.c), and nothing of its contents came into the tree or the output
 *   - no file of the tree has become set-user-ID or set-group-ID
 *   - the state directory is 0755, tx/ 0700 and what is in it 0600 and of the user who ran the program
 */
#include <jansson.h>
#include <sys/xattr.h>

#include "hostile.h"

enum { LAST_EXIT_STATUS = 8 };

/* As they are told in a report: one line. */
static char *first_line(const struct sp_buf *b)
{
	char *text = sp_xstrndup(b->data ? b->data : "", 200);

	text[strcspn(text, "\n")] = '\0';
	return text;
}

/*
 * Tab and newline are ours; with --color=never nothing else is. C1 controls are 0xc2 0x80 to 0x9f in UTF-8. JSON does not
 * escape DEL, which no terminal obeys.
 */
static bool has_control(const struct sp_buf *b, bool json)
{
	for (size_t i = 0; i < b->len; i++) {
		const unsigned char c = (unsigned char) b->data[i];
		if ((c < 0x20 && c != '\n' && c != '\t') || (c == 0x7f && !json))
			return true;
		if (c == 0xc2 && i + 1 < b->len && (unsigned char) b->data[i + 1] < 0xa0)
			return true;
	}
	return false;
}

static bool has_mark(const struct sp_buf *b)
{
	return b->len && memmem(b->data, b->len, MARK, strlen(MARK));
}

void judge_output(struct lab *lab, unsigned flags, const struct result *r)
{
	json_error_t e;

	if (has_control(&r->out, flags & RUN_JSON) || has_control(&r->err, false))
		violation(lab, "control characters came out");
	if (has_mark(&r->out) || has_mark(&r->err))
		violation(lab, "what is outside was shown");
	if (strstr(r->err.data, "FORGED-LINE") &&
	    (sp_startswith(r->err.data, "FORGED-LINE") || strstr(r->err.data, "\nFORGED-LINE")))
		violation(lab, "a name made a line of its own on standard error");
	if (!(flags & RUN_JSON) || r->status > LAST_EXIT_STATUS)
		return;
	json_t *json = json_loadb(r->out.data, r->out.len, 0, &e);
	if (!json_is_object(json))
		violation(lab, "no JSON object: %s", json ? "something else" : e.text);
	json_decref(json);
}

struct look {
	struct lab *lab;
	char *state;
	bool trusted; /* it went well, so whatever is in tx/ was found to be ours alone, or made so */
};

/* tx, tx/ID, tx/ID/journal and tx/ID/images: what the program makes, and nothing that lies beside it. */
static bool is_record(const char *rest)
{
	size_t digits;

	if (!sp_startswith(rest, "/tx"))
		return false;
	rest += 3;
	if (!*rest)
		return true;
	digits = strspn(rest + 1, "0123456789");
	rest += 1 + digits;
	return digits && (!*rest || sp_streq(rest, "/journal") || sp_streq(rest, "/images"));
}

static void judge_state(const struct look *look, const char *path, const struct stat *st)
{
	static const char record[] = "var/lib/strix-provision/tx/";
	const char *rest = path + strlen(look->state), *spoilt = look->lab->spoilt;

	if (!look->trusted || !is_record(rest) || S_ISLNK(st->st_mode))
		return;
	/* What the case itself has put into a record is closed off by tx/ around it, and the record is not used. */
	if (spoilt && sp_startswith(spoilt, record) && !sp_streq(rest, "/tx"))
		return;
	if (look->lab->swapped && sp_startswith(record, spoilt))
		return;
	if (st->st_mode & 077 || st->st_uid != geteuid())
		violation(look->lab, "'%s' has mode %o and owner %u", rest, st->st_mode & 07777, st->st_uid);
}

static void judge_file(void *data, const char *path, const struct stat *st)
{
	const struct look *look = data;
	sp_autobuf struct sp_buf b = { 0 };

	if (sp_startswith(path, look->state))
		judge_state(look, path, st);
	if (!S_ISREG(st->st_mode))
		return;
	if (st->st_mode & (S_ISUID | S_ISGID) && !strstr(path, "evil"))
		violation(look->lab, "'%s' is set-id: %o", path, st->st_mode & 07777);
	if (st->st_size > 4 * 1024 * 1024 || st->st_nlink > 1)
		return;
	b = read_text(path);
	if (has_mark(&b))
		violation(look->lab, "what is outside came into '%s'", path);
}

void judge(struct lab *lab, const struct command *c, unsigned flags, const struct result *r)
{
	struct look look = { lab, sp_xasprintf("%s/var/lib/strix-provision", lab->tree), r->status == 0 || r->status == 7 };
	sp_autofree char *said = first_line(&r->err), *record = sp_xasprintf("%s/record", lab->scratch);

	if (r->late)
		violation(lab, "it hangs");
	else if (r->status > LAST_EXIT_STATUS)
		violation(lab, "it ended with %d: %s", r->status, said);
	judge_output(lab, flags, r);
	if (sp_streq(c->name, "apply") || sp_streq(c->name, "rollback") || sp_streq(c->name, "recover") ||
	    sp_startswith(c->name, "apply "))
		each_file(lab->tree, judge_file, &look);
	if (c->record && !strstr(lab->about, "hard link")) /* that one is in the tree by rights of its own */
		each_file(record, judge_file, &look);
	free(look.state);
}
