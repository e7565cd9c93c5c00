#!/bin/sh
# SPDX-License-Identifier: MIT
# Limine: what limine-entry-tool would make of its layers has our arguments once and a root=, after rollback as before; and
# what is refused before anything is written. The tool itself is simulated: its layers, in the order it reads them.
. "${SP_SRCDIR:-.}/tests/lib.sh"

OWN=etc/limine-entry-tool.d/zz-strix-provision.conf

new_limine() {
	new_machine zbook-64-cachyos-limine
	list_root "$SCRATCH/start"
}

layers() { # the line that a new entry gets
	line=
	for file in "$TREE"/usr/share/limine-entry-tool.d/*.conf "$TREE/etc/limine-entry-tool.conf" \
		"$TREE"/etc/limine-entry-tool.d/*.conf "$TREE/etc/default/limine"; do
		[ -e "$file" ] || continue
		while IFS= read -r text; do
			case $text in
			'KERNEL_CMDLINE[default]+='*) line="$line ${text#*=}" ;;
			'KERNEL_CMDLINE[default]='*) line=${text#*=} ;;
			esac
		done <"$file"
	done
	printf '%s\n' "$line" | tr -d '"' | tr -s ' ' | sed 's/^ //; s/ $//'
}

words() { # LINE: one a line, sorted
	printf '%s\n' "$1" | tr -s ' ' '\n' | sort
}

entry_has() { # the same words as a new entry would get
	words "$(layers)" >"$SCRATCH/new"
	words "$(sed -n 's/^ *cmdline: //p' "$TREE/boot/limine.conf" | head -n 1)" >"$SCRATCH/old"
	cmp -s "$SCRATCH/new" "$SCRATCH/old"
}

new_limine
check 'the layers give what is there' entry_has
sp --json apply --yes
expect_status 'apply' 0
check 'a new entry gets what the ones that are there have' entry_has
check '/etc/default/limine stays' cmp -s "$TREE/etc/default/limine" "$TESTS/machines/zbook-64-cachyos-limine/etc/default/limine"
expect_match 'Windows stays' "$TREE/boot/limine.conf" 'bootmgfw.efi$'
reboot_machine
sp verify
expect_status 'verify after a restart' 0
printf '\n/Another\nprotocol: efi\npath: boot():/x.efi\n' >>"$TREE/boot/limine.conf"
sp_must rollback --yes
expect_match 'what was added to limine.conf since stays' "$TREE/boot/limine.conf" '^/Another$'
expect_no_match 'and ours is gone from it' "$TREE/boot/limine.conf" gttsize
check 'and a new entry is as before' entry_has

new_limine
edit_file "$TREE/etc/default/limine" 's/]+=/]=/' # begins anew behind our file: ours goes where it counts
sp_must apply --yes
check 'where the last layer begins anew, ours goes into it' sh -c "grep -q gttsize '$TREE/etc/default/limine' && [ ! -e '$TREE/$OWN' ]"
check 'and new entries have it' entry_has
sp_must rollback --yes
expect_no_match 'rolled back' "$TREE/etc/default/limine" gttsize

new_limine
edit_file "$TREE/etc/default/limine" '/KERNEL_CMDLINE/d'
sp_must apply --yes
expect_match 'without any layer the whole line goes into /etc/kernel/cmdline' "$TREE/etc/kernel/cmdline" 'root=UUID=.*gttsize'
check 'and no layer of ours would hide it' test ! -e "$TREE/$OWN"

new_limine
rm "$TREE"/usr/bin/limine-*
sp_must apply --yes
check 'without the tool limine.conf alone is changed' test ! -e "$TREE/$OWN"
expect_match 'limine.conf is' "$TREE/boot/limine.conf" gttsize

refused() { # DESCRIPTION STATUS REGEX
	list_root "$SCRATCH/start"
	sp apply --yes
	expect_status "$1" "$2"
	expect_match "$1: it says why" "$ERR" "$3"
	list_root "$SCRATCH/now"
	expect_same "$1: nothing is changed" "$SCRATCH/start" "$SCRATCH/now"
}

new_limine
edit_file "$TREE/boot/EFI/limine/limine_x64.efi" 's/++0/++7/'
refused 'a checksum of limine.conf is enrolled' 6 'checksum'
expect_match 'the hint is the tool that enrols the new one' "$ERR" 'limine-update'
new_limine
printf '\006\000\000\000\001' >"$TREE/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
refused 'Secure Boot is on' 6 'Secure Boot'
new_limine
edit_file "$TREE/etc/default/limine" 's/root=UUID=[^" ]*//'
refused 'layers without root=' 6 'root='
new_limine
edit_file "$TREE/boot/limine.conf" 's/root=UUID=[^ ]*//'
refused 'entries without root=' 1,4,6 'root='
new_limine
printf '  //x\n' >"$TREE/boot/limine.conf"
refused 'a limine.conf that Limine itself stops at' 1,6 'limine.conf'
new_limine
printf '/a\n//b\nprotocol: linux\ncmdline: root=UUID=other ro\n' >"$TREE/boot/limine.conf"
refused 'no entry of this system' 1,4,6 'limine.conf'

new_limine
sp apply --trial --yes
expect_status 'a trial is refused' 6

done_testing
