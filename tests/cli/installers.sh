#!/bin/sh
# SPDX-License-Identifier: MIT
# Unattended: the command lines of packaging/{kickstart,debian-preseed,autoinstall,cloud-init} and of the recipes of images
# (packaging/{containerfile,mkosi}) on a tree, and the Ansible role run by
# ansible-core on two of them: --check writes nothing, the first run changes, the second does not.
. "${SP_SRCDIR:-.}/tests/lib.sh"
PACKAGING=$SP_SRCDIR/packaging

for file in kickstart/strix.ks debian-preseed/strix.cfg autoinstall/user-data; do
	new_machine zbook-64-fedora
	tail -n +2 "$PACKAGING/$file" | sed '/^#/d; s|/mnt/sysimage||g' | tr -d '\\\n\t' >"$SCRATCH/line"
	options=$(sed -n 's|.*\(--log \)[^ ]*\( apply --yes --uma [a-z]*\).*|\1'"$SCRATCH"'/log\2|p' "$SCRATCH/line")
	# shellcheck disable=SC2086 # a list of words
	sp --json $options
	expect_status "$file: its command" 0
	check "$file: it names an apply" test -n "$options"
	check "$file: a log is left" test -s "$SCRATCH/log"
	rm -f "$SCRATCH/log"
done
for file in containerfile/Containerfile mkosi/mkosi.postinst.chroot; do
	new_machine zbook-64-bazzite
	mkdir -p "$TREE/usr/lib/systemd/system"
	: >"$TREE/usr/lib/systemd/system/strix-provision-first-boot.service"
	options=$(sed -n 's/^\(RUN \)\{0,1\}strix-provision //p' "$PACKAGING/$file")
	# shellcheck disable=SC2086 # a list of words
	sp $options
	expect_status "$file: its command" 0
	check "$file: it is left to the first boot" test "$options" = 'apply --first-boot' -a -e "$TREE/var/lib/strix-provision/first-boot"
done
new_machine zbook-64-fedora
options=$(sed -n 's/^  - \[strix-provision, \(.*\)\]$/\1/p' "$PACKAGING/cloud-init/user-data" | sed "s|/var/log|$SCRATCH|; s/,//g")
# shellcheck disable=SC2086 # a list of words
sp $options
expect_status 'cloud-init: its command' 0
check 'cloud-init: it names an apply, and leaves a log' test -n "$options" -a -s "$SCRATCH/strix-provision.log"
sp --quiet status
expect_status 'cloud-init: then a restart is due' 8
if command -v cloud-init >/dev/null 2>&1; then
	check 'cloud-init: it takes it' cloud-init schema --config-file "$PACKAGING/cloud-init/user-data"
else
	skip 'cloud-init: its schema' 'no cloud-init'
fi
check 'mkosi: the script is one' sh -n "$PACKAGING/mkosi/mkosi.postinst.chroot"
if command -v debconf-set-selections >/dev/null 2>&1; then
	check 'preseed: debconf takes it' debconf-set-selections --checkonly "$PACKAGING/debian-preseed/strix.cfg"
else
	skip 'preseed' 'no debconf-set-selections'
fi
if command -v ksvalidator >/dev/null 2>&1; then
	check 'kickstart: ksvalidator takes it' ksvalidator -i "$PACKAGING/kickstart/strix.ks"
else
	skip 'kickstart' 'no ksvalidator'
fi
command -v ansible-playbook >/dev/null 2>&1 || {
	skip 'the Ansible role' 'no ansible-playbook'
	done_testing
	exit 0
}

host() { # NAME: a machine of its own, and its line of the inventory
	new_machine zbook-64-fedora "$1"
	printf '#!/bin/sh\nSTRIX_PROVISION_DATADIR="%s" exec "%s" --root "%s" --machine "%s" "$@"\n' "$SP_DATA" "$SP_BIN" \
		"$TREE" "$TREE" >"$SCRATCH/$1.sh"
	chmod 755 "$SCRATCH/$1.sh"
	printf "%s ansible_connection=local ansible_python_interpreter=%s strix_provision_command='[\"%s\"]'\n" "$1" \
		"$(command -v python3)" "$SCRATCH/$1.sh" >>"$SCRATCH/hosts"
}

play() { # ARGUMENTS...
	SP_LAST="ansible-playbook $*"
	LC_ALL=C.UTF-8 HOME=$SCRATCH ANSIBLE_HOME=$SCRATCH/ansible ANSIBLE_LOCAL_TEMP=$SCRATCH/ansible \
		ANSIBLE_ROLES_PATH=$PACKAGING/ansible/roles timeout 120 ansible-playbook -i "$SCRATCH/hosts" "$@" \
		"$PACKAGING/ansible/site.yml" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

host one
host two
list_all "$SCRATCH/before"
play --check
expect_status 'ansible --check' 0
expect_match 'ansible --check: something would change' "$OUT" '^two .*changed=1 '
list_all "$SCRATCH/after"
expect_same 'ansible --check writes nothing' "$SCRATCH/before" "$SCRATCH/after"
play
expect_status 'ansible' 0
expect_match 'ansible: the first host is changed' "$OUT" '^one .*changed=1 .*failed=0'
expect_match 'ansible: the second host is changed' "$OUT" '^two .*changed=1 .*failed=0'
list_all "$SCRATCH/before"
play
expect_match 'ansible again: nothing changes' "$OUT" '^two .*changed=0 .*failed=0'
list_all "$SCRATCH/after"
expect_same 'ansible again writes nothing' "$SCRATCH/before" "$SCRATCH/after"
done_testing
