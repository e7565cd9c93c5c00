#!/bin/sh
# SPDX-License-Identifier: MIT
# What a program that we start gets of us and of our caller: on the running system (as in live.sh), with a grub-mkconfig
# that writes down what it has. The caller is as odd as can be: variables of all kinds, umask 0, open descriptors,
# ignored signals, another folder, a limit of memory of its own.
. "${SP_SRCDIR:-.}/tests/lib.sh"

. "$SP_SRCDIR/tests/lib-live.sh"

new_system zbook-128-debian13
live detect --json
[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"

mv "$TREE/usr/sbin/grub-mkconfig" "$TREE/usr/sbin/grub-mkconfig-real"
cat >"$TREE/usr/sbin/grub-mkconfig" <<'END'
#!/bin/sh
# Only what the shell has built in: there is nothing else in this tree. The real one reads /etc/default/grub.d.
while IFS= read -r line || [ -n "$line" ]; do echo "environment: $line"; done </host/proc/$$/environ >/seen
{
	echo "folder: $(pwd -P)"
	echo "umask: $(umask)"
	for fd in /host/proc/$$/fd/*; do echo "descriptor: ${fd##*/}"; done
	while read -r key value; do
		case $key in SigBlk: | SigIgn: | CapEff: | NoNewPrivs:) echo "$key $value" ;; esac
	done </host/proc/$$/status
	while read -r line; do
		case $line in 'Max data size '* | 'Max core file size '*) echo "limit: $line" ;; esac
	done </host/proc/$$/limits
	echo "arguments: $#"
} >>/seen
. /usr/sbin/grub-mkconfig-real
END
chmod 755 "$TREE/usr/sbin/grub-mkconfig"

odd_caller() { # ARGS: as live() of lib-live.sh, but with what it keeps away
	SP_LAST="strix-provision $*  (as the running system)"
	STATUS=0
	# shellcheck disable=SC2086,SC2016 # as there
	unshare -m $as_namespace sh -c '
		tree=$1 loader=$2 libraries=$3 program=$4 data=$5
		shift 5
		mount --rbind / "$tree/host" && mount --rbind /dev "$tree/dev" || exit 99
		exec 3</dev/null 4>/dev/null 5<>/dev/null 7</ 9>&1
		umask 0
		trap "" INT QUIT TERM USR1 USR2 ALRM CHLD
		ulimit -S -c unlimited 2>/dev/null || :
		cd /tmp
		exec env -i PATH=/tmp/evil:/usr/bin LD_PRELOAD= LD_LIBRARY_PATH=/tmp/evil IFS=x BASH_ENV=/tmp/evil \
			ENV=/tmp/evil HOME=/root TERM=xterm GRUB_CONFIG=/tmp/evil SECRET=7 \
			STRIX_PROVISION_DATADIR="/host$data" "$(command -v chroot)" "$tree" \
			"/host$loader" --library-path "$libraries" "/host$program" "$@"
	' sh "$TREE" "$loader" "$libraries" "$SP_BIN" "$SP_SRCDIR" "$@" >"$OUT" 2>"$ERR" </dev/null || STATUS=$?
}

odd_caller apply --yes
expect_status 'apply for an odd caller' 0
cp "$TREE/seen" "$SCRATCH/seen" 2>/dev/null || bail_out 'grub-mkconfig was not run'

sed -n 's/^environment: //p' "$SCRATCH/seen" | tr -d '\0' >"$SCRATCH/environment"
check 'the environment: PATH is ours, and there is a language' \
	grep -Eq '^PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin(LANG|LC_ALL)=[A-Za-z0-9_.@-]*$' \
	"$SCRATCH/environment"
expect_no_match 'the environment: nothing of the caller' "$SCRATCH/environment" 'evil|SECRET|HOME|TERM|IFS|STRIX'
expect_match 'the folder is /' "$SCRATCH/seen" '^folder: /$'
expect_match 'the umask is 022' "$SCRATCH/seen" '^umask: 0*022$'
# The shell holds the script itself, and opens (as 3) the folder that it lists.
check 'no descriptor of the caller is open' \
	sh -c '! grep -Eq "^descriptor: ([45679])$" "$1"' sh "$SCRATCH/seen"
expect_match 'no signal is held' "$SCRATCH/seen" '^SigBlk: 0+$'
# But 32 and 33, which the C library keeps for itself and ignores in what it starts.
expect_match 'no signal is ignored' "$SCRATCH/seen" '^SigIgn: 0+(180000000)?$'
expect_match 'no core dumps' "$SCRATCH/seen" '^limit: Max core file size +0 '
expect_no_match 'our limit of memory is not theirs' "$SCRATCH/seen" '^limit: Max data size +1073741824 '
expect_match 'it has no arguments' "$SCRATCH/seen" '^arguments: 0$'
if [ "$(id -u)" = 0 ]; then
	sed -n 's/^CapEff:[ \t]*//p' /proc/self/status >"$SCRATCH/own"
	expect_match 'on the running system it has what root has' "$SCRATCH/seen" "^CapEff: $(cat "$SCRATCH/own")\$"
else
	skip 'on the running system it has what root has' 'not root'
fi

done_testing
