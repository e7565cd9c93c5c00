#!/bin/sh
# SPDX-License-Identifier: MIT
# Kill the program at every system call that changes a disk, recover, and look: the tree is the old or the new one, in
# full. strace(1) delivers SIGKILL as the Nth call of a kind begins; children (one that would thaw /boot) live on.
#
#   1. apply, killed at each call                      recover -> before or after
#   2. apply, killed; recover, killed; recover again   a sample
#   3. rollback, killed; recover                       a sample
#
# At most SP_CRASH_MAX points of the first kind are tried (default 150, spread evenly); SP_CRASH_FULL=1 tries all.
. "${SP_SRCDIR:-.}/tests/lib.sh"

# Calls that make a change or make it durable; a name that this strace does not know is left out ('?').
CALLS='fsync fdatasync syncfs sync rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat symlinkat linkat
	write pwrite64 fallocate ftruncate fchmod fchmodat fchown fchownat fsetxattr utimensat ioctl'
SP_CRASH_MAX=${SP_CRASH_MAX:-150}
SP_CRASH_MAX_REST=${SP_CRASH_MAX_REST:-40}
[ -z "${SP_CRASH_FULL:-}" ] || SP_CRASH_MAX=100000 SP_CRASH_MAX_REST=100000
ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer traces, too, and only one can
export ASAN_OPTIONS

command -v strace >/dev/null 2>&1 || skip_all 'no strace'
strace -qq -o /dev/null -e trace=write -e inject=write:signal=KILL:when=99 true 2>/dev/null ||
	skip_all 'strace may not trace, or cannot inject, here'

trace_list() {
	list=
	for call in $CALLS; do list="$list${list:+,}?$call"; done
	echo "$list"
}
TRACE=$(trace_list)

count_points() { # FILE ARGUMENTS...: "CALL N" for every call that a whole run makes
	points=$1
	shift
	SP_AS="strace -qq -o $SCRATCH/strace -e trace=$TRACE"
	sp "$@"
	SP_AS=
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$SCRATCH/strace" | awk '{ print $1, ++n[$1] }' >"$points"
}

sample() { # FILE MAX: about that many of its lines, spread evenly, and the last
	awk -v max="$2" '{ line[NR] = $0 }
		END { step = NR > max ? NR / max : 1
		      for (i = 1; int(i) < NR; i += step) print line[int(i)]
		      if (NR > 0) print line[NR] }' "$1"
}

sp_killed_at() { # CALL N ARGUMENTS...
	call=$1 nth=$2
	shift 2
	SP_AS="strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$nth"
	sp "$@"
	SP_AS=
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

state_of_tree() { # OLD NEW: which of two listings the tree is; the old one with mtimes, the new one without
	list_root "$SCRATCH/now"
	list_root_untimed "$SCRATCH/now-untimed"
	if cmp -s "$SCRATCH/now" "$1"; then
		echo old
	elif cmp -s "$SCRATCH/now-untimed" "$2"; then
		echo new
	else
		echo neither
		diff -u "$1" "$SCRATCH/now" | grep '^[-+]' >"$SCRATCH/versus-old"
		diff -u "$2" "$SCRATCH/now-untimed" | grep '^[-+]' >"$SCRATCH/versus-new"
	fi
}

every_entry_can_boot() { # even before anything is recovered
	for entry in "$TREE"/boot/loader/entries/*.conf; do
		grep -q '^linux /' "$entry" && grep -q '^initrd /' "$entry" && grep -q '^options .*root=' "$entry" || return 1
	done
}

problem() { # what went wrong at one point, told once
	BAD=$((BAD + 1))
	[ "$BAD" -le 5 ] || return 0
	note "$*"
}

recovered_state() { # POINT OLD NEW: recover and judge; counts in OLD_COUNT, NEW_COUNT, BAD
	every_entry_can_boot || problem "$1: an entry is not complete before recovery"
	sp recover
	[ "$STATUS" -eq 0 ] || {
		problem "$1: recover ends with $STATUS: $(head -n 3 "$ERR")"
		return
	}
	state=$(state_of_tree "$2" "$3")
	case $state in
	old) OLD_COUNT=$((OLD_COUNT + 1)) ;;
	new) NEW_COUNT=$((NEW_COUNT + 1)) ;;
	*)
		problem "$1: the tree is neither the old nor the new one"
		[ "$BAD" -gt 5 ] || {
			note_file 'against the old' "$SCRATCH/versus-old"
			note_file 'against the new' "$SCRATCH/versus-new"
		}
		return
		;;
	esac
	[ ! -L "$TREE/var/lib/strix-provision/open" ] || problem "$1: a transaction is still open after recover"
	sp verify
	case $state.$STATUS in
	old.3 | old.8 | old.0 | new.8) ;;
	*) problem "$1: the tree is the $state one, but verify ends with $STATUS" ;;
	esac
}

begin() { BAD=0 OLD_COUNT=0 NEW_COUNT=0 TRIED=0; }

# --- 1: apply -------------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
save_tree pristine
list_root "$SCRATCH/old"
list_root_untimed "$SCRATCH/old-untimed"
count_points "$SCRATCH/points" apply --yes
[ "$STATUS" -eq 0 ] || {
	fail "apply under strace (exit status $STATUS)"
	note_file 'standard error' "$ERR"
	done_testing
	exit 0
}
list_root "$SCRATCH/new"
list_root_untimed "$SCRATCH/new-untimed"
save_tree applied
TOTAL=$(wc -l <"$SCRATCH/points")
check "one apply makes calls that change the disk ($TOTAL)" test "$TOTAL" -gt 20
check 'some of them are renames, some make things durable' grep -q 'rename\|fsync' "$SCRATCH/points"

begin
sample "$SCRATCH/points" "$SP_CRASH_MAX" >"$SCRATCH/tried"
while read -r call nth; do
	restore_tree pristine
	sp_killed_at "$call" "$nth" apply --yes
	TRIED=$((TRIED + 1))
	recovered_state "apply killed at $call number $nth" "$SCRATCH/old" "$SCRATCH/new-untimed"
done <"$SCRATCH/tried"
check "apply killed at $TRIED of $TOTAL calls: all recovered" test "$BAD" -eq 0
check "some ended as the old tree ($OLD_COUNT)" test "$OLD_COUNT" -gt 0
check "some ended as the new tree ($NEW_COUNT)" test "$NEW_COUNT" -gt 0

restore_tree pristine
read -r call nth <<END
$(sed -n "$((TOTAL / 2))p" "$SCRATCH/points")
END
sp_killed_at "$call" "$nth" apply --yes
sp apply --yes
expect_status 'apply recovers by itself what was interrupted, and then applies' 0
list_root_untimed "$SCRATCH/now"
expect_same 'the tree is the new one' "$SCRATCH/new-untimed" "$SCRATCH/now"
sp rollback --yes
expect_status 'rollback of that' 0
list_root "$SCRATCH/now"
expect_same 'the tree is the old one' "$SCRATCH/old" "$SCRATCH/now"

# --- 2: recover -----------------------------------------------------------------------------------------------------

begin
RENAMES=$(grep -c '^renameat2 ' "$SCRATCH/points")
for nth in 1 $((RENAMES / 2)) "$RENAMES"; do
	[ "$nth" -gt 0 ] || continue
	restore_tree pristine
	sp_killed_at renameat2 "$nth" apply --yes
	save_tree interrupted
	count_points "$SCRATCH/recover-points" recover
	sample "$SCRATCH/recover-points" $((SP_CRASH_MAX_REST / 3 + 1)) >"$SCRATCH/tried"
	while read -r call again; do
		restore_tree interrupted
		sp_killed_at "$call" "$again" recover
		TRIED=$((TRIED + 1))
		recovered_state "apply killed at rename $nth, recover killed at $call number $again" \
			"$SCRATCH/old" "$SCRATCH/new-untimed"
	done <"$SCRATCH/tried"
done
check "recover killed at $TRIED calls: all recovered by the next" test "$BAD" -eq 0
check 'recover had something to be killed at' test "$TRIED" -gt 0

# --- 3: rollback ----------------------------------------------------------------------------------------------------

restore_tree applied
count_points "$SCRATCH/rollback-points" rollback --yes
check "rollback under strace (exit status $STATUS)" test "$STATUS" -eq 0
begin
sample "$SCRATCH/rollback-points" "$SP_CRASH_MAX_REST" >"$SCRATCH/tried"
while read -r call nth; do
	restore_tree applied
	sp_killed_at "$call" "$nth" rollback --yes
	TRIED=$((TRIED + 1))
	recovered_state "rollback killed at $call number $nth" "$SCRATCH/old" "$SCRATCH/new-untimed"
done <"$SCRATCH/tried"
check "rollback killed at $TRIED calls: all recovered" test "$BAD" -eq 0

# --- 4: signals that can wait, and what others do before anybody recovers --------------------------------------------

sp_signalled_at() { # SIGNAL CALL N ARGUMENTS...
	signal=$1 call=$2 nth=$3
	shift 3
	SP_AS="strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=$signal:when=$nth"
	sp "$@"
	SP_AS=
}

for signal in INT TERM HUP; do
	restore_tree pristine
	sp_signalled_at $signal renameat2 1 apply --yes
	expect_status "apply with SIG$signal in the middle ends as if there had been none" 0
	check 'the tree is the new one' test "$(state_of_tree "$SCRATCH/old" "$SCRATCH/new-untimed")" = new
done
restore_tree interrupted
sp_signalled_at TERM renameat2 1 recover
check 'recover with a signal in the middle first recovers' test "$(state_of_tree "$SCRATCH/old" "$SCRATCH/new-untimed")" = old
check 'nothing is open any more' test ! -L "$TREE/var/lib/strix-provision/open"
restore_tree interrupted
sp_signalled_at TERM renameat2 1 apply --yes
check 'apply that was told to end while it recovered ends after that' \
	test "$(state_of_tree "$SCRATCH/old" "$SCRATCH/new-untimed")" = old

restore_tree pristine
SP_AS="strace -qq -o /dev/null -e trace=fchmod -e inject=fchmod:error=EIO:when=$(grep -c '^fchmod ' "$SCRATCH/points")"
sp apply --yes
SP_AS=
expect_status 'apply that cannot write state.json at the end says that something is left to do' 5
cat "$ERR" >>"$OUT"
expect_match 'and what to do' "$OUT" 'strix-provision recover'
sp recover
expect_status 'recover does it' 0
check 'the tree is the new one' test "$(state_of_tree "$SCRATCH/old" "$SCRATCH/new-untimed")" = new

for limit_blocks in 0 1 4 8; do
	restore_tree pristine
	STATUS=$(ulimit -f "$limit_blocks" && sp apply --yes && echo "$STATUS")
	expect_status "apply where files may have $limit_blocks blocks only" 1
	check 'the tree is the old one' test "$(state_of_tree "$SCRATCH/old" "$SCRATCH/new-untimed")" = old
	check 'and nothing is open' test ! -L "$TREE/var/lib/strix-provision/open"
done

restore_tree applied
sp_killed_at renameat2 3 apply --yes --gtt 40G
published=$(grep -rl 'gttsize=40960' "$TREE/etc" "$TREE/boot/loader/entries" | grep -v '/\.' | head -n 1)
echo '# theirs' >>"$published"
sp recover
expect_status 'recover with a published file edited since' 5
expect_match 'the file is named' "$ERR" "$(basename "$published")"
expect_match 'the edit is kept' "$published" '^# theirs$'
sp status --json
expect_match 'status knows that the transaction was undone' "$OUT" '"state": *"undone"'
expect_match 'status says that nothing is interrupted' "$OUT" '"interrupted": *false'

done_testing
