# SPDX-License-Identifier: MIT
"""An installed Debian, with everything that its packages have: its kernel, its boot loader, its update-grub."""
import os
import shutil

import base
import small
from image import find
from initramfs import DATA, Folder, libraries, run

WASTE = "usr/share/doc usr/share/man usr/share/locale usr/share/info var/cache/apt var/lib/apt/lists".split()
LIBRARIES = "usr/lib/x86_64-linux-gnu"
UNITS = ("recover", "first-boot", "confirm", "verify")


def add_programs(parts, tree):
    folder = Folder(tree)
    for name, program in {"strix-provision": parts.program, "sp-tree": parts.sp_tree, "busybox": find("busybox")}.items():
        folder.add(f"usr/bin/{name}", program)
        add_libraries(folder, tree, libraries(program))
    for name in DATA:
        folder.tree(f"usr/share/strix-provision/{name}", f"{parts.source}/{name}")


SERVICE = """[Unit]
After=multi-user.target dbus.service systemd-logind.service strix-provision-confirm.service strix-provision-verify.service strix-provision-first-boot.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sh /dev/vdb
ExecStopPost=/usr/bin/systemctl --no-block poweroff
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
"""


def add_installed(parts, tree):
    """The product as `make install` lays it down, its units switched on as their preset says."""
    run("make", "-s", "-C", os.path.dirname(parts.program), "install", f"DESTDIR={tree}")
    folder = Folder(tree)
    folder.add("usr/bin/sp-tree", parts.sp_tree)
    folder.add("usr/bin/busybox", find("busybox"))
    for name in small.LOADED:
        for path in small.find_libraries(name):
            add_libraries(folder, tree, [path, *libraries(path)])
    add_libraries(folder, tree, libraries(parts.program))
    with open(f"{tree}/etc/modules-load.d/ttm.conf", "w", encoding="ascii") as f:
        f.write("ttm\n")  # no device here asks for it
    base.Chroot(tree).run("systemctl", "preset", *(f"strix-provision-{name}.service" for name in UNITS))
    base.Chroot(tree).run("journalctl", "--update-catalog")


def add_libraries(folder, tree, paths):
    for path in paths:
        if not os.path.exists(f"{tree}/{LIBRARIES}/{os.path.basename(path)}") and "ld-linux" not in path:
            folder.add(f"{LIBRARIES}/{os.path.basename(path)}", path)


def lay(parts, row_folder, target, add=add_programs):
    run("cp", "-a", parts.system, target)
    for name in WASTE:
        shutil.rmtree(f"{target}/{name}", ignore_errors=True)
    add(parts, target)
    os.makedirs(f"{target}/boot/efi", exist_ok=True)
    small.copy_row(f"{row_folder}/tree", target, parts.names())


def make(parts, row_folder, target, add=add_programs):
    """With systemd, which starts the job."""
    lay(parts, row_folder, target, add)
    base.Chroot(target).run("useradd", "-m", "tester")
    os.makedirs(f"{target}/etc/systemd/system.conf.d", exist_ok=True)
    with open(f"{target}/etc/systemd/system.conf.d/quiet.conf", "w", encoding="ascii") as f:
        f.write("[Manager]\nShowStatus=no\n")  # the console is the job's
    units = f"{target}/etc/systemd/system"
    with open(f"{units}/check-boot.service", "w", encoding="ascii") as f:
        f.write(SERVICE)
    os.makedirs(f"{units}/graphical.target.wants", exist_ok=True)
    os.symlink("../check-boot.service", f"{units}/graphical.target.wants/check-boot.service")
    os.symlink("/dev/null", f"{units}/serial-getty@ttyS0.service")


def make_installed(parts, row_folder, target):
    """The same, with the product installed, and its units at work."""
    make(parts, row_folder, target, add_installed)


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
