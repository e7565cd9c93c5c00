# SPDX-License-Identifier: MIT
"""A disk as a boot loader sees it: with GRUB's own file system code, or mtools for FAT. No journal is replayed."""
import re
import subprocess

FOLDERS = ("/loader/entries", "/grub2", "/grub")
TEXTS = r"/loader/entries/[^/]+\.conf|/grub2?/grub\.cfg|/grub2?/grubenv"


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
            return run("grub-fstest", self.disk, "ls", f"{self.top}{folder}/").decode(errors="replace").split()
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


def read(reader, path):
    try:
        return reader.read(path)
    except Unreadable as e:
        return e


def is_absent(data):
    """The kernel of another system's entry is on another disk."""
    return isinstance(data, Unreadable) and "not found" in str(data)


def fields(text, word):
    return re.findall(rf"^[ \t]*{word}[ \t]+(.*)$", text, re.M)


def entries(path, data):
    """(kernel, initrd, options) of each menu entry in a file; paths are those below /boot."""
    text = data.decode(errors="replace")
    found = []
    if path.startswith("/loader/entries/"):
        found = zip(fields(text, "linux"), fields(text, "initrd"), fields(text, "options"))
    elif path.endswith("/grub.cfg"):
        blocks = re.findall(r"^[ \t]*menuentry [^\n]*\{(.*?)\}$", text, re.M | re.S)
        found = [(linux.split()[0], initrd, linux) for block in blocks
                 for linux, initrd in zip(fields(block, "linux"), fields(block, "initrd"))]
    return [(kernel.strip().removeprefix("/boot"), initrd.strip().removeprefix("/boot"), options)
            for kernel, initrd, options in found]


def look(reader):
    """{path: bytes, or Unreadable}: of all that a boot loader reads in /boot: menus, and what they name."""
    seen = {}
    for folder in FOLDERS:
        try:
            names = reader.names(folder)
        except Unreadable as e:
            seen[folder] = e
            continue
        paths = [f"{folder}/{name}" for name in names or ()]
        seen.update((path, read(reader, path)) for path in paths if re.fullmatch(TEXTS, path))
    named = {file for path, data in seen.items() if isinstance(data, bytes) for entry in entries(path, data)
             for file in entry[:2]}
    seen.update((path, data) for path in named if not is_absent(data := read(reader, path)))
    return seen


def kernelopts(seen):
    return b"".join(data for path, data in seen.items() if path.endswith("/grubenv")).decode(errors="replace")


def judge(seen, before, after, changed):
    """What is wrong for the one who starts the machine: (unbootable?, [what is damaged], [what is absent]). Entries in
    files that are not `changed` by a run (of other systems, for rescue) do not count: they are always there."""
    good = {path: {data for data in (before.get(path), after.get(path)) if isinstance(data, bytes)}
            for path in {**before, **after}}
    bad = {path: data if isinstance(data, Unreadable) else "neither old nor new"
           for path, data in seen.items() if data not in good.get(path, ())}
    intact = {path: data for path, data in seen.items() if path not in bad}
    complete = [1 for path in changed if path in intact for kernel, initrd, options in entries(path, intact[path])
                if kernel in intact and initrd in intact
                and "root=" in options.replace("$kernelopts", kernelopts(intact))]
    absent = [path for path in before if path in after and path not in seen]
    return not complete, [f"{path}: {why}" for path, why in bad.items()], absent
