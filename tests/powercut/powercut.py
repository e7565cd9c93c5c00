#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""powercut.py [--states N] [--jobs N] [--only NAME,...] [--keep FOLDER]: power cuts on real file systems.

For each variant (a file system for the root, one for /boot, a machine): a virtual machine applies and rolls back while
every write and flush of its disk is logged. Each flush point, and sets of the unflushed writes behind it, make a disk
that a power cut could have left. Each of them

  is read as a boot loader reads it: an entry is complete, and no file is neither old nor new
  is started: fsck on FAT (half of them: only if recover asks for it), mount, recover; the tree is the old or the new
  one to the byte; the new one from the moment on at which the program had said that it was done

N states for each file system of /boot. Environment: SP_BIN, SP_TREE, SP_REPLAY, SP_SRCDIR; SP_CACHE: where the kernel
stays. The last line is "powercut: N cases, M violations". Exit status 77: something is missing here."""
import argparse
import collections
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

import disk
import guest
from run import KINDS, Run

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86", "grub-fstest": "grub-common", "mtype": "mtools", "mkfs.vfat": "dosfstools",
    "mkfs.ext4": "e2fsprogs", "mkfs.xfs": "xfsprogs", "mkfs.btrfs": "btrfs-progs", "busybox": "busybox-static",
    "depmod": "kmod", "dpkg-deb": "dpkg", "apt-get": "apt",
}

# root and /boot: file systems. busy: others sync meanwhile, and nothing stays in memory for long. live: the program
# runs as on the running system, so that the menu is generated. exchange: False: without RENAME_EXCHANGE.
Variant = collections.namedtuple("Variant", "name root boot machine busy live exchange share",
                                 defaults=("zbook-64-fedora", False, False, True, 1))
VARIANTS = (
    Variant("ext4", "ext4", "ext4"),
    Variant("ext4-busy", "ext4", "ext4", busy=True),
    Variant("ext4-one", "ext4", None, busy=True),
    Variant("ext4-menu", "ext4", "ext4", "zbook-128-debian13", live=True),
    Variant("xfs", "ext4", "xfs"),
    Variant("xfs-busy", "ext4", "xfs", busy=True),
    Variant("xfs-one", "xfs", None, busy=True),
    Variant("btrfs", "ext4", "btrfs"),
    Variant("btrfs-busy", "ext4", "btrfs", busy=True),
    Variant("btrfs-one", "btrfs", None, busy=True),
    Variant("fat", "ext4", "vfat"),
    Variant("fat-busy", "ext4", "vfat", busy=True),
    Variant("fat-sdboot", "ext4", "vfat", "zbook-64-arch-sdboot"),
    Variant("fat-old", "ext4", "vfat", exchange=False, busy=True),
)


class Tools:
    def __init__(self, folder, keep):
        source = os.path.abspath(os.environ.get("SP_SRCDIR") or os.path.join(HERE, "../.."))
        program = os.path.abspath(os.environ.get("SP_BIN") or os.path.join(source, "strix-provision"))
        build = os.path.dirname(program)
        self.folder, self.keep = folder, keep
        self.kernel = guest.unpacked_kernel(os.environ.get("SP_CACHE") or "/var/tmp/strix-provision-cache")
        self.initramfs = os.path.join(folder, "initramfs")
        programs = {
            "strix-provision": program,
            "sp-tree": os.environ.get("SP_TREE") or f"{build}/tests/tools/sp-tree",
            "sp-replay": os.environ.get("SP_REPLAY") or f"{build}/tests/powercut/sp-replay",
            "sp-snapshot": os.environ.get("SP_SNAPSHOT") or f"{build}/tests/powercut/sp-snapshot",
            "busybox": shutil.which("busybox"), "fsck.vfat": disk.find("fsck.vfat"),
            "grub-mkconfig": f"{source}/tests/bin/grub-mkconfig",
        }
        machines = sorted({v.machine for v in VARIANTS})
        self.libraries = guest.build_initramfs(self.initramfs, self.kernel, programs, source, machines)


def missing():
    packages = [package for tool, package in TOOLS.items() if not disk.find(tool)]
    if packages:
        return "Debian packages: " + " ".join(packages)
    if "not a dynamic" not in subprocess.run(["ldd", shutil.which("busybox")], capture_output=True, text=True,
                                             check=False).stderr:
        return "Debian package: busybox-static"
    return ""


def report(result):
    print(f"{result.variant.name}: {result.cases} states ({result.flush_points} flush points, {result.torn} torn): "
          + ", ".join(f"{result.bad[kind]} {kind}" for kind in KINDS)
          + "".join(f"; {n} {note}" for note, n in sorted(result.notes.items())), flush=True)
    for line in result.lines[:40]:
        print(f"    {line[:400]}", flush=True)
    if len(result.lines) > 40:
        print(f"    and {len(result.lines) - 40} lines more", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep")
    options = parser.parse_args()
    if missing():
        print(f"powercut: not run: missing are {missing()}")
        return 77
    wanted = [v for v in VARIANTS if not options.only or v.name in options.only.split(",")]
    per_system = collections.Counter()
    for v in wanted:
        per_system[v.boot or v.root] += v.share
    folder = options.keep or tempfile.mkdtemp(prefix="strix-powercut.")
    os.makedirs(folder, exist_ok=True)
    cases = violations = 0
    totals = collections.Counter()
    try:
        tools = Tools(folder, options.keep)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            runs = [pool.submit(Run(v, -(-options.states * v.share // per_system[v.boot or v.root]), tools).all)
                    for v in wanted]
            for future in concurrent.futures.as_completed(runs):
                result = future.result()
                report(result)
                cases += result.cases
                violations += sum(result.bad.values())
                totals[result.variant.boot or result.variant.root] += result.cases
    except guest.Failed as e:
        print(f"powercut: {e}")
        violations += 1
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    print("states: " + ", ".join(f"{n} {system}" for system, n in sorted(totals.items())))
    print(f"powercut: {cases} cases, {violations} violations")
    return 1 if violations or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
