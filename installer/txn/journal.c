/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/durable.h"
#include "txn/internal.h"

int sp_journal_mend(struct sp_journal *j)
{
	if (!j->torn)
		return 0;
	if (ftruncate(j->fd, j->end) < 0 || lseek(j->fd, j->end, SEEK_SET) < 0)
		return -errno;
	int r = sp_durable_sync(j->fd);
	if (r == 0)
		j->torn = false;
	return r;
}

int sp_journal_append(struct sp_journal *j, json_t *record, bool sync)
{
	sp_autofree char *json = json_dumps(record, JSON_COMPACT | JSON_ENSURE_ASCII);
	int r = json ? sp_journal_mend(j) : -EINVAL;

	if (r < 0)
		return r;
	sp_autofree char *body = sp_xasprintf("%" PRIu64 " %s", j->next, json);
	sp_autofree char *line = sp_xasprintf("%08" PRIx32 " %s\n", sp_crc32c(body, strlen(body)), body);
	j->torn = true;
	r = sp_durable_write(j->fd, line, strlen(line));
	if (r == 0 && sync)
		r = sp_durable_sync(j->fd);
	if (r < 0)
		return r;
	j->torn = false;
	j->next++;
	j->end += (off_t) strlen(line);
	if (j->records)
		json_array_append(j->records, record);
	return 0;
}

void sp_journal_clear(struct sp_journal *j)
{
	sp_cleanup_close_(&j->fd);
	json_decref(j->records);
	j->records = NULL;
}

/* One line; NULL where it is not what was written. */
static json_t *parse_line(char *line, uint64_t expected)
{
	char *end = NULL;
	unsigned long crc = strtoul(line, &end, 16);

	if (end != line + 8 || *end != ' ' || crc != sp_crc32c(end + 1, strlen(end + 1)))
		return NULL;
	char *seq = end + 1;
	if (strtoull(seq, &end, 10) != expected || *end != ' ')
		return NULL;
	return json_loads(end + 1, 0, NULL);
}

int sp_journal_read(int fd, json_t **ret, size_t *ret_end)
{
	sp_autobuf struct sp_buf b = { 0 };
	int r = sp_fd_read(fd, (size_t) 64 * 1024 * 1024, &b);
	bool torn = false;
	size_t good = 0;

	if (r < 0)
		return r;
	json_t *records = json_array();
	for (size_t at = 0; at < b.len;) {
		char *nl = memchr(b.data + at, '\n', b.len - at);
		size_t len = nl ? (size_t) (nl - (b.data + at)) : b.len - at;
		sp_autofree char *line = sp_xstrndup(b.data + at, len);
		json_t *record = nl && !torn ? parse_line(line, json_array_size(records)) : NULL;

		at += len + 1;
		if (record && json_array_append_new(records, record) == 0) {
			good = at;
		} else if (torn && nl) { /* something complete behind what is broken: not a torn tail */
			json_decref(records);
			return -EBADMSG;
		} else {
			torn = true;
		}
	}
	*ret = records;
	*ret_end = good;
	return 0;
}
