# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Machines whose boot loader starts an entry once, and what it does at power on: it forgets the choice before it starts the
# entry. For tests of the trial boot; sourced behind tests/lib.sh.
LOADER=sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f

menu_head() { # what 00_header and 41_custom write
	cat <<'EOF'
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
fi
if [ -f  ${config_directory}/custom.cfg ]; then
  source ${config_directory}/custom.cfg
fi
EOF
}

new_grub() { # MACHINE FOLDER
	new_machine "$1"
	GRUB=$TREE/boot/$2
	menu_head >>"$GRUB/grub.cfg"
	[ -e "$GRUB/grubenv" ] || { printf '# GRUB Environment Block\n' && printf '%0999d' 0 | tr 0 '#'; } >"$GRUB/grubenv"
	touch -d @1767225600 "$GRUB/grub.cfg" "$GRUB/grubenv" "$GRUB"
	list_root "$SCRATCH/start"
}

wide_variable() { # NAME TEXT: of the Boot Loader Interface, in UTF-16, behind the attributes
	{
		printf '\006\000\000\000'
		printf '%s' "$2" | sed 's/./&\n/g' | while IFS= read -r c; do printf '%s\000' "$c"; done
		printf '\000\000'
	} >"$TREE/${LOADER%/*}/$1-${LOADER##*OneShot-}"
}

new_sdboot() {
	new_machine zbook-64-arch-sdboot
	GRUB=
	touch "$TREE/sys/strix-provision-test-firmware"
	wide_variable LoaderInfo 'systemd-boot 258.3'
	list_root "$SCRATCH/start"
}

custom_line() { # the line of the trial's entry in custom.cfg, behind the kernel
	sed -n '/id strix-provision-trial/,/^}/s/^[ \t]*linux[ \t]*[^ ]* //p' "$GRUB/custom.cfg" 2>/dev/null
}

chosen() { # for the next start
	if [ -n "${GRUB:-}" ]; then
		get_grubenv "$GRUB/grubenv" next_entry
	else
		[ ! -e "$TREE/$LOADER" ] || tail -c +5 "$TREE/$LOADER" | tr -d '\000'
	fi
}

forget() { # what the loader does before it starts an entry
	if [ -z "${GRUB:-}" ]; then
		rm -f "$TREE/$LOADER"
	elif grep -q '^next_entry=.' "$GRUB/grubenv"; then
		put_grubenv "$GRUB/grubenv" next_entry ''
		touch -d @1767225600 "$GRUB/grubenv" # GRUB writes the blocks, and not the times
	fi
}

# shellcheck disable=SC2034 # tests look at TRIED
power_on() { # start what the loader would; TRIED says whether that was the trial
	next=$(chosen) TRIED=no line=
	forget
	case $next in
	'') ;;
	strix-provision-trial) line=$(custom_line) ;;
	*) line=$(all_options "$(ls "$TREE"/efi/loader/entries/"$next" "$TREE"/boot/loader/entries/"$next" 2>/dev/null | head -n 1)") ;;
	esac
	reboot_machine
	[ -n "$line" ] || return 0
	TRIED=yes
	printf '%s\n' "BOOT_IMAGE=(hd0,gpt2)/vmlinuz $line" >"$TREE/proc/cmdline"
	boot_gpu "$line"
	boot_kernel "$line"
}
