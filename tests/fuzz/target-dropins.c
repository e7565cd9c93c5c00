/* SPDX-License-Identifier: MIT */
/*
 * sysctl.d, modprobe.d, environment.d: file, key, value, reason, second key, second value. What the catalogue lets
 * through as a setting is read back from the file that we write; and what is read from a file can be written again.
 */
#include "catalog/internal.h"
#include "format/assign.h"
#include "targets.h"

static const struct format {
	enum sp_dest dest;
	void (*parse)(const struct sp_buf *file, struct sp_assigns *ret);
	void (*render)(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret);
} formats[] = {
	{ SP_DEST_SYSCTL, sp_sysctl_parse, sp_sysctl_render },
	{ SP_DEST_MODPROBE, sp_modprobe_parse, sp_modprobe_render },
	{ SP_DEST_ENVIRONMENT, sp_environment_parse, sp_environment_render },
};

static void check_parse(const struct format *f, const struct sp_buf *file, struct sp_assigns *ret)
{
	unsigned lines = 1;

	f->parse(file, ret);
	for (size_t i = 0; i < file->len; i++)
		lines += file->data[i] == '\n';
	for (size_t i = 0; i < ret->n; i++) {
		const struct sp_assign *a = &ret->v[i];
		const char *dot = strchr(a->key, '.');

		fuzz_check(*a->key && !strchr(a->key, '\n'), "the key '%s'", fuzz_shows(a->key));
		fuzz_check(a->line >= 1 && a->line <= lines && (i == 0 || a->line >= ret->v[i - 1].line), "'%s' is in line %u",
			   fuzz_shows(a->key), a->line);
		fuzz_check(f->dest != SP_DEST_SYSCTL || (!strstr(a->key, "..") && *a->key != '.' && !sp_endswith(a->key, ".")),
			   "the key '%s'", fuzz_shows(a->key));
		fuzz_check(a->value || f->dest != SP_DEST_ENVIRONMENT, "'%s' has no value", fuzz_shows(a->key));
		fuzz_check(f->dest != SP_DEST_MODPROBE || (dot && dot[1]), "'%s' is no parameter of a module", fuzz_shows(a->key));
		fuzz_check(!a->glob || f->dest == SP_DEST_SYSCTL, "'%s' is a pattern", fuzz_shows(a->key));
	}
}

/* The last one of a key, as the system's reader takes it. */
static const struct sp_assign *find(const struct sp_assigns *a, const char *key)
{
	for (size_t i = a->n; i-- > 0;)
		if (sp_streq(a->v[i].key, key))
			return &a->v[i];
	return NULL;
}

static bool is_setting(const struct format *f, const char *key, const char *value)
{
	const struct sp_setting s = { .id = (char *) "id", .dest = f->dest, .key = (char *) key, .value = (char *) value };

	for (const char *c = value; *c; c++)
		if (*c < ' ' || *c > '~')
			return false; /* the catalogue's text is printable */
	return !strchr(key, '$') && sp_setting_check(&s, NULL) == 0;
}

/* Settings of ours, written and read. */
static void check_ours(const struct format *f, const struct fuzz_fields *in)
{
	const char *keys[] = { fuzz_text(in, 1, ""), fuzz_text(in, 4, "") }, *values[] = { fuzz_text(in, 2, "1"), fuzz_text(in, 5, "2") };
	struct sp_dropin_line lines[2] = { 0 };
	sp_autoassigns struct sp_assigns back = { 0 };
	sp_autobuf struct sp_buf file = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < 2; i++)
		if (is_setting(f, keys[i], values[i]) && (n == 0 || !sp_key_eq(keys[0], keys[1])))
			lines[n++] = (struct sp_dropin_line){ "id", fuzz_text(in, 3, "why \\"), keys[i], values[i] };
	f->render(lines, n, &file);
	check_parse(f, &file, &back);
	fuzz_check(back.n == n, "%zu lines of ours are read as %zu: '%s'", n, back.n, fuzz_show(file.data, file.len));
	for (size_t i = 0; i < n; i++) {
		bool same = sp_streq(lines[i].key, back.v[i].key) && sp_streq(lines[i].value, back.v[i].value);

		fuzz_check(same, "'%s' = '%s' is read as '%s' = '%s'", lines[i].key, lines[i].value, fuzz_shows(back.v[i].key),
			   fuzz_shows(back.v[i].value));
	}
}

/* Is it read from a file of ours as this key? */
static bool can_be_said(const struct format *f, const char *key, const char *value)
{
	const struct sp_dropin_line line = { "id", NULL, key, "1" };
	sp_autoassigns struct sp_assigns back = { 0 };
	sp_autobuf struct sp_buf file = { 0 };

	if (f->dest == SP_DEST_MODPROBE && strchr(key, '"'))
		return false; /* what it opens, the value closes */
	if (f->dest == SP_DEST_MODPROBE && sp_endswith(value, "\\"))
		return false; /* the line would go on */
	f->render(&line, 1, &file);
	f->parse(&file, &back);
	return back.n == 1 && sp_streq(back.v[0].key, key) && *value && (f->dest != SP_DEST_MODPROBE || !strpbrk(value, "\"\r\n"));
}

/* What others wrote, as far as our files can say it. */
static void check_theirs(const struct format *f, const struct sp_assigns *theirs)
{
	for (size_t i = 0; i < theirs->n && i < 16; i++) {
		const struct sp_assign *a = &theirs->v[i];
		const struct sp_dropin_line line = { "id", NULL, a->key, a->value };
		sp_autoassigns struct sp_assigns back = { 0 };
		sp_autobuf struct sp_buf file = { 0 };

		if (!a->value || !can_be_said(f, a->key, a->value))
			continue;
		f->render(&line, 1, &file);
		f->parse(&file, &back);
		const struct sp_assign *b = find(&back, a->key);
		fuzz_check(back.n == 1 && b && sp_streq(a->value, b->value), "'%s' = '%s' of theirs is read as '%s'", fuzz_shows(a->key),
			   fuzz_shows(a->value), fuzz_shows(b ? b->value : NULL));
	}
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields in = { 0 };

	fuzz_cut(data, size, &in);
	for (size_t i = 0; i < SP_ELEMENTS(formats); i++) {
		sp_autoassigns struct sp_assigns theirs = { 0 };

		check_parse(&formats[i], &in.v[0], &theirs);
		check_theirs(&formats[i], &theirs);
		check_ours(&formats[i], &in);
	}
}

static const char *const words[] = { "vm.swappiness", "vm/swappiness", " = ", "=", "\n", "\r\n", "#", ";", "-", "*", "net/ipv4/conf.0/x",
				     "options ", "options amdgpu gttsize=60416\n", "amdgpu.gttsize", "\\\n", "\\", "\"", "'", " \"a b\" ",
				     "RADV_PERFTEST", "RADV_PERFTEST=${RADV_PERFTEST:+$RADV_PERFTEST,}nogttspill\n", "${a:-b}", "$", "`", "\t",
				     "  ", "--", " -- ", "\x1e", "kernel.sysrq=1\n", "install ", "blacklist ", ".", "..", "/", NULL };

static const struct fuzz_files files[] = {
	{ "tests/machines/*/usr/lib/sysctl.d/*", NULL },
	{ "tests/machines/*/etc/sysctl.conf", NULL },
	{ "corpus/sysctl/*", NULL },
	{ "corpus/modprobe/*", NULL },
	{ "corpus/environment/*", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_dropins = { .name = "dropins", .run = run, .words = words, .files = files };
