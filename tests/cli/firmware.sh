#!/bin/sh
# SPDX-License-Identifier: MIT
# The firmware's carve-out on recorded machines: its sources, the gate, setting it together with the sizes, by hand, and
# what verify makes of one that changed. What a driver refuses is in firmware-driver.sh, the setup screen in
# firmware-setup.sh.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-firmware.sh"

new_zbook() { # still at 32 GB; without a password, and ours to write
	new_machine zbook-64-uma32
	own_firmware
	password_is 0
}

# --- sources --------------------------------------------------------------------------------------------------------

new_machine zbook-64-uma32
sp firmware uma
expect_status 'firmware uma shows the carve-out' 0
expect_match 'what is in force' "$OUT" 'in force +32 GiB'
expect_match 'and at the next start, by hp-bioscfg' "$OUT" "next start +32 GiB \(hp-bioscfg 'Dedicated Graphics Memory'\)"
expect_match 'and what is on offer' "$OUT" '512 MB, 4 GB, 8 GB, 16 GB, 32 GB and 48 GB'
expect_match 'and the way by hand' "$OUT" 'F10 at power-on, then Advanced > Device Options'
sp --json detect
json_is 'detect, HP alone' .firmware.carve_out.next_boot_mib 32768
json_is 'detect, HP alone' '.firmware.carve_out.sources[0].why' 'not there'
json_is 'detect, HP alone' '.firmware.carve_out.sources[1].used' true
json_is 'detect, HP alone' '.firmware.carve_out.sources[1].choices[1].mib' 4096
sp detect
expect_match 'detect names the sources in their order' "$OUT" 'uma/carveout: not there'

amdgpu_offers 1 '0: Minimum (512 MB)' '1:  (8 GB)' '2: High (for AI) (32 GB)'
sp --json firmware uma
json_is 'both are there: amdgpu goes first' .carve_out.next_boot_mib 8192
json_is 'both are there' '.carve_out.sources[0].used' true
json_is 'both are there: the other is shown' '.carve_out.sources[1].mib' 32768
json_is 'a name that is empty' '.carve_out.sources[0].choices[1].name' '(8 GB)'
echo 7 >"$TREE/sys/bus/pci/devices/0000:c5:00.0/uma/carveout"
sp --json firmware uma
json_is 'amdgpu does not tell it: hp-bioscfg does' .carve_out.next_boot_mib 32768

new_machine framework-desktop-fedora
sp --json firmware uma
expect_status 'neither is there' 0
json_is 'neither is there, but what is in force' .carve_out.running_mib 512
check 'the next start is not known' test "$(json_get "$OUT" .carve_out.next_boot_mib)" = null -o \
	-z "$(json_get "$OUT" .carve_out.next_boot_mib)"
json_is 'neither is there' .locked \
	'this kernel offers no way to set it (hp-bioscfg on HP; on others amdgpu since Linux 7.0)'

for name in 'dedicated graphics memory' Dedicated_Graphics_Memory 'UMA Frame Buffer Size' 'Video Memory Size'; do
	new_machine zbook-64-uma32
	mv "$TREE/$UMA" "$TREE/$HP/attributes/$name"
	sp --json firmware uma
	json_is "spelled '$name'" .carve_out.next_boot_mib 32768
done
new_machine zbook-64-uma32
mv "$TREE/$UMA" "$TREE/$HP/attributes/Graphics Switch"
sp --json firmware uma
check 'an attribute of another name is none' test -z "$(json_get "$OUT" .carve_out.next_boot_mib | sed 's/null//')"

# --- recorded -------------------------------------------------------------------------------------------------------

new_machine zbook-64-uma32
password_is 1
echo geheim >"$TREE/$HP/authentication/Setup Password/current_password"
mkdir -p "$TREE/$HP/attributes/Asset Tag"
echo 'somebody' >"$TREE/$HP/attributes/Asset Tag/current_value"
chmod 444 "$TREE/$UMA/current_value"
own_firmware
sp --json firmware uma
grep -v '"path"' "$OUT" >"$SCRATCH/told"
sp_must record --output "$SCRATCH/record"
run_sp --root "$TREE" --machine "$SCRATCH/record" --json firmware uma
grep -v '"path"' "$OUT" >"$SCRATCH/told-by-record"
expect_same 'a record says the same of the firmware' "$SCRATCH/told" "$SCRATCH/told-by-record"
expect_match 'that there is a password' "$OUT" '"password": true'
expect_match 'that it is read-only' "$OUT" '"read_only": true'
check 'a record holds neither password nor other attributes, and may not be written' \
	test -z "$(grep -rl 'geheim\|somebody' "$SCRATCH/record")" -a ! -e "$SCRATCH/record/$MARK"

# --- in one go, and back --------------------------------------------------------------------------------------------

new_zbook
list_root "$SCRATCH/before"
sp --json plan --uma 512M
expect_status 'plan --uma 512M' 0
json_is 'plan' .installed_mib 65536
json_is 'plan: carve-out now' .uma_mib 32768
json_is 'plan: carve-out at the next boot' .uma_next_boot_mib 512
json_is 'plan: visible now' .visible_mib 31796
json_is 'plan: visible at the next boot' .visible_next_boot_mib 63548
json_is 'plan: the reference size' .sizes.gtt_mib 60416
json_is 'plan: in pages' .sizes.gtt_pages 15466496
json_is 'plan' .gate.writes '512 MB'
expect_carve_out 'plan writes nothing' '32 GB'
check 'the GTT is 16 GiB before' grep -qx 16670748672 "$TREE/sys/bus/pci/devices/0000:c5:00.0/mem_info_gtt_total"

sp apply --yes --uma 512M
expect_status 'apply --uma 512M' 0
expect_carve_out 'apply' '512 MB'
expect_gtt apply 60416
sp status
expect_status 'status: a reboot is due' 8
expect_said 'status says what for' "firmware's carve-out was set"
sp verify
expect_status 'verify before the reboot' 8
list_all "$SCRATCH/all-before"
sp apply --yes
expect_status 'apply again' 0
sp firmware uma 512M --yes
expect_status 'firmware uma to what it is' 0
list_all "$SCRATCH/all-after"
expect_same 'neither writes anything' "$SCRATCH/all-before" "$SCRATCH/all-after"
reboot_machine
check 'memory after the reboot' grep -q '^MemTotal: *65074108 kB' "$TREE/proc/meminfo"
check 'the GTT is 59 GiB then' grep -qx 63350767616 "$TREE/sys/bus/pci/devices/0000:c5:00.0/mem_info_gtt_total"
sp verify
expect_status 'verify after the reboot' 0
sp --json verify
check 'verify checks the carve-out now, at the next start, and the memory' sh -c "python3 - \"\$1\" <<'EOF'
import json, sys
checks = [(c['id'], c['layer'], c['result']) for c in json.load(open(sys.argv[1]))['checks']]
sys.exit(not all((i, l, 'ok') in checks for i, l in
	[('carve-out', 'live'), ('carve-out', 'effect'), ('memory', 'effect'), ('pages-limit', 'effect'), ('gttsize', 'live')]))
EOF" sh "$OUT"
sp rollback --yes
expect_status 'rollback' 0
expect_said 'rollback names the carve-out' "carve-out: 32 GB at the next start"
expect_said 'and the reboot' 'reboot'
expect_carve_out rollback '32 GB'
list_root "$SCRATCH/after"
expect_same 'rollback restores every file' "$SCRATCH/before" "$SCRATCH/after"
sp status
expect_status 'status after rollback' 8
reboot_machine
sp verify
expect_status 'verify after rollback and reboot' 0

# --- growing --------------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
own_firmware
password_is 0
sp_must apply --yes
sp firmware uma 32G --yes
expect_status 'a larger carve-out beside sizes that do not fit it' 4
expect_said 'the hint changes both' 'apply --uma 32G'
expect_carve_out 'it is not set' '512 MB'
sp apply --yes --uma 32G
expect_status 'apply --uma 32G' 0
expect_carve_out 'apply --uma 32G' '32 GB'
expect_gtt 'apply --uma 32G' 28672
reboot_machine
sp verify
expect_status 'verify after the reboot' 0
sp rollback --yes
expect_status 'rollback of the growing one alone' 0
expect_carve_out 'rollback' '512 MB'
expect_gtt 'rollback' 60416

# --- firmware uma by itself -----------------------------------------------------------------------------------------

new_zbook
list_root "$SCRATCH/before"
sp firmware uma 512M
expect_status 'firmware uma SIZE without a terminal and without --yes' 2
expect_carve_out 'and nothing is set' '32 GB'
sp firmware uma 4G --yes
expect_status 'firmware uma 4G' 0
expect_carve_out 'firmware uma 4G' '4 GB'
sp verify
expect_status 'verify: nothing was ever applied' 3
sp --json plan
json_is 'plan sizes for it' .uma_next_boot_mib 4096
sp firmware uma 512M --yes
expect_status 'firmware uma 512M' 0
sp rollback --yes
expect_status 'rollback of the last' 0
expect_carve_out 'rollback of the last' '4 GB'
sp rollback --all --yes
expect_status 'rollback of all' 0
expect_carve_out 'rollback of all' '32 GB'
list_root "$SCRATCH/after"
expect_same 'no file changed' "$SCRATCH/before" "$SCRATCH/after"

sp_must firmware uma 512M --yes
sp_must apply --yes
expect_gtt 'apply behind firmware uma' 60416
echo '8 GB' >"$TREE/$UMA/current_value"
sp rollback --all --yes
expect_status 'rollback of a carve-out that somebody has changed since' 0
expect_said 'is told' 'not what transaction [0-9]+ set it to'
expect_carve_out 'and it stays' '8 GB'

new_zbook
sp apply --yes --uma-by-hand 512M
sp firmware uma 16G --yes
expect_status 'smaller than now, and still too large for the sizes' 4
sp firmware uma 512M --yes
expect_status 'what the sizes are for' 0
expect_carve_out 'it is set' '512 MB'

# --- the gate -------------------------------------------------------------------------------------------------------

new_zbook
sp apply --yes
expect_status 'a plain apply with 32 GB carved out' 7
expect_said 'says the command' 'apply --uma 512M'
expect_said 'and what it brings' '31744 MiB more'
expect_carve_out 'and writes no firmware' '32 GB'
expect_gtt 'sizes for the one there is' 28672
sp apply --yes --uma keep
expect_status '--uma keep accepts it' 0

new_zbook
sp apply --yes --uma 6G
expect_status 'a size that is not on offer' 7
expect_said 'the offers are listed' '512 MB, 4 GB, 8 GB, 16 GB, 32 GB and 48 GB'
expect_said 'and the nearest is proposed' 'hint:.*--uma 4G'
check 'nothing is written' test ! -e "$TREE/var/lib/strix-provision"
sp firmware uma 6G --yes
expect_status 'the same with firmware uma' 7
sp apply --yes --uma-by-hand 6G
expect_status 'the same by hand' 7
check 'nothing is written' test ! -e "$TREE/var/lib/strix-provision"
expect_carve_out 'and nothing set' '32 GB'

new_machine framework-desktop-fedora
own_firmware
amdgpu_offers 2 '0:  (2 GB)' '1: Medium (16 GB)' '2: High (64 GB)'
edit_file "$TREE/sys/bus/pci/devices/0000:c5:00.0/mem_info_vram_total" 's/.*/68719476736/'
edit_file "$TREE/proc/meminfo" 's/^MemTotal:.*/MemTotal:       65443840 kB/'
sp plan
expect_said 'choices that begin at 2 GB: that one is named' 'apply --uma 2G'
expect_said 'and what it brings, not what 512 MB would' 'use 62464 MiB more'
sp apply --yes --uma 512M
expect_status 'and 512M is not on offer' 7
expect_said 'but proposed' '--uma 2G'
sp_must apply --yes --uma 2G
check 'set by its index' test "$(cat "$TREE/sys/bus/pci/devices/0000:c5:00.0/uma/carveout")" = 0
reboot_machine
sp verify
expect_status 'verify after the reboot' 0

for refusal in read-only 'Sure Admin'; do
	new_zbook
	case $refusal in
	read-only) chmod 444 "$TREE/$UMA/current_value" ;;
	*)
		mkdir -p "$TREE/$HP/authentication/SPM"
		echo 1 >"$TREE/$HP/authentication/SPM/is_enabled"
		echo enhanced-bios-auth >"$TREE/$HP/authentication/SPM/role"
		;;
	esac
	sp apply --yes --uma 512M
	expect_status "$refusal: apply --uma 512M does its work, and needs the user" 7
	expect_said "$refusal: is said" "$refusal"
	expect_said "$refusal: and what to do in the setup screen" 'Device'
	expect_gtt "$refusal: sizes for the carve-out there is" 28672
	expect_carve_out "$refusal" '32 GB'
	sp apply --yes
	expect_status "$refusal: apply again" 7
	sp firmware uma 512M --yes
	expect_status "$refusal: firmware uma 512M" 7
	expect_said "$refusal: is said" "$refusal"
done

new_machine zbook-64-uma32
password_is 0
sp plan --uma 512M
expect_said 'plan of a recorded machine shows what would be' "set the firmware's carve-out from '32 GB' to '512 MB'"
sp apply --yes --uma 512M
expect_status 'the firmware of a recorded machine is not written' 2
sp firmware uma 512M --yes
expect_status 'nor by firmware uma' 2
expect_carve_out 'and it was not' '32 GB'
run_sp --machine "$TREE" firmware uma 512M --yes
expect_status 'nor with the running system as root' 2

new_zbook
echo 'uma = "512M";' >"$TREE/etc/strix-provision.conf"
sp apply --yes
expect_status 'uma in the configuration is asked for' 0
expect_carve_out 'and is set' '512 MB'

new_zbook
sp_must apply --yes --uma 512M
echo '32 GB' >"$TREE/$UMA/current_value"
sp apply --yes
expect_status 'what was asked for earlier is not written again' 7
expect_carve_out 'it stays as somebody has set it' '32 GB'
expect_gtt 'and sizes are for it' 28672
sp apply --yes --uma 512M
expect_status 'asked for again' 0
expect_carve_out 'it is written' '512 MB'

# --- by hand --------------------------------------------------------------------------------------------------------

new_zbook
chmod 444 "$TREE/$UMA/current_value"
sp apply --yes --uma-by-hand 512M
expect_status 'apply --uma-by-hand 512M' 7
expect_gtt 'sizes for what will be set' 60416
expect_said 'what to set is said' 'set it to 512 MB'
sp verify
expect_status 'verify before it is set' 7
expect_said 'verify says what to do' 'do not start the system before that'
FIRMWARE_MAKES=32768 reboot_machine
sp verify
expect_status 'the machine comes back with the old one' 7
expect_said 'verify says which is stale' 'pages_limit and gttsize .* stale'
expect_said 'that the limit is above the memory' 'above the memory that there is'
expect_said 'and the command that mends it' 'strix-provision apply --uma keep'
sp_must apply --yes --uma keep
expect_gtt 'that command does' 28672
sp apply --yes --uma-by-hand 512M
chmod 644 "$TREE/$UMA/current_value"
echo '512 MB' >"$TREE/$UMA/current_value"
sp verify
expect_status 'verify once it is set' 8
reboot_machine
sp verify
expect_status 'verify after the reboot into it' 0
sp apply --yes
expect_status 'apply then has nothing to do' 0

# --- what comes is not what was set ---------------------------------------------------------------------------------

new_zbook
sp_must apply --yes --uma 512M
FIRMWARE_MAKES=4096 reboot_machine
sp verify
expect_status '512 MB that turned up as 4 GiB' 7
expect_said 'verify says so' 'carve-out is 4 GiB'
sp apply --yes
expect_status 'apply takes it as it is' 0
expect_said 'with a warning' 'made 4 GB of it'
expect_gtt "and sizes for it" 56320
reboot_machine_as_it_is() { FIRMWARE_MAKES=4096 reboot_machine; }
reboot_machine_as_it_is
sp verify
expect_status 'verify then' 0

new_zbook
sp_must apply --yes --uma 512M
FIRMWARE_MAKES=32768 reboot_machine
sp verify
expect_status 'a firmware that does not follow' 7
sp apply --yes --uma 512M
expect_status 'asking again does not help' 7
expect_said 'and it is said why' 'did not follow'
expect_gtt 'sizes are for what there is' 28672

new_machine zbook-64-fedora
own_firmware
password_is 0
sp_must apply --yes
reboot_machine
sp_must verify
echo '32 GB' >"$TREE/$UMA/current_value"
sp verify
expect_status 'changed for the next start' 7
expect_said 'the command that sets it back' 'apply --uma 512M'
reboot_machine
sp verify
expect_status 'and started with it' 7
sp --json verify
json_is 'the reason' .result fail
expect_said 'a limit above the memory' 'prefers it to the carve-out'

new_machine zbook-64-fedora
echo Auto >"$TREE/$UMA/current_value"
sp --json plan
expect_status 'a firmware that chooses by itself' 0
json_is 'Auto: what is in force counts' .uma_next_boot_mib 512

done_testing
