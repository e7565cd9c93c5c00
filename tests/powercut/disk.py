# SPDX-License-Identifier: MIT
"""Disk images: one disk with two partitions, so that all writes stand in one order."""
import collections
import contextlib
import hashlib
import os
import shutil
import struct
import subprocess

from writelog import SECTOR

MIB = 1024 * 1024 // SECTOR  # sectors
START = MIB
SIZES = {"ext4": 32, "xfs": 64, "btrfs": 112, "vfat": 40}  # MiB
MKFS = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-b", "4096"],
    "xfs": ["mkfs.xfs", "-q", "-f", "--unsupported"],  # which only means: smaller than 300 MiB
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
    "vfat": ["mkfs.vfat", "-F", "32", "-s", "1"],
}
Layout = collections.namedtuple("Layout", "root boot")  # first sectors


def find(tool):
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def copy(source, target):
    subprocess.run(["cp", "--sparse=always", source, target], check=True)


def partition_table(parts):
    sector = bytearray(SECTOR)
    for i, (start, size) in enumerate(parts):
        struct.pack_into("<B3xB3xII", sector, 446 + 16 * i, 0, 0x83, start, size)
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def make(path, root, boot):
    """Both file systems, empty."""
    sizes = [SIZES[root] * MIB, (SIZES[boot] if boot else 1) * MIB]
    starts = [START, START + sizes[0]]
    with open(path, "wb") as image:
        image.truncate((starts[1] + sizes[1]) * SECTOR)
        image.write(partition_table(list(zip(starts, sizes))))
    for system, start, size in zip((root, boot), starts, sizes):
        if not system:
            continue
        part = f"{path}.part"
        with open(part, "wb") as f:
            f.truncate(size * SECTOR)
        subprocess.run([find(MKFS[system][0]), *MKFS[system][1:], part], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["dd", f"if={part}", f"of={path}", "bs=1M", f"seek={start // MIB}", "conv=notrunc,sparse",
                        "status=none"], check=True)
        os.unlink(part)
    return Layout(*starts)


def logged(path, log):
    """QEMU's options for a disk whose writes and flushes are logged. The flushes need not reach our own disk."""
    return ["-blockdev", f"node-name=plain,driver=file,filename={path},cache.no-flush=on",
            "-blockdev", f"node-name=log,driver=file,filename={log},cache.no-flush=on",
            "-blockdev", "node-name=logged,driver=blklogwrites,file=plain,log=log",
            "-device", "virtio-blk-pci,drive=logged"]


def replayed(path, script):
    return ["-blockdev", f"node-name=plain,driver=file,filename={path},cache.no-flush=on",
            "-device", "virtio-blk-pci,drive=plain",
            "-blockdev", f"node-name=script,driver=file,filename={script},read-only=on,cache.no-flush=on",
            "-device", "virtio-blk-pci,drive=script"]


class Image:
    """A disk on the host that states are written to and taken from again."""

    def __init__(self, path):
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.size = os.fstat(self.fd).st_size
        self.written = {}  # what differs from the beginning: {sector: data}

    def write(self, sectors):
        for sector, data in sectors.items():
            os.pwrite(self.fd, data, sector * SECTOR)
        self.written.update(sectors)

    def write_window(self, window):
        sectors = {}
        for write in window.writes():
            sectors.update(write.pieces())
        self.write(sectors)
        return sectors

    @contextlib.contextmanager
    def overlay(self, sectors):
        before = {sector: os.pread(self.fd, SECTOR, sector * SECTOR) for sector in sectors}
        self.write(sectors)
        try:
            yield
        finally:
            self.write(before)

    def digest(self, region):
        """The same for the same content of these sectors."""
        h = hashlib.sha256()
        for sector in sorted(self.written):
            if sector in region:
                h.update(struct.pack("<Q", sector) + self.written[sector])
        return h.digest()

    def close(self):
        os.close(self.fd)
