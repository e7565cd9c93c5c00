/* SPDX-License-Identifier: MIT */
/* Headers made here, byte by byte: which copy counts, and what their tokens say of the TPM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "format/luks2.h"

enum { SIZE = 0x4000 };

static void put_number(char *at, size_t n, uint64_t value)
{
	while (n-- > 0) {
		at[n] = (char) (value & 0xff);
		value >>= 8;
	}
}

static void put_copy(struct sp_buf *b, size_t at, uint64_t sequence, const char *json)
{
	while (b->len < at + SIZE)
		sp_buf_add(b, "", 1);
	memset(b->data + at, 0, SIZE);
	memcpy(b->data + at, at ? "SKUL\xba\xbe" : "LUKS\xba\xbe", 6);
	put_number(b->data + at + 6, 2, 2);
	put_number(b->data + at + 8, 8, SIZE);
	put_number(b->data + at + 16, 8, sequence);
	put_number(b->data + at + 256, 8, at);
	memcpy(b->data + at + 4096, json, strlen(json));
}

static char *describe(const struct sp_seals *s)
{
	struct sp_buf text = { 0 };

	for (size_t i = 0; i < s->n; i++)
		sp_buf_addf(&text, "%s%s slot %d pcrs %x%s%s", i ? "; " : "", s->v[i].token, s->v[i].slot, s->v[i].pcrs,
			    s->v[i].policy ? " policy" : "", s->v[i].pin ? " pin" : "");
	return text.len ? sp_buf_steal(&text) : sp_xstrdup("none");
}

static const struct {
	const char *tokens, *expected;
} cases[] = {
	{ "", "none" },
	{ "\"0\":{\"type\":\"luks2-keyring\",\"keyslots\":[\"0\"]}", "none" },
	{ "\"0\":{\"type\":\"systemd-tpm2\",\"keyslots\":[\"1\"],\"tpm2-pcrs\":[7]}", "systemd-tpm2 slot 1 pcrs 80" },
	{ "\"0\":{\"type\":\"systemd-tpm2\",\"keyslots\":[\"1\"],\"tpm2-pcrs\":[4,8,99,-1,\"x\"],\"tpm2-pin\":true}",
	  "systemd-tpm2 slot 1 pcrs 110 pin" },
	{ "\"0\":{\"type\":\"systemd-tpm2\",\"keyslots\":[],\"tpm2-pcrs\":[],\"tpm2_pubkey\":\"x\"}", "systemd-tpm2 slot -1 pcrs 0 policy" },
	{ "\"0\":{\"type\":\"systemd-tpm2\",\"tpm2_pcrlock\":true}", "systemd-tpm2 slot -1 pcrs 0 policy" },
	/* {"clevis":{"pin":"tpm2","tpm2":{"pcr_ids":"8,9"}}} */
	{ "\"3\":{\"type\":\"clevis\",\"keyslots\":[\"2\"],\"jwe\":{\"protected\":"
	  "\"eyJjbGV2aXMiOnsicGluIjoidHBtMiIsInRwbTIiOnsicGNyX2lkcyI6IjgsOSJ9fX0\"}}", "clevis slot 2 pcrs 300" },
	/* {"clevis":{"pin":"tang"}} */
	{ "\"3\":{\"type\":\"clevis\",\"jwe\":{\"protected\":\"eyJjbGV2aXMiOnsicGluIjoidGFuZyJ9fQ\"}}", "none" },
	{ "\"3\":{\"type\":\"clevis\",\"jwe\":{\"protected\":\"!!\"}}", "none" },
	{ "\"3\":{\"type\":\"clevis\"}", "none" },
	{ "\"3\":7", "none" },
};

static void tokens_are_read(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autofree char *json = sp_xasprintf("{\"tokens\":{%s}}", cases[i].tokens), *text = NULL;
		sp_autobuf struct sp_buf b = { 0 };
		sp_autoseals struct sp_seals seals = { 0 };

		put_copy(&b, 0, 1, json);
		assert_int_equal(sp_luks2_wants(&b), 2 * SIZE);
		assert_int_equal(sp_luks2_read(&b, &seals, NULL), 0);
		text = describe(&seals);
		assert_string_equal(text, cases[i].expected);
	}
}

#define TPM "{\"tokens\":{\"0\":{\"type\":\"systemd-tpm2\",\"tpm2-pcrs\":[7]}}}"

static void the_later_copy_counts(void **state)
{
	static const struct {
		const char *first, *second;
		uint64_t sequence; /* of the second; the first has 5 */
		size_t n;
		int code;
	} copies[] = {
		{ "{}", TPM, 6, 1, 0 },	     { "{}", TPM, 4, 0, 0 },   { "{", TPM, 4, 1, 0 },
		{ TPM, "{", 6, 1, 0 },	     { "{", "[", 6, 0, -EBADMSG }, { "", "", 6, 0, -EBADMSG },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(copies); i++) {
		sp_autobuf struct sp_buf b = { 0 };
		sp_autoseals struct sp_seals seals = { 0 };

		put_copy(&b, 0, 5, copies[i].first);
		put_copy(&b, SIZE, copies[i].sequence, copies[i].second);
		assert_int_equal(sp_luks2_read(&b, &seals, NULL), copies[i].code);
		assert_int_equal(seals.n, copies[i].n);
		sp_seals_clear(&seals);
		memset(b.data, 0, 6); /* the first one is overwritten: the second still counts */
		assert_int_equal(sp_luks2_wants(&b), SP_LUKS2_MAX);
		assert_int_equal(sp_luks2_read(&b, &seals, NULL), *copies[i].second == '{' && copies[i].second[1] ? 0 : -EBADMSG);
	}
}

static void what_is_none(void **state)
{
	static const char luks1[] = "LUKS\xba\xbe\0\1";
	struct sp_buf b = { 0 };
	struct sp_seals seals = { 0 };

	(void) state;
	assert_int_equal(sp_luks2_read(&b, &seals, NULL), -ENOENT);
	sp_buf_add(&b, luks1, sizeof(luks1));
	assert_int_equal(sp_luks2_read(&b, &seals, NULL), -EOPNOTSUPP);
	sp_buf_clear(&b);
	put_copy(&b, 0, 1, TPM);
	b.len = SIZE - 1; /* cut off */
	assert_int_equal(sp_luks2_read(&b, &seals, NULL), -EBADMSG);
	put_number(b.data + 256, 8, 1); /* it says that it stands elsewhere */
	b.len = SIZE;
	assert_int_equal(sp_luks2_read(&b, &seals, NULL), -EBADMSG);
	sp_buf_clear(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_read),
		cmocka_unit_test(the_later_copy_counts),
		cmocka_unit_test(what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
