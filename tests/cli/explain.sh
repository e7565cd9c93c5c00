#!/bin/sh
# SPDX-License-Identifier: MIT
# explain: each setting and each entry of the log, with this machine's values, as text, JSON and Markdown; on any
# machine; and it never writes.
. "${SP_SRCDIR:-.}/tests/lib.sh"

SETTINGS='iommu gttsize pages-limit thp noretry swappiness dirty-ratio dirty-background-ratio max-map-count zone-reclaim
	gttsize-module pages-limit-module radv-nogttspill'
ENTRIES='batch-size-256 kv-cache-q4-0 rocwmma draft-model-speculation native-mtp ngram-speculation carve-out tuned power
	gpu-clock-reporting'

columns() { # DESCRIPTION: no line of the text is longer than 80
	check "$1: 80 columns" test -z "$(awk 'length > 80' "$OUT")"
}

# --- text -----------------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
list_all "$SCRATCH/before"
sp explain pages-limit
expect_status 'one setting' 0
for part in 'pages of 4 KiB' 'ttm\.pages_limit=15466496 \(cmdline\)' "profile 'zbook'" '60416 MiB \(auto\) of 63548 MiB' \
	'date +2026' '38\.8 of 59 GiB' 'verdict +keep' 'doubts +- ' 'sypherin' 'trade-off +' 'disk: .*/etc/kernel/cmdline' \
	'entry: ' 'cmdline: .*/proc/cmdline' 'live: /sys/module/ttm/parameters/pages_limit' 'effect: .*mem_info_gtt_total' \
	'--without pages-limit' 'rollback'; do
	expect_match "one setting: /$part/" "$OUT" "$part"
done
expect_no_match 'one setting: no other' "$OUT" '^thp'
expect_no_match 'one setting: entries are another layer than files' "$OUT" 'disk: .*loader/entries'
tr -s ' \n' ' ' <"$OUT" >"$SCRATCH/flat"
expect_match 'one setting: the files that later kernels inherit from' "$SCRATCH/flat" \
	'disk: it stands in /etc/default/grub, /etc/kernel/cmdline entry:'
columns 'one setting'

sp explain
expect_status 'the whole log' 0
for id in $SETTINGS $ENTRIES; do
	expect_match "the whole log: $id" "$OUT" "^$id\$"
done
columns 'the whole log'

sp explain swappiness
expect_match 'a warning of the plan is said with its setting' "$OUT" 'swappiness: swap is on zram'
expect_no_match 'and those of others are not' "$OUT" 'iommu=pt can keep'
sp explain max-map-count
expect_match 'a value that others set already' "$OUT" 'ok: .*already sets 1048576'
sp explain gttsize-module
expect_match 'a follower names whose log it shares' "$OUT" 'log +see gttsize'
expect_match 'a follower says why it is chosen' "$OUT" 'it goes with gttsize'
expect_match 'a follower is taken out with its leader' "$OUT" '--without gttsize'

for row in 'batch-size-256:826 tokens.s of prompt and 55\.9' 'gpu-clock-reporting:2900 MHz' 'carve-out:31\.5 GB' \
	'tuned:5 to 8 %' 'power:59 W to about 70 W'; do
	sp explain "${row%%:*}"
	tr -s ' \n' ' ' <"$OUT" >"$SCRATCH/flat"
	expect_match "${row%%:*}: the numbers" "$SCRATCH/flat" "${row#*:}"
	expect_match "${row%%:*}: is not applied" "$OUT" 'not-applied'
	expect_match "${row%%:*}: nothing to undo" "$SCRATCH/flat" 'nothing of it to undo'
done
list_all "$SCRATCH/after"
expect_same 'nothing was written' "$SCRATCH/before" "$SCRATCH/after"

# --- what is not understood -----------------------------------------------------------------------------------------

sp explain pages-limt
expect_status 'an unknown setting' 2
expect_match 'an unknown setting: the nearest' "$ERR" "did you mean 'pages-limit'"
sp explain carvout
expect_status 'an unknown entry' 2
expect_match 'an unknown entry: the nearest' "$ERR" "did you mean 'carve-out'"
sp explain iommu thp
expect_status 'two names' 2
sp explain --markdown --json
expect_status 'two forms' 2
sp plan --markdown
expect_status 'the option of another command' 2

# --- the state changes ----------------------------------------------------------------------------------------------

state_is() { # ID STATE
	sp explain "$1"
	expect_match "$3: $1 is $2" "$OUT" "state +$2: "
}
state_is iommu change 'before'
state_is noretry not-selected 'before'
sp_must apply --yes --with noretry --without thp
state_is iommu ok 'after apply'
state_is noretry ok 'after apply --with'
expect_match 'it was asked for by hand' "$OUT" 'asked for by hand'
state_is thp not-selected 'after apply --without'
expect_match 'it was taken out by hand' "$OUT" 'taken out by hand'

new_machine framework-desktop-fedora
for entry in "$TREE"/boot/loader/entries/*.conf; do
	edit_file "$entry" 's/^options .*/& amd_iommu=off/'
done
state_is iommu blocked 'with amd_iommu=off'

# --- any machine ----------------------------------------------------------------------------------------------------

new_machine strix-point-fedora
sp explain
expect_status 'another platform' 0
sp explain pages-limit
expect_match 'another platform: no size' "$OUT" 'not known here'
expect_match 'another platform: why' "$OUT" 'no Strix Halo machine'
sp explain thp
expect_match 'another platform: what needs no size has its value' "$OUT" 'transparent_hugepage=always'

TREE=$SCRATCH/empty
mkdir -p "$TREE"
sp explain
expect_status 'nothing is known' 0
sp explain iommu
expect_match 'nothing is known: the catalogue is' "$OUT" 'kyuz0 toolboxes #66'
expect_match 'nothing is known: it says so' "$OUT" 'values of this machine are not known'

new_machine zbook-64-fedora
rm -r "$TREE/boot/loader" "$TREE/boot/grub2"
sp explain gttsize
expect_status 'no boot setup' 0
expect_match 'no boot setup: the value' "$OUT" '60416'
printf 'gtt = "banana";\n' >"$TREE/etc/strix-provision.conf"
sp explain gttsize
expect_status 'a broken configuration' 2

# --- Markdown -------------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
sp explain --markdown
expect_status 'Markdown' 0
check 'Markdown: a title first' test "$(head -n 1 "$OUT")" = '# The optimization log'
# shellcheck disable=SC2086 # lists of words
check 'Markdown: a heading for each' test "$(grep '^## ' "$OUT" | grep -cv Warnings)" = "$(echo $SETTINGS $ENTRIES | wc -w | tr -d ' ')"
# shellcheck disable=SC2086
check 'Markdown: a row for each' test "$(grep -c '^| \[' "$OUT")" = "$(echo $SETTINGS $ENTRIES | wc -w | tr -d ' ')"
expect_match 'Markdown: code' "$OUT" '`ttm\.pages_limit=15466496`'
expect_no_match 'Markdown: no bare underscore in prose' "$OUT" '^- .*(Change|Evidence):[^`]*[^\\]_'
sp explain iommu --markdown
check 'Markdown, one: begins with its heading' test "$(head -n 1 "$OUT")" = '## iommu'

# --- JSON -----------------------------------------------------------------------------------------------------------

if [ -n "$JSON" ]; then
	sp --json explain
	check 'JSON: one object' json_is_one "$OUT"
	check 'JSON: the schema' test "$(json_get "$OUT" .schema)" = strix-provision/explain/1
	n=0
	for id in $SETTINGS $ENTRIES; do
		check "JSON: $id" test "$(json_get "$OUT" ".entries[$n].id")" = "$id"
		for key in state reason summary date change evidence verdict doubts tradeoff verified undo; do
			json_get "$OUT" ".entries[$n].$key" >/dev/null || fail "JSON: $id has no $key"
		done
		n=$((n + 1))
	done
	check 'JSON: there is no other' test -z "$(json_get "$OUT" ".entries[$n].id" 2>/dev/null)"
	sp --json explain pages-limit
	for row in id:pages-limit destination:cmdline key:ttm.pages_limit value:15466496 state:change verdict:keep \
		'verified[0].layer:disk' 'verified[3].layer:live' 'verified[3].how:/sys/module/ttm/parameters/pages_limit' \
		'verified[4].layer:effect'; do
		check "JSON: $row" test "$(json_get "$OUT" ".entries[0].${row%%:*}")" = "${row#*:}"
	done
	sp --json explain nonsense-at-all
	expect_status 'JSON: an unknown ID' 2
	check 'JSON: an unknown ID: the error' json_get "$OUT" .error.message
fi

done_testing
