#!/bin/sh
# SPDX-License-Identifier: MIT
# What is durable before what, from the system calls of whole runs (rules: tests/crash/order.c): content before its name,
# PREPARED and the images before the first publish, every folder before COMMITTED, and so on. With one sync a file or
# one a file system; a sync that is missing breaks a rule.
#   1. the rules themselves, on small traces: without any one of its syncs each is found wrong
#   2. apply, rollback, and recover of runs that were killed, also from the images alone, on a machine of each boot setup
#   3. the same with /boot as a file system of its own
. "${SP_SRCDIR:-.}/tests/lib-crash.sh"

# --- 1: the rules ---------------------------------------------------------------------------------------------------

is_in_order() { # TRACES...
	"$FAULT" order "$@"
}

is_out_of_order() { # TRACES...: found wrong; not a trace that cannot be read
	"$FAULT" order "$@"
	[ $? -eq 1 ]
}

check_each_sync() { # NAME [BEFORE] TRACE: of the last one
	name=$1
	shift
	check "$name: the rules are kept" is_in_order "$@"
	for last; do :; done
	before=
	[ "$last" = "$1" ] || before=$1
	grep -n '^f*sync' "$last" | cut -d : -f 1 >"$SCRATCH/syncs"
	while read -r number; do
		sed "${number}d" "$last" >"$SCRATCH/one-less"
		# shellcheck disable=SC2086 # one file or none
		check "$name: and not without line $number, $(sed -n "${number}p" "$last" | cut -f 1,5 | tr '\t' ' ')" \
			is_out_of_order $before "$SCRATCH/one-less"
	done <"$SCRATCH/syncs"
}

check_each_sync 'one sync a file' "$TESTS/crash/order-fsync.trace"
check_each_sync 'one sync a file system' "$TESTS/crash/order-syncfs.trace"
sed '/"committed"/q' "$TESTS/crash/order-syncfs.trace" >"$SCRATCH/killed"
check_each_sync 'undone' "$SCRATCH/killed" "$TESTS/crash/order-undo.trace"

# --- 2: the program -------------------------------------------------------------------------------------------------

run_in_order() { # NAME TRACES...: and how many of the syncs of the last run it would be wrong without
	name=$1
	shift
	"$FAULT" order -d "$@" >"$SCRATCH/order" 2>&1
	check "$name: $(sed -n 's/^order: \(.* calls.*\), [0-9]* violations$/\1/p' "$SCRATCH/order")" \
		grep -q ' 0 violations$' "$SCRATCH/order"
	grep -q ' 0 violations$' "$SCRATCH/order" || note_file 'rules that are broken' "$SCRATCH/order"
	note "$name: $(tail -n 1 "$SCRATCH/order")"
}

whole_run() { # NAME
	sp_traced "$SCRATCH/apply" apply --yes
	expect_status "$1: apply" 0
	run_in_order "$1: apply" "$SCRATCH/apply"
	check "$1: apply: it would be wrong without some of its syncs" \
		grep -q '[1-9][0-9]* of them missed' "$SCRATCH/order"
	save_tree applied
	sp_traced "$SCRATCH/rollback" rollback --yes
	expect_status "$1: rollback" 0
	run_in_order "$1: rollback" "$SCRATCH/rollback"
}

killed_run() { # NAME TREE N ARGUMENTS...: killed at that part (of 8) of its calls, and recovered
	name=$1 start=$2 part=$3
	shift 3
	calls=$(wc -l <"$SCRATCH/$1")
	restore_tree "$start"
	"$FAULT" run -f "any:$((calls * part / 8)):kill" -t "$SCRATCH/killed" "$TREE" "$SP_BIN" -- "$@" >/dev/null 2>&1
	sp_traced "$SCRATCH/recover" recover
	expect_status "$name: recover of $1 that was killed at $part/8" 0
	run_in_order "$name: recover of $1 that was killed at $part/8" "$SCRATCH/killed" "$SCRATCH/recover"
}

from_images() { # NAME: what was displaced is lost, so that the before-images are all there is
	restore_tree start
	list_root "$SCRATCH/before"
	renames=$(grep -c '^renameat2' "$SCRATCH/apply")
	"$FAULT" run -f "renameat2:$renames:kill-after" -t "$SCRATCH/killed" "$TREE" "$SP_BIN" -- apply --yes >/dev/null 2>&1
	find "$TREE/etc" "$TREE/boot" -name '.*.strix-new' -exec rm -f {} +
	sp_traced "$SCRATCH/recover" recover
	expect_status "$1: recover from the images" 0
	run_in_order "$1: recover from the images" "$SCRATCH/killed" "$SCRATCH/recover"
	list_root "$SCRATCH/after"
	expect_same "$1: recover from the images: every byte, mode and time is back" "$SCRATCH/before" "$SCRATCH/after"
}

check_machine() { # NAME
	save_tree start
	whole_run "$1"
	for part in 2 4 6 7 8; do
		killed_run "$1" start "$part" apply --yes
		killed_run "$1" applied "$part" rollback --yes
	done
	from_images "$1"
}

for setup in $("$FAULT" setups | cut -d ' ' -f 1); do
	case=$(cases_of "$setup" | head -n 1)
	check "the boot setup $setup has a machine in tests/cases" test -n "$case"
	[ -n "$case" ] || continue
	new_case "$case"
	check_machine "$setup"
done

# --- 3: /boot by itself ---------------------------------------------------------------------------------------------

in_namespace=
[ "$(id -u)" = 0 ] || in_namespace=-r
# shellcheck disable=SC2086 # one option or none
if unshare -m $in_namespace mount -t tmpfs none "$SCRATCH" 2>/dev/null; then
	new_machine zbook-64-fedora
	# shellcheck disable=SC2086,SC2016 # one option or none; the inner shell expands
	unshare -m $in_namespace sh -c '
		set -e
		tree=$1 fault=$2 program=$3 to=$4
		cp -a "$tree/boot" "$to/boot"
		mount -t tmpfs -o mode=755 none "$tree/boot"
		cp -a "$to/boot/." "$tree/boot/"
		"$fault" run -t "$to/apart-apply" "$tree" "$program" -- apply --yes
		"$fault" run -t "$to/apart-rollback" "$tree" "$program" -- rollback --yes
		"$fault" run -t "$to/apart-killed" -f renameat2:4:kill "$tree" "$program" -- apply --yes || true
		"$fault" run -t "$to/apart-recover" "$tree" "$program" -- recover
	' sh "$TREE" "$FAULT" "$SP_BIN" "$SCRATCH" >"$OUT" 2>"$ERR"
	STATUS=$?
	SP_LAST='apply, rollback, apply (killed), recover'
	expect_status '/boot as a file system of its own: all commands' 0
	run_in_order '/boot apart: apply' "$SCRATCH/apart-apply"
	run_in_order '/boot apart: rollback' "$SCRATCH/apart-rollback"
	run_in_order '/boot apart: recover' "$SCRATCH/apart-killed" "$SCRATCH/apart-recover"
	check '/boot apart: two file systems are synced' \
		test "$(grep '^syncfs\|^ioctl' "$SCRATCH/apart-apply" | cut -f 4 | sort -u | wc -l)" -ge 2
else
	skip '/boot as a file system of its own' 'no mount namespaces here'
fi
done_testing
