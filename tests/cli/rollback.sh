#!/bin/sh
# SPDX-License-Identifier: MIT
# Rollback is all or nothing, takes out exactly what is ours, and keeps what others wrote since.
. "${SP_SRCDIR:-.}/tests/lib.sh"

OURS='gttsize|pages_limit|iommu=pt|transparent_hugepage'
MID=5a3b0c9d8e7f41628394a5b6c7d8e9f0

start() { # an applied ZBook; the listing from before is in $SCRATCH/start
	new_machine zbook-64-fedora
	list_root "$SCRATCH/start"
	ENTRY=$TREE/boot/loader/entries/$(default_entry).conf
	OLD=$TREE/boot/loader/entries/$MID-6.18.16-200.fc43.x86_64.conf
	sp_must apply --yes
}

is_as_before() { # DESCRIPTION [PATHS that may differ]
	desc=$1
	shift
	list_root "$SCRATCH/now"
	cp "$SCRATCH/start" "$SCRATCH/was"
	for path; do
		for file in was now; do
			grep -v -F "$path	" "$SCRATCH/$file" >"$SCRATCH/filtered"
			cp "$SCRATCH/filtered" "$SCRATCH/$file"
		done
	done
	expect_same "$desc" "$SCRATCH/was" "$SCRATCH/now"
}

# --- nothing to undo ------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
list_root "$SCRATCH/start"
sp rollback --yes
expect_status 'rollback without a transaction' 1
is_as_before 'it changes nothing'
sp rollback --yes --all
expect_status 'rollback --all without a transaction' 1

start
sp rollback
expect_status 'rollback without a terminal and without --yes' 2
sp_must rollback --yes
is_as_before 'rollback restores the tree'
check 'the folder that was made for our file is gone' test ! -e "$TREE/etc/environment.d"
sp rollback --yes
expect_status 'a second rollback has nothing left to undo' 1
is_as_before 'and changes nothing'
sp apply --yes
expect_status 'apply after rollback' 0
sp rollback --yes
expect_status 'rollback of that' 0
is_as_before 'the tree is restored once more'

# --- conflicts ------------------------------------------------------------------------------------------------------

start
edit_file "$ENTRY" 's/ttm\.pages_limit=[0-9]*/ttm.pages_limit=123/'
list_root "$SCRATCH/before"
sp rollback --yes
expect_status 'a token of ours was changed' 4
expect_match 'the conflict names the file' "$ERR" "$(basename "$ENTRY")"
expect_match 'the conflict names the key' "$ERR" 'pages_limit'
expect_match 'the hint works' "$ERR" '--keep-conflicts'
list_root "$SCRATCH/after"
expect_same 'a conflict leaves everything as it is' "$SCRATCH/before" "$SCRATCH/after"
sp rollback --yes --keep-conflicts
expect_status 'rollback --keep-conflicts' 0
expect_match 'the changed token is kept' "$ENTRY" 'ttm\.pages_limit=123'
expect_no_match 'the other tokens are gone from that entry' "$ENTRY" 'gttsize|iommu=pt|transparent_hugepage'
is_as_before 'everything else is restored' "${ENTRY#"$TREE/"}"

start
own=etc/sysctl.d/99-zz-strix-provision.conf
echo 'vm.swappiness = 42' >>"$TREE/$own"
edit_file "$OLD" 's/ttm\.pages_limit=[0-9]*/ttm.pages_limit=5/'
list_root "$SCRATCH/before"
sp rollback --yes
expect_status 'a file of ours and a token were changed' 4
expect_match 'all conflicts are named: the file' "$ERR" '99-zz-strix-provision\.conf'
expect_match 'all conflicts are named: the entry' "$ERR" "$(basename "$OLD")"
list_root "$SCRATCH/after"
expect_same 'nothing changed' "$SCRATCH/before" "$SCRATCH/after"
sp rollback --yes --keep-conflicts
expect_status 'rollback --keep-conflicts keeps the file' 0
expect_match 'the edited file is kept' "$TREE/$own" 'swappiness = 42'
is_as_before 'everything else is restored, too' "$own" "${OLD#"$TREE/"}"

# --- what others wrote stays ----------------------------------------------------------------------------------------

start
edit_file "$ENTRY" 's/^options .*/& foo=bar/'
edit_file "$TREE/etc/default/grub" 's/^GRUB_TIMEOUT=5$/GRUB_TIMEOUT=9 # slower/'
printf '# mine\nvm.laptop_mode = 5\n' >"$TREE/etc/sysctl.d/50-mine.conf"
sp rollback --yes
expect_status 'edits outside our tokens are no conflict' 0
expect_match 'the foreign token in the entry is kept' "$ENTRY" '^options .*rhgb quiet foo=bar$'
expect_no_match 'none of our tokens is left in the entry' "$ENTRY" "$OURS"
expect_match 'the edit of /etc/default/grub is kept' "$TREE/etc/default/grub" '^GRUB_TIMEOUT=9 # slower$'
expect_no_match 'none of our tokens is left in /etc/default/grub' "$TREE/etc/default/grub" "$OURS"
expect_match 'a foreign file is kept' "$TREE/etc/sysctl.d/50-mine.conf" 'laptop_mode'
is_as_before 'everything else is restored' "${ENTRY#"$TREE/"}" etc/default/grub etc/sysctl.d/50-mine.conf

start
NEW=$TREE/boot/loader/entries/$MID-6.20.1-200.fc43.x86_64.conf
sed 's/6\.19\.8/6.20.1/g' "$ENTRY" >"$NEW"
rm "$OLD"
sp rollback --yes
expect_status 'a kernel was installed and another removed since' 0
expect_no_match 'our tokens are gone from the new entry, too' "$NEW" "$OURS"
expect_match 'the rest of the new entry is whole' "$NEW" '^options root=UUID=.* rhgb quiet$'
check 'the removed entry stays away' test ! -e "$OLD"
is_as_before 'everything else is restored' "${NEW#"$TREE/"}" "${OLD#"$TREE/"}"

start
touch "$ENTRY"
sp rollback --yes
expect_status 'a touched file is not a changed one' 0
is_as_before 'its bytes are back; times of what we touched too'

# --- what we displaced ----------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
for file in "$TREE"/boot/loader/entries/"$MID"-6.*.conf "$TREE/etc/kernel/cmdline"; do
	edit_file "$file" 's/ rhgb/ transparent_hugepage=never ttm.pages_limit=7 rhgb ttm.pages-limit=8/'
done
list_root "$SCRATCH/start"
ENTRY=$TREE/boot/loader/entries/$(default_entry).conf
sp_must apply --yes
expect_match 'our value stands alone on the line' "$ENTRY" '^options .* transparent_hugepage=always rhgb '
expect_no_match 'the foreign values are displaced' "$ENTRY" 'hugepage=never|limit=[78]( |$)'
sp_must rollback --yes
is_as_before 'what was displaced is back where it stood'

# --- several transactions -------------------------------------------------------------------------------------------

start
list_root "$SCRATCH/first"
sp_must apply --yes --gtt 40G
expect_match 'the second apply changed the size' "$ENTRY" 'pages_limit=10485760'
sp_must rollback --yes
list_root "$SCRATCH/now"
expect_same 'rollback undoes the last transaction only' "$SCRATCH/first" "$SCRATCH/now"
sp_must rollback --yes
is_as_before 'rollback once more undoes the first'

start
sp_must apply --yes --gtt 40G
sp_must rollback --yes --all
is_as_before 'rollback --all undoes both'

start
sp_must apply --yes --gtt 40G
sp_must apply --yes --gtt 30G
sp_must rollback --yes 2
list_root "$SCRATCH/now"
expect_match 'rollback 2 undoes the second and the third' "$ENTRY" 'pages_limit=15466496'
sp_must rollback --yes 1
is_as_before 'rollback 1 undoes the first'

# --- selections that shrink -----------------------------------------------------------------------------------------

start
sp_must apply --yes --without thp --without radv-nogttspill
expect_no_match 'a setting that is no longer chosen is taken out' "$ENTRY" 'transparent_hugepage'
check 'a file that is no longer needed is gone' test ! -e "$TREE/etc/environment.d/zz-strix-provision.conf"
sp_must rollback --yes --all
is_as_before 'rollback --all restores the tree from there'

# --- kernels that came between two transactions ---------------------------------------------------------------------

start
NEW=$TREE/boot/loader/entries/$MID-6.20.1-200.fc43.x86_64.conf
sed 's/6\.19\.8/6.20.1/g' "$ENTRY" >"$NEW" # inherits what the first apply wrote
sp_must apply --yes --gtt 40G
expect_match 'the second apply reaches the new entry' "$NEW" 'pages_limit=10485760'
cp -a "$TREE" "$SCRATCH/between"
sp_must rollback --yes
expect_match 'rollback of the second leaves the new entry what the first wanted' "$NEW" 'pages_limit=15466496'
sp_must rollback --yes
expect_no_match 'rollback of the first takes all of ours out of it' "$NEW" "$OURS"
is_as_before 'everything else is restored' "${NEW#"$TREE/"}"

rm -rf "$TREE" && mv "$SCRATCH/between" "$TREE"
sp_must rollback --yes --all
expect_no_match 'rollback --all takes all of ours out of it in one go' "$NEW" "$OURS"
expect_match 'the rest of it is whole' "$NEW" '^options root=UUID=.* rhgb quiet$'
is_as_before 'everything else is restored, too' "${NEW#"$TREE/"}"

# --- rights that somebody gave since --------------------------------------------------------------------------------

start
chmod 600 "$TREE/etc/default/grub"
sp_must rollback --yes
check 'rights given since are kept' test "$(stat -c %a "$TREE/etc/default/grub")" = 600
chmod 644 "$TREE/etc/default/grub"
is_as_before 'the bytes and the time are back'

# --- files that were moved since ------------------------------------------------------------------------------------

start
sp_must apply --yes --gtt 40G
mv "$TREE/etc/default/grub" "$TREE/etc/grub-defaults"
ln -s ../grub-defaults "$TREE/etc/default/grub"
sp rollback --yes --all
expect_status 'a file of two transactions became a link to another place' 0
expect_no_match 'none of our tokens is left there' "$TREE/etc/grub-defaults" "$OURS"
check 'the link is still one' test -L "$TREE/etc/default/grub"
is_as_before 'everything else is restored' etc/default/grub etc/grub-defaults

# --- what is known is lost ------------------------------------------------------------------------------------------

start
rm "$TREE/var/lib/strix-provision/state.json"
sp plan --check
expect_status 'plan without state.json still knows that all is applied' 0
sp apply --yes
expect_status 'apply without state.json has nothing to do' 0
sp verify
expect_status 'verify without state.json knows of the apply' 8
sp apply --yes --gtt 40G
expect_status 'apply without state.json takes its own files for its own' 0
sp_must rollback --yes
rm "$TREE/var/lib/strix-provision/state.json"
sp_must rollback --yes
is_as_before 'rollback without state.json'

start
sp_must apply --yes --gtt 40G
printf 'x' | dd of="$TREE/var/lib/strix-provision/tx/2/images" conv=notrunc 2>"$SCRATCH/dd"
list_root "$SCRATCH/before"
sp rollback --yes
expect_status 'the last transaction cannot be read: nothing older is undone instead of it' 1
expect_match 'the message names it' "$ERR" 'transaction 2'
list_root "$SCRATCH/after"
expect_same 'nothing changed' "$SCRATCH/before" "$SCRATCH/after"

done_testing
