# SPDX-License-Identifier: MIT
"""The guest: Debian's kernel and an initramfs made of busybox, our program and guest-init, run by QEMU."""
import glob
import os
import re
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../vm"))
from initramfs import DATA, Archive, Failed, run  # pylint: disable=wrong-import-position

PACKAGE = "linux-image-amd64"  # names the one that has the files
MODULES = """crc32c_generic virtio_pci virtio_blk ext4 xfs btrfs nls_cp437 nls_ascii nls_iso8859-1 nls_utf8 vfat
	brd dm-snapshot""".split()
BOOT_SECONDS = 600  # at most, with all that a job does beside its states: emulation is slow, and others may compute


def unpacked_kernel(cache):
    """Debian's newest kernel package, fetched with apt-get and unpacked below `cache`, once; never installed."""
    os.makedirs(cache, exist_ok=True)
    done = sorted(glob.glob(f"{cache}/kernel-*"))
    if done:
        return done[-1]
    name = re.search(r"Depends: (linux-image-\S+)", run("apt-cache", "depends", PACKAGE))
    if not name:
        raise Failed(f"apt-cache does not know what {PACKAGE} depends on; run apt-get update")
    run("apt-get", "download", name[1], cwd=cache)
    package = max(glob.glob(f"{cache}/{name[1]}_*.deb"), key=os.path.getmtime)
    unpacked = f"{cache}/unpacking.{os.getpid()}"
    run("dpkg-deb", "-x", package, unpacked)
    version = os.listdir(f"{unpacked}/lib/modules")[0]
    run("depmod", "-b", unpacked, version)
    os.rename(unpacked, f"{cache}/kernel-{version}")
    os.unlink(package)
    return f"{cache}/kernel-{version}"


def build_initramfs(path, kernel, programs, source, machines):
    """`programs`: paths by their names in the guest. Returns the folders of their libraries."""
    modules = glob.glob(f"{kernel}/lib/modules/*")[0]
    archive = Archive(path)
    archive.add("init", f"{HERE}/guest-init")
    needed = archive.programs(programs)
    archive.modules(modules, MODULES)
    for folder in DATA:
        archive.tree(f"data/{folder}", f"{source}/{folder}")
    for machine in machines:
        archive.tree(f"machines/{machine}", f"{source}/tests/machines/{machine}")
    for folder in ("dev", "proc", "sys", "mnt", "tmp", "run", "var/lib"):
        archive.folder(folder)
    archive.entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    archive.close()
    return ":".join(sorted({"/host" + os.path.dirname(library) for library in needed}))


def start(kernel, initramfs, variables, drives, log, seconds):
    """Run one guest to its end; what it said behind "::" as a list of lines."""
    image = glob.glob(f"{kernel}/boot/vmlinuz-*")[0]
    words = ["console=ttyS0", "quiet", "panic=-1", "random.trust_cpu=on", "mitigations=off", "nokaslr",
             "rcupdate.rcu_expedited=1"]
    words += [f"{key}={value}" for key, value in variables.items()]
    command = [shutil.which("qemu-system-x86_64"), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
               "-M", "pc,accel=tcg", "-cpu", "Nehalem", "-m", "1024", "-kernel", image, "-initrd", initramfs,
               "-append", " ".join(words), "-serial", "stdio", *drives]
    with open(log, "wb") as f:
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT, timeout=seconds,
                           check=False)
        except subprocess.TimeoutExpired:
            f.write(b":: broken no end after %d s\n" % seconds)
    with open(log, encoding="utf-8", errors="replace") as f:
        return [line[3:].rstrip() for line in f if line.startswith(":: ")]
