/* SPDX-License-Identifier: MIT */
/* Who and what a machine is called: read to be taken out, and not recorded. */
#include "engine/record.h"

/* Readable by root only, mostly. */
static const char *const serials[] = {
	"/sys/class/dmi/id/product_serial",  "/sys/class/dmi/id/board_serial",	    "/sys/class/dmi/id/chassis_serial",
	"/sys/class/dmi/id/board_asset_tag", "/sys/class/dmi/id/chassis_asset_tag",
};

/* Firmware has texts such as "To be filled by O.E.M." there, which are no numbers. */
static bool is_serial(const char *text)
{
	return strlen(text) >= 5 && strpbrk(text, "0123456789") && !strpbrk(text, " \t");
}

static void add_line(const struct sp_root *root, const char *path, enum sp_anon_kind kind, struct sp_anon *anon)
{
	sp_autofree char *line = NULL;

	if (sp_root_read_line(root, path, &line) < 0)
		return; /* then it is in nothing that we can read either */
	const char *text = sp_strip(line);
	if (*text == '#' || (kind == SP_ANON_SERIAL && !is_serial(text)))
		return;
	sp_anon_name(anon, kind, text);
	if (kind == SP_ANON_HOST && strchr(text, '.')) { /* without its domain, too */
		sp_autofree char *label = sp_xstrndup(text, strcspn(text, "."));
		sp_anon_name(anon, kind, label);
	}
}

static void add_people(const struct sp_root *root, struct sp_anon *anon)
{
	sp_autobuf struct sp_buf b = { 0 };
	char *rest, *line;

	if (sp_root_read(root, "/etc/passwd", SP_FILE_MAX, &b, NULL) < 0)
		return;
	rest = b.data;
	while ((line = strsep(&rest, "\n"))) {
		sp_autofree char *name = NULL;
		if (sp_is_person(line, &name))
			sp_anon_name(anon, SP_ANON_USER, name);
	}
}

/* An entry token may be a word of the distribution or of the administrator; an id is known by its form. */
static void add_token(const struct sp_root *root, struct sp_anon *anon)
{
	sp_autofree char *line = NULL, *release = NULL;
	sp_autobuf struct sp_buf b = { 0 };

	if (sp_root_read_line(root, "/etc/kernel/entry-token", &line) < 0)
		return;
	if (sp_root_read(root, "/etc/os-release", SP_FILE_MAX, &b, NULL) == 0 && b.data)
		release = sp_xasprintf("\n%s", b.data);
	const char *token = sp_strip(line);
	sp_autofree char *id = sp_xasprintf("ID=%s", token), *quoted = sp_xasprintf("ID=\"%s\"", token);
	if (strlen(token) != 32 && !(release && (strstr(release, id) || strstr(release, quoted))))
		sp_anon_name(anon, SP_ANON_HOST, token);
}

void sp_record_names(const struct sp_session *s, struct sp_anon *anon)
{
	for (size_t i = 0; i < SP_ELEMENTS(serials); i++)
		add_line(s->machine, serials[i], SP_ANON_SERIAL, anon);
	add_line(s->machine, "/proc/sys/kernel/hostname", SP_ANON_HOST, anon);
	add_line(s->root, "/etc/hostname", SP_ANON_HOST, anon);
	add_people(s->root, anon);
	add_token(s->root, anon);
}
