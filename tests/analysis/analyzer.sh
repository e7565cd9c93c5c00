#!/bin/sh
# SPDX-License-Identifier: MIT
# gcc -fanalyzer: paths through each file, and through all functions that are in it.
. "${SP_SRCDIR:-$1}/tests/analysis/lib.sh"

echo 'int main(void) { return 0; }' >"$TMP/empty.c"
# shellcheck disable=SC2086 # the compiler may come with options
$SP_CC -fanalyzer -fdiagnostics-plain-output -c -o /dev/null "$TMP/empty.c" 2>/dev/null ||
	skip_all "$SP_CC has no -fanalyzer"

# Unoptimised: inlined, a release at the end of a scope looks like one of a variable that never had a value. For the
# same reason that one warning is left to the compiler itself, to valgrind and to clang-tidy.
cat >"$TMP/one" <<'EOF'
exec $SP_CC -std=gnu17 $SP_CPPFLAGS -DSP_DATADIR='""' -O0 -fanalyzer -Wno-analyzer-use-of-uninitialized-value \
	-fdiagnostics-plain-output -c -o /dev/null "$1" 2>&1
EOF
export SP_CC SP_CPPFLAGS
c_sources installer >"$TMP/files"
xargs -P "$JOBS" -n 1 sh "$TMP/one" <"$TMP/files" >"$TMP/out"
# A finding ends in "[CWE-...] [-Wanalyzer-...]"; an error of compiling is one, too.
grep -E 'error: |\[-Wanalyzer' "$TMP/out" >"$TMP/findings"
unknown_findings "$TMP/findings" >"$TMP/bad"
point "gcc -fanalyzer ($(wc -l <"$TMP/files") files)" "$(wc -l <"$TMP/files")" "$TMP/bad"
finish
