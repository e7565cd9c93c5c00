/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/assign.h"

typedef void (*parse_fn)(const struct sp_buf *file, struct sp_assigns *ret);
typedef void (*render_fn)(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret);

/* What a parser found as one line of text: "LINE:KEY=VALUE" for each, "*" behind a glob, "-" for no value. */
static char *describe(const struct sp_assigns *a)
{
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < a->n; i++)
		sp_buf_addf(&b, "%s%u:%s%s%s%s", i ? "|" : "", a->v[i].line, a->v[i].key, a->v[i].glob ? "*" : "",
			    a->v[i].value ? "=" : "-", a->v[i].value ? a->v[i].value : "");
	return sp_buf_steal(&b);
}

static const struct {
	parse_fn parse;
	const char *file, *found;
	size_t len; /* 0: up to the NUL */
} files[] = {
	{ sp_sysctl_parse, "", "", 0 },
	{ sp_sysctl_parse, "vm.swappiness = 1\nvm.max_map_count=2", "1:vm.swappiness=1|2:vm.max_map_count=2", 0 },
	{ sp_sysctl_parse, "# vm.a=1\n ; vm.b=2\n\n\tvm.c\t=\t4 4\t1 # x \n", "4:vm.c=4 4\t1 # x", 0 },
	{ sp_sysctl_parse, "-vm.a=1\n- vm.b = 2\n-vm.c\n-net.ipv4.conf.*\nvm.d\n-\n=1\n",
	  "1:vm.a=1|2:vm.b=2|3:vm.c-|4:net.ipv4.conf.**-", 0 },
	{ sp_sysctl_parse, "vm/a = 1\n/vm/b=2\nvm//c/=3\n", "1:vm.a=1|2:vm.b=2|3:vm.c=3", 0 },
	{ sp_sysctl_parse, "net.ipv4.conf.enp3s0/200.forwarding=1\nnet/ipv4/conf/enp3s0.200/forwarding=1\n",
	  "1:net.ipv4.conf.enp3s0/200.forwarding=1|2:net.ipv4.conf.enp3s0/200.forwarding=1", 0 },
	{ sp_sysctl_parse, "net.ipv4.conf.*.rp_filter=2\nvm.[ab]=1\nvm.a?=1\n",
	  "1:net.ipv4.conf.*.rp_filter*=2|2:vm.[ab]*=1|3:vm.a?*=1", 0 },
	{ sp_sysctl_parse, "vm.a=1\r\nvm.b=\r\nvm.c=a=b", "1:vm.a=1|2:vm.b=|3:vm.c=a=b", 0 },
	{ sp_sysctl_parse, "vm.a=1\0vm.b=2\nvm.c=3\\\n", "1:vm.a=1|1:vm.b=2|2:vm.c=3\\", 23 },
	{ sp_modprobe_parse, "", "", 0 },
	{ sp_modprobe_parse, "options ttm pages_limit=1 page-pool-size=2 flag\n",
	  "1:ttm.pages_limit=1|1:ttm.page_pool_size=2|1:ttm.flag-", 0 },
	{ sp_modprobe_parse, "# options a b=1\n#\\\noptions a b=2\n\noptions\tsnd-hda  x-y=z-z", "5:snd_hda.x_y=z-z", 0 },
	{ sp_modprobe_parse, "options a \\\n\tb=1 \\\n c=2\noptions a d=3\n", "1:a.b=1|1:a.c=2|4:a.d=3", 0 },
	{ sp_modprobe_parse, "blacklist a\nalias b c\ninstall d e=f\nremove g \\\n(h) \\\n&& i\noption j k=1\noptions l\n",
	  "", 0 },
	{ sp_modprobe_parse, "options a \"b=1\" c=\"x y;z\" \"d e\"\n", "1:a.b=1|1:a.c=x y;z|1:a.d e-", 0 },
	{ sp_modprobe_parse, "options a b=1\r\noptions c \\\r\n d=2\r\noptions e f=\r\n", "1:a.b=1|4:e.f=", 0 },
	{ sp_modprobe_parse, "options a b=1\0c=2\noptions d e=3", "1:a.b=1|2:d.e=3", 31 },
	{ sp_environment_parse, "", "", 0 },
	{ sp_environment_parse, "A=1\n B = b c \n\n_C1=${D:+$D,}e\n", "1:A=1|2:B=b c|4:_C1=${D:+$D,}e", 0 },
	{ sp_environment_parse, "#A=1\n;B=2\nC=3 # 4;5\n# D \\\nE=6\n", "3:C=3 # 4;5|5:E=6", 0 },
	{ sp_environment_parse, "A=\nB=\"\"\nexport C=1\n1D=1\nE\nF-G=1\n=\n=H=1\n", "", 0 },
	{ sp_environment_parse, "A=\"a b\" 'c'd\"e\" \nB=a\"b\"\nC=\"a\\\"\\\\\\`\\$\\n\"\nD='a\\b'\nE=\\\"a\\ \n",
	  "1:A=a bcd\"e\"|2:B=a\"b\"|3:C=a\"\\`$\\n|4:D=a\\b|5:E=\"a ", 0 },
	{ sp_environment_parse, "A=a \\\n b\\\n\\\nc\nB=\"a\\\nb\nc\"\nC=1", "1:A=a  bc|5:B=ab\nc|8:C=1", 0 },
	{ sp_environment_parse, "A=\"a\"\r\nB=b \r\nC=c\\\r\nD='d", "1:A=a|2:B=b|3:C=c|4:D=d", 0 },
	{ sp_environment_parse, "A=1\nB=\0\n", "", 8 },
};

static void test_parse(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autoassigns struct sp_assigns a = { 0 };

		sp_buf_add(&file, files[i].file, files[i].len ? files[i].len : strlen(files[i].file));
		files[i].parse(&file, &a);
		sp_autofree char *found = describe(&a);
		assert_string_equal(found, files[i].found);
	}
}

/* Every prefix of every file, so that no end is unexpected: the sanitizers watch. */
static void test_prefixes(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(files); i++)
		for (size_t n = 0; n <= strlen(files[i].file); n++) {
			sp_autobuf struct sp_buf file = { 0 };
			sp_autoassigns struct sp_assigns a = { 0 };
			sp_autofree char *exact = sp_xmalloc(n); /* an overrun is seen at the last byte */

			memcpy(exact, files[i].file, n);
			file = (struct sp_buf){ .data = exact, .len = n };
			files[i].parse(&file, &a);
			file = (struct sp_buf){ 0 };
			assert_in_range(a.n, 0, n);
		}
}

#define HEAD                                                                                        \
	"# Written by strix-provision. To change or drop a setting, edit /etc/strix-provision.conf and run\n" \
	"# 'strix-provision apply'; to undo it all, run 'strix-provision rollback'.\n"

static const struct {
	render_fn render;
	parse_fn parse;
	struct sp_dropin_line lines[2];
	const char *file;  /* without the head */
	const char *found; /* by the parser */
} rendered[] = {
	{ sp_sysctl_render, sp_sysctl_parse,
	  { { "swappiness", "keep the model in memory", "vm.swappiness", "1" },
	    { "max-map-count", "large models have many maps", "vm.max_map_count", "500000" } },
	  "\n# swappiness: keep the model in memory\nvm.swappiness = 1\n"
	  "\n# max-map-count: large models have many maps\nvm.max_map_count = 500000\n",
	  "5:vm.swappiness=1|8:vm.max_map_count=500000" },
	{ sp_modprobe_render, sp_modprobe_parse,
	  { { "pages-limit", "size the GTT", "ttm.pages_limit", "15466496" },
	    { "x", "a backslash at the end \\", "amdgpu.text", "a b" } },
	  "\n# pages-limit: size the GTT\noptions ttm pages_limit=15466496\n"
	  "\n# x: a backslash at the end \\ \noptions amdgpu text=\"a b\"\n",
	  "5:ttm.pages_limit=15466496|8:amdgpu.text=a b" },
	{ sp_environment_render, sp_environment_parse,
	  { { "lines", "two", "A", "a\nb" }, { "quote", "inside", "B", "a\"b" } },
	  "\n# lines: two\nA=\"a\nb\"\n\n# quote: inside\nB=a\"b\n", "5:A=a\nb|9:B=a\"b" },
	{ sp_modprobe_render, sp_modprobe_parse,
	  { { "flag", "without a value", "m.flag", NULL }, { "dots", "in a parameter", "m.a.b", "" } },
	  "\n# flag: without a value\noptions m flag\n\n# dots: in a parameter\noptions m a.b=\n",
	  "5:m.flag-|8:m.a.b=" },
	{ sp_environment_render, sp_environment_parse,
	  { { "radv-nogttspill", "no spilling\nof buffers", "RADV_PERFTEST", "${RADV_PERFTEST:+$RADV_PERFTEST,}nogttspill" },
	    { "x", "odd", "X", " a\"b\\c`$D " } },
	  "\n# radv-nogttspill: no spilling of buffers\n"
	  "RADV_PERFTEST=${RADV_PERFTEST:+$RADV_PERFTEST,}nogttspill\n\n# x: odd\nX=\" a\\\"b\\\\c\\`$D \"\n",
	  "5:RADV_PERFTEST=${RADV_PERFTEST:+$RADV_PERFTEST,}nogttspill|8:X= a\"b\\c`$D " },
};

static void test_render(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(rendered); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autoassigns struct sp_assigns a = { 0 };
		sp_autofree char *want = sp_xasprintf("%s%s", HEAD, rendered[i].file);

		rendered[i].render(rendered[i].lines, 2, &file);
		assert_string_equal(file.data, want);
		rendered[i].parse(&file, &a);
		sp_autofree char *found = describe(&a);
		assert_string_equal(found, rendered[i].found);
		rendered[i].render(rendered[i].lines, 0, &file);
		assert_int_equal(file.len, 0);
	}
}

/* Comments have at most 100 columns; a word that is longer stands alone. */
static void test_wrap(void **state)
{
	static const struct {
		int words[2]; /* their lengths, behind "# id: " */
		const char *between[2];
	} cases[] = {
		{ { 92, 1 }, { " ", " " } },
		{ { 93, 1 }, { " ", "\n# " } },
		{ { 94, 1 }, { " ", "\n# " } },
		{ { 95, 97 }, { "\n# ", "\n# " } },
		{ { 150, 150 }, { "\n# ", "\n# " } },
	};
	char a[151];

	(void) state;
	memset(a, 'a', sizeof(a));
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		const int n = cases[i].words[0], m = cases[i].words[1];
		sp_autobuf struct sp_buf file = { 0 };
		sp_autofree char *reason = sp_xasprintf("%.*s %.*s", n, a, m, a);
		sp_autofree char *want = sp_xasprintf("%s\n# id:%s%.*s%s%.*s\nvm.a = 1\n", HEAD, cases[i].between[0], n, a,
						      cases[i].between[1], m, a);

		sp_sysctl_render(&(struct sp_dropin_line){ "id", reason, "vm.a", "1" }, 1, &file);
		assert_string_equal(file.data, want);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_render),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
