# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# In front of every job: what it says on the console behind "::", the program, and what the running system shows.
KEPT=/var/lib/check-boot # between two starts
mkdir -p "$KEPT"
OUT=/run/out
ERR=/run/err
[ ! -d /usr/share/strix-provision ] || export STRIX_PROVISION_DATADIR=/usr/share/strix-provision

RESULTS=0

say() {
	case $1 in ok\ * | not\ ok\ *) RESULTS=$((RESULTS + 1)) ;; esac
	echo ":: $*"
}

note_file() { # FILE: what a person who reads a failure wants to know
	head -n 40 "$1" | sed 's/^/:: # /'
}

load() { # MODULE: not by the modprobe that busybox has itself
	for program in /usr/bin/modprobe /usr/sbin/modprobe; do
		[ ! -x "$program" ] || { "$program" "$1" && return; }
	done
}

check() { # DESCRIPTION COMMAND...
	what=$1
	shift
	if "$@" >/run/check 2>&1; then
		say "ok $what"
	else
		say "not ok $what"
		note_file /run/check
	fi
}

sp() { # STATUS ARGUMENTS...: the exit status that is right
	right=$1
	shift
	strix-provision "$@" >"$OUT" 2>"$ERR" </dev/null
	status=$?
	if [ "$status" = "$right" ]; then
		say "ok strix-provision $*: exit status $status"
	else
		say "not ok strix-provision $*: exit status $status where $right is right"
		note_file "$ERR"
		note_file "$OUT"
	fi
}

once() { # TOKEN: exactly so often in the running line
	tr ' ' '\n' </proc/cmdline | grep -cxF -e "$1" | grep -qx 1 || { cat /proc/cmdline && false; }
}

absent() { # KEY
	! tr ' ' '\n' </proc/cmdline | grep -e "^$1=" || false
}

shows() { # FILE REGEX
	grep -q -e "$2" "$1" || { echo "$1: $(cat "$1")" && false; }
}

keep() { # FILE: it is there at the next start, although nothing is unmounted
	cp "$1" "$KEPT/" && fsync "$KEPT/${1##*/}" 2>/dev/null || sync
}

iommu_types() {
	cat /sys/kernel/iommu_groups/*/type | sort -u | tr '\n' ' ' | sed 's/ $//'
}

iommu_is() { # WORD...: one of them, in every group
	case " $* " in *" $(iommu_types) "*) return 0 ;; esac
	iommu_types
	false
}

settings() { # what the settings of this program move, as the running system shows it
	echo "cmdline $(cat /proc/cmdline)"
	for file in /sys/module/ttm/parameters/* /sys/kernel/mm/transparent_hugepage/enabled /sys/kernel/iommu_groups/*/type \
		/proc/sys/vm/swappiness /proc/sys/vm/dirty_ratio /proc/sys/vm/dirty_background_ratio /proc/sys/vm/max_map_count \
		/proc/sys/vm/zone_reclaim_mode; do
		[ ! -r "$file" ] || echo "$file $(cat "$file")"
	done
}

tree() { # [-m] what is on disk and could have been touched; -m: without times
	sp-tree list "$@" / etc boot efi
}

check_line() { # what the profile does by boot arguments, with a GTT of 1 GiB
	check 'ttm.pages_limit is on the line, once' once ttm.pages_limit=262144
	check 'iommu=pt is on the line, once' once iommu=pt
	check 'transparent_hugepage=always is on the line, once' once transparent_hugepage=always
	check 'ttm took the limit' shows /sys/module/ttm/parameters/pages_limit '^262144$'
	check 'huge pages are always' shows /sys/kernel/mm/transparent_hugepage/enabled '\[always\]'
	check 'every IOMMU group is identity' iommu_is identity
}

check_settings() { # all of it
	check_line
	check 'swappiness' shows /proc/sys/vm/swappiness '^1$'
	check 'dirty_ratio' shows /proc/sys/vm/dirty_ratio '^40$'
	check 'dirty_background_ratio' shows /proc/sys/vm/dirty_background_ratio '^10$'
	[ ! -x /usr/bin/systemctl ] || check_environment
}

check_environment() { # as a session of a user sees it
	check 'a session of a user starts' session tester
	check 'its environment is ours' grep -qx 'RADV_PERFTEST=nogttspill' /run/session
}

first_start() { # before anything is done
	settings >/run/settings
	tree >/run/tree
	keep /run/settings
	keep /run/tree
	check 'the IOMMU translates' iommu_is 'DMA' 'DMA-FQ'
	for key in ttm.pages_limit iommu transparent_hugepage amdgpu.gttsize; do
		check "$key is not on the line" absent "$key"
	done
}

session() { # USER: what its own systemd gives to what it starts
	systemctl start "user@$(id -u "$1")" &&
		su "$1" -c "XDG_RUNTIME_DIR=/run/user/$(id -u "$1") systemctl --user show-environment" >/run/session
}

# --- units ------------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # the jobs behind it read these three
STATE=/var/lib/strix-provision
# shellcheck disable=SC2034
RIGHT=e785639863444c18954df6dc8f9d1611   # message ids of the journal's catalogue
# shellcheck disable=SC2034
RESTART=db968ca53e4e4567bb7c3d26d0ca9ac9

told() { # UNIT MESSAGE-ID: in the journal of this start
	journalctl -q -b -u "strix-provision-$1" -o cat MESSAGE_ID="$2" | grep . || { journalctl -b -u "strix-provision-$1" && false; }
}

skipped() { # UNIT: its condition did not hold
	[ "$(systemctl show -P ConditionResult "strix-provision-$1")" = no ] || { systemctl status "strix-provision-$1" && false; }
}

none_failed() {
	! systemctl --failed --no-legend | grep strix-provision
}

no_cycle() { # systemd breaks one by leaving something out
	! journalctl -b -o cat | grep -A 3 'ordering cycle'
}

# --- a trial ------------------------------------------------------------------------------------------------------------

VARIABLE=/sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
for GRUBENV in /boot/grub2/grubenv /boot/grub/grubenv ''; do
	[ ! -e "$GRUBENV" ] || break
done

chosen() { # what the loader is to start once
	if [ -n "$GRUBENV" ]; then
		sed -n 's/^next_entry=//p' "$GRUBENV"
	elif [ -e "$VARIABLE" ]; then
		tail -c +5 "$VARIABLE" | tr -d '\000'
	fi
}

choose() { # NAME: as the loader's own tool would
	if [ -n "$GRUBENV" ]; then
		cp -p "$GRUBENV" "$KEPT/grubenv"
		{ grep -v -e '^##' -e '^next_entry=' "$GRUBENV" && echo "next_entry=$1"; } >/run/grubenv
		{ cat /run/grubenv && head -c 1024 /dev/zero | tr '\000' '#'; } | head -c 1024 >"$GRUBENV"
	else
		{ printf '\007\000\000\000' && printf '%s' "$1" | sed 's/./&\n/g' | tr '\n' '\000' && printf '\000\000'; } >/run/variable
		dd if=/run/variable of="$VARIABLE" bs=4096 2>/dev/null
	fi
	sync
	check "the loader is told to start $1 once" [ "$(chosen)" = "$1" ]
}

unchoose() { # the loader leaves "next_entry=" where nothing was
	[ -z "$GRUBENV" ] || cp -p "$KEPT/grubenv" "$GRUBENV"
	sync
}

extra_entry() { # NAME: trial or before; what the loader calls ours, where it is in the menu
	if [ -z "$GRUBENV" ]; then
		find /efi/loader/entries -name "*~strix-$1.conf" | sed 's/.*\///'
	else
		sed -n "s/^menuentry .*--id \\(strix-provision-$1\\) .*/\\1/p" "${GRUBENV%/*}/custom.cfg" 2>/dev/null
	fi
}

is_chosen() { # trial, before, or nothing
	entry=${1:+$(extra_entry "$1")}
	[ "$(chosen)" = "$entry" ] && [ "${entry:+yes}" = "${1:+yes}" ] || { echo "'$(chosen)' is chosen, not '$entry'" && false; }
}

default_line() { # of the entry that boots by default, as it is on disk
	if [ -z "$GRUBENV" ]; then
		sed -n 's/^options //p' /efi/loader/entries/*@KERNEL@.conf
	elif [ -d /boot/loader/entries ]; then
		sed -n 's/^options //p' /boot/loader/entries/*@KERNEL@.conf
	else
		sed -n '/^### BEGIN .*10_linux/,/^### END/s/^[[:blank:]]*linux[[:blank:]][[:blank:]]*[^ ]* //p' /boot/grub/grub.cfg | head -n 1
	fi
}

trial_is() { # STATE [OUTCOME]: what status says of it
	strix-provision --json status >"$OUT" 2>"$ERR"
	sed -n -e '/^  "trial": {/,/^  }/p' -e 's/^  "trial": null/"state": "idle"/p' "$OUT" >/run/trial
	check "status: the trial is $1" shows /run/trial "\"state\": \"$1\""
	[ -z "${2:-}" ] || check "status: it was $2" shows /run/trial "\"outcome\": \"$2\""
}

panic_catalogue() { # a line with which no kernel comes up
	cp -r /usr/share/strix-provision /run/data
	cat >/run/data/grub/zz-panic.cfg <<-'EOF'
		settings = ( { id = "panic-rdinit"; key = "rdinit"; value = "/nonexistent"; summary = "panic"; },
			{ id = "panic-init"; key = "init"; value = "/nonexistent"; summary = "panic"; } );
	EOF
	STRIX_PROVISION_DATADIR=/run/data
}

as_before() { # after rollback and a restart
	settings >/run/settings
	tree >/run/tree
	check 'the running system is as before' diff -U 0 "$KEPT/settings" /run/settings
	check 'what is on disk is as before' diff -U 0 "$KEPT/tree" /run/tree
}
