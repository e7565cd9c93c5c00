# SPDX-License-Identifier: MIT
"""The virtual machine: an HP ZBook Ultra G1a as far as DMI and CPUID go, its console, and one boot of it."""
import os
import re
import select
import shutil
import subprocess
import time

CPU = 'max,vendor=AuthenticAMD,family=26,model=112,stepping=0,model-id=AMD RYZEN AI MAX+ PRO 395 w/ Radeon 8060S'
DMI = ("type=0,vendor=HP,version=X89 Ver. 01.03.00", "type=1,manufacturer=HP,"
       "product=HP ZBook Ultra G1a 14 inch Mobile Workstation PC", "type=2,manufacturer=HP,product=8D01")
# One processor: with two, kernel 7.2 has crashed under multi-threaded emulation.
HARDWARE = ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-machine", "q35", "-accel", "tcg,thread=multi",
            "-cpu", CPU, "-smp", "1", "-m", "3072", "-device", "amd-iommu", "-serial", "stdio",
            *(word for text in DMI for word in ("-smbios", text))]
ESCAPES = re.compile(rb"\x1b\[[0-9;?=!]*[A-Za-z]|\x1b[]P][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-B]|\x1b[78=>c]|[\r\x00]")


class Boot:
    """What one start of the machine said. lines: behind "::"; ended: the job came to its end; lost: results of it
    that are not on the console, where it may write at the same time as the kernel."""

    def __init__(self, name, raw, times, seconds):
        self.name, self.raw, self.times, self.seconds = name, raw, times, seconds
        self.console = ESCAPES.sub(b"", raw).decode(errors="replace")
        self.lines = re.findall(r"^:: (.*)$", self.console, re.M)
        self.late = "late" in self.lines
        counts = self.said("end")
        self.ended = bool(counts)
        self.lost = self.ended and int(counts[0]) - sum(line.startswith(("ok ", "not ok ")) for line in self.lines)

    def said(self, word):
        """What was said behind a word."""
        return [line[len(word) + 1:] for line in self.lines if line.startswith(word + " ")]

    def between(self, sign, other):
        """Seconds between two texts on the console; "": the start."""
        ends = [self.raw.find(text.encode()) + len(text) for text in (sign, other)]
        first, second = (next((at for size, at in self.times if size >= end), self.seconds) for end in ends)
        return second - (first if sign else 0)


class Machine:
    def __init__(self, folder, disk, ovmf):
        """ovmf: its folder; None: an old BIOS."""
        self.folder, self.disk, self.ovmf, self.boots = folder, disk, ovmf, 0
        if ovmf:
            shutil.copy(f"{ovmf}/OVMF_VARS_4M.fd", f"{folder}/variables")

    def firmware(self):
        if not self.ovmf:
            return []
        return ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={self.ovmf}/OVMF_CODE_4M.fd",
                "-drive", f"if=pflash,unit=1,format=raw,file={self.folder}/variables"]

    def disks(self, job):
        """A second disk is the job: a shell script, padded with empty lines to whole sectors."""
        path = f"{self.folder}/job"
        data = job.encode()
        with open(path, "wb") as f:
            f.write(data + b"\n" * (65536 - len(data) % 65536))
        return [word for disk, extra in ((self.disk, ""), (path, ",readonly=on"))
                for word in ("-drive", f"if=virtio,format=raw,cache=unsafe,file={disk}{extra}")]

    def boot(self, name, job, seconds, cut=None):
        """cut: what the console shows ("": nothing), and how many seconds after that the power is cut."""
        self.boots += 1
        began = time.monotonic()
        command = [shutil.which("qemu-system-x86_64"), *HARDWARE, *self.firmware(), *self.disks(job)]
        with open(f"{self.folder}/console.{self.boots}", "wb", buffering=0) as console, \
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
            raw, times = watch(qemu, console, (began, seconds), cut)
        return Boot(name, raw, times, time.monotonic() - began)


def watch(qemu, console, limits, cut):
    """What it says, until it ends, or the power is cut, or it is late; and (bytes, seconds) of how that grew."""
    began, seconds = limits
    text, times, last, due = b"", [], began + seconds, None
    while True:
        now = time.monotonic()
        if cut and due is None and cut[0].encode() in text:
            due = now + cut[1]
        end = min(last, due or last)
        if now >= end:
            qemu.kill()
            return text + (b"\n:: cut\n" if end == due else b"\n:: late\n"), times
        if select.select([qemu.stdout], [], [], end - now)[0]:
            more = os.read(qemu.stdout.fileno(), 65536)
            if not more:
                return text, times
            text += more
            console.write(more)
            times.append((len(text), time.monotonic() - began))
