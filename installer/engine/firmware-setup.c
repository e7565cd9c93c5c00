/* SPDX-License-Identifier: MIT */
/*
 * The setup screen at the next start: bit 0 of OsIndications, which the
 * firmware takes back by itself, where bit 0 of OsIndicationsSupported says
 * that it knows it (UEFI 2.10, 8.5.4). No transaction: it lasts for one start.
 */
#include <efivar/efivar.h>
#include <errno.h>

#include "engine/internal.h"
#include "hw/efi.h"

#define ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

static int cannot_ask(const struct sp_firmware *fw, int code, const char *why, struct sp_error **err)
{
	const char *key = fw->platform && fw->platform->setup_key ? fw->platform->setup_key : "the maker's setup key";
	const char *path = fw->platform ? fw->platform->setup_path : NULL;

	(void) sp_error_set(err, code, "the firmware cannot be asked for its setup screen: %s", why);
	(void) sp_error_exit(err, SP_EXIT_FIRMWARE);
	return sp_error_hint(err, "press %s at power-on%s%s", key, path ? ", then " : "", path ? path : "");
}

static int open_variables(const struct sp_session *s, const struct sp_firmware *fw, struct sp_efi **efi,
			  struct sp_error **err)
{
	sp_autoerror struct sp_error *e = NULL;
	uint64_t supported = 0;
	int r = sp_efi_open(s->machine, efi, &e);

	if (r == 0)
		r = sp_efi_get_u64(*efi, "OsIndicationsSupported", &supported, NULL, &e);
	if (r == -ENOENT && *efi)
		return cannot_ask(fw, r, "it tells of nothing that it can be asked for", err);
	if (r < 0)
		return cannot_ask(fw, r, e->message, err);
	return (supported & SP_EFI_BOOT_TO_SETUP) ? 0 : cannot_ask(fw, -ENOTSUP, "it does not offer that", err);
}

static int request(const struct sp_session *s, struct sp_firmware *fw, struct sp_error **err)
{
	sp_autoefi struct sp_efi *efi = NULL;
	sp_autoerror struct sp_error *e = NULL;
	uint32_t attributes = ATTRIBUTES;
	uint64_t bits = 0;
	int r = open_variables(s, fw, &efi, err);

	if (r < 0)
		return r;
	r = sp_efi_get_u64(efi, "OsIndications", &bits, &attributes, &e);
	if (r < 0 && r != -ENOENT) /* none is like 0 */
		return cannot_ask(fw, r, e->message, err);
	fw->setup_set = true;
	if (bits & SP_EFI_BOOT_TO_SETUP)
		return 0;
	if (sp_machine_is_foreign(s->machine)) {
		(void) sp_error_set(err, -EINVAL, "the firmware of a recorded machine is not written");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	const uint64_t wanted = htole64(bits | SP_EFI_BOOT_TO_SETUP);
	return sp_efi_set(efi, SP_EFI_GLOBAL, "OsIndications", &wanted, sizeof(wanted), r == -ENOENT ? ATTRIBUTES : attributes,
			  err);
}

int sp_firmware_setup(const struct sp_session *s, struct sp_firmware **ret, struct sp_error **err)
{
	struct sp_firmware *fw = NULL;
	int r = sp_firmware_read(s, 0, &fw, err);

	if (r == 0)
		r = request(s, fw, err);
	if (r < 0)
		sp_firmware_free(fw);
	else
		*ret = fw;
	return r;
}
