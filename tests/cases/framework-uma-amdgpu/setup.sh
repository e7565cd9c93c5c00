# SPDX-License-Identifier: MIT
# shellcheck shell=sh
gpu=$TREE/sys/bus/pci/devices/0000:c5:00.0
mkdir "$gpu/uma"
printf '0:  (512 MB)\n1:  (1 GB)\n2: Medium (8 GB)\n3:  (64 GB)\n' >"$gpu/uma/carveout_options"
echo 3 >"$gpu/uma/carveout"
echo 68719476736 >"$gpu/mem_info_vram_total"
edit_file "$TREE/proc/meminfo" 's/^MemTotal:.*/MemTotal:       65443840 kB/' # 63.5 GiB less, and 1/64 of that more
: >"$TREE/sys/strix-provision-test-firmware"
