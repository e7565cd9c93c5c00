#!/bin/sh
# SPDX-License-Identifier: MIT
# Bad input ends in a clear error, and the tree stays as it was. Each case: a fresh machine, a function that spoils it,
# a command that must fail with one of some exit statuses and say why on standard error.
. "${SP_SRCDIR:-.}/tests/lib.sh"

MID=5a3b0c9d8e7f41628394a5b6c7d8e9f0
ENTRY=boot/loader/entries/$MID-6.19.8-200.fc43.x86_64.conf

# fails NAME SPOIL STATUS MESSAGE ARGUMENTS...: SPOIL is a function or ':'; MESSAGE a regular expression
fails() {
	name=$1 spoil=$2 status=$3 message=$4
	shift 4
	new_machine zbook-64-fedora
	SP_DATA=$SP_SRCDIR SP_AS='' SP_STDIN=/dev/null
	"$spoil" || {
		skip "$name" "cannot be arranged here"
		return
	}
	list_root "$SCRATCH/before"
	"${RUN:-sp}" "$@"
	SP_AS=''
	expect_status "$name" "$status"
	expect_match "$name: the message says why" "$ERR" "$message"
	expect_match "$name: the message is in our form" "$ERR" '^strix-provision: '
	list_root "$SCRATCH/after"
	expect_same "$name: the tree is unchanged" "$SCRATCH/before" "$SCRATCH/after"
	RUN='' SP_DATA=$SP_SRCDIR
	[ -z "${AFTER:-}" ] || { "$AFTER" && AFTER=''; }
}

# --- the command line -----------------------------------------------------------------------------------------------

fails 'no command' : 2 'command|usage'
fails 'unknown command' : 2 'aply' aply
fails 'unknown option' : 2 'no-such-option' plan --no-such-option
fails 'unknown global option' : 2 'no-such-option' --no-such-option plan
fails 'an argument too many' : 2 'extra' plan extra
fails 'unknown boot setup' : 2,6 'nonsense' --boot nonsense apply --yes
fails 'unknown profile' : 2 'no-such-profile' apply --yes --profile no-such-profile
fails 'unknown setting in --with' : 2 'no-such-setting' apply --yes --with no-such-setting
fails 'unknown setting in --without' : 2 'no-such-setting' apply --yes --without no-such-setting
fails 'more than the memory' : 2 '200' apply --yes --gtt 200G
fails 'not a size' : 2 'banana' apply --yes --gtt banana
fails 'an empty size' : 2 'gtt|size' apply --yes --gtt ''
fails 'a size of nothing' : 2 'gtt|size|0' apply --yes --gtt 0
fails 'a negative size' : 2 '-5G' apply --yes --gtt=-5G
fails 'a size that overflows' : 2 '99999999999999999999' apply --yes --gtt 99999999999999999999G
fails 'a host reserve that leaves nothing' : 2 'reserve|62|memory' apply --yes --host-reserve 62G
fails 'no terminal and no --yes' : 2 'terminal|--yes' apply
fails 'rollback without a transaction' : 1 'nothing|no transaction' rollback --yes
fails 'rollback of a transaction that never was' : 1,2 '42' rollback --yes 42
fails 'rollback of something that is no number' : 2 'banana' rollback --yes banana
# Without --yes in the following three, so that a mistake of ours cannot change the machine that runs the tests.
fails 'a reboot of another root' : 2 'reboot' apply --reboot

RUN=run_sp
fails 'a root that does not exist' : 2 'no-such-folder' --root /no-such-folder plan
RUN=run_sp
fails 'a machine that does not exist' : 2 'no-such-folder' --root "$SCRATCH/tree" --machine /no-such-folder plan
RUN=run_sp
fails 'a root that is a file' : 2 'machine-id' --root "$SCRATCH/tree/etc/machine-id" plan
RUN=run_sp
fails 'another machine, but this root' : 2 '--root' --machine "$SCRATCH/tree" apply

# --- configuration and catalogue ------------------------------------------------------------------------------------

CONF='strix-provision\.conf:[0-9]+'
conf() { printf '%s\n' "$@" >"$TREE/etc/strix-provision.conf"; }
conf_syntax() { conf 'profile = ;'; }
conf_unknown() { conf '# a comment' 'profil = "zbook";'; }
conf_type() { conf 'profile = 7;'; }
conf_profile() { conf 'profile = "no-such-profile";'; }
conf_setting() { conf 'with = [ "no-such-setting" ];'; }
conf_size() { conf 'gtt = "200G";'; }
conf_no_size() { conf 'gtt = "banana";'; }
conf_nul() { printf 'profile = "zb\000ook";\n' >"$TREE/etc/strix-provision.conf"; }
conf_folder() { mkdir "$TREE/etc/strix-provision.conf"; }

fails 'configuration: syntax' conf_syntax 2 "$CONF" apply --yes
fails 'configuration: unknown key' conf_unknown 2 "$CONF.*profil" apply --yes
fails 'configuration: wrong type' conf_type 2 "$CONF.*profile" apply --yes
fails 'configuration: unknown profile' conf_profile 2 'no-such-profile' apply --yes
fails 'configuration: unknown setting' conf_setting 2 'no-such-setting|with' apply --yes
fails 'configuration: more than the memory' conf_size 2 'gtt|200' apply --yes
fails 'configuration: not a size' conf_no_size 2 'banana|gtt' apply --yes
fails 'configuration: a NUL byte' conf_nul 2 'strix-provision\.conf' apply --yes
fails 'configuration: a folder' conf_folder 1,2 'strix-provision\.conf' apply --yes
fails 'configuration: --config names nothing' : 2 'no-such-file' --config /no-such-file apply --yes

data() { # BLOCK: a catalogue with one bad file more
	SP_DATA=$SCRATCH/data
	rm -rf "$SP_DATA"
	mkdir "$SP_DATA"
	for dir in grub sysctl.d modprobe.d environment.d profiles platforms advisories; do
		[ ! -d "$SP_SRCDIR/$dir" ] || cp -R "$SP_SRCDIR/$dir" "$SP_DATA/"
	done
	printf '%s\n' "$@" >"$SP_DATA/sysctl.d/zz-bad.cfg"
}
HEAD='settings = ( { id = "bad"; key = "vm.bad"; value = "1"; summary = "bad";'
data_syntax() { data 'settings = ( { id = ; } );'; }
data_unknown() { data "$HEAD nonsense = 1; } );"; }
data_type() { data 'settings = ( { id = "bad"; key = 5; value = "1"; summary = "bad"; } );'; }
data_no_key() { data 'settings = ( { id = "bad"; value = "1"; summary = "bad"; } );'; }
data_predicate() { data "$HEAD when = [ \"is-it-tuesday\" ]; } );"; }
data_twice() { data 'settings = ( { id = "iommu"; key = "vm.bad"; value = "1"; summary = "bad"; } );'; }
data_control() { data 'settings = ( { id = "bad"; key = "vm.bad"; value = "1\n2"; summary = "bad"; } );'; }
data_derived() { data 'settings = ( { id = "bad"; key = "vm.bad"; value = "${no_such_value}"; summary = "bad"; } );'; }
data_none() { SP_DATA=$SCRATCH/no-such-data; }

BAD='zz-bad\.cfg:[0-9]+'
fails 'catalogue: syntax' data_syntax 2 "$BAD" apply --yes
fails 'catalogue: unknown key' data_unknown 2 "$BAD.*nonsense" apply --yes
fails 'catalogue: wrong type' data_type 2 "$BAD" apply --yes
fails 'catalogue: a key is missing' data_no_key 2 "$BAD" apply --yes
fails 'catalogue: unknown predicate' data_predicate 2 "$BAD.*is-it-tuesday" apply --yes
fails 'catalogue: one id twice' data_twice 2 'zz-bad\.cfg:[0-9]+.*iommu|iommu.*zz-bad\.cfg:[0-9]+' apply --yes
fails 'catalogue: a control character' data_control 2 "$BAD" apply --yes
fails 'catalogue: unknown derived value' data_derived 2 "$BAD.*no_such_value" apply --yes
fails 'catalogue: no such folder' data_none 1,2 'no-such-data' apply --yes

# --- the boot setup -------------------------------------------------------------------------------------------------

entry_is_folder() { rm "$TREE/$ENTRY" && mkdir "$TREE/$ENTRY"; }
entry_garbage() { printf '\001\002\377garbage\n\n= = =\n' >"$TREE/$ENTRY"; }
entry_nul() { printf 'title x\000y\nlinux /vmlinuz\noptions root=UUID=1 ro\n' >"$TREE/$ENTRY"; }
entry_empty() { : >"$TREE/$ENTRY"; }
entry_too_long() {
	pad=$(awk 'BEGIN { for (i = 0; i < 95; i++) printf " pad%02d=%014d", i, i }')
	edit_file "$TREE/$ENTRY" "s/^options .*/&$pad/"
}
entries_empty() { rm "$TREE"/boot/loader/entries/*; }
entries_gone() { rm -r "$TREE/boot/loader"; }
GRUBENV=boot/grub2/grubenv
grubenv_short() { head -c 500 "$TREE/$GRUBENV" >"$SCRATCH/short" && cat "$SCRATCH/short" >"$TREE/$GRUBENV"; }
grubenv_garbage() { head -c 1024 /dev/zero >"$TREE/$GRUBENV"; }
grub_1_mib() {
	awk 'BEGIN { for (i = 0; i < 32768; i++) print "# thirty-two bytes of a comment" }' >>"$TREE/etc/default/grub"
}
grub_nul() { printf 'GRUB_CMDLINE_LINUX="a\000b"\n' >>"$TREE/etc/default/grub"; }
grub_folder() { rm "$TREE/etc/default/grub" && mkdir "$TREE/etc/default/grub"; }
grub_fifo() { rm "$TREE/etc/default/grub" && mkfifo "$TREE/etc/default/grub"; }
cmdline_nul() { printf 'root=UUID=1\000 ro\n' >"$TREE/etc/kernel/cmdline"; }
cmdline_two_names() { ln "$TREE/etc/kernel/cmdline" "$TREE/etc/kernel/cmdline.hard"; }
no_machine_id() { rm "$TREE/etc/machine-id"; }
bad_machine_id() { chmod u+w "$TREE/etc/machine-id" && echo 'not an id' >"$TREE/etc/machine-id"; }

fails 'boot entry: a folder in its place' entry_is_folder 1,6 "$MID" apply --yes
fails 'boot entry: garbage' entry_garbage 1,6 "$MID" apply --yes
fails 'boot entry: a NUL byte' entry_nul 1,6 "$MID" apply --yes
fails 'boot entry: empty' entry_empty 1,6 "$MID" apply --yes
fails 'boot entry: the line would be too long' entry_too_long 1,2 "$MID|2048|long" apply --yes
fails 'boot entries: none' entries_empty 1,6 'entries|boot' apply --yes
fails 'boot entries: no folder' entries_gone 1,6 'entries|boot' apply --yes
fails 'grubenv: wrong size' grubenv_short 1,6 'grubenv' apply --yes
fails 'grubenv: garbage' grubenv_garbage 1,6 'grubenv' apply --yes
fails '/etc/default/grub: 1 MiB' grub_1_mib 1 'default/grub' apply --yes
fails '/etc/default/grub: a NUL byte' grub_nul 1 'default/grub' apply --yes
fails '/etc/default/grub: a folder' grub_folder 1 'default/grub' apply --yes
fails '/etc/default/grub: a FIFO' grub_fifo 1 'default/grub' apply --yes
fails '/etc/kernel/cmdline: a NUL byte' cmdline_nul 1 'kernel/cmdline' apply --yes
fails '/etc/kernel/cmdline: two hard links' cmdline_two_names 1 'kernel/cmdline' apply --yes
fails 'machine-id: none' no_machine_id 1,6 'machine-id' apply --yes
fails 'machine-id: garbage' bad_machine_id 1,6 'machine-id' apply --yes

# --- targets --------------------------------------------------------------------------------------------------------

# A link leads out of the root by its text; inside the root the same path means another file, which is not there.
outside() {
	mkdir -p "$SCRATCH/outside" && echo 'root=outside' >"$SCRATCH/outside/file" || return 1
	cp -p "$SCRATCH/outside/file" "$SCRATCH/outside.copy"
	AFTER=outside_is_untouched
}
outside_is_untouched() {
	check "$name: the file outside is untouched" cmp "$SCRATCH/outside.copy" "$SCRATCH/outside/file"
	check "$name: nothing new outside" test "$(ls "$SCRATCH/outside")" = file
}
link_cmdline() { outside && ln -sf "$SCRATCH/outside/file" "$TREE/etc/kernel/cmdline"; }
link_cmdline_up() { outside && ln -sf ../../../outside/file "$TREE/etc/kernel/cmdline"; }
link_sysctl_dir() { outside && rm -r "$TREE/etc/sysctl.d" && ln -s "$SCRATCH/outside" "$TREE/etc/sysctl.d"; }
link_state() { outside && ln -s "$SCRATCH/outside" "$TREE/var/lib/strix-provision"; }
own_is_folder() { mkdir "$TREE/etc/sysctl.d/99-zz-strix-provision.conf"; }
own_is_foreign() { echo 'vm.swappiness = 55' >"$TREE/etc/sysctl.d/99-zz-strix-provision.conf"; }
own_dir_is_file() { rmdir "$TREE/etc/modprobe.d" && echo x >"$TREE/etc/modprobe.d"; }
immutable() {
	chattr +i "$TREE/etc/kernel/cmdline" 2>/dev/null || return 1
	AFTER=mutable
}
mutable() { chattr -i "$TREE/etc/kernel/cmdline"; }
STATE=var/lib/strix-provision
state_garbage() { mkdir "$TREE/$STATE" && echo '{ "garbage' >"$TREE/$STATE/state.json"; }

fails 'a link to a file outside the root' link_cmdline 1,2,4,6 'kernel/cmdline' apply --yes
fails 'a link up and out of the root' link_cmdline_up 1,2,4,6 'kernel/cmdline' apply --yes
fails 'a linked folder outside the root' link_sysctl_dir 1,2,4,6 'sysctl\.d' apply --yes
fails 'the state directory is a link outside the root' link_state 1,2,4,5 'strix-provision' apply --yes
fails 'a target is a folder' own_is_folder 1 '99-zz-strix-provision\.conf' apply --yes
fails 'a file of our name that is not ours' own_is_foreign 4 '99-zz-strix-provision\.conf' apply --yes
fails 'a folder of ours is a file' own_dir_is_file 1 'modprobe\.d' apply --yes
fails 'a target is immutable' immutable 1 'kernel/cmdline' apply --yes
fails 'state.json is damaged' state_garbage 1,5 'state\.json' apply --yes

# --- disks ----------------------------------------------------------------------------------------------------------

can_trace() { strace -o /dev/null true 2>/dev/null; }
inject() { # WHAT: an error of the kernel, as strace(1) spells it
	can_trace || return 1
	SP_AS="strace -qq -o $SCRATCH/strace -e trace=${1%%:*} -e inject=$1"
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	export ASAN_OPTIONS
}
disk_full() { inject fallocate:error=ENOSPC:when=1; }
disk_full_late() { inject fallocate:error=ENOSPC:when=4; }
disk_broken() { inject fsync:error=EIO:when=3; }
rename_refused() { inject renameat2:error=EROFS:when=2; }
rename_io_error() { inject renameat2:error=EIO:when=5; }

fails 'a full disk' disk_full 1 'No space left' apply --yes
fails 'a full disk at the fourth file' disk_full_late 1 'No space left' apply --yes
fails 'a disk that breaks' disk_broken 1 'Input/output error' apply --yes
fails 'a file system that becomes read-only' rename_refused 1 'Read-only' apply --yes
fails 'a disk that breaks while files are published' rename_io_error 1 'Input/output error' apply --yes

read_only_boot() {
	cat >"$SCRATCH/read-only-boot" <<-END
		#!/bin/sh
		mount --bind "$TREE/boot" "$TREE/boot" && mount -o remount,bind,ro "$TREE/boot" || exit 99
		exec "\$@"
	END
	chmod +x "$SCRATCH/read-only-boot"
	for how in 'unshare -m' 'unshare -Urm'; do
		# shellcheck disable=SC2086
		if $how "$SCRATCH/read-only-boot" sh -c 'if touch "$1"; then exit 1; fi' x "$TREE/boot/probe" 2>/dev/null; then
			SP_AS="$how $SCRATCH/read-only-boot"
			return 0
		fi
	done
	return 1
}
fails '/boot is mounted read-only' read_only_boot 1 'Read-only' apply --yes

# --- two at once ----------------------------------------------------------------------------------------------------

locked() {
	mkdir "$TREE/var/lib/strix-provision" && SP_AS="$SP_TREE lock $TREE/var/lib/strix-provision/lock"
}
fails 'another one is at work' locked 1 'another|lock|busy|in use' apply --yes

new_machine zbook-64-fedora
list_root "$SCRATCH/before"
for i in 1 2; do
	STRIX_PROVISION_DATADIR=$SP_DATA "$SP_BIN" --root "$TREE" --machine "$TREE" apply --yes \
		</dev/null >"$SCRATCH/out.$i" 2>"$SCRATCH/err.$i" &
	eval "pid$i=$!"
done
# shellcheck disable=SC2154 # the eval above sets them
wait "$pid1"
first=$?
# shellcheck disable=SC2154
wait "$pid2"
second=$?
SP_LAST='two applies at once'
check "two applies at once: one of them did it ($first and $second)" test "$first" -eq 0 -o "$second" -eq 0
check "two applies at once: the other did nothing or was refused ($first and $second)" \
	sh -c 'for s; do [ "$s" -le 1 ] || [ "$s" -eq 4 ] || exit 1; done' x "$first" "$second"
sp verify
expect_status 'two applies at once: what they left is whole' 8
sp rollback --yes --all
expect_status 'two applies at once: rollback' 0
list_root "$SCRATCH/after"
expect_same 'two applies at once: rollback restores the tree' "$SCRATCH/before" "$SCRATCH/after"

done_testing
