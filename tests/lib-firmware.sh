# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the tests of the firmware's carve-out share. Sourced behind tests/lib.sh.
#
# The program writes no firmware of a recorded machine, unless the machine is a test's own: a file in the root of sysfs says
# so, where no running system can have one and no record puts one (installer/engine/firmware.c).

HP=sys/class/firmware-attributes/hp-bioscfg
UMA="$HP/attributes/Dedicated Graphics Memory"
MARK=sys/strix-provision-test-firmware

own_firmware() { # the firmware of $TREE may be written
	: >"$TREE/$MARK"
}

password_is() { # 0|1: whether the setup has an administrator password
	mkdir -p "$TREE/$HP/authentication/Setup Password"
	echo "$1" >"$TREE/$HP/authentication/Setup Password/is_enabled"
	echo bios-admin >"$TREE/$HP/authentication/Setup Password/role"
	: >"$TREE/$HP/authentication/Setup Password/current_password"
}

carve_out() { # what the firmware will make at the next start
	cat "$TREE/$UMA/current_value"
}

amdgpu_offers() { # INDEX [OPTION...]: amdgpu has the carve-out, too; options as in its file
	gpu=$TREE/sys/bus/pci/devices/0000:c5:00.0
	index=$1
	shift
	mkdir -p "$gpu/uma"
	echo "$index" >"$gpu/uma/carveout"
	printf '%s\n' "$@" >"$gpu/uma/carveout_options"
}

gtt_on_disk() { # MiB that the files ask for; nothing: none
	sed -n 's/^options amdgpu gttsize=//p' "$TREE/etc/modprobe.d/zz-strix-provision.conf" 2>/dev/null
}

expect_gtt() { # DESCRIPTION MIB: in every file that has a size, and in pages, too
	check "$1: $2 MiB in modprobe.d" test "$(gtt_on_disk)" = "$2"
	check "$1: $(($2 * 256)) pages" grep -q "ttm.pages_limit=$(($2 * 256))" "$TREE/etc/kernel/cmdline"
	check "$1: $2 MiB in every boot entry of ours" test "$(grep -l "amdgpu.gttsize=$2 " \
		"$TREE"/boot/loader/entries/5a3b0c9d8e7f41628394a5b6c7d8e9f0-6.*.conf | wc -l)" -eq 2
}

expect_carve_out() { # DESCRIPTION TEXT
	check "$1: the firmware has '$2' for the next start" test "$(carve_out)" = "$2"
}

expect_said() { # DESCRIPTION REGEX: on standard output or error, wherever lines are broken
	cat "$OUT" "$ERR" | tr '\n' ' ' | tr -s ' ' >"$SCRATCH/flat"
	expect_match "$1" "$SCRATCH/flat" "$2"
}

json_is() { # DESCRIPTION PATH VALUE: of the last output
	got=$(json_get "$OUT" "$2")
	check "$1: $2 is $3 (is: $got)" test "$got" = "$3"
}
