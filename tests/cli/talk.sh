#!/bin/sh
# SPDX-License-Identifier: MIT
# What a person reads: status in each state, the log, what quiet and verbose change, and the question on a terminal.
. "${SP_SRCDIR:-.}/tests/lib.sh"

new_machine zbook-64-fedora
sp status
expect_status 'status, never applied' 0
expect_match 'status, never applied: says so' "$OUT" 'Nothing is applied, and nothing ever was\.'
expect_no_match 'status, never applied: no empty table' "$OUT" 'Transactions'

sp --log "$SCRATCH/log" apply --yes
expect_status 'apply' '0,8'
expect_no_match 'apply: steps are for a terminal' "$ERR" 'putting them in place'
expect_match 'the log has them' "$SCRATCH/log" 'putting them in place'
sp status
expect_status 'status, applied' '0,8'
expect_match 'status, applied: the transaction' "$OUT" '^ *1 .*apply +committed'
expect_match 'status, applied: the profile' "$OUT" 'profile +zbook'
expect_match 'status, applied: the size' "$OUT" '59 GiB.*carve-out of 512 MiB'
expect_match 'status, applied: a reboot is due' "$OUT" 'Waiting for a reboot; then run .*verify'
expect_no_match 'status: no settings one by one' "$OUT" 'ttm\.pages_limit'
sp --verbose status
expect_match 'status --verbose: the settings' "$OUT" 'pages-limit: ttm\.pages_limit=15466496'

reboot_machine
sp status
expect_match 'status after the reboot: nothing waits' "$OUT" 'Nothing waits\.'
sp --quiet --log "$SCRATCH/log.quiet" rollback --yes
expect_status 'rollback --quiet' '0,8'
check 'rollback --quiet: no talk' test ! -s "$ERR"
check 'rollback --quiet: the log has it all the same' test -s "$SCRATCH/log.quiet"
sp status
expect_match 'status, rolled back: nothing is applied now' "$OUT" 'Nothing is applied now\.'
expect_match 'status, rolled back: what was undone' "$OUT" '^ *1 .*apply +rolled-back'
expect_match 'status, rolled back: the undoing' "$OUT" '^ *2 .*rollback +committed'

new_machine zbook-64-fedora
sp record --output "$SCRATCH/record"
expect_status 'record' 0
expect_match 'record: where' "$OUT" "written +$SCRATCH/record"
expect_match 'record: how much' "$OUT" '[0-9]+, [0-9]+ KiB'

# --- the question -----------------------------------------------------------------------------------------------------

if ! command -v script >/dev/null 2>&1 || ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
	skip 'questions on a terminal' 'no script(1) here'
	done_testing
	exit 0
fi

ask() { # ANSWER ARGUMENTS...: on a terminal, with the answer typed; both outputs into $OUT
	answer=$1
	shift
	command="STRIX_PROVISION_DATADIR='$SP_DATA' '$SP_BIN' --root '$TREE' --machine '$TREE' $*"
	SP_LAST="strix-provision $* (answer: $answer)"
	printf '%s\n' "$answer" | script -qefc "$command" /dev/null >"$OUT" 2>"$ERR"
	STATUS=$?
}

for answer in n '' maybe; do
	new_machine zbook-64-fedora
	list_root "$SCRATCH/before"
	ask "$answer" apply
	expect_match "answer '$answer': the question was put" "$OUT" '\[y/N\]'
	list_root "$SCRATCH/after"
	expect_same "answer '$answer': nothing is changed" "$SCRATCH/before" "$SCRATCH/after"
	check "answer '$answer': that is no success" test "$STATUS" != 0
done
for answer in y YES; do
	new_machine zbook-64-fedora
	ask "$answer" --log "'$SCRATCH/log.asked'" apply
	expect_status "answer '$answer'" '0,8'
	expect_match "answer '$answer': steps are shown" "$OUT" 'putting them in place'
	expect_match "answer '$answer': the question said what is meant" "$OUT" 'Apply|change'
	expect_match "answer '$answer': it is in the log" "$SCRATCH/log.asked" 'answer: yes'
	rm -f "$SCRATCH/log.asked"
	sp plan --check
	expect_status "answer '$answer': it is applied" 0
done

done_testing
