/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/config.h"
#include "fixture-tree.h"

#define CONF "etc/strix-provision.conf"

static const char *source_dir(void)
{
	const char *dir = getenv("SP_SRCDIR");

	return dir ? dir : ".";
}

/* Load text as the configuration of a new root, and check it against the real catalogue. */
static int load(const struct fixture *file, struct sp_config *config, char **ret_dir, struct sp_error **err)
{
	sp_autoroot struct sp_root *root = NULL;
	sp_autocatalog struct sp_catalog *c = NULL;

	*ret_dir = fixture_new();
	fixture_add(*ret_dir, file);
	assert_int_equal(sp_root_open(*ret_dir, 0, &root, NULL), 0);
	assert_int_equal(sp_catalog_load(source_dir(), &c, NULL), 0);
	int r = sp_config_load(root, NULL, config, err);
	return r < 0 ? r : sp_selection_check(&config->selection, c, err);
}

static const struct {
	const char *text, *message /* behind the file */, *hint;
	size_t len;
} bad[] = {
	{ "profile = ;\n", ":1: syntax error", NULL, 0 },
	{ "# a comment\nprofil = \"zbook\";\n", ":2: unknown key 'profil'", "did you mean 'profile'?", 0 },
	{ "profile = 7;\n", ":1: 'profile' is a number, and not a text in quotes", NULL, 0 },
	{ "profile = \"zb\0ook\";\n", ":1: a NUL byte has no place in it", NULL, 20 },
	{ "\nprofile = \"zbok\";\n", ":2: there is no profile 'zbok'", "did you mean 'zbook'?", 0 },
	{ "profile = \"none-of-them\";\n", ":1: there is no profile 'none-of-them'", "headroom, zbook", 0 },
	{ "with = ( \"noretry\",\n\"thpp\" );\n", ":2: there is no setting 'thpp'", "did you mean 'thp'?", 0 },
	{ "without = [ \"nothing-like-it\" ];\n", ":1: there is no setting 'nothing-like-it'", "iommu, gttsize", 0 },
	{ "replace = \"iomu\";\n", ":1: there is no setting 'iomu'", "did you mean 'iommu'?", 0 },
	{ "with = [ \"thp\", \"thp\" ];\n", ":1: 'thp' is named twice", NULL, 0 },
	{ "with = [ 1 ];\n", ":1: here stands a number, and not a text in quotes", NULL, 0 },
	{ "with = [ \"thp\" ];\nwithout = [ \"thp\" ];\n", ":1: 'thp' is in 'with' and in 'without'", NULL, 0 },
	{ "with = [ \"gttsize-module\" ];\n", ":1: 'gttsize-module' goes with 'gttsize'; choose that one", NULL, 0 },
	{ "gtt = \"banana\";\n", ":1: 'gtt': 'banana' is not a size", "59G", 0 },
	{ "gtt = 59;\n", ":1: 'gtt' is a number, and not a text in quotes", NULL, 0 },
	{ "host_reserve = \"auto\";\n", ":1: 'host_reserve': 'auto' is not a size", NULL, 0 },
	{ "uma = \"small\";\n", ":1: 'uma': 'small' is not a size", NULL, 0 },
	{ "any_platform = \"yes\";\n", ":1: 'any_platform' is a text in quotes, and not true or false", NULL, 0 },
	{ "package_manager_wait = -1;\n", ":1: 'package_manager_wait' is less than 0", NULL, 0 },
	{ "package_manager_wait = \"1\";\n",
	  ":1: 'package_manager_wait' is a text in quotes, and not a number", NULL, 0 },
	{ "settings = {\nthpp = { value = \"1\"; };\n};\n",
	  ":2: there is no setting 'thpp'", "did you mean 'thp'?", 0 },
	{ "settings = {\nthp = { value = \"a b\"; };\n};\n",
	  ":2: the value 'a b' of 'thp' is not safe on a kernel command line", NULL, 0 },
	{ "settings = {\nthp = { value = \"${thp}\"; };\n};\n", ":2: '${thp}' is not known", NULL, 0 },
	{ "settings = {\nmax-map-count = { value = \"lots\"; };\n};\n",
	  ":2: the value 'lots' of 'max-map-count' is no number to compare with", NULL, 0 },
	{ "settings = {\nthp = {\n};\n};\n", ":2: the key 'value' is missing", NULL, 0 },
	{ "settings = ( \"thp\" );\n", ":1: 'settings' is a list ( ), and not a group { }", NULL, 0 },
	{ "@include \"/etc/passwd\"\n", ":1: @include is not supported", NULL, 0 },
};

static void test_bad(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(bad); i++) {
		const struct fixture file = { .path = CONF, .text = bad[i].text, .len = bad[i].len };
		sp_autoconfig struct sp_config config = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		char *dir = NULL;

		assert_true(load(&file, &config, &dir, &err) < 0);
		sp_autofree char *expected = sp_xasprintf("%s/" CONF "%s", dir, bad[i].message);
		assert_string_equal(err->message, expected);
		assert_int_equal(err->exit, SP_EXIT_USAGE);
		if (bad[i].hint && (!err->hint || !strstr(err->hint, bad[i].hint)))
			fail_msg("%s: the hint is '%s'", err->message, err->hint);
		fixture_free(dir);
	}
}

static const char all[] = "profile = \"headroom\";\nwith = [ \"noretry\" ];\nwithout = ( \"thp\", \"zone-reclaim\" );\n"
			  "replace = \"iommu\";\ngtt = \"48G\";\nhost_reserve = \"12G\";\numa = \"512 MB\";\n"
			  "any_platform = true;\npackage_manager_wait = 5;\n"
			  "settings = { dirty-ratio = { value = \"20\"; }; };\n";

static void check_all(const struct sp_selection *s)
{
	assert_true(s->given);
	assert_string_equal(s->profile, "headroom");
	assert_int_equal(s->with.n, 1);
	assert_int_equal(s->without.n, 2);
	assert_string_equal(s->without.v[1], "zone-reclaim");
	assert_string_equal(s->replace.v[0], "iommu");
	assert_int_equal(s->gtt_mib, 49152);
	assert_int_equal(s->host_reserve_mib, 12288);
	assert_int_equal(s->uma, SP_UMA_SIZE);
	assert_int_equal(s->uma_mib, 512);
	assert_true(s->any_platform);
}

static void check_origins(const struct sp_selection *s, const char *dir)
{
	sp_autofree char *without = sp_xasprintf("%s/" CONF ":3", dir), *gtt = sp_xasprintf("%s/" CONF ":5", dir);

	assert_string_equal(sp_selection_origin(s, "without", "zone-reclaim"), without);
	assert_string_equal(sp_selection_origin(s, "gtt", "49152"), gtt);
	assert_null(sp_selection_origin(s, "gtt", "49153"));
	assert_null(sp_selection_origin(s, "with", "zone-reclaim"));
}

static void test_all(void **state)
{
	const struct fixture file = { .path = CONF, .text = all };
	sp_autoconfig struct sp_config config = { 0 };
	sp_autoselection struct sp_selection copy = { 0 }, again = { 0 };
	char *dir = NULL;

	(void) state;
	assert_int_equal(load(&file, &config, &dir, NULL), 0);
	assert_int_equal(config.package_manager_wait, 5);
	sp_selection_copy(&copy, &config.selection);
	check_all(&copy);
	check_origins(&copy, dir);
	assert_int_equal(copy.n_overrides, 1);
	assert_string_equal(copy.overrides[0].id, "dirty-ratio");
	assert_string_equal(copy.overrides[0].value, "20");
	json_t *json = sp_selection_to_json(&copy);
	assert_int_equal(sp_selection_from_json(json, &again, NULL), 0);
	check_all(&again);
	json_t *json_again = sp_selection_to_json(&again);
	assert_true(json_equal(json, json_again));
	json_decref(json);
	json_decref(json_again);
	fixture_free(dir);
}

static const struct {
	const char *text;
	bool given;
	enum sp_uma uma;
} few[] = {
	{ "", false, SP_UMA_UNSET },
	{ "# nothing\n", false, SP_UMA_UNSET },
	{ "package_manager_wait = 1;\n", false, SP_UMA_UNSET },
	{ "gtt = \"auto\";\n", false, SP_UMA_UNSET },
	{ "with = ();\n", false, SP_UMA_UNSET },
	{ "any_platform = false;\n", false, SP_UMA_UNSET },
	{ "any_platform = true;\n", true, SP_UMA_UNSET },
	{ "uma = \"keep\";\n", true, SP_UMA_KEEP },
	{ "settings = { thp = { value = \"madvise\"; }; };\n", true, SP_UMA_UNSET },
};

static void test_few(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(few); i++) {
		const struct fixture file = { .path = CONF, .text = few[i].text };
		sp_autoconfig struct sp_config config = { 0 };
		char *dir = NULL;

		assert_int_equal(load(&file, &config, &dir, NULL), 0);
		assert_int_equal(config.selection.given, few[i].given);
		assert_int_equal(config.selection.uma, few[i].uma);
		assert_int_equal(config.selection.gtt_mib, 0);
		fixture_free(dir);
	}
}

static const struct {
	struct fixture file;
	const char *named; /* --config, in the folder; NULL: none */
	const char *message; /* a part of it; NULL: none */
	const char *profile;
} files[] = {
	{ { .path = "etc/other", .text = "" }, NULL, NULL, NULL },
	{ { .path = "etc/own", .text = "profile = \"headroom\";" }, "etc/own", NULL, "headroom" },
	{ { .path = CONF, .text = "profile = \"headroom\";" },
	  "etc/none",
	  "etc/none': No such file or directory",
	  NULL },
	{ { .path = CONF, .kind = FIXTURE_DIR }, NULL, "'/" CONF "': Is a directory", NULL },
	{ { .path = "etc", .text = "" }, NULL, "'/" CONF "': Not a directory", NULL },
	{ { .path = CONF, .kind = FIXTURE_LINK, .text = "nowhere" }, NULL, "'/" CONF "': No such file", NULL },
	{ { .path = "etc/own", .text = "profile = 1;" },
	  "etc/../etc/own",
	  "etc/../etc/own:1: 'profile' is a number",
	  NULL },
};

static void test_files(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autoconfig struct sp_config config = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		sp_autoroot struct sp_root *root = NULL;
		char *dir = fixture_new();
		sp_autofree char *named = files[i].named ? sp_xasprintf("%s/%s", dir, files[i].named) : NULL;

		fixture_add(dir, &files[i].file);
		assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
		int r = sp_config_load(root, named, &config, &err);
		if ((r < 0) != (files[i].message != NULL) || (err && !strstr(err->message, files[i].message)))
			fail_msg("%s: %d, '%s'", files[i].file.path, r, err ? err->message : "");
		if (r < 0)
			assert_int_equal(err->exit, SP_EXIT_USAGE);
		else
			assert_int_equal(config.package_manager_wait, 120);
		assert_true(files[i].profile ? sp_streq(config.selection.profile, files[i].profile)
					     : !config.selection.profile);
		fixture_free(dir);
	}
}

static const char *const damaged[] = {
	"[]", "{}", "{ \"profile\": 1 }",
	"{ \"profile\": null, \"uma\": \"x\", \"with\": [], \"without\": [], \"replace\": [], \"gtt_mib\": 0,"
	" \"host_reserve_mib\": 0, \"uma_mib\": 0 }",
	"{ \"profile\": null, \"uma\": \"keep\", \"with\": [ 1 ], \"without\": [], \"replace\": [], \"gtt_mib\": 0,"
	" \"host_reserve_mib\": 0, \"uma_mib\": 0 }",
	"{ \"profile\": null, \"uma\": \"keep\", \"with\": [], \"without\": [], \"replace\": [], \"gtt_mib\": -1,"
	" \"host_reserve_mib\": 0, \"uma_mib\": 0 }",
};

static void test_damaged(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(damaged); i++) {
		sp_autoselection struct sp_selection s = { 0 };
		sp_autoerror struct sp_error *err = NULL;
		json_t *json = json_loads(damaged[i], 0, NULL);

		assert_non_null(json);
		assert_true(sp_selection_from_json(json, &s, &err) < 0);
		assert_non_null(strstr(err->message, "damaged"));
		json_decref(json);
	}
}

/* What stands behind '#' in the sample is right as it stands. */
static void test_sample(void **state)
{
	sp_autofree char *sample = sp_xasprintf("%s/packaging", source_dir());
	sp_autoroot struct sp_root *root = NULL;
	sp_autobuf struct sp_buf file = { 0 }, bare = { 0 };
	sp_autoconfig struct sp_config plain = { 0 }, config = { 0 };
	sp_autofree char *path = sp_xasprintf("%s/strix-provision.conf", sample);
	sp_autoerror struct sp_error *err = NULL;
	char *dir = NULL;

	(void) state;
	assert_int_equal(sp_root_open(sample, 0, &root, NULL), 0);
	assert_int_equal(sp_config_load(root, path, &plain, NULL), 0);
	assert_false(plain.selection.given);
	assert_int_equal(sp_root_read(root, "strix-provision.conf", SP_FILE_MAX, &file, NULL), 0);
	for (char *rest = file.data, *line; (line = strsep(&rest, "\n"));)
		sp_buf_addf(&bare, "%s\n", *line == '#' && line[1] != ' ' ? line + 1 : line);
	const struct fixture conf = { .path = CONF, .text = bare.data };
	if (load(&conf, &config, &dir, &err) < 0)
		fail_msg("%s", err->message);
	assert_true(config.selection.given);
	assert_int_equal(config.selection.n_overrides, 2);
	fixture_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),   cmocka_unit_test(test_all),     cmocka_unit_test(test_few),
		cmocka_unit_test(test_files), cmocka_unit_test(test_damaged), cmocka_unit_test(test_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
