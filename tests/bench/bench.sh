#!/bin/sh
# SPDX-License-Identifier: MIT
# Ratios from one run, for docs/performance.md. Not a test: nothing here is a limit.
#
#   make bench                  RUNS=9: how often each is measured; medians are shown
#                               PARTS="writing dropins looking others": only these tables
#                               GRUBBY=PATH: Fedora's script for boot entries, to compare with
#
# apply and rollback are compared with tests/bench/yardstick.c, which writes the same files durably, one by one; what
# only looks with tests/bench/empty.c, which is linked with the same libraries and does nothing. They take turns, on fresh
# copies of the same tree. Set by make: SP_BIN, SP_TREE, SP_SRCDIR, SP_BENCH (the folder of the built programs).
set -eu
umask 022
LC_ALL=C
export LC_ALL
: "${RUNS:=9}" "${PARTS:=writing dropins looking others}" "${GRUBBY:=}"
STRIX_PROVISION_DATADIR=$SP_SRCDIR
export STRIX_PROVISION_DATADIR
DIR=$(mktemp -d "${TMPDIR:-/tmp}/strix-bench.XXXXXX")
trap 'chmod -R u+rwX "$DIR"; rm -rf "$DIR"' EXIT
trap 'exit 1' HUP INT TERM

ID=5a3b0c9d8e7f41628394a5b6c7d8e9f0
ARGS='iommu=pt amdgpu.gttsize=60416 ttm.pages_limit=15466496 transparent_hugepage=always'

# --- trees ------------------------------------------------------------------------------------------------------------

new_tree() { # DIR ENTRIES [DROPINS]: the ZBook with so many boot entries (0: as it is) and foreign files in sysctl.d
	[ ! -e "$1" ] || { chmod -R u+rwX "$1" && rm -rf "$1"; }
	"$SP_TREE" unpack "$SP_SRCDIR/tests/machines/zbook-64-fedora" "$1"
	if [ "$2" -gt 0 ]; then
		cp "$1/boot/loader/entries/$ID-6.19.8-200.fc43.x86_64.conf" "$DIR/template"
		rm "$1"/boot/loader/entries/*
		for i in $(seq "$2"); do
			sed "s/6\.19\.8-200/6.19.8-$i/g" "$DIR/template" >"$1/boot/loader/entries/$ID-6.19.8-$i.fc43.x86_64.conf"
		done
	fi
	for i in $(seq "${3:-0}"); do
		printf '# somebody\nnet.core.somaxconn = %d\nkernel.sysrq=1\n' "$i" >"$1/etc/sysctl.d/50-other-$i.conf"
	done
}

sums() { # DIR: of everything that apply may change
	(cd "$1" && find . -type f ! -path './sys/*' ! -path './proc/*' ! -path './var/*' -exec cksum {} + | sort)
}

sp() { # FILE TREE ARGUMENTS...
	file=$1 tree=$2
	shift 2
	"$SP_BENCH/measure" "$file" "$SP_BIN" --root "$tree" --machine "$tree" "$@"
}

# --- numbers ----------------------------------------------------------------------------------------------------------

median() { # FILE FIELD
	cut -d ' ' -f "$2" "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

ms() { # FILE: median, quickest and slowest
	cut -d ' ' -f 1 "$1" | sort -n |
		awk '{ v[NR] = $1 / 1000 } END { printf "%.2f (%.1f-%.1f)", v[int((NR + 1) / 2)], v[1], v[NR] }'
}

ratio() { # FILE FILE
	awk -v a="$(median "$1" 1)" -v b="$(median "$2" 1)" 'BEGIN { printf "%.2f", a / b }'
}

check() { # STATUS FILE...
	want=$1
	shift
	for f in "$@"; do
		[ "$(cut -d ' ' -f 3 "$f" | sort -u)" = "$want" ] || { echo "bench: a run of ${f##*/} failed" >&2 && exit 1; }
	done
}

system_calls() { # ARGUMENTS...: how many, and how many children
	command -v strace >/dev/null 2>&1 || { echo '- -' && return; }
	strace -f -o "$DIR/trace" "$@" >/dev/null 2>&1 || true
	awk '/\(/ { n++ } / (clone|clone3|fork|vfork)\(/ { c++ } END { print n + 0, c + 0 }' "$DIR/trace"
}

# --- writing: N boot entries ----------------------------------------------------------------------------------------

one_writing_run() { # ENTRIES
	new_tree "$DIR/tree" "$1"
	sync
	sp "$DIR/apply" "$DIR/tree" apply --yes
	sync
	sp "$DIR/rollback" "$DIR/tree" rollback --yes
	new_tree "$DIR/tree" "$1"
	sync
	"$SP_BENCH/measure" "$DIR/yardstick" "$SP_BENCH/yardstick" "$DIR/list" "$DIR/tree" "$DIR/changed"
}

writing() {
	echo "Writing ($RUNS runs each; ms: median, quickest and slowest)"
	row='%8s %6s %24s %24s %6s %24s %6s %10s %8s %8s\n'
	# shellcheck disable=SC2059 # the format is above
	printf "$row" entries files yardstick apply ratio rollback ratio ms/file calls 'peak KiB'
	for n in ${NS:-3 30}; do
		new_tree "$DIR/list" "$n"
		sums "$DIR/list" >"$DIR/sums"
		# shellcheck disable=SC2046 # two numbers
		set -- $(system_calls "$SP_BIN" --root "$DIR/list" --machine "$DIR/list" apply --yes)
		sums "$DIR/list" | comm -13 "$DIR/sums" - | sed 's,^[0-9]* [0-9]* \./,,' >"$DIR/changed"
		rm -f "$DIR/apply" "$DIR/rollback" "$DIR/yardstick"
		for _ in $(seq "$RUNS"); do one_writing_run "$n"; done
		check 0 "$DIR/apply" "$DIR/rollback" "$DIR/yardstick"
		files=$(wc -l <"$DIR/changed")
		# shellcheck disable=SC2059
		printf "$row" "$n" "$files" "$(ms "$DIR/yardstick")" "$(ms "$DIR/apply")" "$(ratio "$DIR/apply" "$DIR/yardstick")" \
			"$(ms "$DIR/rollback")" "$(ratio "$DIR/rollback" "$DIR/yardstick")" \
			"$(awk -v t="$(median "$DIR/apply" 1)" -v n="$files" 'BEGIN { printf "%.2f", t / 1000 / n }')" "$1" \
			"$(median "$DIR/apply" 2)"
	done
	echo
}

# --- drop-ins: N files of others --------------------------------------------------------------------------------------

dropins() {
	echo "Drop-in files of others in sysctl.d (ms: median, quickest and slowest)"
	row='%8s %24s %24s %24s %24s %8s %8s\n'
	# shellcheck disable=SC2059
	printf "$row" files plan verify apply rollback 'calls' 'peak KiB'
	for n in 10 100 1000; do
		rm -f "$DIR/plan" "$DIR/verify" "$DIR/apply" "$DIR/rollback"
		for _ in $(seq "$RUNS"); do
			new_tree "$DIR/tree" 0 "$n"
			sp "$DIR/plan" "$DIR/tree" plan
			sp "$DIR/apply" "$DIR/tree" apply --yes
			sp "$DIR/verify" "$DIR/tree" verify
			sp "$DIR/rollback" "$DIR/tree" rollback --yes
		done
		check 0 "$DIR/plan" "$DIR/apply" "$DIR/rollback"
		# shellcheck disable=SC2046
		set -- $(system_calls "$SP_BIN" --root "$DIR/tree" --machine "$DIR/tree" plan)
		# shellcheck disable=SC2059
		printf "$row" "$n" "$(ms "$DIR/plan")" "$(ms "$DIR/verify")" "$(ms "$DIR/apply")" "$(ms "$DIR/rollback")" "$1" \
			"$(median "$DIR/plan" 2)"
	done
	echo
}

# --- looking ----------------------------------------------------------------------------------------------------------

looking_at() { # NAME ARGUMENTS...
	name=$1
	shift
	rm -f "$DIR/command" "$DIR/empty" "$DIR/empty-all"
	for _ in $(seq $((RUNS * 5))); do
		sp "$DIR/command" "$DIR/tree" "$@"
		"$SP_BENCH/measure" "$DIR/empty" "$SP_BENCH/empty"
		"$SP_BENCH/measure" "$DIR/empty-all" "$SP_BENCH/empty-all"
	done
	time=$(ms "$DIR/command") peak=$(median "$DIR/command" 2)
	all=$(ratio "$DIR/command" "$DIR/empty-all") linked=$(ratio "$DIR/command" "$DIR/empty")
	# shellcheck disable=SC2046
	set -- $(system_calls "$SP_BIN" --root "$DIR/tree" --machine "$DIR/tree" "$@")
	printf '%-16s %20s %8s %8s %8s %8s %9s\n' "$name" "$time" "$all" "$linked" "$1" "$peak" "$2"
}

looking() {
	echo 'Looking, ZBook 64 GB (ms: median, quickest and slowest); against an empty program with all libraries that may be'
	echo 'loaded, and with those only that always are'
	printf '%-16s %20s %8s %8s %8s %8s %9s\n' command ms all linked calls 'peak KiB' children
	new_tree "$DIR/tree" 0
	"$SP_BIN" --root "$DIR/tree" --machine "$DIR/tree" apply --yes >/dev/null 2>&1
	looking_at detect detect
	looking_at plan plan
	looking_at verify verify
	looking_at status status
	looking_at --version --version
	printf '%-16s %20s\n' 'empty, all' "$(ms "$DIR/empty-all")" 'empty, linked' "$(ms "$DIR/empty")"
	echo
}

# --- what people run today --------------------------------------------------------------------------------------------

other() { # NAME COMMAND...: measured where it is there
	name=$1
	shift
	rm -f "$DIR/other"
	for _ in 1 2 3; do "$SP_BENCH/measure" "$DIR/other" "$@"; done
	printf '%-40s %24s\n' "$name" "$(ms "$DIR/other")"
}

others() {
	echo 'What people run today, where it is there (ms of 3 runs)'
	for n in 3 30; do
		new_tree "$DIR/tree" "$n"
		[ -z "$GRUBBY" ] || other "grubby, $n entries" "$(command -v bash)" "$GRUBBY" --grub2 \
			-b "$DIR/tree/boot/loader/entries" --env "$DIR/tree/boot/grub2/grubenv" --update-kernel=ALL "--args=$ARGS"
		rm -f "$DIR/other"
		for _ in 1 2 3; do new_tree "$DIR/tree" "$n" && sp "$DIR/other" "$DIR/tree" apply --yes; done
		printf '%-40s %24s\n' "strix-provision apply, $n entries" "$(ms "$DIR/other")"
	done
	if command -v kernel-install >/dev/null 2>&1; then
		mkdir -p "$DIR/ki/boot/$ID" && echo "$ARGS" >"$DIR/ki/cmdline" && echo kernel >"$DIR/ki/vmlinuz"
		printf 'layout=bls\nBOOT_ROOT=%s\nMACHINE_ID=%s\n' "$DIR/ki/boot" "$ID" >"$DIR/ki/install.conf"
		other 'kernel-install add, one entry' "$(command -v env)" KERNEL_INSTALL_CONF_ROOT="$DIR/ki" \
			kernel-install add 6.19.8 "$DIR/ki/vmlinuz"
	fi
	! command -v grub-mkconfig >/dev/null 2>&1 ||
		other 'grub-mkconfig (this machine)' "$(command -v grub-mkconfig)" -o "$DIR/grub.cfg"
	! sysctl --help 2>/dev/null | grep -q dry-run || other 'sysctl --system --dry-run (this machine)' \
		"$(command -v sysctl)" --system --dry-run
}

for part in $PARTS; do "$part"; done
