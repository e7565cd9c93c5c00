#!/bin/sh
# SPDX-License-Identifier: MIT
# Every shell script goes through shellcheck (.shellcheckrc at the top says what it leaves out), and the completions
# through the parsers of their shells.
. "${SP_SRCDIR:-$1}/tests/analysis/lib.sh"

need shellcheck
find . -path ./.git -prune -o -path './build*' -prune -o -path './strix-provision-*' -prune -o \
	-type f ! -path './tests/machines/*' \
	\( -name '*.sh' -o -name quickstart -o -path './tests/bin/*' -o -path './.ci/run' -o -path './completions/bash/*' \) \
	-print | sort | xargs awk 'FNR == 1 && !/python/ { print FILENAME }' >"$TMP/files"
: >"$TMP/bad"
xargs -P "$JOBS" -n 6 shellcheck -x -f gcc <"$TMP/files" >"$TMP/bad"
point "shellcheck ($(wc -l <"$TMP/files") scripts)" "$(wc -l <"$TMP/files")" "$TMP/bad"

for shell in bash zsh fish; do
	file=$(find "completions/$shell" -type f)
	if ! command -v "$shell" >/dev/null 2>&1; then
		COUNT=$((COUNT + 1))
		echo "ok $COUNT - $shell parses $file # SKIP no $shell here"
		continue
	fi
	"$shell" -n "$file" >"$TMP/bad" 2>&1 || echo "$shell -n $file: exit status $?" >>"$TMP/bad"
	point "$shell parses $file" 1 "$TMP/bad"
done
finish
