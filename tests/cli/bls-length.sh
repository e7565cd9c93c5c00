#!/bin/sh
# SPDX-License-Identifier: MIT
# GRUB 2.14's own blscfg cannot boot an entry of which "linux", path and options make a multiple of 32 bytes (make check-boot
# shows it with the real one). At each of 32 lengths of a line: what apply leaves can boot, what rollback leaves is what was
# there, and an entry that a later kernel brings with such a length is told by verify and mended by apply. A trial touches no
# entry of that kind: its own is a menuentry in custom.cfg, whose line is not cut up by blscfg; what confirm makes of it is an apply.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$SP_SRCDIR/tests/lib-trial.sh"

ENTRIES=boot/loader/entries

bad_entries() { # names of this system's, with the length that cannot boot; as GRUB counts, not as the program does
	for file in "$TREE/$ENTRIES/$ID"-*.conf; do
		awk -v name="${file##*/}" '$1 == "linux" { sub(/^linux[ \t]+/, ""); path = $0 }
			/^options[ \t]/ && !seen++ { sub(/^options[ \t]+/, ""); line = $0 }
			END { if (length("linux  " path " " line) % 32 == 0) print name }' "$file"
	done
}

pad() { # COUNT
	awk -v n="$1" 'BEGIN { printf " pad="; while (n-- > 0) printf "x" }'
}

pad_all() { # COUNT: every entry of this system but the rescue one, and what later kernels inherit
	for file in "$TREE/$ENTRIES/$ID"-[1-9]*.conf; do
		edit_file "$file" "/^options/s/ pad=x*//; /^options/s/\$/$(pad "$1")/"
	done
	edit_file "$TREE/etc/kernel/cmdline" "s/ pad=x*//; s/\$/$(pad "$1")/"
}

install_kernel() { # what kernel-install makes of the line for later kernels, by the name of the newest entry
	sed -e "s/6\.19\.8-200/6.20.1-200/g" -e "s|^options.*|options $(cat "$TREE/etc/kernel/cmdline")|" \
		"$TREE/$ENTRIES/$ID-6.19.8-200.fc43.x86_64.conf" >"$TREE/$ENTRIES/$NEW"
	cp "$TREE/boot/vmlinuz-6.19.8-200.fc43.x86_64" "$TREE/boot/vmlinuz-6.20.1-200.fc43.x86_64"
	cp "$TREE/boot/initramfs-6.19.8-200.fc43.x86_64.img" "$TREE/boot/initramfs-6.20.1-200.fc43.x86_64.img"
}

new_grub zbook-64-fedora grub2
mkdir -p "$TREE/boot/grub2/x86_64-efi"
: >"$TREE/boot/grub2/x86_64-efi/blsuki.mod"
ID=$(cat "$TREE/etc/machine-id")
NEW=$ID-6.20.1-200.fc43.x86_64.conf
before=0 applied=0 back=0 later=0 told=0 mended=0 undone=0 touched=0 promoted=0
n=0
while [ "$n" -lt 32 ]; do
	pad_all "$n"
	list_root "$SCRATCH/before"
	was_bad=$(bad_entries | wc -l)
	before=$((before + was_bad))
	sp_must apply --yes
	[ -z "$(bad_entries)" ] || { applied=$((applied + 1)) && note "pad $n, apply: $(bad_entries)"; }
	install_kernel
	if [ -n "$(bad_entries)" ]; then
		later=$((later + 1))
		sp verify
		[ "$STATUS" = 3 ] && grep -q "cannot boot an" "$OUT" && told=$((told + 1))
		sp apply --yes
		[ -n "$(bad_entries)" ] || mended=$((mended + 1))
	fi
	sp_must rollback --yes --all
	[ "$(bad_entries | grep -cxF "$NEW")" = 0 ] || { undone=$((undone + 1)) && note "pad $n, rollback: $(bad_entries)"; }
	rm -f "$TREE/$ENTRIES/$NEW" "$TREE"/boot/*6.20.1*
	list_root "$SCRATCH/after"
	cmp -s "$SCRATCH/before" "$SCRATCH/after" || back=$((back + 1))
	sp_must apply --trial --yes
	list_root "$SCRATCH/after"
	diff "$SCRATCH/before" "$SCRATCH/after" | grep -q '^[<>] boot/loader/entries/' && touched=$((touched + 1))
	power_on
	sp_must confirm
	[ -z "$(bad_entries)" ] || { promoted=$((promoted + 1)) && note "pad $n, trial: $(bad_entries)"; }
	sp_must rollback --yes --all
	rm -rf "$TREE/var/lib/strix-provision"
	n=$((n + 1))
done
check "each of two entries cannot boot at one length in 32 ($before)" test "$before" = 2
check "apply leaves no entry that cannot boot ($applied)" test "$applied" = 0
check "rollback restores every byte ($back)" test "$back" = 0
check "a later kernel's entry cannot boot at one length in 32 ($later)" test "$later" = 1
check "verify tells of it ($told)" test "$told" = "$later"
check "apply mends it ($mended)" test "$mended" = "$later"
check "rollback leaves no later entry that cannot boot ($undone)" test "$undone" = 0
check "a trial changes no entry that blscfg reads ($touched)" test "$touched" = 0
check "a trial that is confirmed leaves no entry that cannot boot ($promoted)" test "$promoted" = 0
done_testing
