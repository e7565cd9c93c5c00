# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # tests/cli/golden.sh sources this
# The same system with GRUB as its boot loader.
BOOTS=boot/efi/loader/entries/system-opensuse-tumbleweed-6.19.8-1-default-1.conf
rm -r "$TREE/boot/efi/EFI/systemd" "$TREE/usr/lib/systemd/boot" "$TREE/boot/efi/loader/loader.conf"
rm "$TREE"/sys/firmware/efi/efivars/Loader*
mkdir -p "$TREE/usr/share/grub2/x86_64-efi" "$TREE/boot/efi/EFI/opensuse"
echo GRUB >"$TREE/usr/share/grub2/x86_64-efi/grubbls.efi"
echo GRUB >"$TREE/boot/efi/EFI/opensuse/grub.efi"
edit_file "$TREE/etc/sysconfig/bootloader" 's/"systemd-boot"/"grub2-bls"/'
for entry in 6.19.8-1-default-1 6.18.16-1-default-1; do
	mv "$TREE/boot/efi/loader/entries/opensuse-tumbleweed-$entry.conf" \
		"$TREE/boot/efi/loader/entries/system-opensuse-tumbleweed-$entry.conf"
done
mv "$TREE/boot/efi/loader/entries/opensuse-tumbleweed-6.18.16-1-default-7.conf" \
	"$TREE/boot/efi/loader/entries/snapper-opensuse-tumbleweed-6.18.16-1-default-7.conf"
edit_file "$TREE/proc/cmdline" 's,^[^ ]*,BOOT_IMAGE=/opensuse-tumbleweed/6.19.8-1-default/linux-abcd,'
