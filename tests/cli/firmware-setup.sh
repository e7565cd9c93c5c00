#!/bin/sh
# SPDX-License-Identifier: MIT
# The setup screen at the next start, and what is read of EFI variables: files as efivarfs shows them, four bytes of
# attributes and the value. A real efivarfs is for the tests that boot.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-firmware.sh"

GLOBAL=8be4df61-93ca-11d2-aa0d-00e098032b8c
VARS=sys/firmware/efi/efivars

variable() { # NAME BYTES (as printf knows them): with the attributes that such variables have
	# shellcheck disable=SC2059 # the bytes are escapes
	printf "\\007\\000\\000\\000$2" >"$TREE/$VARS/$1-$GLOBAL"
}

bytes() { # NAME: all of the file in hexadecimal
	od -An -tx1 -v "$TREE/$VARS/$1-$GLOBAL" | tr -d ' \n'
}

supports() { # BYTE: the lowest of OsIndicationsSupported
	variable OsIndicationsSupported "\\$1\\000\\000\\000\\000\\000\\000\\000"
}

new_uefi() {
	new_machine zbook-64-uma32
	own_firmware
	supports 101 # 0x41
}

asked=070000000100000000000000

new_uefi
sp firmware setup
expect_status 'without a terminal and without --yes' 2
check 'nothing is set' test ! -e "$TREE/$VARS/OsIndications-$GLOBAL"
sp firmware setup --yes
expect_status 'firmware setup' 0
check 'the bit is set, in a variable that was not there' test "$(bytes OsIndications)" = "$asked"
expect_said 'the key of this model' 'F10'
expect_said 'and its menu' 'Advanced > Device Options > UMA Video Memory Size'
list_all "$SCRATCH/before"
sp --json firmware setup --yes
expect_status 'again' 0
json_is 'again' .setup_requested true
json_is 'the key in JSON' .setup_key F10
list_all "$SCRATCH/after"
expect_same 'nothing is written twice' "$SCRATCH/before" "$SCRATCH/after"

new_uefi
variable OsIndications '\004\000\000\000\000\000\000\200'
sp firmware setup --yes
expect_status 'other bits are set' 0
check 'and stay' test "$(bytes OsIndications)" = 070000000500000000000080

refused() { # DESCRIPTION TEXT: exit 7 and the key; nothing set
	sp firmware setup --yes
	expect_status "$1" 7
	expect_match "$1: is said" "$ERR" "$2"
	expect_match "$1: the key is said" "$ERR" 'hint: press F10'
	check "$1: nothing is set" test ! -e "$TREE/$VARS/OsIndications-$GLOBAL"
}

new_uefi
rm -rf "$TREE/sys/firmware/efi"
refused 'started by an old BIOS' 'not started by UEFI'
sp detect
expect_status 'detect of that is no error' 0
expect_match 'and says so' "$OUT" 'UEFI +no'
sp plan
expect_status 'nor is plan' 0

new_uefi
rm -rf "${TREE:?}/$VARS"
refused 'no variables are mounted' 'cannot find EFI variables'
new_uefi
supports 100 # all but the setup screen
refused 'the firmware does not offer it' 'does not offer that'
new_uefi
rm "$TREE/$VARS/OsIndicationsSupported-$GLOBAL"
refused 'the firmware tells of no offers' 'can be asked for'
new_uefi
variable OsIndicationsSupported '\001'
refused 'an offer of the wrong length' '1 bytes where 8 are right'
new_uefi
ln -s /etc/hostname "$TREE/$VARS/link"
mv "$TREE/$VARS/OsIndicationsSupported-$GLOBAL" "$SCRATCH/outside"
ln -s "$SCRATCH/outside" "$TREE/$VARS/OsIndicationsSupported-$GLOBAL"
refused 'a variable that is a link out of the machine' 'cannot read the EFI variable'
new_uefi
mv "$TREE/$VARS" "$SCRATCH/vars"
ln -s "$SCRATCH/vars" "$TREE/$VARS"
refused 'a folder of variables that is a link out of the machine' 'cannot find EFI variables'

new_machine zbook-64-uma32
supports 101
sp firmware setup --yes
expect_status 'a recorded machine is not written' 2
check 'and was not' test ! -e "$TREE/$VARS/OsIndications-$GLOBAL"

new_machine framework-desktop-fedora
own_firmware
supports 001
sp firmware setup --yes
expect_status 'a model whose key is not known' 0
run_sp firmware
expect_status 'firmware without a word' 2
run_sp firmware upgrade
expect_status 'firmware with a wrong word' 2

for value in 0 1; do
	new_uefi
	variable SecureBoot "\\00$value"
	sp --json detect
	json_is "SecureBoot $value" .firmware.secure_boot "$([ "$value" = 1 ] && echo true || echo false)"
done

# --- nothing outside of the machine is opened -----------------------------------------------------------------------

if command -v strace >/dev/null 2>&1 && strace -qq -o /dev/null true 2>/dev/null; then
	new_uefi
	SP_AS="strace -f -qq -o $SCRATCH/strace -e trace=open,openat,openat2,access,faccessat,statfs,newfstatat,stat"
	ASAN_OPTIONS=detect_leaks=0 EFIVARFS_PATH=/sys/firmware/efi/efivars/ LIBEFIVAR_OPS=help sp firmware setup --yes
	SP_AS=
	expect_status 'with an environment that points elsewhere' 0
	expect_match 'the variables of the machine are read' "$SCRATCH/strace" "\"$TREE/$VARS/OsIndications"
	expect_no_match 'and none of the running system' "$SCRATCH/strace" '"/sys/firmware'
fi

done_testing
