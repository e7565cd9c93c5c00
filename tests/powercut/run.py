# SPDX-License-Identifier: MIT
"""One variant: record its disk, make the states, and have them judged by the boot loader's code and by the guest."""
import collections
import os
import shutil

import disk
import guest
import loader
import states
import writelog


KINDS = ("unbootable", "damaged", "not recovered")


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
        self.names, self.changed = {}, []

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, job, drives, seconds, **variables):
        v = self.variant
        variables.update(job=job, on_root=v.root, on_boot=v.boot or "none", machine=v.machine, busy=int(v.busy),
                         live=int(v.live), exchange=int(v.exchange), libraries=self.tools.libraries)
        return guest.start(self.tools.kernel, self.tools.initramfs, variables, drives, self.path(f"{job}.console"),
                           seconds)

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

    def check_views(self, views):
        """What is right is right, and apply changes something that a boot loader reads."""
        self.changed = [path for path, data in views["0"][0].items() if views["1"][0].get(path) != data]
        for tree, view in views.items():
            for seen in view:
                unbootable, damaged, absent = loader.judge(seen, seen, seen, self.changed)
                if unbootable or damaged or absent:
                    raise guest.Failed(f"{self.variant.name}: tree {tree} is not bootable to begin with: {damaged + absent}, changed: {self.changed}")

    def judge_view(self, state, name, view, views):
        trees = state.trees()
        before, after = views[trees[0]], views[trees[-1]]
        if state.phase.startswith("after"):
            before = views[str(int(trees) - 1)]
        for seen, old, new in zip(view, before, after):
            unbootable, damaged, absent = loader.judge(seen, old, new, self.changed)
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
            script.step(b"s", f"tree-{tree} {tree} -", sectors)
        self.check_views(views)
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
        drives = disk.replayed(self.path("check"), self.path("script"))
        said = self.start("check", drives, guest.BOOT_SECONDS + 8 * count, starts=f"{layout.root},{layout.boot}")
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
