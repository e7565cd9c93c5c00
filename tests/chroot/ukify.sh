#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian 13's own ukify and systemd-stub in a chroot with /proc, /sys and /dev. Not part of `make check`: it needs root,
# debootstrap(8), and Debian's archive (`make check-chroot`). What is downloaded stays in $SP_CACHE, see debian-grub.sh.
#
#   an image of the real ukify      what we read of it is what ukify inspect and objdump read
#   apply                           the addon beside it is what ukify makes by itself; inspect shows our line, once
#   apply again, rollback           nothing is written; every byte and time is back
#   the image is built anew         by ukify, as an update does: the addon stays beside it, and our line with it
#   a key                           ukify takes it in the arguments that we give with Secure Boot, and sbverify the addon
#   without the stub of addons      ukify fails, and nothing is changed
#
# Nothing is started here: that systemd-stub takes the addon is shown in tests/boot.
. "${SP_SRCDIR:-.}/tests/lib.sh"

CACHE=${SP_CACHE:-/var/tmp/strix-provision-cache}
MIRROR=${SP_MIRROR:-} # none: debootstrap knows one
SUITE=trixie
BASE=$CACHE/$SUITE-ukify.tar
PACKAGES='systemd-ukify systemd-boot-efi binutils sbsigntool openssl'

[ "$(id -u)" = 0 ] || skip_all 'needs root'
command -v debootstrap >/dev/null 2>&1 || skip_all 'no debootstrap'
[ -n "${SP_IN_NAMESPACE:-}" ] || {
	unshare -m true 2>/dev/null || skip_all 'no mount namespaces here'
	SP_IN_NAMESPACE=1
	export SP_IN_NAMESPACE SP_BIN SP_TREE SP_SRCDIR
	exec unshare -m sh "$SP_SRCDIR/tests/chroot/ukify.sh" # what is mounted goes with the namespace
}
mkdir -p "$CACHE/debs/partial" || skip_all "cannot write to $CACHE"

# --- the system -----------------------------------------------------------------------------------------------------

ROOT=$CACHE/run.$$
mount_all() {
	mount --make-rprivate / 2>/dev/null # what is unmounted at the end is ours alone
	mount -t proc proc "$ROOT/proc" && mount --rbind /sys "$ROOT/sys" && mount --rbind /dev "$ROOT/dev"
}

unmount_all() {
	umount -R "$ROOT/proc" "$ROOT/sys" "$ROOT/dev"
}
remove_root() { # never what is mounted below it
	[ ! -d "$ROOT" ] || unmount_all 2>/dev/null
	rm -rf --one-file-system "$ROOT"
	clean_up
}
trap remove_root EXIT

in_root() { # COMMAND...
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$ROOT" "$@"
}

build_base() {
	debootstrap --variant=minbase --cache-dir="$CACHE/debs" "$SUITE" "$ROOT" ${MIRROR:+"$MIRROR"} \
		>"$SCRATCH/debootstrap" 2>&1 || {
		note_file 'debootstrap' "$SCRATCH/debootstrap"
		bail_out 'debootstrap failed'
	}
	mount_all || bail_out 'cannot mount'
	# shellcheck disable=SC2086 # a list
	in_root sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends "$@"' sh $PACKAGES >"$SCRATCH/apt" 2>&1 || {
		note_file 'apt-get' "$SCRATCH/apt"
		bail_out "cannot install $PACKAGES"
	}
	unmount_all
	if ! tar -C "$ROOT" --one-file-system -cf "$BASE.new" . || ! mv "$BASE.new" "$BASE"; then
		bail_out "cannot write $BASE"
	fi
	rm -rf --one-file-system "$ROOT"
}

mkdir -p "$ROOT"
[ -e "$BASE" ] || build_base
mkdir -p "$ROOT"
tar -C "$ROOT" -xf "$BASE" || bail_out "cannot unpack $BASE"
mount_all || skip_all 'cannot mount /proc, /sys and /dev below the chroot'

# Our program is built for the system that runs this: it brings its libraries, all but those of the C library.
HOME_OF_OURS=$ROOT/opt/strix-provision
mkdir -p "$HOME_OF_OURS/lib"
cp "$SP_BIN" "$HOME_OF_OURS/strix-provision"
ldd "$SP_BIN" | sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p' | grep -Ev '/(libc|libm|libdl|librt|libpthread|libresolv)\.so' |
	while read -r library; do cp -L "$library" "$HOME_OF_OURS/lib/"; done
for folder in grub sysctl.d modprobe.d environment.d profiles platforms advisories; do
	[ ! -d "$SP_SRCDIR/$folder" ] || cp -r "$SP_SRCDIR/$folder" "$HOME_OF_OURS/"
done

inside() { # ARGUMENTS...: the program in the chroot, as the system that runs
	SP_LAST="strix-provision $*  (in the chroot)"
	in_root env LD_LIBRARY_PATH=/opt/strix-provision/lib STRIX_PROVISION_DATADIR=/opt/strix-provision \
		ASAN_OPTIONS=detect_leaks=0 /opt/strix-provision/strix-provision "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

# --- the image ------------------------------------------------------------------------------------------------------

IMAGE=/boot/efi/EFI/Linux/debian.efi
ADDON=$IMAGE.extra.d/strix-provision.addon.efi
LINE='root=UUID=9d3e7c51-2b4a-4c6d-8e9f-1a2b3c4d5e6f ro quiet'
mkdir -p "$ROOT/boot/efi/EFI/Linux" "$ROOT/etc/kernel"
printf '%s\n' "$LINE" >"$ROOT/etc/kernel/cmdline"
# ukify asks a kernel for its version, and takes any program for one: systemd-boot is at hand.
cp "$ROOT/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$ROOT/boot/vmlinuz"
head -c 30000000 /dev/zero | tr '\0' 'i' >"$ROOT/boot/initrd" # larger than any file that is read as a whole

build() { # [ARGUMENTS...]
	in_root ukify build --linux=/boot/vmlinuz --initrd=/boot/initrd --uname=6.12.0-test --os-release=@/etc/os-release \
		--cmdline=@/etc/kernel/cmdline --output="$IMAGE" "$@" >"$SCRATCH/ukify" 2>&1 || {
		note_file 'ukify' "$SCRATCH/ukify"
		bail_out 'ukify build'
	}
}

text_of() { # FILE SECTION: by ukify
	in_root ukify inspect "$1" --json=short >"$SCRATCH/inspect" 2>/dev/null
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["text"].strip())' "$SCRATCH/inspect" "$2"
}

list() { # FILE: what a transaction touches
	"$SP_TREE" list "$ROOT" etc boot >"$1"
}

build
check 'the image is larger than what is read as a whole' test "$(stat -c %s "$ROOT$IMAGE")" -gt 30000000
list "$SCRATCH/before"
inside --json --boot uki detect
expect_status 'detect' 0
[ "$STATUS" = 0 ] || bail_out 'the program does not start in the chroot'
check 'the setup is recognised' test "$(json_get "$OUT" .boot.setup)" = uki
check 'its line is what ukify inspect says' test "$(json_get "$OUT" '.boot.entries[0].options')" = "$(text_of "$IMAGE" .cmdline)"
check 'its version is what ukify inspect says' test "$(json_get "$OUT" '.boot.entries[0].version')" = "$(text_of "$IMAGE" .uname)"
in_root objcopy -O binary --only-section=.cmdline "$IMAGE" /tmp/cmdline
check 'and its line is what objcopy takes out' test "$(json_get "$OUT" '.boot.entries[0].options')" = "$(cat "$ROOT/tmp/cmdline")"

# --- apply, again, rollback -----------------------------------------------------------------------------------------

APPLY='apply --yes --any-platform --gtt 1G --boot uki'
# shellcheck disable=SC2086 # words
inside $APPLY
expect_status 'apply' 0
check 'the addon is what ukify makes by itself' in_root sh -c "ukify build --config=/dev/null \
	--cmdline=@/etc/kernel/strix-provision.cmdline --output=/tmp/addon.efi && cmp /tmp/addon.efi $ADDON"
check "ukify inspect shows our line" test "$(text_of "$ADDON" .cmdline)" = "$(cat "$ROOT/etc/kernel/strix-provision.cmdline")"
for token in iommu=pt transparent_hugepage=always; do
	check "$token is on it once" test "$(text_of "$ADDON" .cmdline | tr ' ' '\n' | grep -c -x "$token")" = 1
done
check 'objdump knows no kernel in it' sh -c "! chroot '$ROOT' objdump -h '$ADDON' | grep -Eq '[.](linux|initrd|uname)'"
inside verify
expect_status 'verify before a reboot' 8
expect_no_match 'verify finds nothing wrong' "$OUT" 'FAIL'
list "$SCRATCH/applied"
inside apply --yes
expect_status 'apply again' 0
list "$SCRATCH/after"
expect_same 'apply again writes nothing' "$SCRATCH/applied" "$SCRATCH/after"

build --splash=/dev/null # another image, as after an update
inside verify
expect_status 'the image was built anew: verify' 8
expect_no_match 'nothing is wrong' "$OUT" 'FAIL'
list "$SCRATCH/built"
inside rollback --yes
expect_status 'rollback' 0
check 'the addon and its folder are gone' test ! -e "$ROOT$IMAGE.extra.d"
list "$SCRATCH/after"
sed '/debian.efi/d' "$SCRATCH/before" >"$SCRATCH/before-rest"
sed '/debian.efi/d' "$SCRATCH/after" >"$SCRATCH/after-rest"
expect_same 'all but the image that was built since is as before, to the byte and time' "$SCRATCH/before-rest" "$SCRATCH/after-rest"

# --- a key ----------------------------------------------------------------------------------------------------------

in_root openssl req -new -x509 -newkey rsa:2048 -nodes -subj /CN=test/ -days 2 -keyout /tmp/db.key -out /tmp/db.pem >"$SCRATCH/key" 2>&1 ||
	bail_out 'openssl req'
printf 'iommu=pt\n' >"$ROOT/tmp/line"
check 'ukify signs an addon' in_root ukify build --config=/dev/null --cmdline=@/tmp/line --output=/tmp/signed.efi \
	--secureboot-private-key=/tmp/db.key --secureboot-certificate=/tmp/db.pem
check 'the signature is good' in_root sbverify --cert /tmp/db.pem /tmp/signed.efi

# --- without what ukify needs ----------------------------------------------------------------------------------------

mv "$ROOT/usr/lib/systemd/boot/efi/addonx64.efi.stub" "$ROOT/tmp/"
list "$SCRATCH/before"
# shellcheck disable=SC2086
inside $APPLY
expect_status 'without the stub of addons' 1
expect_match 'what ukify said is shown' "$ERR" 'addonx64.efi.stub'
list "$SCRATCH/after"
expect_same 'nothing is changed' "$SCRATCH/before" "$SCRATCH/after"
done_testing
