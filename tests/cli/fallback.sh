#!/bin/sh
# SPDX-License-Identifier: MIT
# The way back that apply leaves in the menu: the old line, until confirm has found the new one good.
. "${SP_SRCDIR:-.}/tests/lib.sh"

OLD='root=UUID=3f1c2b4a-6d5e-4f70-8192-a3b4c5d6e7f8 ro rootflags=subvol=root'

new_grub() { # [MACHINE FOLDER]: whose menu reads custom.cfg
	new_machine "${1:-zbook-64-fedora}"
	GRUB=$TREE/boot/${2:-grub2}
	# shellcheck disable=SC2016 # GRUB's variables
	printf 'if [ -f  ${config_directory}/custom.cfg ]; then\n  source ${config_directory}/custom.cfg\nfi\n' >>"$GRUB/grub.cfg"
	touch -d @1767225600 "$GRUB/grub.cfg" "$GRUB"
	list_root "$SCRATCH/start"
}

is_as_before() { # DESCRIPTION
	list_root "$SCRATCH/now"
	expect_same "$1" "$SCRATCH/start" "$SCRATCH/now"
}

way_back() { # its command line
	sed -n '/before strix-provision/,/^}/s/^[ \t]*linux[ \t]*[^ ]* //p' "$GRUB/custom.cfg" 2>/dev/null
}

has_way_back() {
	[ -n "$(way_back)" ]
}

new_grub
sp_must apply --yes
case $(way_back) in
"$OLD "*) pass 'apply leaves the old line in the menu' ;;
*) fail "apply leaves the old line in the menu: $(way_back)" ;;
esac
check 'where modprobe.d does not size it' sh -c "case '$(way_back)' in *' amdgpu.gttsize=-1 ttm.pages_limit=0') ;; *) exit 1 ;; esac"
check 'and nothing of ours is on it' sh -c "! echo '$(way_back)' | grep -Eq 'iommu=pt|transparent_hugepage'"
sp plan --check
expect_status 'nothing is pending' 0
sp confirm
expect_status 'confirm before the reboot' 8
check 'keeps it' has_way_back
sp_must apply --yes --gtt 40G
check 'another apply keeps the older line' sh -c "! echo '$(way_back)' | grep -q iommu=pt"
reboot_machine
poke sys/module/ttm/parameters/pages_limit 4096
sp confirm --if-armed
expect_status 'confirm finds something wrong' 3
check 'and keeps it' has_way_back
reboot_machine
sp confirm --if-armed
expect_status 'confirm finds it good' 0
expect_match 'and says what it does' "$OUT" 'old line is out of the boot menu'
check 'it is gone, and so is the file' test ! -e "$GRUB/custom.cfg"
sp confirm --if-armed
expect_match 'then there is nothing to confirm' "$OUT" 'nothing to confirm'
sp verify
expect_status 'verify holds' 0
sp_must rollback --all --yes
is_as_before 'rollback restores every byte'

new_grub
sp_must apply --yes
sp_must rollback --yes
is_as_before 'rollback before confirm restores every byte, too'

new_grub
sp_must apply --yes
printf 'set theirs=1\n' >>"$GRUB/custom.cfg"
sp_must rollback --yes
check "rollback leaves what was added beside it" sh -c "printf 'set theirs=1\n' | cmp -s - '$GRUB/custom.cfg'"

new_grub
sp_must apply --yes
rm -f "$TREE"/boot/vmlinuz-6.19.8-200.fc43.x86_64
put_grubenv "$GRUB/grubenv" saved_entry 5a3b0c9d8e7f41628394a5b6c7d8e9f0-6.18.16-200.fc43.x86_64
rm -f "$TREE"/boot/loader/entries/*6.19.8*
sp_must apply --yes
check 'it goes with its kernel' sh -c "! grep -q 6.19.8 '$GRUB/custom.cfg' 2>/dev/null"

new_grub
sed -i '/before/!s/^### .*//' "$GRUB/grub.cfg"
printf '### BEGIN strix-provision before ###\n' >"$GRUB/custom.cfg"
sp apply --yes
expect_status 'marks that somebody tore apart are no reason to stop' 0
expect_match 'and it is said' "$OUT" 'is not kept in the menu'

new_machine zbook-64-arch-sdboot
list_root "$SCRATCH/start"
sp_must apply --yes
extra=$(find "$TREE" -name '*~strix-before.conf')
check 'systemd-boot: the old line is a file beside the entry' test -n "$extra"
check 'systemd-boot: with the old line' sh -c "grep '^options' '$extra' | grep -q 'ttm.pages_limit=0' && ! grep -q iommu=pt '$extra'"
sp --json detect
expect_match 'systemd-boot: the default is the one that it was' "$OUT" '"default_entry": "7c4d9a1e0b3f4852a6c7d8e9f0a1b2c3-6.19.8-arch1-1[+]2-1"'
reboot_machine
sp_must confirm
check 'systemd-boot: confirm takes it out' test ! -e "$extra"
sp_must rollback --yes
is_as_before 'systemd-boot: rollback restores every byte'

done_testing
