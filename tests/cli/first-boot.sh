#!/bin/sh
# SPDX-License-Identifier: MIT
# What is left to the first boot of a tree: by hand (apply --first-boot, in an image build), or because no tool of the tree may
# run here (a menu that is generated). The machine itself carries it out, once: apply --requested, as its unit does.
# And what the check of a start said, in status.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$SP_SRCDIR/tests/lib-live.sh"

UNIT=usr/lib/systemd/system/strix-provision-first-boot.service
REQUEST=var/lib/strix-provision/first-boot

put_unit() {
	mkdir -p "$TREE/${UNIT%/*}"
	: >"$TREE/$UNIT"
}

# --- by hand ----------------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
list_all "$SCRATCH/before"
sp apply --first-boot
expect_status 'without the unit: refused' 6
expect_match 'without the unit: what to do' "$ERR" 'install the package'
list_all "$SCRATCH/after"
expect_same 'without the unit: nothing is written' "$SCRATCH/before" "$SCRATCH/after"
put_unit
list_root "$SCRATCH/before"
sp apply --first-boot --with nosuch
expect_status 'a setting that there is not: refused' 2
check 'a setting that there is not: nothing is left' test ! -e "$TREE/$REQUEST"
for option in --trial --requested --reboot; do
	sp apply --first-boot "$option"
	expect_status "--first-boot and $option: refused" 2
done
sp --json apply --first-boot --with noretry --without swappiness
expect_status 'left to the first boot' 0
check 'JSON says so' test "$(json_get "$OUT" .first_boot)" = true
list_root "$SCRATCH/after"
expect_same 'no file of the system is changed' "$SCRATCH/before" "$SCRATCH/after"
sp --json status
check 'status: it waits' test "$(json_get "$OUT" .first_boot)" = true
cp "$TREE/$REQUEST" "$SCRATCH/request"

# On the target: twice the memory, another kernel.
new_machine zbook-128-fedora
mkdir -p "$TREE/${REQUEST%/*}"
cp "$SCRATCH/request" "$TREE/$REQUEST"
sp apply --requested --yes
expect_status 'on the target: carried out' 0
expect_match 'on the target: with its own size' "$TREE/boot/loader/entries/$(default_entry).conf" 'ttm\.pages_limit=31981568'
expect_match 'on the target: with what was asked for' "$TREE/boot/loader/entries/$(default_entry).conf" 'amdgpu\.noretry=0'
check 'on the target: without what was not' sh -c "! grep -q swappiness '$TREE'/etc/sysctl.d/99-zz-strix-provision.conf"
check 'on the target: it is done' test ! -e "$TREE/$REQUEST"
list_all "$SCRATCH/before"
sp apply --requested --yes
expect_status 'again: nothing was left' 0
list_all "$SCRATCH/after"
expect_same 'again: nothing is written' "$SCRATCH/before" "$SCRATCH/after"
sp_must rollback --yes

printf '{"schema": "strix-provision/first-boot/2"}\n' >"$TREE/$REQUEST"
sp apply --requested --yes
expect_status 'a damaged request' 1
check 'a damaged request stays' test -e "$TREE/$REQUEST"
rm "$TREE/$REQUEST"
new_machine zbook-64-fedora
put_unit
sp_must apply --first-boot
chmod 000 "$TREE/boot/loader/entries"
rm -rf "$TREE/boot/loader"
sp apply --requested --yes
check "where it fails ($STATUS) it stays to be done" test -e "$TREE/$REQUEST"

# --- by itself --------------------------------------------------------------------------------------------------------

new_system zbook-128-debian13
put_unit
sp apply --yes
expect_status 'a menu that is made by its own system: apply' 0
expect_match 'a menu: the plan names the unit' "$OUT" 'strix-provision-first-boot.service: *(update-grub)?'
check 'a menu: it is left' test -e "$TREE/$REQUEST"
check 'a menu: not made here' sh -c "! grep -q iommu=pt '$TREE/$CFG'"
live apply --requested --yes
[ "$STATUS" = 139 ] || expect_status 'a menu: made on the first boot' 0
expect_match 'a menu: with the arguments' "$TREE/$CFG" 'linux.*iommu=pt'
check 'a menu: it is done' test ! -e "$TREE/$REQUEST"

# --- what the check at a start said ---------------------------------------------------------------------------------

new_machine zbook-64-fedora
sp_must apply --yes
reboot_machine
mkdir -p "$TREE/run/strix-provision"
boot_id=$(cat "$TREE/proc/sys/kernel/random/boot_id")
for said in "0 all.of.it.in.force" "3 not.in.force" "1 failed"; do
	printf '%s %s\n' "${said%% *}" "$boot_id" >"$TREE/run/strix-provision/verify"
	sp status
	expect_match "the check said ${said%% *}: status" "$OUT" "${said#* }"
	sp --json status
	check "the check said ${said%% *}: JSON" test "$(json_get "$OUT" .boot_check)" = "${said%% *}"
done
printf '0 another-start\n' >"$TREE/run/strix-provision/verify"
sp --json status
check 'the check of another start says nothing' test "$(json_get "$OUT" .boot_check)" = ''
done_testing
