/* SPDX-License-Identifier: MIT */
/*
 * What the header of a LUKS2 device says of keys that the machine's TPM gives out: tokens of systemd-cryptenroll
 * ("systemd-tpm2") and of clevis, whose pin is "tpm2", also below its "sss". There are two copies of the header, each a
 * binary part of 4096 bytes and an area of JSON; of those that can be read the one counts that was written last. Checksums
 * are not compared: this is for a warning. Nothing is decrypted and no key is looked at. Pure, bytes to values. (LUKS2 On-Disk Format Specification
 * 1.1.1; systemd, tpm2-util.c; clevis, clevis-luks and its pins)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define SP_LUKS2_START 4096u		    /* bytes that tell how long a copy is */
#define SP_LUKS2_MAX (2u * 4 * 1024 * 1024) /* bytes: both copies of the longest header */

struct sp_seal {
	char *token;   /* "systemd-tpm2", "clevis" */
	int slot;      /* its first key slot; -1: it names none */
	uint32_t pcrs; /* bit n: PCR n must be as it was; 0: none */
	bool policy;   /* what must hold is written elsewhere: signed PCRs, or systemd-pcrlock */
	bool pin;      /* the TPM asks for a PIN, too */
};
struct sp_seals {
	struct sp_seal *v;
	size_t n;
};
void sp_seals_add(struct sp_seals *s, const struct sp_seal *seal); /* takes over its texts */
void sp_seals_clear(struct sp_seals *s);
#define sp_autoseals sp_cleanup(sp_seals_clear)

/*
 * From the first SP_LUKS2_START bytes of a device: how many bytes sp_luks2_read() wants. SP_LUKS2_MAX where the first copy
 * is damaged, or is none.
 */
size_t sp_luks2_wants(const struct sp_buf *start);
/*
 * ret is overwritten, in the order of the tokens. -ENOENT: neither copy is a LUKS header; -EOPNOTSUPP: LUKS1; -EBADMSG:
 * no copy can be read.
 */
int sp_luks2_read(const struct sp_buf *start, struct sp_seals *ret, struct sp_error **err) sp_must_check;
