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
# A folder of devices of its own, where the disk has a name that grub-mkconfig does not take for a loop device's, and is found
# by its UUID, as on every installed system.
DEVICES = "null zero full random urandom tty"
IN_TARGET = f"""mount --make-rprivate /
mount -t tmpfs devices "$1"
for name in {DEVICES}; do cp -a "/dev/$name" "$1/"; done
cp -a "$2" "$1/disk0"
mkdir -p "$1/disk/by-uuid"
ln -s ../../disk0 "$1/disk/by-uuid/$3"
mount --rbind "$1" /dev
mount /dev/disk0 "$0"
mount --rbind /dev "$0/dev"
mount -t proc proc "$0/proc"
mount -t sysfs sys "$0/sys"
chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin LC_ALL=C.UTF-8 sh -ec "$4"
umount -R "$0"
"""


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
        with tempfile.TemporaryDirectory(dir=run.folder) as target, tempfile.TemporaryDirectory(dir=run.folder) as devices:
            return run_command("unshare", "-m", "sh", "-ec", IN_TARGET, target, devices, device, image.PARTS["root"][3],
                               f"update-grub >&2; {command(run.parts.source)}")
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
