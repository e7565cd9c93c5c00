#!/bin/sh
# SPDX-License-Identifier: MIT
# Which lines of installer/ the suite runs (gcov), by folder: txn/ and format/ at least 95 %, all at least 88 %.
# coverage.txt in the build folder has them by file, with the lines that nothing runs. Whether tests pass is judged in the
# other builds: gcov writes files when a program ends, which those that trace its calls take for the program's. The ones
# that do nothing else are left out.
. "${SP_SRCDIR:-$1}/tests/analysis/lib.sh"
. "$ANALYSIS/nested.sh"

GCOV=$($SP_CC -print-prog-name=gcov 2>/dev/null || echo gcov)
need "$GCOV" gcc
: >"$TMP/bad"
nested_build coverage --enable-coverage
point 'the build for gcov' 1 "$TMP/bad"
find . -name '*.gcda' -exec rm -f {} +
: >"$TMP/suite"
for test in ${SP_SUITE:-${SP_TESTS:-}}; do
	grep -qE 'lib-crash|sp-hostile' "$SOURCES/$test" 2>/dev/null || printf '%s ' "$test" >>"$TMP/suite"
done
SP_SUITE=$(cat "$TMP/suite")
nested_check
echo "# $RESULTS results of tests"

# A line of a header is in many objects: it is covered when it is in one.
find installer -name '*.gcda' -exec "$GCOV" --stdout {} + 2>/dev/null | awk -F : -v sources="$SOURCES/" '
	$3 == "Source" { file = $4; sub("^" sources, "", file); sub("^(\\.\\./)+", "", file); next }
	file !~ /^installer\// { next }
	{ count = $1; gsub(/[ *]/, "", count); line = $2 + 0 }
	line == 0 || count == "-" { next }
	{ key = file ":" line; if (!(key in seen)) { seen[key] = 0; total[file]++ } }
	count !~ /^[#=]+$/ && !seen[key] { seen[key] = 1; hit[file]++ }
	END {
		for (file in total) {
			folder = file; sub("/[^/]*$", "", folder); sub("^installer/?", "", folder)
			if (folder == "") folder = "main.c"
			t[folder] += total[file]; h[folder] += hit[file]; T += total[file]; H += hit[file]
			printf "file %5.1f %5d %5d %s\n", 100 * hit[file] / total[file], hit[file], total[file], file
		}
		for (folder in t) printf "folder %5.1f %5d %5d %s\n", 100 * h[folder] / t[folder], h[folder], t[folder], folder
		printf "folder %5.1f %5d %5d all\n", T ? 100 * H / T : 0, H, T
		for (key in seen) if (!seen[key]) { split(key, at, ":"); printf "line %s %06d\n", at[1], at[2] }
	}' | sort >"$TMP/coverage"
awk '$1 == "line" { missing[$2] = missing[$2] " " ($3 + 0) }
	{ row[NR] = $0 }
	END {
		for (i = 1; i <= NR; i++) {
			n = split(row[i], f, " ")
			if (f[1] == "folder") folders = folders sprintf("%5.1f %% %6d of %6d  %s\n", f[2], f[3], f[4], f[5])
			if (f[1] == "file") files = files sprintf("%5.1f %% %6d of %6d  %s:%s\n", f[2], f[3], f[4], f[5], missing[f[5]])
		}
		printf "%s\n%s", folders, files
	}' "$TMP/coverage" >"$NESTED/coverage.txt"
sed '/^$/,$d; s/^/# /' "$NESTED/coverage.txt"

at_least() { # FOLDER PERCENT
	awk -v folder="$1" -v least="$2" '
		$1 == "folder" && $5 == folder { found = 1; if ($3 * 100 < $4 * least) print folder ": " $2 " %, " least " % is the least" }
		END { if (!found) print folder ": no line of it is known" }' "$TMP/coverage" >"$TMP/bad"
	point "lines of $1 that the suite runs: at least $2 %" 1 "$TMP/bad"
}
at_least txn 95
at_least format 95
at_least all 88
finish
