#!/bin/sh
# SPDX-License-Identifier: MIT
# The program killed, and its system calls failing, at every point where it changes a disk: apply, another apply on top,
# rollback, rollback of all, and recover of what was killed; on a machine of each boot setup that the program knows.
# After each fault: what it said is true, recover ends with the old tree or the new one in full, every menu entry can
# boot, status tells the truth, and the next apply and rollback work (tests/crash/judge.c).
# SP_CRASH_MAX faults of each command are tried (default 10, spread evenly; 0: all of apply and rollback, SP_CRASH_MAX_MORE
# of each other command, and a few on every other machine of tests/cases).
. "${SP_SRCDIR:-.}/tests/lib-crash.sh"

SP_CRASH_MAX=${SP_CRASH_MAX:-10}
SP_CRASH_MAX_MORE=${SP_CRASH_MAX_MORE:-120}

matrix_of() { # SETUP CASE
	if [ "$SP_CRASH_MAX" = 0 ]; then
		under_fire -n "$1: $2:" -g apply -g recover-apply -g rollback -g recover-rollback -r "$SP_CRASH_MAX_MORE" \
			"$TREE" "$SCRATCH" "$SP_BIN"
		new_case "$2"
		under_fire -n "$1: $2:" -g change -g rollback-all -m "$SP_CRASH_MAX_MORE" "$TREE" "$SCRATCH" "$SP_BIN"
	else
		under_fire -n "$1: $2:" -m "$SP_CRASH_MAX" -r "$SP_CRASH_MAX" "$TREE" "$SCRATCH" "$SP_BIN"
	fi
}

for setup in $("$FAULT" setups | cut -d ' ' -f 1); do
	first=yes
	for case in $(cases_of "$setup"); do
		new_case "$case"
		if [ -n "$first" ]; then
			matrix_of "$setup" "$case"
			first=
		elif [ "$SP_CRASH_MAX" = 0 ]; then
			under_fire -n "$setup: $case:" -m 6 -r 6 "$TREE" "$SCRATCH" "$SP_BIN"
		fi
	done
	check "the boot setup $setup has a machine in tests/cases" test -z "$first"
done

# --- signals that can wait, and what others do before anybody recovers ----------------------------------------------

state_of_tree() { # old (with mtimes) or new (without)
	list_root "$SCRATCH/now"
	list_root_untimed "$SCRATCH/now-untimed"
	if cmp -s "$SCRATCH/now" "$SCRATCH/old"; then
		echo old
	elif cmp -s "$SCRATCH/now-untimed" "$SCRATCH/new-untimed"; then
		echo new
	else
		echo neither
	fi
}

new_machine zbook-64-fedora
save_tree pristine
list_root "$SCRATCH/old"
sp apply --yes
list_root_untimed "$SCRATCH/new-untimed"
save_tree applied
restore_tree pristine
sp_fault renameat2:4:kill apply --yes
save_tree interrupted

sp apply --yes
expect_status 'apply recovers by itself what was interrupted, and then applies' 0
check 'the tree is the new one' test "$(state_of_tree)" = new
sp rollback --yes
expect_status 'rollback of that' 0
check 'the tree is the old one' test "$(state_of_tree)" = old

for signal in INT TERM HUP; do
	restore_tree pristine
	sp_fault "renameat2:1:$signal" apply --yes
	expect_status "apply with SIG$signal in the middle ends as if there had been none" 0
	check 'the tree is the new one' test "$(state_of_tree)" = new
done
restore_tree interrupted
sp_fault renameat2:1:TERM recover
check 'recover with a signal in the middle first recovers' test "$(state_of_tree)" = old
check 'nothing is open any more' test ! -L "$TREE/var/lib/strix-provision/open"
restore_tree interrupted
sp_fault renameat2:1:TERM apply --yes
check 'apply that was told to end while it recovered ends after that' test "$(state_of_tree)" = old

for limit_blocks in 0 1 4 8; do
	restore_tree pristine
	STATUS=$(ulimit -f "$limit_blocks" && sp apply --yes && echo "$STATUS")
	expect_status "apply where files may have $limit_blocks blocks only" 1
	check 'the tree is the old one' test "$(state_of_tree)" = old
	check 'and nothing is open' test ! -L "$TREE/var/lib/strix-provision/open"
done

restore_tree interrupted
sp_fault ftruncate:1:EROFS recover
expect_status 'recover on a read-only file system' 5
expect_match 'the hint is to mend it' "$ERR" '^hint: mend its file system'
expect_no_match 'and not to give up the journal' "$ERR" 'remove'
restore_tree interrupted
sp_fault fchmod:last:EIO recover
expect_status 'recover that puts all back and cannot write the list of it' 0
cat "$ERR" >>"$OUT"
expect_match 'it says so' "$OUT" 'state.json'
check 'the tree is the old one' test "$(state_of_tree)" = old

restore_tree applied
sp_fault renameat2:3:kill apply --yes --gtt 40G
published=$(grep -rl 'gttsize=40960' "$TREE/etc" "$TREE/boot/loader/entries" | grep -v '/\.' | head -n 1)
echo '# theirs' >>"$published"
sp recover
expect_status 'recover with a published file edited since' 5
expect_match 'the file is named' "$ERR" "$(basename "$published")"
expect_match 'the edit is kept' "$published" '^# theirs$'
sp status --json
expect_match 'status knows that the transaction was undone' "$OUT" '"state": *"undone"'
expect_match 'status says that nothing is interrupted' "$OUT" '"interrupted": *false'

done_testing
