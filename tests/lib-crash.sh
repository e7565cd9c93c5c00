# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For tests that put the program under fire (tests/crash): sourced in the place of tests/lib.sh. Sets FAULT, the tool.

# Thousands of trees are made and removed: in memory, where programs may be started from there.
fast=${SP_CRASH_DIR:-/dev/shm}
if [ -z "${TMPDIR:-}" ] && probe=$(mktemp "$fast/strix-test.XXXXXX" 2>/dev/null); then
	printf '#!/bin/sh\n' >"$probe"
	chmod +x "$probe"
	if "$probe" 2>/dev/null; then
		TMPDIR=$fast
		export TMPDIR
	fi
	rm -f "$probe"
fi
. "${SP_SRCDIR:-.}/tests/lib.sh"

FAULT=${SP_FAULT:-$(dirname "$SP_BIN")/tests/crash/sp-fault}
[ -x "$FAULT" ] || bail_out "no tests/crash/sp-fault: SP_FAULT is '$FAULT'"
"$FAULT" probe 2>"$SCRATCH/probe" || skip_all "programs cannot be traced here: $(head -n 1 "$SCRATCH/probe")"
STRIX_PROVISION_DATADIR=$SP_DATA
export STRIX_PROVISION_DATADIR
! ldd "$SP_BIN" 2>/dev/null | grep -q 'lib[at]san' || SP_CRASH_MAX=${SP_CRASH_MAX:-6} # ten times slower

new_case() { # NAME: its machine as $TREE; fails where a plain apply does not work on it
	machine='' args='' apply=0
	. "$TESTS/cases/$1/case"
	[ "$apply" = 0 ] && [ -z "$args" ] || return 1
	new_machine "$machine" "${2:-tree}"
	[ ! -e "$TESTS/cases/$1/setup.sh" ] || . "$TESTS/cases/$1/setup.sh"
}

cases_of() { # SETUP: names of the cases whose machine starts in that way, an untouched one of the first platform first
	for name in $(cd "$TESTS/cases" && ls); do
		new_case "$name" sorted || continue
		[ "$("$FAULT" setup "$TREE")" = "$1" ] || continue
		case $machine in zbook-*) rank=1 ;; *) rank=2 ;; esac
		[ ! -e "$TESTS/cases/$name/setup.sh" ] || rank=3
		echo "$rank $name"
	done | sort | cut -d ' ' -f 2
}

under_fire() { # OPTIONS... TREE SCRATCH PROGRAM...: each group of sp-fault matrix is one test
	"$FAULT" matrix "$@" >"$SCRATCH/matrix" 2>"$SCRATCH/matrix-err"
	case $? in
	0 | 1) ;;
	*)
		fail "sp-fault matrix $*"
		note_file 'it said' "$SCRATCH/matrix-err"
		;;
	esac
	while IFS= read -r line; do
		case $line in
		'#'*) echo "$line" ;;
		*' 0 violations '*) pass "$line" ;;
		*) fail "$line" ;;
		esac
	done <"$SCRATCH/matrix"
}

sp_fault() { # FAULT ARGUMENTS...: like sp, with one fault (see tests/crash/main.c)
	fault=$1
	shift
	SP_LAST="strix-provision $* ($fault)"
	"$FAULT" run -f "$fault" "$TREE" "$SP_BIN" -- "$@" >"$OUT" 2>"$ERR"
	STATUS=$?
}

sp_traced() { # FILE ARGUMENTS...: like sp; FILE gets the calls
	trace=$1
	shift
	SP_LAST="strix-provision $*"
	"$FAULT" run -t "$trace" "$TREE" "$SP_BIN" -- "$@" >"$OUT" 2>"$ERR"
	STATUS=$?
}

drop_tree() { # DIR: also one with folders that its owner may not write in, such as Fedora's /boot
	[ ! -e "$1" ] || { chmod -R u+rwX "$1" && rm -rf "$1"; }
}

save_tree() { # NAME
	drop_tree "${SCRATCH:?}/$1"
	cp -a "$TREE" "$SCRATCH/$1"
}

restore_tree() { # NAME
	drop_tree "$TREE"
	cp -a "$SCRATCH/$1" "$TREE"
}
