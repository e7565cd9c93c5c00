#!/bin/sh
# SPDX-License-Identifier: MIT
# systemd's own tools as witnesses on the machine with systemd-boot: bootctl (Debian's systemd-boot) lists the entries as
# we do, before, after and rolled back; kernel-install (systemd) makes the entry of a new kernel, which has ours once.
# bootctl wants mounted partitions: it is run in a mount namespace. SP_BOOTCTL names one that is not installed.
. "${SP_SRCDIR:-.}/tests/lib.sh"

OURS='gttsize|pages_limit|iommu=pt|transparent_hugepage'
TOKENS='iommu=pt amdgpu.gttsize=60416 ttm.pages_limit=15466496 transparent_hugepage=always'
MID=7c4d9a1e0b3f4852a6c7d8e9f0a1b2c3
ENTRIES=boot/loader/entries
NEW=$ENTRIES/$MID-6.19.8-arch1-1+2-1.conf
BOOTCTL=${SP_BOOTCTL:-$(command -v bootctl)}
LOADERENTRY=/usr/lib/kernel/install.d/90-loaderentry.install

start() {
	new_machine zbook-64-arch-sdboot
	list_root "$SCRATCH/start"
}

is_as_before() {
	list_root "$SCRATCH/now"
	expect_same "$1" "$SCRATCH/start" "$SCRATCH/now"
}

# --- bootctl --------------------------------------------------------------------------------------------------------

cat >"$SCRATCH/mounted" <<'END'
for dir in efi boot; do mount --bind "$1/$dir" "$1/$dir" || exit 1; done
shift
exec "$@"
END

ask_bootctl() { # ARGUMENTS...
	SYSTEMD_RELAX_ESP_CHECKS=1 SYSTEMD_RELAX_XBOOTLDR_CHECKS=1 unshare -m sh "$SCRATCH/mounted" "$TREE" "$BOOTCTL" \
		--esp-path="$TREE/efi" --boot-path="$TREE/boot" --no-pager "$@"
}

# "path<tab>options" of each entry, in the order of the menu; bootctl's objects stand one behind the other, or in a list.
PATHS='
import json, sys
text, out, at = sys.stdin.read().strip(), [], 0
while at < len(text):
    value, at = json.JSONDecoder().raw_decode(text, at)
    out += value if isinstance(value, list) else value["boot"]["entries"] if "boot" in value else [value]
    at += len(text[at:]) - len(text[at:].lstrip())
for e in out:
    path = e.get("path") or ""
    if e.get("type", "type1") == "type1" and path:
        print(path.replace(sys.argv[1], "") + "\t" + (e.get("options") or ""))
'

menus() { # NAME: $SCRATCH/NAME.theirs and NAME.ours
	ask_bootctl list --json=short 2>"$SCRATCH/bootctl" | python3 -c "$PATHS" "$TREE" >"$SCRATCH/$1.theirs"
	sp detect --json
	python3 -c "$PATHS" "$TREE" <"$OUT" >"$SCRATCH/$1.ours"
}

same_menu() { # NAME DESCRIPTION
	menus "$1"
	check "$2: bootctl lists entries" test -s "$SCRATCH/$1.theirs"
	expect_same "$2: bootctl has the same entries, order and options" "$SCRATCH/$1.theirs" "$SCRATCH/$1.ours"
}

same_default() { # DESCRIPTION
	ask_bootctl list 2>"$SCRATCH/bootctl" | awk '/title:/ { d = /\(default\)/ } /source:|id:/ && d { print $2 }' |
		sed -n 's,.*/\([^/]*\.conf\)$,\1,p; s,^\([^/]*\.conf\)$,\1,p' | head -n 1 >"$SCRATCH/default"
	sp detect --json
	plain=$(json_get "$OUT" .boot.default_entry | sed 's/+[0-9]*\(-[0-9]*\)\{0,1\}$//').conf
	check "$1: bootctl has the same default ($plain)" grep -qxF "$plain" "$SCRATCH/default"
}

with_bootctl() {
	start
	same_menu before 'before'
	same_default 'before'
	sp_must apply --yes
	same_menu after 'after apply'
	same_default 'after apply'
	awk -F '\t' -v tokens="$TOKENS" -v mid="$MID" -v OFS='\t' \
		'index($1, mid) && !/rescue/ { $2 = $2 " " tokens } 1' "$SCRATCH/before.theirs" >"$SCRATCH/wanted"
	expect_same 'bootctl sees exactly ours behind the old options, and nothing else' "$SCRATCH/wanted" "$SCRATCH/after.theirs"
	sp_must rollback --yes
	same_menu rolled 'rolled back'
	expect_same 'bootctl sees what it saw before' "$SCRATCH/before.theirs" "$SCRATCH/rolled.theirs"

	start
	edit_file "$TREE/$NEW" 's/^options .*/&\noptions    nowatchdog\noptions threadirqs/'
	sp_must apply --yes
	same_menu several 'several options lines'
	check 'bootctl sees ours once' test "$(grep -c "threadirqs $TOKENS\$" "$SCRATCH/several.theirs")" = 1

	for pattern in "$MID-6.18*" '*RESCUE.conf' '*-lts.conf' 'nothing*'; do
		start
		echo "default $pattern" >>"$TREE/efi/loader/loader.conf"
		same_default "default $pattern"
	done
	start
	mv "$TREE/$NEW" "$TREE/${NEW%+2-1.conf}+0-3.conf"
	same_menu bad 'an entry that was tried in vain'
	same_default 'an entry that was tried in vain'
}

if [ -z "$BOOTCTL" ]; then
	skip 'bootctl lists the entries as we do' "there is no bootctl (Debian: systemd-boot; SP_BOOTCTL names one)"
elif ! command -v python3 >/dev/null; then
	skip 'bootctl lists the entries as we do' 'there is no python3'
else
	start
	if ask_bootctl list >"$SCRATCH/out" 2>"$SCRATCH/why"; then
		with_bootctl
	else
		skip 'bootctl lists the entries as we do' "it cannot be run here: $(head -n 1 "$SCRATCH/why")"
	fi
fi

# --- kernel-install -------------------------------------------------------------------------------------------------

# It takes the tree's folder for a part of the path inside of the partition, since nothing is mounted there.
# Its modules are stubs with the parameters that count.
install_kernel() { # VERSION
	cp -a "$TREE/usr/lib/modules/6.19.8-arch1-1" "$TREE/usr/lib/modules/$1"
	for module in amd/amdgpu/amdgpu ttm/ttm; do
		file=$TREE/usr/lib/modules/$1/kernel/drivers/gpu/drm/$module.ko.xz
		mkdir -p "${file%/*}"
		"$(dirname "$SP_TREE")/stub-module" gttsize pages_limit >"$file"
	done
	echo kernel >"$SCRATCH/image"
	KERNEL_INSTALL_CONF_ROOT=$TREE/etc/kernel BOOT_ROOT=$TREE/boot MACHINE_ID=$MID KERNEL_INSTALL_PLUGINS=$LOADERENTRY \
		kernel-install add "$1" "$SCRATCH/image" >"$SCRATCH/kernel-install" 2>&1 ||
		fail "kernel-install add $1: $(cat "$SCRATCH/kernel-install")"
	made=$(find "$TREE/$ENTRIES" -name "*-$1*.conf")
	edit_file "$made" "s,$TREE/boot,,; s/^title .*/title Arch Linux/; s/^sort-key .*/sort-key arch/"
}

has_once() { # DESCRIPTION FILE TOKEN...
	what=$1 file=$2
	shift 2
	for token; do
		check "$what: $token, once" test "$(sed -n 's/^options *//p' "$file" | tr ' ' '\n' | grep -cxF "$token")" = 1
	done
}

# shellcheck disable=SC2086 # TOKENS is a list of words
with_kernel_install() {
	start
	sp_must apply --yes
	install_kernel 6.20.1-arch1-1
	check 'it counts the boots of the new entry' test "$(basename "$made")" = "$MID-6.20.1-arch1-1+3.conf"
	has_once 'a new kernel' "$made" $TOKENS root=UUID=9d3e7c51-2b4a-4c6d-8e9f-1a2b3c4d5e6f rootflags=subvol=@ \
		"systemd.machine_id=$MID"
	check 'a new kernel: the rest of the line is that of the others' test "$(sed -n 's/^options *//p' "$made" | tr ' ' '\n' |
		sort)" = "$(sed -n 's/^options *//p' "$TREE/$NEW" | tr ' ' '\n' | sort)"
	sp plan --check
	expect_status 'nothing is pending for it' 0
	sp verify
	expect_status 'verify counts it among ours' 8
	reboot_machine "${made#"$TREE/"}"
	sp verify
	expect_status 'verify after it was booted' 0
	mv "$made" "${made%+3.conf}.conf"
	made=${made%+3.conf}.conf
	sp_must rollback --yes
	expect_no_match 'rollback: none of ours is left in it' "$made" "$OURS"
	expect_match 'the rest is whole' "$made" '^options .*root=UUID=9d3e7c51-.* quiet splash systemd.machine_id='
	rm -r "$made" "$TREE/usr/lib/modules/6.20.1-arch1-1" "$TREE/boot/$MID/6.20.1-arch1-1"
	is_as_before 'and everything else is what it was'

	start
	sp_must apply --yes
	install_kernel 6.20.1-arch1-1
	KERNEL_INSTALL_CONF_ROOT=$TREE/etc/kernel BOOT_ROOT=$TREE/boot MACHINE_ID=$MID KERNEL_INSTALL_PLUGINS=$LOADERENTRY \
		kernel-install remove 6.20.1-arch1-1 || fail 'kernel-install remove'
	rm -r "$TREE/usr/lib/modules/6.20.1-arch1-1"
	sp_must apply --yes --gtt 40G
	install_kernel 6.21.0-arch1-1
	has_once 'a kernel after the second apply' "$made" amdgpu.gttsize=40960 ttm.pages_limit=10485760 iommu=pt
	sp_must rollback --yes
	has_once 'rollback of that' "$made" $TOKENS
	sp_must rollback --yes
	expect_no_match 'rollback of all' "$made" "$OURS"
	check 'the file that we made for it is gone' test ! -e "$TREE/etc/kernel/cmdline"

	start
	echo "root=UUID=9d3e7c51-2b4a-4c6d-8e9f-1a2b3c4d5e6f rw mine" >"$TREE/etc/kernel/cmdline"
	echo arch >"$TREE/etc/kernel/entry-token"
	rm "$TREE/etc/kernel/tries"
	list_root "$SCRATCH/start"
	sp_must apply --yes
	install_kernel 6.20.1-arch1-1
	check 'another token names the entry' test "$(basename "$made")" = arch-6.20.1-arch1-1.conf
	has_once 'what the administrator wants for new kernels' "$made" $TOKENS mine
	expect_no_match 'and nothing of other lines' "$made" 'machine_id=|splash'
	sp plan --check
	expect_status 'nothing is pending for it' 0
	sp_must rollback --yes
	expect_no_match 'none of ours is left in it' "$made" "$OURS"
	rm -r "$made" "$TREE/usr/lib/modules/6.20.1-arch1-1" "$TREE/boot/arch"
	is_as_before 'everything else is what it was, the file for new kernels, too'

	start # what would happen without the whole line: rule R0 is there for a reason
	echo iommu=pt >"$TREE/etc/kernel/cmdline"
	install_kernel 6.20.1-arch1-1
	expect_no_match 'a file with our tokens alone would lose the root file system' "$made" 'root='
}

if ! command -v kernel-install >/dev/null || [ ! -x "$LOADERENTRY" ]; then
	skip 'kernel-install gives ours to a new kernel' 'there is no kernel-install (Debian: systemd)'
elif ! sed -n '1,3p' "$LOADERENTRY" | grep -q '^#!'; then
	skip 'kernel-install gives ours to a new kernel' "$LOADERENTRY is no script"
else
	with_kernel_install
fi

done_testing
