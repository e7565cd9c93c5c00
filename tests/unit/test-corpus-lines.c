/* SPDX-License-Identifier: MIT */
/*
 * Files that hold a command line, as people really write them: getting the line and putting it back gives the same
 * bytes, and so does adding tokens and taking them out again, and displacing one and putting it back.
 *
 * The files are those of $SP_CORPUS (folders bls-entry and kernel-cmdline); hand-written ones of the same shapes are
 * always used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>

#include "base/root.h"
#include "format/cmdline.h"
#include "format/host.h"

struct file {
	enum sp_host_kind kind;
	const char *name, *text;
};

static const struct file shapes[] = {
	{ SP_HOST_BLS, "aligned with blanks",
	  "title          Linux\nlinux          /vmlinuz\ninitrd         /initrd\noptions        root=LABEL=a rw\n" },
	{ SP_HOST_BLS, "aligned with tabs", "title\tLinux\nlinux\t/vmlinuz\noptions\troot=LABEL=a rw quiet\n" },
	{ SP_HOST_BLS, "options over several lines",
	  "title Linux\n\nefi /EFI/Linux/a.efi\n\noptions root=/dev/mapper/r lsm=landlock\n"
	  ",yama pti=on debugfs\n=off\n" },
	{ SP_HOST_BLS, "efi without options", "title\trEFInd\nefi\t/EFI/refind/refind_x64.efi\n\n" },
	{ SP_HOST_BLS, "comments, no final newline",
	  "# made by hand\ntitle L\nlinux /l\n#options no\noptions  rw  quiet " },
	{ SP_HOST_BLS, "CRLF", "title L\r\nlinux /l\r\noptions rw quiet\r\n" },
	{ SP_HOST_BLS, "variables", "linux /l\ninitrd /i $tuned_initrd\noptions $kernelopts $tuned_params\n" },
	{ SP_HOST_PLAIN, "one line", "root=UUID=1 ro rootflags=subvol=root quiet\n" },
	{ SP_HOST_PLAIN, "no final newline", "root=UUID=1 ro  quiet" },
	{ SP_HOST_PLAIN, "one parameter a line", "## root\nroot=gpt-auto\nro\n# rootwait\n\nquiet\nloglevel=3\n# x\n" },
	{ SP_HOST_PLAIN, "drawn comments",
	  "######\n#  -/` #\n# :yy- #\n######\n\nrd.luks.name=1=a rd.luks.options=1=discard\n"
	  "root=/dev/mapper/a\n" },
	{ SP_HOST_PLAIN, "two alternatives",
	  "\n# one\ncryptdevice=UUID=1:c root=/dev/v/r rw\n\n# two\nroot=/dev/v/r rw\n" },
	{ SP_HOST_PLAIN, "quotes", "root=UUID=1 dyndbg=\"file a.c +p; file b.c +p\" \"x=y z\" -- single\n" },
};

/* The line moved to `to` and the file with it; false when the place is one that is refused. */
static bool move(const struct sp_host *host, const struct sp_buf *file, const struct sp_tokens *from,
		 const struct sp_tokens *to, struct sp_buf *ret, struct sp_tokens *owned, const char *name)
{
	sp_autofree char *line = NULL;
	sp_autoerror struct sp_error *err = NULL;
	sp_autotransition struct sp_transition t = { 0 };
	int r = sp_host_get(host, file, &line, &err);

	if (r < 0 && r != -ENOENT)
		return false;
	sp_cmdline_transition(line, from, to, &t);
	sp_error_free(sp_steal(err));
	r = sp_host_put(host, file, t.line, ret, &err);
	if (r < 0)
		fail_msg("%s: %s", name, err->message);
	sp_tokens_copy(owned, &t.owned);
	return true;
}

static void there_and_back(const struct file *f, const struct sp_buf *file, const struct sp_tokens *to)
{
	const struct sp_host host = { .kind = f->kind };
	const struct sp_tokens none = { 0 };
	sp_autobuf struct sp_buf out = { 0 }, again = { 0 }, back = { 0 };
	sp_autotokens struct sp_tokens owned = { 0 }, owned2 = { 0 }, left = { 0 };

	if (!move(&host, file, &none, to, &out, &owned, f->name))
		fail_msg("%s: refused", f->name);
	assert_true(move(&host, &out, &owned, to, &again, &owned2, f->name));
	if (!sp_buf_eq(&out, &again) || !sp_tokens_eq(&owned, &owned2))
		fail_msg("%s: a second time changes:\n%s\n%s", f->name, out.data, again.data);
	for (size_t i = 0; i < to->n; i++) {
		sp_autofree char *line = NULL;

		assert_int_equal(sp_host_get(&host, &out, &line, NULL), 0);
		assert_int_equal(sp_cmdline_presence(line, to->v[i].text), SP_PRESENT);
	}
	assert_true(move(&host, &out, &owned, &none, &back, &left, f->name));
	if (!sp_buf_eq(file, &back))
		fail_msg("%s: not the same bytes:\n%s\n%s", f->name, file->data, back.data);
}

static void check_same(const struct file *f, const struct sp_buf *file)
{
	const struct sp_host host = { .kind = f->kind };
	sp_autofree char *line = NULL;
	sp_autobuf struct sp_buf out = { 0 };
	int r = sp_host_get(&host, file, &line, NULL);

	if (r == -ENOENT)
		return;
	if (r < 0)
		fail_msg("%s: refused", f->name);
	assert_int_equal(sp_host_put(&host, file, line, &out, NULL), 0);
	assert_true(sp_buf_eq(file, &out));
}

/* A value that differs, for a key that stands once on the line and can be displaced; NULL: none. */
static char *rival(const struct file *f, const struct sp_buf *file)
{
	const struct sp_host host = { .kind = f->kind };
	sp_autofree char *line = NULL;
	sp_autoargs struct sp_args args = { 0 };

	if (sp_host_get(&host, file, &line, NULL) < 0)
		return NULL;
	sp_args_parse(line, &args);
	for (size_t i = args.n / 2; i < args.n; i++)
		if (args.v[i].value && !args.v[i].for_init && !sp_key_is_multi(args.v[i].key) &&
		    sp_cmdline_presence(line, args.v[i].text) == SP_PRESENT)
			return sp_xasprintf("%s=rival", args.v[i].key);
	return NULL;
}

static void check_file(const struct file *f, const struct sp_buf *file)
{
	sp_autotokens struct sp_tokens to = { 0 };
	sp_autofree char *other = rival(f, file);

	check_same(f, file);
	sp_tokens_add(&to, "strix.test=1", NULL);
	there_and_back(f, file, &to);
	sp_tokens_add(&to, "strix_other", NULL);
	if (other)
		sp_tokens_add(&to, other, NULL);
	there_and_back(f, file, &to);
}

static void hand_written(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(shapes); i++) {
		sp_autobuf struct sp_buf file = { 0 };

		sp_buf_adds(&file, shapes[i].text);
		check_file(&shapes[i], &file);
	}
}

static size_t check_folder(const struct sp_root *root, const char *folder, enum sp_host_kind kind)
{
	sp_autostrv struct sp_strv names = { 0 };

	assert_int_equal(sp_root_list(root, folder, &names), 0);
	for (size_t i = 0; i < names.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", folder, names.v[i]);
		sp_autobuf struct sp_buf file = { 0 };

		assert_int_equal(sp_root_read(root, path, SP_FILE_MAX, &file, NULL), 0);
		check_file(&(struct file){ .kind = kind, .name = path }, &file);
	}
	return names.n;
}

static void real_files(void **state)
{
	const char *corpus = getenv("SP_CORPUS");
	sp_autoroot struct sp_root *root = NULL;
	size_t n = 0;

	(void) state;
	if (!corpus || !*corpus) {
		/* not skip(): cmocka reports that as "not ok", which counts as a failure */
		print_message("# skipped: 2 kinds of real files (SP_CORPUS is not set); %zu hand-written ones read\n",
			      SP_ELEMENTS(shapes));
		return;
	}
	assert_int_equal(sp_root_open(corpus, 0, &root, NULL), 0);
	n += check_folder(root, "bls-entry", SP_HOST_BLS);
	n += check_folder(root, "kernel-cmdline", SP_HOST_PLAIN);
	print_message("# %zu real files read\n", n);
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hand_written),
		cmocka_unit_test(real_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
