#!/bin/sh
# SPDX-License-Identifier: MIT
# The trial boot: an extra entry that is started once, confirm, and the way back by itself. The loaders are simulated here
# (make check-boot has the real ones): they forget the choice before they start the entry.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-trial.sh"

OURS='gttsize|pages_limit|iommu=pt|transparent_hugepage=always'

is_as_before() { # DESCRIPTION
	list_root "$SCRATCH/now"
	expect_same "$1" "$SCRATCH/start" "$SCRATCH/now"
}

status_is() { # DESCRIPTION STATE [OUTCOME]
	sp --json status
	if [ "$(json_get "$OUT" .trial.state)" = "$2" ] && [ "$(json_get "$OUT" .trial.outcome)" = "${3:-}" ]; then
		pass "$1: the state is $2${3:+, $3}"
	else
		fail "$1: the state is $2${3:+, $3}"
		note_file status "$OUT"
	fi
}

only_menu_changed() { # DESCRIPTION: but for what is ours in the menu, everything is as it was
	list_root "$SCRATCH/now"
	check "$1" sh -c "diff '$SCRATCH/start' '$SCRATCH/now' | grep '^[<>]' | grep -Ev 'custom.cfg|grubenv|~strix-trial| d |/boot/grub2?\$|entries\$' | wc -l | grep -qx 0"
}

# --- each loader ----------------------------------------------------------------------------------------------------

# try_out: the whole way, for the machine in use
try_out() { # NAME
	sp --json apply --trial --yes
	expect_status "$1: apply --trial" 0
	expect_match "$1: it says what to do" "$OUT" '"trial": ".*strix-provision trial'
	status_is "$1: armed" armed
	only_menu_changed "$1: nothing but the extra entry and the choice is changed"
	sp apply --yes
	expect_status "$1: a second apply waits" 4
	sp --json confirm
	expect_status "$1: confirm before the restart" 8

	power_on
	check "$1: the trial was started" test "$TRIED" = yes
	for token in iommu=pt ttm.pages_limit=15466496 transparent_hugepage=always strix.trial=1 panic=30; do
		check "$1: $token is there once" sh -c "tr ' ' '\n' <'$TREE/proc/cmdline' | grep -cx '$token' | grep -qx 1"
	done
	status_is "$1: started" running
	check "$1: the loader has forgotten it" test -z "$(chosen)"
	sp confirm
	expect_status "$1: confirm" 0
	status_is "$1: confirmed" idle promoted
	check "$1: the extra entry is gone" sh -c "! grep -rqs strix.trial '$TREE/boot' '$TREE/efi'"
	check "$1: the rest came with it" test -e "$TREE/etc/sysctl.d/99-zz-strix-provision.conf"
	power_on
	check "$1: the next start is no trial" test "$TRIED" = no
	[ -z "$GENERATOR" ] || generate_menu
	reboot_machine
	sp verify
	expect_status "$1: verify" 0
	sp confirm --if-armed
	expect_status "$1: nothing more to confirm" 0
	sp_must rollback --yes
	sp --json status
	check "$1: rolled back" test "$(json_get "$OUT" .applied)" = ''
	list_root "$SCRATCH/now"
	[ -n "$GENERATOR" ] || is_as_before "$1: rollback restores every byte"
}

new_grub zbook-64-fedora grub2
try_out grub-bls
new_grub zbook-128-arch-grub grub
sed -i 's/15466496/32243712/' "$SCRATCH/start" # another machine, another size; the name of the check is all that it is for
GRUB=$TREE/boot/grub
sp --json apply --trial --yes
expect_status 'grub-default: apply --trial' 0
check 'grub-default: the entry finds its disk as the default one does' grep -q 'linux.*strix.trial=1' "$GRUB/custom.cfg"
sp_must confirm --cancel
is_as_before 'grub-default: cancelled, every byte is as before'
new_grub zbook-128-debian13 grub
sp apply --trial --yes
expect_status 'grub-d: apply --trial' 0
status_is 'grub-d' armed
power_on
check 'grub-d: the trial was started' test "$TRIED" = yes
sp_must confirm --cancel
status_is 'grub-d: cancelled while it ran' idle cancelled
is_as_before 'grub-d: every byte is as before'

new_sdboot
try_out systemd-boot
new_sdboot
sp_must apply --trial --yes
forget
power_on
sp confirm
expect_status 'systemd-boot: a trial that does not come up' 3
is_as_before 'systemd-boot: every byte is as before'

# --- what goes wrong ------------------------------------------------------------------------------------------------

new_grub zbook-64-fedora grub2
sp_must apply --trial --yes
forget # it was started, and the kernel panicked; the next start is the default one
power_on
check 'a trial that does not come up: the old line starts' sh -c "! grep -Eq '$OURS' '$TREE/proc/cmdline'"
status_is 'a trial that does not come up' failed
sp confirm
expect_status 'confirm says so' 3
expect_match 'and why' "$OUT" 'did not come up'
status_is 'and takes it back' idle failed
is_as_before 'every byte is as before'

new_grub zbook-64-fedora grub2
sp_must apply --trial --yes
power_on
poke sys/module/ttm/parameters/pages_limit 4096
sp --json confirm
expect_status 'a trial that is not good' 3
check 'the check that failed is named' test "$(json_get "$OUT" .state)" = running
expect_match 'with what was read' "$OUT" '"actual": "4096"'
status_is 'it is taken back' idle failed
is_as_before 'a trial that is not good: every byte is as before'

new_grub zbook-64-fedora grub2
printf 'set theirs=1' >"$GRUB/custom.cfg" # no line end
touch -d @1767225600 "$GRUB/custom.cfg" "$GRUB"
list_root "$SCRATCH/start"
sp_must apply --trial --yes
check 'what is in custom.cfg stays' grep -qx 'set theirs=1' "$GRUB/custom.cfg"
sp_must rollback --yes
status_is 'rollback takes a trial back' idle cancelled
is_as_before 'custom.cfg is as it was'
check 'the loader has forgotten it' test -z "$(chosen)"

new_grub zbook-64-fedora grub2
sp_must apply --trial --yes
printf 'set theirs=1\n' >>"$GRUB/custom.cfg"
sp_must confirm --cancel
check 'what was added to custom.cfg since stays, alone' sh -c "printf 'set theirs=1\n' | cmp -s - '$GRUB/custom.cfg'"

new_grub zbook-64-fedora grub2
sp_must apply --trial --yes
put_grubenv "$GRUB/grubenv" next_entry something-else
sp_must confirm --cancel
check "somebody else's choice stays" test "$(chosen)" = something-else
sp apply --trial --yes
expect_status 'and no trial is begun beside it' 4
expect_match 'which names it' "$ERR" 'something-else'

new_grub zbook-64-fedora grub2
sp_must apply --trial --yes
put_grubenv "$GRUB/grubenv" next_entry '' # a power cut between the entry and the choice, or somebody took it back
status_is 'not armed' prepared
sp confirm
expect_status 'confirm takes it back' 3

# --- what is refused ------------------------------------------------------------------------------------------------

refused() { # DESCRIPTION STATUS REGEX [OPTIONS]
	sp apply --trial --yes ${4:+$4}
	expect_status "$1" "$2"
	expect_match "$1: it says why" "$ERR" "$3"
	is_as_before "$1: nothing is changed"
}

new_grub zbook-64-fedora grub2
grep -v custom.cfg "$GRUB/grub.cfg" >"$SCRATCH/cfg" && cat "$SCRATCH/cfg" >"$GRUB/grub.cfg"
list_root "$SCRATCH/start"
refused 'a menu that reads no custom.cfg' 6 '41_custom'
new_grub zbook-64-fedora grub2
grep -v save_env "$GRUB/grub.cfg" >"$SCRATCH/cfg" && cat "$SCRATCH/cfg" >"$GRUB/grub.cfg"
list_root "$SCRATCH/start"
refused 'a menu that does not forget the choice' 6 'next_entry'
new_grub zbook-64-fedora grub2
rm "$GRUB/grubenv"
list_root "$SCRATCH/start"
refused 'no grubenv' 6 'grubenv'
new_grub zbook-64-fedora grub2
mkdir -p "$TREE/sys/kernel" && echo 1 >"$TREE/sys/kernel/kexec_loaded"
refused 'a kernel that is loaded for kexec' 4 'kexec'
new_machine zbook-128-arch-refind
list_root "$SCRATCH/start"
refused 'a loader without such a thing' 6 'rEFInd'
new_grub zbook-64-fedora grub2
sp_must apply --yes
list_root "$SCRATCH/start"
sp apply --trial --yes
expect_status 'nothing to change' 0
refused 'no boot argument changes' 2 'no boot argument' --without=swappiness
sp confirm --cancel --if-armed
expect_status 'options that contradict each other' 2

done_testing
