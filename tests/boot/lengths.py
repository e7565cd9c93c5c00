# SPDX-License-Identifier: MIT
"""GRUB 2.14's own blscfg makes "linux PATH OPTIONS" in memory that is one byte too small: where that is a multiple of 32 bytes
long, GRUB writes over what is behind it, and most of such entries do not start. Shown with the real one; then that what apply
leaves on such a machine does start."""
import os
import subprocess

import image
import machine
import small
from initramfs import Failed, run as run_command

OPTIONS = "boot.only root=UUID={root} ro console=ttyS0 panic=-1 quiet no_timer_check"
BAD = 3  # of them are started: one may start all the same, if nothing that matters stands behind it


def cannot_boot(linux, options):
    """As GRUB counts."""
    return len(f"linux  {linux} {options}") % 32 == 0


class Entry:
    def __init__(self, run, tree):
        name = f"{small.ID}-{run.parts.version}"
        self.path, self.future = f"{tree}/boot/loader/entries/{name}.conf", f"{tree}/etc/kernel/cmdline"
        self.linux = f"/vmlinuz-{run.parts.version}"
        self.first = OPTIONS.format(root=image.PARTS["root"][3])

    def text(self):
        with open(self.path, encoding="utf-8") as f:
            return f.read()

    def options(self):
        return [line.removeprefix("options ") for line in self.text().splitlines() if line.startswith("options ")][0]

    def put(self, options):
        lines = [f"options {options}" if line.startswith("options ") else line for line in self.text().splitlines()]
        for path, text in ((self.path, "\n".join(lines)), (self.future, options)):
            with open(path, "w", encoding="utf-8") as f:
                f.write(text + "\n")

    def padded(self, length):
        """Options of so many bytes, the last argument being what fills them."""
        return f"{self.first} pad=".ljust(length, "x")


class Lengths:
    def __init__(self, run):
        self.run, self.tree = run, run.make_tree()
        self.entry = Entry(run, self.tree)
        self.machine_tree = f"{run.folder}/machine"
        run_command(run.parts.sp_tree, "unpack", f"{run.parts.source}/tests/machines/zbook-64-fedora", self.machine_tree)
        os.makedirs(f"{run.folder}/none")
        image.partition(run.disk)
        image.make_fat(run.disk, "esp", f"{self.tree}/efi")
        self.virtual = machine.Machine(run.folder, run.disk, run.ovmf)

    def program(self, *words):
        command = [self.run.parts.program, "--root", self.tree, "--machine", self.machine_tree, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              env={**os.environ, "STRIX_PROVISION_DATADIR": self.run.parts.source})
        if done.returncode:
            raise Failed(f"{' '.join(words)}: {done.returncode}: {done.stderr}")

    def start(self, name):
        image.make_ext4(self.run.disk, "boot", f"{self.tree}/boot")
        return self.virtual.boot(name, "", self.run.row.seconds)

    def boot(self, name):
        """The entry as it stands in the tree must start, with its very line, and GRUB must have nothing to say."""
        boot = self.start(name)
        self.run.tap.boot(self.run.row.name, boot)
        line = " ".join(boot.said("cmdline"))
        self.run.tap.result(line.endswith(" ".join(self.entry.options().split())), f"{name}: the kernel has the whole line")
        self.run.tap.result("error:" not in boot.console, f"{name}: GRUB reports no error")

    def show_the_bug(self):
        least = len(self.entry.first) + 8
        bad = next(n for n in range(least, least + 33) if cannot_boot(self.entry.linux, self.entry.padded(n)))
        failed = []
        for n in range(bad, bad + 32 * BAD, 32):
            self.entry.put(self.entry.padded(n))
            boot = self.start(f"options of {n} bytes")
            self.run.tap.boots += 1
            self.run.tap.note(f"{boot.name}: {'started' if boot.ended else 'did not start'}: "
                              + "; ".join(line for line in boot.console.splitlines() if "error: " in line))
            failed += [n] if not boot.ended and "error: " in boot.console else []
        self.run.tap.result(failed, f"of {BAD} entries of a bad length, GRUB does not start those with options of {failed} bytes")
        for n in (bad - 1, bad + 1, bad + 31, bad + 33):
            self.entry.put(self.entry.padded(n))
            self.boot(f"options of {n} bytes")

    def all_after_apply(self):
        """By calculation at each of 32 lengths; started: where apply had to move off the bad length, and its neighbours."""
        tap, least = self.run.tap, len(self.entry.first) + 8
        moved, left = [], []
        for n in range(least, least + 32):
            self.entry.put(self.entry.padded(n))
            before = self.entry.text()
            self.program("apply", "--yes")
            options = self.entry.options()
            if cannot_boot(self.entry.linux, options):
                left.append(n)
            if cannot_boot(self.entry.linux, " ".join(options.split())):
                moved.append(n)
            self.program("rollback", "--yes")
            if self.entry.text() != before:
                tap.result(False, f"{n} bytes: rollback gives the entry back")
        tap.result(not left, f"apply leaves no entry of a bad length at 32 lengths {left or ''}")
        tap.result(len(moved) == 1, f"at one of them it had to move off ({moved})")
        for n in (moved[0] - 1, moved[0], moved[0] + 1):
            self.entry.put(self.entry.padded(n))
            self.program("apply", "--yes")
            self.boot(f"apply on options of {n} bytes")
            self.program("rollback", "--yes")


def run(row_run):
    lengths = Lengths(row_run)
    lengths.show_the_bug()
    lengths.all_after_apply()
