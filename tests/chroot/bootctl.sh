#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/sdboot-tools.sh with Debian's bootctl, which is taken out of its package and not installed: installing it would
# make systemd-boot the boot loader of this machine. Needs Debian's archive (`make check-chroot`).
command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || {
	echo '1..0 # SKIP no apt-get and dpkg-deb'
	exit 0
}
folder=$(mktemp -d "${TMPDIR:-/tmp}/strix-bootctl.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get -q download systemd-boot >log 2>&1 && dpkg-deb -x systemd-boot_*.deb .) || {
	echo "1..0 # SKIP no package systemd-boot: $(tail -n 1 "$folder/log")"
	exit 0
}
SP_BOOTCTL=$folder/usr/bin/bootctl sh "${SP_SRCDIR:-.}/tests/cli/sdboot-tools.sh"
