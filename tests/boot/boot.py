#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot.py [--cuts] [--only ROW,...] [--keep FOLDER] [--cache FOLDER]: boots of virtual machines, through real boot loaders.

For each row of rows.py: a disk is made, and the machine, which presents itself as an HP ZBook Ultra G1a, is started once for
each job of the row: detect and apply; verify and roll back after a restart; see that all is as before after another one.
--cuts: the rows with power cuts, and no other.
Needs root (debootstrap) and Debian's archive when the cache is empty.

Environment: SP_BIN, SP_TREE, SP_SRCDIR; SP_BOOT_CUTS, how many, and SP_BOOT_SEED, which moments. The output is TAP; the
last line is "check-boot: N boots, M violations". Exit status 77: something is missing here."""
import argparse
import os
import re
import shutil
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../vm")]
# pylint: disable=wrong-import-position
import base
import image
import machine
import small
from initramfs import Failed
from rows import ROWS

TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "debootstrap": "debootstrap", "busybox": "busybox-static",
         "kmod": "kmod", "unshare": "util-linux", **image.TOOLS}
CONSOLE_LINES = 60  # of a failed boot


class Tap:
    def __init__(self):
        self.count = self.violations = self.boots = 0

    def result(self, good, text):
        self.count += 1
        self.violations += not good
        print(f"{'' if good else 'not '}ok {self.count} - {text}", flush=True)
        return good

    def note(self, text):
        for line in text.splitlines():
            print(f"# {line}", flush=True)

    def boot(self, row, boot, ended=True):
        """What the machine said is a result each; that it came to its end is one, too."""
        self.boots += 1
        for line in boot.lines:
            if line.startswith(("ok ", "not ok ")):
                self.result(line.startswith("ok "), f"{row} {boot.name}: {line.split('ok ', 1)[1]}")
            elif line.startswith("# "):
                self.note("  " + line[2:])
        if boot.late:
            self.result(False, f"{row} {boot.name}: it stood still")
        if boot.lost:
            self.result(False, f"{row} {boot.name}: {boot.lost} results are not on the console")
        if not self.result(boot.ended == ended, f"{row} {boot.name}: {'came' if boot.ended else 'did not come'} to its end"):
            self.note("console:")
            self.note("\n".join(boot.console.splitlines()[-CONSOLE_LINES:]))
        self.note(f"{row} {boot.name}: {boot.seconds:.0f} s")


class Run:
    """One row, in a folder of its own."""

    def __init__(self, row, parts, ovmf, folder, tap):
        self.row, self.parts, self.ovmf, self.tap = row, parts, None if row.bios else ovmf, tap
        self.folder = f"{folder}/{row.name}"
        self.disk = f"{self.folder}/disk"
        os.makedirs(self.folder)

    def place(self, tree, source, target):
        path = f"{tree}/{small.fill(target, self.parts.names())}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(source, path)

    def make_tree(self):
        tree = f"{self.folder}/tree"
        self.row.make(self.parts, f"{HERE}/rows/{self.row.tree}", tree)
        if self.row.kernel:
            self.place(tree, self.parts.kernel, self.row.kernel)
        if self.row.initrd:
            small.initramfs(self.parts, f"{self.folder}/initramfs")
            self.place(tree, f"{self.folder}/initramfs", self.row.initrd)
        self.row.loader(self, tree)
        return tree

    def make_disk(self, tree):
        image.make(self.disk, small.split(tree, self.row.mounts, self.folder), self.row.boot_on)
        if self.row.bios:
            image.put_bios_grub(self.disk, f"{self.parts.grub}/i386-pc/boot.img", f"{self.folder}/core.img")

    def read_jobs(self, folder, first):
        with open(f"{HERE}/guest-lib.sh", encoding="utf-8") as f:
            head = f.read()
        for name in sorted(os.listdir(f"{HERE}/rows/{folder}")):
            if re.match(first, name):
                with open(f"{HERE}/rows/{folder}/{name}", encoding="utf-8") as f:
                    yield name, small.fill(head + f.read(), self.parts.names()) + '\nsay "end $RESULTS"\n'

    def preparations(self):
        """What a system has to do for itself before anything else."""
        return self.read_jobs(self.row.tree, "0")

    def jobs(self):
        yield from self.preparations()
        yield from self.read_jobs(self.row.jobs or self.row.tree, "[1-9]")

    def all(self):
        self.make_disk(self.make_tree())
        self.start_all(self.jobs())

    def start_all(self, jobs):
        virtual = machine.Machine(self.folder, self.disk, self.ovmf)
        for name, job in jobs:
            boot, ended = virtual.boot(name, job, self.row.seconds), not name.endswith("panics")
            self.tap.boot(self.row.name, boot, ended)
            if boot.ended != ended or boot.late:
                break


def missing():
    packages = sorted({package for tool, package in TOOLS.items() if not image.find(tool)})
    if packages:
        return "Debian packages: " + " ".join(packages)
    return "" if os.geteuid() == 0 else "root rights"


def run_all(options, folder, tap):
    source = os.path.abspath(os.environ.get("SP_SRCDIR") or f"{HERE}/../..")
    program = os.path.abspath(os.environ.get("SP_BIN") or f"{source}/strix-provision")
    sp_tree = os.environ.get("SP_TREE") or f"{os.path.dirname(program)}/tests/tools/sp-tree"
    os.makedirs(options.cache, exist_ok=True)
    ovmf = base.firmware(options.cache)
    for row in ROWS:
        if row.name in options.only.split(",") if options.only else options.cuts == row.name.endswith("-cuts"):
            tap.note(f"{row.name}: {row.title}")
            try:
                parts = small.Parts(base.tree(options.cache, row.base), program, sp_tree, source)
                (row.how or Run.all)(Run(row, parts, ovmf, folder, tap))
            except (Failed, OSError) as e:
                tap.result(False, f"{row.name}: {e}")
                tap.note(traceback.format_exc())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--cuts", action="store_true")
    parser.add_argument("--keep")
    parser.add_argument("--cache", default=os.environ.get("SP_BOOT_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "strix-provision-boot"))
    options = parser.parse_args()
    if missing():
        print(f"check-boot: not run: missing are {missing()}")
        return 77
    folder, tap = options.keep or tempfile.mkdtemp(prefix="strix-boot."), Tap()
    os.makedirs(folder, exist_ok=True)
    try:
        run_all(options, folder, tap)
    except Failed as e:
        tap.result(False, str(e))
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    print(f"1..{tap.count}")
    print(f"check-boot: {tap.boots} boots, {tap.violations} violations")
    return 1 if tap.violations or not tap.boots else 0


if __name__ == "__main__":
    sys.exit(main())
