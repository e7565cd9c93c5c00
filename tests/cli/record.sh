#!/bin/sh
# SPDX-License-Identifier: MIT
# A record of a machine is that machine: every recorded machine of tests/machines is recorded again, and detect and plan
# say the same about the record. What names a machine or a person is not in it.
. "${SP_SRCDIR:-.}/tests/lib.sh"

RECORD=$SCRATCH/record

# Identifiers become ID1, ID2, ... in the order in which they are met, so that two texts are the same when one is the
# other with its identifiers renamed. -e: all of them become ID.
canonical() { # FILE [-e]
	# How a machine was started says nothing of another tree's boot setup.
	sed -e "s,$TREE,TREE,g" -e "s,$RECORD,TREE,g" ${2:+-e '/"seen": \[$/,/\]/d'} "$1" | awk -v erase="${2:-}" '
		BEGIN {
			h4 = "[0-9a-f][0-9a-f][0-9a-f][0-9a-f]"
			id = h4 h4 "-?" h4 "-?" h4 "-?" h4 "-?" h4 h4 h4
		}
		{
			line = ""
			while (match($0, id)) {
				word = substr($0, RSTART, RLENGTH); plain = word; gsub(/-/, "", plain)
				if (word ~ /^(8be4df61|4a67b082)/) name = word
				else if (erase != "") name = "ID"
				else { if (!(plain in names)) names[plain] = "ID" ++n; name = names[plain] }
				line = line substr($0, 1, RSTART - 1) name
				$0 = substr($0, RSTART + RLENGTH)
			}
			print line $0
		}'
}

record() { # OPTIONS...: into $RECORD
	[ ! -e "$RECORD" ] || { chmod -R u+rwX "$RECORD" && rm -rf "$RECORD"; }
	sp_must record --output "$RECORD" "$@"
}

same_answer() { # DESCRIPTION ROOT ERASE COMMAND...: of the tree, and of the record with this root
	desc=$1 root=$2 erase=$3
	shift 3
	run_sp --json --root "$TREE" --machine "$TREE" "$@"
	first=$STATUS
	# shellcheck disable=SC2086 # a list of words
	canonical "$OUT" $erase >"$SCRATCH/tree.json"
	run_sp --json --root "$root" --machine "$RECORD" "$@"
	# shellcheck disable=SC2086
	canonical "$OUT" $erase >"$SCRATCH/record.json"
	check "$desc: the same exit status" test "$first" = "$STATUS"
	expect_same "$desc: the same answer" "$SCRATCH/tree.json" "$SCRATCH/record.json"
}

# --- every machine --------------------------------------------------------------------------------------------------

for dir in "$TESTS"/machines/*/; do
	machine=$(basename "$dir")
	new_machine "$machine"
	list_all "$SCRATCH/before"
	record
	list_all "$SCRATCH/after"
	expect_same "$machine: recording writes nothing to the machine" "$SCRATCH/before" "$SCRATCH/after"
	check "$machine: without --boot only facts are recorded" test "$(ls "$RECORD" | tr '\n' ' ')" = 'proc sys '
	same_answer "$machine: detect with --machine" "$TREE" -e detect
	record --boot
	same_answer "$machine: detect of a record with boot" "$RECORD" '' detect
	same_answer "$machine: plan of a record with boot" "$RECORD" '' plan
done

# Modules are large: a stub with the same parameters stands for one. Only files can tell about a kernel that does not run.
STUB=$(dirname "$SP_TREE")/stub-module
new_machine zbook-64-fedora
echo 6.18.16-200.fc43.x86_64 >"$TREE/proc/sys/kernel/osrelease"
for module in amd/amdgpu/amdgpu ttm/ttm; do
	file=$TREE/usr/lib/modules/6.19.8-200.fc43.x86_64/kernel/drivers/gpu/drm/$module.ko.xz
	mkdir -p "${file%/*}"
	{ "$STUB" gttsize pages_limit && head -c 100000 /dev/zero; } >"$file"
done
record --boot
same_answer 'a kernel that does not run' "$RECORD" '' plan
expect_no_match 'its modules answer' "$OUT" 'cannot check'
check 'though they are small' test "$(find "$RECORD" -name '*.ko.xz' -size +9 | wc -l)" = 0

# --- a file to send ---------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
record --boot
# shellcheck disable=SC2030,SC2031 # for this command only; the path may be relative
(cd "$SCRATCH" && SP_BIN=$(cd "$(dirname "$SP_BIN")" && pwd)/$(basename "$SP_BIN") && sp record --boot && echo "$STATUS" >status)
STATUS=$(cat "$SCRATCH/status")
expect_status 'record without --output' 0
TAR=$SCRATCH/strix-record-hp-zbook-ultra-g1a.tar
check 'it is named after the platform' test -f "$TAR"
mkdir "$SCRATCH/unpacked"
check 'tar reads it' tar -x -f "$TAR" -C "$SCRATCH/unpacked"
check 'it holds the same as a folder' diff -r --no-dereference "$RECORD" "$SCRATCH/unpacked/strix-record-hp-zbook-ultra-g1a"
cp "$TAR" "$SCRATCH/copy"
sp record --output "$TAR"
expect_status 'a file that is there is not overwritten' 2
expect_match 'and the message says so' "$ERR" 'is there already'
check 'nor is it touched' cmp -s "$TAR" "$SCRATCH/copy"
sp record --output "$RECORD"
expect_status 'nor is a folder' 2
sp record --output "$SCRATCH/not/there.tar"
expect_status 'a folder that is not there' 1
expect_match 'and the message names it' "$ERR" "cannot make '.*not/there.tar': No such file"

# What was recorded once is recorded to the same.
OTHER=$SCRATCH/other
run_sp --root "$RECORD" --machine "$RECORD" record --boot --output "$OTHER"
check 'a record of a record is the same record' diff -r --no-dereference "$RECORD" "$OTHER"

# --- what must not be in it -------------------------------------------------------------------------------------------

SEEDS='5CG4321ABC PF9SERIAL77 thorsbox alice Liddell lewis 52:54:00:ab:cd:ef S64XNX0T998877 1A2B-3C4D hf_SeCrEt99
5a3b0c9d8e7f41628394a5b6c7d8e9f0 3f1c2b4a-6d5e-4f70-8192-a3b4c5d6e7f8 ab12cd34-5678-4abc-9def-0123456789ab
f0e1d2c3b4a5968778695a4b3c2d1e0f b0070000-1111-4222-8333-444455556666 DEADBEEFCAFE pbkdf2.sha512'

seed() { # put them everywhere that people and systems put them
	id=5a3b0c9d8e7f41628394a5b6c7d8e9f0
	args='systemd.hostname=thorsbox ifname=lan:52:54:00:ab:cd:ef resume=/dev/disk/by-id/nvme-Make_S64XNX0T998877-part3'
	args="$args rd.lvm.lv=vg_thorsbox/root systemd.machine_id=$id serial=5CG4321ABC"
	printf '5CG4321ABC\n' >"$TREE/sys/class/dmi/id/product_serial"
	printf 'PF9SERIAL77\n' >"$TREE/sys/class/dmi/id/board_serial"
	printf 'b0070000-1111-4222-8333-444455556666\n' >"$TREE/proc/sys/kernel/random/boot_id"
	printf 'thorsbox.example.net\n' >"$TREE/etc/hostname"
	printf 'root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000:Alice Liddell:/home/lewis:/bin/bash\n' >"$TREE/etc/passwd"
	printf 'render:x:105:alice\nlewis:x:1000:\n' >"$TREE/etc/group"
	edit_file "$TREE/proc/cmdline" "s|\$| $args|"
	for file in "$TREE"/boot/loader/entries/*.conf; do
		edit_file "$file" "/^options /s|\$| $args|"
	done
	printf '/home/alice/swapfile file 1024 0 -3\n' >>"$TREE/proc/swaps"
	printf '# thorsbox of Alice, alice@thorsbox.example.net\nvm.swappiness = 10\n' >"$TREE/etc/sysctl.d/50-alice.conf"
	printf '# for /home/lewis and lewis\noptions ttm page_pool_size=1 # 1A2B-3C4D PF9SERIAL77\n' >"$TREE/etc/modprobe.d/thorsbox.conf"
	mkdir -p "$TREE/etc/environment.d"
	printf 'HF_TOKEN=hf_SeCrEt99\nRADV_PERFTEST=gpl HF_TOKEN=hf_SeCrEt99\nX=hf_SeCrEt99\n' >"$TREE/etc/environment.d/50-hf.conf"
	{
		echo 'password_pbkdf2 root grub.pbkdf2.sha512.10000.DEADBEEFCAFE.0123'
		echo 'search --no-floppy --fs-uuid --set=root 1A2B-3C4D'
	} >>"$TREE/boot/grub2/grub.cfg"
	put_grubenv "$TREE/boot/grub2/grubenv" menu_owner alice
}

in_tree() { # WORD: in a file, or in the name of one
	grep -raqF "$1" "$TREE" || find "$TREE" | grep -qF "$1"
}

new_machine zbook-64-fedora
seed
for word in $SEEDS; do
	check "seeded: $word is in the machine" in_tree "$word"
done
record --boot
sp_must record --boot --output "$SCRATCH/seeded.tar"
for word in $SEEDS; do
	if tr -c '[:print:]' '\n' <"$SCRATCH/seeded.tar" | grep -iF -e "$word" >"$SCRATCH/found"; then
		fail "recorded: $word is gone"
		note_file 'found' "$SCRATCH/found"
	else
		pass "recorded: $word is gone"
	fi
	if find "$RECORD" | grep -iF "$word" >"$SCRATCH/found"; then
		fail "recorded: no name of a file has $word"
		note_file 'found' "$SCRATCH/found"
	else
		pass "recorded: no name of a file has $word"
	fi
done
for want in 'host1' 'user1' 'disk1' '02:00:00:00:00:01' '0000-0001'; do
	check "something stands for it: $want" grep -raqF "$want" "$RECORD"
done
check 'grubenv keeps its size' test "$(wc -c <"$RECORD/boot/grub2/grubenv")" = 1024
check 'the entries say what the running kernel was told' \
	grep -qF "$(sed 's/.*root=/root=/' "$RECORD/proc/cmdline")" "$RECORD"/boot/loader/entries/*6.19.8*.conf
run_sp --root "$RECORD" --machine "$RECORD" plan
expect_status 'the record can be planned for' 0

# --- after an apply ---------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
sp apply --yes
reboot_machine
record --boot
same_answer 'applied: verify' "$RECORD" '' verify
same_answer 'applied: plan' "$RECORD" '' plan --check
same_answer 'applied: status' "$RECORD" '' status
run_sp --json --root "$RECORD" --machine "$RECORD" verify
expect_status 'applied: the record verifies' 0

# --- without rights ---------------------------------------------------------------------------------------------------

new_machine zbook-64-fedora
chmod 000 "$TREE/sys/module/amdgpu/parameters/gttsize" "$TREE/boot/grub2/grub.cfg"
if [ "$(id -u)" = 0 ]; then # as somebody else, who may not be able to go where the build stands
	mkdir "$SCRATCH/bin" "$SCRATCH/data"
	mkdir -m 777 "$SCRATCH/open"
	# shellcheck disable=SC2031
	cp "$SP_BIN" "$SCRATCH/bin/strix-provision"
	for dir in grub sysctl.d modprobe.d environment.d profiles platforms advisories log; do
		[ ! -d "$SP_SRCDIR/$dir" ] || cp -R "$SP_SRCDIR/$dir" "$SCRATCH/data/"
	done
	chmod -R a+rX "$SCRATCH/bin" "$SCRATCH/data"
	SP_BIN=$SCRATCH/bin/strix-provision
	SP_DATA=$SCRATCH/data
	SP_AS='setpriv --reuid=65534 --regid=65534 --clear-groups --'
	RECORD=$SCRATCH/open/record
	$SP_AS "$SP_BIN" --version >/dev/null 2>&1 || {
		skip 'a record without rights' 'the program does not start as another user'
		done_testing
		exit 0
	}
fi
record --boot --json
expect_match 'what could not be read is named' "$OUT" '"/sys/module/amdgpu/parameters/gttsize: Permission denied"'
check 'it is there, without rights' test -e "$RECORD/sys/module/amdgpu/parameters/gttsize"
same_answer 'detect without rights' "$RECORD" '' detect
same_answer 'plan without rights' "$RECORD" '' plan

done_testing
