/* SPDX-License-Identifier: MIT */
/* What a record of a machine must take so that the same facts come out of it (engine/record.c). */
#pragma once

#include "hw/facts.h"

/* Every file and folder of the machine whose path is written down for a fact; those that depend on others are not. */
void sp_facts_paths(struct sp_strv *ret);
/* Is this attribute of the firmware taken for the carve-out? All others may hold what names the machine. */
bool sp_firmware_is_carve_out(const char *attribute);
/* The file of a loadable module in the root (owned), and the parameters that it has. -ENOENT: not there, or built in.
 */
int sp_kernel_module_file(const struct sp_facts *f, const char *kernel, const char *module, char **ret_path,
			  struct sp_strv *parms) sp_must_check;
