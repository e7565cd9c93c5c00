/* SPDX-License-Identifier: MIT */
/* Does nothing, with the libraries of strix-provision: what any program costs that is linked so. */
#include <jansson.h>
#include <libconfig.h>
#include <libsmartcols.h>
#ifdef ALL_LIBRARIES
#include <blkid/blkid.h>
#include <efivar/efivar.h>
#include <libkmod.h>
#endif

int main(void)
{
	/* One function of each, so that no linker leaves a library out. */
	void *volatile used[] = {
		(void *) json_object,
		(void *) config_init,
		(void *) scols_new_table,
#ifdef ALL_LIBRARIES
		(void *) blkid_new_probe,
		(void *) kmod_new,
		(void *) efi_get_variable,
#endif
	};

	return used[0] == NULL;
}
