# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the end-to-end tests share: TAP, scratch trees of recorded machines, running the program, and a simulated reboot.
#
# A test sources it first:  . "${SP_SRCDIR:-.}/tests/lib.sh"
# It is run by `make check`, or by hand from the top of the sources:
#     SP_BIN=./strix-provision SP_TREE=./tests/tools/sp-tree sh tests/cli/golden.sh
#
# Set by the caller: SP_BIN, SP_SRCDIR (top of the sources), SP_TREE (tests/tools/sp-tree). Each `sp` leaves its exit
# status in $STATUS, its data in the file $OUT and its talk in the file $ERR; $TREE is the machine in use.

set -u
umask 022
LC_ALL=C
export LC_ALL

: "${SP_SRCDIR:=.}"
SP_SRCDIR=$(cd "$SP_SRCDIR" && pwd) || exit 1
: "${SP_BIN:=$SP_SRCDIR/strix-provision}"
: "${SP_TREE:=$(dirname "$SP_BIN")/tests/tools/sp-tree}"
TESTS=$SP_SRCDIR/tests
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/strix-test.XXXXXX") || exit 1
chmod 755 "$SCRATCH" # an unprivileged user looks into it, too
OUT=$SCRATCH/out
ERR=$SCRATCH/err
STATUS=
TREE=

clean_up() {
	chmod -R u+rwX "$SCRATCH" 2>/dev/null
	rm -rf "$SCRATCH"
}
trap clean_up EXIT
trap 'exit 1' HUP INT PIPE TERM

# --- TAP ------------------------------------------------------------------------------------------------------------

TAP_COUNT=0
TAP_FAILED=0

bail_out() {
	echo "Bail out! $*"
	exit 1
}

note() { # what a person who reads a failure wants to know
	printf '%s\n' "$*" | sed 's/^/# /'
}

note_file() { # TITLE FILE: at most 40 lines of it
	[ -s "$2" ] || return 0
	echo "#   --- $1"
	sed -n '1,40s/^/#   /p' "$2"
	[ "$(wc -l <"$2")" -le 40 ] || echo "#   ..."
}

pass() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $*"
}

fail() {
	TAP_COUNT=$((TAP_COUNT + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $TAP_COUNT - $*"
}

skip() { # DESCRIPTION REASON
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1 # SKIP $2"
}

skip_all() { # REASON: the whole test
	echo "1..0 # SKIP $*"
	exit 0
}

done_testing() {
	[ "$TAP_FAILED" -eq 0 ] || note "$TAP_FAILED of $TAP_COUNT failed"
	echo "1..$TAP_COUNT"
}

check() { # DESCRIPTION COMMAND...: passes when the command does
	desc=$1
	shift
	if "$@" >"$SCRATCH/check" 2>&1; then
		pass "$desc"
	else
		fail "$desc"
		note "this did not hold: $*"
		note_file "it said" "$SCRATCH/check"
	fi
}

one_of() { # VALUE LIST: 8 in "0,8"
	case ",$2," in *",$1,"*) return 0 ;; esac
	return 1
}

expect_status() { # DESCRIPTION LIST: exit status of the last `sp`
	if one_of "$STATUS" "$2"; then
		pass "$1: exit status $STATUS"
	else
		fail "$1: exit status $STATUS where $2 is right"
		note "command: $SP_LAST"
		note_file "standard error" "$ERR"
		note_file "standard output" "$OUT"
	fi
}

expect_match() { # DESCRIPTION FILE REGEX (extended, case ignored)
	if grep -Eiq -e "$3" "$2"; then
		pass "$1"
	else
		fail "$1"
		note "nothing matches /$3/ after: ${SP_LAST:-}"
		note_file "in" "$2"
	fi
}

expect_no_match() { # DESCRIPTION FILE REGEX
	if grep -Eiq -e "$3" "$2"; then
		fail "$1"
		note "should not match /$3/, but does: $(grep -Ei -e "$3" "$2" | head -n 3)"
	else
		pass "$1"
	fi
}

expect_same() { # DESCRIPTION BEFORE AFTER: two files
	if diff -U 1 "$2" "$3" >"$SCRATCH/diff" 2>&1; then
		pass "$1"
	else
		fail "$1"
		note "after: ${SP_LAST:-}"
		note_file "difference" "$SCRATCH/diff"
	fi
}

# --- trees ----------------------------------------------------------------------------------------------------------

new_machine() { # NAME [FOLDER]: unpack a recorded machine and make it $TREE
	TREE=$SCRATCH/${2:-tree}
	[ ! -e "$TREE" ] || { chmod -R u+rwX "$TREE" && rm -rf "$TREE"; }
	"$SP_TREE" unpack "$TESTS/machines/$1" "$TREE" 2>"$SCRATCH/unpack" ||
		bail_out "cannot unpack $1: $(cat "$SCRATCH/unpack")"
	GENERATOR='' MENU=/boot/grub/grub.cfg BOOTS=''
	case $(sed -n 's/^ID=//p' "$TREE/usr/lib/os-release" 2>/dev/null) in
	debian | ubuntu) install_generator /usr/sbin/grub-mkconfig folder ;;
	arch)
		[ ! -e "$TREE/etc/default/grub" ] || install_generator /usr/bin/grub-mkconfig
		[ ! -e "$TREE/efi/EFI/Linux" ] || GENERATOR=ukify MENU=/efi/EFI/Linux/arch-linux.efi
		;;
	*suse*) [ -e "$TREE/usr/bin/sdbootutil" ] || { MENU=/boot/grub2/grub.cfg && install_generator /usr/sbin/grub2-mkconfig; } ;;
	esac
}

install_generator() { # PATH [folder]: the tree's grub-mkconfig; only Debian's reads a folder of drop-ins
	GENERATOR=$1
	mkdir -p "$TREE${1%/*}"
	if [ -n "${2:-}" ]; then cat "$TESTS/bin/grub-mkconfig"; else sed '/: begin$/,/: end$/d' "$TESTS/bin/grub-mkconfig"; fi \
		>"$TREE$1"
	chmod 755 "$TREE${1%/*}" "$TREE$1"
	touch -d @1767225600 "$TREE$1"
}

has_generated_menu() {
	[ -n "$GENERATOR" ]
}

make_addons() { # what ukify makes of our line for each image of this system, as the first boot of the tree would
	for image in arch-linux arch-linux-lts; do
		folder=$TREE/efi/EFI/Linux/$image.efi.extra.d
		[ -e "$TREE/etc/kernel/strix-provision.cmdline" ] || continue
		mkdir -p "$folder"
		python3 "$TESTS/bin/ukify" build --config=/dev/null "--cmdline=@$TREE/etc/kernel/strix-provision.cmdline" \
			"--output=$folder/strix-provision.addon.efi" || bail_out 'ukify'
	done
}

rollback_leaves_menu() { # is a menu left to be generated by a rollback of another tree? Addons just go
	has_generated_menu && [ "$GENERATOR" != ukify ]
}

generate_menu() { # what the tree's own grub-mkconfig does on its first boot; the same sources give the same file
	[ "$GENERATOR" != ukify ] || {
		make_addons
		return
	}
	SP_FAKE_ROOT=$TREE "$TREE$GENERATOR" >"$SCRATCH/grub.cfg" 2>"$SCRATCH/mkconfig" ||
		bail_out "grub-mkconfig: $(cat "$SCRATCH/mkconfig")"
	cat "$SCRATCH/grub.cfg" >"$TREE$MENU"
	touch -d '@1767225600.123456789' "$TREE$MENU"
}

list_root() { # FILE: what --root owns (all but sys and proc), without our state directory
	"$SP_TREE" list -x sys -x proc "$TREE" >"$1" || bail_out "sp-tree list"
}

list_root_untimed() { # FILE: the same without mtimes, to compare two applies
	"$SP_TREE" list -m -x sys -x proc "$TREE" >"$1" || bail_out "sp-tree list"
}

list_all() { # FILE: everything there is, inodes, ctimes and our state directory, too
	"$SP_TREE" list -a "$TREE" >"$1" || bail_out "sp-tree list"
}

edit_file() { # FILE SED-SCRIPT: in place, as an editor would that keeps mode and owner
	sed "$2" "$1" >"$SCRATCH/edit" || bail_out "sed $2"
	cat "$SCRATCH/edit" >"$1" || bail_out "cannot write $1"
}

put_grubenv() { # FILE NAME VALUE: set a variable, keep the size of 1024 bytes
	{
		grep -v -e '^##' -e "^$2=" "$1"
		printf '%s=%s\n' "$2" "$3"
	} >"$SCRATCH/grubenv.new"
	size=$(wc -c <"$SCRATCH/grubenv.new")
	awk -v n=$((1024 - size)) 'BEGIN { while (n-- > 0) printf "#" }' >>"$SCRATCH/grubenv.new"
	cat "$SCRATCH/grubenv.new" >"$1"
}

get_grubenv() { # FILE NAME
	sed -n "s/^$2=//p" "$1"
}

default_entry() { # id of the entry that boots when nobody chooses
	saved=$(get_grubenv "$TREE/boot/grub2/grubenv" saved_entry)
	if [ -z "$saved" ] || [ ! -e "$TREE/boot/loader/entries/$saved.conf" ]; then
		# shellcheck disable=SC2010 # our own names
		saved=$(cd "$TREE/boot/loader/entries" && ls | grep -v rescue | sort -V | tail -n 1)
		saved=${saved%.conf}
	fi
	echo "$saved"
}

entry_line() { # ID: first options line, $kernelopts replaced
	line=$(sed -n '/^options[ \t]/{s/^options[ \t]*//p;q;}' "$TREE/boot/loader/entries/$1.conf")
	case $line in
	*\$kernelopts*)
		opts=$(get_grubenv "$TREE/boot/grub2/grubenv" kernelopts)
		echo "${line%%\$kernelopts*}$opts${line#*\$kernelopts}"
		;;
	*) echo "$line" ;;
	esac
}

line_value() { # LINE KEY: what the kernel takes, the last one
	printf '%s\n' "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | tail -n 1
}

modprobe_value() { # MODULE PARAMETER: last of the files that modprobe reads
	for dir in usr/lib etc; do
		for file in "$TREE/$dir"/modprobe.d/*.conf; do
			[ ! -f "$file" ] || sed -n "s/^options $1 .*$2=\([^ ]*\).*/\1/p; s/^options $1 $2=\([^ ]*\).*/\1/p" "$file"
		done
	done | tail -n 1
}

poke() { # FILE VALUE: only where the kernel of this tree has the file
	[ ! -e "$TREE/$1" ] || printf '%s\n' "$2" >"$TREE/$1"
}

boot_sysctl() { # the values of sysctl.d as systemd-sysctl sets them: by name, the last one wins, /etc masks /usr/lib
	# shellcheck disable=SC2010 # our own names
	for name in $(cd "$TREE" && ls etc/sysctl.d usr/lib/sysctl.d 2>/dev/null | grep '\.conf$' | sort -u); do
		file=$TREE/etc/sysctl.d/$name
		[ -f "$file" ] || file=$TREE/usr/lib/sysctl.d/$name
		sed -n 's/^[ \t-]*vm\.\([a-z_]*\)[ \t]*=[ \t]*\(.*\)$/\1 \2/p' "$file"
	done >"$SCRATCH/sysctl"
	while read -r key value; do
		poke "proc/sys/vm/$key" "$value"
	done <"$SCRATCH/sysctl"
}

boot_gpu() { # LINE: what ttm and amdgpu make of it
	mem=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$TREE/proc/meminfo")
	pages=$(line_value "$1" ttm.pages_limit)
	pages=${pages:-$(modprobe_value ttm pages_limit)}
	pages=${pages:-$((mem / 8))}
	poke sys/module/ttm/parameters/pages_limit "$pages"
	gtt=$((pages * 4096))
	if [ -e "$TREE/sys/module/amdgpu/parameters/gttsize" ]; then
		mib=$(line_value "$1" amdgpu.gttsize)
		mib=${mib:-$(modprobe_value amdgpu gttsize)}
		poke sys/module/amdgpu/parameters/gttsize "${mib:--1}"
		[ "${mib:--1}" = -1 ] || gtt=$((mib * 1048576))
	fi
	[ "$gtt" -le $((mem * 1024)) ] || gtt=$((mem * 1024))
	for dir in "$TREE"/sys/bus/pci/devices/*; do
		[ ! -e "$dir/mem_info_gtt_total" ] || echo "$gtt" >"$dir/mem_info_gtt_total"
	done
}

firmware_mib() { # the carve-out that the firmware has been told to make at the next start, MiB; nothing: it is not known
	uma=$(ls "$TREE"/sys/bus/pci/devices/*/uma/carveout 2>/dev/null | head -n 1)
	hp=$(ls "$TREE"/sys/class/firmware-attributes/hp-bioscfg/attributes/*[Mm]emory*/current_value 2>/dev/null | head -n 1)
	if [ -n "$uma" ]; then
		text=$(sed -n "s/^$(cat "$uma"):.*(\(.*\))\$/\1/p" "${uma}_options")
	elif [ -n "$hp" ]; then
		text=$(cat "$hp")
	else
		return 0
	fi
	case $text in
	*[0-9]' MB') echo "${text% MB}" ;;
	*[0-9]' GB') echo $((${text% GB} * 1024)) ;;
	esac
}

boot_firmware() { # [MIB]: it makes that carve-out, whatever it was told; the rest is memory, less 1/64 for page structs
	next=${1:-$(firmware_mib)}
	vram=$(ls "$TREE"/sys/bus/pci/devices/*/mem_info_vram_total 2>/dev/null | head -n 1)
	[ -n "$next" ] && [ -n "$vram" ] || return 0
	now=$(($(cat "$vram") / 1048576))
	mem=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$TREE/proc/meminfo")
	mem=$((mem + (now - next) * 1024 - (now - next) * 1024 / 64))
	echo $((next * 1048576)) >"$vram"
	edit_file "$TREE/proc/meminfo" "s/^MemTotal:.*/MemTotal:       $mem kB/"
}

boot_kernel() { # LINE: transparent huge pages and the IOMMU
	case $(line_value "$1" transparent_hugepage) in
	always) thp='[always] madvise never' ;;
	never) thp='always madvise [never]' ;;
	*) thp='always [madvise] never' ;;
	esac
	poke sys/kernel/mm/transparent_hugepage/enabled "$thp"
	type=DMA-FQ
	[ "$(line_value "$1" iommu)" != pt ] || type=identity
	for file in "$TREE"/sys/kernel/iommu_groups/*/type; do
		[ ! -e "$file" ] || echo "$type" >"$file"
	done
}

boot_uki() { # the image that is the default
	booted=$(python3 "$TESTS/uki-line.py" "$TREE$MENU")
}

boot_generated() { # the first entry of a generated menu, which is the default one
	booted=$(sed -n 's/^[ \t]*linux[ \t]*//p' "$TREE$MENU" | head -n 1)
	kernel=${booted%% *}
	booted=${booted#* }
}

boot_refind() { # the first line of its file
	booted=$(sed -n '/^"/{s/^"[^"]*"[ \t]*"\(.*\)".*/\1/p;q;}' "$TREE/boot/refind_linux.conf")
	kernel=/boot/vmlinuz-linux
}

boot_limine() { # the first entry of limine.conf that has a line of its own
	booted=$(sed -n 's/^[ \t]*cmdline:[ \t]*//p' "$TREE/boot/limine.conf" | head -n 1)
}

boot_bls() { # [ENTRY-ID [TOKENS]]
	id=${1:-$(default_entry)}
	booted="$(entry_line "$id")${2:+ $2}"
	kernel=$(sed -n 's/^linux[ \t]*//p' "$TREE/boot/loader/entries/$id.conf")
}

sdboot_entries() { # paths of systemd-boot's entries in the tree
	for dir in efi boot boot/efi; do
		(cd "$TREE" && ls "$dir"/loader/entries/*.conf 2>/dev/null)
	done
}

all_options() { # FILE: the options lines of an entry, joined
	sed -n 's/^options[ \t]*//p' "$1" | tr '\n' ' ' | sed 's/ $//'
}

boot_sdboot() { # [PATH [TOKENS]]: the default is $BOOTS, or else the newest that begins with the machine-id
	id=$(cat "$TREE/etc/machine-id")
	entry_path=${1:-${BOOTS:-$(sdboot_entries | grep "/$id-[^/]*$" | grep -v rescue | sort -V | tail -n 1)}}
	booted="$(all_options "$TREE/$entry_path")${2:+ $2}"
	# shellcheck disable=SC1003 # a backslash
	in_front="initrd=$(sed -n 's/^initrd[ \t]*//p' "$TREE/$entry_path" | tr / '\\\\')"
}

reboot_machine() { # [ENTRY-ID [TOKENS]]: boot the default or the named entry; TOKENS were typed at the boot menu
	in_front=
	if [ "$GENERATOR" = ukify ]; then
		boot_uki
		in_front='quiet'
	elif has_generated_menu; then
		boot_generated
	elif [ -n "$(find "$TREE" -path '*/EFI/systemd/systemd-boot*.efi')" ]; then
		boot_sdboot "$@"
	elif [ -n "$BOOTS" ]; then # GRUB reads entries as they are there, too
		boot_sdboot "$@"
		in_front='BOOT_IMAGE=/vmlinuz'
	elif [ -e "$TREE/boot/limine.conf" ]; then
		boot_limine
		in_front=' '
	elif [ -e "$TREE/boot/refind_linux.conf" ]; then
		boot_refind
		in_front='initrd=initramfs-linux.img'
	else
		boot_bls "$@"
	fi
	REBOOTS=$((${REBOOTS:-0} + 1))
	printf 'b0070000-0000-4000-8000-%012d\n' "$REBOOTS" >"$TREE/proc/sys/kernel/random/boot_id"
	printf '%s %s\n' "${in_front:-BOOT_IMAGE=(hd0,gpt2)$kernel}" "$booted" >"$TREE/proc/cmdline"
	boot_firmware "${FIRMWARE_MAKES:-}"
	boot_gpu "$booted"
	boot_kernel "$booted"
	boot_sysctl
}

# --- the program ----------------------------------------------------------------------------------------------------

SP_AS= # a command in front of the program, such as setpriv or strace with its options
SP_DATA=${SP_DATA:-$SP_SRCDIR}

limit=
! command -v timeout >/dev/null 2>&1 || limit='timeout -k 5 60'

run_sp() { # ARGUMENTS...: as they are, without --root; no terminal, no input
	SP_LAST="strix-provision $*"
	# shellcheck disable=SC2086 # SP_AS and limit are lists of words
	STRIX_PROVISION_DATADIR=$SP_DATA $limit $SP_AS "$SP_BIN" "$@" <"${SP_STDIN:-/dev/null}" >"$OUT" 2>"$ERR"
	STATUS=$?
	[ "$STATUS" -ne 77 ] || note "exit status 77 is not ours to use"
	[ "$STATUS" -ne 99 ] || fail "a sanitizer ended it: $SP_LAST: $(head -n 1 "$ERR")"
}

sp() { # ARGUMENTS...: on the machine in use
	run_sp --root "$TREE" --machine "$TREE" "$@"
}

sp_must() { # ARGUMENTS...: a step that other tests rest on
	sp "$@"
	[ "$STATUS" -eq 0 ] || {
		fail "a step before the test itself: $* (exit status $STATUS)"
		note_file "standard error" "$ERR"
	}
}

# --- JSON -----------------------------------------------------------------------------------------------------------

if command -v jq >/dev/null 2>&1; then
	JSON=jq
elif command -v python3 >/dev/null 2>&1; then
	JSON=python3
else
	JSON=
fi

json_get() { # FILE PATH: value at .a.b[0].c as text; fails where there is none
	case $JSON in
	jq) jq -e "($2) != null" "$1" >/dev/null 2>&1 && jq -r "$2" "$1" ;;
	*) python3 "$TESTS/json-get.py" "$1" "$2" ;;
	esac
}

json_is_one() { # FILE: exactly one object, nothing behind it
	case $JSON in
	jq) [ "$(jq -c -s 'length == 1 and (.[0] | type) == "object"' "$1" 2>/dev/null)" = true ] ;;
	*) python3 "$TESTS/json-get.py" "$1" . >/dev/null 2>&1 ;;
	esac
}

[ -x "$SP_BIN" ] || bail_out "no program to test: SP_BIN is '$SP_BIN'"
[ -x "$SP_TREE" ] || bail_out "no tests/tools/sp-tree: SP_TREE is '$SP_TREE'"
