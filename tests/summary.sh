#!/bin/sh
# SPDX-License-Identifier: MIT
# Name what failed in `make check`, and count the results from automake's *.trs files: "N passed, N failed", and
# ", N skipped" when there are any. Exit status 1 when something failed or nothing ran.
# Usage: sh tests/summary.sh [BUILD-FOLDER]
find "${1:-.}/tests" -name '*.log' -exec sed -n 's/^\(FAIL\|ERROR\|XPASS\): /failed: /p' {} + 2>/dev/null
find "${1:-.}/tests" -name '*.trs' -exec cat {} + 2>/dev/null | awk '
	/^:test-result: (PASS|XFAIL)/ { passed++ }
	/^:test-result: (FAIL|XPASS|ERROR)/ { failed++ }
	/^:test-result: SKIP/ { skipped++ }
	END {
		line = (passed + 0) " passed, " (failed + 0) " failed"
		if (skipped)
			line = line ", " skipped " skipped"
		print line
		exit failed > 0 || passed == 0
	}'
