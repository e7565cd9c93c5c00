#!/bin/sh
# SPDX-License-Identifier: MIT
# As crash.sh, where the menu is generated: the machine is "/" of a mount namespace, so that its generator runs, and the
# menu is made, checked and published in the same transaction. Also a rollback that has to generate, because a kernel
# came since; and with an initramfs image that is built anew. SP_CRASH_MAX faults of each command are tried (default 4, spread evenly; 0: 40, as each costs more
# than in crash.sh).
. "${SP_SRCDIR:-.}/tests/lib-crash.sh"
. "$SP_SRCDIR/tests/lib-live.sh"

SP_CRASH_MAX=${SP_CRASH_MAX:-4}
[ "$SP_CRASH_MAX" != 0 ] || SP_CRASH_MAX=40
STRIX_PROVISION_DATADIR=/host$SP_DATA

live_under_fire() { # NAME OPTIONS...
	what=$1
	shift
	under_fire -l -n "$what:" -m "$SP_CRASH_MAX" -r "$SP_CRASH_MAX" "$@" "$TREE" "$SCRATCH" \
		"/host$loader" --library-path "$libraries" "/host$SP_BIN"
}

for setup in $("$FAULT" setups | sed -n 's/ generates$//p'); do
	case=$(cases_of "$setup" | head -n 1)
	check "the boot setup $setup has a machine in tests/cases" test -n "$case"
	[ -n "$case" ] || continue
	machine=
	. "$TESTS/cases/$case/case"
	new_system "$machine"
	live detect --json
	[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"
	live_under_fire "$setup, running: $case"
	new_system "$machine"
	live apply --yes
	for file in vmlinuz-9.9.9-later initrd.img-9.9.9-later initrd-9.9.9-later initramfs-9.9.9-later.img; do
		: >"$TREE/boot/$file" # so that rollback has to generate
	done
	generate_menu
	live_under_fire "$setup, running, with a new kernel: $case" -g here -g recover-here
done

# The same with an initramfs image that is built anew.
[ -z "$python" ] || {
	new_system zbook-64-fedora
	install_maker /usr/bin/dracut
	printf 'with = ( "initramfs" );\n' >"$TREE/etc/strix-provision.conf"
	python3 "$TESTS/bin/initramfs-image" dracut "$TREE" "$TREE/boot/initramfs-6.19.8-200.fc43.x86_64.img" || bail_out 'image'
	live_under_fire 'an initramfs image, running'
}
done_testing
