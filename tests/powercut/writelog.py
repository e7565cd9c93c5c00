# SPDX-License-Identifier: MIT
"""The log of a disk's writes and flushes, as QEMU's blklogwrites and the kernel's dm-log-writes write it.

Sector 0: magic, version, number of entries, sector size (little endian 64, 64, 64, 32 bits). Each entry begins on a
sector: first sector, number of sectors, flags, bytes of data (4 times 64 bits), then on the next sector its data."""
import struct

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4
SECTOR = 512
MARK_SECTOR = 1  # where sp-replay.c writes the marks
MARK = b"powercut: "
PHASES = {"begin": "run", "done": "after", "end": "end"}


class Write:
    """Of whole sectors; n is where it stands in the log."""

    def __init__(self, n, sector, data):
        self.n, self.sector, self.data = n, sector, data

    def pieces(self):
        """(sector, its 512 bytes)"""
        for at in range(0, len(self.data), SECTOR):
            yield self.sector + at // SECTOR, self.data[at:at + SECTOR]


class Window:
    """From one flush to the next: of these writes none, some or all have reached the disk. A mark in between begins
    another phase; events are writes and names of phases."""

    def __init__(self, phase):
        self.phase, self.events = phase, []

    def writes(self):
        return [event for event in self.events if isinstance(event, Write)]

    def phase_at(self, cut):
        """When the first `cut` events have happened."""
        names = [event for event in self.events[:cut] if not isinstance(event, Write)]
        return names[-1] if names else self.phase

    def last_phase(self):
        return self.phase_at(len(self.events))


def entries(path):
    with open(path, "rb") as f:
        magic, version, n, size = struct.unpack("<QQQI", f.read(28))
        if magic != MAGIC or version != 1 or size != SECTOR:
            raise ValueError(f"{path} is no log of writes with sectors of {SECTOR} bytes")
        f.seek(size)
        for number in range(n):
            sector, count, flags, _ = struct.unpack("<QQQQ", f.read(size)[:32])
            data = b"" if flags & DISCARD else f.read(count * size)
            if flags & DISCARD or (flags and data):
                raise ValueError(f"{path}: entry {number} has flags {flags}, which is not expected of this guest")
            yield number, sector, bool(flags & FLUSH), data


def read(path):
    """All windows in order. Phases: "setup"; "run N": command N runs; "after N": it has said that it is done; "end N":
    and the disk is unmounted."""
    windows = [Window("setup")]
    for number, sector, flush, data in entries(path):
        if sector == MARK_SECTOR and data.startswith(MARK):
            event, command = data[len(MARK):].split(b"\n")[0].decode().split()
            windows[-1].events.append(f"{PHASES[event]} {command}")
        elif flush:
            windows.append(Window(windows[-1].last_phase()))
        else:
            windows[-1].events.append(Write(number, sector, data))
    return windows
