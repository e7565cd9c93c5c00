# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For analyses that need a build of their own. Sourced behind tests/analysis/lib.sh.
# SP_SUITE: the tests that are run there, as TESTS= of `make check`; all when it is empty.

unset MAKEFLAGS MAKEOVERRIDES MFLAGS TESTS # of the make that started us
[ ! -e "$SOURCES/config.status" ] || skip_all 'the sources are built in place; configure in a folder of its own'

nested_build() { # FOLDER CONFIGURE-OPTIONS...: leaves it in $NESTED
	NESTED=$BUILD/analysis/$1
	shift
	mkdir -p "$NESTED" && cd "$NESTED" || exit 1
	# shellcheck disable=SC2086 # the compiler may come with options
	{ [ -f Makefile ] || "$SOURCES/configure" CC="$SP_CC" "$@"; } >build.log 2>&1 &&
		make -j "$JOBS" >>build.log 2>&1 || echo "the build failed: $NESTED/build.log" >"$TMP/bad"
}

# The suite, or a part of it; what failed comes into the file $TMP/bad, the number of results into $RESULTS.
nested_check() {
	find tests -name '*.trs' -exec rm -f {} +
	make -k -j "$JOBS" check ${SP_SUITE:+"TESTS=$SP_SUITE"} >check.log 2>&1
	find tests -name '*.trs' -exec sed -n 's/^:test-result: //p' {} + >"$TMP/results"
	RESULTS=$(wc -l <"$TMP/results")
	grep -E '^(FAIL|ERROR|XPASS): ' check.log >"$TMP/bad"
	[ "$RESULTS" -gt 0 ] || echo "no test ran: $NESTED/check.log" >"$TMP/bad"
}
