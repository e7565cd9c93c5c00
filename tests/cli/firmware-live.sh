#!/bin/sh
# SPDX-License-Identifier: MIT
# The firmware of the running system: the machine is "/" of a mount namespace, as in live.sh, so no file has to say that it
# is a test's own, and there is somebody to restart it.
#
#   --reboot restarts, or goes into the setup screen, or does neither while the gate is red
#   variables with the immutable flag that the kernel gives to EFI variables
#   the questions on a terminal: a size that is not on offer, and the password, which is not shown
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-live.sh"
. "$TESTS/lib-firmware.sh"

GLOBAL=8be4df61-93ca-11d2-aa0d-00e098032b8c
VARS=sys/firmware/efi/efivars
INDICATIONS=$VARS/OsIndications-$GLOBAL

trap 'chattr -i "$TREE/$INDICATIONS" 2>/dev/null; clean_up' EXIT

new_live() {
	new_system zbook-64-uma32
	password_is 0
	printf '\007\000\000\000\001\000\000\000\000\000\000\000' >"$TREE/$VARS/OsIndicationsSupported-$GLOBAL"
	mkdir -p "$TREE/usr/bin"
	printf '#!/bin/sh\necho "$*" >>/called\n' >"$TREE/usr/bin/systemctl"
	chmod 755 "$TREE/usr/bin/systemctl"
	list_root "$SCRATCH/before"
}

called() { # what the system's manager was told
	cat "$TREE/called" 2>/dev/null
}

asked_for_setup() {
	[ -e "$TREE/$INDICATIONS" ] && [ "$(od -An -tx1 -j4 -N1 "$TREE/$INDICATIONS" | tr -d ' ')" = 01 ]
}

new_live
live firmware uma
[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"

live apply --yes --uma 512M --reboot
expect_status 'apply --uma 512M --reboot' 0
expect_carve_out 'the firmware of the running system is written' '512 MB'
check 'the machine is restarted' test "$(called)" = reboot
check 'and not into the setup screen' test ! -e "$TREE/$INDICATIONS"

new_live
live apply --yes --reboot
expect_status 'apply --reboot with 32 GB carved out' 7
check 'the machine is not restarted' test -z "$(called)"
expect_said 'and it is said' 'was not restarted: the firmware.s carve-out is to be settled first'
live apply --yes --uma keep --reboot
expect_status 'accepted' 0
check 'it is' test "$(called)" = reboot

new_live
chmod 444 "$TREE/$UMA/current_value"
live apply --yes --uma 512M --reboot
expect_status 'a firmware that cannot be written' 7
check 'the machine is not restarted' test -z "$(called)"
live apply --yes --uma-by-hand 512M --reboot
expect_status 'by hand' 7
check 'the machine is restarted' test "$(called)" = reboot
check 'into the setup screen' asked_for_setup

new_live
rm "$TREE/$VARS/OsIndicationsSupported-$GLOBAL"
live apply --yes --uma-by-hand 512M --reboot
expect_status 'by hand, and the setup screen cannot be asked for' 7
check 'the machine is not restarted' test -z "$(called)"
expect_said 'the key is said' 'press F10'

new_live
live firmware setup --yes --reboot
expect_status 'firmware setup --reboot' 0
check 'into the setup screen' asked_for_setup
check 'at once' test "$(called)" = reboot

new_live
printf '\007\000\000\000\000\000\000\000\000\000\000\000' >"$TREE/$INDICATIONS"
if chattr +i "$TREE/$INDICATIONS" 2>/dev/null; then
	live firmware setup --yes
	expect_status 'a variable that is immutable' 0
	check 'is set' asked_for_setup
	check 'and is immutable again' sh -c "lsattr '$TREE/$INDICATIONS' | grep -q '^[^ ]*i'"
	chattr -i "$TREE/$INDICATIONS"
else
	skip 'a variable that is immutable' 'no rights, or a file system without the flag'
fi

# --- questions ------------------------------------------------------------------------------------------------------

on_terminal() { # ANSWERS ARGUMENTS...: like live, with a terminal on which ANSWERS are typed, one for each question
	SP_AS="python3 $TESTS/terminal.py $1"
	shift
	live "$@"
	SP_AS=
	cat "$OUT" "$ERR" >"$SCRATCH/shown"
}

if ! python3 -c 'import pty' 2>/dev/null; then
	skip 'questions on a terminal' 'no python3'
	done_testing
	exit 0
fi

new_live
on_terminal y,y firmware uma 6G
expect_status 'a size that is not on offer, and the proposal is accepted' 0
expect_carve_out 'it is the nearest' '4 GB'
expect_match 'it was asked' "$SCRATCH/shown" 'does not offer a carve-out of 6 GB.*Take 4G instead'
new_live
on_terminal n firmware uma 6G
expect_status 'and is not accepted' 7
expect_carve_out 'nothing is set' '32 GB'
new_live
on_terminal y,y apply --uma 6G
expect_status 'the same with apply' 0
expect_carve_out 'it is the nearest' '4 GB'
expect_match 'and it is what was chosen' "$TREE/var/lib/strix-provision/state.json" '"uma_mib": *4096'
new_live
password_is 1
on_terminal y,geheim apply --uma 512M
expect_status 'the password is asked for' 0
expect_match 'in words' "$SCRATCH/shown" 'password of the firmware:'
expect_no_match 'and is not shown' "$SCRATCH/shown" geheim
check 'it was given to the driver' grep -qx geheim "$TREE/$HP/authentication/Setup Password/current_password"
expect_carve_out 'it is set' '512 MB'
on_terminal y,geheim rollback
expect_status 'and by rollback' 0
expect_carve_out 'it is set back' '32 GB'
on_terminal 'y,' apply --uma 512M
expect_status 'an empty password' 2
expect_carve_out 'nothing is set' '32 GB'

done_testing
