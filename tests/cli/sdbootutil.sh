#!/bin/sh
# SPDX-License-Identifier: MIT
# openSUSE's sdbootutil: the line that it would write has our arguments once, after rollback none; other snapshots keep
# theirs; and what is refused before anything is written. sdbootutil itself is simulated: its files, in the order it reads them.
. "${SP_SRCDIR:-.}/tests/lib.sh"

ENTRIES=boot/efi/loader/entries
OWN=etc/kernel/cmdline.d/50-strix-provision.conf

new_suse() {
	new_machine zbook-64-opensuse-sdboot
	BOOTS=$ENTRIES/opensuse-tumbleweed-6.19.8-1-default-1.conf
	list_root "$SCRATCH/start"
}

written() { # the words of the line that sdbootutil would write
	cat "$TREE/etc/kernel/cmdline" "$TREE"/etc/kernel/cmdline.d/*.conf | tr -s ' ' '\n' | sort
}

entry() { # the words of the one that is there, without what is added to each
	all_options "$TREE/$BOOTS" | sed 's/ systemd.machine_id=[^ ]*//' | tr -s ' ' '\n' | sort
}

same_words() {
	written >"$SCRATCH/written"
	entry >"$SCRATCH/entry"
	diff "$SCRATCH/written" "$SCRATCH/entry"
}

new_suse
check 'sdbootutil writes what is there' same_words
sp --json apply --yes
expect_status 'apply' 0
check 'and what is there after apply' same_words
check 'the file of ours is one line of arguments' test "$(wc -l <"$TREE/$OWN")" = 1
check 'the entry of another snapshot stays' cmp -s "$TREE/$ENTRIES/opensuse-tumbleweed-6.18.16-1-default-7.conf" \
	"$TESTS/machines/zbook-64-opensuse-sdboot/$ENTRIES/opensuse-tumbleweed-6.18.16-1-default-7.conf"
reboot_machine
sp verify
expect_status 'verify after a restart' 0
sp_must rollback --yes
check 'after rollback as before' same_words
check 'and the file of ours is gone' test ! -e "$TREE/$OWN"

new_suse
rm "$TREE/etc/kernel/cmdline"
sp_must apply --yes
expect_match 'without a first file the whole line is put into it' "$TREE/etc/kernel/cmdline" '^[^#]*root=UUID='
expect_no_match 'and ours not twice' "$TREE/etc/kernel/cmdline" gttsize
written | sort -u | grep -v '^systemd.machine_id=' >"$SCRATCH/written" # what cmdline.d says is in the entry's line, too
entry | sort -u >"$SCRATCH/entry"
expect_same 'the tool would write the same words' "$SCRATCH/written" "$SCRATCH/entry"
check 'and ours once' test "$(written | grep -c '^iommu=pt$')" = 1

new_suse
printf '#!/bin/bash\n# of before 2026-03\n' >"$TREE/usr/bin/sdbootutil"
rm -r "$TREE/etc/kernel/cmdline.d"
sp_must apply --yes
expect_match 'a version without the folder: ours goes into the first file' "$TREE/etc/kernel/cmdline" gttsize
check 'and none is made that nobody reads' test ! -e "$TREE/$OWN"

new_suse
printf 'ttm.pages_limit=1\n' >"$TREE/etc/kernel/cmdline.d/90-theirs.conf"
sp plan
expect_match 'a file that is read after ours is told' "$OUT" '90-theirs.conf'

refused() { # DESCRIPTION STATUS REGEX
	list_root "$SCRATCH/start"
	sp apply --yes
	expect_status "$1" "$2"
	expect_match "$1: it says why" "$ERR" "$3"
	list_root "$SCRATCH/now"
	expect_same "$1: nothing is changed" "$SCRATCH/start" "$SCRATCH/now"
}

new_suse
mkdir -p "$TREE/usr/sbin" && echo >"$TREE/usr/sbin/transactional-update"
edit_file "$TREE/etc/fstab" 's, / btrfs defaults , / btrfs ro ,'
refused 'a root that is a read-only snapshot' 6 'transactional-update'
new_suse
for file in "$TREE/$ENTRIES"/*.conf; do edit_file "$file" 's/root=UUID=[^ ]*//'; done
edit_file "$TREE/proc/cmdline" 's/root=UUID=[^ ]*//'
refused 'entries without root=' 1,4,6 'root=|entry'
new_suse
rm "$TREE/$ENTRIES"/*.conf
refused 'no entries' 1,6 'entr|boot setup'

done_testing
