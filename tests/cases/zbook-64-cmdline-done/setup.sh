# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # tests/cli/golden.sh sources this
tokens='iommu=pt amdgpu.gttsize=60416 ttm.pages_limit=15466496 transparent_hugepage=always'
edit_file "$TREE/etc/kernel/cmdline" "s/\$/ $tokens only_here=1/"
for entry in "$TREE"/boot/loader/entries/5a3b*-6.*.conf; do
	edit_file "$entry" "s/^options .*/& $tokens/"
done
