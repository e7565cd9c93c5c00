# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# A firmware without a password, whose attributes this test may write.
hp=$TREE/sys/class/firmware-attributes/hp-bioscfg
mkdir -p "$hp/authentication/Setup Password"
echo 0 >"$hp/authentication/Setup Password/is_enabled"
echo bios-admin >"$hp/authentication/Setup Password/role"
: >"$TREE/sys/strix-provision-test-firmware"
