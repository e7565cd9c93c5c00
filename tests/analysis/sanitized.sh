#!/bin/sh
# SPDX-License-Identifier: MIT
# The whole suite (or SP_SUITE of it) with AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, warnings being
# errors. A sanitizer that finds something ends the program with 99, which no test takes for a failure that it expects
# (tests/lib.sh), and AddressSanitizer's reports are collected besides.
. "${SP_SRCDIR:-$1}/tests/analysis/lib.sh"
. "$ANALYSIS/nested.sh"

: >"$TMP/bad"
nested_build sanitized --enable-werror --enable-sanitizers
point 'the build with sanitizers, warnings being errors' 1 "$TMP/bad"
if [ ! -s "$TMP/bad" ]; then
	rm -rf reports && mkdir reports && chmod 1777 reports
	ASAN_OPTIONS=exitcode=99:log_path=$NESTED/reports/address UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
	export ASAN_OPTIONS UBSAN_OPTIONS
	nested_check
	point "the suite with sanitizers ($RESULTS results)" "$RESULTS" "$TMP/bad"
	grep -hE 'ERROR: |runtime error: ' reports/* >"$TMP/bad" 2>/dev/null
	point 'no report of a sanitizer' 1 "$TMP/bad"
fi
finish
