/* SPDX-License-Identifier: MIT */
/* Does nothing, with the libraries of strix-provision: what any program costs that is linked so. */
#include <jansson.h>
#include <libconfig.h>
#include <libkmod.h>
#include <libsmartcols.h>

int main(void)
{
	/* One function of each, so that no linker leaves a library out. */
	void *volatile used[] = { (void *) json_object, (void *) config_init, (void *) kmod_new,
				  (void *) scols_new_table };

	return used[0] == NULL;
}
