# SPDX-License-Identifier: MIT
"""A recorded machine as a tree, and strix-provision on it."""
import json
import os
import re
import shutil
import subprocess

SYSTEM = {  # folder of tests/machines, files that apply may change, and ours
    "fedora": ("zbook-64-fedora", ["etc/default/grub", "etc/kernel/cmdline"]),
    "debian": ("zbook-128-debian13", ["etc/default/grub.d/zz-strix-provision.cfg"]),
}
OWN = ["etc/sysctl.d/99-zz-strix-provision.conf", "etc/modprobe.d/zz-strix-provision.conf",
       "etc/environment.d/zz-strix-provision.conf"]
EPOCH = 1764547200  # of files that are put in place: older than what the machine has


class Broken(Exception):
    """A step failed that must not; its text is the violation."""


class Machine:
    """program, tree_tool, source: strix-provision, sp-tree, and the top of the sources."""

    def __init__(self, folder, program, tree_tool, source):
        self.tree = os.path.join(folder, "tree")
        self.program, self.tree_tool, self.source = program, tree_tool, source
        self.name = None

    # --- the tree -----------------------------------------------------------------------------------------------------

    def unpack(self, name):
        self.name = name
        if os.path.exists(self.tree):
            subprocess.run(["chmod", "-R", "u+rwX", self.tree], check=True)
            shutil.rmtree(self.tree)
        source = f"{self.source}/tests/machines/{SYSTEM[name][0]}"
        subprocess.run([self.tree_tool, "unpack", source, self.tree], check=True)
        if name == "debian":
            self.put("usr/sbin/grub-mkconfig", self.generator().encode(), mode=0o755)

    def generator(self):
        with open(f"{self.source}/tests/bin/grub-mkconfig", encoding="utf-8") as f:
            return f.read()

    def path(self, path):
        return os.path.join(self.tree, path)

    def put(self, path, data, mode=0o644):
        """A file of a stranger in place of what is there."""
        full = self.path(path)
        folder = os.path.dirname(full)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        rights = os.stat(folder).st_mode & 0o7777
        os.chmod(folder, rights | 0o200)  # Fedora's /boot is read-only
        if os.path.islink(full):
            os.unlink(full)
        with open(full, "wb") as f:
            f.write(data)
        os.chmod(folder, rights)
        os.chmod(full, mode)
        os.utime(full, (EPOCH, EPOCH))

    def rewrite(self, path, data):
        """Other bytes for a file; times and the rest stay."""
        stat = os.stat(self.path(path))
        with open(self.path(path), "wb") as f:
            f.write(data)
        os.utime(self.path(path), ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def get(self, path):
        with open(self.path(path), "rb") as f:
            return f.read()

    def list(self):
        """{path: all that sp-tree sees}: bytes, mode, owner, attributes, times, links; without our state."""
        look = [self.tree_tool, "list", "-x", "sys", "-x", "proc", self.tree]
        r = subprocess.run(look, check=True, capture_output=True)
        return dict(l.split("\t", 1) for l in r.stdout.decode("utf-8", "surrogateescape").splitlines())

    def id(self):
        return self.get("etc/machine-id").decode().strip()

    def own_entries(self):
        """Paths of the entries of this system, the rescue entry too."""
        folder = "boot/loader/entries"
        names = os.listdir(self.path(folder)) if os.path.isdir(self.path(folder)) else []
        return [f"{folder}/{n}" for n in sorted(names) if n.startswith(self.id())]

    def change_root(self, value, *but):
        """Make root=VALUE the one of this system, in its entries and for kernels to come; not in the named files."""
        for path in self.own_entries() + ["etc/kernel/cmdline"]:
            if path not in but:
                data = self.get(path).decode("utf-8", "surrogateescape")
                data = re.sub(r"\broot=\S+", lambda _: "root=" + value, data)
                self.rewrite(path, data.encode("utf-8", "surrogateescape"))

    def may_change(self):
        return set(SYSTEM[self.name][1] + OWN + [p for p in self.own_entries() if "-0-rescue" not in p])

    # --- the program --------------------------------------------------------------------------------------------------

    def sp(self, *arguments):
        """(exit status, the object that it prints)."""
        env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "STRIX_PROVISION_DATADIR": self.source}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LLVM_PROFILE_FILE", "GCOV_PREFIX"):
            if name in os.environ:
                env[name] = os.environ[name]
        r = subprocess.run([self.program, "--root", self.tree, "--machine", self.tree, *arguments, "--json"], env=env,
                           stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
        if b"ERROR: " in r.stderr or b"runtime error" in r.stderr:
            raise Broken(f"{arguments[0]}: {r.stderr.decode('utf-8', 'replace')[:400]}")
        try:
            return r.returncode, json.loads(r.stdout)
        except ValueError as e:
            raise Broken(f"{arguments[0]}: no JSON ({e}), exit status {r.returncode}: {r.stderr[:200]!r}") from e

    def sp_must(self, status, *arguments):
        got, said = self.sp(*arguments)
        if got not in status:
            raise Broken(f"{' '.join(arguments)}: exit status {got}: {said.get('error', said)}")
        return said
