# SPDX-License-Identifier: MIT
"""What the virtual machines are made of: Debian systems and OVMF, fetched once with the host's own package tools.

A system is made by debootstrap in a folder of the cache and never changed afterwards. Nothing is installed here."""
import glob
import os
import shutil
import subprocess

from initramfs import Failed, run

GRUB = "grub-common grub2-common grub-efi-amd64-bin grub-pc-bin"
SYSTEMS = {
    # Files are taken out of it: GRUB 2.14 with blsuki, systemd-boot and its stub, ukify, the kernel, kmod.
    "testing": dict(suite="testing", packages=f"kmod procps {GRUB} systemd-boot-efi systemd-ukify",
                    unpack=True),
    # The same loaders and kernel, under a whole systemd.
    "testing-systemd": dict(suite="testing", packages=f"kmod procps systemd-sysv udev dbus libpam-systemd {GRUB} "
                            "systemd-boot-efi systemd-ukify", unpack=True),
    # It is booted as it is.
    "trixie": dict(suite="trixie", packages=f"kmod procps systemd-sysv udev dbus libpam-systemd initramfs-tools zstd {GRUB}",
                   unpack=False),
}
INITRAMFS = "virtio_pci\nvirtio_blk\next4\nvfat\n"


def mirror():
    """Of Debian's own archive, as apt is configured on this machine."""
    for uri in run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages",
                   "Label: Debian").split():
        return uri
    raise Failed("apt-get knows no archive of Debian")


class Chroot:
    """A tree with /proc, /dev and /sys, in a mount namespace that goes with each command."""

    def __init__(self, tree):
        self.tree = tree

    def run(self, *command):
        script = ('mount --make-rprivate / && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && '
                  'mount -t sysfs -o ro sys "$0/sys" && exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin '
                  'LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"')
        return run("unshare", "-m", "sh", "-c", script, self.tree, *command)


def kernels(chroot):
    """Versions that the archive has, oldest first; none for clouds, for real time, or for debugging."""
    listed = chroot.run("sh", "-c", "apt-cache search '^linux-image-[0-9.]+[+]deb[0-9+]+-amd64$' | sort -V")
    found = [line.split()[0].removeprefix("linux-image-") for line in listed.splitlines()]
    if not found:
        raise Failed("the archive has no kernel")
    return found


def unpack_kernel(chroot, version):
    """Its files alone: what packages do when they are installed, such as making an initramfs, is not wanted."""
    depends = chroot.run("apt-cache", "depends", f"linux-image-{version}").split()
    names = [f"linux-image-{version}", *(word for word in depends if word.endswith("-" + version))]
    chroot.run("sh", "-c", 'mkdir /debs && cd /debs && apt-get -q download "$@" && for p in *.deb; do dpkg-deb -x "$p" /; '
               'done && rm -r /debs', "sh", *sorted(set(names)))
    chroot.run("depmod", version)


def install_kernels(chroot):
    """The oldest is installed, and the newest is left in /debs with all that it needs."""
    found = kernels(chroot)
    if len(found) < 2:
        raise Failed("the archive has one kernel only")
    chroot.run("apt-get", "install", "-y", "-q", "--no-install-recommends", f"linux-image-{found[0]}")
    chroot.run("sh", "-c", 'mkdir /debs && cd /debs && apt-get -q download "linux-image-$1"', "sh", found[-1])


def tree(cache, name):
    """The folder of a system; made when it is not there yet."""
    done, system = f"{cache}/{name}", SYSTEMS[name]
    if os.path.isdir(done):
        return done
    new = f"{cache}/{name}.new.{os.getpid()}"
    os.makedirs(f"{cache}/debs", exist_ok=True)
    try:
        run("debootstrap", "--variant=minbase", f"--cache-dir={cache}/debs", f"--include={','.join(system['packages'].split())}",
            system["suite"], new, mirror())
        chroot = Chroot(new)
        if os.path.isdir(f"{new}/etc/initramfs-tools"):
            with open(f"{new}/etc/initramfs-tools/modules", "a") as f:
                f.write(INITRAMFS)
            run("sed", "-i", "s/^MODULES=.*/MODULES=list/", f"{new}/etc/initramfs-tools/initramfs.conf")
        if system["unpack"]:
            unpack_kernel(chroot, kernels(chroot)[-1])
        else:
            install_kernels(chroot)
        chroot.run("apt-get", "clean")
        os.rename(new, done)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return done


def firmware(cache):
    """OVMF's folder, out of its package."""
    done = f"{cache}/ovmf"
    if not os.path.isdir(done):
        run("apt-get", "download", "ovmf", cwd=cache)
        package = max(glob.glob(f"{cache}/ovmf_*.deb"), key=os.path.getmtime)
        run("dpkg-deb", "-x", package, f"{done}.new")
        os.rename(f"{done}.new", done)
        os.unlink(package)
    return f"{done}/usr/share/OVMF"
