/* SPDX-License-Identifier: MIT */
/*
 * What lies outside: watched with inotify, so that every open of any of its files and folders is seen, and listed with
 * all that stat(2) tells, ctime too, so that every change is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>

#include "hostile.h"

/* Not IN_ATTRIB: our own hard links to it change their link count. The listing sees attributes. */
#define EVENTS                                                                                                         \
	(IN_OPEN | IN_ACCESS | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF)

static struct { /* one process has one lab */
	struct sp_strv names; /* by watch descriptor */
	struct sp_buf listing, fixed;
} canary;

static void mark_file(void *data, const char *path, const struct stat *st)
{
	static const char mark[] = "\n# " MARK "\n";

	(void) data;
	if (!S_ISREG(st->st_mode))
		return;
	(void) !chmod(path, st->st_mode | S_IRUSR | S_IWUSR); /* back below: not everybody is root here */
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0 || write(fd, mark, sizeof(mark) - 1) < 0 || fchmod(fd, st->st_mode & 07777) < 0)
		die("cannot mark '%s'", path);
	(void) close(fd);
}

static void watch_dir(struct lab *lab, const char *path)
{
	int wd = inotify_add_watch(lab->watch, path, EVENTS);

	if (wd < 0)
		die("cannot watch '%s'", path);
	while (canary.names.n <= (size_t) wd)
		sp_strv_add(&canary.names, "?");
	free(canary.names.v[wd]);
	canary.names.v[wd] = sp_xstrdup(path);
}

static void watch_below(void *data, const char *path, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		watch_dir(data, path);
}

void canary_make(struct lab *lab)
{
	copy_tree(lab->tree, lab->outside);
	each_file(lab->outside, mark_file, NULL);
	lab->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (lab->watch < 0)
		die("cannot watch anything");
	watch_dir(lab, lab->outside);
	each_file(lab->outside, watch_below, lab);
}

/* `fixed` has what must stay even where hard links come and go. */
static void list_one(void *data, const char *path, const struct stat *st)
{
	struct sp_buf *lists = data;

	sp_buf_addf(&lists[0], "%s %jd.%09ld %ju\n", path, (intmax_t) st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
		    (uintmax_t) st->st_nlink);
	sp_buf_addf(&lists[1], "%s %o %u:%u %jd.%09ld %jd\n", path, st->st_mode, st->st_uid, st->st_gid,
		    (intmax_t) st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (intmax_t) st->st_size);
}

static void list_now(struct lab *lab, struct sp_buf lists[2])
{
	struct stat st;

	if (lstat(lab->outside, &st) == 0)
		list_one(lists, lab->outside, &st);
	each_file(lab->outside, list_one, lists);
}

static void drain(struct lab *lab, bool tell)
{
	_Alignas(struct inotify_event) char events[16384];
	ssize_t n;
	int told = 0;

	while ((n = read(lab->watch, events, sizeof(events))) > 0) {
		for (char *p = events; p < events + n;) {
			const struct inotify_event *e = (const void *) p;
			const char *dir = e->wd >= 0 && (size_t) e->wd < canary.names.n ? canary.names.v[e->wd] : "?";
			if (tell && told++ < 3)
				violation(lab, "outside was touched: event %#x at '%s/%s'", e->mask, dir,
					  e->len ? e->name : "");
			p += sizeof(*e) + e->len;
		}
	}
}

void canary_arm(struct lab *lab)
{
	struct sp_buf lists[2] = { { 0 }, { 0 } };

	list_now(lab, lists);
	sp_buf_clear(&canary.listing);
	sp_buf_clear(&canary.fixed);
	canary.listing = lists[0];
	canary.fixed = lists[1];
	drain(lab, false);
}

void canary_check(struct lab *lab, bool links_may_drop)
{
	struct sp_buf lists[2] = { { 0 }, { 0 } };

	drain(lab, true);
	list_now(lab, lists);
	if (!sp_buf_eq(&lists[1], &canary.fixed) || (!links_may_drop && !sp_buf_eq(&lists[0], &canary.listing)))
		violation(lab, "outside was changed");
	sp_buf_clear(&lists[0]);
	sp_buf_clear(&lists[1]);
	drain(lab, false); /* our own listing opens folders */
}
