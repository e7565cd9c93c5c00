#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""powercut.py [--states N] [--jobs N] [--only NAME,...] [--keep FOLDER]: power cuts on real file systems.

For each variant (a file system for the root, one for /boot, a machine): a virtual machine applies and rolls back while
every write and flush of its disk is logged. Each flush point, and sets of the unflushed writes behind it, make a disk
that a power cut could have left. Each of them

  is read as a boot loader reads it: an entry is complete, and no file is neither old nor new
  is started: fsck on FAT (half of them: only if recover asks for it), mount, recover; the tree is the old or the new one
  to the byte; the new one from the moment on at which the program had said that it was done

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
import loader
import states
import writelog

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "grub-fstest": "grub-common", "mtype": "mtools", "mkfs.vfat": "dosfstools",
         "mkfs.ext4": "e2fsprogs", "mkfs.xfs": "xfsprogs", "mkfs.btrfs": "btrfs-progs", "busybox": "busybox-static",
         "depmod": "kmod", "dpkg-deb": "dpkg", "apt-get": "apt"}

# root and /boot: file systems. busy: others sync meanwhile, and nothing stays in memory for long. live: the program runs
# as on the running system, so that the menu is generated. exchange: False: without RENAME_EXCHANGE.
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
    Variant("fat-old", "ext4", "vfat", exchange=False, busy=True),
)


class Result:
    def __init__(self, variant):
        self.variant, self.cases, self.flush_points, self.torn = variant, 0, 0, 0
        self.bad = collections.Counter()
        self.notes = collections.Counter()
        self.lines = []

    def wrong(self, kind, text):
        self.bad[kind] += 1
        self.lines.append(f"{kind}: {text}")


class Run:
    """One variant, in a folder of its own."""

    def __init__(self, variant, wanted, tools):
        self.variant, self.wanted, self.tools = variant, wanted, tools
        self.folder = os.path.join(tools.folder, variant.name)
        os.makedirs(self.folder, exist_ok=True)
        self.result = Result(variant)
        self.names = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, job, drives, seconds, **variables):
        v = self.variant
        variables.update(job=job, on_root=v.root, on_boot=v.boot or "none", machine=v.machine, busy=int(v.busy),
                         live=int(v.live), exchange=int(v.exchange), libraries=self.tools.libraries)
        return guest.start(self.tools.kernel, self.tools.initramfs, variables, drives, self.path(job + ".console"), seconds)

    def record(self):
        """Make the disk, let the guest work on it, and read the log."""
        layout = disk.make(self.path("disk"), self.variant.root, self.variant.boot)
        disk.copy(self.path("disk"), self.path("origin"))
        open(self.path("log"), "wb").close()
        said = self.start("record", disk.logged(self.path("disk"), self.path("log")), guest.BOOT_SECONDS)
        if "recorded" not in said or "apply 0" not in said or "rollback 0" not in said:
            raise guest.Failed(f"{self.variant.name}: no recording: {'; '.join(said[-8:])}")
        os.unlink(self.path("disk"))
        return layout, writelog.read(self.path("log"))

    def readers(self, layout, image):
        if not self.variant.boot:
            return [loader.Grub(image, 1, "/boot")]
        grub = loader.Grub(image, 2, "")
        return [grub, loader.Mtools(image, layout.boot * writelog.SECTOR)] if self.variant.boot == "vfat" else [grub]

    def final_trees(self, windows):
        """{tree: {sector: data}}: what is written from the beginning of the first command to the end of each."""
        written, found = {}, {"0": {}}
        for window in windows:
            for cut, event in enumerate(window.events, 1):
                phase = window.phase_at(cut)
                if isinstance(event, writelog.Write) and phase != "setup":
                    written.update(event.pieces())
                elif phase.startswith("end "):
                    found[str(int(phase.split()[1]) + 1)] = dict(written)
        return found

    def judge_view(self, state, name, view, views):
        trees = state.trees()
        before, after = views[trees[0]], views[trees[-1]]
        if state.phase.startswith("after"):
            before = views[str(int(trees) - 1)]
        for seen, old, new in zip(view, before, after):
            unbootable, damaged, absent = loader.judge(seen, old, new)
            if unbootable:
                self.result.wrong("unbootable", f"{name}: no complete entry")
            for what in damaged:
                self.result.wrong("damaged", f"{name}: {what}")
            if absent:
                self.result.notes["absent"] += 1
            if state.phase.startswith("after") and seen != new:
                self.result.notes["stale"] += 1

    def judge_as_loader(self, layout, windows, chosen):
        """Each state on the host's copy of the disk; and write the guest's script on the way."""
        image = disk.Image(self.path("origin"))
        for window in windows:
            if window.phase == "setup":
                image.write_window(window)
        os.sync()
        disk.copy(self.path("origin"), self.path("check"))
        readers, cache, views = self.readers(layout, image.path), {}, {}
        region = range(layout.boot, image.size // writelog.SECTOR) if self.variant.boot else range(image.size)

        def view():
            key = image.digest(region)
            if key not in cache:
                cache[key] = [loader.look(reader) for reader in readers]
            return cache[key]

        script = states.Script(self.path("script"))
        for tree, sectors in self.final_trees(windows).items():
            with image.overlay(sectors):
                views[tree] = view()
            if any(loader.judge(seen, seen, seen) != (False, [], []) for seen in views[tree]):
                raise guest.Failed(f"{self.variant.name}: tree {tree} is not bootable to begin with")
            script.step(b"s", f"tree-{tree} {tree} -", sectors)
        for number, (window, some) in enumerate(zip(windows, chosen)):
            for i, state in enumerate(some):
                name = f"{number}.{i}"
                self.names[name] = f"{name} ({state.phase}, window {number}, {state.what})"
                with image.overlay(state.sectors):
                    self.judge_view(state, self.names[name], view(), views)
                if state.read_only:
                    self.result.notes["read only"] += 1
                    del self.names[name]
                    continue
                fsck = "-" if self.variant.boot != "vfat" else "fsck" if (number + i) % 2 else "no-fsck"
                script.step(b"s", f"{name} {state.trees()} {fsck}", state.sectors)
            if window.phase != "setup":
                script.step(b"o", "", image.write_window(window))
        script.close()
        image.close()
        os.unlink(self.path("origin"))

    def judge_in_guest(self, layout, count):
        said = self.start("check", disk.replayed(self.path("check"), self.path("script")), guest.BOOT_SECONDS + 8 * count,
                          starts=f"{layout.root},{layout.boot}")
        told = {}
        for line in said:
            words = line.split()
            if words[0] == "state" and not words[1].startswith("tree-"):
                name = words[1]
                told[name] = words[2]
                if not words[2].startswith("tree-"):
                    self.result.wrong("not recovered", f"{self.names[name]}: {words[2]}")
            elif words[0] == "later":
                self.result.notes["only after fsck"] += 1
            elif words[0] in ("said", "kernel") and self.result.lines:
                self.result.lines.append("    " + line)
        for name in sorted(set(self.names) - set(told)):
            self.result.wrong("not recovered", f"{self.names[name]}: the guest did not get there; {said[-1:]}")

    def all(self):
        layout, windows = self.record()
        robust = range(layout.boot, 1 << 32) if self.variant.boot == "vfat" else ()
        chosen = states.choose(windows, self.wanted, self.variant.name, robust)
        self.result.cases = sum(map(len, chosen))
        self.result.flush_points = sum(1 for some in chosen if some)
        self.result.torn = sum(state.torn for some in chosen for state in some)
        self.judge_as_loader(layout, windows, chosen)
        self.judge_in_guest(layout, self.result.cases)
        if not self.tools.keep:
            shutil.rmtree(self.folder)
        return self.result


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
        self.libraries = guest.build_initramfs(self.initramfs, self.kernel, programs, source)


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
          + ", ".join(f"{result.bad[kind]} {kind}" for kind in ("unbootable", "damaged", "not recovered"))
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
