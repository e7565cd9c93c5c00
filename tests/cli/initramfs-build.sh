#!/bin/sh
# SPDX-License-Identifier: MIT
# --with initramfs on the running system: root and machine are "/" of a mount namespace (lib-live.sh), whose dracut, mkinitramfs,
# mkinitcpio and booster are those of tests/bin.
#
#   apply, again, rollback         the image of the default kernel alone is built anew, by the right arguments; every byte back
#   a maker that fails, lies       nothing is changed; nor where there is no room, no maker, or nobody knows it
#   cut short                      everything is put back
#   rollback, built anew since     the maker takes our file out again
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$SP_SRCDIR/tests/lib-live.sh"
[ -n "$python" ] || skip_all 'no /usr/bin/python3'

build() { # MAKER IMAGE: as it would be now
	python3 "$TESTS/bin/initramfs-image" "$1" "$TREE" "$TREE/$2" || bail_out "cannot make $2"
}

program_of() { # MAKER
	case $1 in
	initramfs-tools) echo /usr/sbin/mkinitramfs ;;
	*) echo "/usr/bin/$1" ;;
	esac
}

start() { # MACHINE MAKER IMAGE [OTHER IMAGE]
	new_system "$1"
	MAKER=$2 IMAGE=$3 OTHER=${4:-}
	install_maker "$(program_of "$2")"
	for image in $IMAGE $OTHER; do build "$2" "$image"; done
	list_root "$SCRATCH/before"
	cp "$TREE/$IMAGE" "$SCRATCH/old-image"
}

copy_of() { # IMAGE: what the last --json says
	python3 -c 'import json, sys
print([i["copy"] for i in json.load(open(sys.argv[1]))["initramfs"] if i["path"] == sys.argv[2]][0])' "$OUT" "/$1"
}

unchanged() { # WHEN
	rm -f "$TREE/trap" "$TREE/kill" "$TREE/generic" "$TREE/calls"
	list_root "$SCRATCH/after"
	expect_same "$1: nothing is changed" "$SCRATCH/before" "$SCRATCH/after"
	check "$1: nothing is left of what was built" test ! -e "$TREE/var/lib/strix-provision/scratch"
}

# --- apply, again, rollback -------------------------------------------------------------------------------------------

one_round() { # NAME ARGUMENTS-OF-THE-MAKER (a regex)
	live plan --json --with initramfs
	expect_status "$1: plan" 0
	expect_match "$1: plan says that apply will look into the image" "$OUT" "look into '/$(printf %s "$IMAGE" | sed 's/[+.]/[&]/g')'"
	: >"$TREE/calls"
	live apply --yes --with initramfs --json
	expect_status "$1: apply" 0
	[ "$STATUS" = 0 ] || note_file 'error' "$ERR"
	expect_match "$1: the maker is called as it wants to be" "$TREE/calls" "^$2\$"
	check "$1: once" test "$(wc -l <"$TREE/calls")" = 1
	build "$MAKER" ../expected
	check "$1: the image is what the maker makes now" cmp "$TREE/$IMAGE" "$TREE/../expected"
	[ -z "$OTHER" ] || check "$1: the image of the other kernel stays" cmp "$TREE/$OTHER" "$SCRATCH/old-image"
	check "$1: it has mode and owner of the old one" \
		test "$(stat -c '%a %u %g' "$TREE/$IMAGE")" = "$(stat -c '%a %u %g' "$SCRATCH/old-image" | sed "s/^[0-7]*/$(sed -n "s,^$IMAGE	f	0*\([0-7]*\)	.*,\1,p" "$SCRATCH/before" | head -n 1)/")"
	check "$1: nothing is left beside it" sh -c "! ls -A '$TREE/${IMAGE%/*}' | grep -q strix-"
	live plan --json
	check "$1: plan knows that the image is right" test "$(copy_of "$IMAGE")" = same
	list_all "$SCRATCH/all-before"
	live apply --yes
	expect_status "$1: apply again" 0
	list_all "$SCRATCH/all-after"
	expect_same "$1: apply again writes nothing" "$SCRATCH/all-before" "$SCRATCH/all-after"
	live rollback --yes --json
	expect_status "$1: rollback" 0
	check "$1: nothing is left to do" test "$(json_get "$OUT" .actions)" = '[]'
	rm "$TREE/calls"
	list_root "$SCRATCH/after"
	expect_same "$1: rollback brings every byte back, and its time" "$SCRATCH/before" "$SCRATCH/after"
}

FEDORA=boot/initramfs-6.19.8-200.fc43.x86_64.img
OUTPUT=/var/lib/strix-provision/scratch/out
start zbook-64-fedora dracut $FEDORA boot/initramfs-6.18.16-200.fc43.x86_64.img
live detect --json
[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"
one_round dracut "dracut --force $OUTPUT 6.19.8-200.fc43.x86_64"
: >"$TREE/calls"
live apply --yes
check 'without --with initramfs nothing is built' test ! -s "$TREE/calls"

start zbook-128-debian13 initramfs-tools boot/initrd.img-6.17.13+deb13-amd64 boot/initrd.img-6.12.48+deb13-amd64
mkdir -p "$TREE/usr/lib/modules/6.17.13+deb13-amd64"
list_root "$SCRATCH/before"
one_round initramfs-tools "mkinitramfs -o $OUTPUT 6.17.13\+deb13-amd64"

start zbook-128-arch-grub booster boot/initramfs-linux.img
one_round booster "booster build --kernel-version 6.19.8-arch1-1 $OUTPUT"

start zbook-128-arch-grub mkinitcpio boot/initramfs-linux.img
one_round mkinitcpio "mkinitcpio -k 6.19.8-arch1-1 -g $OUTPUT"
start zbook-128-arch-grub mkinitcpio boot/initramfs-linux.img
mkdir -p "$TREE/etc/mkinitcpio.d"
: >"$TREE/etc/own.conf"
printf "ALL_config='/etc/mkinitcpio.conf'\nPRESETS=('default')\ndefault_config=/etc/own.conf\ndefault_image=\"/boot/initramfs-linux.img\"\n" \
	>"$TREE/etc/mkinitcpio.d/linux.preset"
list_root "$SCRATCH/before"
one_round 'mkinitcpio with a preset' "mkinitcpio -k 6.19.8-arch1-1 -c /etc/own.conf -g $OUTPUT"

# --- makers that fail, and lie ------------------------------------------------------------------------------------------

wrong() { # NAME STATUS TEXT [TRAP]
	[ -z "${4:-}" ] || printf '%s\n' "$4" >"$TREE/trap"
	live apply --yes --with initramfs
	expect_status "$1" "$2"
	expect_match "$1: the reason" "$ERR" "$3"
	unchanged "$1"
}

start zbook-64-fedora dracut $FEDORA
install_maker /usr/bin/mkinitcpio
list_root "$SCRATCH/before"
wrong 'a maker that fails' 1 'no space left' 'echo "no space left" >&2; exit 1'
wrong 'an empty image' 1 'it is empty' ': >"$1"'
wrong 'no archive' 1 'neither an archive' 'printf "hello%05000d" 0 >"$1"'
: >"$TREE/generic"
wrong 'an image without our file' 1 "our modprobe.d file in it says '' and not 'amdgpu"
wrong 'an image of another maker' 1 'it is not one of dracut' '[ "$SP_TRAPPED" ] || SP_TRAPPED=1 /usr/bin/mkinitcpio -k 6.19.8-200.fc43.x86_64 -g "$1"'
: >"$TREE/usr/bin/dracut" && printf '#!/bin/sh\nexit 2\n' >"$TREE/usr/bin/dracut"
list_root "$SCRATCH/before"
wrong 'a maker that does not know its arguments' 1 'dracut' 'exit 0'
rm "$TREE/usr/bin/dracut"
list_root "$SCRATCH/before"
wrong 'no maker' 6 "there is no '/usr/bin/dracut'"
install_maker /usr/bin/dracut
rm "$TREE/usr/bin/mkinitcpio"
build mkinitcpio $FEDORA
list_root "$SCRATCH/before"
wrong 'the image is of another maker that is not there' 6 "there is no '/usr/bin/mkinitcpio'"
start zbook-64-opensuse-sdboot dracut boot/efi/opensuse-tumbleweed/6.19.8-1-default/initrd-1234
wrong 'an image that is built with its entry' 6 "is built by 'sdbootutil mkinitrd'"
start zbook-64-fedora dracut $FEDORA
printf 'stand-in' >"$TREE/$FEDORA"
list_root "$SCRATCH/before"
wrong 'an image of nobody' 6 'not known who made'

start zbook-64-fedora dracut $FEDORA
head -c 20000 /dev/zero >>"$TREE/$FEDORA" # which is padding
list_root "$SCRATCH/before"
wrong 'an image that is much smaller' 1 'bytes where the old one has'

# --- no room --------------------------------------------------------------------------------------------------------------

start zbook-64-fedora dracut $FEDORA
head -c 3000000 /dev/zero >>"$TREE/$FEDORA"
list_root "$SCRATCH/before"
mkdir "$SCRATCH/boot"
cp -a "$TREE/boot/." "$SCRATCH/boot/"
live_small() { # as live, with a /boot of 8 MiB
	# shellcheck disable=SC2016,SC2086
	unshare -m $as_namespace sh -c 'mount -t tmpfs -o size=8m none "$1/boot" && cp -a "$2/." "$1/boot/"
		shift 2; "$@"; status=$?; ls -A "$TREE/boot" >"$SCRATCH/left"; exit $status' sh "$TREE" "$SCRATCH/boot" \
		sh -c 'mount --rbind / "$1/host" && mount --rbind /dev "$1/dev" && tree=$1 loader=$2 libraries=$3 program=$4 data=$5 && shift 5 &&
			env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin STRIX_PROVISION_DATADIR="/host$data" chroot "$tree" "/host$loader" --library-path "$libraries" \
			"/host$program" "$@"' sh "$TREE" "$loader" "$libraries" "$SP_BIN" "$SP_SRCDIR" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}
export TREE SCRATCH
live_small apply --yes --with initramfs
expect_status 'no room on /boot' 1
expect_match 'the reason' "$ERR" 'no room for another'
unchanged 'no room'

# --- cut short --------------------------------------------------------------------------------------------------------------

start zbook-64-fedora dracut $FEDORA
: >"$TREE/kill"
live apply --yes --with initramfs
check 'killed while the image is built' test "$STATUS" = 137
rm "$TREE/kill"
live recover
expect_status 'recover' 0
live recover
rm -rf "$TREE/var/lib/strix-provision/scratch" # it is the next build's to take
unchanged 'cut short'
live apply --yes --with initramfs
expect_status 'apply afterwards' 0

# --- rollback of an image that was built anew since --------------------------------------------------------------------------

start zbook-64-fedora dracut $FEDORA
live apply --yes --with initramfs
printf 'options foo bar=1\n' >"$TREE/etc/modprobe.d/foreign.conf"
build dracut $FEDORA # by an update
: >"$TREE/calls"
live rollback --yes
expect_status 'rollback of an image that was built anew since' 0
expect_match 'it is built anew' "$OUT" "/$FEDORA, built anew"
expect_match 'by its maker' "$TREE/calls" '^dracut --force'
build dracut ../expected
check 'it is what the maker makes now, with what is others'"'" cmp "$TREE/$FEDORA" "$TREE/../expected"
live verify --json
check 'nothing is left of us' test "$(json_get "$OUT" .initramfs)" = '[]'

start zbook-64-fedora dracut $FEDORA
live apply --yes --with initramfs
build dracut $FEDORA
touch -d @1767225700 "$TREE/$FEDORA"
head -c 512 /dev/zero >>"$TREE/$FEDORA"
rm "$TREE/usr/bin/dracut"
live rollback --yes --json
expect_status 'the same without the maker' 0
check 'the command is left to do' test "$(json_get "$OUT" '.actions[0]')" = "dracut --force /$FEDORA 6.19.8-200.fc43.x86_64"

# --- a tree that does not run --------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
build dracut $FEDORA
sp apply --yes --with initramfs --json
expect_status 'another tree' 0
expect_match 'it is left for its first boot' "$OUT" 'on its first boot, run as root: dracut --force'
sp plan --with initramfs,thp
expect_status 'initramfs beside settings' 0
sp plan --with initramfz
expect_status 'a wrong word' 2
sp plan --replace initramfs
expect_status 'nothing that could be replaced' 2
done_testing
