#!/bin/sh
# SPDX-License-Identifier: MIT
# Advisories: for each a machine that has it and one that narrowly has not. They are in detect, plan and verify, and
# change no exit status. The plain ZBook has none, so that every test sees exactly what its own change brought.
. "${SP_SRCDIR:-.}/tests/lib.sh"
. "$TESTS/lib-firmware.sh"

[ -n "$JSON" ] || skip_all "advisories are read from JSON: needs jq or python3"
TESTED=

ids() { # of the last --json output, in one line
	n=0
	list=
	while id=$(json_get "$OUT" ".advisories[$n].id" 2>/dev/null); do
		list="$list $id"
		n=$((n + 1))
	done
	echo "${list# }"
}

name() { # WORDS: for TAP, in one line and without its own signs
	NAME=$(printf '%s' "$*" | tr '\\#' '/ ')
}

text_of_first() {
	json_get "$OUT" '.advisories[0].text' >"$SCRATCH/text" 2>/dev/null || : >"$SCRATCH/text"
}

put() { # PATH TEXT: a file of the machine
	mkdir -p "$TREE/${1%/*}"
	printf '%b\n' "$2" >"$TREE/$1"
}

put_kernel() { # VERSION: boots by default
	entry=$TREE/boot/loader/entries/$(default_entry).conf
	edit_file "$entry" "s/^version .*/version $1/"
}

put_token() { # TOKEN: on the line of every entry
	for entry in "$TREE"/boot/loader/entries/*.conf; do
		edit_file "$entry" "s/^options .*/& $1/"
	done
}

shown() { # COMMAND IDS STATUS: exactly these, and the exit status that a machine without them has
	command=$1
	# shellcheck disable=SC2086 # $command has its options
	sp --json $command
	check "$NAME: $command shows '$2'" test "$(ids)" = "$2"
	expect_status "$NAME: $command" "$3"
}

everywhere() { # IDS
	shown plan "$1" 0
	shown verify "$1" 3 # nothing was applied
	shown detect "$1" 0
}

has() { # ID REGEX SETUP...: with the change there is this one, and its text says what was found
	id=$1
	regex=$2
	shift 2
	name "$id: $*"
	new_machine "${MACHINE:-zbook-64-fedora}"
	"$@"
	everywhere "$id"
	text_of_first
	expect_match "$NAME: the text" "$SCRATCH/text" "$regex"
	check "$NAME: it has evidence" json_get "$OUT" '.advisories[0].evidence'
	sp detect
	expect_match "$NAME: in the text of detect" "$OUT" "- $id:"
	TESTED="$TESTED $id"
}

has_not() { # ID SETUP...: a near miss, or what cannot be told
	name "not $*"
	shift
	new_machine "${MACHINE:-zbook-64-fedora}"
	"$@"
	everywhere ''
}

has_not anything true

# --- kernels --------------------------------------------------------------------------------------------------------

has kernel-before-6-18-4 'Kernel 6\.18\.3-200\.fc43' put_kernel 6.18.3-200.fc43.x86_64
has kernel-before-6-18-4 '6\.14\.0-1017-oem' put_kernel 6.14.0-1017-oem
has kernel-before-6-18-4 '6\.17\.0-1020-azure' put_kernel 6.17.0-1020-azure
has kernel-before-6-18-4 '6\.17\.0-18-generic' put_kernel 6.17.0-18-generic
has_not kernel-before-6-18-4 put_kernel 6.18.4-200.fc43.x86_64
has_not kernel-before-6-18-4 put_kernel 6.14.0-1018-oem
has_not kernel-before-6-18-4 put_kernel 6.17.0-19-generic

has cwsr-disabled 'cwsr_enable=0' put_token amdgpu.cwsr_enable=0
has_not cwsr-disabled put_token amdgpu.cwsr_enable=1
has_not cwsr-disabled put_token 'amdgpu.cwsr_enable=0 amdgpu.cwsr_enable=1'

has npu-without-iommu 'amd_iommu=off' put_token amd_iommu=off
has_not npu-without-iommu put_token amd_iommu=on
without_npu() { put_token amd_iommu=off && rm -r "$TREE/sys/bus/pci/devices/0000:c6:00.1"; }
has_not npu-without-iommu without_npu
new_machine zbook-64-fedora
put_token amd_iommu=off
NAME='npu-without-iommu, replaced'
shown 'plan --replace iommu' '' 0

# --- the GPU --------------------------------------------------------------------------------------------------------

put_mes() { put sys/kernel/debug/dri/0000:c5:00.0/amdgpu_firmware_info \
	"SMC feature version: 0, firmware version: 0x00000083\nMES_KIQ feature version: 6, firmware version: 0x00000083\nMES feature version: 1, firmware version: $1"; }
put_pacman() { mkdir -p "$TREE/var/lib/pacman/local/$1"; }
put_dpkg() { put var/lib/dpkg/status \
	"Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: $1\nStatus: $2\nVersion: $3\n"; }
has mes-firmware-0x83 '0x83' put_mes 0x00000083
has_not mes-firmware-0x83 put_mes 0x00000080
has_not mes-firmware-0x83 put_mes banana

has linux-firmware-20251125 '20251125-1' put_pacman linux-firmware-amdgpu-20251125-1
has linux-firmware-20251125 '20251125-2' put_dpkg firmware-amd-graphics 'install ok installed' 20251125-2
has linux-firmware-20251125 '20251125\.git' put_dpkg linux-firmware 'install ok installed' 20251125.git1-0ubuntu1
has_not linux-firmware-20251125 put_pacman linux-firmware-amdgpu-20260110-1
has_not linux-firmware-20251125 put_pacman linux-firmware-nvidia-20251125-1
has_not linux-firmware-20251125 put_dpkg firmware-amd-graphics 'deinstall ok config-files' 20251125-2
has_not linux-firmware-20251125 put_dpkg firmware-amd-graphics 'install ok installed' 20251111-1
told_better() { put_pacman linux-firmware-amdgpu-20251125-1 && put_mes 0x00000080; }
has_not linux-firmware-20251125 told_better
long_list() { # the package stands across the blocks in which the list is read
	mkdir -p "$TREE/var/lib/dpkg"
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
		printf "Package: filler-%06d\nStatus: install ok installed\nVersion: 1\n\n", i
		print "Package: linux-firmware\nStatus: install ok installed\nVersion: 20251125.git-1\n" }' \
		>"$TREE/var/lib/dpkg/status"
}
for n in 1000 2045 2046 2047 2048 3070 3071 3072 5000; do # a filler has 64 bytes, a block 65536
	new_machine zbook-64-fedora
	long_list $n
	sp --json detect
	text_of_first
	expect_match "linux-firmware-20251125: behind $n other packages" "$SCRATCH/text" 'is 20251125\.git-1\.'
done

NAME='gttsize-disagrees on the line'
new_machine zbook-64-fedora
put_token amdgpu.gttsize=131072
shown detect gttsize-disagrees 0
shown verify gttsize-disagrees 3
shown 'plan --profile headroom' gttsize-disagrees 0
shown plan '' 0 # gttsize of the default profile takes its place
sp_must apply --yes
shown verify '' 8
shown detect '' 0
NAME='gttsize-disagrees in modprobe.d'
new_machine zbook-64-fedora
put etc/modprobe.d/amdgpu.conf 'options amdgpu gttsize=65536'
shown detect 'gttsize-disagrees modprobe-sizes' 0
put etc/modprobe.d/amdgpu.conf 'options amdgpu gttsize=-1'
shown detect '' 0
TESTED="$TESTED gttsize-disagrees"

NAME='gtt-beyond-rocm'
new_machine zbook-64-fedora
shown 'plan --gtt 61G' gtt-beyond-rocm 0
shown 'plan --gtt 60G' '' 0
put sys/module/ttm/parameters/pages_limit 16000000
shown detect gtt-beyond-rocm 0
TESTED="$TESTED gtt-beyond-rocm"
NAME='gtt-beyond-rocm with a carve-out that waits for the next start'
new_machine zbook-64-uma32
own_firmware
sp_must apply --yes --uma 512M
shown verify '' 8
shown detect '' 0

has amd-ttm '/etc/modprobe\.d/ttm\.conf' put etc/modprobe.d/ttm.conf 'options ttm pages_limit=8134263'
has_not amd-ttm put etc/modprobe.d/ttm.conf 'options ttm page_pool_size=4'

LIMIT='options ttm pages_limit=15466496'
has modprobe-sizes '/etc/modprobe\.d/amdgpu\.conf:2' put etc/modprobe.d/amdgpu.conf "# GPU\n$LIMIT"
has modprobe-sizes '/usr/lib/modprobe\.d/gpu\.conf:1' put usr/lib/modprobe.d/gpu.conf 'options ttm page_pool_size=4 pages_limit=1'
has_not modprobe-sizes put etc/modprobe.d/amdgpu.conf "# $LIMIT\noptions amdgpu gttsize=-1 ppfeaturemask=0xffffffff"
has_not modprobe-sizes put etc/modprobe.d/amdgpu.conf.old "$LIMIT"
hidden() { put usr/lib/modprobe.d/gpu.conf "$LIMIT" && put etc/modprobe.d/gpu.conf '# nothing'; }
has_not modprobe-sizes hidden

# --- memory ---------------------------------------------------------------------------------------------------------

has crashkernel '4096 MiB' put sys/kernel/kexec_crash_size 4294967296
has_not crashkernel put sys/kernel/kexec_crash_size 268435456
has no-swap 'no swap' put proc/swaps 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority'
has_not no-swap put proc/swaps 'Filename Type Size Used Priority\n/dev/nvme0n1p3 partition 8388604 0 -2'
has_not no-swap rm "$SCRATCH/tree/proc/swaps"
has overcommit 'is 2' put proc/sys/vm/overcommit_memory 2
has_not overcommit put proc/sys/vm/overcommit_memory 1
has min-free '2097152 KiB' put proc/sys/vm/min_free_kbytes 2097152
has_not min-free put proc/sys/vm/min_free_kbytes 90112
has dirty-bytes '268435456' put proc/sys/vm/dirty_bytes 268435456
has_not dirty-bytes put proc/sys/vm/dirty_bytes 0
MACHINE=zbook-128-fedora
has dirty-ratio-128 'is 40' put proc/sys/vm/dirty_ratio 40
has_not dirty-ratio-128 put proc/sys/vm/dirty_ratio 20
MACHINE=zbook-64-fedora
has_not dirty-ratio-128 put proc/sys/vm/dirty_ratio 40

# --- drivers, variables, rights -------------------------------------------------------------------------------------

icd() { for name; do put "$name" '{}'; done; }
RADV=usr/share/vulkan/icd.d/radeon_icd.x86_64.json
has amdvlk '/etc/vulkan/icd\.d/amd_icd64\.json' icd $RADV etc/vulkan/icd.d/amd_icd64.json
has_not amdvlk icd $RADV
has_not amdvlk icd etc/vulkan/icd.d/amd_icd64.json

HSA=HSA_OVERRIDE_GFX_VERSION=11.0.0
has hsa-override '/etc/environment:2' put etc/environment "A=1\n$HSA"
has hsa-override '/etc/environment\.d/rocm\.conf:1' put etc/environment.d/rocm.conf "$HSA"
has hsa-override '/etc/profile\.d/rocm\.sh:1' put etc/profile.d/rocm.sh "export $HSA"
has hsa-override '/etc/systemd/system/ollama\.service\.d/override\.conf:2' \
	put etc/systemd/system/ollama.service.d/override.conf "[Service]\nEnvironment=\"$HSA\""
has_not hsa-override put etc/environment "# $HSA\nNOT_$HSA\nHSA_OVERRIDE_GFX_VERSION_X=1"
has_not hsa-override put etc/environment.d/rocm.conf.old "$HSA"
has radv-perfmode '/etc/environment:1' put etc/environment RADV_PERFMODE=nogttspill
has_not radv-perfmode put etc/environment RADV_PERFTEST=nogttspill

accounts() { # USERS GROUPS
	put etc/passwd "root:x:0:0:root:/root:/bin/bash\nollama:x:990:990::/:/usr/sbin/nologin\nnobody:x:65534:65534::/:/usr/sbin/nologin\n$1"
	put etc/group "root:x:0:\nwheel:x:10:ann,bob\n$2"
}
ANN='ann:x:1000:1000:Ann:/home/ann:/bin/bash'
BOB='bob:x:1001:1001:Bob:/home/bob:/bin/zsh'
has render-group 'video: bob\.' accounts "$ANN\n$BOB" 'render:x:105:ann\nvideo:x:39:'
has render-group 'video: ann, bob\.' accounts "$ANN\n$BOB" 'video:x:39:annabel,rebob'
has_not render-group accounts "$ANN\n$BOB" 'render:x:105:ann\nvideo:x:39:x,bob'
has_not render-group accounts 'ann:x:1000:105:Ann:/home/ann:/bin/bash' 'render:x:105:'
has_not render-group accounts 'ann:x:1000:1000:Ann:/home/ann:/usr/sbin/nologin' 'render:x:105:'
has_not render-group put etc/passwd "$ANN" # no list of groups: nothing can be told

# --- who else keeps kernel arguments --------------------------------------------------------------------------------

BOOTCMDLINE=etc/tuned/bootcmdline
has tuned-bootcmdline "'skew_tick=1 tsc=reliable' \(/etc/tuned/bootcmdline\)" \
	put $BOOTCMDLINE '# by TuneD\nTUNED_BOOT_CMDLINE="skew_tick=1 tsc=reliable"\nTUNED_BOOT_INITRD_ADD=""'
has_not tuned-bootcmdline put $BOOTCMDLINE 'TUNED_BOOT_CMDLINE=""\nTUNED_BOOT_INITRD_ADD=""'
put_grubenv() { # LINE
	{ printf '# GRUB Environment Block\n%s\n' "$1" && printf '%1024s' '' | tr ' ' '#'; } | head -c 1024 >"$TREE/boot/grub2/grubenv"
}
has tuned-bootcmdline "'skew_tick=1' \(/boot/grub2/grubenv\)" put_grubenv tuned_params=skew_tick=1
has_not tuned-bootcmdline put_grubenv 'tuned_params='

STUB=etc/kernelstub/configuration
has kernelstub "'quiet loglevel=0' \(/$STUB\)" \
	put $STUB '{"default": {"kernel_options": ["x"]}, "user": {"kernel_options": ["quiet", "loglevel=0"]}}'
has_not kernelstub put $STUB '{"default": {"kernel_options": ["quiet"]}, "user": {"kernel_options": []}}'
has_not kernelstub put $STUB '{"user": {"kernel_options": ["quiet"'

CLOUD=etc/default/grub.d/50-cloudimg-settings.cfg
MACHINE=z2mini-ubuntu-cloud
has grub-d-arguments "/$CLOUD:[0-9]" true
has_not grub-d-arguments put $CLOUD 'GRUB_TIMEOUT=0\n#GRUB_CMDLINE_LINUX_DEFAULT="x"'
MACHINE=zbook-64-fedora
has_not grub-d-arguments put $CLOUD 'GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0"' # nobody reads the folder there

# --- encrypted disks ------------------------------------------------------------------------------------------------

sealed_disk() { # JSON-OF-THE-TOKEN [UUID-BEGINS]: nvme0n1p3 is open as dm-0, and its header has that token
	put sys/class/block/dm-0/dm/uuid "${2:-CRYPT-LUKS2-}0123456789abcdef0123456789abcdef-luks"
	mkdir -p "$TREE/sys/class/block/dm-0/slaves/nvme0n1p3" "$TREE/dev"
	{
		printf 'LUKS\272\276\000\002\000\000\000\000\000\000\100\000\000\000\000\000\000\000\000\001'
		head -c 4072 /dev/zero
		printf '{"keyslots":{},"tokens":{"0":%s}}' "$1"
		head -c 12288 /dev/zero
	} | head -c 16384 >"$TREE/dev/nvme0n1p3"
}
SYSTEMD='{"type":"systemd-tpm2","keyslots":["1"],"tpm2-pcrs"'
has tpm-sealed-disk 'nvme0n1p3 \(systemd-tpm2, PCR 7\+8\)' sealed_disk "$SYSTEMD:[7,8]}"
has tpm-sealed-disk 'nvme0n1p3 \(systemd-tpm2, a policy\)' sealed_disk "$SYSTEMD:[],\"tpm2_pubkey\":\"x\"}"
has tpm-sealed-disk 'nvme0n1p3 \(clevis, PCR 8\+9\)' sealed_disk \
	'{"type":"clevis","keyslots":["2"],"jwe":{"protected":"eyJjbGV2aXMiOnsicGluIjoidHBtMiIsInRwbTIiOnsicGNyX2lkcyI6IjgsOSJ9fX0"}}'
has_not tpm-sealed-disk sealed_disk "$SYSTEMD:[7]}" # Secure Boot's keys: no line is measured there
has_not tpm-sealed-disk sealed_disk '{"type":"luks2-keyring","keyslots":["1"]}'
has_not tpm-sealed-disk sealed_disk "$SYSTEMD:[8]}" CRYPT-LUKS1-
no_header() { sealed_disk "$SYSTEMD:[8]}" && rm "$TREE/dev/nvme0n1p3"; }
has_not tpm-sealed-disk no_header

# --- together -------------------------------------------------------------------------------------------------------

NAME='several at once'
new_machine zbook-64-fedora
put etc/environment "$HSA"
put sys/kernel/kexec_crash_size 4294967296
put_token amdgpu.cwsr_enable=0
everywhere 'cwsr-disabled crashkernel hsa-override'
sp --json plan --check
expect_status 'they do not change plan --check' 3
sp --json apply --yes
expect_status 'they do not block apply' 0
check 'apply shows them' test "$(ids)" = 'cwsr-disabled crashkernel hsa-override'
reboot_machine
shown verify 'cwsr-disabled crashkernel hsa-override' 0
sp verify
expect_match 'verify shows them as text' "$OUT" '- crashkernel:'
sp --quiet verify
expect_no_match 'verify --quiet does not' "$OUT" crashkernel
sp plan
expect_match 'plan shows the evidence' "$OUT" 'evidence: halogen-flash-server #12'

NAME='verify without the data'
SP_DATA=$SCRATCH/nowhere
sp verify
expect_status "$NAME" 0
expect_match "$NAME: it says so" "$OUT" 'no advisories: '
SP_DATA=$SP_SRCDIR

NAME='another machine'
new_machine strix-point-fedora
put etc/environment "$HSA"
shown detect '' 0
shown plan '' 0

# --- none is forgotten ----------------------------------------------------------------------------------------------

sed -n 's/^\t\tid = "\(.*\)";$/\1/p' "$SP_SRCDIR"/advisories/*.cfg | sort >"$SCRATCH/all"
# shellcheck disable=SC2086 # a list of words
printf '%s\n' $TESTED | sort -u >"$SCRATCH/tested"
expect_same 'every advisory of the data has its test' "$SCRATCH/all" "$SCRATCH/tested"

done_testing
