# SPDX-License-Identifier: MIT
"""A disk with a GPT, made of folders without mounting anything: BIOS boot partition, ESP, /boot, root."""
import os
import shutil
import struct
import subprocess

from initramfs import Failed, run

MIB = 1024 * 1024
SECTOR = 512
DISK_ID = "0b007000-1111-4222-8333-444455556666"
# name: type, MiB, UUID of the partition, UUID of the file system
PARTS = {
    "bios": ("21686148-6449-6E6F-744E-656564454649", 1, "0b007001-1111-4222-8333-444455556666", None),
    "esp": ("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", 320, "0b007002-1111-4222-8333-444455556666", "B007-E5B0"),
    "boot": ("BC13C2FF-59E6-4262-A352-B275FD6F7172", 320, "0b007003-1111-4222-8333-444455556666",
             "b0070000-aaaa-4bbb-8ccc-ddddeeeeffff"),
    "root": ("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", 3072, "0b007004-1111-4222-8333-444455556666",
             "20070000-aaaa-4bbb-8ccc-ddddeeeeffff"),
}
EXT4 = "has_journal,extent,huge_file,flex_bg,64bit,dir_nlink,extra_isize,metadata_csum"
TOOLS = {"mkfs.btrfs": "btrfs-progs", "sfdisk": "fdisk", "mke2fs": "e2fsprogs", "mkfs.vfat": "dosfstools", "mcopy": "mtools"}


def find(tool):
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def starts():
    """First MiB of each partition."""
    at, found = 1, {}
    for name, (_, size, _, _) in PARTS.items():
        found[name] = at
        at += size
    return found, at


def partition(path):
    first, end = starts()
    with open(path, "wb") as f:
        f.truncate((end + 1) * MIB)
    lines = ["label: gpt", f"label-id: {DISK_ID}"]
    lines += [f"start={first[name]}MiB, size={size}MiB, type={kind}, uuid={uuid}, name={name}"
              for name, (kind, size, uuid, _) in PARTS.items()]
    done = subprocess.run([find("sfdisk"), "-q", path], input="\n".join(lines), text=True, capture_output=True, check=False)
    if done.returncode:
        raise Failed(f"sfdisk: {done.stderr.strip()}")


def make_ext4(path, name, folder):
    """Owners, modes and times are the folder's."""
    first, _ = starts()
    _, size, _, uuid = PARTS[name]
    # Without a configuration mke2fs makes an ext2, whatever its type is called. A boot loader may not know what is newer than itself.
    run(find("mke2fs"), "-q", "-F", "-t", "ext4", "-O", EXT4, "-I", "256", "-b", "4096", "-U", uuid, "-L", name,
        "-d", folder, "-E", f"offset={first[name] * MIB},root_owner=0:0,lazy_itable_init=0,nodiscard", path, f"{size}M",
        env={**os.environ, "MKE2FS_CONFIG": "/dev/null"})


def at(path, name):
    """Of a partition, for mtools."""
    return f"{path}@@{starts()[0][name] * MIB}"


def make_fat(path, name, folder):
    first, _ = starts()
    _, size, _, uuid = PARTS[name]
    run(find("mkfs.vfat"), "-F", "32", "-i", uuid.replace("-", ""), "-n", name.upper(), f"--offset={first[name] * MIB // SECTOR}",
        path, str(size * 1024))
    names = [os.path.join(folder, inside) for inside in sorted(os.listdir(folder))]
    if names:
        run("mcopy", "-s", "-m", "-i", at(path, name), *names, "::", env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})


def make_btrfs(path, name, folder):
    _, size, _, uuid = PARTS[name]
    run(find("truncate"), "-s", f"{size}M", f"{path}.btrfs")
    run(find("mkfs.btrfs"), "-q", "-U", uuid, "-L", name, "--rootdir", folder, f"{path}.btrfs")
    run(find("dd"), f"if={path}.btrfs", f"of={path}", "bs=1M", f"seek={starts()[0][name]}", "conv=notrunc,sparse", "status=none")
    os.unlink(f"{path}.btrfs")


def put_file(path, name, source, target):
    """Into the FAT of a disk, over what is there."""
    run("mcopy", "-o", "-i", at(path, name), source, f"::{target}", env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})


def put_bios_grub(path, boot_image, core_image):
    """GRUB for a BIOS: its first sector in the MBR, the rest in the BIOS boot partition, and where that is in both."""
    first = starts()[0]["bios"] * MIB // SECTOR
    with open(boot_image, "rb") as f:
        boot = bytearray(f.read())
    with open(core_image, "rb") as f:
        core = bytearray(f.read())
    struct.pack_into("<Q", boot, 0x5c, first)  # GRUB_BOOT_MACHINE_KERNEL_SECTOR
    struct.pack_into("<Q", core, 0x1f4, first + 1)  # the one entry of the list of blocks in the first sector
    with open(path, "r+b") as f:
        f.write(boot[:440])
        f.seek(first * SECTOR)
        f.write(core)


MAKERS = {"ext4": make_ext4, "fat": make_fat, "btrfs": make_btrfs}


def make(path, trees, boot_on):
    """trees: a folder for each of esp, boot and root; boot_on: the file system of boot."""
    partition(path)
    make_fat(path, "esp", trees["esp"])
    MAKERS[boot_on](path, "boot", trees["boot"])
    make_ext4(path, "root", trees["root"])
