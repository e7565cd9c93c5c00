/* SPDX-License-Identifier: MIT */
/* Partition tables, by libblkid, which is loaded for it. */
#pragma once

#include "base/str.h"

/*
 * The type of a partition of the disk (or image) at fd, owned: a GUID in lower case, or "0xef". -ENOENT: the disk has no such
 * partition, or no partition table; -ELIBACC: libblkid cannot be loaded.
 */
int sp_blkid_type(int fd, int number, char **ret) sp_must_check;
