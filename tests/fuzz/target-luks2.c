/* SPDX-License-Identifier: MIT */
/* The header of a LUKS2 device: the JSON of its tokens, or the bytes themselves. */
#include "format/luks2.h"
#include "targets.h"

enum { SIZE = 0x4000, BINARY = 4096 };

/* A copy with this JSON, so that the tokens are reached. */
static void make_header(const struct sp_buf *json, struct sp_buf *ret)
{
	static const char binary[] = "LUKS\xba\xbe\0\2\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\1";

	sp_buf_add(ret, binary, sizeof(binary) - 1);
	while (ret->len < BINARY)
		sp_buf_add(ret, "", 1);
	sp_buf_add(ret, json->data, json->len < SIZE - BINARY ? json->len : SIZE - BINARY);
	while (ret->len < SIZE)
		sp_buf_add(ret, "", 1);
}

static void check(const struct sp_buf *header)
{
	sp_autoseals struct sp_seals seals = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	const size_t wants = sp_luks2_wants(header);
	int r = sp_luks2_read(header, &seals, &err);

	fuzz_check(wants > 0 && wants <= SP_LUKS2_MAX, "it wants %zu bytes", wants);
	fuzz_check((r == 0) == !err, "an error that is none");
	fuzz_check(r == 0 || seals.n == 0, "an error leaves seals");
	for (size_t i = 0; i < seals.n; i++)
		fuzz_check(seals.v[i].token && seals.v[i].slot >= -1 && seals.v[i].slot < 32 && seals.v[i].pcrs < 1u << 24,
			   "seal %zu of slot %d with PCRs %x", i, seals.v[i].slot, seals.v[i].pcrs);
}

static void run(const uint8_t *data, size_t size)
{
	struct sp_buf plain = { .data = (char *) data, .len = size };
	sp_autobuf struct sp_buf header = { 0 };

	check(&plain);
	make_header(&plain, &header);
	check(&header);
}

static const char *const words[] = {
	"{\"tokens\":{", "\"0\":{", "\"type\":\"systemd-tpm2\"", "\"type\":\"clevis\"", "\"keyslots\":[\"1\"]", "\"tpm2-pcrs\":[7,8]",
	"\"tpm2-pin\":true", "\"tpm2_pubkey\":\"x\"", "\"tpm2_pcrlock\":true", "\"jwe\":{\"protected\":\"",
	"eyJjbGV2aXMiOnsicGluIjoidHBtMiIsInRwbTIiOnsicGNyX2lkcyI6IjgsOSJ9fX0", "}", "]", ",", "\"", NULL
};

static const struct fuzz_files files[] = { { NULL, NULL } };

const struct fuzz_target fuzz_luks2 = { .name = "luks2", .run = run, .words = words, .files = files };
