/* SPDX-License-Identifier: MIT */
/* Partitions that boot loaders read, and that are not mounted. */
#pragma once

#include "base/root.h"

/*
 * "/dev/nvme0n1p1 (ESP)", added to ret: an EFI system partition or an extended boot loader partition (XBOOTLDR) that is not
 * mounted. Their types are in udev's database, which everybody may read, or else in the partition table, which libblkid
 * reads with root rights. What cannot be read is passed over: this is a hint for a person.
 */
void sp_partitions_unmounted(const struct sp_root *machine, struct sp_strv *ret);
