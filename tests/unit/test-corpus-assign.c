/* SPDX-License-Identifier: MIT */
/*
 * Shell files and drop-ins as people really write them. Shell files: the value put back gives the same bytes, a word
 * added is the only change, and taking it out again gives the same bytes; what is refused says at which line.
 * Drop-ins: what was read survives being written and read again.
 *
 * The files are those of $SP_CORPUS (folders default-grub, grub.d, sysctl, modprobe, environment); hand-written ones of
 * the same shapes are always used. No file is run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>

#include "base/root.h"
#include "format/assign.h"
#include "format/shellvar.h"

#define WORD "strix.test=1"

static const char *const variables[] = { "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT" };

/* Where the variable's value in a shell file stands: understood, not there, or only a shell can tell. */
enum outcome { READ, ABSENT, REFUSED };

static const struct {
	const char *name, *text;
	enum outcome outcome[SP_ELEMENTS(variables)];
} shapes[] = {
	{ "plain",
	  "# made by the installer\nGRUB_TIMEOUT=5\nGRUB_DISTRIBUTOR=\"$(sed 's, release .*$,,g' /etc/system-release)\"\n"
	  "GRUB_CMDLINE_LINUX=\"rhgb quiet\"\nGRUB_ENABLE_BLSCFG=true\n",
	  { READ, ABSENT } },
	{ "value over several lines behind a substitution over several lines",
	  "X=\"$(awk -F'\"' '/N/ && tolower($2) \\\n!= \"linux\" {print $2}' \\\n/etc/os-release)\"\n\n"
	  "GRUB_CMDLINE_LINUX_DEFAULT=\"a=1 \\\nb=2 iommu=pt \\\nc\"\nexport Y=\"z\"\n",
	  { ABSENT, READ } },
	{ "one word a line", "GRUB_CMDLINE_LINUX=\"\\\na=1 \\\nb=2 \\\n\"\n\n# c=3 \\\n#d \\\n", { READ, ABSENT } },
	{ "quotes in a comment behind",
	  "GRUB_CMDLINE_LINUX_DEFAULT=\"a osi='W 12' b\" #c=d\" #e=f\"\nGRUB_CMDLINE_LINUX=\"\"\n# it's\n", { READ, READ } },
	{ "sourced first, a variable inside, no final newline",
	  "source quirks\nGRUB_CMDLINE_LINUX_DEFAULT=\"a ${MORE} b\"\nGRUB_DISABLE_RECOVERY=true", { REFUSED, REFUSED } },
	{ "itself and more", "# x\n\nGRUB_CMDLINE_LINUX=\"${GRUB_CMDLINE_LINUX} a=\\\"b\\\"\"\n", { REFUSED, ABSENT } },
	{ "sourced at the end",
	  "A=`lsb_release -i -s 2> /dev/null || echo D`\nGRUB_CMDLINE_LINUX=\"\"\nif test -f /x\nthen\n  . /x\nfi\n",
	  { REFUSED, REFUSED } },
	{ "single quotes", "GRUB_CMDLINE_LINUX_DEFAULT='a b'\nGRUB_CMDLINE_LINUX=\"\"\n\n", { READ, READ } },
	{ "twice", "GRUB_CMDLINE_LINUX_DEFAULT=\"a\"\nB=\"1 2\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"b c=d\"\n", { ABSENT, READ } },
	{ "neither", "# all of it\nGRUB_DEFAULT=saved\n", { ABSENT, ABSENT } },
	{ "a script with a here-document",
	  "A=\"$(stat -c %d/%i /)\"\nif [ \"$A\" = \"$B\" -a -d \"/b\" ]; then\n  cat <<-EOF > /dev/null\n\t\t# don't\n"
	  "\t\tset c=\"d\"\nEOF\nfi\n",
	  { ABSENT, ABSENT } },
	{ "appended with +=", "GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX+=\" b\"\n", { READ, ABSENT } },
	{ "CRLF", "A=1\r\nGRUB_CMDLINE_LINUX=\"a b\"\r\n", { READ, ABSENT } },
};

static const struct {
	const char *name;
	void (*parse)(const struct sp_buf *file, struct sp_assigns *ret);
	void (*render)(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret);
	const char *text; /* of the same shapes as the folder's files */
	size_t found;
} dropins[] = {
	{ "sysctl", sp_sysctl_parse, sp_sysctl_render,
	  "\n# a - b\nnet.ipv6.conf.tun0.disable_ipv6 = 1 # c\nkernel.printk = 4 4 1 7\nkernel.sysrq=1\n; d\n"
	  "kernel.sysrq = 0", 4 },
	{ "modprobe", sp_modprobe_parse, sp_modprobe_render,
	  "blacklist nouveau\n#options a b=1\noptions nvidia \\\n\tA=27 \\\n    B=/var/tmp\noptions nvidia \"C=0x02\"\n"
	  "options nvidia D=\"e=0x1;f=0x3\"\nremove i \\\n(lsmod | grep i) \\\n&& modprobe -r j\n", 4 },
	{ "environment", sp_environment_parse, sp_environment_render,
	  "#\n# KEY=VAL\nA=\"b:c=0\\\n d:e=500,0\\\n f\"\nexport G=@h=i\n\nJ=1\nK=\"qemu:///system\"\n", 3 },
};

/* The variable with one more word, and without it again. */
static void check_change(const char *name, const struct sp_buf *file, const char *var, const char *old)
{
	sp_autofree char *value = sp_xasprintf("%s%s" WORD, old, *old ? " " : ""), *read = NULL, *last = NULL;
	sp_autobuf struct sp_buf out = { 0 }, back = { 0 };
	size_t head = 0, tail = 0;

	assert_int_equal(sp_shellvar_put(file, var, value, &out, NULL), 0);
	assert_int_equal(sp_shellvar_get(&out, var, &read, NULL), 0);
	assert_string_equal(read, value);
	assert_int_equal(sp_shellvar_put(&out, var, old, &back, NULL), 0);
	if (sp_buf_eq(file, &back) && strstr(file->data, var)) {
		/* an insertion and nothing else; at most a new line with its comment */
		while (head < file->len && file->data[head] == out.data[head])
			head++;
		while (tail < file->len - head && file->data[file->len - tail - 1] == out.data[out.len - tail - 1])
			tail++;
		assert_int_equal(head + tail, file->len);
		assert_in_range(out.len - file->len, strlen(WORD), strlen(WORD) + 128);
		return;
	}
	/* a value without quotes has them now */
	if (!sp_buf_eq(file, &back) && back.len != file->len + 2)
		fail_msg("%s: not the same bytes:\n%s", name, back.data);
	int r = sp_shellvar_get(&back, var, &last, NULL);
	assert_true(r == 0 ? sp_streq(last, old) : r == -ENOENT && !*old);
}

static enum outcome check_shell(const char *name, const struct sp_buf *file, const char *var)
{
	sp_autofree char *old = NULL;
	sp_autobuf struct sp_buf same = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	int r = sp_shellvar_get(file, var, &old, &err);

	if (r < 0 && r != -ENOENT) {
		if (r != -EOPNOTSUPP || !sp_startswith(err->message, "line "))
			fail_msg("%s: %s", name, err->message);
		return REFUSED;
	}
	assert_int_equal(sp_shellvar_put(file, var, old ? old : "", &same, NULL), 0);
	assert_true(sp_buf_eq(file, &same));
	check_change(name, file, var, old ? old : "");
	return r == 0 ? READ : ABSENT;
}

static size_t check_dropin(const char *name, const struct sp_buf *file, size_t kind)
{
	sp_autoassigns struct sp_assigns a = { 0 }, b = { 0 };
	sp_autobuf struct sp_buf out = { 0 };

	dropins[kind].parse(file, &a);
	sp_autofree struct sp_dropin_line *lines = sp_xcalloc(a.n, sizeof(*lines));
	size_t n = 0;
	for (size_t i = 0; i < a.n; i++) /* "-key" of sysctl is never written */
		if (a.v[i].value || kind > 0)
			lines[n++] = (struct sp_dropin_line){ "id", "reason", a.v[i].key, a.v[i].value };
	dropins[kind].render(lines, n, &out);
	dropins[kind].parse(&out, &b);
	if (b.n != n)
		fail_msg("%s: %zu of %zu:\n%s", name, b.n, n, out.data);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(b.v[i].key, lines[i].key);
		assert_true(lines[i].value ? sp_streq(b.v[i].value, lines[i].value) : !b.v[i].value);
	}
	return a.n;
}

static void hand_written(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(shapes); i++)
		for (size_t k = 0; k < SP_ELEMENTS(variables); k++) {
			sp_autobuf struct sp_buf file = { 0 };

			sp_buf_adds(&file, shapes[i].text);
			enum outcome outcome = check_shell(shapes[i].name, &file, variables[k]);
			if (outcome != shapes[i].outcome[k])
				fail_msg("%s: %d for %s", shapes[i].name, outcome, variables[k]);
		}
	for (size_t i = 0; i < SP_ELEMENTS(dropins); i++) {
		sp_autobuf struct sp_buf file = { 0 };

		sp_buf_adds(&file, dropins[i].text);
		assert_int_equal(check_dropin(dropins[i].name, &file, i), dropins[i].found);
	}
}

/* Calls check() for each file of the folder; returns how many there are. */
static size_t each_file(const struct sp_root *root, const char *folder,
			void (*check)(const char *path, const struct sp_buf *file, void *data), void *data)
{
	sp_autostrv struct sp_strv names = { 0 };

	assert_int_equal(sp_root_list(root, folder, &names), 0);
	for (size_t i = 0; i < names.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", folder, names.v[i]);
		sp_autobuf struct sp_buf file = { 0 };

		assert_int_equal(sp_root_read(root, path, SP_FILE_MAX, &file, NULL), 0);
		check(path, &file, data);
	}
	return names.n;
}

static void count_shell(const char *path, const struct sp_buf *file, void *data)
{
	size_t *outcomes = data;

	for (size_t k = 0; k < SP_ELEMENTS(variables); k++)
		outcomes[check_shell(path, file, variables[k])]++;
}

static void count_dropin(const char *path, const struct sp_buf *file, void *data)
{
	(void) check_dropin(path, file, *(size_t *) data);
}

static void real_files(void **state)
{
	const char *corpus = getenv("SP_CORPUS");
	sp_autoroot struct sp_root *root = NULL;
	size_t outcomes[3] = { 0 }, n = 0;

	(void) state;
	if (!corpus || !*corpus) {
		print_message("# skipped: %zu kinds of real files (SP_CORPUS is not set); %zu hand-written ones read\n",
			      2 + SP_ELEMENTS(dropins), SP_ELEMENTS(shapes) + SP_ELEMENTS(dropins));
		return;
	}
	assert_int_equal(sp_root_open(corpus, 0, &root, NULL), 0);
	n += each_file(root, "default-grub", count_shell, outcomes);
	n += each_file(root, "grub.d", count_shell, outcomes);
	for (size_t i = 0; i < SP_ELEMENTS(dropins); i++)
		n += each_file(root, dropins[i].name, count_dropin, &i);
	print_message("# %zu real files read; shell variables: %zu read, %zu absent, %zu refused\n", n, outcomes[READ],
		      outcomes[ABSENT], outcomes[REFUSED]);
	assert_true(outcomes[READ] > outcomes[REFUSED]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hand_written),
		cmocka_unit_test(real_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
