# SPDX-License-Identifier: MIT
"""An installed Debian, with everything that its packages have: its kernel, its boot loader, its update-grub."""
import os
import shutil

import small
from image import find
from initramfs import DATA, Folder, libraries, run

WASTE = "usr/share/doc usr/share/man usr/share/locale usr/share/info var/cache/apt var/lib/apt/lists".split()
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def add_programs(parts, tree):
    folder = Folder(tree)
    for name, program in {"strix-provision": parts.program, "sp-tree": parts.sp_tree, "busybox": find("busybox")}.items():
        folder.add(f"usr/bin/{name}", program)
        for library in libraries(program):
            if not os.path.exists(f"{tree}/{LIBRARIES}/{os.path.basename(library)}") and "ld-linux" not in library:
                folder.add(f"{LIBRARIES}/{os.path.basename(library)}", library)
    for name in DATA:
        folder.tree(f"usr/share/strix-provision/{name}", f"{parts.source}/{name}")


SERVICE = """[Unit]
After=multi-user.target dbus.service systemd-logind.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sh /dev/vdb
ExecStopPost=/usr/bin/systemctl --no-block poweroff
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
"""


def lay(parts, row_folder, target):
    run("cp", "-a", parts.system, target)
    for name in WASTE:
        shutil.rmtree(f"{target}/{name}", ignore_errors=True)
    add_programs(parts, target)
    os.makedirs(f"{target}/boot/efi", exist_ok=True)
    small.copy_row(f"{row_folder}/tree", target, parts.names())


def make(parts, row_folder, target):
    """With systemd, which starts the job."""
    lay(parts, row_folder, target)
    units = f"{target}/etc/systemd/system"
    with open(f"{units}/check-boot.service", "w", encoding="ascii") as f:
        f.write(SERVICE)
    os.makedirs(f"{units}/graphical.target.wants", exist_ok=True)
    os.symlink("../check-boot.service", f"{units}/graphical.target.wants/check-boot.service")
    os.symlink("/dev/null", f"{units}/serial-getty@ttyS0.service")


def make_small(parts, row_folder, target):
    """With a first process that takes seconds."""
    lay(parts, row_folder, target)
    shutil.rmtree(f"{target}/debs", ignore_errors=True)
    if os.path.lexists(f"{target}/usr/sbin/init"):
        os.unlink(f"{target}/usr/sbin/init")
    folder = Folder(target)
    folder.add("usr/sbin/init", f"{small.HERE}/guest-init")
    for name in ("modprobe", "sysctl"):
        if not os.path.lexists(f"{target}/usr/bin/{name}"):
            folder.link(f"usr/bin/{name}", f"../sbin/{name}")
    if not os.path.lexists(f"{target}/usr/sbin/poweroff"):
        folder.link("usr/sbin/poweroff", "../bin/busybox")
