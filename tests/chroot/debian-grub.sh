#!/bin/sh
# SPDX-License-Identifier: MIT
# A real Debian 13 in a chroot with /proc, /sys and /dev: its own grub-mkconfig, grub-script-check and kernel packages.
# Not part of `make check`: it needs root, debootstrap(8), and Debian's archive (`make check-chroot`). What is downloaded
# stays in $SP_CACHE (default /var/tmp/strix-provision-cache), the system itself as a tar with the first kernel in it.
#
#   apply                 the menu has our arguments once in every normal entry, none in a recovery entry; GRUB's own
#                         checker takes it; the system's update-grub would write the very same bytes
#   apply again           writes nothing
#   rollback              every byte and time is back
#   a second real kernel  installed after apply by apt: its entries have the arguments, once
#   rollback, again       gone from both kernels, and still gone when update-grub runs and a kernel is installed
#   a broken generator    apply fails, and nothing is changed
#   --root from outside   no program of the tree is run; verify waits for its first boot
#
# Kernels are never started here, and the machine is whatever runs this: --any-platform and a size by hand. grub-probe
# sees the chroot's file system as it is; in a container it may call it by its device (root=/dev/vda).
. "${SP_SRCDIR:-.}/tests/lib.sh"

CACHE=${SP_CACHE:-/var/tmp/strix-provision-cache}
MIRROR=${SP_MIRROR:-} # none: debootstrap knows one
SUITE=trixie
BASE=$CACHE/$SUITE-grub.tar
PACKAGES='grub-efi-amd64-bin grub2-common initramfs-tools'

[ "$(id -u)" = 0 ] || skip_all 'needs root'
command -v debootstrap >/dev/null 2>&1 || skip_all 'no debootstrap'
[ -n "${SP_IN_NAMESPACE:-}" ] || {
	unshare -m true 2>/dev/null || skip_all 'no mount namespaces here'
	SP_IN_NAMESPACE=1
	export SP_IN_NAMESPACE SP_BIN SP_TREE SP_SRCDIR
	exec unshare -m sh "$SP_SRCDIR/tests/chroot/debian-grub.sh" # what is mounted goes with the namespace
}
mkdir -p "$CACHE/debs/partial" || skip_all "cannot write to $CACHE"

# --- the system -----------------------------------------------------------------------------------------------------

ROOT=$CACHE/run.$$
remove_root() { # never what is mounted below it
	[ ! -d "$ROOT" ] || unmount_all 2>/dev/null
	rm -rf --one-file-system "$ROOT"
	clean_up
}
trap remove_root EXIT

in_root() { # COMMAND...
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$ROOT" "$@"
}

mount_all() {
	mount --make-rprivate / 2>/dev/null # what is unmounted at the end is ours alone
	mount -t proc proc "$ROOT/proc" && mount --rbind /sys "$ROOT/sys" && mount --rbind /dev "$ROOT/dev" &&
		mount --bind "$CACHE/debs" "$ROOT/var/cache/apt/archives"
}

unmount_all() {
	umount -R "$ROOT/proc" "$ROOT/sys" "$ROOT/dev" "$ROOT/var/cache/apt/archives"
}

install() { # PACKAGE...
	in_root apt-get install -y -q --no-install-recommends -o APT::Keep-Downloaded-Packages=true "$@" >"$SCRATCH/apt" 2>&1 || {
		note_file 'apt-get' "$SCRATCH/apt"
		bail_out "cannot install $*"
	}
}

update_lists() {
	in_root apt-get update -q >"$SCRATCH/apt" 2>&1
}

kernels() { # versions that the archive has, oldest first
	in_root apt-cache search '^linux-image-[0-9.]+[+]deb13-amd64$' | sed -n 's/^linux-image-\([^ ]*\) .*/\1/p' | sort -V
}

build_base() {
	debootstrap --variant=minbase --cache-dir="$CACHE/debs" "$SUITE" "$ROOT" ${MIRROR:+"$MIRROR"} >"$SCRATCH/debootstrap" 2>&1 || {
		note_file 'debootstrap' "$SCRATCH/debootstrap"
		bail_out 'debootstrap failed'
	}
	mount_all || bail_out 'cannot mount'
	update_lists || bail_out "apt-get update: $(cat "$SCRATCH/apt")"
	# shellcheck disable=SC2086 # a list
	install $PACKAGES
	mkdir -p "$ROOT/boot/grub"
	cp "$ROOT/usr/share/grub/default/grub" "$ROOT/etc/default/grub"
	install "linux-image-$(kernels | head -n 1)"
	in_root update-grub >"$SCRATCH/update-grub" 2>&1 || bail_out "update-grub: $(cat "$SCRATCH/update-grub")"
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
update_lists || note 'apt-get update failed: the lists of the cache are used'

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

# --- looking at a menu ----------------------------------------------------------------------------------------------

CFG=$ROOT/boot/grub/grub.cfg
OWN=$ROOT/etc/default/grub.d/zz-strix-provision.cfg

lines() { # normal|recovery: the linux lines of such entries
	awk -v want="$1" '/^[ \t]*menuentry / { kind = /-recovery-/ ? "recovery" : "normal" }
		/^[ \t]*linux[ \t]/ && kind == want' "$CFG"
}

every_normal_line_has() { # ARGUMENT: once
	lines normal | awk -v word="$1" '{ n = 0; for (i = 1; i <= NF; i++) n += $i == word; if (n != 1) { print; bad = 1 } }
		END { exit bad || NR == 0 }'
}

no_line_has() { # ARGUMENT [normal|recovery]
	{ lines "${2:-normal}"; [ -n "${2:-}" ] || lines recovery; } |
		awk -v word="$1" '{ for (i = 1; i <= NF; i++) if ($i == word) { print; bad = 1 } } END { exit bad || NR == 0 }'
}

every_line_has_root() {
	{ lines normal; lines recovery; } | awk '!/ root=[^ ]/ { print; bad = 1 } END { exit bad || NR == 0 }'
}

check_menu() { # WHEN: with our arguments
	for argument in iommu=pt transparent_hugepage=always; do
		check "$1: every normal entry has $argument, once" every_normal_line_has "$argument"
		check "$1: no recovery entry has $argument" no_line_has "$argument" recovery
	done
	check "$1: every entry has its root=" every_line_has_root
	check "$1: grub-script-check takes the menu" in_root grub-script-check /boot/grub/grub.cfg
}

check_old_menu() { # WHEN: without them
	for argument in iommu=pt transparent_hugepage=always; do
		check "$1: no entry has $argument" no_line_has "$argument"
	done
	check "$1: every entry has its root=" every_line_has_root
}

same_as_update_grub() { # WHEN: the system's own tool, run by itself, writes the same
	in_root grub-mkconfig >"$SCRATCH/by-itself" 2>"$SCRATCH/mkconfig" || fail "$1: grub-mkconfig runs by itself"
	expect_same "$1: the menu is what grub-mkconfig writes by itself" "$SCRATCH/by-itself" "$CFG"
}

list() { # FILE: what a transaction touches
	"$SP_TREE" list "$ROOT" etc boot >"$1"
}

# --- apply, again, rollback -----------------------------------------------------------------------------------------

APPLY='apply --yes --any-platform --gtt 1G'
list "$SCRATCH/before"
cp "$CFG" "$SCRATCH/cfg-before"
same_as_update_grub 'before'

inside detect --json
check 'the setup is recognised' test "$(json_get "$OUT" .boot.setup)" = grub-d
# shellcheck disable=SC2086 # words
inside $APPLY
expect_status 'apply' 0
check 'apply wrote our drop-in' test -s "$OWN"
check_menu 'apply'
same_as_update_grub 'apply'
check 'the menu keeps its mode and owner' test "$(stat -c %a:%u:%g "$CFG")" = 600:0:0
inside verify
expect_status 'verify before a reboot' 8
expect_no_match 'verify finds nothing wrong' "$OUT" 'FAIL'

list "$SCRATCH/applied"
inside apply --yes
expect_status 'apply again' 0
list "$SCRATCH/after"
expect_same 'apply again writes nothing' "$SCRATCH/applied" "$SCRATCH/after"

inside rollback --yes
expect_status 'rollback' 0
list "$SCRATCH/after"
expect_same 'rollback restores every byte, mode and time' "$SCRATCH/before" "$SCRATCH/after"
in_root update-grub >"$SCRATCH/update-grub" 2>&1
expect_same 'update-grub after rollback writes the old menu' "$SCRATCH/cfg-before" "$CFG"

# --- a menu that somebody put back ----------------------------------------------------------------------------------

# shellcheck disable=SC2086
inside $APPLY
cp "$SCRATCH/cfg-before" "$CFG"
inside plan --check
expect_status 'an old menu beside our drop-in is a pending change' 3
inside apply --yes
expect_status 'apply makes the menu again' 0
check_menu 'apply on an old menu'

# --- a real kernel package after apply ------------------------------------------------------------------------------

SECOND=$(kernels | tail -n 1)
check "there is a second kernel to install ($SECOND)" test ! -e "$ROOT/boot/vmlinuz-$SECOND"
install "linux-image-$SECOND"
check 'its entries are in the menu' grep -q "vmlinuz-$SECOND" "$CFG"
check_menu "kernel $SECOND installed after apply"
inside verify
expect_status 'verify with the new kernel' 8
expect_no_match 'verify finds nothing wrong with the new kernel' "$OUT" 'FAIL'

inside rollback --yes --all
expect_status 'rollback with the new kernel' 0
check 'our drop-in is gone' test ! -e "$OWN"
check 'both kernels are in the menu' grep -q "vmlinuz-$SECOND" "$CFG"
check_old_menu 'rollback with the new kernel'
same_as_update_grub 'rollback with the new kernel'
in_root update-grub >"$SCRATCH/update-grub" 2>&1
check_old_menu 'update-grub after that'
in_root apt-get install -y -q --reinstall "linux-image-$SECOND" >"$SCRATCH/apt" 2>&1 || note_file 'apt-get' "$SCRATCH/apt"
check_old_menu 'the kernel installed again after that'
cmp -s "$CFG" "$SCRATCH/by-itself" || note 'the reinstalled kernel changed the menu'

# --- a cloud image's drop-in, and a foreign value in front of ours --------------------------------------------------

printf 'GRUB_CMDLINE_LINUX_DEFAULT="console=tty1 console=ttyS0 transparent_hugepage=never"\n' \
	>"$ROOT/etc/default/grub.d/50-cloudimg-settings.cfg"
# shellcheck disable=SC2086
inside $APPLY
expect_status 'apply beside a cloud image drop-in' 0
tr -s ' \n' ' ' <"$OUT" >"$SCRATCH/unfolded"
expect_match 'the foreign value is told' "$SCRATCH/unfolded" '50-cloudimg-settings.cfg:1 says .transparent_hugepage=never.'
check 'the cloud arguments are kept' every_normal_line_has console=ttyS0
check 'ours is last of its key' sh -c "! grep -E '^[[:blank:]]*linux.*=always.*transparent_hugepage=never' '$CFG'"
inside rollback --yes --all
expect_status 'rollback beside a cloud image drop-in' 0
rm "$ROOT/etc/default/grub.d/50-cloudimg-settings.cfg"
in_root update-grub >"$SCRATCH/update-grub" 2>&1

# --- generators that fail -------------------------------------------------------------------------------------------

fails_cleanly() { # WHAT MESSAGE
	chmod 755 "$ROOT/etc/grub.d/99_bad"
	list "$SCRATCH/before"
	# shellcheck disable=SC2086
	inside $APPLY
	expect_status "$1: apply" 1
	expect_match "$1: the message says so" "$ERR" "$2"
	list "$SCRATCH/after"
	expect_same "$1: nothing is changed" "$SCRATCH/before" "$SCRATCH/after"
}

printf '#!/bin/sh\necho cannot go on >&2\nexit 1\n' >"$ROOT/etc/grub.d/99_bad"
fails_cleanly 'a generator that fails' 'exit status 1.*cannot go on'
printf '#!/bin/sh\necho "if true; then menuentry x {"\n' >"$ROOT/etc/grub.d/99_bad"
fails_cleanly 'a menu with a mistake' 'grub-script-check'
rm "$ROOT/etc/grub.d/99_bad"
mv "$ROOT/etc/grub.d/10_linux" "$SCRATCH/10_linux"
printf '#!/bin/sh\n' >"$ROOT/etc/grub.d/99_bad"
fails_cleanly 'a menu that starts nothing' 'no entry starts this system'
mv "$SCRATCH/10_linux" "$ROOT/etc/grub.d/10_linux"
rm "$ROOT/etc/grub.d/99_bad"

# --- from outside, and without /proc --------------------------------------------------------------------------------

list "$SCRATCH/before"
cp "$CFG" "$SCRATCH/cfg-before"
# shellcheck disable=SC2086
run_sp --root "$ROOT" --machine / $APPLY
expect_status '--root: apply' 0
check '--root: our drop-in is written' test -s "$OWN"
expect_same '--root: the menu is left alone' "$SCRATCH/cfg-before" "$CFG"
expect_match '--root: what is left to do is told' "$OUT" 'first boot.*grub-mkconfig'
run_sp --root "$ROOT" --machine / verify
expect_status '--root: verify' 8
inside apply --yes
expect_status 'the tree itself makes the menu then' 0
check_menu 'the tree itself'
run_sp --root "$ROOT" --machine / rollback --yes --all
expect_status '--root: rollback' 0
list "$SCRATCH/after"
expect_same '--root: rollback restores every byte, mode and time' "$SCRATCH/before" "$SCRATCH/after"

umount -R "$ROOT/proc"
# shellcheck disable=SC2086
inside plan --any-platform --gtt 1G
expect_status 'without /proc: plan' 0
expect_match 'without /proc nothing is generated' "$OUT" 'on its first boot, run as root: grub-mkconfig.*[(]/proc'
done_testing
[ "$TAP_FAILED" -eq 0 ]
