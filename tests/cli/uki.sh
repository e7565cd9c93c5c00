#!/bin/sh
# SPDX-License-Identifier: MIT
# Unified kernel images on the running system: root and machine are "/" of a mount namespace (lib-live.sh), whose ukify is
# the one of tests/bin.
#
#   apply, again, change, rollback   an addon beside each image of this system, read back; every byte back
#   a builder that fails, hangs, lies  nothing is changed
#   Secure Boot                      refused without a key, signed with one
#   evidence                         type #1 entries beside images: StubInfo decides, else exit status 6
#   images that kernel-install makes /etc/kernel/cmdline, with the whole line
#   damaged images, counters, other addons
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$SP_SRCDIR/tests/lib-live.sh"
[ -n "$python" ] || skip_all 'no /usr/bin/python3'

LINUX=efi/EFI/Linux
ADDON=strix-provision.addon.efi
SOURCE=etc/kernel/strix-provision.cmdline
NEW=$LINUX/arch-linux.efi
LTS=$LINUX/arch-linux-lts.efi
FALLBACK=$LINUX/arch-linux-fallback.efi
OTHER=$LINUX/f0e1d2c3b4a5968778695a4b3c2d1e0f-6.17.4-300.fc43.x86_64.efi
GUID=4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
VARS=sys/firmware/efi/efivars

build() { # IMAGE OS VERSION LINE [STUB]: in the tree, as the system's own builder would
	printf 'a kernel\n' >"$SCRATCH/kernel"
	printf 'an initrd\n' >"$SCRATCH/initrd"
	printf 'ID=%s\nPRETTY_NAME="%s"\n' "$2" "$2" >"$SCRATCH/release"
	SP_UKIFY_VERSION=${5:-258.2-1} python3 "$TESTS/bin/ukify" build "--linux=$SCRATCH/kernel" "--initrd=$SCRATCH/initrd" \
		"--os-release=@$SCRATCH/release" "--uname=$3" "--cmdline=$4" "--output=$TREE/$1" || bail_out "cannot build $1"
}

variable() { # NAME TEXT: of the Boot Loader Interface
	{
		printf '\006\000\000\000'
		printf '%s' "$2" | sed 's/./&\n/g' | while IFS= read -r c; do printf '%s\000' "$c"; done
		printf '\000\000'
	} >"$TREE/$VARS/$1-$GUID"
}

secure_boot() { # 0|1
	printf '%b' "\\006\\0\\0\\0\\00$1" >"$TREE/$VARS/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
}

start() {
	new_system zbook-64-arch-uki
}

line() { # IMAGE
	python3 "$TESTS/uki-line.py" "$TREE/$1"
}

once() { # IMAGE TOKEN...: each is there once
	words=$(line "$1" | tr ' ' '\n')
	shift
	for token in "$@"; do
		[ "$(printf '%s\n' "$words" | grep -c -x -F "$token")" = 1 ] || return 1
	done
}

all_once() { # IMAGE
	once "$1" iommu=pt amdgpu.gttsize=60416 ttm.pages_limit=15466496 transparent_hugepage=always root=UUID=9d3e7c51-2b4a-4c6d-8e9f-1a2b3c4d5e6f
}

unchanged() { # WHEN
	list_root "$SCRATCH/after"
	expect_same "$1: nothing is changed" "$SCRATCH/before" "$SCRATCH/after"
	check "$1: nothing is left of what was built" test ! -e "$TREE/var/lib/strix-provision/scratch"
}

# --- apply, again, change, rollback ---------------------------------------------------------------------------------

start
live detect --json
[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"
live plan
expect_status 'plan' 0
unchanged 'plan'
live apply --yes
expect_status 'apply' 0
for image in "$NEW" "$LTS"; do
	check "$image has each of ours once, and its root=" all_once "$image"
done
for image in "$FALLBACK" "$OTHER"; do
	check "$image has no addon" test ! -e "$TREE/$image.extra.d"
done
for image in "$NEW" "$LTS" "$FALLBACK" "$OTHER"; do
	check "$image itself is as it was" cmp "$TREE/$image" "$TESTS/machines/zbook-64-arch-uki/$image"
done
live verify
expect_status 'verify before the reboot' 8
reboot_machine
live verify
expect_status 'verify after the reboot' 0
list_root "$SCRATCH/applied"
live apply --yes
expect_status 'apply again' 0
list_root "$SCRATCH/after"
expect_same 'apply again writes nothing' "$SCRATCH/applied" "$SCRATCH/after"

live apply --yes --gtt 40G
expect_status 'another size' 0
check 'the addon has the new size' once "$NEW" amdgpu.gttsize=40960
check 'and not the old one' sh -c "! $(command -v python3) '$TESTS/uki-line.py' '$TREE/$NEW' | grep -q 60416"
live rollback --yes
expect_status 'rollback of that' 0
check 'the old size is back' all_once "$NEW"
rm "$TREE/$LTS.extra.d/$ADDON"
live verify
expect_status 'an addon that is gone is drift' 3,8
expect_match 'which verify names' "$OUT" 'arch-linux-lts.efi'
live apply --yes
expect_status 'apply puts it back' 0
check 'it is back' all_once "$LTS"
live rollback --yes --all
expect_status 'rollback of all' 0
unchanged 'rollback of all'
reboot_machine
live verify
expect_status 'verify after rollback and reboot' 0

start
live apply --yes
printf 'mine\n' >>"$TREE/$SOURCE"
live rollback --yes
expect_status 'our line was edited by hand: conflict' 4
rm "$TREE/$SOURCE"
printf 'x' >>"$TREE/$NEW.extra.d/$ADDON"
live rollback --yes
expect_status 'an addon that was damaged since' 0
unchanged 'rollback with a damaged addon'

# --- builders that do not work --------------------------------------------------------------------------------------

bad_builder() { # DESCRIPTION TRAP
	start
	printf '%s\n' "$2" >"$TREE/etc/ukify-trap"
	list_root "$SCRATCH/before"
	live apply --yes
	expect_status "$1" 1
	unchanged "$1"
}
bad_builder 'a builder that fails' 'echo no such section >&2; exit 1'
expect_match 'what it said is shown' "$ERR" 'no such section'
start
printf '#!/bin/sh\nexit 0\n' >"$TREE/usr/bin/ukify"
mkdir -p "$TREE/var/lib/strix-provision/scratch" # of one that was killed
printf 'iommu=pt amdgpu.gttsize=60416 ttm.pages_limit=15466496 transparent_hugepage=always\n' >"$SCRATCH/line"
python3 "$TESTS/bin/ukify" build "--cmdline=@$SCRATCH/line" "--output=$TREE/var/lib/strix-provision/scratch/out"
list_root "$SCRATCH/before"
live apply --yes
expect_status 'a builder that makes nothing' 1
unchanged 'a builder that makes nothing'
lie() { # DESCRIPTION BYTES-FILE
	start
	cp "$2" "$TREE/usr/share-addon"
	printf '#!/bin/sh\nfor a in "$@"; do case $a in --output=*) out=${a#--output=} ;; esac; done\n/host/bin/cat /usr/share-addon >"$out"\n' \
		>"$TREE/usr/bin/ukify"
	sed -i 's,/host/bin/cat /usr/share-addon >"$out",exec 3>"$out"; while IFS= read -r l || [ -n "$l" ]; do printf "%s\\n" "$l" >\&3; done </usr/share-addon,' "$TREE/usr/bin/ukify"
	list_root "$SCRATCH/before"
	live apply --yes
	expect_status "$1" 1
	unchanged "$1"
}
printf 'MZ no program\n' >"$SCRATCH/lie"
lie 'a builder that writes no program' "$SCRATCH/lie"
start
rm "$TREE/usr/bin/ukify"
list_root "$SCRATCH/before"
live plan
expect_status 'without ukify, plan' 0
live apply --yes
expect_status 'without ukify, apply' 6
expect_match 'and says which package has it' "$ERR" 'systemd-ukify'
unchanged 'without ukify'
start
build "$LTS" arch 6.18.16-1-lts "$(line "$LTS")" 252.39-1
list_root "$SCRATCH/before"
live apply --yes
expect_status 'a stub that reads no addons' 6
expect_match 'and which image' "$ERR" "arch-linux-lts.efi.* 252"
unchanged 'a stub that reads no addons'

# --- Secure Boot ----------------------------------------------------------------------------------------------------

start
secure_boot 1
list_root "$SCRATCH/before"
live apply --yes
expect_status 'Secure Boot without a key' 6
expect_match 'and says what to do' "$ERR" 'SecureBootPrivateKey'
unchanged 'Secure Boot without a key'
printf '[UKI]\n# signed\nSecureBootPrivateKey = /etc/kernel/db.key\nSecureBootCertificate=/etc/kernel/db.pem\n' >"$TREE/etc/kernel/uki.conf"
list_root "$SCRATCH/before"
live apply --yes
expect_status 'Secure Boot with a key' 0
check 'the addon has ours' all_once "$NEW"
live rollback --yes
unchanged 'rollback of that'
mv "$TREE/usr/bin/ukify" "$TREE/usr/bin/ukify-with-keys"
cat >"$TREE/usr/bin/ukify" <<'EOF'
#!/bin/sh
for word; do
	shift
	case $word in --secureboot-*) ;; *) set -- "$@" "$word" ;; esac
done
exec /usr/bin/ukify-with-keys "$@"
EOF
chmod 755 "$TREE/usr/bin/ukify"
list_root "$SCRATCH/before"
live apply --yes
expect_status 'a builder that does not sign' 1
expect_match 'and it says so' "$ERR" 'no signature'
unchanged 'a builder that does not sign'
mv "$TREE/usr/bin/ukify-with-keys" "$TREE/usr/bin/ukify"
rm "$TREE/etc/kernel/uki.conf"
mkdir -p "$TREE/var/lib/sbctl/keys/db"
: >"$TREE/var/lib/sbctl/keys/db/db.key"
: >"$TREE/var/lib/sbctl/keys/db/db.pem"
live apply --yes
expect_status "Secure Boot with sbctl's keys" 0
check 'the addon has ours' all_once "$NEW"

# --- evidence -------------------------------------------------------------------------------------------------------

add_type1() {
	mkdir -p "$TREE/efi/loader/entries" "$TREE/efi/arch"
	: >"$TREE/efi/arch/linux"
	: >"$TREE/efi/arch/initrd"
	printf 'title Arch\nlinux /arch/linux\ninitrd /arch/initrd\noptions %s\n' "$(line "$NEW")" >"$TREE/efi/loader/entries/arch.conf"
}
setup_is() { # DESCRIPTION NAME
	sp --json detect
	check "$1" test "$(json_get "$OUT" .boot.setup)" = "$2"
}
new_machine zbook-64-arch-uki
add_type1
setup_is 'entries beside images, and a stub was started: images' uki
rm "$TREE/$VARS/StubInfo-$GUID"
setup_is 'and none was: entries' systemd-boot
rm "$TREE/$VARS/LoaderInfo-$GUID"
sp apply --yes
expect_status 'nothing tells: refused' 6
expect_match 'with the way out' "$ERR" '--boot uki'
sp apply --yes --boot uki
expect_status 'which works' 0
new_machine zbook-64-arch-uki
variable StubInfo 'systemd-stub 258'
add_type1
rm -r "${TREE:?}/$LINUX"
sp apply --yes
expect_status 'a stub was started, and no image is there to be seen' 6

# --- images that kernel-install makes ---------------------------------------------------------------------------------

MID=$(cat "$TESTS/machines/zbook-64-arch-uki/etc/machine-id")
start
base=$(line "$NEW")
rm "$TREE/$NEW" "$TREE/$LTS" "$TREE/$FALLBACK" "$TREE/etc/kernel/cmdline"
NEW=$LINUX/$MID-6.19.8-arch1-1.efi
build "$NEW" arch 6.19.8-arch1-1 "$base"
list_root "$SCRATCH/before"
live apply --yes
expect_status 'apply' 0
check 'the image has each of ours once' all_once "$NEW"
expect_match '/etc/kernel/cmdline is made with the whole line' "$TREE/etc/kernel/cmdline" "^$base iommu=pt .*gttsize=60416"
LATER=$LINUX/$MID-6.20.1-arch1-1.efi
build "$LATER" arch 6.19.8-arch1-1 "$(cat "$TREE/etc/kernel/cmdline")"
check 'a kernel that comes later has each of ours once' all_once "$LATER"
MENU=/$LATER
reboot_machine
live verify
expect_status 'verify after it' 0
list_root "$SCRATCH/applied"
live apply --yes
list_root "$SCRATCH/after"
expect_same 'apply has nothing to do for it' "$SCRATCH/applied" "$SCRATCH/after"
live apply --yes --without thp
expect_status 'one setting less' 0
check 'the image that we have an addon for is without it' once "$NEW" iommu=pt
check 'and it is gone there' sh -c "! python3 '$TESTS/uki-line.py' '$TREE/$NEW' | grep -q hugepage"
cat "$OUT" "$ERR" | tr -s ' \n' ' ' >"$SCRATCH/unfolded"
expect_match 'the other has it in it, and that is told' "$SCRATCH/unfolded" "$LATER' was built with"
live plan --check
expect_status 'and is no reason to make anything again' 0
live rollback --yes
expect_status 'rollback of that' 0
live rollback --yes
expect_status 'rollback' 0
unfolded() { # FILE: without the line ends that fit a terminal
	tr -s ' \n' ' ' <"$1" >"$SCRATCH/unfolded"
}
cat "$OUT" "$ERR" >"$SCRATCH/said"
unfolded "$SCRATCH/said"
expect_match 'it says which image still has them' "$SCRATCH/unfolded" "$LATER' was built with"
live verify
expect_match 'and so does verify' "$OUT" 'iommu.* (FAIL|reboot)'
rm "$TREE/$LATER"
unchanged 'rollback: all else'

new_machine zbook-64-arch-uki
NEW=$LINUX/arch-linux.efi
sp_must apply --yes
build "$LTS" arch 6.18.16-1-lts "$(line "$LTS") $(cat "$TREE/$SOURCE")"
sp rollback --yes
expect_status 'in another tree, with an image that was built with ours: rollback' 0
cat "$OUT" "$ERR" | tr -s ' \n' ' ' >"$SCRATCH/unfolded"
expect_match 'it says which' "$SCRATCH/unfolded" "$LTS' was built with"
expect_no_match 'nothing is left for the first boot, which could not mend it' "$SCRATCH/unfolded" 'first boot'

# --- odd images -----------------------------------------------------------------------------------------------------

NEW=$LINUX/arch-linux.efi
start
head -c 700 "$TREE/$LTS" >"$SCRATCH/short"
cat "$SCRATCH/short" >"$TREE/$LTS"
list_root "$SCRATCH/before"
live apply --yes
expect_status 'an image that is cut off is none' 0
check 'the other has ours' all_once "$NEW"
check 'and that one no addon' test ! -e "$TREE/$LTS.extra.d"
live rollback --yes
unchanged 'rollback beside an image that is cut off'

start
mv "$TREE/$LTS" "$TREE/$LINUX/arch-linux-lts+3-0.efi"
list_root "$SCRATCH/before"
live apply --yes
expect_status 'an image with a boot counter' 0
check 'its addon is where the stub looks' test -e "$TREE/$LTS.extra.d/$ADDON"
mv "$TREE/$LINUX/arch-linux-lts+3-0.efi" "$TREE/$LINUX/arch-linux-lts+2-1.efi"
reboot_machine
live verify
expect_status 'the loader has counted: verify' 0
mv "$TREE/$LINUX/arch-linux-lts+2-1.efi" "$TREE/$LTS"
live apply --yes
check 'the boot was good: nothing to do, it has ours' all_once "$LTS"
mv "$TREE/$LTS" "$TREE/$LINUX/arch-linux-lts+3-0.efi"
live rollback --yes
unchanged 'rollback with a counter'

start
mkdir -p "$TREE/efi/loader/addons" "$TREE/$NEW.extra.d"
python3 "$TESTS/bin/ukify" build --cmdline='iommu=soft nosplash' "--output=$TREE/efi/loader/addons/site.addon.efi"
list_root "$SCRATCH/before"
live plan
expect_match 'what another addon says against ours is told' "$OUT" 'iommu=soft'
live apply --yes
expect_status "ours is read after another's" 0
rm "$TREE/$NEW.extra.d/$ADDON"
python3 "$TESTS/bin/ukify" build --cmdline='iommu=soft' "--output=$TREE/$NEW.extra.d/zz.addon.efi"
live verify
expect_status 'one that is read after ours is drift' 3,8

start
printf 'options x\n' >"$TREE/$NEW.extra.d"
list_root "$SCRATCH/before"
live apply --yes
expect_status "a file where the addons' folder belongs" 1
unchanged "a file where the addons' folder belongs"
done_testing
