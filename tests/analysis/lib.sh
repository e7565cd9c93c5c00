# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the analyses share. Each is run as a test of automake (TAP, from the build folder, SP_SRCDIR set), or by hand:
#     sh tests/analysis/NAME.sh SOURCES BUILD
# and then the exit status is 1 when something was found. Its last line is "NAME: N cases, M violations".
# From the makefile: SP_CC, SP_CPPFLAGS (how the program is compiled).

set -u
umask 022
LC_ALL=C
export LC_ALL
NAME=$(basename "$0" .sh)
BY_HAND=$#
SOURCES=$(cd "${1:-${SP_SRCDIR:-.}}" && pwd) || exit 1
# shellcheck disable=SC2034 # whoever sources this reads it
BUILD=$(cd "${2:-.}" && pwd) || exit 1
ANALYSIS=$SOURCES/tests/analysis
TMP=$(mktemp -d "${TMPDIR:-/tmp}/strix-analysis.XXXXXX") || exit 1
trap 'rm -rf "$TMP"' EXIT
trap 'exit 1' HUP INT PIPE TERM
# shellcheck disable=SC2034 # whoever sources this reads it
JOBS=$(nproc 2>/dev/null || echo 2)
COUNT=0
CASES=0
VIOLATIONS=0
: "${SP_CC:=cc}"
: "${SP_CPPFLAGS:=-D_GNU_SOURCE -I$SOURCES/installer $(pkg-config --cflags libconfig libkmod smartcols jansson)}"
cd "$SOURCES" || exit 1

skip_all() { # REASON
	echo "1..0 # SKIP $*"
	echo "$NAME: skipped: $*"
	exit 0
}

need() { # TOOL [PACKAGE]
	command -v "$1" >/dev/null 2>&1 || skip_all "no $1 here (Debian has it in ${2:-$1})"
}

point() { # DESCRIPTION CASES FILE: passes when the file is empty; each of its lines is a violation
	COUNT=$((COUNT + 1))
	CASES=$((CASES + $2))
	if [ -s "$3" ]; then
		VIOLATIONS=$((VIOLATIONS + $(wc -l <"$3")))
		echo "not ok $COUNT - $1"
		sed 's/^/#   /' "$3"
	else
		echo "ok $COUNT - $1"
	fi
}

finish() {
	echo "1..$COUNT"
	echo "$NAME: $CASES cases, $VIOLATIONS violations"
	[ "$BY_HAND" -eq 0 ] || exit "$((VIOLATIONS > 0))"
	exit 0
}

c_sources() { # FOLDERS: what cmocka runs is left out, to a checker its macros look like functions that return
	find "$@" -name '*.c' ! -path 'tests/unit/*' | sort
}

# FINDINGS, one a line, "file:line:column: kind: text [check]": those that tests/analysis/false-positives does not
# answer for. There a line has the check, the file, a part of the source line and the reason, with tabs between.
unknown_findings() {
	grep -E '^[^ :]+:[0-9]+:[0-9]+: [a-z ]+: ' "$1" | sed "s,^$SOURCES/,," | sort -u |
		awk -F '\t' -v known="$ANALYSIS/false-positives" '
			function is_there(file, text, line, found, got) {
				while (!found && (got = (getline line <file)) > 0)
					found = index(line, text)
				close(file)
				return found || got < 0
			}
			BEGIN {
				while ((getline <known) > 0)
					if ($0 !~ /^#/) {
						n++; check[n] = $1; file[n] = $2; text[n] = $3
						if (NF != 4 || $4 == "") print known ": four fields: " $0
						else if (!is_there($2, $3)) print known ": no such line any more: " $0
					}
			}
			{
				split($0, at, ":")
				source = ""
				for (i = 0; i < at[2] && (getline source <at[1]) > 0; i++)
					;
				close(at[1])
				for (i = 1; i <= n; i++)
					if (file[i] == at[1] && index($0, "[" check[i] "]") && index(source, text[i]))
						next
				print
			}'
}
