# SPDX-License-Identifier: MIT
"""The guest: Debian's kernel and an initramfs made of busybox, our program and guest-init, run by QEMU."""
import glob
import os
import re
import shutil
import stat
import subprocess

PACKAGE = "linux-image-amd64"  # names the one that has the files
MODULES = """crc32c_generic virtio_pci virtio_blk ext4 xfs btrfs nls_cp437 nls_ascii nls_iso8859-1 nls_utf8 vfat
	brd dm-snapshot""".split()
BOOT_SECONDS = 600  # at most, with all that a job does beside its states: emulation is slow, and others may compute
HERE = os.path.dirname(os.path.abspath(__file__))


class Failed(Exception):
    pass


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stdout.strip()[-500:]}")
    return done.stdout


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


def module_order(tree):
    """Paths of MODULES and of what they need, each behind what it needs."""
    with open(f"{tree}/modules.dep") as f:
        needs = dict(line.rstrip("\n").split(":", 1) for line in f)
    by_name = {re.sub(r"\.ko.*", "", os.path.basename(path)).replace("_", "-"): path for path in needs}
    order = []

    def add(path):
        for other in needs[path].split():
            add(other)
        if path not in order:
            order.append(path)

    for name in MODULES:
        if name.replace("_", "-") in by_name:  # not there: built in
            add(by_name[name.replace("_", "-")])
    return order


class Archive:
    """A cpio archive as the kernel unpacks it."""

    def __init__(self, path):
        self.file, self.inode, self.folders = open(path, "wb"), 0, set()

    def entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        raw = name.encode() + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0]
        self.file.write(b"070701" + b"".join(b"%08X" % field for field in fields) + raw)
        self.file.write(b"\0" * (-(110 + len(raw)) % 4) + data + b"\0" * (-len(data) % 4))

    def folder(self, name):
        if name and name not in self.folders:
            self.folder(os.path.dirname(name))
            self.folders.add(name)
            self.entry(name, stat.S_IFDIR | 0o755)

    def add(self, name, source, mode=0o755):
        with open(source, "rb") as f:
            self.text(name, f.read(), mode)

    def text(self, name, data, mode=0o644):
        self.folder(os.path.dirname(name))
        self.entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self.folder(os.path.dirname(name))
        self.entry(name, stat.S_IFLNK | 0o777, target.encode())

    def tree(self, name, source):
        for folder, _, files in os.walk(source):
            inside = os.path.normpath(os.path.join(name, os.path.relpath(folder, source)))
            self.folder(inside)
            for file in files:
                self.add(f"{inside}/{file}", f"{folder}/{file}", 0o644)

    def close(self):
        self.entry("TRAILER!!!", 0)
        self.file.close()


def libraries(program):
    """Of a program that is not static, its loader, too."""
    found = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"(/\S+) \(0x", found))


def build_initramfs(path, kernel, programs, source, machines):
    """`programs`: paths by their names in the guest. Returns the folders of their libraries."""
    modules = glob.glob(f"{kernel}/lib/modules/*")[0]
    archive = Archive(path)
    needed = set()
    archive.add("init", f"{HERE}/guest-init")
    for name, program in programs.items():
        archive.add(f"bin/{name}", program)
        needed |= libraries(program)
    for library in sorted(needed):
        archive.add(library.lstrip("/"), library)
    listed = re.findall(r"\S+", run("busybox", "--list"))
    for applet in listed:
        if applet not in programs and applet not in ("busybox", "strix-provision"):
            archive.link(f"bin/{applet}", "busybox")
    order = module_order(modules)
    for module in order:
        archive.add(f"modules.d/{module}", f"{modules}/{module}", 0o644)
    archive.text("modules", "".join(f"/modules.d/{module}\n" for module in order).encode())
    for folder in "grub sysctl.d modprobe.d environment.d profiles platforms advisories log".split():
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
