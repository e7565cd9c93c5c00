# SPDX-License-Identifier: MIT
"""What is booted: one record and one folder below rows/ each. In the folder, tree/ is laid over the system, and the files
that begin with a digit are the jobs, one a start of the machine; one whose name ends with "panics" has no end."""
import collections

import cuts
import lengths
import loaders

# folder: of the tree, where it is not that of the name. jobs: the folder of the jobs, the same way.
# boot_on: the file system of /boot. bios: an old one in the place of OVMF. mounts: {partition: mount point}. kernel, initrd: where they are in the tree.
# how: who runs it; None: job by job.
Row = collections.namedtuple("Row", "name title loader mounts kernel initrd folder jobs boot_on bios seconds how",
                             defaults=("", "", "ext4", False, 600, None))
BLS = ({"boot": "boot", "esp": "efi"}, "boot/vmlinuz-@KERNEL@", "boot/initramfs-@KERNEL@.img", "grub-bls")
ESP = ({"boot": "", "esp": "efi"}, "efi/@ID@/@KERNEL@/linux", "efi/@ID@/@KERNEL@/initrd", "systemd-boot")
ROWS = (
    Row("grub-bls", "GRUB 2.14 with BLS entries, UEFI", loaders.grub, *BLS),
    Row("grub-bls-bios", "GRUB 2.14 with BLS entries, an old BIOS", loaders.grub, *BLS, bios=True),
    Row("grub-bls-length", "the lengths that GRUB 2.14 cannot boot", loaders.grub, *BLS, how=lengths.run),
    Row("grub-bls-trial", "a trial with GRUB 2.14 and BLS entries", loaders.grub, *BLS, jobs="trial"),
    Row("grub-bls-btrfs", "no trial where GRUB cannot write, but the old line in the menu", loaders.grub, *BLS, jobs="btrfs",
        boot_on="btrfs"),
    Row("systemd-boot", "systemd-boot with type 1 entries", loaders.systemd_boot, *ESP),
    Row("systemd-boot-trial", "a trial with systemd-boot", loaders.systemd_boot, *ESP, jobs="trial"),
    Row("grub-bls-cuts", "a trial with GRUB 2.14 and BLS entries, and power cuts", loaders.grub, *BLS, how=cuts.run),
    Row("systemd-boot-cuts", "a trial with systemd-boot, and power cuts", loaders.systemd_boot, *ESP, how=cuts.run),
)
