#!/bin/sh
# SPDX-License-Identifier: MIT
# A menu that is generated, and the program killed at every call that changes a disk, in apply and in rollback: at every
# instant the menu is the old or the new one in full, and recover ends with the old tree or the new one.
# At most SP_CRASH_MAX points of each are tried (default 40, spread evenly); SP_CRASH_FULL=1 tries all.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$SP_SRCDIR/tests/lib-live.sh"

CALLS='?fsync ?syncfs ?renameat2 ?renameat ?rename ?unlinkat ?rmdir ?mkdirat ?symlinkat ?write ?fallocate ?ftruncate
	?fchmod ?fchown ?fsetxattr ?utimensat'
SP_CRASH_MAX=${SP_CRASH_MAX:-40}
[ -z "${SP_CRASH_FULL:-}" ] || SP_CRASH_MAX=100000

command -v strace >/dev/null 2>&1 || skip_all 'no strace'
strace -qq -o /dev/null -e trace=write -e inject=write:signal=KILL:when=99 true 2>/dev/null ||
	skip_all 'strace may not trace, or cannot inject, here'
# shellcheck disable=SC2086 # a list of words
TRACE=$(printf '%s,' $CALLS)
TRACE=${TRACE%,}

save() { # NAME
	rm -rf "${SCRATCH:?}/$1"
	cp -a "$TREE" "$SCRATCH/$1"
}

restore() { # NAME
	rm -rf "$TREE"
	cp -a "$SCRATCH/$1" "$TREE"
}

points() { # FILE ARGUMENTS...: "CALL N" for every call of the program itself; its children are not followed
	file=$1
	shift
	SP_AS="strace -qq -o $SCRATCH/strace -e trace=$TRACE"
	live "$@"
	SP_AS=
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$SCRATCH/strace" | awk '{ print $1, ++n[$1] }' >"$file"
}

sample() { # FILE MAX
	awk -v max="$2" '{ line[NR] = $0 }
		END { step = NR > max ? NR / max : 1
		      for (i = 1; int(i) < NR; i += step) print line[int(i)]
		      if (NR > 0) print line[NR] }' "$1"
}

problem() { # told once or a few times
	BAD=$((BAD + 1))
	[ "$BAD" -gt 5 ] || note "$*"
}

judge() { # POINT: BEFORE and AFTER are listings without times, CFG_BEFORE and CFG_AFTER the menus
	cmp -s "$TREE/$CFG" "$SCRATCH/cfg-before" || cmp -s "$TREE/$CFG" "$SCRATCH/cfg-after" ||
		problem "$1: the menu is neither the old nor the new one before recovery"
	live recover
	[ "$STATUS" -eq 0 ] || {
		problem "$1: recover ends with $STATUS: $(head -n 3 "$ERR")"
		return
	}
	list_root_untimed "$SCRATCH/now"
	if cmp -s "$SCRATCH/now" "$SCRATCH/list-before"; then
		OLD=$((OLD + 1))
	elif cmp -s "$SCRATCH/now" "$SCRATCH/list-after"; then
		NEW=$((NEW + 1))
	else
		problem "$1: the tree is neither the old nor the new one"
		diff "$SCRATCH/list-before" "$SCRATCH/now" >"$SCRATCH/versus-old"
		[ "$BAD" -gt 3 ] || note_file 'against the old' "$SCRATCH/versus-old"
	fi
	[ ! -L "$TREE/var/lib/strix-provision/open" ] || problem "$1: a transaction is still open after recover"
}

sweep() { # WHAT START ARGUMENTS...: the tree START is a saved one
	what=$1 start=$2
	shift 2
	BAD=0 OLD=0 NEW=0 TRIED=0
	restore "$start"
	list_root_untimed "$SCRATCH/list-before"
	cp "$TREE/$CFG" "$SCRATCH/cfg-before"
	points "$SCRATCH/points" "$@"
	check "$what under strace (exit status $STATUS)" test "$STATUS" -eq 0
	list_root_untimed "$SCRATCH/list-after"
	cp "$TREE/$CFG" "$SCRATCH/cfg-after"
	check "$what changes the menu" sh -c "! cmp -s '$SCRATCH/cfg-before' '$SCRATCH/cfg-after'"
	sample "$SCRATCH/points" "$SP_CRASH_MAX" >"$SCRATCH/tried"
	while read -r call nth; do
		restore "$start"
		SP_AS="strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$nth"
		live "$@" </dev/null
		SP_AS=
		TRIED=$((TRIED + 1))
		judge "$what killed at $call number $nth"
	done <"$SCRATCH/tried"
	check "$what killed at $TRIED of $(wc -l <"$SCRATCH/points") calls: all recovered" test "$BAD" -eq 0
	check "$what: some ended as the old tree ($OLD), some as the new one ($NEW)" test "$OLD" -gt 0 -a "$NEW" -gt 0
}

new_system zbook-128-debian13
live detect --json
[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"
save pristine
sweep apply pristine apply --yes
restore pristine
live apply --yes
save applied
: >"$TREE/boot/vmlinuz-6.19.1+deb13-amd64" # so that rollback has to generate
generate_menu
save updated
sweep rollback applied rollback --yes
sweep 'rollback that generates' updated rollback --yes
done_testing
