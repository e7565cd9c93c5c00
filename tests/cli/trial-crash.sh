#!/bin/sh
# SPDX-License-Identifier: MIT
# apply --trial, confirm and confirm --cancel, killed at each call that changes a disk, or with an error from it; then the
# machine is started again. With loaders that are simulated (tests/lib-trial.sh):
#   - at most one start is the trial's, and only one; each start after it has the default entry, which is the old line until
#     a promotion was committed
#   - recover, then confirm, end with the old tree to the byte, or with the new one
#   - status tells what the loader and the disk show
# SP_CRASH_MAX faults of each command are tried (default 4, spread evenly; 0: a kill at every call, and an error at every call).
. "${SP_SRCDIR:-.}/tests/lib-crash.sh"
. "$TESTS/lib-trial.sh"

SP_CRASH_MAX=${SP_CRASH_MAX:-4}
CASES=0
BROKEN=0

wrong() { # WHAT
	BROKEN=$((BROKEN + 1))
	note "$LOADER_NAME: $WHERE: $*"
	note_file 'it said' "$ERR"
}

tree_is() { # old | new
	list_root "$SCRATCH/now"
	cmp -s "$SCRATCH/$1" "$SCRATCH/now" && return 0
	[ "$1" = new ] || return 1
	list_root_untimed "$SCRATCH/now"
	cmp -s "$SCRATCH/new-untimed" "$SCRATCH/now"
}

state() { # with "-interrupted" where a transaction is open
	sp --json status
	told=$(sed -n '/^  "trial": {/,/^  }/s/^    "state": "\(.*\)".*/\1/p' "$OUT") # python would take most of the time
	! grep -q '^  "interrupted": true' "$OUT" || told=$told-interrupted
	printf '%s\n' "${told:-none}"
}

has_ours() {
	grep -q 'ttm.pages_limit=15' "$TREE/proc/cmdline"
}

start_again() { # what may come up now
	power_on
	new=no
	! has_ours || new=yes
	told=$(state)
	case $TRIED-$new-$told in
	yes-yes-running | no-no-none | no-no-idle | no-no-failed | no-yes-promoted | no-yes-idle | no-*-interrupted | yes-yes-running-interrupted) ;;
	*) wrong "started: the trial: $TRIED, our arguments: $new, status says '$told'" ;;
	esac
	[ "$TRIED" = no ] || STARTED=$((STARTED + 1))
}

settle() { # WHEN: recover and confirm end what is open
	sp recover
	[ "$STATUS" = 0 ] || wrong "$1: recover ends with $STATUS"
	sp confirm --if-armed
	one_of "$STATUS" 0,3 || wrong "$1: confirm ends with $STATUS"
	told=$(state)
	one_of "$told" none,idle || wrong "$1: status says '$told' at the end"
}

check_truth() { # STATE: what the loader and the disk show, before anything is started anew
	armed=no
	[ -z "$(chosen)" ] || armed=yes
	case $armed-$1 in
	*-interrupted | yes-armed | no-prepared | no-running | no-promoted | no-idle | no-none) ;;
	*) wrong "status says '$1', and '$(chosen)' is chosen for the next start" ;;
	esac
}

one_case() { # TREE FAULT ARGUMENTS...
	from=$1 fault=$2
	shift 2
	WHERE="$* ($fault)"
	CASES=$((CASES + 1))
	STARTED=0
	restore_tree "$from"
	sp_fault "$fault" "$@"
	killed=$(state)
	check_truth "$killed"
	start_again
	[ "$TRIED" = no ] || [ "$from" != running ] || wrong 'the trial is started again'
	settle started
	start_again
	[ "$STARTED" -le 1 ] && [ "$TRIED" = no ] || wrong 'the trial is started a second time'
	tree_is old || tree_is new || {
		wrong 'the tree is neither the old nor the new one'
		tree_is old
		diff "$SCRATCH/old" "$SCRATCH/now" | sed 's/^/#   /'
	}
}

faults_of() { # CALLS: what is done at which
	step=1
	[ "$SP_CRASH_MAX" = 0 ] || step=$((($1 + SP_CRASH_MAX - 1) / SP_CRASH_MAX))
	at=1
	turn=0
	while [ "$at" -le "$1" ]; do
		turn=$((turn + 1))
		[ "$SP_CRASH_MAX" != 0 ] && [ $((turn % 2)) = 0 ] || echo "any:$at:kill"
		[ "$SP_CRASH_MAX" != 0 ] && [ $((turn % 2)) = 1 ] || echo "any:$at:EIO"
		at=$((at + step))
	done
}

under_faults() { # TREE TRACE ARGUMENTS...
	tree=$1 calls=$(wc -l <"$2")
	shift 2
	before=$BROKEN cases=$CASES
	for each in $(faults_of "$calls"); do
		one_case "$tree" "$each" "$@"
	done
	check "$LOADER_NAME: $* under $((CASES - cases)) faults in $calls calls" test "$BROKEN" = "$before"
}

must_trace() { # FILE ARGUMENTS...
	sp_traced "$@"
	[ "$STATUS" = 0 ] || bail_out "$SP_LAST: $(cat "$ERR")"
}

whole_way() { # NAME
	LOADER_NAME=$1
	save_tree pristine
	list_root "$SCRATCH/old"
	must_trace "$SCRATCH/trial-calls" apply --trial --yes
	save_tree armed
	must_trace "$SCRATCH/cancel-calls" confirm --cancel
	check "$1: cancelled, the tree is the old one" tree_is old
	restore_tree armed
	power_on
	check "$1: the trial is started" test "$TRIED" = yes
	save_tree running
	must_trace "$SCRATCH/confirm-calls" confirm
	list_root "$SCRATCH/new"
	list_root_untimed "$SCRATCH/new-untimed"
	under_faults pristine "$SCRATCH/trial-calls" apply --trial --yes
	under_faults armed "$SCRATCH/cancel-calls" confirm --cancel
	under_faults running "$SCRATCH/confirm-calls" confirm
}

new_grub zbook-64-fedora grub2
whole_way grub-bls
new_sdboot
whole_way systemd-boot

note "trial: $CASES cases, $BROKEN violations"
done_testing
