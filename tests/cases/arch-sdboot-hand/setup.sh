# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # tests/cli/golden.sh sources this
# What archinstall makes: one partition, names with a date, kernels that have no version in theirs.
rm -r "$TREE/etc/kernel" "$TREE/boot/loader" "$TREE"/boot/7c4d*
mv "$TREE/efi/EFI" "$TREE/efi/loader" "$TREE/boot/" && rm -r "$TREE/efi"
rm "$TREE"/boot/loader/entries/*
BOOTS=boot/loader/entries/2026-01-10_09-00-00_linux.conf
for kind in '' -fallback; do
	cat >"$TREE/${BOOTS%.conf}$kind.conf" <<-END
		# Created by: archinstall
		title   Arch Linux (linux$kind)
		linux   /vmlinuz-linux
		initrd  /initramfs-linux$kind.img
		options root=PARTUUID=1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b zswap.enabled=0 rootflags=subvol=@ rw
		options rootfstype=btrfs quiet
	END
	touch -d '@1767225600.123456789' "$TREE/${BOOTS%.conf}$kind.conf"
	echo "boot/initramfs-linux$kind.img" >"$TREE/boot/initramfs-linux$kind.img"
done
echo boot/vmlinuz-linux >"$TREE/boot/vmlinuz-linux"
printf 'default 2026-01-10_09-00-00_linux.conf\n' >>"$TREE/boot/loader/loader.conf"
edit_file "$TREE/proc/cmdline" "s,.*,initrd=\\\\initramfs-linux.img $(all_options "$TREE/$BOOTS"),"
