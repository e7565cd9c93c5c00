#!/bin/sh
# SPDX-License-Identifier: MIT
# What the packages run: units, their journal entries, the hook of a new kernel, the look before the removal; and that
# `make install DESTDIR=` is complete. The scripts are those of the sources, with a program that is led to a recorded machine.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-trial.sh"

BUILD=$(dirname "$SP_BIN")
BIN=$SCRATCH/bin
LIBEXEC=$SCRATCH/libexec
JOURNAL=$SCRATCH/journal
UNITS='recover first-boot confirm verify'
mkdir "$BIN" "$LIBEXEC" "$SCRATCH/units"

make_program() { # one that takes no --root: of the machine in use
	cat >"$BIN/strix-provision" <<EOF
#!/bin/sh
STRIX_PROVISION_DATADIR='$SP_DATA' exec '$SP_BIN' --root '$TREE' --machine '$TREE' "\$@"
EOF
	printf '#!/bin/sh\ncat >>"%s"\n' "$JOURNAL" >"$BIN/logger"
	chmod 755 "$BIN/strix-provision" "$BIN/logger"
	for script in systemd/journal packaging/hooks/kernel-installed packaging/hooks/before-removal; do
		sed "s|@sbindir@|$BIN|; s|@statedir@|$TREE/var/lib/strix-provision|" "$SP_SRCDIR/$script.in" >"$LIBEXEC/${script##*/}"
		chmod 755 "$LIBEXEC/${script##*/}"
	done
}

script() { # NAME ARGUMENTS...
	name=$1
	shift
	: >"$JOURNAL"
	SP_LAST="$name $*"
	PATH=$BIN:$PATH "$LIBEXEC/$name" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

add_kernel() { # an entry as a new kernel brings it, where the line's source was not ours
	id=$(default_entry)
	sed -e '/^options/s/ \(iommu\|amdgpu\.gttsize\|ttm\.pages_limit\|transparent_hugepage\)=[^ ]*//g' -e 's/6\.19/6.20/g' \
		"$TREE/boot/loader/entries/$id.conf" >"$TREE/boot/loader/entries/$(cat "$TREE/etc/machine-id")-9.9.9.conf"
}

# --- the journal ------------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
make_program
script kernel-installed 9.9.9
expect_status 'never applied: the hook' 0
check 'never applied: the hook says nothing' test ! -s "$ERR"
script before-removal
expect_status 'never applied: the removal' 0
check 'never applied: the removal says nothing' test ! -s "$ERR"

sp_must apply --yes
script journal verify
expect_status 'journal, before the reboot' 8
expect_match 'journal: a message id' "$JOURNAL" '^MESSAGE_ID=db968ca53e4e4567bb7c3d26d0ca9ac9$'
reboot_machine
script journal verify
expect_status 'journal, verified' 0
expect_match 'journal: good' "$JOURNAL" '^MESSAGE=strix-provision verify: all is right$'
expect_match 'journal: its priority' "$JOURNAL" '^PRIORITY=6$'
RUNTIME_DIRECTORY=$SCRATCH
export RUNTIME_DIRECTORY
script journal verify
check 'journal: what verify said is left for status' grep -qx "0 $(cat /proc/sys/kernel/random/boot_id)" "$SCRATCH/verify"
unset RUNTIME_DIRECTORY
script journal confirm --if-armed
expect_status 'journal, confirm without a trial' 0
script journal recover
expect_status 'journal, nothing to recover' 0
script kernel-installed 9.9.9
check 'a kernel with our arguments: the hook says nothing' test ! -s "$ERR"

poke proc/sys/vm/swappiness 33
script kernel-installed 9.9.9
check 'another drift is not about the kernel: the hook says nothing' test ! -s "$ERR"

add_kernel
script kernel-installed 9.9.9
expect_status 'a kernel without our arguments: the hook fails nothing' 0
expect_match 'a kernel without our arguments: it is said' "$ERR" 'kernel \(9\.9\.9\).*without what was applied'
expect_match 'a kernel without our arguments: a message id' "$JOURNAL" '^MESSAGE_ID=f9c8812f40ca4c1db39e3d2391d2c43e$'
script journal verify
expect_status 'journal, drift' 3
expect_match 'journal: drift' "$JOURNAL" '^MESSAGE_ID=5e98d79379a448d0b8dfbcd246ba5278$'

# GRUB 2.14's own blscfg cannot boot a line of some lengths, and a new kernel may bring one.
new_machine zbook-64-fedora
make_program
mkdir -p "$TREE/boot/grub2/x86_64-efi"
: >"$TREE/boot/grub2/x86_64-efi/blsuki.mod"
sp_must apply --yes
reboot_machine
NEW=$TREE/boot/loader/entries/$(cat "$TREE/etc/machine-id")-6.20.9-200.fc43.x86_64.conf
line="$(cat "$TREE/etc/kernel/cmdline") pad="
while [ $(((8 + ${#line} + $(printf /vmlinuz-6.20.9-200.fc43.x86_64 | wc -c)) % 32)) != 0 ]; do line=${line}x; done
sed -e 's/6\.19\.8/6.20.9/g' -e "s|^options.*|options $line|" "$TREE/boot/loader/entries/$(default_entry).conf" >"$NEW"
cp "$TREE/boot/vmlinuz-6.19.8-200.fc43.x86_64" "$TREE/boot/vmlinuz-6.20.9-200.fc43.x86_64"
sp verify
expect_match 'a kernel with a length that cannot boot: verify' "$OUT" 'cannot boot an entry'
script kernel-installed 6.20.9
expect_match 'a kernel with a length that cannot boot: the hook mends it, and says so' "$ERR" 'is mended'
check 'a kernel with a length that cannot boot: one more blank' grep -q '^options .*  pad=x*$' "$NEW"
sp verify
expect_no_match 'a kernel with a length that cannot boot: verify, then' "$OUT" 'cannot boot an entry'
script kernel-installed 6.20.9
check 'and once is enough' test ! -s "$ERR"

new_machine zbook-64-fedora
make_program
sp_must apply --yes
list_all "$SCRATCH/before"
script before-removal
list_all "$SCRATCH/after"
expect_status 'applied: the removal' 0
expect_match 'applied: how to undo it' "$ERR" 'strix-provision rollback --all'
expect_same 'applied: the removal changes nothing' "$SCRATCH/before" "$SCRATCH/after"
ln -s 7 "$TREE/var/lib/strix-provision/open"
script before-removal
expect_status 'a transaction is open: no removal' 1
expect_match 'a transaction is open: what to do' "$ERR" 'strix-provision recover'

# --- with a trial -----------------------------------------------------------------------------------------------------

new_grub zbook-64-fedora grub2
make_program
sp_must apply --trial --yes
script before-removal
expect_status 'a trial is open: no removal' 1
expect_match 'a trial is open: what to do' "$ERR" 'confirm --cancel'
script kernel-installed 9.9.9
expect_status 'a kernel beside a trial: the hook' 0
expect_match 'a kernel beside a trial: it is cancelled, and says so' "$ERR" 'the trial is cancelled, because a kernel \(9\.9\.9\)'
expect_match 'a kernel beside a trial: a message id' "$JOURNAL" '^MESSAGE_ID=09ba389c0c5f4cb2a4f4dd740aeca83b$'
list_root "$SCRATCH/after"
expect_same 'a kernel beside a trial: every byte is back' "$SCRATCH/start" "$SCRATCH/after"
script before-removal
expect_status 'the trial is ended: the removal' 0

# --- units ------------------------------------------------------------------------------------------------------------

sed -n 's/.*\(id=\|tell \)\([0-9a-f]\{32\}\).*/\2/p' "$SP_SRCDIR/systemd/journal.in" \
	"$SP_SRCDIR/packaging/hooks/kernel-installed.in" | sort -u >"$SCRATCH/ids"
check 'the scripts have nine message ids' test "$(wc -l <"$SCRATCH/ids")" -eq 9
while read -r id; do
	check "the catalogue knows $id" grep -qx -e "-- $id" "$SP_SRCDIR/systemd/strix-provision.catalog"
done <"$SCRATCH/ids"
for unit in $UNITS; do
	sed -e "s|@pkglibexecdir@|$LIBEXEC|" -e "/^@WRITER@/{r $SP_SRCDIR/systemd/writer.in" -e 'd;}' \
		"$SP_SRCDIR/systemd/strix-provision-$unit.service.in" >"$SCRATCH/units/strix-provision-$unit.service"
done
expect_match 'recover: only where a transaction is open' "$SCRATCH/units/strix-provision-recover.service" \
	'^ConditionPathIsSymbolicLink=/var/lib/strix-provision/open$'
expect_match 'verify: a start counts as good only behind it' "$SCRATCH/units/strix-provision-verify.service" \
	'^RequiredBy=boot-complete.target$'

exposure_within() { # UNIT TENTHS
	systemd-analyze security --offline=yes --threshold="$2" "$SCRATCH/units/strix-provision-$1.service"
}

if systemd-analyze security --help 2>/dev/null | grep -q -e --offline; then
	for unit in $UNITS; do
		systemd-analyze verify --man=no "$SCRATCH/units/strix-provision-$unit.service" >"$SCRATCH/said" 2>&1
		grep -F "strix-provision-$unit" "$SCRATCH/said" >"$SCRATCH/ours"
		check "systemd-analyze verify has nothing to say of $unit" test ! -s "$SCRATCH/ours"
		note_file "$unit" "$SCRATCH/ours"
	done
	check 'systemd-analyze security: recover at most 6.2' exposure_within recover 62
	check 'systemd-analyze security: confirm at most 6.2' exposure_within confirm 62
	check 'systemd-analyze security: first-boot at most 6.2' exposure_within first-boot 62
	check 'systemd-analyze security: verify at most 1.3' exposure_within verify 13
else
	skip 'systemd-analyze verify and security' 'no systemd-analyze that works offline'
fi
if command -v journalctl >/dev/null 2>&1; then
	mkdir -p "$SCRATCH/root/usr/lib/systemd/catalog" "$SCRATCH/root/var/lib/systemd/catalog"
	cp "$SP_SRCDIR/systemd/strix-provision.catalog" "$SCRATCH/root/usr/lib/systemd/catalog/"
	check 'journalctl takes the catalogue' journalctl --root="$SCRATCH/root" --update-catalog
	check 'journalctl finds each entry' sh -c "journalctl --root='$SCRATCH/root' --list-catalog | grep -c strix-provision: | grep -qx 9"
else
	skip 'the catalogue' 'no journalctl'
fi

# --- make install -----------------------------------------------------------------------------------------------------

DEST=$SCRATCH/dest
if [ -f "$BUILD/Makefile" ] && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$BUILD" install DESTDIR="$DEST" prefix=/usr sysconfdir=/etc \
	systemdsystemunitdir=/usr/lib/systemd/system systemdpresetdir=/usr/lib/systemd/system-preset \
	catalogdir=/usr/lib/systemd/catalog >"$SCRATCH/install" 2>&1; then
	(cd "$DEST" && find . ! -type d | sed 's|^\.||' | sort) >"$SCRATCH/installed"
	(
		cd "$SP_SRCDIR" || exit 1
		for folder in grub sysctl.d modprobe.d environment.d profiles platforms advisories log; do
			find "$folder" -name '*.cfg' | sed 's|^|/usr/share/strix-provision/|'
		done
		find docs/schema -name '*.json' | sed 's|^docs|/usr/share/doc/strix-provision|'
		find man -name '*.[58]' | sed 's|man/\(.*\.\([58]\)\)$|/usr/share/man/man\2/\1|'
		sed 's|^|/usr/lib/systemd/system/strix-provision-|; s|$|.service|' <<EOF
recover
first-boot
confirm
verify
EOF
		cat <<EOF
/etc/kernel/postinst.d/zzz-strix-provision
/usr/lib/kernel/install.d/95-strix-provision.install
/usr/lib/systemd/catalog/strix-provision.catalog
/usr/lib/systemd/system-preset/90-strix-provision.preset
/usr/libexec/strix-provision/before-removal
/usr/libexec/strix-provision/journal
/usr/libexec/strix-provision/kernel-installed
/usr/sbin/strix-provision
/usr/share/bash-completion/completions/strix-provision
/usr/share/doc/strix-provision/strix-provision.conf
/usr/share/doc/strix-provision/administrators.md
/usr/share/doc/strix-provision/boot-setups.md
/usr/share/doc/strix-provision/firmware.md
/usr/share/doc/strix-provision/first-hour.md
/usr/share/doc/strix-provision/packaging.md
/usr/share/fish/vendor_completions.d/strix-provision.fish
/usr/share/zsh/site-functions/_strix-provision
EOF
	) | sort >"$SCRATCH/expected"
	expect_same 'make install DESTDIR= puts everything in its place, and nothing else' "$SCRATCH/expected" "$SCRATCH/installed"
else
	fail 'make install DESTDIR='
	note_file make "$SCRATCH/install"
fi

done_testing
