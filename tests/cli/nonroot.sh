#!/bin/sh
# SPDX-License-Identifier: MIT
# Without rights: commands that only read work and say what they could not read; those that write say that rights are
# missing and change nothing. As root the program runs as an unprivileged user on a tree of root; else the tree is made
# read-only for us.
. "${SP_SRCDIR:-.}/tests/lib.sh"

NOBODY=65534

if [ "$(id -u)" -eq 0 ]; then
	if command -v setpriv >/dev/null 2>&1; then
		AS="setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups --"
	else
		skip_all 'root, and no setpriv to become somebody else'
	fi
	# The build may stand where nobody else can go.
	mkdir "$SCRATCH/bin" "$SCRATCH/data"
	cp "$SP_BIN" "$SCRATCH/bin/strix-provision"
	for dir in grub sysctl.d modprobe.d environment.d profiles platforms advisories; do
		[ ! -d "$SP_SRCDIR/$dir" ] || cp -R "$SP_SRCDIR/$dir" "$SCRATCH/data/"
	done
	chmod -R a+rX "$SCRATCH/bin" "$SCRATCH/data"
	SP_BIN=$SCRATCH/bin/strix-provision
	SP_DATA=$SCRATCH/data
	$AS "$SP_BIN" --version >/dev/null 2>&1 || skip_all "the program does not start as user $NOBODY"
	close_tree() { :; }
	open_tree() { :; }
else
	AS=
	close_tree() { chmod -R a-w "$TREE" && chmod a-r "$TREE/sys/module/amdgpu/parameters/gttsize"; }
	open_tree() { chmod -R u+rwX "$TREE"; }
fi

as_user() { # ARGUMENTS...: the program without rights; the tree must not change
	list_all "$SCRATCH/all-before"
	close_tree
	list_root "$SCRATCH/before"
	SP_AS=$AS
	sp "$@"
	SP_AS=
	list_root "$SCRATCH/after"
	open_tree
	expect_same "$1: nothing changes" "$SCRATCH/before" "$SCRATCH/after"
}

new_machine zbook-64-fedora

as_user detect
expect_status 'detect' 0
expect_match 'detect: the platform is known' "$OUT" 'ZBook Ultra G1a'
as_user plan
expect_status 'plan' 0
expect_match 'plan: the size is computed' "$OUT" '15466496'
as_user status
expect_status 'status' 0
as_user explain
expect_status 'explain' 0
as_user verify
expect_status 'verify, never applied' 3
as_user firmware uma
expect_status 'firmware uma' 0
expect_match 'firmware uma: the carve-out is read' "$OUT" 'next start +512 MiB'

as_user apply --yes
expect_status 'apply' 1
expect_match 'apply: says that rights are missing' "$ERR" 'Permission denied|Operation not permitted'
expect_match 'apply: the hint says what to do' "$ERR" 'root|sudo'
as_user firmware uma 512M --yes
expect_status 'firmware uma to what it is' 0
: >"$TREE/sys/strix-provision-test-firmware" # ours to write, if there were rights
as_user firmware uma 8G --yes
expect_status 'firmware uma SIZE' 1
expect_match 'firmware uma: says that rights are missing' "$ERR" 'Permission denied|Operation not permitted'
rm "$TREE/sys/strix-provision-test-firmware"
check 'apply: no state directory was left' test ! -e "$TREE/var/lib/strix-provision"
as_user rollback --yes
expect_status 'rollback' 1

sp_must apply --yes
check 'state.json is for everybody to read' test "$(stat -c %a "$TREE/var/lib/strix-provision/state.json")" = 644
check 'the state directory, too' test "$(stat -c %a "$TREE/var/lib/strix-provision")" = 755
check 'journals and images are for root only' test "$(stat -c %a "$TREE/var/lib/strix-provision/tx")" = 700

as_user status
expect_status 'status after apply' 0,8
as_user verify
expect_status 'verify before the reboot' 8
as_user rollback --yes
expect_status 'rollback after apply' 1
expect_match 'rollback: says that rights are missing' "$ERR" 'Permission denied|Operation not permitted'

reboot_machine
as_user verify
expect_status 'verify after the reboot' 0
expect_match 'verify: says what it could not read' "$OUT" 'needs root'
if [ -n "$JSON" ]; then
	as_user --json verify
	expect_no_match 'verify --json: nothing that could not be read counts as failed' "$OUT" '"result": *"fail"'
	expect_match 'verify --json: it counts as skipped' "$OUT" '"result": *"skipped"'
else
	skip 'verify --json' 'needs jq or python3'
fi

# Fedora closes the folder of the menu entries; then a user cannot know them, and is told so.
closed=$TREE/boot/loader/entries
if [ -n "$AS" ]; then
	chmod 700 "$closed"
else
	chmod 000 "$closed" # we are the owner
	open_tree() { chmod -R u+rwX "$TREE" && chmod 000 "$closed"; }
fi
as_user plan
expect_status 'plan, where the menu entries are closed' 0,1,6
cat "$OUT" "$ERR" >"$SCRATCH/both"
expect_match 'plan: says that it could not read them' "$SCRATCH/both" 'Permission denied|needs root|rights'
as_user verify
expect_status 'verify, where the menu entries are closed' 0
expect_match 'verify: says that it could not read them' "$OUT" 'needs root|Permission denied'

done_testing
