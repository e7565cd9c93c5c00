#!/bin/sh
# SPDX-License-Identifier: MIT
# Setting the carve-out through what behaves as the driver hp-bioscfg (tests/tools/firmware-driver.c, a FUSE file system):
# the administrator password, everything that a driver and a firmware refuse, and a program that is killed in between.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-firmware.sh"

DRIVER=${SP_DRIVER:-$(dirname "$SP_BIN")/tests/tools/firmware-driver}
[ -x "$DRIVER" ] || skip_all 'built without libfuse (3.2 or newer)'
[ -w /dev/fuse ] && command -v fusermount3 >/dev/null 2>&1 || skip_all 'no /dev/fuse or no fusermount3 here'

stop_driver() {
	for tree in "$SCRATCH"/*/"$HP"; do
		[ ! -e "$tree/attributes" ] || fusermount3 -u -z "$tree" 2>/dev/null
	done
}
trap 'stop_driver; clean_up' EXIT

start_driver() { # [OPTION...]: with the value that is in the store
	stop_driver
	mkdir -p "$TREE/$HP"
	ASAN_OPTIONS=detect_leaks=0 "$DRIVER" "$@" --store="$SCRATCH/store" --log="$SCRATCH/log" "$TREE/$HP" 2>"$SCRATCH/fuse" ||
		skip_all "cannot mount a FUSE file system: $(head -n 1 "$SCRATCH/fuse")"
	: >"$SCRATCH/log"
}

new_hp() { # MACHINE VALUE [OPTION...]: the machine with the driver, which has read VALUE from the firmware
	stop_driver
	new_machine "$1"
	rm -rf "${TREE:?}/$HP"
	own_firmware
	echo "$2" >"$SCRATCH/store"
	shift 2
	start_driver "$@"
}

reboot_hp() { # [OPTION...]: the driver reads the firmware anew
	start_driver "$@"
	reboot_machine
}

sp_password() { # PASSWORD ARGUMENTS...
	printf '%s\n' "$1" >"$SCRATCH/password"
	SP_STDIN=$SCRATCH/password
	shift
	sp --log "$SCRATCH/talk" "$@" --password-fd 0
	SP_STDIN=
}

expect_log() { # DESCRIPTION LINES: what was written to the driver
	printf '%b' "$2" >"$SCRATCH/want"
	expect_same "$1" "$SCRATCH/want" "$SCRATCH/log"
}

expect_secret() { # nobody told the password on
	if grep -rq geheim "$TREE/var" "$OUT" "$ERR" "$SCRATCH/talk" 2>/dev/null; then
		fail 'the password is nowhere: not in state, journal, log and output'
	else
		pass 'the password is nowhere: not in state, journal, log and output'
	fi
}

expect_stored() { # DESCRIPTION VALUE
	check "$1: the firmware has '$2'" test "$(cat "$SCRATCH/store")" = "$2"
}

# --- no password ----------------------------------------------------------------------------------------------------

new_hp zbook-64-uma32 '32 GB'
list_root "$SCRATCH/before"
sp firmware uma
expect_match 'the driver is read' "$OUT" 'next start +32 GiB'
expect_match 'and can be written' "$OUT" 'can be set here +yes'
sp apply --yes --uma 512M
expect_status 'apply --uma 512M' 0
expect_log 'one write' 'value 512 MB: ok\n'
expect_gtt 'apply' 60416
reboot_hp
sp verify
expect_status 'verify after the reboot' 0
sp rollback --yes
expect_status rollback 0
expect_stored rollback '32 GB'
list_root "$SCRATCH/after"
expect_same 'rollback restores every file' "$SCRATCH/before" "$SCRATCH/after"

# --- with a password ------------------------------------------------------------------------------------------------

new_hp zbook-64-uma32 '32 GB' --password=geheim
sp --json detect
json_is 'detect tells that there is a password' .firmware.carve_out.password true
sp apply --yes --uma 512M
expect_status 'a password is wanted, and nobody can be asked' 7
expect_said 'how to give it is said' 'password-fd'
check 'nothing is written' test ! -e "$TREE/var/lib/strix-provision"
sp_password geheim apply --yes --uma 512M
expect_status 'with the password' 0
expect_log 'it goes right before the write, and once' 'password: ok\nvalue 512 MB: ok\n'
expect_gtt 'with the password' 60416
expect_secret
sp rollback --yes
expect_status 'rollback without it' 7
expect_stored 'and nothing happened' '512 MB'
expect_gtt 'nor to the files' 60416
sp_password geheim rollback --yes
expect_status 'rollback with it' 0
expect_stored 'rollback with it' '32 GB'
expect_secret
sp_password geheim firmware uma 4G --yes
expect_status 'firmware uma with it' 0
expect_stored 'firmware uma' '4 GB'
sp_password '' firmware uma 8G --yes
expect_status 'an empty line is no password' 2
expect_stored 'and nothing happened' '4 GB'

refused() { # DESCRIPTION DRIVER-OPTIONS PASSWORD TEXT [HINT]: nothing is changed, and it is said why
	# shellcheck disable=SC2086 # a list of words
	new_hp zbook-64-uma32 '32 GB' $2
	list_root "$SCRATCH/before"
	sp_password "$3" apply --yes --uma 512M
	expect_status "$1" 1
	expect_match "$1: why" "$ERR" "$4"
	expect_match "$1: a hint" "$ERR" "hint: .*${5:-.}"
	expect_stored "$1" '32 GB'
	list_root "$SCRATCH/after"
	expect_same "$1: no file is changed" "$SCRATCH/before" "$SCRATCH/after"
	check "$1: nothing is open" test ! -L "$TREE/var/lib/strix-provision/open"
	expect_secret
}

refused 'a wrong password' --password=geheim falsch 'administrator password is wrong' 'setup screen'
expect_log 'it was tried once' 'password: ok\nvalue 512 MB: Invalid argument\n'
refused 'a password that is too long' --password=geheim \
	0123456789012345678901234567890123456789012345678901234567890123456789 'too short, too long'
expect_log 'and the value was not tried' 'password: Invalid argument\n'
refused 'WMI fails' --mode=wmi-error x 'interface \(WMI\) failed' 'kernel log'
refused 'the firmware refuses the password' '--password=geheim --mode=refused' geheim 'refused the password'
refused 'signed changes only' --mode=not-provisioned x 'signed changes only' 'firmware setup'
refused 'not supported' --mode=unsupported x 'does not support' 'firmware setup'
refused 'it takes the write, and keeps the old value' --mode=deaf x 'reads back something else' 'firmware setup'

new_hp zbook-64-uma32 '32 GB' --password=geheim '--choices=512 MB;32 GB'
chmod 700 "$TREE/$HP/.." # the driver is the only one that is asked
sp_password geheim apply --yes --uma 4G
expect_status 'not on offer' 7
expect_log 'the driver was not even asked' ''

for mode in read-only sure-admin no-object; do
	new_hp zbook-64-uma32 '32 GB' --mode=$mode
	sp_password x apply --yes --uma 512M
	expect_status "$mode: sizes for what there is" 7
	expect_gtt "$mode" 28672
	expect_stored "$mode" '32 GB'
	expect_log "$mode: the driver was not even asked" ''
done

# --- growing: files first, then the firmware ------------------------------------------------------------------------

new_hp zbook-64-fedora '512 MB' --mode=wmi-error
sp_must apply --yes
list_root "$SCRATCH/before"
sp apply --yes --uma 32G
expect_status 'growing, and the firmware fails at the end' 1
list_root "$SCRATCH/after"
expect_same 'the files are as before' "$SCRATCH/before" "$SCRATCH/after"

# --- killed in between ----------------------------------------------------------------------------------------------

command -v strace >/dev/null 2>&1 || {
	skip 'killed between firmware and files' 'no strace'
	done_testing
	exit 0
}
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

SP_CRASH_MAX=${SP_CRASH_MAX:-6} # of each kind of run; make check-firmware tries them all
CASES=0 VIOLATIONS=0
CALLS='fsync,syncfs,renameat2,write,unlinkat,symlinkat,ioctl'

count_calls() { # ARGUMENTS...: "CALL N", one for each that a whole run makes
	SP_AS="strace -qq -o $SCRATCH/strace -e trace=$CALLS"
	sp_password geheim "$@"
	SP_AS=
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$SCRATCH/strace" | awk '{ print $1, ++n[$1] }' >"$SCRATCH/points"
}

safe() { # the next start has at least the memory that the files are for
	case $(cat "$SCRATCH/store") in
	'512 MB') most=62000 ;;
	*) most=31000 ;;
	esac
	gtt=$(gtt_on_disk)
	cmdline=$(grep -oh 'amdgpu.gttsize=[0-9]*' "$TREE"/boot/loader/entries/*.conf | sed 's/.*=//' | sort -n | tail -n 1)
	[ "${gtt:-0}" -le $most ] && [ "${cmdline:-0}" -le $most ]
}

consistent() { # what recover leaves: old, or new, or the old files beside a smaller carve-out
	list_root_untimed "$SCRATCH/now"
	case $(cat "$SCRATCH/store").$(cmp -s "$SCRATCH/now" "$SCRATCH/old" && echo old).$(cmp -s "$SCRATCH/now" "$SCRATCH/new" && echo new) in
	"$OLD_VALUE.old.") echo old ;;
	"$NEW_VALUE..new") echo new ;;
	"$NEW_VALUE.old.") echo kept ;;
	*) echo neither ;;
	esac
}

prepare() { # the tree as it is before the run that is killed
	stop_driver
	chmod -R u+rwX "$TREE"
	rm -rf "$TREE"
	cp -a "$SCRATCH/pristine" "$TREE"
	echo "$OLD_VALUE" >"$SCRATCH/store"
	# shellcheck disable=SC2086 # one option or none
	start_driver $1
}

sample() { # SP_CRASH_MAX of the points, spread evenly, and the last
	awk -v max="$SP_CRASH_MAX" '{ line[NR] = $0 }
		END { step = NR > max ? NR / max : 1
		      for (i = step; int(i) < NR; i += step) print line[int(i)]
		      print line[NR] }' "$SCRATCH/points" >"$SCRATCH/tried"
}

crash() { # DESCRIPTION MACHINE OLD NEW SIZE DRIVER-OPTION STATUS-OF-RECOVER BEFORE...: kill apply --uma SIZE everywhere
	what=$1 machine=$2 OLD_VALUE=$3 NEW_VALUE=$4 size=$5 option=$6 recover=$7
	shift 7
	# shellcheck disable=SC2086
	new_hp "$machine" "$OLD_VALUE" $option
	[ "$#" -eq 0 ] || sp_must "$@"
	stop_driver
	chmod -R u+rwX "$SCRATCH/pristine" 2>/dev/null
	rm -rf "$SCRATCH/pristine"
	cp -a "$TREE" "$SCRATCH/pristine"
	list_root_untimed "$SCRATCH/old"
	prepare "$option"
	count_calls apply --yes --uma "$size"
	[ "$STATUS" -eq 0 ] || bail_out "$what: apply under strace ends with $STATUS: $(head -n 1 "$ERR")"
	list_root_untimed "$SCRATCH/new"
	total=$(wc -l <"$SCRATCH/points") tried=0 bad=0 seen=
	sample
	while read -r call nth; do
		prepare "$option"
		SP_AS="strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$nth"
		sp_password geheim apply --yes --uma "$size"
		SP_AS=
		tried=$((tried + 1))
		safe || { bad=$((bad + 1)) && note "$what, killed at $call $nth: not safe before recovery"; }
		sp recover </dev/null
		state=$(consistent)
		seen="$seen $state"
		safe && one_of "$STATUS" "$recover" && [ "$state" != neither ] && [ ! -L "$TREE/var/lib/strix-provision/open" ] || {
			bad=$((bad + 1))
			[ "$bad" -gt 3 ] || note "$what, killed at $call $nth: recover ends with $STATUS, tree is $state, firmware $(cat "$SCRATCH/store"): $(cat "$ERR")"
		}
		[ "$state" != kept ] || [ "$STATUS" -eq 7 ] || { bad=$((bad + 1)) && note "$what: kept, but recover ends with $STATUS"; }
	done <"$SCRATCH/tried"
	CASES=$((CASES + tried)) VIOLATIONS=$((VIOLATIONS + bad))
	check "$what: killed at $tried of $total calls: safe at once, and whole once recovered" test "$bad" -eq 0
}

crash 'shrinking, with a password' zbook-64-uma32 '32 GB' '512 MB' 512M --password=geheim 0,7
check 'some were left with the new carve-out and the old files, which fit' test "${seen#*kept}" != "$seen"
crash 'shrinking' zbook-64-uma32 '32 GB' '512 MB' 512M '' 0
check 'some ended as before, some as after' test "${seen#*old}" != "$seen" -a "${seen#*new}" != "$seen"
check 'without a password the firmware always goes along' test "${seen#*kept}" = "$seen"
# What was cut short is undone in the right order, too.
prepare ''
SP_AS="strace -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL:when=3"
sp apply --yes --uma 512M
SP_AS="strace -qq -o $SCRATCH/strace -e trace=$CALLS"
stop_driver
chmod -R u+rwX "$SCRATCH/pristine"
rm -rf "$SCRATCH/pristine"
cp -a "$TREE" "$SCRATCH/pristine"
OLD_VALUE='512 MB'
prepare ''
sp recover
SP_AS=
sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$SCRATCH/strace" | awk '{ print $1, ++n[$1] }' >"$SCRATCH/points"
sample
tried=0 bad=0
while read -r call nth; do
	prepare ''
	SP_AS="strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$nth"
	sp recover </dev/null
	SP_AS=
	tried=$((tried + 1))
	safe || { bad=$((bad + 1)) && note "recover killed at $call $nth: not safe"; }
	sp recover </dev/null
	list_root_untimed "$SCRATCH/now"
	[ "$STATUS" = 0 ] && cmp -s "$SCRATCH/now" "$SCRATCH/old" && [ "$(cat "$SCRATCH/store")" = '32 GB' ] ||
		{ bad=$((bad + 1)) && note "recover killed at $call $nth: the next ends with $STATUS, $(cat "$SCRATCH/store")"; }
done <"$SCRATCH/tried"
CASES=$((CASES + tried)) VIOLATIONS=$((VIOLATIONS + bad))
check "recover killed at $tried calls: safe at once, and all as before once recovered" test "$bad" -eq 0

crash 'growing' zbook-64-fedora '512 MB' '32 GB' 32G '' 0 apply --yes
check 'some ended as before, some as after' test "${seen#*old}" != "$seen" -a "${seen#*new}" != "$seen"
crash 'growing, with a password' zbook-64-fedora '512 MB' '32 GB' 32G --password=geheim 0,7 apply --yes
check 'none was left with the new carve-out and the old files, which would not fit' test "${seen#*kept}" = "$seen"

note "firmware: $CASES cases, $VIOLATIONS violations"
done_testing
