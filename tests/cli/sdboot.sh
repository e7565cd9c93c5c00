#!/bin/sh
# SPDX-License-Identifier: MIT
# systemd-boot: boot counters in the names of entries, what is there beside ours, which setup it is where two are there,
# and entries that are damaged or odd. The real bootctl and kernel-install are asked in tests/cli/sdboot-tools.sh.
. "${SP_SRCDIR:-.}/tests/lib.sh"

OURS='gttsize|pages_limit|iommu=pt|transparent_hugepage'
MID=7c4d9a1e0b3f4852a6c7d8e9f0a1b2c3
OTHER=f0e1d2c3b4a5968778695a4b3c2d1e0f
NEW=boot/loader/entries/$MID-6.19.8-arch1-1
OLD=boot/loader/entries/$MID-6.18.16-1-lts
INFO=sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f

start() {
	new_machine zbook-64-arch-sdboot
	list_root "$SCRATCH/start"
}

is_as_before() { # DESCRIPTION [SED]: the tree is what it was; SED changes the old listing first (names)
	list_root "$SCRATCH/now"
	sed -e "${2:-}" "$SCRATCH/start" | sort >"$SCRATCH/was"
	sort "$SCRATCH/now" >"$SCRATCH/is"
	expect_same "$1" "$SCRATCH/was" "$SCRATCH/is"
}

renamed() { # FROM TO: the entry of the newest kernel gets another counter
	mv "$TREE/$NEW$1.conf" "$TREE/$NEW$2.conf"
}

loader_info() { # TEXT: in UTF-16, behind the attributes
	{
		printf '\006\000\000\000'
		printf '%s' "$1" | sed 's/./&\n/g' | while IFS= read -r c; do printf '%s\000' "$c"; done
		printf '\000\000'
	} >"$TREE/$INFO"
}

once() { # FILE: each of ours stands there once
	for token in iommu=pt amdgpu.gttsize=60416 ttm.pages_limit=15466496 transparent_hugepage=always; do
		[ "$(tr ' ' '\n' <"$1" | grep -c -x -F "$token")" = 1 ] || return 1
	done
}

# --- boot counters --------------------------------------------------------------------------------------------------

start
sp_must apply --yes
renamed +2-1 +1-2
sp plan --check
expect_status 'the loader has counted: nothing is pending' 0
reboot_machine
sp verify
expect_status 'verify knows the entry by its name without the counter' 0
sp_must rollback --yes
is_as_before 'rollback restores it under the name that it has now' 's/arch1-1+2-1\.conf/arch1-1+1-2.conf/'
sp verify
expect_status 'verify after the rollback waits for the reboot' 8

start
sp_must apply --yes
renamed +2-1 ''
sp_must apply --yes --gtt 40G
expect_match 'the boot was good, the name is plain: the next apply changes it' "$TREE/$NEW.conf" 'gttsize=40960'
sp_must rollback --yes
expect_match 'rollback of that leaves what the first apply wrote' "$TREE/$NEW.conf" 'gttsize=60416'
sp_must rollback --yes
is_as_before 'and rollback of the first restores it' 's/arch1-1+2-1\.conf/arch1-1.conf/'

start
edit_file "$TREE/$NEW+2-1.conf" 's/ quiet/ iommu=soft quiet transparent_hugepage=madvise/'
list_root "$SCRATCH/start"
sp_must apply --yes --replace iommu
renamed +2-1 +0-3
edit_file "$TREE/$NEW+0-3.conf" 's/^title .*/& (tried in vain)/'
sp_must rollback --yes
expect_match 'an edited entry with another counter: what ours displaced is back' "$TREE/$NEW+0-3.conf" \
	'^options .* iommu=soft quiet transparent_hugepage=madvise'
expect_no_match 'none of ours is left' "$TREE/$NEW+0-3.conf" 'gttsize|pages_limit|iommu=pt|hugepage=always'
expect_match 'the edit is kept' "$TREE/$NEW+0-3.conf" 'tried in vain'

start
sp_must apply --yes
cp "$TREE/$NEW+2-1.conf" "$TREE/$NEW.conf"
sp_must rollback --yes
expect_no_match 'a copy beside it without a counter: none of ours is left there' "$TREE/$NEW.conf" "$OURS"
expect_no_match 'and none in the one with the counter' "$TREE/$NEW+2-1.conf" "$OURS"

# --- the machine dies in the middle, and the loader counts before anybody recovers ---------------------------------------

if [ -x "$(dirname "$SP_BIN")/tests/crash/sp-fault" ] && "$(dirname "$SP_BIN")/tests/crash/sp-fault" probe 2>"$SCRATCH/probe"; then
	for n in 1 2 3 4 last; do
		start
		STRIX_PROVISION_DATADIR=$SP_DATA "$(dirname "$SP_BIN")/tests/crash/sp-fault" run -f "renameat2:$n:kill-after" \
			"$TREE" "$SP_BIN" -- apply --yes >"$OUT" 2>"$ERR"
		renamed +2-1 +1-2
		sp recover
		expect_status "recover after a power cut at rename $n and a counted boot" 0
		is_as_before "the tree is the old one, with the new name (rename $n)" 's/arch1-1+2-1\.conf/arch1-1+1-2.conf/'
		check "no second entry came back (rename $n)" test ! -e "$TREE/$NEW+2-1.conf"
	done
else
	skip 'a power cut and a counted boot' "$(head -n 1 "$SCRATCH/probe" 2>/dev/null || echo 'no tests/crash/sp-fault')"
fi

# --- what is not ours -----------------------------------------------------------------------------------------------

start
sp_must apply --yes
for file in "efi/loader/entries/$OTHER-6.17.4-300.fc43.x86_64.conf" "efi/loader/entries/$MID-rescue.conf" \
	efi/loader/entries/memtest.conf efi/loader/loader.conf; do
	check "$file is not touched" cmp "$TREE/$file" "$TESTS/machines/zbook-64-arch-sdboot/$file"
done
check 'what later kernels inherit is one line with root= and without what the loader and kernel-install add' \
	test "$(cat "$TREE/etc/kernel/cmdline")" = "$(sed -n 's/^options *//p' "$TREE/$OLD.conf" |
		sed "s/ systemd.machine_id=$MID//")"

# --- several options lines ------------------------------------------------------------------------------------------

start
edit_file "$TREE/$OLD.conf" 's/^options .*/&\noptions    threadirqs  nowatchdog/'
list_root "$SCRATCH/start"
sp_must apply --yes
check 'two options lines: ours stands once, on the last one' test "$(grep -Ec "^options .*($OURS)" "$TREE/$OLD.conf")" = 1
expect_match 'behind what stood there' "$TREE/$OLD.conf" '^options    threadirqs  nowatchdog iommu=pt amdgpu'
check 'each once' once "$TREE/$OLD.conf"
sp apply --yes
expect_status 'a second apply has nothing to do' 0
expect_match 'and says so' "$OUT" 'nothing'
sp_must rollback --yes
is_as_before 'rollback restores both lines'

start
edit_file "$TREE/$OLD.conf" 's/^options .*/&\noptions    transparent_hugepage=madvise nowatchdog\noptions ttm.pages_limit=5/'
list_root "$SCRATCH/start"
sp_must apply --yes
check 'foreign values on several lines: each of ours once' once "$TREE/$OLD.conf"
sp_must rollback --yes
is_as_before 'rollback restores all three lines'

start
edit_file "$TREE/$OLD.conf" 's/^options *\(.*\)/options    "\1"/'
list_root "$SCRATCH/start"
cp "$TREE/$OLD.conf" "$SCRATCH/quoted"
sp_must apply --yes
check 'quotes around a whole line: the entry is left alone' cmp "$TREE/$OLD.conf" "$SCRATCH/quoted"
sp detect --json
expect_match 'and detect says why' "$OUT" 'takes the quotes at both ends'

# --- odd and bad entries --------------------------------------------------------------------------------------------

start
rm "$TREE/boot/$MID/6.18.16-1-lts/linux"
list_root "$SCRATCH/start"
sp detect --json
expect_match 'an entry without its kernel is told' "$OUT" "its kernel '/$MID/6.18.16-1-lts/linux' is not there"
sp_must apply --yes
check 'it is left alone' cmp "$TREE/$OLD.conf" "$TESTS/machines/zbook-64-arch-sdboot/$OLD.conf"
sp verify
expect_status 'verify does not ask for it' 8
sp_must rollback --yes
is_as_before 'rollback restores the rest'

bad_entry() { # DESCRIPTION MATCH: apply refuses, and nothing changed
	list_root "$SCRATCH/start"
	sp apply --yes
	expect_status "$1: apply" "${3:-1}"
	expect_match "$1: the message names it" "$ERR" "$2"
	is_as_before "$1: nothing changed"
}

start
head -c 100 "$TREE/$NEW+2-1.conf" >"$SCRATCH/torn"
cat "$SCRATCH/torn" >"$TREE/$NEW+2-1.conf"
bad_entry 'a truncated entry' 'arch1-1\+2-1\.conf' 1,6

start
: >"$TREE/$NEW+2-1.conf"
bad_entry 'an empty entry' 'arch1-1\+2-1\.conf' 1,6

start
edit_file "$TREE/$NEW+2-1.conf" 's/root=[^ ]*//'
edit_file "$TREE/$OLD.conf" 's/root=[^ ]*//'
bad_entry 'entries without root=' 'no root=' 1,6

start
rm -r "${TREE:?}/boot/${MID:?}"
bad_entry 'no kernel at all' 'systemd-boot|no boot entry' 1,6

start
printf 'auto-select me\n' >"$TREE/boot/loader/entries/auto-windows.conf"
printf 'garbage\001\n' >"$TREE/efi/loader/entries/.hidden.conf"
sp_must apply --yes
check 'names that the loader passes over are passed over' test "$(cat "$TREE/boot/loader/entries/auto-windows.conf")" = \
	'auto-select me'

cat >"$SCRATCH/read-only" <<'END'
mount --bind "$1/boot" "$1/boot" && mount -o remount,ro,bind "$1/boot" && shift && exec "$@"
END
if unshare -m sh "$SCRATCH/read-only" "$TREE" true 2>"$SCRATCH/probe"; then
	start
	SP_AS="unshare -m sh $SCRATCH/read-only $TREE"
	sp apply --yes
	SP_AS=
	expect_status 'the partition is mounted read-only' 1
	expect_match 'the message names the entry' "$ERR" "$MID-6\.1.*Read-only file system"
	expect_match 'the hint works' "$ERR" 'mount it writable'
	is_as_before 'everything is as it was'
else
	skip 'the partition is mounted read-only' "$(head -n 1 "$SCRATCH/probe")"
fi

# --- which setup ----------------------------------------------------------------------------------------------------

add_grub() { # GRUB with BLS entries beside it
	mkdir -p "$TREE/boot/grub2" "$TREE/etc/default"
	printf 'insmod blscfg\nblscfg\n' >"$TREE/boot/grub2/grub.cfg"
	printf 'GRUB_CMDLINE_LINUX="quiet"\nGRUB_ENABLE_BLSCFG=true\n' >"$TREE/etc/default/grub"
}

setup_is() { # DESCRIPTION NAME REASON
	sp detect --json
	check "$1: it is $2" test "$(json_get "$OUT" .boot.setup)" = "$2"
	expect_match "$1: the reason is shown" "$OUT" "$3"
}

undecided() { # DESCRIPTION TEXT...
	list_root "$SCRATCH/start"
	sp apply --yes
	expect_status "$1: apply" 6
	shift
	for text; do
		expect_match "it says '$text'" "$ERR" "$text"
	done
	is_as_before 'and nothing changed'
}

start
setup_is 'one setup' systemd-boot "LoaderInfo says 'systemd-boot 258"
add_grub
setup_is 'GRUB beside it, and LoaderInfo of systemd-boot' systemd-boot "LoaderInfo says 'systemd-boot 258"
loader_info 'GRUB 2.12'
setup_is 'GRUB sets LoaderInfo, too' grub-bls "LoaderInfo says 'GRUB 2.12'"
rm "$TREE/$INFO"
setup_is 'no LoaderInfo: no BOOT_IMAGE= on the line' systemd-boot '/efi/EFI/systemd/systemd-bootx64.efi'
edit_file "$TREE/proc/cmdline" 's,^[^ ]*,BOOT_IMAGE=(hd0\,gpt2)/vmlinuz,'
setup_is 'no LoaderInfo: BOOT_IMAGE= on the line' grub-bls 'blscfg in /boot/grub2/grub.cfg'
rm "$TREE/proc/cmdline"
undecided 'nothing tells which of the two it is' 'cannot be told apart' '--boot grub-bls or --boot systemd-boot'
sp apply --yes --boot systemd-boot
expect_status 'it is named' 0
sp verify
expect_status 'verify takes the recorded setup' 8
sp_must rollback --yes
is_as_before 'rollback does, too'

start
add_grub
run_sp --root "$TREE" --machine / plan
expect_status 'another machine says nothing about a tree' 0
expect_match 'so it cannot be told which setup that has' "$OUT" 'cannot be told apart'

start
loader_info 'Limine 12.9.0'
undecided 'Limine started this system' "LoaderInfo says 'Limine 12.9.0'" 'did not start' '--boot systemd-boot'
loader_info 'GRUB 2.14'
undecided 'GRUB started this system, and there is nothing of it' "LoaderInfo says 'GRUB 2.14'" 'PARTUUID'

start
rm -r "$TREE/efi/EFI" "$TREE/efi/loader" "$TREE/boot/loader" # not mounted
mkdir -p "$TREE/etc/default"
add_grub
mkdir -p "$TREE/boot/loader/entries"
printf 'title x\nlinux /vmlinuz\noptions root=UUID=1\n' >"$TREE/boot/loader/entries/$MID-5.conf"
undecided 'its partition is not mounted, and GRUB left something behind' 'did not start' 'PARTUUID'
mkdir -p "$TREE/sys/class/block/nvme0n1p1" "$TREE/run/udev/data"
echo 1 >"$TREE/sys/class/block/nvme0n1p1/partition"
echo 259:1 >"$TREE/sys/class/block/nvme0n1p1/dev"
printf 'I:1\nE:ID_PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n' >"$TREE/run/udev/data/b259:1"
undecided 'and the partition is known' 'did not start' '/dev/nvme0n1p1 \(ESP\)'
rm -r "$TREE/boot/loader" "$TREE/etc/default" "$TREE/boot/grub" "$TREE/boot/grub2" 2>/dev/null
undecided 'nothing but a partition that is not mounted' '/dev/nvme0n1p1 \(ESP\) not mounted' 'mount /dev/nvme0n1p1'

done_testing
