# SPDX-License-Identifier: MIT
"""What is booted: one record and one folder below rows/ each. In the folder, tree/ is laid over the system, and the files
that begin with a digit are the jobs, one a start of the machine."""
import collections

import lengths
import loaders

# bios: an old one in the place of OVMF. mounts: {partition: mount point}. kernel, initrd: where they are in the tree.
# how: who runs it; None: job by job.
Row = collections.namedtuple("Row", "name title loader mounts kernel initrd folder bios seconds how",
                             defaults=("", False, 600, None))
ROWS = (
    Row("grub-bls", "GRUB 2.14 with BLS entries, UEFI", loaders.grub, {"boot": "boot", "esp": "efi"},
        "boot/vmlinuz-@KERNEL@", "boot/initramfs-@KERNEL@.img"),
    Row("grub-bls-bios", "GRUB 2.14 with BLS entries, an old BIOS", loaders.grub, {"boot": "boot", "esp": "efi"},
        "boot/vmlinuz-@KERNEL@", "boot/initramfs-@KERNEL@.img", folder="grub-bls", bios=True),
    Row("grub-bls-length", "the lengths that GRUB 2.14 cannot boot", loaders.grub, {"boot": "boot", "esp": "efi"},
        "boot/vmlinuz-@KERNEL@", "boot/initramfs-@KERNEL@.img", folder="grub-bls", how=lengths.run),
)
