# SPDX-License-Identifier: MIT
"""A disk as a boot loader sees it: with GRUB's own file system code, or mtools for FAT. No journal is replayed."""
import re
import subprocess

FOLDERS = ("/loader/entries", "/grub2", "/grub", "/")
TEXTS = r"/loader/entries/[^/]+\.conf|/grub2?/grub\.cfg|/grub2?/grubenv"
LOADED = r"/(vmlinuz|initramfs|initrd)[^/]*"


class Unreadable(Exception):
    pass


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, **options)
    if done.returncode or b"error:" in done.stderr:
        raise Unreadable(f"{command[-1]}: {done.stderr.decode(errors='replace').strip()[:200]}")
    return done.stdout


class Grub:
    """`folder`: where the files of /boot are in that partition."""

    def __init__(self, disk, partition, folder):
        self.disk, self.top = disk, f"(loop0,msdos{partition}){folder}"

    def names(self, folder):
        """None: there is no such folder."""
        try:
            return run("grub-fstest", self.disk, "ls", self.top + folder.rstrip("/") + "/").decode(errors="replace").split()
        except Unreadable as e:
            if "not found" in str(e):
                return None
            raise

    def read(self, path):
        return run("grub-fstest", self.disk, "cat", self.top + path)


class Mtools:
    def __init__(self, disk, start):
        self.image = f"{disk}@@{start}"
        self.options = {"env": {"PATH": "/usr/bin:/bin", "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}}

    def names(self, folder):
        try:
            listed = run("mdir", "-b", "-a", "-i", self.image, "::" + folder, **self.options).decode(errors="replace")
        except Unreadable as e:
            if "not found" in str(e):
                return None
            raise
        return [line[3:].removeprefix(folder.strip("/") + "/") for line in listed.splitlines()]

    def read(self, path):
        return run("mtype", "-i", self.image, "::" + path, **self.options)


def look(reader):
    """{path: bytes, or Unreadable}: of all that a boot loader reads in /boot."""
    seen = {}
    for folder in FOLDERS:
        try:
            names = reader.names(folder)
        except Unreadable as e:
            seen[folder] = e
            continue
        for name in names or ():
            path = folder.rstrip("/") + "/" + name
            if re.fullmatch(f"{TEXTS}|{LOADED}", path):
                try:
                    seen[path] = reader.read(path)
                except Unreadable as e:
                    seen[path] = e
    return seen


def fields(text, word):
    return re.findall(rf"^[ \t]*{word}[ \t]+(.*)$", text, re.M)


def grubenv(seen):
    for path, data in seen.items():
        if path.endswith("/grubenv") and isinstance(data, bytes):
            return dict(line.split("=", 1) for line in data.decode(errors="replace").splitlines() if "=" in line)
    return {}


def menu(seen):
    """(kernel, initrd, options) of each entry that is not left alone anyway (rescue, other systems)."""
    kernelopts = grubenv(seen).get("kernelopts", "")
    for path, data in seen.items():
        if not isinstance(data, bytes):
            continue
        text = data.decode(errors="replace")
        if path.startswith("/loader/entries/5a3b") and "-0-rescue" not in path:
            for kernel, initrd, options in zip(fields(text, "linux"), fields(text, "initrd"), fields(text, "options")):
                yield kernel, initrd, options.replace("$kernelopts", kernelopts)
        if path == "/grub/grub.cfg":
            for block in re.findall(r"^[ \t]*menuentry [^\n]*\{(.*?)\}$", text, re.M | re.S):
                for linux, initrd in zip(fields(block, "linux"), fields(block, "initrd")):
                    kernel, options = linux.split(" ", 1)
                    yield kernel, initrd, options


def judge(seen, before, after):
    """What is wrong for the one who starts the machine: (unbootable?, [what is damaged], [what is absent])."""
    good = {path: {before.get(path), after.get(path)} - {None} for path in {**before, **after}}
    damaged = [f"{path}: {data}" if isinstance(data, Unreadable) else f"{path}: neither old nor new"
               for path, data in seen.items() if isinstance(data, Unreadable) or data not in good.get(path, ())]
    absent = [path for path in before if path in after and path not in seen]
    bad = {text.split(":")[0] for text in damaged}
    intact = {path: data for path, data in seen.items() if path not in bad}
    complete = 0
    for kernel, initrd, options in menu(intact):
        files = [path.removeprefix("/boot") for path in (kernel.strip(), initrd.strip())]
        complete += "root=" in options and all(path in intact for path in files)
    return complete == 0, damaged, absent
