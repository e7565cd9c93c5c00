#!/bin/sh
# SPDX-License-Identifier: MIT
# cppcheck: warnings, style, performance, portability. What it does not know of the libraries is told it here.
. "${SP_SRCDIR:-$1}/tests/analysis/lib.sh"

need cppcheck
c_sources installer tests >"$TMP/files"
# unreadVariable: to hand a value over and to empty the variable behind it, so that the end of the scope releases
# nothing, is how this program does it; clang-tidy and the compiler look for stores that are dead indeed.
# duplicateCondition: a step after a step, each behind the same "if". redundantPointerOp: what sp_steal() makes of *p.
# variableScope, shadowFunction (a function of another file): taste. unusedStructMember: it sees one file at a time.
cppcheck --quiet -j "$JOBS" --std=c17 --enable=warning,style,performance,portability \
	--suppress=unreadVariable --suppress=variableScope --suppress=unusedStructMember \
	--suppress=duplicateCondition --suppress=redundantPointerOp --suppress=shadowFunction \
	--template='{file}:{line}:{column}: {severity}: {message} [{id}]' --template-location='' \
	-D_GNU_SOURCE -Iinstaller --include="$ANALYSIS/cppcheck.h" \
	--file-list="$TMP/files" >"$TMP/out" 2>&1
sed '/^tests\/.*: style: /d' "$TMP/out" >"$TMP/findings" # style is for the program
unknown_findings "$TMP/findings" >"$TMP/bad"
point "cppcheck ($(wc -l <"$TMP/files") files)" "$(wc -l <"$TMP/files")" "$TMP/bad"
finish
