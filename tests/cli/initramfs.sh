#!/bin/sh
# SPDX-License-Identifier: MIT
# Copies of our modprobe.d file in initramfs images: apply and rollback look into images, and nobody else does; what an image
# says is remembered for the very file; while ours is on the command line a copy is harmless; after a rollback images that
# were built in between are named, with the command that builds them anew, until they are.
. "${SP_SRCDIR:-.}/tests/lib.sh"

MEMORY=var/lib/strix-provision/images.json

build() { # MAKER IMAGE [COMPRESSION]: as its maker would now
	python3 "$TESTS/bin/initramfs-image" "$1" "$TREE" "$TREE/$2" ${3:+"$3"} || bail_out "cannot make $2"
}

copies() { # EXPRESSION on each image of the last --json
	python3 -c 'import json, sys
for i in json.load(open(sys.argv[1]))["initramfs"]: print(eval(sys.argv[2]))' "$OUT" "$1"
}

flat() { # the last output with its lines as one, so that it does not matter where they are folded
	tr -s ' \n' ' ' <"$OUT" >"$SCRATCH/flat"
}

expect_copies() { # DESCRIPTION EXPRESSION LINES...
	desc=$1 expression=$2
	shift 2
	printf '%s\n' "$@" >"$SCRATCH/want"
	[ $# -gt 0 ] || : >"$SCRATCH/want"
	copies "$expression" >"$SCRATCH/got" 2>&1
	expect_same "$desc" "$SCRATCH/want" "$SCRATCH/got"
}

# --- each maker, each kind of entry -----------------------------------------------------------------------------------

NEW=boot/initramfs-6.19.8-200.fc43.x86_64.img OLD=boot/initramfs-6.18.16-200.fc43.x86_64.img
RESCUE=boot/initramfs-0-rescue-5a3b0c9d8e7f41628394a5b6c7d8e9f0.img
OURS='amdgpu.gttsize=[0-9]+ ttm.pages_limit=[0-9]+'

new_machine zbook-64-fedora
build dracut $NEW
build dracut $OLD xz
build dracut $RESCUE bzip2
sp plan --json
expect_copies 'plan: images are not looked into' 'i["path"], i["copy"], i["default"]' \
	"('/$NEW', 'not-checked', True)" "('/$OLD', 'not-checked', False)" "('/$RESCUE', 'not-checked', False)"
sp plan
expect_match 'and it says so' "$OUT" "/$NEW: not checked"
sp apply --yes --json
expect_copies 'apply looks into them: there is no copy of ours' 'i["path"], i["copy"], i["options"]' \
	"('/$NEW', 'none', '')" "('/$OLD', 'none', '')" "('/$RESCUE', 'none', '')"
check 'what they say is remembered' test -e "$TREE/$MEMORY"
sp plan --json
expect_copies 'plan has the remembered answer' 'i["copy"]' none none none

build dracut $NEW # a kernel was installed, or an update made it anew
sp plan --json
expect_copies 'an image that was built since is not the one that was looked into' 'i["copy"]' not-checked none none
cp "$TREE/$MEMORY" "$SCRATCH/memory"
list_all "$SCRATCH/before"
sp apply --yes
list_all "$SCRATCH/after"
expect_same 'apply with nothing to do does not look, and writes nothing' "$SCRATCH/before" "$SCRATCH/after"
sp apply --yes --json --gtt 40G
expect_copies 'apply with something to do does: an older copy of ours' 'i["path"], i["copy"], i["rebuild"]' \
	"('/$NEW', 'other', 'dracut --force /$NEW 6.19.8-200.fc43.x86_64')" \
	"('/$OLD', 'none', 'dracut --force /$OLD 6.18.16-200.fc43.x86_64')" \
	"('/$RESCUE', 'none', 'dracut --force /$RESCUE 0-rescue-5a3b0c9d8e7f41628394a5b6c7d8e9f0')"
sp plan
expect_match 'plan says with which values, and that the command line wins' "$OUT" 'older copy'
reboot_machine
sp verify
expect_status 'verify does not fail on it' 0
expect_no_match 'and does not speak of it' "$OUT" 'initramfs'
build dracut $NEW
sp apply --yes --json --gtt 41G
sp plan --json --gtt 40G
expect_copies 'a copy with the values that are wanted is the same' 'i["copy"]' same none none
sp rollback --yes --json --all
expect_status 'rollback' 0
expect_copies 'rollback finds the image that was built in between' 'i["path"], i["copy"]' "('/$NEW', 'other')"
expect_match 'its values' "$OUT" "\"options\": \"$OURS\""
check 'what is left to do is a command' \
	python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["actions"] == [sys.argv[2]], json.load(open(sys.argv[1]))["actions"]' \
	"$OUT" "dracut --force /$NEW 6.19.8-200.fc43.x86_64"
reboot_machine
sp verify
expect_status 'verify: it is not as it was' 3
flat
expect_match 'it names the image' "$SCRATCH/flat" "'/$NEW' was built with our modprobe.d file"
expect_match 'and the command' "$SCRATCH/flat" 'dracut --force'
sp verify --json
expect_copies 'for programs, too' 'i["path"]' "/$NEW"
sp status
expect_status 'status does not mind' 0
build dracut $NEW
sp verify
expect_status 'verify after it was built anew' 0
expect_match 'nothing is left' "$OUT" 'Nothing of strix-provision is left'

# --- rollback in words, other setups, other makers -----------------------------------------------------------------------

one_round() { # MACHINE MAKER COMMAND IMAGE...: built while ours is applied; all are found after rollback
	machine=$1 maker=$2 command=$3
	shift 3
	new_machine "$machine"
	for image; do build "$maker" "$image"; done
	sp_must apply --yes
	for image; do build "$maker" "$image"; done
	sp rollback --yes
	expect_status "$machine, $maker: rollback" 0
	flat
	for image; do
		check "$machine, $maker: it names /$image" \
			grep -F "'/$image' was built with our modprobe.d file in it" "$SCRATCH/flat"
	done
	expect_match "$machine, $maker: what is left to do" "$SCRATCH/flat" "$command"
	for image; do build "$maker" "$image"; done
	has_generated_menu || {
		reboot_machine
		sp verify
		expect_status "$machine, $maker: verify after they were built anew" 0
	}
}

MID=7c4d9a1e0b3f4852a6c7d8e9f0a1b2c3
one_round zbook-128-debian13 initramfs-tools 'update-initramfs -u -k 6.17.13\+deb13-amd64' \
	boot/initrd.img-6.17.13+deb13-amd64 boot/initrd.img-6.12.48+deb13-amd64
one_round zbook-128-arch-grub mkinitcpio 'mkinitcpio -P' boot/initramfs-linux.img
one_round zbook-128-arch-grub booster 'booster build --force --kernel-version .* /boot/initramfs-linux.img' boot/initramfs-linux.img
one_round zbook-64-arch-sdboot mkinitcpio 'kernel-install add 6.18.16-1-lts' "boot/$MID/6.18.16-1-lts/initrd"

one_round zbook-64-cachyos-limine mkinitcpio limine-mkinitcpio boot/$MID/linux-cachyos/initramfs-linux-cachyos \
	boot/$MID/linux-cachyos-lts/initramfs-linux-cachyos-lts
one_round zbook-64-opensuse-sdboot dracut 'sdbootutil mkinitrd' boot/efi/opensuse-tumbleweed/6.19.8-1-default/initrd-1234
one_round zbook-64-popos initramfs-tools 'update-initramfs -u -k' \
	boot/efi/EFI/Pop_OS-c0ffee00-1234-4567-89ab-cdef01234567/initrd.img

# --- a unified kernel image: its .initrd ------------------------------------------------------------------------------------

UKI=efi/EFI/Linux/arch-linux.efi
new_machine zbook-64-arch-uki
sp_must apply --yes
build mkinitcpio ../initrd
printf 'a kernel\n' >"$SCRATCH/kernel"
printf 'ID=arch\n' >"$SCRATCH/release"
python3 "$TESTS/bin/ukify" build "--linux=$SCRATCH/kernel" "--initrd=$SCRATCH/initrd" "--os-release=@$SCRATCH/release" \
	--uname=6.19.8-arch1-1 "--cmdline=$(python3 "$TESTS/uki-line.py" "$TREE/$UKI")" "--output=$TREE/$UKI" || bail_out 'ukify'
sp rollback --yes --json
expect_status 'a unified kernel image: rollback' 0
expect_copies 'a unified kernel image: what is in its initrd' 'i["path"], i["copy"], i["rebuild"]' "('/$UKI', 'other', 'mkinitcpio -P')"

# --- what cannot be read ----------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
build dracut $NEW
head -c 2150 "$TREE/$NEW" >"$SCRATCH/cut" && cat "$SCRATCH/cut" >"$TREE/$NEW"
printf '\002!L\030compressed' >"$TREE/$OLD"
sp apply --yes --json
expect_status 'images that cannot be read are no reason not to apply' 0
expect_copies 'they are said to be unreadable, with the reason' 'i["copy"], i["reason"]' \
	"('unreadable', 'it is cut off')" "('unreadable', 'it is compressed with lz4, which is not read')" \
	"('unreadable', 'it is neither an archive nor compressed in a way that is known')"
check 'nothing is remembered of them' test ! -e "$TREE/$MEMORY"
printf '{"images": [' >"$TREE/$MEMORY"
sp plan
expect_status 'a damaged memory is as none' 0
sp rollback --yes
expect_status 'rollback with images that cannot be read' 0
expect_no_match 'says nothing of what it does not know' "$OUT" 'was built with our'
done_testing
