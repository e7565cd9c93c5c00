/* SPDX-License-Identifier: MIT */
/* Journals and images written by somebody else: with the right check sums, it is their contents that are hostile. */
#include <inttypes.h>

#include "base/crc32c.h"
#include "forge.h"

static json_t *read_journal(const char *path)
{
	sp_autobuf struct sp_buf b = read_text(path);
	json_t *records = json_array();
	char *save = NULL;

	for (char *line = b.len ? strtok_r(b.data, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		const char *json = strchr(line, '{');
		json_t *record = json ? json_loads(json, 0, NULL) : NULL;
		if (record)
			(void) json_array_append_new(records, record);
	}
	return records;
}

static void write_journal(const char *path, const json_t *records)
{
	struct sp_buf all = { 0 };
	json_t *record = NULL;
	size_t i;

	json_array_foreach (records, i, record) {
		sp_autofree char *json = json_dumps(record, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
		sp_autofree char *body = sp_xasprintf("%zu %s", i, json);
		sp_buf_addf(&all, "%08" PRIx32 " %s\n", sp_crc32c(body, strlen(body)), body);
	}
	write_text(path, all.data ? all.data : "", all.len, 0600);
	sp_buf_clear(&all);
}

static void each_mutation(struct lab *lab, const struct command *c, const char *journal)
{
	load_for(lab, c);
	json_t *records = read_journal(journal);
	const size_t n = count_values(records);

	for (size_t v = 0; v < n; v++)
		for (size_t which = 0; which < n_hostile_values; which++) {
			const unsigned flags = (v + which) & 1 ? RUN_JSON : 0;
			if (!take_case(lab, "%s (%s): value %zu of the journal becomes hostile value %zu", c->name, c->state,
				       v, which))
				continue;
			json_t *forged = mutated(records, v, which);
			if (!forged)
				continue;
			load_for(lab, c);
			write_journal(journal, forged);
			json_decref(forged);
			judge_run(lab, c, flags);
		}
	json_decref(records);
}

/* Records that are each good, in an order that never was. */
static void each_order(struct lab *lab, const struct command *c, const char *journal)
{
	load_for(lab, c);
	json_t *records = read_journal(journal);
	const size_t n = json_array_size(records);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n + 2; k++) {
			if (!take_case(lab, "%s (%s): record %zu of %zu put at %zu", c->name, c->state, i, n, k))
				continue;
			json_t *copy = json_deep_copy(records), *moved = json_incref(json_array_get(copy, i));
			if (k < n) /* there, too */
				(void) json_array_insert_new(copy, k, moved);
			else if (k == n) /* nowhere */
				json_decref(moved);
			if (k >= n)
				(void) json_array_remove(copy, i);
			if (k == n + 1) /* last */
				(void) json_array_append_new(copy, moved);
			load_for(lab, c);
			write_journal(journal, copy);
			json_decref(copy);
			judge_run(lab, c, RUN_JSON);
		}
	json_decref(records);
}

/* The paths of all files become another; what is done at such a path is what a whole transaction does. */
static const char *const paths[] = {
	"/../outside/etc/default/grub", "/../../../../../../../etc/hosts", "/etc/../../outside/etc/default/grub",
	"/realproc/self/cwd/outside/etc/default/grub", "/realproc/self/root/etc/hosts", "/proc/self/root/etc/hosts",
	"etc/default/grub", "", "/", "//", "/.", "/..", "/etc/", "/etc/.", "/etc/default/grub/", "/etc/default/grub/x",
	"/var/lib/strix-provision/tx/1/journal", "/var/lib/strix-provision/state.json", "/var/lib/strix-provision/tx/1",
	"/etc/passwd", "/etc/shadow", "/etc/ld.so.preload", "/root/.ssh/authorized_keys", "/new/folders/all/the/way",
	"/etc/x\ny", "/etc/\033[31m", "/etc/evil", "/etc/evil/default/grub",
};

static void each_path(struct lab *lab, const struct command *c, const char *journal)
{
	for (size_t i = 0; i < SP_ELEMENTS(paths); i++)
		for (unsigned op = 0; op < 4; op++) {
			static const char *const ops[] = { "keep", "create", "replace", "delete" };
			json_t *record = NULL, *file = NULL;
			size_t r, f;
			if (!take_case(lab, "%s (%s): the journal says %s '%s'", c->name, c->state, ops[op], paths[i]))
				continue;
			load_for(lab, c);
			sp_autofree char *link = sp_xasprintf("%s/etc/evil", lab->tree);
			(void) !symlink("../../outside/etc", link);
			json_t *records = read_journal(journal);
			json_array_foreach (records, r, record)
				json_array_foreach (json_object_get(record, "files"), f, file) {
					(void) json_object_set_new(file, "path", json_string(paths[i]));
					(void) json_object_set_new(file, "op", json_string(ops[op]));
					if (op == 1)
						(void) json_object_set_new(file, "before", json_null());
					if (op == 3)
						(void) json_object_set_new(file, "after", json_null());
				}
			write_journal(journal, records);
			json_decref(records);
			judge_run(lab, c, op & 1 ? RUN_JSON : 0);
		}
}

static void each_folder(struct lab *lab, const struct command *c, const char *journal)
{
	static const char *const keys[] = { "dirs", "drop" };

	for (size_t i = 0; i < SP_ELEMENTS(paths); i++)
		for (size_t k = 0; k < SP_ELEMENTS(keys); k++) {
			if (!take_case(lab, "%s (%s): the journal says of folders (%s) '%s'", c->name, c->state, keys[k],
				       paths[i]))
				continue;
			load_for(lab, c);
			json_t *records = read_journal(journal);
			json_t *dirs = json_pack("[s]", paths[i]);
			if (k == 0)
				(void) json_object_set_new(json_array_get(records, 1), "dirs", dirs);
			else
				(void) json_array_insert_new(records, 1, json_pack("{s:s, s:o}", "type", "drop", "dirs", dirs));
			write_journal(journal, records);
			json_decref(records);
			judge_run(lab, c, RUN_JSON);
		}
}

/* Rights in the images, for each file. */
static void each_right(struct lab *lab, const struct command *c, const char *journal)
{
	static const struct {
		const char *key;
		json_int_t value;
	} rights[] = { { "mode", 04755 }, { "mode", 02755 }, { "mode", 07777 }, { "mode", 0100644 }, { "mode", -1 },
		       { "uid", -1 },	  { "gid", -1 },     { "uid", 4294967295 } };
	static const char *const attributes[] = { "security.capability", "security.ima", "trusted.overlay.redirect",
						  "system.posix_acl_access", "user.\033[31m", "nonsense", "" };

	for (size_t i = 0; i < SP_ELEMENTS(rights) + SP_ELEMENTS(attributes); i++) {
		json_t *record = NULL, *file = NULL;
		size_t r, f;
		const bool number = i < SP_ELEMENTS(rights);
		const char *name = number ? rights[i].key : attributes[i - SP_ELEMENTS(rights)];
		if (!take_case(lab, "%s (%s): the journal gives files %s (%zu)", c->name, c->state, name, i))
			continue;
		load_for(lab, c);
		json_t *records = read_journal(journal);
		json_array_foreach (records, r, record)
			json_array_foreach (json_object_get(record, "files"), f, file) {
				for (int k = 0; k < 2; k++) {
					json_t *meta = json_object_get(json_object_get(file, k ? "after" : "before"), "meta");
					if (number)
						(void) json_object_set_new(meta, name, json_integer(rights[i].value));
					else
						(void) json_object_set_new(json_object_get(meta, "xattrs"), name,
									   json_string("0100000200000020000000000000000000000000"));
				}
				(void) json_object_set_new(file, "exact", json_true());
			}
		write_journal(journal, records);
		json_decref(records);
		judge_run(lab, c, RUN_JSON);
	}
}

/* Bytes that rot, or are cut off: of the journal and of the images. */
static void each_flip(struct lab *lab, const struct command *c, const char *journal)
{
	sp_autofree char *images = sp_xasprintf("%.*simages", (int) (strlen(journal) - strlen("journal")), journal);
	enum { POSITIONS = 48 };

	for (unsigned i = 0; i < 4 * POSITIONS; i++) {
		const char *path = i & 1 ? images : journal;
		if (!take_case(lab, "%s (%s): %s of the %s, at %u of %d", c->name, c->state, i & 2 ? "the end" : "a byte",
			       i & 1 ? "images" : "journal", i / 4, POSITIONS))
			continue;
		load_for(lab, c);
		sp_autobuf struct sp_buf b = read_text(path);
		const size_t at = b.len * (i / 4) / POSITIONS;
		if (at >= b.len)
			continue;
		b.data[at] = (char) (b.data[at] ^ 0x20);
		write_text(path, b.data, i & 2 ? at : b.len, 0600);
		judge_run(lab, c, RUN_JSON);
	}
}

/* Images with good check sums, of bytes that nobody wrote there. */
static void each_content(struct lab *lab, const struct command *c, const char *journal)
{
	static const char *const contents[] = { "", "\033]0;owned\007\033[31m\302\233m\n", "options\noptions root=\nlinux\n",
						"GRUB_CMDLINE_LINUX=\"$(touch /pwned)`id`\n", "\n\nx=\r\n" };
	sp_autofree char *images = sp_xasprintf("%.*simages", (int) (strlen(journal) - strlen("journal")), journal);

	for (size_t i = 0; i < SP_ELEMENTS(contents); i++)
		for (unsigned side = 0; side < 3; side++) {
			json_t *record = NULL, *file = NULL;
			size_t r, f;
			if (!take_case(lab, "%s (%s): images have content %zu (%u)", c->name, c->state, i, side))
				continue;
			load_for(lab, c);
			sp_autobuf struct sp_buf b = read_text(images);
			const json_int_t at = (json_int_t) b.len, len = (json_int_t) strlen(contents[i]);
			sp_buf_adds(&b, contents[i]);
			write_text(images, b.data, b.len, 0600);
			json_t *records = read_journal(journal);
			json_array_foreach (records, r, record)
				json_array_foreach (json_object_get(record, "files"), f, file)
					for (unsigned k = 0; k < 2; k++) {
						json_t *image = json_object_get(file, k ? "after" : "before");
						if (!json_is_object(image) || (side != 2 && side != k))
							continue;
						(void) json_object_set_new(image, "offset", json_integer(at));
						(void) json_object_set_new(image, "length", json_integer(len));
						(void) json_object_set_new(image, "crc",
									   json_integer(sp_crc32c(contents[i], (size_t) len)));
					}
			write_journal(journal, records);
			json_decref(records);
			judge_run(lab, c, RUN_JSON);
		}
}

/* What a rollback says that it undoes: itself, what comes later, what never was. */
static void each_cycle(struct lab *lab, const struct command *c, const char *journal)
{
	static const char *const lists[] = { "[2]", "[1,2]", "[3]", "[0]", "[-1]", "[9223372036854775807]", "[[1]]", "{}", "[1,1,1]" };

	for (size_t i = 0; i < SP_ELEMENTS(lists); i++) {
		if (!take_case(lab, "%s (%s): it undoes %s", c->name, c->state, lists[i]))
			continue;
		load_for(lab, c);
		json_t *records = read_journal(journal);
		json_t *about = json_object_get(json_array_get(records, 0), "about");
		(void) json_object_set_new(about, "kind", json_string("rollback"));
		(void) json_object_set_new(about, "undoes", json_loads(lists[i], 0, NULL));
		write_journal(journal, records);
		json_decref(records);
		judge_run(lab, c, RUN_JSON);
	}
}

void forge_journal(struct lab *lab)
{
	for (size_t i = 0; i < n_journal_readers; i++) {
		const struct command *c = &journal_readers[i];
		const int id = sp_streq(c->state, "rolledback") ? 2 : 1;
		sp_autofree char *journal = sp_xasprintf("%s/" STATE "/tx/%d/journal", lab->tree, id);
		if (!has_state(lab, c)) {
			skipped(lab, "no interrupted transaction");
			continue;
		}
		each_path(lab, c, journal);
		each_folder(lab, c, journal);
		each_right(lab, c, journal);
		each_order(lab, c, journal);
		each_flip(lab, c, journal);
		each_content(lab, c, journal);
		each_cycle(lab, c, journal);
		each_mutation(lab, c, journal);
	}
}

