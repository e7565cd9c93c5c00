/* SPDX-License-Identifier: MIT */
/* People of this system who are in none of the groups that GPU devices belong to. Local files only, no directory. */
#include "hw/internal.h"

#define PASSWD "/etc/passwd"
#define GROUP "/etc/group"

enum { FIRST_PERSON = 1000, LAST_PERSON = 60000 }; /* UID_MIN and UID_MAX of login.defs */

static const char *const gpu_groups[] = { "render", "video" };

/* The fields of "a:b:c", in place; what is missing is "". */
static void split(char *line, const char **fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *field = strsep(&line, ":");
		fields[i] = field ? field : "";
	}
}

static bool in_list(const char *list, const char *name)
{
	const size_t n = strlen(name);

	while (list && *list) {
		if (strncmp(list, name, n) == 0 && (list[n] == ',' || list[n] == '\0'))
			return true;
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	return false;
}

/* Groups as text, read anew for each person: there are few. */
static bool is_member(const char *groups, const char *user, const char *gid)
{
	sp_autofree char *copy = sp_xstrdup(groups);
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *fields[4]; /* name, password, gid, members */
		split(line, fields, SP_ELEMENTS(fields));
		for (size_t i = 0; i < SP_ELEMENTS(gpu_groups); i++)
			if (sp_streq(fields[0], gpu_groups[i]) &&
			    (sp_streq(fields[2], gid) || in_list(fields[3], user)))
				return true;
	}
	return false;
}

static bool is_person(const char *uid, const char *shell)
{
	uint64_t n = 0;

	return sp_parse_u64(uid, &n) == 0 && n >= FIRST_PERSON && n <= LAST_PERSON && !sp_endswith(shell, "/nologin") &&
	       !sp_endswith(shell, "/false");
}

void sp_read_users(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autobuf struct sp_buf users = { 0 }, groups = { 0 };
	sp_autofree char *people = NULL;
	sp_autostrv struct sp_strv outside = { 0 };
	int r = sp_root_read(f->root, PASSWD, SP_FILE_MAX, &users, NULL);
	char *save = NULL;

	(void) arg;
	if (r == 0)
		r = sp_root_read(f->root, GROUP, SP_FILE_MAX, &groups, NULL);
	if (r < 0) {
		sp_fact_set_errno(f, fact, users.len ? GROUP : PASSWD, r);
		return;
	}
	people = sp_buf_steal(&users);
	for (char *line = strtok_r(people, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *fields[7]; /* name, password, uid, gid, full name, home, shell */
		split(line, fields, SP_ELEMENTS(fields));
		if (is_person(fields[2], fields[6]) && !is_member(groups.data ? groups.data : "", fields[0], fields[3]))
			sp_strv_add(&outside, fields[0]);
	}
	sp_fact_set_list(f, fact, PASSWD, &outside);
}
