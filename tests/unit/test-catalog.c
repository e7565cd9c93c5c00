/* SPDX-License-Identifier: MIT */
/* A small sound catalogue; each case spoils one file of it and says the one line that must come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "fixture-tree.h"

static const struct fixture sound[] = {
	{ .path = "grub/a.cfg",
	  .text = "settings = (\n"
		  "{ id = \"lead\"; key = \"amdgpu.gttsize\"; value = \"${gtt_mib}\"; summary = \"s\"; },\n"
		  "{ id = \"second\"; key = \"iommu\"; value = \"pt\"; summary = \"s\"; } );\n" },
	{ .path = "sysctl.d/b.cfg",
	  .text = "settings = ( { id = \"maps\"; key = \"vm.max_map_count\"; value = \"5\"; summary = \"s\";"
		  " rule = \"at-least\"; live = \"/proc/sys/vm/max_map_count\"; live_set = true; } );\n" },
	{ .path = "modprobe.d/c.cfg",
	  .text = "settings = ( { id = \"lead-module\"; key = \"amdgpu.gttsize\"; value = \"${gtt_mib}\";"
		  " summary = \"s\"; follows = \"lead\"; } );\n" },
	{ .path = "environment.d/d.cfg",
	  .text = "settings = ( { id = \"env\"; key = \"A\"; value = \"${A:+$A,}b\"; summary = \"s\"; } );\n" },
	{ .path = "profiles/p.cfg", .text = "summary = \"s\"; settings = [ \"lead\", \"maps\" ];\n" },
	{ .path = "platforms/m.cfg",
	  .text = "name = \"M\"; match = ( { fact = \"cpu.family\"; equals = \"26\"; } );\n" },
	{ .path = "grub/README", .text = "not read" },
	{ .path = "grub/.hidden.cfg", .text = "not read either" },
	{ 0 },
};

#define BLOCK(rest) "settings = (\n{ id = \"bad\"; key = \"k.bad\"; value = \"1\"; summary = \"s\";\n" rest "} );\n"
#define GRUB "grub/z.cfg"
#define SYSCTL "sysctl.d/z.cfg"
#define MODPROBE "modprobe.d/z.cfg"
#define ENVIRONMENT "environment.d/z.cfg"
#define PROFILE "profiles/z.cfg"
#define PLATFORM "platforms/z.cfg"
#define LOG "log/z.cfg"
#define ADVISORY "advisories/z.cfg"
#define LOGGED "log = { date = \"d\"; change = \"c\"; evidence = \"e\"; verdict = \"keep\"; }; "
#define ADVICE(rest) "advisories = (\n{ id = \"bad\"; text = \"t\"; evidence = \"e\";\n" rest "} );\n"
#define ONE(id, key, value)                                                                                            \
	"settings = ( { id = \"" id "\"; key = \"" key "\"; value = \"" value "\"; summary = \"s\"; } );\n"

static const struct {
	const char *path, *text;
	const char *message; /* behind the folder of the data */
	const char *hint;    /* a part of it; NULL: not looked at */
	size_t len;	     /* 0: strlen(text) */
} bad[] = {
	/* form */
	{ GRUB, "settings = ( { id = ; } );\n", GRUB ":1: syntax error", NULL, 0 },
	{ GRUB, "settings = (\n{ id = \"a\"; id = \"b\"; } );\n", GRUB ":2: duplicate setting name", NULL, 0 },
	{ GRUB, "", GRUB ":1: the key 'settings' is missing", NULL, 0 },
	{ GRUB, "# nothing\n", GRUB ":1: the key 'settings' is missing", NULL, 0 },
	{ GRUB, "settings = ();\n", GRUB ":1: 'settings' is empty", NULL, 0 },
	{ GRUB, "settings = \"x\";\n", GRUB ":1: 'settings' is a text in quotes, and not a list ( )", NULL, 0 },
	{ GRUB, "\nsettings = ( 5 );\n", GRUB ":2: here stands a number, and not a group { }", NULL, 0 },
	{ GRUB, "\nseting = 1;\n", GRUB ":2: unknown key 'seting'", "did you mean 'settings'?", 0 },
	{ GRUB, "# a\n@include \"/etc/passwd\"\n", GRUB ":2: @include is not supported", NULL, 0 },
	{ GRUB, "# a\n# \0 b\n", GRUB ":2: a NUL byte has no place in it", NULL, 9 },
	{ GRUB, BLOCK("log = { date = \"a\\x00b\"; };\n"), GRUB ":3: a NUL byte has no place in it", NULL, 0 },
	{ "grub/Z.cfg", ONE("bad", "k", "1"),
	  "grub/Z.cfg:1: the file's name is no id: a letter, then a-z, 0-9 and '-'", NULL, 0 },
	/* keys and types */
	{ SYSCTL, BLOCK("nonsense = 1;\n"),
	  SYSCTL ":3: unknown key 'nonsense'", "these are possible: id, key, value", 0 },
	{ SYSCTL, BLOCK("liv = \"/sys/x\";\n"), SYSCTL ":3: unknown key 'liv'", "did you mean 'live'?", 0 },
	{ SYSCTL, BLOCK("reboot = 1;\n"), SYSCTL ":3: 'reboot' is a number, and not true or false", NULL, 0 },
	{ SYSCTL, BLOCK("live = 5L;\n"), SYSCTL ":3: 'live' is a number, and not a text in quotes", NULL, 0 },
	{ SYSCTL, BLOCK("live = 1.5;\n"), SYSCTL ":3: 'live' is a fraction, and not a text in quotes", NULL, 0 },
	{ SYSCTL, BLOCK("log = \"x\";\n"), SYSCTL ":3: 'log' is a text in quotes, and not a group { }", NULL, 0 },
	{ SYSCTL, BLOCK("rule = \"more\";\n"), SYSCTL ":3: 'rule' cannot be 'more'", "set, at-least, at-most", 0 },
	{ SYSCTL, BLOCK("effect = \"speed\";\n"), SYSCTL ":3: 'effect' cannot be 'speed'", "gtt-total", 0 },
	{ SYSCTL, BLOCK("log = {\ndate = \"d\"; };\n"), SYSCTL ":3: the key 'change' is missing", NULL, 0 },
	{ SYSCTL, BLOCK("log = { verdict = \"good\"; };\n"),
	  SYSCTL ":3: 'verdict' cannot be 'good'", "keep, reverted", 0 },
	{ SYSCTL, "settings = (\n{ id = \"bad\"; value = \"1\"; summary = \"s\"; } );\n",
	  SYSCTL ":2: the key 'key' is missing", NULL, 0 },
	{ SYSCTL, ONE("Bad", "k", "1"), SYSCTL ":1: 'Bad' is no id: a letter, then a-z, 0-9 and '-'", NULL, 0 },
	{ SYSCTL, ONE("", "k", "1"), SYSCTL ":1: 'id' is empty", NULL, 0 },
	/* text */
	{ SYSCTL, ONE("bad", "k", "1\\n2"),
	  SYSCTL ":1: 'value' holds a control character, or one beyond ASCII", NULL, 0 },
	{ SYSCTL, ONE("bad", "k", "\\x1b[31m"),
	  SYSCTL ":1: 'value' holds a control character, or one beyond ASCII", NULL, 0 },
	{ SYSCTL, BLOCK("live = \"/sys/\xc3\xa4\";\n"),
	  SYSCTL ":3: 'live' holds a control character, or one beyond ASCII", NULL, 0 },
	/* keys and values of the destinations */
	{ GRUB, ONE("bad", "k", "a b"),
	  GRUB ":1: the value 'a b' of 'bad' is not safe on a kernel command line", NULL, 0 },
	{ GRUB, ONE("bad", "k", "a$b"),
	  GRUB ":1: the value 'a$b' of 'bad' is not safe on a kernel command line", NULL, 0 },
	{ GRUB, ONE("bad", "k", "a;b"),
	  GRUB ":1: the value 'a;b' of 'bad' is not safe on a kernel command line", NULL, 0 },
	{ GRUB, ONE("bad", "k=v", "1"), GRUB ":1: the key 'k=v' is not a kernel parameter", NULL, 0 },
	{ GRUB, ONE("bad", "--", "1"), GRUB ":1: the key '--' is not a kernel parameter", NULL, 0 },
	{ SYSCTL, ONE("bad", "vm x", "1"), SYSCTL ":1: the key 'vm x' is not a sysctl name", NULL, 0 },
	{ SYSCTL, ONE("bad", "vm/x", "1"), SYSCTL ":1: the key 'vm/x' is not a sysctl name", NULL, 0 },
	{ SYSCTL, ONE("bad", ".", "1"), SYSCTL ":1: the key '.' is not a sysctl name", NULL, 0 },
	{ SYSCTL, ONE("bad", "-vm.x", "1"), SYSCTL ":1: the key '-vm.x' is not a sysctl name", NULL, 0 },
	{ SYSCTL, ONE("bad", "vm.x", "${GTT_MIB}"),
	  SYSCTL ":1: the value '${GTT_MIB}' of 'bad' is not a sysctl value", NULL, 0 },
	{ SYSCTL, ONE("bad", "vm.x", "1 "), SYSCTL ":1: the value '1 ' of 'bad' is not a sysctl value", NULL, 0 },
	{ MODPROBE, ONE("bad", "amdgpu", "1"), MODPROBE ":1: the key 'amdgpu' is not 'module.parameter'", NULL, 0 },
	{ MODPROBE, ONE("bad", "a.b.c", "1"), MODPROBE ":1: the key 'a.b.c' is not 'module.parameter'", NULL, 0 },
	{ MODPROBE, ONE("bad", "a.-b", "1"), MODPROBE ":1: the key 'a.-b' is not 'module.parameter'", NULL, 0 },
	{ MODPROBE, ONE("bad", ".b", "1"), MODPROBE ":1: the key '.b' is not 'module.parameter'", NULL, 0 },
	{ MODPROBE, ONE("bad", "a.b", "1 2"),
	  MODPROBE ":1: the value '1 2' of 'bad' is not safe in an options line", NULL, 0 },
	{ ENVIRONMENT, ONE("bad", "1A", "1"), ENVIRONMENT ":1: the key '1A' is not a variable's name", NULL, 0 },
	{ ENVIRONMENT, ONE("bad", "A-B", "1"), ENVIRONMENT ":1: the key 'A-B' is not a variable's name", NULL, 0 },
	{ ENVIRONMENT, ONE("bad", "A_B", "a'b"),
	  ENVIRONMENT ":1: the value 'a'b' of 'bad' is not safe in environment.d", NULL, 0 },
	{ SYSCTL, ONE("bad", "vm.x", "${no_such_value}"),
	  SYSCTL ":1: '${no_such_value}' is not known", "${gtt_pages}", 0 },
	{ GRUB, ONE("bad", "${ttm}.x", "1"), GRUB ":1: '${ttm}' is not known", "${ttm_module}", 0 },
	{ SYSCTL, BLOCK("live = \"/sys/${no}/x\";\n"), SYSCTL ":2: '${no}' is not known", NULL, 0 },
	{ SYSCTL, "settings = (\n{ id = \"b\"; key = \"k\"; value = \"x\"; summary = \"s\"; rule = \"at-most\"; } );\n",
	  SYSCTL ":2: the value 'x' of 'b' is no number to compare with", NULL, 0 },
	{ SYSCTL, BLOCK("live = \"/etc/passwd\";\n"),
	  SYSCTL ":2: the live value '/etc/passwd' is no path in /proc/sys or /sys", NULL, 0 },
	{ SYSCTL, BLOCK("live = \"/sys/../etc/passwd\";\n"),
	  SYSCTL ":2: the live value '/sys/../etc/passwd' is no path in /proc/sys or /sys", NULL, 0 },
	{ SYSCTL, BLOCK("live_set = true;\n"), SYSCTL ":2: the key 'live' is missing", NULL, 0 },
	{ SYSCTL, BLOCK("conflicts = [ \"a\" ];\n"), SYSCTL ":2: 'conflicts' is for the command line only", NULL, 0 },
	{ GRUB, BLOCK("conflicts = [ \"a b\" ];\n"),
	  GRUB ":2: the conflict 'a b' is no argument of a command line", NULL, 0 },
	{ GRUB, BLOCK("conflicts = ( \"a\", 5 );\n"),
	  GRUB ":3: here stands a number, and not a text in quotes", NULL, 0 },
	/* predicates */
	{ SYSCTL, BLOCK("when = [ \"is-it-tuesday\" ];\n"),
	  SYSCTL ":3: there is no predicate 'is-it-tuesday'", "npu-present", 0 },
	{ SYSCTL, BLOCK("unless = \"npu-presnt\";\n"),
	  SYSCTL ":3: there is no predicate 'npu-presnt'", "did you mean 'npu-present'?", 0 },
	{ SYSCTL, BLOCK("when = ( \"npu-present\",\n\"kernel-has-parm ttm\" );\n"),
	  SYSCTL ":4: 'kernel-has-parm ttm' says too little",
	  "kernel-has-parm MODULE PARAMETER", 0 },
	{ SYSCTL, BLOCK("warn = ({ ask = \"zram-present 1\"; message = \"m\"; });\n"),
	  SYSCTL ":3: 'zram-present 1' says too much", NULL, 0 },
	{ SYSCTL, BLOCK("warn = ({ ask = \"zram-present\"; });\n"),
	  SYSCTL ":3: the key 'message' is missing", NULL, 0 },
	{ SYSCTL, BLOCK("when = \"platform nonsense\";\n"),
	  SYSCTL ":2: 'platform nonsense': there is no platform 'nonsense'", NULL, 0 },
	{ SYSCTL, BLOCK("unless = \"npu-present and platform m2\";\n"),
	  SYSCTL ":2: 'npu-present and platform m2': there is no platform 'm2'", NULL, 0 },
	/* between settings */
	{ SYSCTL, ONE("second", "vm.x", "1"), SYSCTL ":1: the id 'second' is taken by %/grub/a.cfg:3", NULL, 0 },
	{ GRUB, ONE("third", "iommu", "off"),
	  GRUB ":1: the key 'iommu' is set by 'second', too (%/grub/a.cfg:3)", NULL, 0 },
	{ SYSCTL, BLOCK("follows = \"second2\";\n"),
	  SYSCTL ":2: follows: there is no setting 'second2'", "did you mean 'second'?", 0 },
	{ SYSCTL, BLOCK("follows = \"lead-module\";\n"),
	  SYSCTL ":2: 'bad' follows 'lead-module', which follows another", NULL, 0 },
	{ SYSCTL, BLOCK("follows = \"bad\";\n"), SYSCTL ":2: 'bad' follows 'bad', which follows another", NULL, 0 },
	/* profiles */
	{ PROFILE, "settings = [ \"lead\" ];\n", PROFILE ":1: the key 'summary' is missing", NULL, 0 },
	{ PROFILE, "summary = \"s\";\nsettings = [ \"lead\",\n\"laed\" ];\n",
	  PROFILE ":3: there is no setting 'laed'", "did you mean 'lead'?", 0 },
	{ PROFILE, "summary = \"s\";\nsettings = [ \"lead\", \"lead\" ];\n",
	  PROFILE ":2: 'lead' is named twice", NULL, 0 },
	{ PROFILE, "summary = \"s\";\nsettings = [ \"lead-module\" ];\n",
	  PROFILE ":2: 'lead-module' goes with 'lead' and is not named by itself", NULL, 0 },
	{ PROFILE, "summary = \"s\"; settings = [ \"lead\" ];\nheadroom = \"none\";\n",
	  PROFILE ":2: 'headroom' cannot be 'none'", "host", 0 },
	{ PROFILE, "summary = \"s\"; settings = [];\noverrides = {\nno = { value = \"1\"; }; };\n",
	  PROFILE ":3: there is no setting 'no'", NULL, 0 },
	{ PROFILE, "summary = \"s\"; settings = [];\noverrides = { second = { value = \"a b\"; }; };\n",
	  PROFILE ":2: the value 'a b' of 'second' is not safe on a kernel command line", NULL, 0 },
	{ PROFILE, "summary = \"s\"; settings = [];\noverrides = { maps = { value = \"many\"; }; };\n",
	  PROFILE ":2: the value 'many' of 'maps' is no number to compare with", NULL, 0 },
	{ PROFILE, "summary = \"s\"; settings = [];\noverrides = { maps = { vale = \"1\"; }; };\n",
	  PROFILE ":2: unknown key 'vale'", NULL, 0 },
	{ PROFILE, "summary = \"s\"; settings = [];\noverrides = { maps = 5; };\n",
	  PROFILE ":2: 'maps' is a number, and not a group { }", NULL, 0 },
	/* platforms */
	{ PLATFORM, "name = \"n\"; match = ();\n",
	  PLATFORM ":1: 'match' is empty: every machine would match", NULL, 0 },
	{ PLATFORM, "name = \"n\"; match = ( { fact = \"cpu.famly\"; equals = \"1\"; } );\n",
	  PLATFORM ":1: there is no fact 'cpu.famly'",
	  "did you mean 'cpu.family'?", 0 },
	{ PLATFORM, "name = \"n\"; match = (\n{ fact = \"cpu.family\"; } );\n",
	  PLATFORM ":2: a match has either 'equals' or 'contains'", NULL, 0 },
	{ PLATFORM, "name = \"n\"; match = (\n{ fact = \"cpu.family\"; equals = \"1\"; contains = \"1\"; } );\n",
	  PLATFORM ":2: a match has either 'equals' or 'contains'", NULL, 0 },
	{ PLATFORM, "name = \"n\"; priority = \"1\"; match = ( { fact = \"cpu.family\"; equals = \"1\"; } );\n",
	  PLATFORM ":1: 'priority' is a text in quotes, and not a number", NULL, 0 },
	/* the log */
	{ LOG, "entries = ();\n", LOG ":1: 'entries' is empty", NULL, 0 },
	{ LOG, "settings = ();\n", LOG ":1: unknown key 'settings'", "entries", 0 },
	{ LOG, "entries = (\n{ id = \"a\"; summary = \"s\"; } );\n", LOG ":2: the key 'log' is missing", NULL, 0 },
	{ LOG, "entries = (\n{ id = \"a\"; " LOGGED "} );\n", LOG ":2: the key 'summary' is missing", NULL, 0 },
	{ LOG, "entries = (\n{ id = \"a\"; summary = \"s\"; value = \"1\"; " LOGGED "} );\n",
	  LOG ":2: unknown key 'value'", NULL, 0 },
	{ LOG, "entries = (\n{ id = \"lead\"; summary = \"s\"; " LOGGED "} );\n",
	  LOG ":2: the id 'lead' is taken by %/grub/a.cfg:2", NULL, 0 },
	{ LOG, "entries = (\n{ id = \"a\"; summary = \"s\"; " LOGGED "},\n{ id = \"a\"; summary = \"s\"; " LOGGED "} );\n",
	  LOG ":3: the id 'a' is taken by %/log/z.cfg:2", NULL, 0 },
	/* advisories */
	{ ADVISORY, "advisories = ();\n", ADVISORY ":1: 'advisories' is empty", NULL, 0 },
	{ ADVISORY, ADVICE(""), ADVISORY ":2: the key 'when' is missing", NULL, 0 },
	{ ADVISORY, ADVICE("when = ();\n"), ADVISORY ":2: 'when' is empty: it would be said everywhere", NULL, 0 },
	{ ADVISORY, ADVICE("when = \"npu-presnt\";\n"),
	  ADVISORY ":3: there is no predicate 'npu-presnt'", "did you mean 'npu-present'?", 0 },
	{ ADVISORY, ADVICE("when = \"npu-present\"; unless = \"fact-known gpu.i\";\n"),
	  ADVISORY ":3: there is no fact 'gpu.i'", "gpu.id", 0 },
	{ ADVISORY, ADVICE("when = \"platform nonsense\";\n"),
	  ADVISORY ":2: 'platform nonsense': there is no platform 'nonsense'", NULL, 0 },
	{ ADVISORY, ADVICE("when = \"npu-present\"; },\n{ id = \"bad\"; text = \"t\"; evidence = \"e\"; when = \"npu-present\";"),
	  ADVISORY ":4: the id 'bad' is taken by %/advisories/z.cfg:2", NULL, 0 },
	{ ADVISORY, "advisories = (\n{ id = \"a\"; when = \"npu-present\"; text = \"${memory.swap}\"; evidence = \"e\"; } );\n",
	  ADVISORY ":2: there is no fact 'memory.swap'", "memory.swap_kib", 0 },
	{ ADVISORY, "advisories = (\n{ id = \"a\"; when = \"npu-present\"; text = \"${kernel:source}\"; evidence = \"e\"; } );\n",
	  ADVISORY ":2: there is no fact 'kernel'", NULL, 0 },
	{ ADVISORY, "advisories = (\n{ id = \"a\"; when = \"npu-present\"; text = \"t\"; } );\n",
	  ADVISORY ":2: the key 'evidence' is missing", NULL, 0 },
};

static char *put_folder(const char *message, const char *dir) /* '%' stands for the folder */
{
	struct sp_buf b = { 0 };

	for (; *message; message++)
		if (*message == '%')
			sp_buf_adds(&b, dir);
		else
			sp_buf_add(&b, message, 1);
	return sp_buf_steal(&b);
}

static void test_bad(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(bad); i++) {
		const struct fixture spoilt = { .path = bad[i].path, .text = bad[i].text, .len = bad[i].len };
		sp_autocatalog struct sp_catalog *c = NULL;
		sp_autoerror struct sp_error *err = NULL;
		char *dir = fixture_new();

		fixture_add_all(dir, sound);
		fixture_add(dir, &spoilt);
		sp_autofree char *rest = put_folder(bad[i].message, dir), *expected = sp_xasprintf("%s/%s", dir, rest);
		int r = sp_catalog_load(dir, &c, &err);
		if (r >= 0)
			fail_msg("taken: %s", bad[i].text);
		assert_string_equal(err->message, expected);
		assert_int_equal(err->exit, SP_EXIT_USAGE);
		assert_null(c);
		assert_non_null(err->path);
		if (bad[i].hint && (!err->hint || !strstr(err->hint, bad[i].hint)))
			fail_msg("%s: the hint is '%s'", err->message, err->hint);
		fixture_free(dir);
	}
}

static const struct {
	struct fixture change;
	const char *message; /* a part of it */
} missing[] = {
	{ { .path = "grub", .kind = FIXTURE_GONE }, "/grub': No such file or directory" },
	{ { .path = "profiles", .kind = FIXTURE_GONE }, "/profiles': No such file or directory" },
	{ { .path = "grub", .text = "a file" }, "/grub': Not a directory" },
	{ { .path = "grub/z.cfg", .kind = FIXTURE_DIR }, "'/grub/z.cfg': Is a directory" },
	{ { .path = "grub/z.cfg", .kind = FIXTURE_LINK, .text = "../../../../../../../etc/hostname" },
	  "/grub/z.cfg'" },
};

static void test_missing(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(missing); i++) {
		sp_autocatalog struct sp_catalog *c = NULL;
		sp_autoerror struct sp_error *err = NULL;
		char *dir = fixture_new();

		fixture_add_all(dir, sound);
		fixture_add(dir, &missing[i].change);
		assert_true(sp_catalog_load(dir, &c, &err) < 0);
		if (!strstr(err->message, missing[i].message))
			fail_msg("'%s' does not say '%s'", err->message, missing[i].message);
		assert_int_equal(err->exit, SP_EXIT_USAGE);
		fixture_free(dir);
	}
	sp_autoerror struct sp_error *err = NULL;
	struct sp_catalog *c = NULL;
	assert_true(sp_catalog_load("/no-such-data", &c, &err) < 0);
	assert_non_null(strstr(err->message, "/no-such-data"));
	assert_int_equal(err->exit, SP_EXIT_USAGE);
}

/* --- the values that are read ---------------------------------------------------------------------------------- */

static const char everything[] =
	"settings = (\n\n{ id = \"all\"; key = \"${ttm_module}.x\"; value = \"7\"; summary = \"one \" \"two\";\n"
	"rule = \"at-most\"; by_default = false; reboot = false; conflicts = [ \"a=*\", \"b\" ];\n"
	"when = ( \"npu-present\", { ask = \"no-disk-swap\"; message = \"m1\"; } ); unless = \"zram-present\";\n"
	"warn = ({ ask = \"npu-present and platform m\"; message = \"m2\"; });\n"
	"live = \"/sys/module/${ttm_module}/x\"; live_bracket = true; live_set = true; effect = \"gtt-total\";\n"
	"log = { date = \"d\"; change = \"c\"; evidence = \"e\"; verdict = \"blocked\"; tradeoff = \"t\";\n"
	"doubts = ( \"x\", \"y\" ); }; } );\n";

static void check_everything(const struct sp_setting *s)
{
	assert_string_equal(s->key, "${ttm_module}.x");
	assert_string_equal(s->value, "7");
	assert_string_equal(s->summary, "one two");
	assert_int_equal(s->dest, SP_DEST_CMDLINE);
	assert_int_equal(s->rule, SP_RULE_AT_MOST);
	assert_false(s->by_default);
	assert_false(s->reboot);
	assert_int_equal(s->conflicts.n, 2);
	assert_string_equal(s->conflicts.v[1], "b");
	assert_int_equal(s->n_when, 2);
	assert_null(s->when[0].message);
	assert_string_equal(s->when[1].text, "no-disk-swap");
	assert_string_equal(s->when[1].message, "m1");
	assert_int_equal(s->n_unless, 1);
	assert_string_equal(s->unless[0].text, "zram-present");
	assert_int_equal(s->n_warn, 1);
	assert_string_equal(s->live, "/sys/module/${ttm_module}/x");
	assert_true(s->live_bracket && s->live_set);
	assert_string_equal(s->effect, "gtt-total");
	assert_int_equal(s->log.verdict, SP_VERDICT_BLOCKED);
	assert_string_equal(s->log.tradeoff, "t");
	assert_int_equal(s->log.doubts.n, 2);
	assert_int_equal(s->line, 3);
	assert_non_null(strstr(s->file, "/grub/b.cfg"));
}

static void test_values(void **state)
{
	const struct fixture file = { .path = "grub/b.cfg", .text = everything };
	sp_autocatalog struct sp_catalog *c = NULL;
	char *dir = fixture_new();

	(void) state;
	fixture_add_all(dir, sound);
	fixture_add(dir, &file);
	assert_int_equal(sp_catalog_load(dir, &c, NULL), 0);
	check_everything(sp_catalog_setting(c, "all"));
	assert_int_equal(c->n_settings, 6);
	assert_string_equal(c->settings[2].id, "all");	 /* files by name */
	assert_string_equal(c->settings[3].id, "maps"); /* then the next folder */
	const struct sp_setting *plain = sp_catalog_setting(c, "second"), *env = sp_catalog_setting(c, "env");
	assert_true(plain->by_default && plain->reboot && !env->reboot);
	assert_int_equal(plain->log.verdict, SP_VERDICT_PENDING);
	assert_string_equal(sp_catalog_setting(c, "lead-module")->follows, "lead");
	assert_true(sp_catalog_setting(c, "lead-module")->reboot);
	assert_null(sp_catalog_setting(c, "nothing"));
	assert_null(sp_catalog_profile(c, "nothing"));
	assert_int_equal(sp_catalog_profile(c, "p")->settings.n, 2);
	assert_int_equal(c->n_entries, 0); /* there is no such folder: nothing is missed */
	assert_int_equal(c->n_advisories, 0);
	fixture_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
