/* SPDX-License-Identifier: MIT */
/*
 * The catalogue and the configuration: the name of a folder (grub, ..., or "config"), a file in it. What is loaded is
 * in order through and through; what is not says in which line it is not.
 */
#include "catalog/internal.h"
#include "targets.h"

#define GRUB "settings = ( { id = \"one\"; key = \"base.one\"; value = \"pt\"; summary = \"s\"; } );\n"
#define SYSCTL "settings = ( { id = \"two\"; key = \"base.two\"; value = \"1\"; summary = \"s\"; } );\n"
#define MODPROBE                                                                                                       \
	"settings = ( { id = \"three\"; key = \"base.three\"; value = \"${gtt_pages}\"; summary = \"s\"; } );\n"
#define ENVIRONMENT "settings = ( { id = \"four\"; key = \"BASE_FOUR\"; value = \"x\"; summary = \"s\"; } );\n"
#define PROFILE "summary = \"s\"; settings = [ \"one\" ];\n"
#define PLATFORM "name = \"n\"; match = ( { fact = \"dmi.vendor\"; equals = \"HP\"; } );\n"

/* What stands there before, so that a file can name it. */
static const struct {
	const char *path, *text;
} data[] = {
	{ "grub/base.cfg", GRUB },
	{ "sysctl.d/base.cfg", SYSCTL },
	{ "modprobe.d/base.cfg", MODPROBE },
	{ "environment.d/base.cfg", ENVIRONMENT },
	{ "profiles/zbook.cfg", PROFILE },
	{ "platforms/zbook.cfg", PLATFORM },
};

static const char *const folders[] = { "grub", "sysctl.d", "modprobe.d", "environment.d", "profiles", "platforms", "log", "advisories" };

static char *dir;
static struct sp_root *root;

/* libconfig 1.5 loses some of what it has read when it meets a mistake. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig_yylex\nleak:libconfig_yyparse\nleak:strbuf_append\n";
}

static void start(void)
{
	sp_autocatalog struct sp_catalog *c = NULL;
	sp_autoerror struct sp_error *err = NULL;

	dir = sp_xasprintf("%s/catalogue", fuzz_tree());
	for (size_t i = 0; i < SP_ELEMENTS(data); i++)
		fuzz_tree_write(dir, data[i].path, data[i].text, strlen(data[i].text));
	fuzz_tree_write(dir, "log/none.txt", "", 0);
	fuzz_tree_write(dir, "advisories/none.txt", "", 0);
	fuzz_check(sp_root_open(dir, 0, &root, NULL) == 0, "%s", dir);
	fuzz_check(sp_catalog_load(dir, &c, &err) == 0, "the catalogue to begin with: %s",
		   err ? err->message : "no error");
}

/* "FILE:LINE: what", and the exit status that the manual promises. */
static void check_error(const struct sp_error *err, const char *path)
{
	fuzz_check(err && err->message && err->exit == SP_EXIT_USAGE, "an error says nothing, or exits otherwise");
	if (!err)
		return;
	fuzz_check(strstr(err->message, path) || strstr(err->message, "base.cfg") || strstr(err->message, "zbook.cfg"),
		   "no file is named: %s", err->message);
}

static void check_text(const char *text)
{
	for (; text && *text; text++)
		fuzz_check(*text >= ' ' && *text <= '~', "a text that does not print");
}

static void check_conditions(const struct sp_condition *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fuzz_check(v[i].text, "a condition that asks nothing");
		check_text(v[i].text);
		check_text(v[i].message);
	}
}

static void check_setting(const struct sp_setting *s)
{
	const struct sp_sizes sizes = { .gtt_mib = 60416, .gtt_pages = 15466496 };
	const struct sp_derived all = { &sizes, "ttm" };
	sp_autofree char *key = NULL, *value = NULL, *token = NULL;

	check_text(s->key);
	check_text(s->value);
	check_text(s->summary);
	check_text(s->live);
	check_conditions(s->when, s->n_when);
	check_conditions(s->unless, s->n_unless);
	check_conditions(s->warn, s->n_warn);
	fuzz_check(s->id && sp_id_ok(s->id) && s->line >= 1, "the id '%s'", fuzz_shows(s->id));
	fuzz_check(sp_derive(s->key, &all, &key, NULL) == 0 && sp_derive(s->value, &all, &value, NULL) == 0, "'%s' cannot be expanded",
		   s->id);
	if (s->dest == SP_DEST_CMDLINE) {
		token = sp_xasprintf("%s=%s", key, value);
		fuzz_check(sp_token_is_safe(token), "'%s' is not safe", fuzz_shows(token));
	}
	if (s->live)
		fuzz_check((sp_startswith(s->live, "/proc/sys/") || sp_startswith(s->live, "/sys/")) && !strstr(s->live, ".."),
			   "'%s' is written to", fuzz_shows(s->live));
}

static void check_catalogue(const struct sp_catalog *c)
{
	for (size_t i = 0; i < c->n_settings; i++) {
		check_setting(&c->settings[i]);
		fuzz_check(sp_catalog_setting(c, c->settings[i].id) == &c->settings[i], "'%s' is there twice", c->settings[i].id);
	}
	for (size_t i = 0; i < c->n_profiles; i++)
		for (size_t k = 0; k < c->profiles[i].settings.n; k++)
			fuzz_check(sp_catalog_setting(c, c->profiles[i].settings.v[k]), "'%s' is in a profile alone",
				   c->profiles[i].settings.v[k]);
	for (size_t i = 0; i < c->n_entries; i++)
		fuzz_check(!sp_catalog_setting(c, c->entries[i].id), "'%s' is a setting, too", c->entries[i].id);
	for (size_t i = 0; i < c->n_advisories; i++) {
		check_text(c->advisories[i].text);
		check_conditions(c->advisories[i].when, c->advisories[i].n_when);
	}
}

static void load(const char *folder, const struct sp_buf *file)
{
	sp_autofree char *path = sp_xasprintf("%s/fuzz.cfg", folder);
	sp_autocatalog struct sp_catalog *c = NULL;
	sp_autoerror struct sp_error *err = NULL;

	fuzz_tree_write(dir, path, file->data, file->len);
	int r = sp_catalog_load(dir, &c, &err);
	fuzz_tree_remove(dir, path);
	fuzz_check((r < 0) == !c, "half loaded");
	if (r < 0)
		check_error(err, path);
	else
		check_catalogue(c);
}

static bool same_list(const struct sp_strv *a, const struct sp_strv *b)
{
	sp_autofree char *x = sp_strv_join(a, "\n"), *y = sp_strv_join(b, "\n");

	return a->n == b->n && sp_streq(x, y);
}

static void check_same(const struct sp_selection *a, const struct sp_selection *b)
{
	fuzz_check(a->given == b->given && (a->profile ? sp_streq(a->profile, b->profile) : !b->profile) && same_list(&a->with, &b->with) &&
			   same_list(&a->without, &b->without) && same_list(&a->replace, &b->replace) && a->gtt_mib == b->gtt_mib &&
			   a->host_reserve_mib == b->host_reserve_mib && a->uma == b->uma && a->uma_mib == b->uma_mib &&
			   a->any_platform == b->any_platform,
		   "another selection is read");
}

/* What was chosen is the same when it is written down, read and written down again. */
static void check_selection(const struct sp_selection *s)
{
	sp_autoselection struct sp_selection copy = { 0 }, read = { 0 };
	json_t *json = sp_selection_to_json(s), *again = NULL;
	sp_autoerror struct sp_error *err = NULL;

	fuzz_check(sp_selection_from_json(json, &read, &err) == 0, "a selection cannot be read: %s", err->message);
	check_same(s, &read);
	sp_selection_copy(&copy, &read);
	again = sp_selection_to_json(&copy);
	fuzz_check(json_equal(json, again), "another selection is read");
	json_decref(json);
	json_decref(again);
}

static void configure(const struct sp_buf *file)
{
	static const char path[] = "etc/strix-provision.conf";
	sp_autoconfig struct sp_config c = { 0 };
	sp_autocatalog struct sp_catalog *catalogue = NULL;
	sp_autoerror struct sp_error *err = NULL, *unknown = NULL;

	fuzz_tree_write(dir, path, file->data, file->len);
	int r = sp_config_load(root, NULL, &c, &err);
	fuzz_tree_remove(dir, path);
	if (r < 0) {
		check_error(err, path);
		return;
	}
	check_selection(&c.selection);
	fuzz_check(sp_catalog_load_parts(dir, SP_CATALOG_SETTINGS, &catalogue, NULL) == 0, "the catalogue to begin with");
	r = sp_selection_check(&c.selection, catalogue, &unknown);
	fuzz_check(r == 0 || (unknown && unknown->exit == SP_EXIT_USAGE), "a selection is refused with %d", r);
}

static void run(const uint8_t *bytes, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };
	const char *folder = NULL;

	fuzz_cut(bytes, size, &f);
	for (size_t i = 0; i < SP_ELEMENTS(folders); i++)
		if (sp_streq(f.v[0].data, folders[i]))
			folder = folders[i];
	if (folder)
		load(folder, &f.v[1]);
	else
		configure(&f.v[sp_streq(f.v[0].data, "config")]);
}

static const char *const words[] = {
	"settings = (", "{ id = \"a\"; key = \"b\"; value = \"1\"; summary = \"s\"; }", "entries = ( {", "advisories = ( {", "); ", "; ", "};",
	"when = ", "unless = ", "warn = ( { ask = ", "message = \"m\"; ", "\"kernel-has-parm amdgpu gttsize\"", "\"npu-present\"", "conflicts = [ \"amd_iommu=off\" ]; ",
	"rule = \"at-least\"; ", "by_default = false; ", "reboot = true; ", "follows = \"one\"; ", "live = \"/proc/sys/vm/swappiness\"; ",
	"live_set = true; ", "live_bracket = true; ", "effect = \"gtt-total\"; ", "log = { date = \"2026-03-01\"; change = \"c\"; evidence = \"e\"; verdict = \"keep\"; }; ",
	"${gtt_pages}", "${gtt_mib}", "${memory.crash_mib}", "@include \"base.cfg\"\n", "\\x00", "\\x41", "\\\"", "/*", "*/", "//", "#", "0x10L", "1.5", "true", "[", "]",
	"(", ")", "{", "}", "\"\"", "\" \"", "profile = \"zbook\"; ", "with = [ \"one\" ]; ", "without = \"two\"; ", "replace = [ ]; ", "gtt = \"48G\"; ",
	"host_reserve = \"8G\"; ", "uma = \"keep\"; ", "any_platform = true; ", "package_manager_wait = 5; ", "settings = { one = { value = \"soft\"; }; }; ",
	"priority = 10; ", "setup_key = \"F10\"; ", "match = ( { fact = \"dmi.vendor\"; contains = \"hp\"; } ); ", "headroom = \"host\"; ", "\n", "=", ":", "\x1e",
	"id = \"two\"; ", "text = \"t ${kernel}\"; ", "evidence = \"e\"; ", NULL
};

static const struct fuzz_files files[] = {
	{ "grub/*.cfg", "grub\x1e" },
	{ "sysctl.d/*.cfg", "sysctl.d\x1e" },
	{ "modprobe.d/*.cfg", "modprobe.d\x1e" },
	{ "environment.d/*.cfg", "environment.d\x1e" },
	{ "profiles/*.cfg", "profiles\x1e" },
	{ "platforms/*.cfg", "platforms\x1e" },
	{ "log/*.cfg", "log\x1e" },
	{ "advisories/*.cfg", "advisories\x1e" },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_catalogue = { .name = "catalogue", .run = run, .words = words, .files = files, .start = start };
