#!/bin/sh
# SPDX-License-Identifier: MIT
# Pop!_OS: what kernelstub would write with the next kernel has our arguments once, after rollback none; and what is refused
# before anything is written. kernelstub itself is simulated: "root=... ro" and its list, joined.
. "${SP_SRCDIR:-.}/tests/lib.sh"

CONF=etc/kernelstub/configuration
CURRENT=boot/efi/loader/entries/Pop_OS-current.conf

new_pop() {
	new_machine zbook-64-popos
	BOOTS=$CURRENT
	list_root "$SCRATCH/start"
}

next_kernel() { # the line of the entry that kernelstub would write
	sed -n '/"user": {/,/^  }/p' "$TREE/$CONF" | sed -n '/"kernel_options": \[/,/\]/s/^ *"\([^"]*\)",\{0,1\}$/\1/p' |
		tr '\n' ' ' | sed 's/^/root=UUID=c0ffee00-1234-4567-89ab-cdef01234567 ro /; s/ $//'
}

nothing_changed() { # DESCRIPTION
	list_root "$SCRATCH/now"
	expect_same "$1: nothing is changed" "$SCRATCH/start" "$SCRATCH/now"
}

new_pop
before=$(next_kernel)
check 'kernelstub writes what is there' test "$before" = "$(all_options "$TREE/$CURRENT")"
sp --json apply --yes
expect_status 'apply' 0
check 'the next kernel inherits exactly what this one has' test "$(next_kernel)" = "$(all_options "$TREE/$CURRENT")"
check 'the Recovery partition stays' cmp -s "$TREE/boot/efi/loader/entries/Recovery-1A2B-3C4D.conf" \
	"$TESTS/machines/zbook-64-popos/boot/efi/loader/entries/Recovery-1A2B-3C4D.conf"
sed "s|^options .*|options $(next_kernel)|" "$TREE/$CURRENT" >"$SCRATCH/entry" && cat "$SCRATCH/entry" >"$TREE/$CURRENT"
reboot_machine
sp verify
expect_status 'verify after kernelstub has run' 0
sp_must rollback --yes
check 'after rollback the next kernel has the old line' test "$(next_kernel)" = "$before"
check 'and this one, too' test "$(all_options "$TREE/$CURRENT")" = "$before"

new_pop
sp_must apply --yes
edit_file "$TREE/$CONF" 's/"loglevel=0",/"loglevel=3",/'
sp_must rollback --yes
expect_match 'what somebody changed in the list since stays' "$TREE/$CONF" '"loglevel=3"'
expect_no_match 'and ours is gone' "$TREE/$CONF" gttsize

refused() { # DESCRIPTION STATUS REGEX
	list_root "$SCRATCH/start"
	sp apply --yes
	expect_status "$1" "$2"
	expect_match "$1: it says why" "$ERR" "$3"
	nothing_changed "$1"
}

new_pop
printf '{ "user": { "kernel_options": [' >"$TREE/$CONF"
refused 'a configuration that is cut off' 1,6 'kernelstub/configuration'
new_pop
edit_file "$TREE/$CONF" 's/"user": {/"users": {/'
refused 'a configuration without the list' 1,6 'kernelstub/configuration'
new_pop
rm "$TREE/$CURRENT" "$TREE/boot/efi/loader/entries/Pop_OS-oldkern.conf"
refused 'no entry of kernelstub' 1,6 'kernelstub|no boot setup'
new_pop
edit_file "$TREE/$CURRENT" 's/root=UUID=[^ ]* //'
refused 'an entry without root=' 1,4,6 'root='
new_pop
rm "$TREE/usr/bin/kernelstub"
sp plan
expect_match 'without the tool, plan warns' "$OUT" 'new kernels do not come into the menu'

new_pop
sp --json detect
check 'detect names the setup' test "$(json_get "$OUT" .boot.setup)" = kernelstub

done_testing
