#!/bin/sh
# SPDX-License-Identifier: MIT
# --json against docs/schema: what every command prints, on machines with different boot setups, also when it fails. A key
# that a schema does not name is wrong, and one that is missing, too; that the schemas see both is shown on each object.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-firmware.sh"
. "$TESTS/lib-trial.sh"

SCHEMAS=$SP_SRCDIR/docs/schema
python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null ||
	skip_all 'python3-jsonschema (with draft 2020-12) is not here'
mkdir "$SCRATCH/json"
OBJECTS=0

keep() { # NAME: the last output, for later
	OBJECTS=$((OBJECTS + 1))
	cp "$OUT" "$SCRATCH/json/$1.$OBJECTS"
}

json() { # STATUSES ARGUMENTS...
	right=$1
	shift
	sp --json "$@"
	one_of "$STATUS" "$right" || expect_status "$MACHINE: $*" "$right"
	keep "$MACHINE.$1"
}

hold() { # DESCRIPTION MODE
	# shellcheck disable=SC2086 # a mode, or none; names of ours
	python3 "$TESTS/schema.py" $2 "$SCHEMAS" "$SCRATCH"/json/* >"$SCRATCH/found" 2>&1 || echo 'python3 failed' >>"$SCRATCH/found"
	expect_same "$1" /dev/null "$SCRATCH/found"
}

# Everything once, in the order of a life.
MACHINE=zbook-64-fedora
new_machine $MACHINE
json 0 detect
json 0 status
json 3 verify
json 8,0 confirm --if-armed
json 2 rollback --yes --rubbish
json 1 rollback --yes
json 0 explain
json 0 plan
json 6 apply --yes --trial
json 0 apply --yes
json 8 verify
json 0,8 status
reboot_machine
json 0 verify
json 0 confirm
sed 's/dirty_ratio *= *40/dirty_ratio = 41/' "$TREE/etc/sysctl.d/99-zz-strix-provision.conf" >"$SCRATCH/edit"
cat "$SCRATCH/edit" >"$TREE/etc/sysctl.d/99-zz-strix-provision.conf"
json 3 verify
json 4 apply --yes
json 4 rollback --yes
json 0 rollback --yes --keep-conflicts
json 3,8 verify
json 0 recover
json 2 plan --gtt banana
json 2 apply --yes --gtt banana
json 0 record --output "$SCRATCH/recorded.tar"
json 1,2 record --output "$SCRATCH/recorded.tar"

# What is left to the first boot, and what its check said.
new_machine $MACHINE
json 6 apply --first-boot
mkdir -p "$TREE/usr/lib/systemd/system" "$TREE/run/strix-provision"
: >"$TREE/usr/lib/systemd/system/strix-provision-first-boot.service"
json 0 apply --first-boot
json 0 status
json 0 apply --requested --yes
json 0 apply --requested --yes
printf '3 %s\n' "$(cat "$TREE/proc/sys/kernel/random/boot_id")" >"$TREE/run/strix-provision/verify"
json 8 status

# A trial, confirmed; and one that is cancelled.
MACHINE=zbook-64-arch-sdboot
new_sdboot
json 0 apply --yes --trial
json 0,8 status
json 8 confirm
json 4 apply --yes
power_on
json 0 confirm
json 0,8 status
new_sdboot
json 0 apply --yes --trial
json 0 confirm --cancel
json 0 status

# The other boot setups, and machines that are not supported.
for MACHINE in zbook-128-debian13 zbook-64-arch-sdboot zbook-64-arch-uki zbook-64-popos zbook-64-cachyos-limine \
	zbook-64-bazzite zbook-128-arch-refind zbook-64-opensuse-sdboot framework-desktop-fedora strix-point-fedora; do
	new_machine $MACHINE
	json 0 detect
	json 0,3,6,7 plan
	json 0,6,7 apply --yes
	json 0,3,6,7,8 verify
	json 0,8 status
	json 0,1,2 rollback --yes
done

# The firmware: shown, set, refused, the setup screen.
MACHINE=zbook-64-uma32
new_machine $MACHINE
json 0 firmware uma
json 1,2,6,7 firmware uma 512M --yes
own_firmware
json 0,7,8 firmware uma 512M --yes
json 7 firmware uma 3G --yes
json 0 detect
json 0,7,8 status
json 0 rollback --yes
json 0 apply --yes --uma 512M
json 1,2,6,7 firmware setup --yes
variable='OsIndicationsSupported-8be4df61-93ca-11d2-aa0d-00e098032b8c'
printf '\007\000\000\000\101\000\000\000\000\000\000\000' >"$TREE/sys/firmware/efi/efivars/$variable"
json 0 firmware setup --yes

hold "$OBJECTS objects of all commands are as docs/schema says" ''
hold 'each of them without one of its keys, or with one more, is not' --bite
hold 'and every key that a schema names was seen' --seen
done_testing
