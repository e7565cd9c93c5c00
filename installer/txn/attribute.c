/* SPDX-License-Identifier: MIT */
#include "txn/attribute.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>

#include "base/durable.h"
#include "txn/internal.h"

enum { TEXT_MAX = 255, LINE_MAX_LENGTH = 4096 };

void sp_attribute_clear(struct sp_attribute *a)
{
	free(a->path);
	free(a->before);
	free(a->after);
	*a = (struct sp_attribute){ 0 };
}

/* --- the file ------------------------------------------------------------------------------------------------------ */

static int read_now(const struct sp_attribute_access *access, const struct sp_attribute *a, char **ret, struct sp_error **err)
{
	sp_autofree char *line = NULL;

	if (access->keeper)
		return access->keeper->read(access->keeper->data, a, ret, err);
	int r = sp_root_read_line(access->machine, a->path, &line);

	if (r == 0)
		*ret = sp_xstrdup(sp_strip(line));
	return r;
}

static int open_to_write(const struct sp_root *machine, const char *path, int flags)
{
	sp_autofree char *name = NULL;
	sp_autoclose int dir = sp_root_open_parent(machine, path, &name);

	if (dir < 0)
		return dir;
	int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

/* One call: each is one change to the driver. */
static int write_once(int fd, const char *text, size_t len)
{
	ssize_t n;

	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t) n == len ? 0 : -EIO;
}

static int give_password(const struct sp_attribute_access *a)
{
	sp_autoclose int fd = open_to_write(a->machine, a->credential, O_TRUNC);

	return fd < 0 ? fd : write_once(fd, a->secret->text, a->secret->len);
}

static int write_file(const struct sp_attribute_access *a, const char *path, const char *text, enum sp_attribute_step *step)
{
	*step = SP_ATTRIBUTE_OPEN; /* may it be written at all? A password is not given away for nothing */
	sp_autoclose int probe = open_to_write(a->machine, path, 0);
	int r = probe < 0 ? probe : 0;
	if (r == 0 && a->credential) {
		*step = SP_ATTRIBUTE_PASSWORD;
		r = a->secret ? give_password(a) : -EKEYREJECTED;
	}
	if (r < 0)
		return r;
	*step = SP_ATTRIBUTE_WRITE;
	sp_autoclose int fd = open_to_write(a->machine, path, O_TRUNC);
	r = fd < 0 ? fd : write_once(fd, text, strlen(text));
	return r == 0 ? sp_durable_close(&fd) : r;
}

static int write_value(const struct sp_attribute_access *access, const struct sp_attribute *a, const char *from, const char *to,
		       enum sp_attribute_step *step, struct sp_error **err)
{
	sp_autofree char *now = NULL;
	int r;

	*step = SP_ATTRIBUTE_WRITE;
	if (access->keeper)
		r = access->keeper->write(access->keeper->data, from, to, err);
	else
		r = write_file(access, a->path, to, step);
	if (r < 0)
		return r;
	*step = SP_ATTRIBUTE_READ_BACK;
	r = read_now(access, a, &now, err);
	return r == 0 && !sp_streq(now, to) ? -EIO : r;
}

int sp_attribute_is_set(const struct sp_attribute_access *access, const struct sp_attribute *a, bool *ret)
{
	sp_autofree char *now = NULL;
	int r = read_now(access, a, &now, NULL);

	*ret = r == 0 && sp_streq(now, a->after);
	return r;
}

/* --- in the journal ------------------------------------------------------------------------------------------------ */

/* What a forged journal may not make us write to. */
static bool is_known_file(const char *path)
{
	static const char *const known[] = { "/sys/class/firmware-attributes/*/attributes/*/current_value",
					     "/sys/bus/pci/devices/*/uma/carveout" };

	for (size_t i = 0; i < SP_ELEMENTS(known); i++)
		if (fnmatch(known[i], path, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	return false;
}

static bool is_text(const char *s)
{
	return s && *s && strlen(s) <= TEXT_MAX && !strpbrk(s, "\r\n");
}

static bool is_line(const char *s)
{
	return s && strlen(s) <= LINE_MAX_LENGTH && !strpbrk(s, "\r\n");
}

bool sp_attribute_is_line(const struct sp_attribute *a)
{
	return sp_streq(a->path, SP_ATTRIBUTE_LINE);
}

static bool is_good(const struct sp_attribute *a)
{
	if (sp_attribute_is_line(a))
		return is_line(a->before) && is_line(a->after);
	return is_known_file(a->path) && is_text(a->before) && is_text(a->after);
}

int sp_record_to_attribute(const json_t *json, struct sp_attribute *ret)
{
	const char *path = NULL, *before = NULL, *after = NULL;
	int last = 0;

	if (json_unpack((json_t *) json, "{s:s, s:s, s:s, s:b}", "path", &path, "before", &before, "after", &after, "last",
			&last) < 0 || !is_good(&(struct sp_attribute){ (char *) path, (char *) before, (char *) after, last }))
		return -EBADMSG;
	sp_attribute_clear(ret);
	*ret = (struct sp_attribute){ sp_xstrdup(path), sp_xstrdup(before), sp_xstrdup(after), last };
	return 0;
}

static int journal(struct sp_txn *t, const struct sp_attribute *a)
{
	json_t *record = json_pack("{s:s, s:s, s:s, s:s, s:b}", "type", "attribute", "path", a->path, "before", a->before,
				   "after", a->after, "last", (int) a->last);
	int r = record ? sp_journal_append(&t->journal, record, true) : -EILSEQ; /* text that is no UTF-8 */

	if (r == 0) /* as who comes after a crash will read it */
		r = sp_record_to_attribute(record, &t->record.attribute);
	json_decref(record);
	return r;
}

/* --- of a transaction ---------------------------------------------------------------------------------------------- */

void sp_txn_reach(struct sp_txn *t, const struct sp_attribute_access *access)
{
	t->access = access;
}

const struct sp_attribute *sp_txn_attribute(const struct sp_txn *t)
{
	return t->record.attribute.path ? &t->record.attribute : NULL;
}

bool sp_txn_attribute_left(const struct sp_txn *t)
{
	return t->attribute_left;
}

static int changed(const struct sp_attribute *a, const char *now, struct sp_error **err)
{
	(void) sp_error_set(err, -ESTALE, "'%s' was changed by somebody else just now, to '%s'", a->path, now);
	(void) sp_error_exit(err, SP_EXIT_CONFLICT);
	return sp_error_hint(err, "repeat the command");
}

/* A keeper has said why. */
static int cannot_set(const struct sp_attribute *a, const char *to, int r, struct sp_error **err)
{
	if (sp_attribute_is_line(a) && err && *err)
		return sp_error_wrap(err, "cannot change the kernel arguments");
	return sp_error_errno(err, r, "cannot set '%s' to '%s'", a->path, to);
}

int sp_txn_set(struct sp_txn *t, const struct sp_attribute *a, enum sp_attribute_step *step, struct sp_error **err)
{
	sp_autofree char *now = NULL;

	*step = SP_ATTRIBUTE_READ;
	int r = read_now(t->access, a, &now, err);
	if (r == 0 && !sp_streq(now, a->before))
		return changed(a, now, err);
	if (r == 0) {
		*step = SP_ATTRIBUTE_JOURNAL;
		r = journal(t, a);
	}
	if (r == 0)
		r = write_value(t->access, a, a->before, a->after, step, err);
	return r < 0 ? cannot_set(a, a->after, r, err) : 0;
}

static bool has_word(const char *text, const char *word)
{
	sp_autofree char *copy = sp_xstrdup(text);
	char *rest = copy, *w;

	while ((w = strsep(&rest, " ")))
		if (sp_streq(w, word))
			return true;
	return false;
}

/* What we set; of a line also a part of it, where its keeper stopped halfway. */
static bool is_of_ours(const struct sp_attribute *a, const char *now)
{
	sp_autofree char *copy = sp_xstrdup(now);
	char *rest = copy, *w;

	if (!sp_attribute_is_line(a))
		return sp_streq(now, a->after);
	while ((w = strsep(&rest, " ")))
		if (!has_word(a->before, w) && !has_word(a->after, w))
			return false;
	return true;
}

/*
 * Back to what it was, where it still is what we set. What cannot be written, or was set by somebody else, stays; that is
 * an error only where the files must not go back without it.
 */
int sp_undo_attribute(struct sp_txn *t, struct sp_error **err)
{
	const struct sp_attribute *a = sp_txn_attribute(t);
	enum sp_attribute_step step = SP_ATTRIBUTE_READ;
	sp_autofree char *now = NULL;
	int r = !a ? 0 : t->access ? read_now(t->access, a, &now, err) : -ENOENT;

	if (!a || sp_streq(now, a->before))
		return 0;
	if (r == 0)
		r = is_of_ours(a, now) ? write_value(t->access, a, now, a->before, &step, err) : -ESTALE;
	if (r == 0)
		return 0;
	t->attribute_left = true;
	return a->last || (sp_attribute_is_line(a) && r != -ESTALE) ? cannot_set(a, a->before, r, err) : 0;
}
