# SPDX-License-Identifier: MIT
"""Putting a boot loader into a tree, as its own installation program would."""
import os
import shutil

import base
import image
import small

LOAD = "search --no-floppy --fs-uuid --set=root {uuid}\nset prefix=($root){folder}\n"


def environment(*lines):
    head = "".join(f"{line}\n" for line in ("# GRUB Environment Block", *lines))
    return head + "#" * (1024 - len(head))


def put_modules(parts, folder, kind):
    os.makedirs(f"{folder}/{kind}")
    for name in os.listdir(f"{parts.grub}/{kind}"):
        if name.endswith((".mod", ".lst")):
            shutil.copy(f"{parts.grub}/{kind}/{name}", f"{folder}/{kind}/")


def grub_config(run, folder, uuid):
    path = f"{run.folder}/load.cfg"
    with open(path, "w", encoding="ascii") as f:
        f.write(LOAD.format(uuid=uuid, folder=folder))
    return path


def put_grub(run, tree, where, variables):
    """Both kinds, so that the same disk starts from UEFI and from a BIOS. where: the partition that GRUB's folder is on, the
    folder there, the folder in the tree, and that of the ESP."""
    part, inside, folder, esp = where
    config = grub_config(run, inside, image.PARTS[part][3])
    for kind in ("x86_64-efi", "i386-pc"):
        put_modules(run.parts, f"{tree}/{folder}", kind)
    with open(f"{tree}/{folder}/grubenv", "w", encoding="ascii") as f:
        f.write(environment(*variables))
    os.makedirs(f"{tree}/{esp}/EFI/BOOT")
    run.parts.grub_image(f"{tree}/{esp}/EFI/BOOT/BOOTX64.EFI", "x86_64-efi", small.GRUB_EFI, config, inside)
    run.parts.grub_image(f"{run.folder}/core.img", "i386-pc", small.GRUB_BIOS, config, inside)


def grub(run, tree):
    """In the way of Fedora."""
    put_grub(run, tree, ("boot", "/grub2", "boot/grub2", "efi"), [f"saved_entry={small.ID}-{run.parts.version}"])


def debian_grub(run, tree):
    put_grub(run, tree, ("root", "/boot/grub", "boot/grub", "boot/efi"), [])


def systemd_boot(run, tree):
    for path in ("EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi"):
        os.makedirs(os.path.dirname(f"{tree}/efi/{path}"), exist_ok=True)
        shutil.copy(f"{run.parts.systemd_boot}/systemd-bootx64.efi", f"{tree}/efi/{path}")


UKIFY = ('mount --make-rprivate / && mount --bind "$1" "$0/mnt" && mount -t proc proc "$0/proc" && cd / && shift && '
         'exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 ukify build --config=/dev/null "$@"')


def ukify(run, folder, *arguments):
    """The real one, in the system that it is of; what it reads and writes is in the folder, which is /mnt there."""
    small.run("unshare", "-m", "sh", "-c", UKIFY, run.parts.system, folder, *arguments)


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def uki(run, tree):
    """systemd-boot, an image with the real stub, and the addons that apply may ask for: there is no Python in the machine."""
    systemd_boot(run, tree)
    work = f"{run.folder}/uki"
    os.makedirs(work)
    shutil.copy(run.parts.kernel, f"{work}/linux")
    shutil.copy(f"{tree}/etc/kernel/cmdline", f"{work}/cmdline")
    shutil.copy(f"{tree}/usr/lib/os-release", f"{work}/os-release")
    small.initramfs(run.parts, f"{work}/initrd")
    ukify(run, work, "--linux=/mnt/linux", "--initrd=/mnt/initrd", "--cmdline=@/mnt/cmdline", "--os-release=@/mnt/os-release",
          f"--uname={run.parts.version}", "--output=/mnt/arch-linux.efi")
    os.makedirs(f"{tree}/efi/EFI/Linux")
    shutil.move(f"{work}/arch-linux.efi", f"{tree}/efi/EFI/Linux/")
    os.makedirs(f"{tree}/usr/lib/addons")
    for name, more in (("plain", ""), ("gttsize", "amdgpu.gttsize=1024 ")):
        write(f"{work}/{name}.line", f"iommu=pt {more}ttm.pages_limit=262144 transparent_hugepage=always\n")
        ukify(run, work, f"--cmdline=@/mnt/{name}.line", f"--output=/mnt/{name}.efi")
        for end in ("line", "efi"):
            shutil.move(f"{work}/{name}.{end}", f"{tree}/usr/lib/addons/")
    os.chmod(f"{tree}/usr/bin/ukify", 0o755)


def uki_by_ukify(run, tree):
    """One unified kernel image, by the ukify of that system, named as kernel-install does."""
    systemd_boot(run, tree)
    os.makedirs(f"{tree}/efi/EFI/Linux")
    version = run.parts.version
    base.Chroot(tree).run("ukify", "build", f"--linux=/usr/lib/modules/{version}/vmlinuz", "--initrd=/initrd",
                          "--cmdline=@/etc/kernel/cmdline", f"--uname={version}",
                          f"--output=/efi/EFI/Linux/{small.ID}-{version}.efi")
    os.unlink(f"{tree}/initrd")
