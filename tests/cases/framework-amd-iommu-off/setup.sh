# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # tests/cli/golden.sh sources this
# A foreign token that contradicts ours.
for file in "$TREE"/boot/loader/entries/*-6.*.conf "$TREE/etc/kernel/cmdline"; do
	edit_file "$file" 's/ quiet$/ quiet amd_iommu=off/'
done
edit_file "$TREE/etc/default/grub" 's/ quiet"$/ quiet amd_iommu=off"/'
