# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154,SC2034 # tests/cli/golden.sh sources this
# Fedora's inst.sdboot: entries and kernels on the ESP. GRUB's configuration and one entry of it are still there.
id=$(cat "$TREE/etc/machine-id")
esp=$TREE/boot/efi
mkdir -p "$esp/EFI/systemd" "$esp/loader/entries"
echo systemd-boot >"$esp/EFI/systemd/systemd-bootx64.efi"
printf '#timeout 3\n#console-mode keep\n' >"$esp/loader/loader.conf"
chmod u+w "$TREE/boot"
for version in 6.18.16-200.fc43.x86_64 6.19.8-200.fc43.x86_64; do
	entry=$esp/loader/entries/$id-$version.conf
	mkdir -p "$esp/$id/$version"
	mv "$TREE/boot/vmlinuz-$version" "$esp/$id/$version/linux"
	mv "$TREE/boot/initramfs-$version.img" "$esp/$id/$version/initrd"
	{
		printf 'title      Fedora Linux 43 (Workstation Edition)\nversion    %s\nmachine-id %s\nsort-key   fedora\n' "$version" "$id"
		printf 'options    %s systemd.machine_id=%s\n' "$(cat "$TREE/etc/kernel/cmdline")" "$id"
		printf 'linux      /%s/%s/linux\ninitrd     /%s/%s/initrd\n' "$id" "$version" "$id" "$version"
	} >"$entry"
	touch -d '@1767225600.123456789' "$entry"
done
rm "$TREE/boot/loader/entries/$id-6.18.16-200.fc43.x86_64.conf"
{
	printf '\006\000\000\000'
	printf 'systemd-boot 257.9-1.fc43' | sed 's/./&\n/g' | while IFS= read -r c; do printf '%s\000' "$c"; done
	printf '\000\000'
} >"$TREE/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
edit_file "$TREE/proc/cmdline" "s,.*,initrd=\\\\$id\\\\6.19.8-200.fc43.x86_64\\\\initrd $(cat "$TREE/etc/kernel/cmdline") systemd.machine_id=$id,"
BOOTS=boot/efi/loader/entries/$id-6.19.8-200.fc43.x86_64.conf
