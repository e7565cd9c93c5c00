/* SPDX-License-Identifier: MIT */
#include "format/luks2-tokens.h"

enum { PCRS = 24, PIN_DEPTH = 4 };

void sp_seals_add(struct sp_seals *s, const struct sp_seal *seal)
{
	s->v = sp_xrealloc(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = *seal;
}

void sp_seals_clear(struct sp_seals *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].token);
	free(s->v);
	*s = (struct sp_seals){ 0 };
}

/* systemd writes a list of numbers, clevis "7,8", ["7", "8"] or [7, 8]. */
static uint32_t pcrs_of_text(const char *text)
{
	uint32_t pcrs = 0;

	while (text && *text) {
		const size_t n = strcspn(text, ",");
		sp_autofree char *part = sp_xstrndup(text, n);
		uint64_t pcr = 0;
		if (sp_parse_u64(sp_strip(part), &pcr) == 0 && pcr < PCRS)
			pcrs |= UINT32_C(1) << pcr;
		text += n + (text[n] == ',');
	}
	return pcrs;
}

static uint32_t pcrs_of(const json_t *value)
{
	const json_int_t n = json_integer_value(value);
	uint32_t pcrs = 0;
	json_t *one = NULL;
	size_t i;

	if (json_is_string(value))
		return pcrs_of_text(json_string_value(value));
	if (json_is_integer(value))
		return n >= 0 && n < PCRS ? UINT32_C(1) << n : 0;
	json_array_foreach (value, i, one)
		if (!json_is_array(one))
			pcrs |= pcrs_of(one);
	return pcrs;
}

static int slot_of(const json_t *token)
{
	const char *text = json_string_value(json_array_get(json_object_get(token, "keyslots"), 0));
	uint64_t slot = 0;

	return text && sp_parse_u64(text, &slot) == 0 && slot < 32 ? (int) slot : -1;
}

/* --- systemd --------------------------------------------------------------------------------------------------- */

static bool read_systemd(const json_t *token, struct sp_seal *ret)
{
	ret->pcrs = pcrs_of(json_object_get(token, "tpm2-pcrs"));
	ret->policy = json_is_string(json_object_get(token, "tpm2_pubkey")) || json_is_true(json_object_get(token, "tpm2_pcrlock"));
	ret->pin = json_is_true(json_object_get(token, "tpm2-pin"));
	return true;
}

/* --- clevis ---------------------------------------------------------------------------------------------------- */

static int digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int) (at - digits) : -1;
}

/* base64url without padding, up to the first '.' or the end: the protected header of a JWE, which is JSON. */
static json_t *decode(const char *text)
{
	sp_autobuf struct sp_buf out = { 0 };
	unsigned bits = 0, n = 0;

	for (; *text && *text != '.'; text++) {
		const int d = digit(*text);
		if (d < 0)
			return NULL;
		bits = (bits << 6 | (unsigned) d) & 0xffff;
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		const char byte = (char) (bits >> n & 0xff);
		sp_buf_add(&out, &byte, 1);
	}
	return out.len ? json_loadb(out.data, out.len, 0, NULL) : NULL;
}

static bool read_header(const char *header, unsigned depth, struct sp_seal *ret);

/* Shamir's: any of the pins may be one of the TPM, and what it wants is then wanted, or saves a question. */
static bool read_shares(const json_t *sss, unsigned depth, struct sp_seal *ret)
{
	json_t *jwe = NULL;
	bool found = false;
	size_t i;

	json_array_foreach (json_object_get(sss, "jwe"), i, jwe)
		if (json_is_string(jwe) && read_header(json_string_value(jwe), depth + 1, ret))
			found = true;
	return found;
}

static bool read_header(const char *header, unsigned depth, struct sp_seal *ret)
{
	json_t *all = header && depth < PIN_DEPTH ? decode(header) : NULL;
	const json_t *clevis = json_object_get(all, "clevis");
	const char *pin = json_string_value(json_object_get(clevis, "pin"));
	bool found = false;

	if (sp_streq(pin, "tpm2")) {
		found = true;
		ret->pcrs |= pcrs_of(json_object_get(json_object_get(clevis, "tpm2"), "pcr_ids"));
	} else if (sp_streq(pin, "sss")) {
		found = read_shares(json_object_get(clevis, "sss"), depth, ret);
	}
	json_decref(all);
	return found;
}

static bool read_clevis(const json_t *token, struct sp_seal *ret)
{
	return read_header(json_string_value(json_object_get(json_object_get(token, "jwe"), "protected")), 0, ret);
}

/* --- all of them ----------------------------------------------------------------------------------------------- */

static const struct {
	const char *type;
	bool (*read)(const json_t *token, struct sp_seal *ret);
} kinds[] = { { "systemd-tpm2", read_systemd }, { "clevis", read_clevis } };

void sp_luks2_tokens(const json_t *tokens, struct sp_seals *ret)
{
	const char *name = NULL;
	json_t *token = NULL;

	json_object_foreach ((json_t *) tokens, name, token)
		for (size_t i = 0; i < SP_ELEMENTS(kinds); i++) {
			struct sp_seal seal = { .slot = slot_of(token) };
			if (!sp_streq(json_string_value(json_object_get(token, "type")), kinds[i].type) ||
			    !kinds[i].read(token, &seal))
				continue;
			seal.token = sp_xstrdup(kinds[i].type);
			sp_seals_add(ret, &seal);
		}
}
