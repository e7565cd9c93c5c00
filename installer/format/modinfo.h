/* SPDX-License-Identifier: MIT */
/*
 * The smallest file that libkmod, and modinfo(8), take for a kernel module: a
 * relocatable object (ELF64, elf(5)) that says which parameters it has, and
 * nothing else. A record of a machine has these in the place of modules.
 */
#pragma once

#include "base/str.h"

void sp_modinfo_stub(const struct sp_strv *parms, struct sp_buf *ret);
