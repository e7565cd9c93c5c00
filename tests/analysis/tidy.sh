#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-tidy with the checks that .clang-tidy names.
. "${SP_SRCDIR:-$1}/tests/analysis/lib.sh"

need clang-tidy
cat >"$TMP/some" <<'EOF'
exec clang-tidy --quiet "$@" -- -std=gnu17 $SP_CPPFLAGS -DSP_DATADIR='""' 2>/dev/null
EOF
export SP_CPPFLAGS
c_sources installer >"$TMP/files"
xargs -P "$JOBS" -n 4 sh "$TMP/some" <"$TMP/files" >"$TMP/out"
grep -E ': (warning|error): ' "$TMP/out" >"$TMP/findings"
unknown_findings "$TMP/findings" >"$TMP/bad"
point "clang-tidy ($(wc -l <"$TMP/files") files)" "$(wc -l <"$TMP/files")" "$TMP/bad"
finish
