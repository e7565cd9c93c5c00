# SPDX-License-Identifier: MIT
"""Power cuts in a trial: while it is armed, while the loader and the kernel start it, and while it is confirmed, at a random
moment each, by killing the virtual machine. What it wrote to its disk until then stays; what its kernel had not written
yet is lost (tests/powercut has drives that lose more). Then it is started again, and says for itself which state it is in, what
the menu and the loader's variable show, and what status and confirm make of it."""
import os
import random
import shutil
import subprocess
import time

import image
import machine
import small
from initramfs import Failed, run as run_command

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ("arm", "start", "confirm")
# On the console: what a cut is measured from, and where the part that is cut ends.
BEGIN, DONE = ":: begin", ":: done"
SAVED = {"arm": "installed", "start": "armed", "confirm": "armed"}
ENOUGH = 1.1  # of what a whole one took
LATE = 0.6  # what is before that reads, mostly


def copy(source, target):
    run_command("cp", "--sparse=always", "--reflink=auto", source, target)


class Cuts:
    def __init__(self, run):
        self.run, self.names = run, run.parts.names()
        self.seed = int(os.environ.get("SP_BOOT_SEED") or time.time_ns() % 1000000)
        self.cuts = int(os.environ.get("SP_BOOT_CUTS") or 50)
        self.random = random.Random(self.seed)
        self.virtual = machine.Machine(run.folder, run.disk, run.ovmf)
        self.seconds, self.after = {}, ""

    def job(self, name, **more):
        with open(f"{HERE}/guest-lib.sh", encoding="utf-8") as head, open(f"{HERE}/rows/cuts/{name}", encoding="utf-8") as f:
            return small.fill(head.read() + f.read(), {**self.names, **more}) + '\nsay "end $RESULTS"\n'

    def save(self, name):
        for file in ("disk", "variables"):
            copy(f"{self.run.folder}/{file}", f"{self.run.folder}/{file}.{name}")

    def restore(self, name):
        for file in ("disk", "variables"):
            copy(f"{self.run.folder}/{file}.{name}", f"{self.run.folder}/{file}")

    def must(self, name, job):
        """Without a cut."""
        boot = self.virtual.boot(name, job, self.run.row.seconds)
        self.run.tap.boot(self.run.row.name, boot)
        if not boot.ended:
            raise Failed(f"{name} does not work without a cut")
        return boot

    def prepare(self):
        """The states that the cuts begin at, what is before and after, and how long each part takes."""
        self.run.make_disk(self.run.make_tree())
        for name, job in self.run.preparations():
            self.must(name, job)
        self.must("old", self.job("old"))
        self.save("installed")
        self.seconds["arm"] = self.must("arm", self.job("arm")).between(BEGIN, DONE)
        self.save("armed")
        boot = self.must("confirm", self.job("confirm"))
        self.seconds["confirm"], self.seconds["start"] = boot.between(BEGIN, DONE), boot.between("", BEGIN)
        self.after = self.must("new", self.job("new")).said("tree")[0]
        self.run.tap.note(", ".join(f"{part} takes {self.seconds[part]:.1f} s" for part in PARTS))

    def cut(self, number):
        part = PARTS[number % len(PARTS)]
        whole = self.seconds[part]
        least = whole * LATE if part != "start" and self.random.random() < 0.6 else 0
        at = self.random.uniform(least, whole * ENOUGH)
        name = f"{number} {part} cut after {at:.2f} s"
        self.restore(SAVED[part])
        job = self.job("wait" if part == "start" else part) + "\nsleep 600\n"
        first = self.virtual.boot(name, job, self.run.row.seconds, ("" if part == "start" else BEGIN, at))
        self.run.tap.boots += 1
        if "cut" not in first.lines:
            self.run.tap.result(False, f"{self.run.row.name} {name}: it was not cut")
            self.run.tap.note("\n".join(first.console.splitlines()[-20:]))
        boot = self.virtual.boot(name, self.job("look", RECOVER=str(number % 2), NEW=self.after), self.run.row.seconds)
        self.run.tap.boot(self.run.row.name, boot)
        return part, (boot.said("found") or ["nothing"])[0]

    def all(self):
        self.prepare()
        self.run.tap.note(f"{self.run.row.name}: seed {self.seed}, {self.cuts} cuts")
        found = {}
        for number in range(self.cuts):
            key = self.cut(number)
            found[key] = found.get(key, 0) + 1
        for (part, state), count in sorted(found.items()):
            self.run.tap.note(f"{self.run.row.name}: {count} cuts in {part}: {state}")
        for name in set(SAVED.values()):
            for file in ("disk", "variables"):
                os.unlink(f"{self.run.folder}/{file}.{name}")


def run(row_run):
    Cuts(row_run).all()
