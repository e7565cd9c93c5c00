/* SPDX-License-Identifier: MIT */
/* The state directory: opened, locked, its state.json and its transactions read. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/durable.h"
#include "txn/internal.h"

#define ID_MAX ((uint64_t) 1 << 53) /* JSON readers keep whole numbers up to there */

static int take_lock(struct sp_store *s, struct sp_error **err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;

	if (fstatat(s->dir, "lock", &st, AT_SYMLINK_NOFOLLOW) == 0 && (!S_ISREG(st.st_mode) || st.st_nlink != 1))
		return sp_not_ours(err, "lock");
	s->lock = sp_durable_open_append(s->dir, "lock", 0644);
	if (s->lock < 0)
		return sp_error_errno(err, s->lock, "cannot open '%s/lock'", SP_STATE_DIR);
	if (fcntl(s->lock, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return sp_error_errno(err, -errno, "cannot lock '%s/lock'", SP_STATE_DIR);
	(void) sp_error_set(err, -EBUSY, "another strix-provision is changing this system");
	return sp_error_hint(err, "wait until it has ended, then repeat the command");
}

static int make_dirs(struct sp_store *s, struct sp_error **err)
{
	sp_autofree char *name = NULL;
	int r = sp_stage_parents(s->root, SP_STATE_DIR "/x", NULL);

	if (r < 0)
		return sp_error_errno(err, r, "cannot make '%s'", SP_STATE_DIR);
	s->dir = sp_root_open_parent(s->root, SP_STATE_DIR "/x", &name);
	if (s->dir < 0)
		return sp_error_errno(err, s->dir, "cannot open '%s'", SP_STATE_DIR);
	r = sp_durable_mkdir(s->dir, "tx", 0700);
	return r < 0 ? sp_error_errno(err, r, "cannot write in '%s'", SP_STATE_DIR) : 0;
}

static int open_tx(struct sp_store *s)
{
	int fd = openat(s->dir, "tx", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_for_writing(struct sp_store *s, struct sp_error **err)
{
	int r = make_dirs(s, err);

	if (r == 0)
		r = take_lock(s, err); /* without rights this is where it ends */
	if (r < 0)
		return r;
	s->tx = open_tx(s);
	if (s->tx < 0)
		return sp_error_errno(err, s->tx, "cannot open '%s/tx'", SP_STATE_DIR);
	r = sp_claim_folder(s->dir, 0755);
	if (r == 0)
		r = sp_claim_folder(s->tx, 0700);
	if (r == -EUCLEAN)
		return sp_not_ours(err, "tx");
	return r < 0 ? sp_error_errno(err, r, "cannot close '%s/tx' to others", SP_STATE_DIR) : 0;
}

static int open_for_reading(struct sp_store *s, struct sp_error **err)
{
	s->dir = sp_root_openat(s->root, SP_STATE_DIR, O_RDONLY | O_DIRECTORY);
	if (s->dir == -ENOENT)
		return 0;
	if (s->dir < 0)
		return sp_error_errno(err, s->dir, "cannot open '%s'", SP_STATE_DIR);
	s->tx = open_tx(s);
	return 0;
}

int sp_store_open(const struct sp_root *root, bool write, struct sp_store **ret, struct sp_error **err)
{
	struct sp_store *s = sp_xcalloc(1, sizeof(*s));

	*s = (struct sp_store){ .root = root, .dir = -1, .tx = -1, .lock = -1, .packages = { -1, -1, -1, -1 } };
	int r = write ? open_for_writing(s, err) : open_for_reading(s, err);
	if (r < 0) {
		sp_store_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sp_store_close(struct sp_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SP_ELEMENTS(s->packages); i++)
		sp_cleanup_close_(&s->packages[i]);
	sp_cleanup_close_(&s->tx);
	sp_cleanup_close_(&s->lock);
	sp_cleanup_close_(&s->dir);
	free(s);
}

/* The name of a folder in tx/, just as it was made. */
static int parse_id(const char *name, uint64_t *ret)
{
	sp_autofree char *back = NULL;

	if (sp_parse_u64(name, ret) < 0 || *ret == 0 || *ret > ID_MAX)
		return -EBADMSG;
	back = sp_xasprintf("%" PRIu64, *ret);
	return sp_streq(back, name) ? 0 : -EBADMSG;
}

/* Written by whoever owns the folder, and by nobody else. */
static bool is_owners(int dir, int fd)
{
	struct stat own, st;

	return fstat(dir, &own) == 0 && fstat(fd, &st) == 0 && st.st_uid == own.st_uid && !(st.st_mode & 022);
}

static int damaged_state(struct sp_error **err)
{
	(void) sp_error_exit(err, SP_EXIT_RECOVER);
	return sp_error_hint(err, "'strix-provision recover' as root makes it anew from the journals");
}

int sp_store_read_state(const struct sp_store *s, json_t **ret, struct sp_error **err)
{
	sp_autobuf struct sp_buf b = { 0 };
	json_error_t e;

	*ret = NULL;
	if (s->dir < 0)
		return 0;
	sp_autoclose int fd = sp_root_open_file_at(s->root, s->dir, "state.json", O_RDONLY);
	if (fd == -ENOENT)
		return 0;
	if (fd >= 0 && !is_owners(s->dir, fd)) {
		(void) sp_error_set(err, -EBADMSG, "'%s/state.json' was not written by the owner of its folder alone",
				    SP_STATE_DIR);
		return damaged_state(err);
	}
	int r = fd < 0 ? fd : sp_fd_read(fd, (size_t) 16 * 1024 * 1024, &b);
	if (r < 0)
		return sp_error_errno(err, r, "cannot read '%s/state.json'", SP_STATE_DIR);
	*ret = json_loadb(b.data, b.len, 0, &e);
	if (*ret)
		return 0;
	(void) sp_error_set(err, -EBADMSG, "'%s/state.json' line %d: %s", SP_STATE_DIR, e.line, e.text);
	return damaged_state(err);
}

int sp_store_write_state(struct sp_store *s, json_t *state, struct sp_error **err)
{
	sp_autofree char *text = json_dumps(state, JSON_INDENT(1) | JSON_ENSURE_ASCII);

	if (!text)
		return sp_error_set(err, -EINVAL, "cannot write '%s/state.json': not valid JSON", SP_STATE_DIR);
	int r = sp_durable_replace(s->dir, "state.json", text, strlen(text), 0644, SP_SYNC_LATER);
	return r < 0 ? sp_error_errno(err, r, "cannot write '%s/state.json'", SP_STATE_DIR) : 0;
}

int sp_store_sync(const struct sp_store *s, struct sp_error **err)
{
	int r = sp_durable_sync_fs(s->dir);

	return r < 0 ? sp_error_errno(err, r, "cannot write in '%s'", SP_STATE_DIR) : 0;
}

int sp_store_open_id(const struct sp_store *s, uint64_t *ret)
{
	char text[64] = { 0 };

	if (s->dir < 0)
		return -ENOENT;
	if (readlinkat(s->dir, "open", text, sizeof(text) - 1) < 0)
		return errno == EINVAL ? -EBADMSG : -errno;
	return sp_startswith(text, "tx/") ? parse_id(text + 3, ret) : -EBADMSG;
}

bool sp_store_interrupted(const struct sp_store *s)
{
	struct stat st;

	return s->dir >= 0 && fstatat(s->dir, "open", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int read_record(const struct sp_store *s, const char *id, bool with_images, struct sp_record *ret)
{
	if (!with_images && s->running && s->running->id == ret->id)
		return sp_record_fold(s->running->journal.records, -1, ret);

	sp_autoclose int dir = openat(s->tx, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	json_t *journal = NULL;
	size_t end = 0;

	if (dir < 0)
		return -errno;
	int r = s->lock < 0 ? 0 : sp_claim_record(dir);
	if (r < 0)
		return r;
	sp_autoclose int fd = sp_root_open_file_at(s->root, dir, "journal", O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd; /* died right after mkdir: nothing was begun */
	sp_autoclose int images = with_images ? sp_root_open_file_at(s->root, dir, "images", O_RDONLY) : -1;
	if (with_images && images < 0 && images != -ENOENT)
		return images;
	r = sp_journal_read(fd, &journal, &end);
	if (r == 0)
		r = sp_record_fold(journal, images, ret);
	json_decref(journal);
	if (r == 0 && with_images && images < 0 && ret->n_prepared > 0)
		return -ENOENT;
	return r;
}

static int by_id(const void *a, const void *b)
{
	const struct sp_record *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int list_ids(int tx, struct sp_strv *ret)
{
	sp_autoclose int copy = openat(tx, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sp_autostrv struct sp_strv names = { 0 };
	uint64_t id;

	if (copy < 0)
		return -errno;
	int r = sp_fd_list(copy, &names);
	for (size_t i = 0; i < names.n; i++)
		if (parse_id(names.v[i], &id) == 0)
			sp_strv_add(ret, names.v[i]);
	return r;
}

static int list_transactions(const struct sp_store *s, struct sp_strv *ret, struct sp_error **err)
{
	int r = s->tx < 0 ? s->tx : list_ids(s->tx, ret);

	return r < 0 && r != -ENOENT ? sp_error_errno(err, r, "cannot read '%s/tx'", SP_STATE_DIR) : r;
}

int sp_store_next_id(const struct sp_store *s, uint64_t *ret, struct sp_error **err)
{
	sp_autostrv struct sp_strv ids = { 0 };
	int r = list_transactions(s, &ids, err);
	uint64_t id = 0;

	*ret = 1;
	for (size_t i = 0; i < ids.n; i++)
		if (parse_id(ids.v[i], &id) == 0 && id >= *ret)
			*ret = id + 1;
	return r == -ENOENT ? 0 : r;
}

int sp_store_list(const struct sp_store *s, bool with_images, struct sp_record **ret, size_t *ret_n, struct sp_error **err)
{
	sp_autostrv struct sp_strv ids = { 0 };
	uint64_t open = 0;

	*ret = NULL;
	*ret_n = 0;
	if (s->dir < 0)
		return 0;
	int r = list_transactions(s, &ids, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (sp_store_open_id(s, &open) < 0)
		open = 0;
	struct sp_record *records = sp_xcalloc(ids.n, sizeof(*records));
	for (size_t i = 0; i < ids.n; i++) {
		if (parse_id(ids.v[i], &records[i].id) < 0)
			continue;
		if (read_record(s, ids.v[i], with_images, &records[i]) < 0)
			records[i].state = SP_TXN_DAMAGED;
		else if (records[i].state == SP_TXN_OPEN && records[i].id != open)
			records[i].state = SP_TXN_UNDONE; /* died as it began */
	}
	qsort(records, ids.n, sizeof(*records), by_id);
	*ret = records;
	*ret_n = ids.n;
	return 0;
}

void sp_records_free(struct sp_record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sp_record_clear(&records[i]);
	free(records);
}
