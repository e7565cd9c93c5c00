#!/bin/sh
# SPDX-License-Identifier: MIT
# --json: one object on standard output, also on failure, with the keys that others rely on; exit_status in it is the
# exit status. Read with jq or python3; without both the checks are skipped.
. "${SP_SRCDIR:-.}/tests/lib.sh"

[ -n "$JSON" ] || skip_all "$(grep -c "^json \|^has \|^check " "$0") groups of checks need jq or python3"

json() { # NAME STATUS COMMAND...: run it; check what all have in common
	NAME=$1
	right=$2
	shift 2
	sp --json "$@"
	expect_status "$NAME" "$right"
	check "$NAME: exactly one object" json_is_one "$OUT"
	expect_match "$NAME: \"schema\" is the first key" "$OUT" '^[{[:space:]]*"schema"|^\{$'
	check "$NAME: the schema names the command" test "$(json_get "$OUT" .schema)" = "strix-provision/$1/1"
	check "$NAME: exit_status is the exit status" test "$(json_get "$OUT" .exit_status)" = "$STATUS"
	has .warnings
	has .advisories
}

has() { # PATH...: keys that must be there
	for path; do
		check "$NAME: has $path" json_get "$OUT" "$path"
	done
}

each_is_one_of() { # ARRAY KEY WORDS: every element's KEY is one of the words
	n=0
	while value=$(json_get "$OUT" "$1[$n].$2" 2>/dev/null); do
		one_of "$value" "$3" || {
			fail "$NAME: $1[$n].$2 is '$value', not one of $3"
			return
		}
		n=$((n + 1))
	done
	check "$NAME: $1[].$2 ($n of them) is one of $3" test "$n" -gt 0
}

settings_and_files() {
	has '.settings[0].id' '.settings[0].destination' '.settings[0].key' '.settings[0].value' '.settings[0].state' \
		'.settings[0].reason' '.files[0].path' '.files[0].action' .actions .pending
	each_is_one_of .settings state change,ok,skipped,shadowed,blocked
	each_is_one_of .settings destination cmdline,sysctl,modprobe,environment
	each_is_one_of .files action create,replace,delete,keep
}

new_machine zbook-64-fedora

json detect 0 detect
has .platform.id .platform.name .platform.supported .platform.why .memory.installed_mib .memory.visible_mib \
	.memory.uma_mib .boot.setup .boot.default_entry '.boot.entries[0]' .firmware .kernel .modules
check 'detect: 512 MiB carve-out' test "$(json_get "$OUT" .memory.uma_mib)" = 512
check 'detect: 64 GiB installed' test "$(json_get "$OUT" .memory.installed_mib)" = 65536
check 'detect: 63548 MiB visible' test "$(json_get "$OUT" .memory.visible_mib)" = 63548
check 'detect: this platform is supported' test "$(json_get "$OUT" .platform.supported)" = true
check 'detect: the setup is grub-bls' test "$(json_get "$OUT" .boot.setup)" = grub-bls
check 'detect: the entry that boots' test "$(json_get "$OUT" .boot.default_entry)" = "$(default_entry)"

json 'status, before anything' 0 status
has .transactions .reboot_pending .interrupted

json 'verify, never applied' 3 verify
has .checks .result

json plan 0 plan
settings_and_files
has '.files[0].diff'
check 'plan: pending' test "$(json_get "$OUT" .pending)" = true

json 'plan --check' 3 plan --check

json apply 0 apply --yes
settings_and_files
has .transaction .changed .reboot_required
check 'apply: changed' test "$(json_get "$OUT" .changed)" = true
check 'apply: wants a reboot' test "$(json_get "$OUT" .reboot_required)" = true

json 'apply again' 0 apply --yes
check 'apply again: changed nothing' test "$(json_get "$OUT" .changed)" = false
check 'apply again: nothing pending' test "$(json_get "$OUT" .pending)" = false

json 'status after apply' 0,8 status
has '.transactions[0].id' .reboot_pending .interrupted
check 'status: a reboot is pending' test "$(json_get "$OUT" .reboot_pending)" = true
check 'status: not interrupted' test "$(json_get "$OUT" .interrupted)" = false

json 'verify before the reboot' 8 verify
has '.checks[0].id' '.checks[0].layer' '.checks[0].result' .result
each_is_one_of .checks layer disk,entry,cmdline,live,effect
each_is_one_of .checks result ok,pending-reboot,skipped

reboot_machine
json 'verify after the reboot' 0 verify
each_is_one_of .checks result ok,skipped

json rollback 0 rollback --yes
has .transaction '.restored[0]' .conflicts

json 'rollback with nothing to undo' 1 rollback --yes
has .error.message

json recover 0 recover

json 'a size that is none' 2 apply --yes --gtt banana
has .error.message
expect_match 'a size that is none: the error names it' "$OUT" banana

json explain 0 explain

new_machine strix-point-fedora
json 'detect on another machine' 0 detect
check 'another machine is not supported' test "$(json_get "$OUT" .platform.supported)" = false
json 'apply on another machine' 6 apply --yes
has .error.message

new_machine zbook-64-uma32
json 'apply at 32 GB carve-out' 7 apply --yes
has .transaction
json detect 0 detect
check 'detect: 32768 MiB carve-out' test "$(json_get "$OUT" .memory.uma_mib)" = 32768
check 'detect: 64 GiB installed, too' test "$(json_get "$OUT" .memory.installed_mib)" = 65536

done_testing
