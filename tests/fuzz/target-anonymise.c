/* SPDX-License-Identifier: MIT */
/*
 * Texts without identifiers: text, second text, hosts, users, serial numbers (one a line each). What comes out holds
 * no name that was made known, has nothing left to replace, and the same text always becomes the same.
 */
#include <ctype.h>
#include <stdio.h>

#include "format/anonymise-match.h"
#include "format/anonymise.h"
#include "targets.h"

struct names {
	struct sp_strv v[3];
};

static const enum sp_anon_kind kinds[] = { SP_ANON_HOST, SP_ANON_USER, SP_ANON_SERIAL };

static void names_clear(struct names *n)
{
	for (size_t i = 0; i < SP_ELEMENTS(kinds); i++)
		sp_strv_clear(&n->v[i]);
}

static void make_known(struct sp_anon *a, const struct names *names)
{
	for (size_t i = 0; i < SP_ELEMENTS(kinds); i++)
		for (size_t k = 0; k < names->v[i].n; k++)
			sp_anon_name(a, kinds[i], names->v[i].v[k]);
}

/* "host12", "removed": what we put in; as a name of somebody it would be found again in every text. */
static bool is_ours(const char *name)
{
	static const char *const begins[] = { "disk", "host", "user", "serial", "removed" };

	for (size_t i = 0; i < SP_ELEMENTS(begins); i++)
		if (strncasecmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* No digits: those of a name may come to stand in a number of ours. */
static bool is_plain(const char *name)
{
	for (; *name; name++)
		if (!isalpha((unsigned char) *name) && *name != '-')
			return false;
	return true;
}

static void check_gone(const struct names *names, const struct sp_buf *out)
{
	for (size_t i = 0; i < SP_ELEMENTS(kinds); i++)
		for (size_t k = 0; k < names->v[i].n; k++) {
			const char *name = names->v[i].v[k];
			size_t n = strlen(name);

			if (!sp_anon_names_somebody(name) || is_ours(name) || !is_plain(name))
				continue;
			for (size_t at = 0; at + n <= out->len; at++)
				fuzz_check(strncasecmp(out->data + at, name, n) != 0 ||
						   !sp_anon_is_word(out->data, out->len, at, n, kinds[i] == SP_ANON_USER),
					   "'%s' is still there: '%s'", name, fuzz_show(out->data, out->len));
		}
}

static void rewrite(const struct names *names, const struct sp_buf *one, const struct sp_buf *two, struct sp_buf *ret)
{
	struct sp_anon *a = sp_anon_new();
	sp_autobuf struct sp_buf again = { 0 };

	make_known(a, names);
	sp_anon_look(a, one->data, one->len);
	sp_anon_look(a, two->data, two->len);
	sp_anon_rewrite(a, one->data, one->len, &ret[0]);
	sp_anon_rewrite(a, two->data, two->len, &ret[1]);
	sp_anon_rewrite(a, one->data, one->len, &again);
	fuzz_check(sp_buf_eq(&ret[0], &again), "a second time '%s' becomes '%s' instead of '%s'", fuzz_show(one->data, one->len),
		   fuzz_show(again.data, again.len), fuzz_show(ret[0].data, ret[0].len));
	if (!memchr(two->data, '\0', two->len)) {
		sp_autofree char *text = sp_anon_text(a, two->data);

		fuzz_check(strlen(text) == ret[1].len && memcmp(text, ret[1].data, ret[1].len) == 0, "a string becomes another text");
	}
	sp_anon_free(a);
}

/* The text with one '#' for each number: names that are not known any more are not counted on. */
static char *without_numbers(const struct sp_buf *b)
{
	struct sp_buf out = { 0 };

	for (size_t i = 0; i < b->len; i++) {
		bool digit = isdigit((unsigned char) b->data[i]), more = digit && i > 0 && isdigit((unsigned char) b->data[i - 1]);

		if (!more)
			sp_buf_addf(&out, "%c", digit ? '#' : b->data[i] ? b->data[i] : ' ');
	}
	return sp_buf_steal(&out);
}

static void check_rest(const struct sp_buf *out, const struct sp_buf *twice)
{
	sp_autofree char *a = without_numbers(out), *b = without_numbers(twice);

	fuzz_check(sp_streq(a, b), "there was something left to replace in '%s', which became '%s'", fuzz_show(out->data, out->len),
		   fuzz_show(twice->data, twice->len));
}

static void check_lines(const struct sp_buf *in, const struct sp_buf *out)
{
	size_t was = 0, is = 0;

	for (size_t i = 0; i < in->len; i++)
		was += in->data[i] == '\n';
	for (size_t i = 0; i < out->len; i++)
		is += out->data[i] == '\n';
	fuzz_check(was == is, "%zu lines became %zu: '%s'", was, is, fuzz_show(out->data, out->len));
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields f = { 0 };
	sp_cleanup(names_clear) struct names names = { 0 }, nobody = { 0 };
	struct sp_buf out[2] = { 0 }, twice[2] = { 0 };

	fuzz_cut(data, size, &f);
	fuzz_lines(fuzz_text(&f, 2, "anna-laptop"), &names.v[0]);
	fuzz_lines(fuzz_text(&f, 3, "annamaria"), &names.v[1]);
	fuzz_lines(fuzz_text(&f, 4, "CZC1234XYZ"), &names.v[2]);
	rewrite(&names, &f.v[0], &f.v[1], out);
	rewrite(&nobody, &out[0], &out[1], twice);
	for (size_t i = 0; i < 2; i++) {
		check_gone(&names, &out[i]);
		check_lines(&f.v[i], &out[i]);
		check_rest(&out[i], &twice[i]);
		sp_buf_clear(&out[i]);
		sp_buf_clear(&twice[i]);
	}
}

static const char *const words[] = {
	"UUID=", "root=UUID=5a3b0c9d-8e7f-4162-8394-a5b6c7d8e9f0", "5a3b0c9d8e7f41628394a5b6c7d8e9f0", "5a3b0c9d:8e7f4162:8394a5b6:c7d8e9f0",
	"1A2B-3C4D", "/by-uuid/", "PARTUUID=1a2b3c4d-01", "/by-id/", "nvme-X_S1", "/home/", "anna", "anna-laptop", "annamaria", "CZC1234XYZ",
	"7c:d3:0a:11:22:33", "7c-d3-0a-11-22-33", ":44", "PASSWORD=", "token=\"a b\"", "grub.pbkdf2.sha512.10000.AB", "systemd.hostname=",
	"search --no-floppy --fs-uuid --set=root ", "\n", "\"", "'", "=", "00000000-0000-4000-8000-000000000001", "host1", "user2", "removed",
	"02:00:00:00:00:01", "\x1e", " ", "/", "_", "-", ".", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", NULL
};

static const struct fuzz_files files[] = {
	{ "tests/machines/*/boot/loader/entries/*.conf", NULL },
	{ "tests/machines/*/boot/grub*/grub.cfg", NULL },
	{ "tests/machines/*/etc/fstab", NULL },
	{ "tests/machines/*/proc/cmdline", NULL },
	{ "corpus/bls-entry/*", NULL },
	{ "corpus/kernel-cmdline/*", NULL },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_anonymise = { .name = "anonymise", .run = run, .words = words, .files = files };
