#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/first-hour.md: its commands, in its order, on a recorded machine; each must print what the page shows. "[...]" stands
# for any lines.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-firmware.sh"

command -v python3 >/dev/null 2>&1 || skip_all 'python3 compares, and is not here'
PAGE=$SP_SRCDIR/docs/first-hour.md

# Of each command what the page shows, into a file of its own: 1, 2, ...; the commands themselves one a line.
awk -v folder="$SCRATCH" '
	/^```/ { on = /console/; next }
	on && /^\$ / { n++; print substr($0, 3) >(folder "/commands"); printf "" >(folder "/shown." n); next }
	on { print >(folder "/shown." n) }' "$PAGE"
check 'the page has commands' test "$(wc -l <"$SCRATCH/commands")" -gt 3

as_shown() { # SHOWN PRINTED
	python3 -c 'import re, sys
shown, printed = (open(path).read().rstrip("\n") + "\n" for path in sys.argv[1:])
form = re.escape(shown).replace(re.escape("[...]\n"), r"(?:.*\n)*?")
sys.exit(not re.fullmatch(form, printed))' "$1" "$2"
}

new_machine zbook-64-uma32
own_firmware
n=0
while read -r program arguments; do
	n=$((n + 1))
	if [ "$program" = reboot ]; then
		reboot_machine
		continue
	fi
	check "$program is the program" test "$program" = strix-provision
	# shellcheck disable=SC2086 # a list of words
	sp $arguments
	expect_status "$arguments" 0
	check "$arguments: prints what the page shows" as_shown "$SCRATCH/shown.$n" "$OUT"
done <"$SCRATCH/commands"

done_testing
