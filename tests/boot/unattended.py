# SPDX-License-Identifier: MIT
"""An unattended installation of Debian, to its end: the system that debootstrap made goes onto a disk, the disk is mounted as an
installer does it, and in the target the boot menu is made, and last the command of packaging/debian-preseed is run as it
stands there. Then the machine starts for the first time, and everything is in force."""
import os
import re
import tempfile

import image
from initramfs import Failed, run as run_command

CONFIGURATION = 'any_platform = true;\ngtt = "1G";\n'  # this machine has no such graphics
IN_TARGET = ('mount --make-rprivate / && mount "$1" "$0" && mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && '
             'mount -t sysfs sys "$0/sys" && shift && '
             'chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin LC_ALL=C.UTF-8 sh -ec "$1" && umount -R "$0"')


def command(source):
    """What the preseed file has the target run."""
    with open(f"{source}/packaging/debian-preseed/strix.cfg", encoding="utf-8") as f:
        found = re.findall(r"^d-i preseed/late_command string in-target (.*)$", f.read(), re.M)
    if len(found) != 1:
        raise Failed("the preseed file has no late_command that is run in the target")
    return found[0]


def install(run):
    """The disk's root is a loop device, so that grub-mkconfig finds what it would find on a real disk."""
    first, _ = image.starts()
    device = run_command("losetup", "-f", "--show", "-o", str(first["root"] * image.MIB), "--sizelimit",
                         str(image.PARTS["root"][1] * image.MIB), run.disk).strip()
    try:
        with tempfile.TemporaryDirectory(dir=run.folder) as target:
            return run_command("unshare", "-m", "sh", "-c", IN_TARGET, target, device,
                               f"update-grub; {command(run.parts.source)}")
    finally:
        run_command("losetup", "-d", device)


def run(row_run):
    tree = row_run.make_tree()
    with open(f"{tree}/etc/strix-provision.conf", "w", encoding="ascii") as f:
        f.write(CONFIGURATION)
    row_run.make_disk(tree)
    said = install(row_run)
    name = row_run.row.name
    row_run.tap.result('"exit_status": 0' in said and '"changed": true' in said, f"{name}: the last step of the installation is done")
    row_run.tap.result('"first_boot"' not in said and not os.path.exists(f"{tree}/var/lib/strix-provision"), f"{name}: on the disk alone")
    row_run.start_all(row_run.read_jobs(row_run.row.jobs, "[1-9]"))
