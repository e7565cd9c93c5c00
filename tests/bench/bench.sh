#!/bin/sh
# SPDX-License-Identifier: MIT
# Ratios from one run, for docs/performance.md. Not a test: nothing here is a limit.
#
#   make bench                  RUNS=9: how often each is measured; the medians are shown
#
# apply is compared with tests/bench/yardstick.c, which writes the same files durably, one by one; commands that only
# read with tests/bench/empty.c, which is linked with the same libraries and does nothing. Both take turns, on fresh
# copies of the same tree. Set by make: SP_BIN, SP_TREE, SP_SRCDIR, SP_BENCH (the folder of the built programs).
set -eu
umask 022
LC_ALL=C
export LC_ALL
: "${RUNS:=9}"
STRIX_PROVISION_DATADIR=$SP_SRCDIR
export STRIX_PROVISION_DATADIR
DIR=$(mktemp -d "${TMPDIR:-/tmp}/strix-bench.XXXXXX")
trap 'chmod -R u+rwX "$DIR"; rm -rf "$DIR"' EXIT
trap 'exit 1' HUP INT TERM

ID=5a3b0c9d8e7f41628394a5b6c7d8e9f0

new_tree() { # DIR ENTRIES: the ZBook with so many boot entries (0: as it is)
	[ ! -e "$1" ] || { chmod -R u+rwX "$1" && rm -rf "$1"; }
	"$SP_TREE" unpack "$SP_SRCDIR/tests/machines/zbook-64-fedora" "$1"
	[ "$2" -gt 0 ] || return 0
	cp "$1/boot/loader/entries/$ID-6.19.8-200.fc43.x86_64.conf" "$DIR/template"
	rm "$1"/boot/loader/entries/*
	i=0
	while [ "$i" -lt "$2" ]; do
		i=$((i + 1))
		sed "s/6\.19\.8-200/6.19.8-$i/g" "$DIR/template" >"$1/boot/loader/entries/$ID-6.19.8-$i.fc43.x86_64.conf"
	done
}

median() { # FILE FIELD
	cut -d ' ' -f "$2" "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

spread() { # FILE: quickest and slowest, ms
	cut -d ' ' -f 1 "$1" | sort -n | awk '{ v[NR] = $1 / 1000 } END { printf "%.1f-%.1f", v[1], v[NR] }'
}


statuses() { # FILE: exit statuses that were seen
	cut -d ' ' -f 3 "$1" | sort -u | tr '\n' ' '
}

# --- writing --------------------------------------------------------------------------------------------------------

echo "Writing ($RUNS runs each, medians; ms, with quickest and slowest)"
printf '%8s %6s %22s %22s %8s %12s\n' entries files apply yardstick ratio 'apply/file'
for n in 3 30 300; do
	new_tree "$DIR/list" "$n"
	(cd "$DIR/list" && find . -type f ! -path './sys/*' ! -path './proc/*' ! -path './var/*' -exec cksum {} + | sort) >"$DIR/sums"
	"$SP_BIN" --root "$DIR/list" --machine "$DIR/list" apply --yes >/dev/null 2>&1
	(cd "$DIR/list" && find . -type f ! -path './sys/*' ! -path './proc/*' ! -path './var/*' -exec cksum {} + | sort) |
		comm -13 "$DIR/sums" - | sed 's,^[0-9]* [0-9]* \./,,' >"$DIR/changed"
	rm -f "$DIR/apply" "$DIR/yardstick"
	run=0
	while [ "$run" -lt "$RUNS" ]; do
		run=$((run + 1))
		new_tree "$DIR/tree" "$n"
		sync
		"$SP_BENCH/measure" "$DIR/apply" "$SP_BIN" --root "$DIR/tree" --machine "$DIR/tree" apply --yes
		new_tree "$DIR/tree" "$n"
		sync
		"$SP_BENCH/measure" "$DIR/yardstick" "$SP_BENCH/yardstick" "$DIR/list" "$DIR/tree" "$DIR/changed"
	done
	[ "$(statuses "$DIR/apply")$(statuses "$DIR/yardstick")" = '0 0 ' ] || { echo "a run failed" >&2 && exit 1; }
	files=$(wc -l <"$DIR/changed")
	awk -v n="$n" -v files="$files" -v a="$(median "$DIR/apply" 1)" -v y="$(median "$DIR/yardstick" 1)" \
		-v as="$(spread "$DIR/apply")" -v ys="$(spread "$DIR/yardstick")" 'BEGIN {
		printf "%8d %6d %9.1f %12s %9.1f %12s %8.2f %12.2f\n", n, files, a / 1000, "(" as ")", y / 1000, "(" ys ")",
			a / y, a / 1000 / files }'
done

# --- reading --------------------------------------------------------------------------------------------------------

echo
echo "Reading, ZBook 64 GB (medians; ms, KiB)"
printf '%-22s %8s %8s %10s %10s\n' command ms ratio 'peak KiB' children
new_tree "$DIR/tree" 0
"$SP_BIN" --root "$DIR/tree" --machine "$DIR/tree" apply --yes >/dev/null 2>&1
rm -f "$DIR/empty"
read_one() { # NAME ARGUMENTS...
	name=$1
	shift
	rm -f "$DIR/command" "$DIR/empty"
	run=0
	while [ "$run" -lt $((RUNS * 5)) ]; do
		run=$((run + 1))
		"$SP_BENCH/measure" "$DIR/command" "$SP_BIN" --root "$DIR/tree" --machine "$DIR/tree" "$@"
		"$SP_BENCH/measure" "$DIR/empty" "$SP_BENCH/empty"
	done
	children=unknown
	if command -v strace >/dev/null 2>&1; then
		strace -f -e trace=process -o "$DIR/trace" "$SP_BIN" --root "$DIR/tree" --machine "$DIR/tree" "$@" >/dev/null 2>&1 ||
			true
		children=$(grep -cE '(clone|clone3|fork|vfork)\(' "$DIR/trace" || true)
	fi
	awk -v name="$name" -v t="$(median "$DIR/command" 1)" -v e="$(median "$DIR/empty" 1)" \
		-v rss="$(median "$DIR/command" 2)" -v children="$children" 'BEGIN {
		printf "%-22s %8.2f %8.2f %10d %10s\n", name, t / 1000, t / e, rss, children }'
}
read_one detect detect
read_one 'detect --json' --json detect
read_one plan plan
read_one verify verify
read_one status status
read_one --version --version
awk -v e="$(median "$DIR/empty" 1)" -v rss="$(median "$DIR/empty" 2)" 'BEGIN {
	printf "%-22s %8.2f %8.2f %10d %10d\n", "an empty program", e / 1000, 1, rss, 0 }'
