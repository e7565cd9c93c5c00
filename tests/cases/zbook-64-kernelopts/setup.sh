# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # tests/cli/golden.sh sources this
# The scheme of upgraded installations: entries say $kernelopts, and grubenv holds the line.
line=$(cat "$TREE/etc/kernel/cmdline")
for entry in "$TREE"/boot/loader/entries/5a3b*-6.*.conf; do
	edit_file "$entry" 's/^options .*/options $kernelopts/'
done
put_grubenv "$TREE/boot/grub2/grubenv" kernelopts "$line"
