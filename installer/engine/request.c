/* SPDX-License-Identifier: MIT */
/*
 * What is left to the first boot of a tree, as a file of the state directory: the unit strix-provision-first-boot carries
 * it out on the machine itself (apply --requested), and takes it away when it is done. It holds a selection, or nothing:
 * then the recorded one is repeated, and what was left to be generated is made.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>

#include "base/durable.h"
#include "engine/internal.h"

#define FOLDER "/var/lib/strix-provision"
#define NAME   "first-boot"
#define SCHEMA "strix-provision/first-boot/1"
#define UNIT   "strix-provision-first-boot.service"

const char *sp_request_unit(const struct sp_root *root)
{
	static const char *const units[] = { "/usr/lib/systemd/system/" UNIT, "/lib/systemd/system/" UNIT,
					     "/usr/local/lib/systemd/system/" UNIT, "/etc/systemd/system/" UNIT };

	for (size_t i = 0; i < SP_ELEMENTS(units); i++)
		if (sp_root_exists(root, units[i]))
			return UNIT;
	return NULL;
}

static int open_folder(const struct sp_session *s)
{
	return sp_root_openat(s->root, FOLDER, O_RDONLY | O_DIRECTORY);
}

static int wrong(struct sp_error **err, const char *what)
{
	(void) sp_error_set(err, -EBADMSG, "'" FOLDER "/" NAME "': %s", what);
	return sp_error_hint(err, "remove it, and ask again: strix-provision apply");
}

static int understand(const struct sp_buf *file, struct sp_request *ret, struct sp_error **err)
{
	json_error_t e;
	json_t *json = json_loadb(file->data, file->len, 0, &e), *selection = json_object_get(json, "selection");
	int r = 0;

	if (!json || !sp_streq(json_string_value(json_object_get(json, "schema")), SCHEMA))
		r = wrong(err, "it is not what strix-provision writes there");
	else if (json_is_object(selection))
		r = sp_selection_from_json(selection, &ret->selection, err);
	ret->there = r == 0;
	json_decref(json);
	return r;
}

int sp_request_read(const struct sp_session *s, struct sp_request *ret, struct sp_error **err)
{
	sp_autobuf struct sp_buf file = { 0 };
	int r;

	*ret = (struct sp_request){ 0 };
	if (!sp_root_exists(s->root, FOLDER "/" NAME))
		return 0;
	r = sp_root_read(s->root, FOLDER "/" NAME, SP_FILE_MAX, &file, err);
	return r < 0 ? r : understand(&file, ret, err);
}

void sp_request_clear(struct sp_request *r)
{
	sp_selection_clear(&r->selection);
	*r = (struct sp_request){ 0 };
}

static int cannot(struct sp_error **err, int r)
{
	return sp_error_errno(err, r, "cannot leave it to the first boot in '" FOLDER "/" NAME "'");
}

int sp_request_write(const struct sp_session *s, const struct sp_selection *selection, struct sp_error **err)
{
	sp_autoclose int dir = open_folder(s);
	json_t *json = json_pack("{s:s, s:o}", "schema", SCHEMA, "selection",
				 selection ? sp_selection_to_json(selection) : json_null());
	sp_autofree char *text = json_dumps(json, JSON_INDENT(1) | JSON_ENSURE_ASCII);

	json_decref(json);
	int r = dir < 0 ? dir : !text ? -EINVAL : sp_durable_replace(dir, NAME, text, strlen(text), 0644, SP_SYNC_NOW);
	return r < 0 ? cannot(err, r) : 0;
}

int sp_request_done(const struct sp_session *s, struct sp_error **err)
{
	sp_autoclose int dir = open_folder(s);
	int r = dir == -ENOENT ? 0 : dir < 0 ? dir : sp_durable_unlink(dir, NAME);

	if (r == 0 && dir >= 0)
		r = sp_durable_sync(dir);
	return r < 0 ? sp_error_errno(err, r, "cannot remove '" FOLDER "/" NAME "'") : 0;
}

/* --- apply --first-boot ---------------------------------------------------------------------------------------------- */

static int no_unit(struct sp_error **err)
{
	(void) sp_error_set(err, -ENOENT, "the target has no unit '" UNIT "' that would carry it out");
	(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	return sp_error_hint(err, "install the package of strix-provision there first; or give --gtt SIZE and apply now");
}

/* What is wrong in it is better found by who builds the image than by who starts it. */
static int check_selection(const struct sp_session *s, struct sp_error **err)
{
	struct sp_catalog *catalog = NULL;
	sp_autoconfig struct sp_config config = { 0 };
	struct sp_selection all = { 0 };
	int r = sp_catalog_load_parts(s->data_dir, SP_CATALOG_SETTINGS, &catalog, err);

	if (r == 0)
		r = sp_config_load(s->root, s->config_path, &config, err);
	if (r == 0)
		sp_select(&s->selection, &config.selection, &all);
	if (r == 0 && !all.profile)
		all.profile = sp_xstrdup("zbook");
	if (r == 0)
		r = sp_selection_check(&all, catalog, err);
	sp_selection_clear(&all);
	sp_catalog_free(catalog);
	return r;
}

int sp_request_leave(const struct sp_session *s, struct sp_error **err)
{
	struct sp_store *store = NULL;
	int r = sp_request_unit(s->root) ? check_selection(s, err) : no_unit(err);

	if (r == 0)
		r = sp_store_open(s->root, true, &store, err);
	if (r == 0)
		r = sp_request_write(s, s->selection.given ? &s->selection : NULL, err);
	sp_store_close(store);
	return r;
}
