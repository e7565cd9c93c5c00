#!/bin/sh
# SPDX-License-Identifier: MIT
# Completion: the words come from the program's own tables, so each must be one that it takes; and the script for bash
# offers them where they belong.
. "${SP_SRCDIR:-.}/tests/lib.sh"

words() { # ARGUMENTS...: the first column of what completion is told, into the file $SCRATCH/words
	run_sp __complete "$@"
	expect_status "words: $*" 0
	cut -f1 "$OUT" >"$SCRATCH/words"
}

# --- what it is told ------------------------------------------------------------------------------------------------

words commands
cp "$SCRATCH/words" "$SCRATCH/commands"
check 'commands: as many as help lists' test "$(wc -l <"$SCRATCH/commands")" -gt 8
expect_no_match 'commands: the one for completion is not offered' "$SCRATCH/commands" complete
run_sp --help
while read -r command; do
	expect_match "commands: help lists $command" "$OUT" "^ +$command "
done <"$SCRATCH/commands"

while read -r command; do
	words options "$command"
	run_sp "$command" --help
	expect_status "$command --help" 0
	cp "$OUT" "$SCRATCH/help"
	run_sp help "$command"
	expect_same "help $command says the same" "$SCRATCH/help" "$OUT"
	: >"$SCRATCH/unknown"
	while read -r option; do
		grep -qE -e "(^|[ ,])$option([ ,=]|\$)" "$SCRATCH/help" || run_sp --help
		grep -qE -e "(^|[ ,])$option([ ,=]|\$)" "$SCRATCH/help" "$OUT" || echo "$option" >>"$SCRATCH/unknown"
	done <"$SCRATCH/words"
	expect_same "$command: help knows each option that is offered" /dev/null "$SCRATCH/unknown"
done <"$SCRATCH/commands"
words options
expect_match 'options: without a command the global ones' "$SCRATCH/words" '^--root$'
expect_no_match 'options: and no others' "$SCRATCH/words" '^--profile$'

words ids
while read -r id; do
	run_sp explain "$id"
	expect_status "ids: explain takes $id" 0
done <"$SCRATCH/words"

new_machine zbook-64-fedora
for option in profile with without color boot; do
	words values "$option"
	check "values of $option: there are some" test -s "$SCRATCH/words"
	cp "$SCRATCH/words" "$SCRATCH/values"
	while read -r value; do
		sp plan "--$option=$value"
		check "--$option=$value: is understood" test "$STATUS" != 2
	done <"$SCRATCH/values"
done
words values no-such-option
check 'values of an option that is none: no words' test ! -s "$SCRATCH/words"
words values root
check 'values that are files: the shell knows better' test ! -s "$SCRATCH/words"

for wrong in '' rubbish; do
	# shellcheck disable=SC2086 # one word, or none
	run_sp __complete $wrong
	expect_status "__complete $wrong" 2
	check "__complete $wrong: no words" test ! -s "$OUT"
done
run_sp --data "$SCRATCH/nowhere" __complete ids
check 'ids without a catalogue: no words, and no talk' test ! -s "$OUT" -a ! -s "$ERR"
run_sp help rubbish
expect_status 'help for what is no command' 2

# --- what bash makes of it --------------------------------------------------------------------------------------------

if ! command -v bash >/dev/null 2>&1; then
	skip 'completion in bash' 'no bash here'
	done_testing
	exit 0
fi

completed() { # WORDS...: what is offered for the last one, in one line
	STRIX_PROVISION_DATADIR=$SP_DATA bash -c '
		. "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_strix_provision
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$SP_SRCDIR/completions/bash/strix-provision" "$SP_BIN" "$@" 2>"$SCRATCH/bash" | sort | tr '\n' ' '
}

offers() { # EXPECTED WORDS...
	expected=$1
	shift
	got=$(completed "$@")
	if [ "$got" = "$expected " ] && [ ! -s "$SCRATCH/bash" ]; then
		pass "bash, after '$*': $expected"
	else
		fail "bash, after '$*': $got, not $expected"
		note_file 'bash said' "$SCRATCH/bash"
	fi
}

offers 'plan' pl
offers 'rollback' ro
offers '--profile' plan --prof
offers '' detect --prof
offers 'headroom' plan --profile hea
offers 'headroom' plan --profile = hea
offers 'always' --color al
offers 'swappiness' plan --with swap
offers 'thp,swappiness' plan --with thp,swap
offers 'pages-limit pages-limit-module' explain pages
offers 'plan' help pl
offers 'verify' --root /nowhere verif
mkdir "$SCRATCH/a-folder" && : >"$SCRATCH/a-file"
offers "$SCRATCH/a-folder" --root "$SCRATCH/a-f"
offers "$SCRATCH/a-file $SCRATCH/a-folder" --config "$SCRATCH/a-f"

done_testing
