# SPDX-License-Identifier: MIT
"""What is booted: one record each. A folder below rows/ has tree/, which is laid over the system, and files that begin with a
digit: the jobs, one a start of the machine; one whose name ends with "panics" has no end."""
import collections

import cuts
import debian
import lengths
import loaders
import small
import unattended

# tree, jobs: folders below rows/; jobs "": in the tree's. mounts: {partition: mount point}. kernel, initrd: where they are put
# in the tree; "": they are there. base, make: which system it is made of, and how. boot_on: the file system of /boot. bios:
# an old one in the place of OVMF. how: who runs it; None: job by job.
Row = collections.namedtuple("Row", "name title loader mounts kernel initrd tree base make jobs boot_on bios seconds how",
                             defaults=("", "ext4", False, 600, None))
BLS = (loaders.grub, {"boot": "boot", "esp": "efi"}, "boot/vmlinuz-@KERNEL@", "boot/initramfs-@KERNEL@.img", "grub-bls", "testing",
       small.make)
ESP = (loaders.systemd_boot, {"boot": "", "esp": "efi"}, "efi/@ID@/@KERNEL@/linux", "efi/@ID@/@KERNEL@/initrd", "systemd-boot",
       "testing", small.make)
UKI = (loaders.uki, {"boot": "", "esp": "efi"}, "", "", "uki", "testing", small.make)
GRUB_D = (loaders.debian_grub, {"esp": "boot/efi", "boot": ""}, "", "boot/initrd.img-@KERNEL@", "grub-d", "trixie",
          debian.make_small)
INSTALLED = ("testing-systemd", debian.make_installed)
UKIFY = (loaders.uki_by_ukify, {"boot": "", "esp": "efi"}, "", "initrd", "uki-ukify", *INSTALLED)
DEBIAN = (loaders.debian_grub, {"esp": "boot/efi", "boot": ""}, "", "", "debian", "trixie", debian.make)
UNITS = dict(jobs="units", seconds=1500)
ROWS = (
    Row("grub-bls", "GRUB 2.14 with BLS entries, UEFI", *BLS),
    Row("grub-bls-bios", "GRUB 2.14 with BLS entries, an old BIOS", *BLS[:-2], *INSTALLED, bios=True, seconds=1500),
    Row("grub-bls-length", "the lengths that GRUB 2.14 cannot boot", *BLS, how=lengths.run),
    Row("grub-bls-trial", "a trial with GRUB 2.14 and BLS entries", *BLS, jobs="trial"),
    Row("grub-bls-btrfs", "no trial where GRUB cannot write, but the old line in the menu", *BLS, jobs="btrfs", boot_on="btrfs"),
    Row("grub-bls-cuts", "a trial with GRUB 2.14 and BLS entries, and power cuts", *BLS, how=cuts.run),
    Row("systemd-boot", "systemd-boot with type 1 entries", *ESP),
    Row("systemd-boot-trial", "a trial with systemd-boot", *ESP, jobs="trial"),
    Row("systemd-boot-cuts", "a trial with systemd-boot, and power cuts", *ESP, how=cuts.run),
    Row("uki", "a unified kernel image with systemd-stub, and our addon", *UKI),
    Row("uki-ukify", "a unified kernel image named by kernel-install, and ukify in the machine", *UKIFY, seconds=1500),
    Row("grub-d-trial", "a trial with Debian 13's GRUB and update-grub", *GRUB_D, jobs="trial"),
    Row("grub-d-cuts", "a trial with Debian 13's GRUB and update-grub, and power cuts", *GRUB_D, how=cuts.run),
    Row("debian", "Debian 13 with systemd; kernels come and go", *DEBIAN, seconds=1500),
    Row("debian-unattended", "Debian 13, installed unattended with apply as the last step", *DEBIAN[:-1], debian.make_installed,
        jobs="unattended", seconds=1500, how=unattended.run),
    Row("grub-d-units", "Debian 13 with the product installed: what its units do", *DEBIAN[:-1], debian.make_installed, **UNITS),
    Row("grub-bls-units", "GRUB 2.14 with BLS entries, a whole systemd, and the units", *BLS[:-2], *INSTALLED, **UNITS),
    Row("systemd-boot-units", "systemd-boot, a whole systemd, and the units", *ESP[:-2], *INSTALLED, **UNITS),
)
