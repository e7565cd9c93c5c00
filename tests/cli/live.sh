#!/bin/sh
# SPDX-License-Identifier: MIT
# The running system: root and machine are both "/", and we are in no chroot. A recorded machine becomes "/" in a mount
# namespace of its own, with our program and its libraries bound below /host; its /proc and /sys are plain files, which
# is what lets an unprivileged test set "kernel" values. (/proc/1/root points to "/", so it is no chroot to the program.)
#
#   apply sets sysctl and THP values at once, records the old ones, and reads them back
#   verify finds them live before any reboot; rollback puts them back where ours still stand
. "${SP_SRCDIR:-.}/tests/lib.sh"

loader=$(sed -n 's/.*\(\/lib[^ ]*ld-linux[^ ]*\).*/\1/p' <<EOF
$(ldd "$SP_BIN" 2>/dev/null)
EOF
)
loader=$(readlink -f "$loader") # its own link may be an absolute one
[ -n "$loader" ] || skip_all "cannot tell the dynamic loader of $SP_BIN"
libraries=$(ldd "$SP_BIN" | sed -n 's/.*=> \(\/[^ ]*\)\/[^ /]* (.*/\/host\1/p' | sort -u | tr '\n' ':')

as_namespace=
if [ "$(id -u)" != 0 ]; then
	as_namespace=-r
fi
# shellcheck disable=SC2086 # one option or none
unshare -m $as_namespace true 2>/dev/null || skip_all "no mount namespaces here"

new_machine zbook-64-fedora
mkdir -p "$TREE/host" "$TREE/proc/1"
ln -s / "$TREE/proc/1/root"
rm -f "$TREE/proc/self" 2>/dev/null
printf '60\n' >"$TREE/proc/sys/vm/swappiness"
printf '20\n' >"$TREE/proc/sys/vm/dirty_ratio"
printf 'always [madvise] never\n' >"$TREE/sys/kernel/mm/transparent_hugepage/enabled"

live() { # ARGS...: run in the namespace; like sp of tests/lib.sh
	SP_LAST="strix-provision $*  (as the running system)"
	STATUS=0
	# shellcheck disable=SC2086,SC2016 # one option or none; the inner shell expands
	unshare -m $as_namespace sh -c '
		tree=$1 loader=$2 libraries=$3 program=$4 data=$5
		shift 5
		mount --rbind / "$tree/host" &&
			exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin GCOV_PREFIX=/host \
				STRIX_PROVISION_DATADIR="/host$data" chroot "$tree" \
				"/host$loader" --library-path "$libraries" "/host$program" "$@"
	' sh "$TREE" "$loader" "$libraries" "$SP_BIN" "$SP_SRCDIR" "$@" >"$OUT" 2>"$ERR" </dev/null || STATUS=$?
}

value() { # FILE below the tree
	cat "$TREE/$1"
}

live detect --json
[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"
list_root "$SCRATCH/before"

live plan
expect_status 'plan on the running system' 0
expect_match 'plan says which values are set at once' "$OUT" 'set /proc/sys/vm/swappiness to 1'
expect_same_value() { # DESCRIPTION FILE EXPECTED
	check "$1 ($3)" test "$(value "$2")" = "$3"
}
expect_same_value 'plan sets nothing' proc/sys/vm/swappiness 60

live apply --yes
expect_status 'apply on the running system' 0
expect_same_value 'apply sets swappiness' proc/sys/vm/swappiness 1
expect_same_value 'apply sets dirty_ratio' proc/sys/vm/dirty_ratio 40
expect_same_value 'apply sets transparent huge pages' sys/kernel/mm/transparent_hugepage/enabled always
expect_same_value 'apply leaves the distribution a higher value' proc/sys/vm/max_map_count 1048576

live verify --json
expect_status 'verify before the reboot' 8
check 'verify finds swappiness live' sh -c "python3 - \"\$1\" <<'EOF'
import json, sys
checks = json.load(open(sys.argv[1]))['checks']
live = [c['result'] for c in checks if c['id'] == 'swappiness' and c['layer'] == 'live']
sys.exit(live != ['ok'])
EOF" sh "$OUT"

live apply --yes
expect_status 'apply again' 0
expect_match 'apply again has nothing to do' "$OUT" 'nothing to change'

printf '33\n' >"$TREE/proc/sys/vm/dirty_ratio" # somebody's own value since
live rollback --yes
expect_status 'rollback on the running system' 0
expect_same_value 'rollback puts swappiness back' proc/sys/vm/swappiness 60
expect_same_value 'rollback puts transparent huge pages back' sys/kernel/mm/transparent_hugepage/enabled madvise
expect_same_value 'rollback leaves what somebody set since' proc/sys/vm/dirty_ratio 33
list_root "$SCRATCH/after"
expect_same 'the tree is as before' "$SCRATCH/before" "$SCRATCH/after"

printf '20\n' >"$TREE/proc/sys/vm/dirty_ratio"
live apply --yes
live apply --yes --gtt 40G
expect_status 'two applies, one after the other' 0
live rollback --yes
expect_status 'rollback of the second' 0
expect_same_value 'what the first set still stands' proc/sys/vm/swappiness 1
live verify
expect_status 'and verify finds it' 8
live rollback --yes
expect_status 'rollback of the first' 0
expect_same_value 'then swappiness is put back' proc/sys/vm/swappiness 60
live apply --yes
live apply --yes --gtt 40G
printf '33\n' >"$TREE/proc/sys/vm/dirty_ratio"
live rollback --yes --all
expect_status 'rollback of both at once' 0
expect_same_value 'swappiness is put back' proc/sys/vm/swappiness 60
expect_same_value 'what somebody set since is left' proc/sys/vm/dirty_ratio 33

printf '20\n' >"$TREE/proc/sys/vm/dirty_ratio"
printf 'always [madvise] never\n' >"$TREE/sys/kernel/mm/transparent_hugepage/enabled"
live apply --yes
live apply --yes --without swappiness --without thp
expect_status 'an apply that leaves out what an earlier one set' 0
expect_same_value 'swappiness goes back' proc/sys/vm/swappiness 60
expect_same_value 'transparent huge pages, too' sys/kernel/mm/transparent_hugepage/enabled madvise
live apply --yes
expect_match 'once is enough' "$OUT" 'nothing to change'
live rollback --yes
expect_same_value 'rollback of that sets swappiness again' proc/sys/vm/swappiness 1
expect_same_value 'and transparent huge pages' sys/kernel/mm/transparent_hugepage/enabled always
live rollback --yes --all
expect_same_value 'rollback of all puts swappiness back' proc/sys/vm/swappiness 60
expect_same_value 'and transparent huge pages' sys/kernel/mm/transparent_hugepage/enabled madvise

live --root / apply --reboot
expect_status 'no terminal and no --yes' 2
done_testing
