#!/bin/sh
# SPDX-License-Identifier: MIT
# ostree on the running system: root and machine are "/" of a mount namespace (lib-live.sh), whose rpm-ostree and bootc are
# the one of tests/bin.
#
#   apply, again, reboot, rollback   a deployment each time, and no other; entries are not edited; files as everywhere
#   busy, lying, halfway             nothing is changed, or all of it is put back
#   killed in the middle             recover asks for the old arguments, and does nothing twice
#   --replace                        what was displaced comes back
#   bootc                            tokens of ours are kept as a source; others are left to rpm-ostree
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$SP_SRCDIR/tests/lib-live.sh"
[ -n "$python" ] || skip_all 'no /usr/bin/python3'

OURS='iommu=pt amdgpu.gttsize=60416 ttm.pages_limit=15466496 transparent_hugepage=always'
STAGED=run/ostree/staged-deployment

start() { # [bootc]
	new_system zbook-64-bazzite
	mkdir -p "$TREE/run/ostree"
	: >"$TREE/run/ostree-booted"
	: >"$TREE/run/calls"
	install_python rpm-ostree
	[ -z "${1:-}" ] || install_python bootc rpm-ostree
	list_root "$SCRATCH/before"
	kept >"$SCRATCH/kept"
}

kept() { # what is not ostree's own
	list_root "$SCRATCH/kept.all"
	grep -v -e '^boot/loader' -e '^run' -e '^etc/test-ostree' -e "^etc$(printf '\t')" "$SCRATCH/kept.all"
}

next_line() { # of the staged deployment, else of the newest entry
	if [ -e "$TREE/$STAGED" ]; then
		tr '\000' '\n' <"$TREE/$STAGED" | sed -n 2p
	else
		sed -n 's/^options //p' "$TREE/boot/loader/entries/ostree-2-default.conf"
	fi
}

has() { # TOKEN...: each is there once
	for token in "$@"; do
		[ "$(next_line | tr ' ' '\n' | grep -c -x -F "$token")" = 1 ] || { next_line && return 1; }
	done
}

has_none_of_ours() {
	! next_line | grep -e iommu -e gttsize -e pages_limit -e hugepage
}

calls() { # how many changes were asked for
	wc -l <"$TREE/run/calls"
}

reboot_ostree() { # the staged deployment gets its entry, and is booted
	[ ! -e "$TREE/$STAGED" ] || python3 "$TESTS/bin/rpm-ostree" finish "$TREE" || bail_out 'cannot finish the deployment'
	printf 'BOOT_IMAGE=(hd0,gpt2)/vmlinuz %s\n' "$(next_line)" >"$TREE/proc/cmdline"
	boot_sysctl
	boot_gpu "$(cat "$TREE/proc/cmdline")"
	boot_kernel "$(cat "$TREE/proc/cmdline")"
	printf '22222222-2222-4333-8444-%012d\n' "$(date +%N)" >"$TREE/proc/sys/kernel/random/boot_id"
}

unchanged() { # WHEN
	kept >"$SCRATCH/after"
	expect_same "$1: no file is changed" "$SCRATCH/kept" "$SCRATCH/after"
}

how() { # busy, lies, ...; nothing
	if [ -n "$1" ]; then printf '%s\n' "$1" >"$TREE/etc/test-ostree"; else rm -f "$TREE/etc/test-ostree"; fi
}

# --- apply, again, reboot, rollback ---------------------------------------------------------------------------------

start
live detect --json
[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"
live plan
expect_status 'plan' 0
expect_match 'plan: a new deployment' "$OUT" 'make a new deployment with these arguments \(rpm-ostree kargs\)'
unchanged 'plan'
check 'plan: nothing is asked for' [ "$(calls)" = 0 ]
live apply --yes
expect_status 'apply' 0
# shellcheck disable=SC2086 # a list of words
check 'apply: the next deployment has each argument once, and its root' has $OURS root=UUID=3f1c2b4a-6d5e-4f70-8192-a3b4c5d6e7f8
check 'apply: one deployment was made' [ "$(calls)" = 1 ]
check 'apply: no entry was edited' grep -q -x 'options rhgb quiet root=.*' "$TREE/boot/loader/entries/ostree-2-default.conf"
live verify
expect_status 'verify before the reboot' 8
live apply --yes
expect_status 'apply again' 0
check 'apply again: nothing is asked for' [ "$(calls)" = 1 ]
reboot_ostree
live verify
expect_status 'verify after the reboot' 0
check 'the deployment before it is as it was' grep -q -x 'options rhgb quiet root=[^ ]* rootflags=subvol=root rw ostree=[^ ]*' \
	"$TREE/boot/loader/entries/ostree-1-default.conf"
live apply --yes --gtt 40G
expect_status 'apply with another size' 0
check 'another size: both values, once' has amdgpu.gttsize=40960 ttm.pages_limit=10485760 iommu=pt
check 'another size: one more deployment' [ "$(calls)" = 2 ]
reboot_ostree
live verify
expect_status 'another size: verify after the reboot' 0
live rollback --all --yes
expect_status 'rollback' 0
check 'rollback: the next deployment has nothing of ours' has_none_of_ours
unchanged 'rollback'
live verify
expect_status 'rollback: verify before the reboot' 8
reboot_ostree
live verify
expect_status 'rollback: verify after the reboot' 0

# --- a program that fails -------------------------------------------------------------------------------------------

for mode in busy lies halfway; do
	start
	how "$mode"
	live apply --yes
	expect_status "$mode: apply" 1,5
	unchanged "$mode"
	[ "$mode" = halfway ] || check "$mode: nothing of ours is on the line" has_none_of_ours
	how ''
	live recover
	expect_status "$mode: recover" 0
	live apply --yes
	expect_status "$mode: apply, when it answers again" 0
	# shellcheck disable=SC2086
	check "$mode: then the arguments are there" has $OURS
done
# --- killed in the middle -------------------------------------------------------------------------------------------

start
how killed
live apply --yes
check 'killed: the program is gone' [ "$STATUS" = 137 ]
check 'killed: the transaction is open' [ -L "$TREE/var/lib/strix-provision/open" ]
# shellcheck disable=SC2086
check 'killed: the deployment was made' has $OURS
how ''
live recover
expect_status 'killed: recover' 0
check 'killed: recover asked for the old arguments' has_none_of_ours
unchanged 'killed: recover'
calls >"$SCRATCH/calls"
live recover
expect_status 'killed: recover again' 0
check 'killed: recover again asks for nothing' [ "$(calls)" = "$(cat "$SCRATCH/calls")" ]

start
how killed
live apply --yes
how busy
live recover
expect_status 'killed, and it does not answer: recover' 5
check 'killed, and it does not answer: the transaction stays open' [ -L "$TREE/var/lib/strix-provision/open" ]
how ''
live apply --yes
expect_status 'killed: the next apply recovers first' 0
# shellcheck disable=SC2086
check 'killed: and then does its work' has $OURS

# --- somebody else's arguments --------------------------------------------------------------------------------------

start
sed -i 's/^options rhgb quiet/options rhgb quiet iommu=soft amd_iommu=off/' "$TREE"/boot/loader/entries/*.conf
sed -i 's/rhgb quiet/rhgb quiet iommu=soft amd_iommu=off/' "$TREE/proc/cmdline"
live apply --yes
expect_status 'foreign: apply' 0
check 'foreign: it stays' has iommu=soft amd_iommu=off ttm.pages_limit=15466496
live rollback --yes
expect_status 'foreign: rollback' 0
live apply --yes --replace iommu
expect_status 'replace: apply' 0
# shellcheck disable=SC2086
check 'replace: ours alone' has $OURS
check 'replace: the others are gone' sh -c '! printf %s "$1" | grep -e iommu=soft -e iommu=off' sh "$(next_line)"
reboot_ostree
live verify
expect_status 'replace: verify after the reboot' 0
live rollback --yes
expect_status 'replace: rollback' 0
check 'replace: what was displaced is back' has iommu=soft amd_iommu=off

# --- bootc ------------------------------------------------------------------------------------------------------------

start bootc
live apply --yes
expect_status 'bootc: apply' 0
# shellcheck disable=SC2086
check 'bootc: the arguments are there' has $OURS
expect_match 'bootc: as a source of ours' "$TREE/run/calls" '^bootc loader-entries set-options-for-source --source strix-provision --options '
reboot_ostree
live verify
expect_status 'bootc: verify after the reboot' 0
expect_match 'bootc: the entry says whose they are' "$TREE/boot/loader/entries/ostree-2-default.conf" '^x-options-source-strix-provision .*iommu=pt'
live apply --yes --gtt 40G
expect_status 'bootc: apply with another size' 0
live apply --yes --gtt 44G
expect_status 'bootc: and another, before the reboot' 0
check 'bootc: both values, once' has amdgpu.gttsize=45056 ttm.pages_limit=11534336 iommu=pt
reboot_ostree
live rollback --all --yes
expect_status 'bootc: rollback' 0
check 'bootc: nothing of ours is on the line' has_none_of_ours
expect_match 'bootc: nothing is left of the source' "$TREE/run/calls" 'source --source strix-provision$'
check 'bootc: rpm-ostree was asked for no change' sh -c '! grep -q ^rpm-ostree "$1"' sh "$TREE/run/calls"

# --- sealed images ----------------------------------------------------------------------------------------------------

start
rm "$TREE"/boot/loader/entries/*.conf
live apply --yes
expect_status 'no entry of a deployment: apply' 6
done_testing
