/* SPDX-License-Identifier: MIT */
/* What the firmware offers to the operating system (UEFI 2.10, 8.5.4). Read only; base/efivar.h sets variables. */
#pragma once

#include "base/efivar.h"

/* Bit 0 of OsIndications and of OsIndicationsSupported: stop in the setup screen at the next start, once. */
#define SP_EFI_BOOT_TO_SETUP UINT64_C(1)

/* A variable of eight bytes; -ENOENT: there is none. -EBADMSG: it has another length. */
int sp_efi_get_u64(const struct sp_efi *efi, const char *name, uint64_t *ret, uint32_t *attributes,
		   struct sp_error **err) sp_must_check;
