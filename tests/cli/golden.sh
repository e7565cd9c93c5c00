#!/bin/sh
# SPDX-License-Identifier: MIT
# Each case of tests/cases on its machine, from the untouched tree and back to it:
#
#   plan            right exit status, and nothing is written
#   apply --yes     exactly the files of expected/ changed, and they read as expected there
#   apply again     nothing is written: inode, ctime and mtime of everything stay
#   verify          waits for the reboot (8)
#   reboot, verify  all is in effect (0)
#   (a menu that is generated: apply leaves it to the first boot; then it is made, and another reboot takes it)
#   rollback --yes  the tree is what it was: bytes, modes, owners, attributes, times, links; no stray file
#   reboot, verify  none of our tokens is left
#
# A case is a folder: `case` (machine, args, exit statuses), setup.sh (optional: changes the tree first), expected/.
# Files that are wholly ours (*strix-provision.conf, .cfg) are compared without comments, blanks around '=' and order, so
# that their wording is free; but every line of theirs must be explained by a comment above it.
# SP_CASES="zbook-64 framework" runs some of them only.
. "${SP_SRCDIR:-.}/tests/lib.sh"

bare() { # FILE: what counts in a file of ours
	sed -e '/^[ \t]*[#;]/d' -e '/^[ \t]*$/d' -e 's/[ \t]*=[ \t]*/=/' "$1" | sort
}

same_content() { # CASE PATH
	want=$TESTS/cases/$1/expected/$2
	case $2 in
	*strix-provision.conf | *strix-provision.cfg)
		bare "$want" >"$SCRATCH/want"
		if [ -f "$TREE/$2" ]; then bare "$TREE/$2" >"$SCRATCH/got"; else : >"$SCRATCH/got"; fi
		expect_same "$1: apply: /$2 holds the expected settings" "$SCRATCH/want" "$SCRATCH/got"
		;;
	*) expect_same "$1: apply: /$2 is as expected" "$want" "$TREE/$2" ;;
	esac
}

every_line_is_explained() { # FILE
	awk '/^[ \t]*$/ { next }
	     /^#/ { comment = 1; next }
	     !comment { print "line " NR " has no comment above it: " $0; bad = 1 }
	     { comment = 0 }
	     END { exit bad }' "$1"
}

changed_files() { # BEFORE AFTER: paths of files that differ between two listings
	diff "$1" "$2" | sed -n 's/^[<>] //p' | awk -F '\t' '$2 != "d" { print $1 }' | sort -u
}

check_after_apply() { # CASE BEFORE
	list_root "$SCRATCH/after"
	changed_files "$2" "$SCRATCH/after" >"$SCRATCH/changed"
	(cd "$TESTS/cases/$1/expected" 2>/dev/null && find . -type f | sed 's,^\./,,' | sort) >"$SCRATCH/expected"
	expect_same "$1: apply: exactly the expected files changed" "$SCRATCH/expected" "$SCRATCH/changed"
	while read -r path; do
		same_content "$1" "$path"
	done <"$SCRATCH/expected"
	for file in "$TREE"/etc/*.d/*strix-provision.conf "$TREE"/etc/default/grub.d/*strix-provision.cfg; do
		[ ! -e "$file" ] || check "$1: apply: every line of /${file#"$TREE/"} is explained" every_line_is_explained "$file"
	done
	check "$1: apply: /etc/kernel/cmdline is not older than /etc/default/grub (grub2-mkconfig compares them)" \
		test ! -e "$TREE/etc/kernel/cmdline" -o ! "$TREE/etc/kernel/cmdline" -ot "$TREE/etc/default/grub"
	cut -f 1,3,4,9 "$2" | sort >"$SCRATCH/meta-before"
	cut -f 1,3,4,9 "$SCRATCH/after" | sort >"$SCRATCH/meta-now"
	cut -f 1 "$SCRATCH/meta-before" | sort >"$SCRATCH/paths-before" # what is new has folders that are new
	awk -F '\t' 'NR == FNR { old[$1] = 1; next } $1 in old' "$SCRATCH/paths-before" "$SCRATCH/meta-now" >"$SCRATCH/meta-after"
	expect_same "$1: apply: modes, owners and attributes stay" "$SCRATCH/meta-before" "$SCRATCH/meta-after"
}

refused() { # CASE BEFORE
	list_root "$SCRATCH/after"
	expect_same "$1: apply: refused, and nothing changed" "$2" "$SCRATCH/after"
	sp verify
	expect_status "$1: verify" "$verify"
	sp rollback --yes
	expect_status "$1: rollback without a transaction" "$rollback"
	list_root "$SCRATCH/after"
	expect_same "$1: nothing changed in the end" "$2" "$SCRATCH/after"
}

first_boot() { # CASE STATUS: the tree runs for the first time since apply, and makes its menu
	check "$1: apply leaves a menu alone whose generator belongs to another system" \
		cmp "$TREE$MENU" "$TESTS/machines/$machine$MENU"
	sp verify
	expect_status "$1: verify on the first boot" "$2"
	generate_menu
	sp verify
	expect_status "$1: verify with the new menu, before it is booted" "$2"
	reboot_machine
}

run_case() { # CASE
	# The defaults that a case may leave out.
	machine='' args='' plan=0 apply=0 again=0 verify=8 rebooted=0 rollback=0 gone=8
	# shellcheck source=/dev/null # a record of variables
	. "$TESTS/cases/$1/case"
	before=$SCRATCH/before
	new_machine "$machine"
	# shellcheck source=/dev/null # one of tests/cases
	[ ! -e "$TESTS/cases/$1/setup.sh" ] || . "$TESTS/cases/$1/setup.sh"
	list_root "$before"

	list_all "$SCRATCH/all-before"
	# shellcheck disable=SC2086 # args is a list of words
	sp plan $args
	expect_status "$1: plan" "$plan"
	list_all "$SCRATCH/all-after"
	expect_same "$1: plan writes nothing" "$SCRATCH/all-before" "$SCRATCH/all-after"

	# shellcheck disable=SC2086
	sp apply --yes $args
	expect_status "$1: apply" "$apply"
	[ -d "$TESTS/cases/$1/expected" ] || {
		refused "$1" "$before"
		return
	}
	check_after_apply "$1" "$before"

	list_all "$SCRATCH/all-before"
	sp apply --yes
	expect_status "$1: apply again, without options" "$again"
	list_all "$SCRATCH/all-after"
	expect_same "$1: apply again writes nothing" "$SCRATCH/all-before" "$SCRATCH/all-after"
	sp plan --check
	expect_status "$1: plan --check has nothing pending" "$plan"

	sp verify
	expect_status "$1: verify before the reboot" "$verify"
	list_all "$SCRATCH/all-after"
	expect_same "$1: verify writes nothing" "$SCRATCH/all-before" "$SCRATCH/all-after"
	reboot_machine
	! has_generated_menu || first_boot "$1" "$verify"
	sp verify
	expect_status "$1: verify after the reboot" "$rebooted"

	sp rollback --yes
	expect_status "$1: rollback" "$rollback"
	if rollback_leaves_menu; then
		reboot_machine
		sp verify
		expect_status "$1: verify after rollback and a reboot, before the menu is made" "$verify"
		generate_menu
	fi
	list_root "$SCRATCH/after"
	expect_same "$1: rollback restores every byte, mode, owner, attribute, time and link" "$before" "$SCRATCH/after"
	sp verify
	expect_status "$1: verify after rollback, before the reboot" "$gone"
	reboot_machine
	sp verify
	expect_status "$1: verify after rollback and reboot" 0
}

for case in ${SP_CASES:-$(ls "$TESTS/cases")}; do
	run_case "$case"
done
done_testing
