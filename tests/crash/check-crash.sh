#!/bin/sh
# SPDX-License-Identifier: MIT
# The full form of crash.sh and generate-crash.sh: every fault at every call. Ends with one line, and with 1 where a
# fault was not survived.
set -u
log=$(mktemp "${TMPDIR:-/tmp}/strix-check-crash.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT PIPE TERM

for test in crash generate-crash sync-order; do
	SP_CRASH_MAX=0 sh "$SP_SRCDIR/tests/cli/$test.sh" || echo "not ok - $test.sh ended with $?"
done >"$log" 2>&1
grep -e ' faults, ' -e '^not ok' -e '^#' -e '# SKIP' -e '^Bail out' "$log"
awk '/^(not )?ok .* faults, [0-9]+ violations/ {
		for (i = 1; i <= NF; i++) {
			if ($i == "faults,") cases += $(i - 1)
			if ($i == "violations") bad += $(i - 1)
		}
		next
	}
	/^not ok/ || /^Bail out/ { bad++ }
	END { printf "crash: %d cases, %d violations\n", cases, bad; exit bad > 0 || cases == 0 }' "$log"
