# SPDX-License-Identifier: MIT
"""What a virtual machine starts from: cpio archives, programs with their libraries, modules in their order."""
import lzma
import os
import re
import stat
import subprocess

DATA = "grub sysctl.d modprobe.d environment.d profiles platforms advisories log".split()


class Failed(Exception):
    pass


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stdout.strip()[-500:]}")
    return done.stdout


def module_order(tree, names):
    """Paths of modules and of what they need, each behind what it needs."""
    with open(f"{tree}/modules.dep") as f:
        needs = dict(line.rstrip("\n").split(":", 1) for line in f)
    by_name = {re.sub(r"\.ko.*", "", os.path.basename(path)).replace("_", "-"): path for path in needs}
    order = []

    def add(path):
        for other in needs[path].split():
            add(other)
        if path not in order:
            order.append(path)

    for name in names:
        if name.replace("_", "-") in by_name:  # not there: built in
            add(by_name[name.replace("_", "-")])
    return order


def module_data(path):
    """Of a module, as insmod of busybox wants it."""
    with open(path, "rb") as f:
        return lzma.decompress(f.read()) if path.endswith(".xz") else f.read()


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

    def programs(self, programs, loaded=()):
        """`programs`: paths by their names. Busybox is one of them, and what it has beside them is linked to it. `loaded`:
        libraries that they load while they run. Returns all the libraries that came along."""
        needed = set(loaded).union(*map(libraries, loaded))
        for name, program in programs.items():
            self.add(f"bin/{name}", program)
            needed |= libraries(program)
        for library in sorted(needed):
            self.add(library.lstrip("/"), library)
        for applet in run("busybox", "--list").split():
            if applet not in programs and applet not in ("busybox", "strix-provision"):
                self.link(f"bin/{applet}", "busybox")
        return needed

    def modules(self, tree, names):
        """And a list of them in /modules, in the order in which they are loaded."""
        order = module_order(tree, names)
        for module in order:
            self.text(f"modules.d/{module}".removesuffix(".xz"), module_data(f"{tree}/{module}"))
        self.text("modules", "".join(f"/modules.d/{module}\n".replace(".xz\n", "\n") for module in order).encode())


class Folder(Archive):
    """The same in a folder, as the root of a file system."""

    def __init__(self, path):
        self.path, self.folders = path, set()

    def entry(self, name, mode, data=b"", device=(0, 0)):
        path = os.path.join(self.path, name)
        if stat.S_ISDIR(mode):
            os.makedirs(path, exist_ok=True)
        elif stat.S_ISLNK(mode):
            os.symlink(data.decode(), path)
            return
        else:
            with open(path, "wb") as f:
                f.write(data)
        os.chmod(path, stat.S_IMODE(mode))

    def close(self):
        pass


def libraries(program):
    """Of a program that is not static, its loader, too."""
    found = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"(/\S+) \(0x", found))
