/* SPDX-License-Identifier: MIT */
/* A boot loader entry: file, our tokens, a line of options, two names of entries with a third. */
#include "format/bls.h"
#include "targets.h"

static bool same(const char *a, const char *b)
{
	return a ? sp_streq(a, b) : !b;
}

static bool same_list(const struct sp_strv *a, const struct sp_strv *b, size_t from)
{
	for (size_t i = from; i < a->n || i < b->n; i++)
		if (i >= a->n || i >= b->n || !sp_streq(a->v[i], b->v[i]))
			return false;
	return true;
}

/* "\r\n" in the whole file stays so. */
static bool has_other_ends(const struct sp_buf *file)
{
	for (size_t i = 0; i < file->len; i++)
		if (file->data[i] == '\n' && (i == 0 || file->data[i - 1] != '\r'))
			return true;
	return false;
}

/* All but the first options line, which is the one that is changed. */
static void check_rest(const struct sp_buf *file, const struct sp_buf *changed)
{
	sp_autobls struct sp_bls a = { 0 }, b = { 0 };
	int r = sp_bls_parse(file, &a, NULL), now = sp_bls_parse(changed, &b, NULL);

	fuzz_check(r == now, "parsed with %d, and with our tokens %d", r, now);
	if (memchr(file->data, '\n', file->len) && !has_other_ends(file))
		fuzz_check(!has_other_ends(changed), "another line end: '%s'", fuzz_show(changed->data, changed->len));
	if (r < 0)
		return;
	fuzz_check(same(a.title, b.title) && same(a.version, b.version) && same(a.linux_path, b.linux_path) &&
			   same(a.machine_id, b.machine_id) && same(a.sort_key, b.sort_key) && same(a.grub_class, b.grub_class) &&
			   same_list(&a.initrd, &b.initrd, 0),
		   "our tokens change something else:\n'%s'\n'%s'", fuzz_show(file->data, file->len),
		   fuzz_show(changed->data, changed->len));
}

static void check_parse(const struct sp_buf *file)
{
	sp_autobls struct sp_bls bls = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	sp_autofree char *line = NULL;

	if (sp_bls_parse(file, &bls, &err) < 0) {
		fuzz_check(err && err->message, "an error says nothing");
		return;
	}
	int r = sp_bls_get_options(file, NULL, &line, NULL);
	fuzz_check(r < 0 ? bls.options.n == 0 : !*line || (bls.options.n && sp_streq(bls.options.v[0], line)),
		   "the options are '%s'", fuzz_shows(line));
	for (size_t i = 0; i < bls.initrd.n; i++)
		fuzz_check(*bls.initrd.v[i], "an initrd without a name");
	(void) sp_bls_bad_length(bls.linux_path ? bls.linux_path : "/linux", line ? line : "");
}

/* A line that a caller could have: of no control bytes, and not beginning with a blank. */
static void put_line(const struct sp_buf *file, const char *text)
{
	sp_autofree char *copy = sp_xstrdup(text), *back = NULL;
	sp_autobuf struct sp_buf out = { 0 };

	for (char *c = copy; *c; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			*c = '_';
	const char *line = copy + strspn(copy, " \t");
	if (sp_bls_put_options(file, NULL, line, &out, NULL) < 0)
		return;
	int r = sp_bls_get_options(&out, NULL, &back, NULL);
	/* the line before it may have been one of two */
	fuzz_check(r < 0 || !*line || sp_streq(back, line), "'%s' was written and '%s' is read", fuzz_shows(line),
		   fuzz_shows(back));
	check_rest(file, &out);
}

static const char *lookup(void *data, const char *name)
{
	fuzz_check(strlen(name) < SIZE_MAX, "a name without an end");
	return data;
}

static void check_expand(const char *text, const char *value)
{
	sp_autofree char *expanded = sp_bls_expand(text, lookup, (void *) value);

	if (!strpbrk(text, "$\\"))
		fuzz_check(sp_streq(text, expanded), "'%s' is expanded to '%s'", fuzz_shows(text), fuzz_shows(expanded));
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void check_order(const char *a, const char *b, const char *c)
{
	int ab = sign(sp_bls_compare(a, b)), bc = sign(sp_bls_compare(b, c)), ac = sign(sp_bls_compare(a, c));

	fuzz_check(sp_bls_compare(a, a) == 0, "'%s' is not in its own place", fuzz_shows(a));
	fuzz_check(ab == -sign(sp_bls_compare(b, a)), "'%s' and '%s' are in two orders", fuzz_shows(a), fuzz_shows(b));
	if (ab <= 0 && bc <= 0)
		fuzz_check(ac == (ab + bc < 0 ? -1 : 0), "'%s', '%s', '%s' go round in a circle", fuzz_shows(a), fuzz_shows(b),
			   fuzz_shows(c));
}

/* systemd-boot's view: all options lines; its order of versions; and names but for their counters. */
static void check_systemd_boot(const struct fuzz_fields *f, const struct sp_tokens *to)
{
	const struct sp_host host = { .kind = SP_HOST_BLS_ALL };
	const char *a = fuzz_text(f, 3, "a-6.9.1-1"), *b = fuzz_text(f, 4, "a+3.conf"), *c = fuzz_text(f, 5, "a+2-1.conf");
	const int ab = sp_bls_compare_versions(a, b), bc = sp_bls_compare_versions(b, c), ac = sp_bls_compare_versions(a, c);
	sp_autofree char *plain = sp_bls_plain_name(a);
	sp_autobuf struct sp_buf out = { 0 };

	(void) fuzz_check_host(&host, &f->v[0], to, true, &out);
	fuzz_check(sp_bls_compare_versions(a, a) == 0 && ab == -sp_bls_compare_versions(b, a), "'%s' and '%s' are in two orders",
		   fuzz_shows(a), fuzz_shows(b));
	if (ab <= 0 && bc <= 0)
		fuzz_check(ac == (ab + bc < 0 ? -1 : 0), "versions '%s', '%s', '%s' go round in a circle", fuzz_shows(a),
			   fuzz_shows(b), fuzz_shows(c));
	fuzz_check(sp_bls_same_name(b, c) == sp_bls_same_name(c, b), "'%s' and '%s' are the same in one direction", fuzz_shows(b),
		   fuzz_shows(c));
	if (sp_bls_tries(a).left >= 0)
		fuzz_check(sp_bls_same_name(a, plain), "'%s' is not '%s'", fuzz_shows(a), fuzz_shows(plain));
}

static void run(const uint8_t *data, size_t size)
{
	const struct sp_host host = { .kind = SP_HOST_BLS };
	fuzz_autofields struct fuzz_fields f = { 0 };
	sp_autotokens struct sp_tokens to = { 0 };
	sp_autobuf struct sp_buf out = { 0 };

	fuzz_cut(data, size, &f);
	check_parse(&f.v[0]);
	fuzz_tokens(fuzz_text(&f, 1, "iommu=pt<amd_iommu=off\nttm.pages_limit=15466496"), &to);
	if (fuzz_check_host(&host, &f.v[0], &to, true, &out))
		check_rest(&f.v[0], &out);
	check_systemd_boot(&f, &to);
	put_line(&f.v[0], fuzz_text(&f, 2, "root=LABEL=a rw"));
	check_expand(fuzz_text(&f, 2, "$kernelopts ${a} \\$b"), fuzz_text(&f, 3, "x y"));
	check_order(fuzz_text(&f, 3, "a-6.9.1-1"), fuzz_text(&f, 4, "a-6.18~rc1-1.fc43"), fuzz_text(&f, 5, "b-0-rescue"));
}

static const char *const words[] = { "title ", "linux /vmlinuz", "\nlinux ", "\ninitrd ", "\noptions ", "options\t", "\n", "\r\n",
				     "#", "efi ", "uki ", "machine-id ", "version 6.1", "sort-key ", "grub_class ", "$kernelopts",
				     "${name}", "\\$", "$tuned_initrd", "iommu=pt", "amd_iommu=off", " iommu=off ", "\x1e", "\t", "  ",
				     "~rc1", "+3.conf", "+2-1.conf", "-0-rescue", ".fc43", "00", "^", NULL };

static const struct fuzz_files files[] = {
	{ "tests/machines/*/boot/loader/entries/*.conf", NULL },
	{ "corpus/bls-entry/*", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_bls = { .name = "bls", .run = run, .words = words, .files = files };
