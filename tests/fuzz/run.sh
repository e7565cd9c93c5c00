#!/bin/sh
# SPDX-License-Identifier: MIT
# Fuzz every target (TARGETS: only these) for some seconds each, two at a time (FUZZ_JOBS):
#
#   run.sh NAME SECONDS     in the build directory; ends in "NAME: N cases, M violations"
#
# What libFuzzer finds worth keeping stays in tests/fuzz/found/TARGET, and the next run begins with it. An input that
# ends a target is in tests/fuzz/work; made small and put into tests/fuzz/regressions/TARGET it is replayed by `make check`.
set -u
LC_ALL=C
export LC_ALL

REPLAY=tests/fuzz/replay
FUZZ=tests/fuzz/fuzz
WORK=tests/fuzz/work
FOUND=tests/fuzz/found

# One target; its log has what libFuzzer said.
one() { # NAME SECONDS
	mkdir -p "$FOUND/$1" "$WORK/$1.seeds" || return 1
	"$REPLAY" --target="$1" --export="$WORK/$1.seeds" >"$WORK/$1.log" || return 1
	# where something was allocated is told by replay; here it takes half of the time
	ASAN_OPTIONS=malloc_context_size=3:quarantine_size_mb=16 LSAN_OPTIONS=print_suppressions=0 \
		"$FUZZ" --target="$1" -max_total_time="$2" -max_len=8192 -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$WORK/$1-" "$FOUND/$1" "$WORK/$1.seeds" >>"$WORK/$1.log" 2>&1
	echo "$?" >"$WORK/$1.status"
}

tell() { # NAME: one line, and what happened where it is not well
	cases=$(sed -n 's/^stat::number_of_executed_units: *//p' "$WORK/$1.log")
	seeds=$(sed -n 1p "$WORK/$1.log")
	echo "  $1: ${cases:-0} cases from $seeds files, $(find "$FOUND/$1" -type f | wc -l) kept"
	if [ "$(cat "$WORK/$1.status" 2>&1)" != 0 ]; then
		grep -E 'violation:|ERROR:|SUMMARY:|runtime error:|Test unit written' "$WORK/$1.log" | cut -c1-400 | sed 's/^/    /'
		echo "    all of it: $WORK/$1.log; again: $REPLAY --target=$1 FILE"
		violations=$((violations + 1))
	fi
	total=$((total + ${cases:-0}))
}

if [ "$1" = --one ]; then
	one "$3" "$2"
	exit 0
fi
name=$1 seconds=$2
if [ "${FUZZ_LIBFUZZER:-yes}" != yes ]; then
	echo "$name: skipped: configure found no compiler with libFuzzer (Debian: clang and libclang-rt-14-dev)"
	echo "$name: 0 cases, 0 violations"
	exit 0
fi
rm -rf "$WORK"
mkdir -p "$WORK" "$FOUND" || exit 1
targets=${TARGETS:-$("$REPLAY" --list)}
# shellcheck disable=SC2086 # names, one word each
printf '%s\n' $targets | xargs -P "${FUZZ_JOBS:-2}" -n 1 "${SHELL:-sh}" "$0" --one "$seconds"
total=0 violations=0
for target in $targets; do
	tell "$target"
done
rm -rf "$WORK"/*.seeds
echo "$name: $total cases, $violations violations"
[ "$violations" = 0 ]
