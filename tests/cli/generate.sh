#!/bin/sh
# SPDX-License-Identifier: MIT
# A menu that is generated, on the running system: root and machine are "/" of a mount namespace (as in live.sh), whose
# grub-mkconfig is the one of tests/bin. So the drop-in, the generator and the menu are one transaction here.
#
#   apply, again, rollback          the menu is made, checked and published; nothing twice; every byte back
#   a kernel that comes or goes     rollback makes the menu anew instead of putting back an old one
#   somebody else's edits           conflicts, files read after ours, values in front of ours, tokens to displace
#   generators that fail, hang, lie nothing is changed
#   killed while it generates       recover puts everything back
. "${SP_SRCDIR:-.}/tests/lib.sh"

. "$SP_SRCDIR/tests/lib-live.sh"

lines() { # normal|recovery: the linux lines of such entries
	awk -v want="$1" '/menuentry .*gnulinux-/ { kind = /-recovery-/ ? "recovery" : "normal" }
		/^[ \t]*linux[ \t]/ && kind == want' "$TREE/$CFG"
}

count_lines() { # normal|recovery WORD TIMES: every such line has the word so often
	lines "$1" | awk -v word="$2" -v times="$3" '{ n = 0; for (i = 1; i <= NF; i++) n += $i == word
		if (n != times) { print; bad = 1 } } END { exit bad || NR == 0 }'
}

has_ours() { # WHEN
	for argument in iommu=pt transparent_hugepage=always; do
		check "$1: every normal entry has $argument once" count_lines normal "$argument" 1
		check "$1: no recovery entry has $argument" count_lines recovery "$argument" 0
	done
}

unfolded() { # FILE: without the line ends that fit a terminal
	tr -s ' \n' ' ' <"$1" >"$SCRATCH/unfolded"
}

unchanged() { # WHEN
	list_root "$SCRATCH/after"
	expect_same "$1: nothing is changed" "$SCRATCH/before" "$SCRATCH/after"
}

# --- apply, again, rollback -----------------------------------------------------------------------------------------

new_system zbook-128-debian13
live detect --json
[ "$STATUS" = 0 ] || skip_all "the program does not start in a namespace: $(head -n 1 "$ERR")"
live plan
expect_status 'plan' 0
unfolded "$OUT"
expect_match 'plan says that the menu is made' "$SCRATCH/unfolded" 'make /boot/grub/grub.cfg anew .grub-mkconfig'
expect_no_match 'plan defers nothing' "$SCRATCH/unfolded" 'first boot'
unchanged 'plan'

live apply --yes
expect_status 'apply' 0
has_ours 'apply'
check 'apply keeps what stood there' count_lines normal transparent_hugepage=madvise 1
check 'apply keeps the mode of the menu' test "$(stat -c %a "$TREE/$CFG")" = 600
cp "$TREE/$CFG" "$SCRATCH/made"
generate_menu
expect_same 'the menu is what the generator writes by itself' "$SCRATCH/made" "$TREE/$CFG"
live plan --json
expect_no_match 'after apply every setting is in place' "$OUT" '"state": *"(change|shadowed)"'
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
live apply --yes --without swappiness
expect_status 'apply of something else' 0
check 'apply of something else does not make the menu' test "$(stat -c %Y "$TREE/$CFG")" = 1767225600
live apply --yes --without thp
expect_status 'apply with one setting less' 0
check 'its argument is gone' count_lines normal transparent_hugepage=always 0
check 'another one stays' count_lines normal iommu=pt 1

live rollback --yes --all
expect_status 'rollback of all' 0
check 'rollback of all: no argument of ours' count_lines normal iommu=pt 0
check 'rollback of all: the drop-in is gone' test ! -e "$TREE/$OWN"
reboot_machine
live verify
expect_status 'verify after rollback and reboot' 0

new_system zbook-128-debian13
live apply --yes
live apply --yes --without thp
live rollback --yes
expect_status 'rollback of the second apply' 0
has_ours 'rollback of the second apply'
live rollback --yes
expect_status 'rollback of the first' 0
unchanged 'rollback of both'

# --- kernels that come ----------------------------------------------------------------------------------------------

live apply --yes
: >"$TREE/boot/vmlinuz-6.19.1+deb13-amd64"
generate_menu
has_ours 'a kernel installed since'
live rollback --yes
expect_status 'rollback with a new kernel' 0
check 'rollback with a new kernel: it stays in the menu' grep -q 'linux.*vmlinuz-6.19.1' "$TREE/$CFG"
check 'rollback with a new kernel: no argument of ours' count_lines normal iommu=pt 0
cp "$TREE/$CFG" "$SCRATCH/made"
generate_menu
expect_same 'rollback with a new kernel: the menu is what the generator writes' "$SCRATCH/made" "$TREE/$CFG"

new_system zbook-128-debian13
live apply --yes
: >"$TREE/boot/vmlinuz-6.19.1+deb13-amd64"
generate_menu
live apply --yes --without thp
live rollback --yes --all
expect_status 'a kernel between two applies: rollback of both' 0
check 'a kernel between two applies: no argument of ours' count_lines normal iommu=pt 0
check 'a kernel between two applies: it stays in the menu' grep -q 'linux.*vmlinuz-6.19.1' "$TREE/$CFG"

# --- a menu that is damaged -----------------------------------------------------------------------------------------

new_system zbook-128-debian13
live apply --yes
cp "$TREE/$CFG" "$SCRATCH/made"
head -c 700 "$SCRATCH/made" >"$TREE/$CFG"
live verify
expect_status 'a menu that was cut off: verify' 3
expect_match 'a menu that was cut off: verify says so' "$OUT" 'grub.cfg: line 15: a'
live plan --check
expect_status 'a menu that was cut off: plan' 3
live apply --yes
expect_status 'a menu that was cut off: apply' 0
expect_same 'a menu that was cut off: it is made anew' "$SCRATCH/made" "$TREE/$CFG"
rm "$TREE/$CFG"
live --boot grub-d apply --yes
expect_status 'a menu that is gone: apply' 0
expect_same 'a menu that is gone: it is made anew' "$SCRATCH/made" "$TREE/$CFG"
check 'a menu that is gone: only root may read the new one' test "$(stat -c %a "$TREE/$CFG")" = 600

# --- what others do -------------------------------------------------------------------------------------------------

new_system zbook-128-debian13
live apply --yes
echo 'GRUB_TIMEOUT=1' >>"$TREE/$OWN"
live apply --yes --without thp
expect_status 'our drop-in edited by hand: apply' 4
expect_match 'our drop-in edited by hand: it is named' "$ERR" "zz-strix-provision.cfg' was edited by hand"
live rollback --yes
expect_status 'our drop-in edited by hand: rollback' 4
live rollback --yes --keep-conflicts
expect_status 'our drop-in edited by hand: rollback that keeps it' 0
check 'it is kept' grep -q GRUB_TIMEOUT=1 "$TREE/$OWN"

new_system zbook-128-debian13
live apply --yes
rm "$TREE/$OWN"
generate_menu
live verify
expect_status 'our drop-in removed: verify' 3
unfolded "$OUT"
expect_match 'our drop-in removed: verify names it' "$SCRATCH/unfolded" 'zz-strix-provision.cfg: it is not there'
live apply --yes
expect_status 'our drop-in removed: apply puts it back' 0
has_ours 'our drop-in removed'

new_system zbook-128-debian13
cp "$TREE/$CFG" "$SCRATCH/old-menu"
live apply --yes
cat "$SCRATCH/old-menu" >"$TREE/$CFG"
live plan --check
expect_status 'an old menu beside our drop-in is a pending change' 3
live apply --yes
expect_status 'an old menu beside our drop-in: apply' 0
has_ours 'an old menu beside our drop-in'
printf '%s\n' 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT iommu=pt"' >"$TREE/etc/default/grub.d/10-same.cfg"
generate_menu
list_root "$SCRATCH/applied"
live apply --yes
expect_status 'somebody says the same since: apply' 0
list_root "$SCRATCH/after"
expect_same 'somebody says the same since: ours stays, and nothing is written' "$SCRATCH/applied" "$SCRATCH/after"

new_system zbook-128-debian13
printf '%s\n' 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT transparent_hugepage=always x=1"' \
	>"$TREE/etc/default/grub.d/zzz-same.cfg"
generate_menu
live plan --json
expect_no_match 'a file read after ours that says the same shadows nothing' "$OUT" shadowed

new_system zbook-128-debian13
printf '# late\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n' >"$TREE/etc/default/grub.d/zzz-late.cfg"
list_root "$SCRATCH/before"
live plan --json
expect_status 'a file read after ours: plan' 0
expect_match 'a file read after ours: the settings are shadowed' "$OUT" 'zzz-late.cfg:2 assigns the whole variable anew'
check 'a file read after ours: state' test "$(json_get "$OUT" '.settings[0].state')" = shadowed
live apply --yes
expect_status 'a file read after ours: apply does the rest' 0
check 'a file read after ours: nothing of ours is claimed in the menu' count_lines normal iommu=pt 0
live verify
expect_status 'a file read after ours: verify finds it' 3
live rollback --yes
unchanged 'a file read after ours: rollback'

with_words() { # WORDS: more on the administrator's own line, and in the menu
	new_system zbook-128-debian13
	edit_file "$TREE/etc/default/grub" "s/quiet/quiet $1/"
	touch -d @1767225600 "$TREE/etc/default/grub"
	generate_menu
	list_root "$SCRATCH/before"
}

with_words 'iommu=pt'
live apply --yes --without thp
expect_status 'a token that is as ours: apply' 0
check 'a token that is as ours is left to its owner' sh -c "! grep -q iommu= '$TREE/$OWN'"
check 'a token that is as ours: it is there once' count_lines normal iommu=pt 1
live rollback --yes
unchanged 'a token that is as ours: rollback'
check 'a token that is as ours: it stays' count_lines normal iommu=pt 1
reboot_machine
live verify
expect_status 'a token that is as ours: verify after rollback' 0

with_words 'amd_iommu=off'
live apply --yes --without thp
expect_status 'a token against ours: apply' 0
check 'a token against ours: it stays' count_lines normal amd_iommu=off 1
check 'a token against ours: ours is blocked' sh -c "! grep -q iommu= '$TREE/$OWN'"
live apply --yes --without thp --replace iommu
expect_status 'a token against ours: apply --replace' 0
check 'a token against ours: it is displaced' count_lines normal amd_iommu=off 0
check 'a token against ours: ours is there' count_lines normal iommu=pt 1
list_root "$SCRATCH/applied"
live apply --yes
expect_status 'a token against ours: apply again' 0
list_root "$SCRATCH/after"
expect_same 'a token against ours: apply again writes nothing' "$SCRATCH/applied" "$SCRATCH/after"
live apply --yes --without swappiness --without thp --replace iommu
expect_status 'a token against ours: apply of something else' 0
live rollback --yes
expect_status 'a token against ours: rollback of something else' 0
check 'a token against ours: still displaced' count_lines normal amd_iommu=off 0
live rollback --yes
check 'a token against ours: rollback of --replace' count_lines normal amd_iommu=off 1
live rollback --yes
unchanged 'a token against ours: rollback of all three'

with_words 'amd_iommu=off iommu=pt'
live plan --replace iommu
unfolded "$OUT"
expect_no_match 'displaced, and said twice: plan can take it out' "$SCRATCH/unfolded" 'is not taken out'
live apply --yes --without thp --replace iommu
expect_status 'displaced, and said twice: apply' 0
check 'displaced, and said twice: it is displaced' count_lines normal amd_iommu=off 0
check 'displaced, and said twice: ours stands beside theirs' count_lines normal iommu=pt 2
live rollback --yes
unchanged 'displaced, and said twice: rollback'
reboot_machine
live verify
expect_status 'displaced, and said twice: what they say is no rest of ours' 0

long=$(awk 'BEGIN { for (i = 0; i < 90; i++) printf "x%d=12345678901234567 ", i }')
with_words "$long"
live plan
expect_status 'a line that would be too long: plan' 1
expect_match 'a line that would be too long: the message says so' "$ERR" 'bytes long, and a kernel reads 2047'
sp plan
expect_status 'a line that would be too long: plan for another tree' 1

new_system zbook-128-debian13
sp_must apply --yes
sp apply --yes --without swappiness
expect_status 'another tree, and something else since: apply' 0
reboot_machine
sp verify
expect_status 'another tree, and something else since: its menu is still due' 8
live apply --yes
expect_status 'then the tree itself runs: apply makes the menu' 0
reboot_machine
live verify
expect_status 'then the tree itself runs: verify' 0

new_system debian-shell-grub
echo 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX $(echo amd_iommu=off)"' >"$TREE/etc/default/grub.d/30_odd.cfg"
generate_menu
live plan --replace iommu
unfolded "$OUT"
expect_match 'what a shell computes cannot be displaced, and plan says so' "$SCRATCH/unfolded" \
	"'amd_iommu=off' stands against iommu and is not taken out"

new_system debian-shell-grub
live apply --yes
expect_status 'files that need a shell: apply' 0
has_ours 'files that need a shell'
check 'files that need a shell: their arguments are kept' count_lines normal panic=30 1
live rollback --yes
unchanged 'files that need a shell: rollback'

# --- generators that fail, hang, lie --------------------------------------------------------------------------------

fails_cleanly() { # WHAT MESSAGE; what is to be run stands in etc/grub.d/99_test
	list_root "$SCRATCH/before"
	live apply --yes
	expect_status "$1: apply" 1
	expect_match "$1: the message says so" "$ERR" "$2"
	unchanged "$1"
}

new_system zbook-128-debian13
mkdir -p "$TREE/etc/grub.d" "$TREE/usr/bin"
echo 'echo cannot go on >&2; exit 3' >"$TREE/etc/grub.d/99_test"
fails_cleanly 'it fails' "could not be made.*exit status 3.*cannot go on"
echo 'kill -TERM $$' >"$TREE/etc/grub.d/99_test"
fails_cleanly 'it is killed' 'killed by signal 15'
echo 'echo "menuentry x {"' >"$TREE/etc/grub.d/99_test"
fails_cleanly 'a menu that is cut off' 'a block is never closed'
echo 'while :; do echo "# much"; done' >"$TREE/etc/grub.d/99_test"
fails_cleanly 'it never ends' 'wrote more than'
sed -i 's/root=%s ro/ro/; s/"$root" "$5"/"$5"/' "$TREE/usr/sbin/grub-mkconfig"
: >"$TREE/etc/grub.d/99_test"
fails_cleanly 'entries without root=' 'has no root=, so it would not boot'
install_generator /usr/sbin/grub-mkconfig folder
echo 'if true; then GRUB_CMDLINE_LINUX_DEFAULT=quiet; fi' >"$TREE/etc/default/grub.d/zzz.cfg"
fails_cleanly 'ours gets lost where only a shell can tell' "does not have 'iommu=pt' once and in effect"
rm "$TREE/etc/default/grub.d/zzz.cfg"
printf '#!/bin/sh\necho syntax error in line 5 >&2\nexit 1\n' >"$TREE/usr/bin/grub-script-check"
chmod 755 "$TREE/usr/bin/grub-script-check"
fails_cleanly 'grub-script-check does not take it' 'grub-script-check.*syntax error in line 5'
rm "$TREE/usr/bin/grub-script-check"

# --- killed while it generates --------------------------------------------------------------------------------------

echo 'kill -KILL $PPID' >"$TREE/etc/grub.d/99_test"
list_root "$SCRATCH/before"
live apply --yes
check 'the program is killed while it generates' test "$STATUS" -gt 128
check 'the drop-in is published then' test -e "$TREE/$OWN"
rm "$TREE/etc/grub.d/99_test"
sed -i '/99_test/d' "$SCRATCH/before"
live recover
expect_status 'recover' 0
unchanged 'recover'
live apply --yes
expect_status 'apply after that' 0
: >"$TREE/boot/vmlinuz-6.19.1+deb13-amd64" # so that rollback has to generate
generate_menu
list_root "$SCRATCH/before"
echo 'kill -KILL $PPID' >"$TREE/etc/grub.d/99_test"
live rollback --yes
check 'rollback is killed while it generates' test "$STATUS" -gt 128
rm "$TREE/etc/grub.d/99_test"
live recover
expect_status 'recover of a rollback' 0
unchanged 'recover of a rollback'
has_ours 'recover of a rollback'

# --- without the right to read the menu -----------------------------------------------------------------------------

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1; then
	new_machine zbook-128-debian13
	chmod -R go+rX "$TREE/boot" "$TREE/etc"
	chmod 600 "$TREE/$CFG"
	SP_AS='setpriv --reuid 65534 --regid 65534 --clear-groups'
	sp plan
	expect_status 'plan without root' 0
	unfolded "$OUT"
	expect_match 'plan without root says what it could not read' "$SCRATCH/unfolded" 'needs root to be read'
	SP_AS=
	sp_must apply --yes
	SP_AS='setpriv --reuid 65534 --regid 65534 --clear-groups'
	sp verify --json
	expect_status 'verify without root' 8
	expect_match 'verify without root skips the entries' "$OUT" 'grub.cfg: needs root to be read'
	SP_AS=
else
	skip 'looking without root' 'needs root and setpriv to become somebody else'
fi
done_testing
