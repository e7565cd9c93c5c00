#!/bin/sh
# SPDX-License-Identifier: MIT
# verify tells apart why a setting does not hold: not rebooted, not in the booted entry, overridden by a later token or
# file, unknown to the kernel, clamped, drifted since, never applied, rolled back. And what apply does about drift.
. "${SP_SRCDIR:-.}/tests/lib.sh"

applied() { # a ZBook on which everything is applied; entry and own files as they should be
	new_machine zbook-64-fedora
	sp_must apply --yes
	ENTRY=$TREE/boot/loader/entries/$(default_entry).conf
	GPU=$TREE/sys/bus/pci/devices/0000:c5:00.0
	SYSCTL=$TREE/etc/sysctl.d/99-zz-strix-provision.conf
}

rebooted() {
	applied
	reboot_machine "$@"
}

verify_is() { # DESCRIPTION STATUS [REGEX]: on standard output; verify itself writes nothing
	list_all "$SCRATCH/all-before"
	sp verify
	expect_status "$1" "$2"
	[ -z "${3:-}" ] || expect_match "$1: it says why" "$OUT" "$3"
	list_all "$SCRATCH/all-after"
	expect_same "$1: verify writes nothing" "$SCRATCH/all-before" "$SCRATCH/all-after"
}

# --- the way it should go -------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
verify_is 'never applied' 3 'never|not been applied|nothing'

applied
verify_is 'not rebooted yet' 8 'reboot'
reboot_machine
verify_is 'rebooted' 0

# --- the wrong entry, the wrong line --------------------------------------------------------------------------------

applied
reboot_machine 5a3b0c9d8e7f41628394a5b6c7d8e9f0-0-rescue
verify_is 'another entry was booted' 3 'entry|rescue|command line'

rebooted '' 'ttm.pages_limit=1000000'
verify_is 'a later token was typed at the boot menu' 3 '1000000'

applied
edit_file "$ENTRY" 's/^options .*/& ttm.pages_limit=2000000/'
verify_is 'a later token in the entry, before the reboot' 3 '2000000'
reboot_machine
verify_is 'a later token in the entry, after the reboot' 3 '2000000'

rebooted
edit_file "$ENTRY" 's/ iommu=pt//'
verify_is 'our token was taken out of the entry' 3 'iommu'
sp apply --yes
expect_status 'apply puts the token back' 0
expect_match 'the token is back' "$ENTRY" '^options .*iommu=pt'
verify_is 'the token is back, and was in effect all the time' 0,8

rebooted
edit_file "$TREE/etc/kernel/cmdline" 's/ iommu=pt//'
verify_is 'our token was taken out of /etc/kernel/cmdline' 3 'kernel/cmdline|iommu'

# --- files ----------------------------------------------------------------------------------------------------------

rebooted
echo 'vm.swappiness = 60' >"$TREE/etc/sysctl.d/99-zzz.conf"
boot_sysctl
verify_is 'a later sysctl file wins' 3 '99-zzz\.conf'
sp plan
expect_match 'plan names the file and line that shadow the setting' "$OUT" '99-zzz\.conf:1'
expect_match 'plan calls it shadowed' "$OUT" 'shadowed'

rebooted
echo 'options ttm pages_limit=5' >"$TREE/etc/modprobe.d/zzz.conf"
verify_is 'a later modprobe file, but the command line wins over it' 0,3

rebooted
edit_file "$SYSCTL" 's/swappiness *= *1$/swappiness = 30/'
verify_is 'our own file was edited' 3 '99-zz-strix-provision\.conf|swappiness'
list_root "$SCRATCH/before"
sp apply --yes
expect_status 'apply does not overwrite a file of ours that was edited' 4
expect_match 'the hint says where to change it' "$ERR" '/etc/strix-provision\.conf'
list_root "$SCRATCH/after"
expect_same 'and changes nothing' "$SCRATCH/before" "$SCRATCH/after"

rebooted
rm "$SYSCTL"
verify_is 'our own file was removed' 3 '99-zz-strix-provision\.conf'
sp apply --yes
expect_status 'apply puts the file back' 0
check 'the file is back' test -f "$SYSCTL"

# --- the running kernel ---------------------------------------------------------------------------------------------

rebooted
poke proc/sys/vm/swappiness 77
verify_is 'a live value was changed' 3 '77'

rebooted
poke sys/kernel/mm/transparent_hugepage/enabled 'always [madvise] never'
verify_is 'transparent huge pages were changed' 3 'madvise'

rebooted
for file in "$TREE"/sys/kernel/iommu_groups/*/type; do echo DMA-FQ >"$file"; done
verify_is 'the IOMMU is not in passthrough mode' 3 'DMA|iommu|passthrough'

applied
rm "$TREE/sys/module/amdgpu/parameters/gttsize"
reboot_machine
verify_is 'the kernel does not know a parameter and ignores it' 3 'gttsize'

applied
edit_file "$TREE/proc/meminfo" 's/^MemTotal: .*/MemTotal:       33554432 kB/'
reboot_machine
check 'the simulated kernel clamps GTT to the memory' grep -qx 34359738368 "$GPU/mem_info_gtt_total"
verify_is 'the kernel clamped the size' 3 'clamp|cap|34359738368|32768'

rebooted
rm "$GPU/mem_info_gtt_total"
verify_is 'what cannot be read is skipped, not passed over in silence' 0,3 'skipped|not checked|unknown'

# --- undone ---------------------------------------------------------------------------------------------------------

rebooted
sp_must rollback --yes
verify_is 'rolled back, not rebooted' 8 'reboot'
reboot_machine
verify_is 'rolled back and rebooted' 0

rebooted
sp_must rollback --yes
reboot_machine '' 'ttm.pages_limit=15466496'
verify_is 'rolled back, but a token of ours is on the line' 3 'pages_limit'

# --- kernels that come later ----------------------------------------------------------------------------------------

rebooted
sed -e 's/6\.19\.8/6.20.1/g' "$ENTRY" >"${ENTRY%6.19.8*}6.20.1-200.fc43.x86_64.conf"
verify_is 'a kernel update that inherited our tokens' 0
NEW=${ENTRY%6.19.8*}6.20.2-200.fc43.x86_64.conf
sed -e 's/6\.19\.8/6.20.2/g' -e 's/ iommu=pt//' "$ENTRY" >"$NEW"
verify_is 'a kernel update without one of them' 3 '6\.20\.2'
sp apply --yes
expect_status 'apply completes the new entry' 0
expect_match 'the new entry has the token' "$NEW" 'iommu=pt'

done_testing
