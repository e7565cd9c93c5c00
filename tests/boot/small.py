# SPDX-License-Identifier: MIT
"""A small installed system: the kernel and the boot loader of Debian testing, busybox, kmod and our program on a real file
system, and the files of a row. It starts in seconds where systemd takes minutes of emulation."""
import glob
import os
import re
import shutil

from initramfs import DATA, Archive, Folder, module_order, run
from image import PARTS, find

HERE = os.path.dirname(os.path.abspath(__file__))
INITRAMFS_MODULES = "virtio_pci virtio_blk crc32c_generic ext4".split()
SYSTEM_MODULES = INITRAMFS_MODULES + "btrfs efivarfs vfat nls_cp437 nls_ascii nls_utf8 ttm amdgpu".split()
LOADED = ("libefivar.so.1", "libkmod.so.2")  # by our program, while it runs
ID = "5a3b0c9d8e7f41628394a5b6c7d8e9f0"
GRUB_EFI = "part_gpt fat ext2 btrfs search search_fs_uuid search_fs_file normal configfile echo".split()
GRUB_BIOS = ["biosdisk", *GRUB_EFI, "serial", "terminal"]


class Parts:
    """Where the pieces of a Debian are."""

    def __init__(self, system, program, sp_tree, source):
        self.system, self.program, self.sp_tree, self.source = system, program, sp_tree, source
        self.modules = glob.glob(f"{system}/usr/lib/modules/*")[0]
        self.version = os.path.basename(self.modules)
        self.kernel = f"{self.modules}/vmlinuz"
        self.grub = f"{system}/usr/lib/grub"
        self.systemd_boot = f"{system}/usr/lib/systemd/boot/efi"

    def names(self):
        """What is written between @ in the files of a row, and in their names."""
        return {"KERNEL": self.version, "ID": ID, "ROOT": PARTS["root"][3], "BOOT": PARTS["boot"][3], "ESP": PARTS["esp"][3]}

    def grub_image(self, target, kind, modules, config, prefix):
        """GRUB's core, by the grub-mkimage that belongs to its modules."""
        libraries = f"{self.system}/usr/lib/x86_64-linux-gnu"
        run(f"{libraries}/ld-linux-x86-64.so.2", "--library-path", libraries, f"{self.system}/usr/bin/grub-mkimage",
            "-d", f"{self.grub}/{kind}", "-O", kind, "-p", prefix, "-c", config, "-o", target, *modules)


def initramfs(parts, path):
    archive = Archive(path)
    archive.add("init", f"{HERE}/initramfs-init")
    archive.programs({"busybox": find("busybox")})
    archive.modules(parts.modules, INITRAMFS_MODULES)
    for folder in ("dev", "proc", "sys", "mnt"):
        archive.folder(folder)
    archive.close()


def fill(text, names):
    for name, value in names.items():
        text = text.replace(f"@{name}@", value)
    return text


def copy_row(source, target, names):
    """A row's files, with what is between @ filled in."""
    for folder, _, files in os.walk(source):
        inside = fill(os.path.relpath(folder, source), names)
        os.makedirs(f"{target}/{inside}", exist_ok=True)
        for file in files:
            with open(f"{folder}/{file}", encoding="utf-8") as f:
                text = fill(f.read(), names)
            with open(f"{target}/{inside}/{fill(file, names)}", "w", encoding="utf-8") as f:
                f.write(text)


def find_libraries(name):
    """Paths of a library, as the dynamic linker finds it; none: it is not here."""
    return re.findall(rf"^\s*{re.escape(name)} .* => (\S+)$", run(find("ldconfig"), "-p"), re.M)[:1]


def add_programs(parts, root):
    folder = Folder(root)
    for name in "usr/bin usr/lib usr/lib64 etc/modprobe.d etc/sysctl.d etc/environment.d var/lib dev proc sys run tmp boot efi".split():
        folder.folder(name)
    for name in "bin sbin lib lib64".split():
        folder.link(name, f"usr/{name}".replace("usr/sbin", "usr/bin"))
    folder.link("usr/sbin", "bin")
    folder.programs({"busybox": find("busybox"), "strix-provision": parts.program, "sp-tree": parts.sp_tree,
                     "kmod": find("kmod"), "sysctl": find("sysctl"), "modprobe": find("kmod"), "init": f"{HERE}/guest-init"},
                    [path for name in LOADED for path in find_libraries(name)])
    for name in DATA:
        folder.tree(f"usr/share/strix-provision/{name}", f"{parts.source}/{name}")


def add_modules(parts, root):
    target = f"{root}/usr/lib/modules/{parts.version}"
    for path in module_order(parts.modules, SYSTEM_MODULES):
        os.makedirs(os.path.dirname(f"{target}/{path}"), exist_ok=True)
        shutil.copy(f"{parts.modules}/{path}", f"{target}/{path}")
    for path in glob.glob(f"{parts.modules}/modules.*"):
        shutil.copy(path, target)


def make(parts, row_folder, target):
    """The whole tree, with what is on other partitions below boot and efi; a later row is laid over it."""
    os.makedirs(target)
    os.umask(0o022)
    add_programs(parts, target)
    add_modules(parts, target)
    copy_row(f"{row_folder}/tree", target, parts.names())


def split(tree, mounts, folder):
    """Cut a tree up into what goes on each partition. mounts: {partition: its mount point in the tree}."""
    trees = {"root": tree}
    for part, point in mounts.items():
        trees[part] = f"{folder}/part-{part}"
        if point and os.path.isdir(f"{tree}/{point}"):
            os.rename(f"{tree}/{point}", trees[part])
        else:
            os.makedirs(trees[part])
        if point:
            os.makedirs(f"{tree}/{point}", exist_ok=True)
    return trees
