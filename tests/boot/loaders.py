# SPDX-License-Identifier: MIT
"""Putting a boot loader into a tree, as its own installation program would."""
import os
import shutil

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
