# SPDX-License-Identifier: MIT
"""Putting a boot loader into a tree, as its own installation program would."""
import os
import shutil

import image
import small

LOAD = "search --no-floppy --fs-uuid --set=root {uuid}\nset prefix=($root){folder}\n"


def environment(saved):
    head = f"# GRUB Environment Block\nsaved_entry={saved}\n"
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


def grub(run, tree, efi="efi"):
    """Both kinds, so that the same disk starts from UEFI and from a BIOS; in the way of Fedora."""
    parts, folder = run.parts, f"{tree}/boot/grub2"
    config = grub_config(run, "/grub2", image.PARTS["boot"][3])
    for kind in ("x86_64-efi", "i386-pc"):
        put_modules(parts, folder, kind)
    with open(f"{folder}/grubenv", "w", encoding="ascii") as f:
        f.write(environment(f"{small.ID}-{parts.version}"))
    os.makedirs(f"{tree}/{efi}/EFI/BOOT")
    parts.grub_image(f"{tree}/{efi}/EFI/BOOT/BOOTX64.EFI", "x86_64-efi", small.GRUB_EFI, config, "/grub2")
    parts.grub_image(f"{run.folder}/core.img", "i386-pc", small.GRUB_BIOS, config, "/grub2")


def systemd_boot(run, tree):
    for path in ("EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi"):
        os.makedirs(os.path.dirname(f"{tree}/efi/{path}"), exist_ok=True)
        shutil.copy(f"{run.parts.systemd_boot}/systemd-bootx64.efi", f"{tree}/efi/{path}")
