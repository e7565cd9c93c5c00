#!/bin/sh
# SPDX-License-Identifier: MIT
# Images of Debian 13's own initramfs-tools and dracut, in a chroot with /proc, /sys, /dev and /run. Not part of `make check`: it
# needs root, debootstrap(8), and Debian's archive (`make check-chroot`). What is downloaded stays in $SP_CACHE, see
# debian-grub.sh, whose base is used where it is there.
#
#   images of both, with our file and without      what we read of them is what lsinitramfs and lsinitrd list
#   in each compression                            the same
#   dracut without host-only mode                  has no copy, and that is what we read
#   --with initramfs, rollback                     the image is built anew by its real maker; every byte and time is back
#   apply, a kernel's update, rollback             the image is named, with a command; the command takes the copy out
. "${SP_SRCDIR:-.}/tests/lib.sh"

CACHE=${SP_CACHE:-/var/tmp/strix-provision-cache}
MIRROR=${SP_MIRROR:-} # none: debootstrap knows one
SUITE=trixie
BASE=$CACHE/$SUITE-initramfs.tar
GRUB_BASE=$CACHE/$SUITE-grub.tar
PACKAGES='initramfs-tools dracut-core grub-efi-amd64-bin grub2-common zstd xz-utils bzip2'

[ "$(id -u)" = 0 ] || skip_all 'needs root'
command -v debootstrap >/dev/null 2>&1 || skip_all 'no debootstrap'
[ -n "${SP_IN_NAMESPACE:-}" ] || {
	unshare -m true 2>/dev/null || skip_all 'no mount namespaces here'
	SP_IN_NAMESPACE=1
	export SP_IN_NAMESPACE SP_BIN SP_TREE SP_SRCDIR
	exec unshare -m sh "$SP_SRCDIR/tests/chroot/initramfs.sh" # what is mounted goes with the namespace
}
mkdir -p "$CACHE/debs/partial" || skip_all "cannot write to $CACHE"

# --- the system -----------------------------------------------------------------------------------------------------

ROOT=$CACHE/run.$$
mount_all() { # dracut leaves host-only mode where one of these is no mount point
	mount --make-rprivate / 2>/dev/null # what is unmounted at the end is ours alone
	mount -t proc proc "$ROOT/proc" && mount --rbind /sys "$ROOT/sys" && mount --rbind /dev "$ROOT/dev" &&
		mount -t tmpfs none "$ROOT/run"
}

unmount_all() {
	umount -R "$ROOT/proc" "$ROOT/sys" "$ROOT/dev" "$ROOT/run"
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
	if [ -e "$GRUB_BASE" ]; then
		tar -C "$ROOT" -xf "$GRUB_BASE" || bail_out "cannot unpack $GRUB_BASE"
	else
		debootstrap --variant=minbase --cache-dir="$CACHE/debs" "$SUITE" "$ROOT" ${MIRROR:+"$MIRROR"} \
			>"$SCRATCH/debootstrap" 2>&1 || {
			note_file 'debootstrap' "$SCRATCH/debootstrap"
			bail_out 'debootstrap failed'
		}
		PACKAGES="linux-image-amd64 $PACKAGES" # with amdgpu, whose options our file has
	fi
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
mount_all || skip_all 'cannot mount /proc, /sys, /dev and /run below the chroot'
KERNEL=$(ls "$ROOT/lib/modules" | sort -V | tail -n 1)
IMAGE=/boot/initrd.img-$KERNEL
OURS=/etc/modprobe.d/zz-strix-provision.conf

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

must() { # COMMAND... in the chroot
	in_root "$@" >"$SCRATCH/must" 2>&1 || {
		note_file "$*" "$SCRATCH/must"
		bail_out "$*"
	}
}

forget() { # so that images are looked into again
	rm -f "$ROOT/var/lib/strix-provision/images.json"
}

copy_of() { # what the last --json says of the image
	python3 -c 'import json, sys
print([i["copy"] for i in json.load(open(sys.argv[1]))["initramfs"] if i["path"] == sys.argv[2]][0])' "$OUT" "$IMAGE"
}

listed() { # does the maker's own lister know our file in the image?
	{
		in_root lsinitramfs "$IMAGE" || in_root lsinitrd "$IMAGE"
	} 2>/dev/null | grep -q "${OURS#/}"
}

# --- a system with GRUB, and ours applied -----------------------------------------------------------------------------

APPLY='apply --yes --json --any-platform --boot grub-d'
printf 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX="root=/dev/vda1"\n' >"$ROOT/etc/default/grub"
printf '/dev/vda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
mkdir -p "$ROOT/boot/grub"
must mkinitramfs -o "$IMAGE" "$KERNEL"
must grub-mkconfig -o /boot/grub/grub.cfg
# shellcheck disable=SC2086 # words
inside $APPLY --gtt 1G
expect_status 'apply' 0
[ "$STATUS" = 0 ] || bail_out 'the program does not work in the chroot'
check 'initramfs-tools, without ours: none' test "$(copy_of)" = none
check 'lsinitramfs lists none' sh -c "! chroot '$ROOT' lsinitramfs '$IMAGE' | grep -q '${OURS#/}'"

# --- images with ours -----------------------------------------------------------------------------------------------------

gtt=1025
expect_copy() { # DESCRIPTION COPY: apply with another size looks into the image
	forget
	# shellcheck disable=SC2086
	inside $APPLY --gtt $((gtt += 1))M
	check "$1: $2" test "$STATUS:$(copy_of)" = "0:$2"
	if [ "$2" = none ]; then
		check "$1: its maker's own program lists none" sh -c "! { chroot '$ROOT' lsinitrd '$IMAGE' || chroot '$ROOT' lsinitramfs '$IMAGE'; } 2>/dev/null | grep -q '${OURS#/}'"
	else
		check "$1: its maker's own program lists it, too" listed
	fi
}

for how in gzip xz zstd bzip2; do
	printf 'MODULES=most\nCOMPRESS=%s\n' "$how" >"$ROOT/etc/initramfs-tools/conf.d/compress"
	must mkinitramfs -o "$IMAGE" "$KERNEL"
	expect_copy "initramfs-tools, $how" other
done
for how in gzip xz zstd bzip2 cat; do
	must dracut --hostonly --compress "$how" --force "$IMAGE" "$KERNEL"
	expect_copy "dracut, host-only, $how" other
done
must dracut --no-hostonly --force "$IMAGE" "$KERNEL"
expect_copy 'dracut without host-only mode' none

# --- built by us ------------------------------------------------------------------------------------------------------------

build_image() { # MAKER
	case $1 in
	dracut) must dracut --hostonly --force "$IMAGE" "$KERNEL" ;;
	*) must mkinitramfs -o "$IMAGE" "$KERNEL" ;;
	esac
}

rm "$ROOT/etc/initramfs-tools/conf.d/compress"
inside rollback --yes --all
expect_status 'rollback of all' 0
for maker in initramfs-tools dracut; do
	build_image $maker
	[ $maker != dracut ] || printf 'hostonly=yes\n' >"$ROOT/etc/dracut.conf.d/hostonly.conf"
	"$SP_TREE" list "$ROOT" boot >"$SCRATCH/before"
	# shellcheck disable=SC2086
	inside $APPLY --gtt 1G --with initramfs
	expect_status "$maker: apply --with initramfs" 0
	check "$maker: its own program lists our file in the new image" listed
	inside plan --json
	check "$maker: it is as it is to be" test "$(copy_of)" = same
	"$SP_TREE" list "$ROOT" boot >"$SCRATCH/applied"
	inside apply --yes
	expect_status "$maker: apply again" 0
	"$SP_TREE" list "$ROOT" boot >"$SCRATCH/after"
	expect_same "$maker: apply again builds nothing" "$SCRATCH/applied" "$SCRATCH/after"
	inside rollback --yes --all
	expect_status "$maker: rollback" 0
	"$SP_TREE" list "$ROOT" boot | grep initrd >"$SCRATCH/after"
	grep initrd "$SCRATCH/before" >"$SCRATCH/before-image"
	expect_same "$maker: the old image is back, to the byte and time" "$SCRATCH/before-image" "$SCRATCH/after"
done
# shellcheck disable=SC2086
inside $APPLY --gtt 1G
expect_status 'apply' 0

# --- rollback -------------------------------------------------------------------------------------------------------------

for maker in initramfs-tools dracut; do
	build_image $maker
	inside --json rollback --yes --all
	expect_status "$maker: rollback" 0
	check "$maker: it finds the copy" test "$(copy_of)" = other
	command=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["actions"][0])' "$OUT")
	note "it says: $command"
	inside verify
	expect_match "$maker: verify names the image" "$OUT" "was built with our"
	# shellcheck disable=SC2086 # words
	must $command
	check "$maker: that command took the copy out" sh -c "! { chroot '$ROOT' lsinitrd '$IMAGE' || chroot '$ROOT' lsinitramfs '$IMAGE'; } 2>/dev/null | grep -q '${OURS#/}'"
	inside verify
	expect_no_match "$maker: verify names it no more" "$OUT" 'was built with'
	# shellcheck disable=SC2086
	inside $APPLY --gtt 1G
	expect_status "$maker: apply again" 0
done
done_testing
