/* SPDX-License-Identifier: MIT */
/*
 * EFI variables, through libefivar. The library learns from the environment
 * where they are, and only while it is loaded; so it is loaded here for one
 * machine at a time (dlopen), with EFIVARFS_PATH pointing into that machine,
 * and a recorded machine never makes it look at the running one.
 *
 * libefivar waits 10 ms twice for each variable that is read without root
 * rights (the kernel limits how often those may read).
 */
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "base/str.h"

#define SP_EFI_DIR "/sys/firmware/efi"

enum sp_efi_vendor {
	SP_EFI_GLOBAL, /* 8be4df61-93ca-11d2-aa0d-00e098032b8c: UEFI 2.10, 3.3 */
	SP_EFI_LOADER, /* 4a67b082-0a4c-41cf-b6c7-440b29bb8c4f: the Boot Loader Interface */
};

struct sp_efi;

/* One machine at a time. -ENOTSUP: it was not started by UEFI; -ENOENT: no variables are mounted; -ELIBACC: libefivar
 * cannot be loaded. */
int sp_efi_open(const struct sp_root *machine, struct sp_efi **ret, struct sp_error **err) sp_must_check;
void sp_efi_close(struct sp_efi *efi);

/* The path of a variable inside the machine, for messages (owned). */
char *sp_efi_path(enum sp_efi_vendor vendor, const char *name);
/* The value, without the attributes in front of it; attributes may be NULL. -ENOENT: there is no such variable. */
int sp_efi_get(const struct sp_efi *efi, enum sp_efi_vendor vendor, const char *name, struct sp_buf *ret,
	       uint32_t *attributes, struct sp_error **err) sp_must_check;
/*
 * Set a variable, and read it back (-EIO: it holds something else). The immutable flag that the kernel gives to
 * variables is taken off for the time of the write and set again. attributes: EFI_VARIABLE_*.
 */
int sp_efi_set(const struct sp_efi *efi, enum sp_efi_vendor vendor, const char *name, const void *data, size_t len,
	       uint32_t attributes, struct sp_error **err) sp_must_check;
/* A variable that is not there is fine. Looked for afterwards: -EIO where it still is. */
int sp_efi_delete(const struct sp_efi *efi, enum sp_efi_vendor vendor, const char *name, struct sp_error **err) sp_must_check;

static inline void sp_cleanup_efi_(struct sp_efi **e)
{
	sp_efi_close(*e);
}
#define sp_autoefi sp_cleanup(sp_cleanup_efi_)
