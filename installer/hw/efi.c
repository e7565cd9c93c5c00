/* SPDX-License-Identifier: MIT */
#include "hw/efi.h"

#include <errno.h>

#include "hw/internal.h"

int sp_efi_get_u64(const struct sp_efi *efi, const char *name, uint64_t *ret, uint32_t *attributes,
		   struct sp_error **err)
{
	sp_autobuf struct sp_buf b = { 0 };
	int r = sp_efi_get(efi, SP_EFI_GLOBAL, name, &b, attributes, err);

	if (r < 0)
		return r;
	if (b.len != sizeof(*ret))
		return sp_error_set(err, -EBADMSG, "the EFI variable '%s' has %zu bytes where 8 are right", name, b.len);
	*ret = 0;
	for (size_t i = b.len; i > 0; i--) /* little-endian */
		*ret = *ret << 8 | (unsigned char) b.data[i - 1];
	return 0;
}

/* The kernel makes firmware/efi exactly when it was started by UEFI; sysfs itself must be there to tell. */
void sp_read_efi(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	struct stat st;
	int r = sp_root_stat(f->machine, SP_EFI_DIR, &st);

	if (r == 0)
		sp_fact_set_num(f, fact, SP_EFI_DIR, 1);
	else if (r == -ENOENT && sp_root_exists(f->machine, arg))
		sp_fact_set_num(f, fact, SP_EFI_DIR, 0);
	else
		sp_fact_set_errno(f, fact, arg, r);
}

/*
 * One byte, 1 when on (UEFI 2.10, 3.3), behind four of attributes (efivarfs). Read as the file that it is: every run asks, and
 * loading libefivar would take longer than all else that detect does.
 */
void sp_read_secure_boot(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	enum { ATTRIBUTES = 4, SIZE };
	sp_autobuf struct sp_buf b = { 0 };
	int r = sp_root_read(f->machine, arg, SP_FILE_MAX, &b, NULL);

	if (r == -ENOENT && sp_fact_known(f, SP_FACT_EFI) && sp_fact_num(f, SP_FACT_EFI) == 0)
		sp_fact_set_unknown(f, fact, arg, "the machine was not started by UEFI");
	else if (r < 0)
		sp_fact_set_errno(f, fact, arg, r);
	else if (b.len != SIZE || (unsigned char) b.data[ATTRIBUTES] > 1)
		sp_fact_set_unknown(f, fact, arg, "%zu bytes that are not understood", b.len);
	else
		sp_fact_set_num(f, fact, arg, (uint64_t) b.data[ATTRIBUTES]);
}
